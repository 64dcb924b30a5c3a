"""A moment: played from its start, leafed through, sought on its time line, exported."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import pytest
from browser import Browser, Page
from harness import wait_until
from serving import Service

# Whether the pictures of all cards in sight have come.
STILLS = """[...document.querySelectorAll('.frame')]
  .filter(each => each.checkVisibility() && each.getBoundingClientRect().top < innerHeight)
  .every(each => each.classList.contains('shown') || each.classList.contains('gone'))"""

# The first time at which the video stands after it was told where to go: read before the page hears
# of it, which then lets it play.
FIRST = (
    "document.querySelector('#video').addEventListener("
    "'seeked', (e) => { window.first ??= e.target.currentTime; }, true)"
)


@pytest.fixture
def moment(search: Callable[[str], None], page: Page, service: Service) -> dict[str, Any]:
    """The moment in the middle of summer.mp4, searched for and on the wall."""
    search("cars on a city street")
    found = service.ask("v1/find", q="cars on a city street", limit="24")["moments"]
    inside: dict[str, Any] = next(m for m in found if m["name"] == "summer.mp4")
    assert 3 < inside["start_seconds"] < 6
    return inside


def card(moment: dict[str, Any]) -> str:
    """The selector of a moment's card."""
    span = f"{moment['start_seconds']:.3f}-{moment['end_seconds']:.3f}"
    return f"[data-key='{moment['video']}:{span}']"


def test_it_plays_from_the_first_second_of_the_moment(
    page: Page, moment: dict[str, Any], keep: Callable[[Page, str], None]
) -> None:
    page.look(FIRST)
    page.click(f"{card(moment)} .open")
    first = page.until("window.first")
    assert first == pytest.approx(moment["start_seconds"], abs=0.001)
    page.until(f"document.querySelector('#video').currentTime > {first + 0.3}")
    assert page.text("#player-name") == "summer.mp4"
    page.press(" ")
    page.until("document.querySelector('#video').paused")
    keep(page, "playing")
    page.press("Escape")
    page.until("!document.querySelector('#player').open")
    page.until("document.querySelector('#video').getAttribute('src') === null")
    assert page.errors() == []


def test_the_time_line_shows_the_moment_and_its_curves(page: Page, moment: dict[str, Any]) -> None:
    page.click(f"{card(moment)} .open")
    page.until("document.querySelector('.curves .similarity').getAttribute('d').length > 20")
    assert len(page.look("document.querySelector('.curves .variation').getAttribute('d')")) > 20
    line = page.look("document.querySelector('#timeline').getBoundingClientRect().toJSON()")
    mark = page.look("document.querySelector('.moment').getBoundingClientRect().toJSON()")
    duration = page.until("document.querySelector('#video').duration")
    start = (mark["x"] - line["x"]) / line["width"] * duration
    end = start + mark["width"] / line["width"] * duration
    assert start == pytest.approx(moment["start_seconds"], abs=0.05)
    assert end == pytest.approx(moment["end_seconds"], abs=0.05)


def test_the_time_line_is_clicked(page: Page, moment: dict[str, Any]) -> None:
    page.click(f"{card(moment)} .open")
    page.until("!document.querySelector('#video').paused")
    page.press(" ")
    page.until("document.querySelector('#video').paused")
    duration = page.look("document.querySelector('#video').duration")
    page.click("#timeline", across=0.25)
    page.until(f"Math.abs(document.querySelector('#video').currentTime - {duration} * 0.25) < 0.1")
    now = page.look("document.querySelector('#timeline').getAttribute('aria-valuenow')")
    assert float(now) == pytest.approx(duration * 0.25, abs=0.1)


def test_back_closes_the_player_and_forward_opens_it(page: Page, moment: dict[str, Any]) -> None:
    page.click(f"{card(moment)} .open")
    page.until("document.querySelector('#player').open")
    page.look("history.back()")
    page.until("!document.querySelector('#player').open")
    assert "q=cars+on" in page.look("location.hash")
    page.look("history.forward()")
    page.until("document.querySelector('#player').open")


def test_what_is_done_right_after_closing_is_not_undone(page: Page, moment: dict[str, Any]) -> None:
    """The browser steps back from the moment in its own time, when a filter may be set already."""
    page.click(f"{card(moment)} .open")
    page.until("document.querySelector('#player').open")
    page.look(
        "new Promise((done) => { const player = document.querySelector('#player');"
        "player.addEventListener('close', () => {"
        "document.querySelector('#offline').click(); done(); }, {once: true});"
        "player.close(); })"
    )
    page.until("!location.hash.includes('play=') && location.hash.includes('offline=0')")
    assert not page.look("document.querySelector('#offline').checked")
    page.look("history.back()")
    page.until("document.querySelector('#offline').checked")
    assert not page.look("document.querySelector('#player').open")
    assert page.errors() == []


def test_a_moment_opened_while_the_player_closes_is_played(
    page: Page, moment: dict[str, Any]
) -> None:
    """A dialog tells of its closing later, when the next moment may be there already."""
    page.click(f"{card(moment)} .open")
    page.until("document.querySelector('#player').open")
    page.look(
        "new Promise((done) => { const player = document.querySelector('#player');"
        "player.addEventListener('close', () => done(), {once: true}); player.close();"
        f'document.querySelector("{card(moment)} .open").click(); }})'
    )
    assert page.look("document.querySelector('#player').open")
    page.until("document.querySelector('#video').currentTime > 0")
    assert "play=" in page.look("location.hash")
    page.press("Escape")
    page.until("!location.hash.includes('play=')")
    page.look("history.back()")
    page.until("document.querySelector('#query').value === ''")


@pytest.mark.parametrize("way", ["forward", "reload"])
def test_back_leads_to_the_search_before_however_the_moment_was_reached(
    page: Page, moment: dict[str, Any], way: str
) -> None:
    page.click(f"{card(moment)} .open")
    page.until("document.querySelector('#player').open")
    if way == "forward":
        page.look("history.back()")
        page.until("!document.querySelector('#player').open")
        page.look("history.forward()")
    else:
        loads = len(page.events("Page.loadEventFired"))
        page.call("Page.reload")
        wait_until(lambda: len(page.events("Page.loadEventFired")) > loads)
    page.until("document.querySelector('#player').open")
    page.press("Escape")
    page.until("!location.hash.includes('play=')")
    page.look("history.back()")
    page.until("document.querySelector('#query').value === ''")
    page.until("document.querySelector('#title').textContent === 'Your footage'")


def test_what_was_typed_just_before_a_moment_was_opened_is_searched_for_afterwards(
    page: Page, moment: dict[str, Any]
) -> None:
    page.look(
        "(() => { const box = document.querySelector('#query'); box.value = 'bicycles';"
        "box.dispatchEvent(new Event('input'));"
        f'document.querySelector("{card(moment)} .open").click(); }})()'
    )
    page.until("document.querySelector('#video').currentTime > 0")
    time.sleep(0.3)  # longer than typing waits: it must not search under the player
    assert "play=" in page.look("location.hash")
    page.press("Escape")
    page.until("!document.querySelector('#player').open")
    page.until("location.hash === '#q=bicycles'")
    page.until("document.querySelector('#count').textContent.includes('quick')")


def test_a_moment_that_ends_with_its_video_is_looped(page: Page, service: Service) -> None:
    video = next(v for v in service.ask("v1/videos") if v["name"] == "summer.mp4")
    end = video["duration_seconds"]
    page.open(f"{service.address}#play={video['id']}:{end - 0.8:.3f}-{end:.3f}")
    page.until("document.querySelector('#video').readyState > 1")
    page.look("document.querySelector('#video').muted = true")
    page.until("!document.querySelector('#video').seeking")
    # A browser may come to the end before the page does, or the other way round.
    page.look(
        "for (const each of ['ended', 'seeking']) document.querySelector('#video')"
        ".addEventListener(each, () => { window.again = true; })"
    )
    page.click("#loop")
    page.until("window.again")
    page.until(
        "(() => { const v = document.querySelector('#video');"
        f"return !v.paused && v.currentTime < {end} - 0.3; }})()"
    )


def test_back_leaves_the_full_screen(page: Page, moment: dict[str, Any]) -> None:
    page.click(f"{card(moment)} .open")
    page.until("document.querySelector('#player').open")
    page.press("f")
    page.until("document.fullscreenElement !== null")
    page.look("history.back()")
    page.until("!document.querySelector('#player').open")
    page.until("document.fullscreenElement === null")


def test_hovering_leafs_through_the_moment(page: Page, moment: dict[str, Any]) -> None:
    frame = f"{card(moment)} .frame"
    seen = []
    for across in (0.05, 0.95):
        page.hover(frame, across)
        page.until(f"document.querySelector(\"{frame}\").classList.contains('leafing')")
        want = moment["start_seconds"] + (0.0625 if across < 0.5 else 0.9375) * (
            moment["end_seconds"] - moment["start_seconds"]
        )
        page.until(f'Math.abs(document.querySelector("{frame}").dataset.seconds - {want}) < 0.01')
        seen.append(page.look(f'document.querySelector("{frame} .leaf").src'))
    assert seen[0] != seen[1]
    assert all(source.startswith("blob:") for source in seen)
    page.hover("#query")
    page.until(f"!document.querySelector(\"{frame}\").classList.contains('leafing')")
    assert page.look(f'document.querySelector("{frame} .leaf").getAttribute("src")') is None


def test_leaving_cancels_what_is_being_fetched(page: Page, moment: dict[str, Any]) -> None:
    """The frames are held up, so that it is certain that one of them was under way."""
    page.until(STILLS)  # which nobody cancels, and which would be held up as well
    page.call("Fetch.enable", patterns=[{"urlPattern": "*/frame?*"}])
    page.hover(f"{card(moment)} .frame", 0.5)
    wait_until(lambda: page.events("Fetch.requestPaused"))
    number = page.events("Fetch.requestPaused")[0]["networkId"]
    page.hover("#query")
    failed = "Network.loadingFailed"
    wait_until(lambda: [e for e in page.events(failed) if e["requestId"] == number])
    page.call("Fetch.disable")
    ended = next(e for e in page.events(failed) if e["requestId"] == number)
    assert ended["canceled"]
    assert len(page.events("Fetch.requestPaused")) == 1


def test_a_selection_is_exported(
    browser: Browser,
    page: Page,
    moment: dict[str, Any],
    tmp_path: Path,
    keep: Callable[[Page, str], None],
) -> None:
    pytest.importorskip("tempo_plugins")
    browser.call(
        "Browser.setDownloadBehavior",
        behavior="allow",
        downloadPath=str(tmp_path),
        browserContextId=page.context,
    )
    assert page.look("document.querySelector('#selection').hidden")
    page.hover(f"{card(moment)} .frame")
    page.click(f"{card(moment)} .pick")
    assert page.text("#selection-count") == "1 moment selected"
    page.look("document.querySelector('#format').value = 'json'")
    page.click("#export")
    wait_until(lambda: list(tmp_path.glob("*.json")))
    exported = next(tmp_path.glob("*.json"))
    wait_until(lambda: exported.stat().st_size)
    assert moment["path"] in json.dumps(json.loads(exported.read_text()), ensure_ascii=False)
    # A project of LosslessCut is of one video; those of several come in a ZIP.
    page.look("document.querySelector('#format').value = 'llc'")
    page.click("#export")
    wait_until(lambda: list(tmp_path.glob("*.llc")))
    page.look(
        "[...document.querySelectorAll('.card')].find((card) =>"
        f" !card.dataset.key.startsWith('{moment['video']}:')).querySelector('.pick input').click()"
    )
    page.click("#export")
    wait_until(lambda: list(tmp_path.glob("*.zip")))
    wait_until(lambda: is_zipfile(tmp_path / "moments.zip"))
    with ZipFile(tmp_path / "moments.zip") as zipped:
        assert len(zipped.namelist()) == 2
    assert "unpack it in" in page.text("#selection-count")
    keep(page, "exported")
    page.click("#selection [type=reset]")
    assert page.look("document.querySelector('#selection').hidden")
    assert not page.look(f'document.querySelector("{card(moment)} input").checked')


def test_a_link_plays_the_moment(
    browser: Browser, service: Service, page: Page, moment: dict[str, Any]
) -> None:
    page.click(f"{card(moment)} .open")
    page.until("document.querySelector('#player').open")
    link = page.look("location.href")
    with browser.page() as other:
        other.open(service.door)
        other.open(link)
        other.until("document.querySelector('#player').open")
        other.until("document.querySelector('#video').readyState > 1")
        start = pytest.approx(moment["start_seconds"], abs=1)
        assert other.until("document.querySelector('#video').currentTime") == start
        other.press("Escape")
        other.until("!document.querySelector('#player').open")
        other.until("!location.hash.includes('play')")


def test_what_the_browser_cannot_play_is_shown_as_stills(
    search: Callable[[str], None], page: Page, service: Service
) -> None:
    search("a man in a suit")
    found = service.ask("v1/find", q="a man in a suit", limit="24")["moments"]
    old = next(m for m in found if m["name"] == "old.avi")
    page.click(f"{card(old)} .open")
    page.until("document.querySelector('#still').naturalWidth > 0")
    assert "can't play" in page.text("#player-words")
    before = page.look("document.querySelector('#still').src")
    page.click("#timeline", across=0.5)
    page.until(f"document.querySelector('#still').src !== {json.dumps(before)}")
    page.until("document.querySelector('#still').naturalWidth > 0")
    now = float(page.look("document.querySelector('#timeline').getAttribute('aria-valuenow')"))
    assert now == pytest.approx(1, abs=0.1)
