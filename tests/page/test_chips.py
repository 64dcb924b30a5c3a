"""What is asked for, in chips; what is sure and what is not; in which folder, in which parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from browser import Browser, Page
from serving import SETTLED, Service
from test_access import CONTRASTS

CHIPS = "[...document.querySelectorAll('#chips .chip-words')].map((e) => e.textContent)"
NAMES = "[...document.querySelectorAll('#chips button')].map((e) => e.ariaLabel)"
FOCUS = "document.activeElement.ariaLabel ?? document.activeElement.id"
STREET, ABSENT = "cars on a city street", "a plate of sushi on a table"
TERMS = "sorry about the dog AND boat NOT snow"


def go(page: Page, query: str, **others: str) -> None:
    """Follow a link and wait for its answer."""
    page.look("document.querySelector('#count').textContent = ''")
    told = {"q": query, **others}
    hash_ = "&".join(f"{name}={quote(text)}" for name, text in told.items())
    page.look(f"location.hash = {json.dumps('#' + hash_)}")
    page.until(SETTLED)


def imported(page: Page, module: str, call: str) -> Any:
    """What a function of the page gives."""
    return page.look(f"import('/static/{module}.js').then((of) => JSON.stringify(of.{call}))")


def test_a_term_is_taken_away_by_the_mouse_and_by_keys(spoken: Page) -> None:
    go(spoken, TERMS)
    assert spoken.look(CHIPS) == ["sorry about the dog", "AND boat", "NOT snow"]
    assert spoken.look(NAMES) == [
        "Remove sorry about the dog",
        "Remove AND boat",
        "Remove NOT snow",
    ]
    spoken.look("document.querySelectorAll('#chips button')[0].focus()")
    spoken.press("ArrowRight", "Delete")
    spoken.until("document.querySelector('#query').value === 'sorry about the dog NOT snow'")
    spoken.until("document.querySelectorAll('#chips button').length === 2")
    assert spoken.look(FOCUS) == "Remove NOT snow", "the chip in its place has the focus"
    spoken.press("ArrowLeft", "ArrowRight", "Enter")
    # One plain sentence is no chip; who had the focus goes on in the box.
    spoken.until("document.querySelector('#chips').hidden")
    assert spoken.look("document.querySelector('#query').value") == "sorry about the dog"
    assert spoken.look(FOCUS) == "query"
    go(spoken, TERMS)
    spoken.look("document.querySelectorAll('#chips button')[1].focus()")
    # The second time before anybody knows what asks for the rest.
    spoken.press("Delete", "Delete")
    spoken.until("document.querySelector('#query').value === 'sorry about the dog'")
    spoken.look("history.back()")
    spoken.until("document.querySelectorAll('#chips button').length === 2")
    spoken.click("#chips .chip:first-child button")
    # Nothing would be left to be there: the library is.
    spoken.until("document.querySelector('#title').textContent === 'Your footage'")
    assert spoken.errors() == []


def test_words_to_the_letter_and_filters_are_taken_away(spoken: Page, service: Service) -> None:
    go(spoken, '"so sorry" dog', by="said", max_minutes="2", then_seconds="5", parts="1")
    assert spoken.look(CHIPS) == [
        "exactly “so sorry”",
        "found by what is said",
        "at most 2 min",
        "THEN within 5 s",
        "split at cuts",
    ]
    assert spoken.look("document.querySelector('#chips').ariaLabel") == "What is asked for"
    spoken.look("document.querySelectorAll('#chips button')[2].focus()")
    spoken.press("Backspace")
    spoken.until("!location.hash.includes('max_minutes')")
    assert spoken.look("document.querySelector('#max-minutes').value") == ""
    assert spoken.text("#filter-count") == "3"
    spoken.click("#chips button")
    spoken.until("document.querySelector('#query').value === 'dog'")
    spoken.until(SETTLED)
    assert "exactly" not in "".join(spoken.look(CHIPS))
    spoken.look("location.hash = '#q=dog&min_minutes=5&max_minutes=2'")
    spoken.until("!document.querySelector('#trouble').hidden")
    # What nothing can pass is mended by a chip as well.
    spoken.click("#chips button")
    spoken.until("document.querySelector('#trouble').hidden")
    spoken.look("document.querySelector('#query').value = 'dog AND'")
    spoken.click("#query")
    spoken.press("Enter")
    spoken.until("!document.querySelector('#trouble').hidden")
    assert "AND at column 5 has nothing behind it" in spoken.text("#trouble-words")


def test_an_example_is_a_chip_with_its_picture(page: Page, service: Service) -> None:
    video = next(v for v in service.ask("v1/videos") if v["name"] == "summer.mp4")
    page.look(
        "location.hash = '#like=' + encodeURIComponent(" + json.dumps(video["path"]) + "+'@1')"
    )
    page.until("document.querySelector('#chips img')?.naturalWidth > 0")
    assert page.look(CHIPS) == ["like summer.mp4, 00:01.0"]
    source = page.look("document.querySelector('#chips img').src")
    assert f"/v1/videos/{video['id']}/frame?t=1.000" in source
    page.click("#chips button")
    page.until("document.querySelector('#title').textContent === 'Your footage'")
    for like, said in {
        "7@1:02.5-1:03": ["video 7", 7, 62.5, 63],
        "/v/a@b.mp4@5": ["a@b.mp4", None, 5, None],
        "/v/1.mp4@1:00:01": ["1.mp4", None, 3601, None],
    }.items():
        told = json.loads(imported(page, "place", f"parseExample({json.dumps(like)})"))
        keys = ("name", "video", "start_seconds", "end_seconds")
        assert [told.get(key) for key in keys] == said
    for like in ("/v/a.mp4", "@5", "/v/a.mp4@x", "/v/a.mp4@5-"):
        assert imported(page, "place", f"parseExample({json.dumps(like)})") == "null"


def test_words_that_are_not_to_be_there_are_not_marked(spoken: Page) -> None:
    go(spoken, "so sorry NOT really", min_minutes="0")
    marked = "[...document.querySelectorAll('.said mark')].map((e) => e.textContent)"
    lines = "[...document.querySelectorAll('.said')].map((e) => e.textContent).join()"
    assert "really" in spoken.look(lines)
    assert "so sorry" in spoken.look(marked) and "really" not in spoken.look(marked)


def test_a_moment_in_parts_tells_them(
    spoken: Page, spoken_service: Service, keep: Callable[[Page, str], None]
) -> None:
    query = "rabbit in the boat THEN sorry about the dog THEN lighthouse closed"
    (best, *_) = spoken_service.ask("v1/find", q=query)["moments"]
    go(spoken, query)
    assert spoken.text("#cards .extent") == "in 3 parts"
    assert "lighthouse closed, 00:06.2–00:07.4" in spoken.look(
        "document.querySelector('#cards .extent').title"
    )
    spoken.click("#cards .open")
    spoken.until("document.querySelector('#video').readyState > 1")
    line = spoken.look("document.querySelector('#timeline').getBoundingClientRect().toJSON()")
    marks = spoken.look(
        "[...document.querySelectorAll('.part-mark')].map((e) => [e.textContent, "
        "e.getBoundingClientRect().x])"
    )
    assert [number for number, _ in marks] == ["1", "2", "3"]
    duration = spoken.look("document.querySelector('#video').duration")
    starts = [(x - line["x"]) / line["width"] * duration for _, x in marks]
    assert starts == pytest.approx([part["start_seconds"] for part in best["parts"]], abs=0.1)
    keep(spoken, "parts")
    spoken.press(" ")
    spoken.until("document.querySelector('#video').paused")
    spoken.click("#player-parts li:nth-child(3) button")
    spoken.until("Math.abs(document.querySelector('#video').currentTime - 6.2) < 0.05")
    assert spoken.errors() == []


def test_arrows_lead_from_sure_moments_to_those_that_are_not(page: Page) -> None:
    page.prefer(prefers_reduced_motion="reduce")
    go(page, STREET)
    assert page.look("document.querySelectorAll('#near-cards .card').length") > 0
    inside = "document.activeElement.closest('ul')?.id"
    page.look("document.querySelector('#cards .card:last-child .open').focus()")
    page.press("ArrowRight")
    assert page.look(inside) == "near-cards"
    page.press("ArrowLeft")
    assert page.look(inside) == "cards"
    page.press("ArrowDown")
    assert page.look(inside) == "near-cards"
    page.press("ArrowUp")
    assert page.look(inside) == "cards"
    faint = "getComputedStyle(document.querySelector('#near-cards .picture')).opacity"
    page.until("document.querySelector('#near-cards .frame').classList.contains('shown')")
    assert float(page.look(faint)) == pytest.approx(0.6)
    page.look("document.querySelector('#near-cards .card:last-child .open').focus()")
    page.press("ArrowDown")
    last = "document.activeElement.closest('#near-cards .card:last-child') !== null"
    assert page.look(last), "below the last there is nothing to go to"


def test_a_card_names_its_folder_as_far_as_it_tells(page: Page) -> None:
    go(page, STREET)
    card = "[...document.querySelectorAll('.card')].find((e) => e.innerText.includes('summer'))"
    assert page.look(f"{card}.querySelector('.folder').textContent") == "in trips"
    assert page.look(f"{card}.querySelector('.open').title").endswith("/trips/summer.mp4")
    many = ["/v/2023/trip/a.mp4", "/v/2024/trip/a.mp4", "/v/2024/home/b.mp4", "/c.mp4"]
    many += ["/m/x/y/z/w/a.mp4", "/n/x/y/z/w/a.mp4", "/v/\u05d0\u05d1/a.mp4"]
    told = json.loads(
        imported(page, "folder_names", f"folderNames({json.dumps(many)}).values().toArray()")
    )
    assert ["/".join(each) for each in told] == [
        "2023/trip",
        "2024/trip",
        "home",
        "",
        "m/…/w",
        "n/…/w",
        "\u05d0\u05d1",
    ]


def scenes(page: Page, service: Service, more: Service) -> Iterator[str]:
    """The states of an answer, the last of a library of several films; their names."""
    film = service.ask("v1/videos")[0]["path"]
    go(page, TERMS, by="said", after="2020-02-28", max_minutes="90", within=film.rpartition("/")[0])
    page.look("document.querySelectorAll('#chips button')[1].focus()")
    yield "asked"
    go(page, "lighthouse closed AND a red tractor NOT snow", near_seconds="5")
    yield "nothing-of-terms"
    go(page, ABSENT)
    yield "nothing-matches"
    go(page, "", like=f"{film}@1-3")
    yield "like"
    page.click(".card .open")
    page.until("document.querySelector('#video').readyState > 1")
    yield "like-player"
    page.open(more.door)
    go(page, STREET)
    yield "unsure"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_what_is_asked_is_read_on_small_and_large_screens(
    browser: Browser,
    spoken_service: Service,
    service: Service,
    width: int,
    theme: str,
    keep: Callable[[Page, str], None],
) -> None:
    with browser.page() as page:
        page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
        page.resize(width, 844, mobile=width < 500)
        page.call("Emulation.setTouchEmulationEnabled", enabled=width < 500)
        page.open(spoken_service.door)
        for scene in scenes(page, spoken_service, service):
            keep(page, f"{scene}-{width}-{theme}")
            assert [each for each in page.look(CONTRASTS) if each[0] < 4.5] == [], scene
            assert page.look("document.documentElement.scrollWidth") <= width, scene
            small = (
                "[...document.querySelectorAll('#chips button')].filter((e) => e.checkVisibility()"
            )
            small += " && Math.min(e.offsetWidth, e.offsetHeight) < 24).length"
            assert page.look(small) == 0, scene
