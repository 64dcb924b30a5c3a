"""What goes wrong is said in words; what goes on in the background is shown."""

from __future__ import annotations

import shutil
import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from browser import Browser, Page
from harness import PATIENCE, wait_until
from serving import SETTLED, Service, answer_with

import tempo_edge

QUERY = "cars on a city street"


def test_a_service_that_is_gone_is_said_and_awaited(
    browser: Browser, own_service: Service, keep: Callable[[Page, str], None]
) -> None:
    with browser.page() as page:
        page.open(own_service.door)
        page.until("document.querySelectorAll('.card').length > 0")
        own_service.kill()
        page.click("#query")
        page.type("cars on a city street")
        page.press("Enter")
        page.until("!document.querySelector('#trouble').hidden")
        assert "tempo-edge serve" in page.text("#trouble-words")
        assert page.look("document.querySelector('#trouble').getAttribute('role')") == "alert"
        keep(page, "gone")
        own_service.start()
        page.until("document.querySelector('#trouble').hidden")
        page.until(SETTLED)
        assert page.look("document.querySelectorAll('#cards .card').length") > 0


def test_a_page_without_the_token_says_so(browser: Browser, own_service: Service) -> None:
    with browser.page() as page:
        page.open(own_service.door)
        page.until("document.querySelectorAll('.card').length > 0")
        page.call("Network.clearBrowserCookies")
        page.click("#query")
        page.type("cars on a city street")
        page.press("Enter")
        page.until("!document.querySelector('#trouble').hidden")
        assert "isn't signed in" in page.text("#trouble-words")


def test_a_question_that_an_older_one_overtook_is_asked_again(
    search: Callable[[str], None], page: Page
) -> None:
    """The older one may reach the service later: both come on connections of their own."""
    search("a man in a suit")

    def ask() -> None:
        page.look("document.querySelector('#query').value = ''")
        page.click("#query")
        page.type("cars on a city street")
        page.press("Enter")

    answer_with(page, 409, {"error": "a newer query took its place"}, ask)
    page.until("document.querySelector('#title').textContent === 'cars on a city street'")
    page.until(SETTLED)
    assert page.look("document.querySelector('#trouble').hidden")


def test_after_trouble_the_page_asks_for_what_it_says_now(
    browser: Browser, own_service: Service
) -> None:
    """A search that failed once is not asked for again when another one has been answered."""
    with browser.page() as page:
        page.open(own_service.door)
        page.until("document.querySelectorAll('.card').length > 0")
        page.click("#query")
        answer_with(page, 500, {"error": "failed"}, lambda: page.type("c"))
        page.until("!document.querySelector('#trouble').hidden")
        page.type("ars on a city street")
        page.press("Enter")
        page.until(SETTLED)
        assert page.look("document.querySelector('#trouble').hidden")
        own_service.kill()
        page.until("!document.querySelector('#trouble').hidden")
        own_service.start()
        before = len(page.events("Network.requestWillBeSent"))
        page.until("document.querySelector('#trouble').hidden")
        page.until(SETTLED)
        asked = [e["request"]["url"] for e in page.events("Network.requestWillBeSent")[before:]]
        assert not [url for url in asked if "q=c&" in url]
        assert page.text("#title") == QUERY


def test_try_again_asks_for_what_the_box_holds(page: Page) -> None:
    page.click("#query")
    answer_with(page, 500, {"error": "failed"}, lambda: page.type("c"))
    page.until("!document.querySelector('#trouble').hidden")
    page.call("Fetch.enable", patterns=[{"urlPattern": "*/v1/find?*"}])
    before = len(page.events("Fetch.requestPaused"))
    page.type("ars on a city street")
    page.press("Enter")
    wait_until(lambda: len(page.events("Fetch.requestPaused")) > before)
    waiting = len(page.events("Fetch.requestPaused"))
    page.click("#trouble-again")
    # A browser that ends this while a request is on its way to it may never let go of that one.
    wait_until(lambda: len(page.events("Fetch.requestPaused")) > waiting)
    page.call("Fetch.disable")
    page.until(SETTLED)
    assert page.text("#title") == QUERY


def test_what_the_service_says_is_wrong_is_shown(page: Page) -> None:
    def ask() -> None:
        page.click("#query")
        page.type("b")

    answer_with(page, 400, {"error": "limit <b>24</b> is no number"}, ask)
    page.until("!document.querySelector('#trouble').hidden")
    assert page.text("#trouble-words") == "limit <b>24</b> is no number"
    assert page.look("document.querySelector('#trouble-again').hidden")


def test_a_busy_service_is_asked_again(page: Page) -> None:
    def ask() -> None:
        page.click("#query")
        page.type("cars on a city street")

    answer_with(page, 429, {"error": "too many searches"}, ask)
    page.until("document.querySelector('#count').textContent.includes('quick')")
    assert page.look("document.querySelector('#trouble').hidden")


def test_indexing_is_paused_and_resumed(browser: Browser, own_service: Service) -> None:
    with browser.page() as page:
        page.open(own_service.door)
        page.until("document.querySelectorAll('.card').length > 0")
        assert page.look("document.querySelector('#indexing').hidden")
        request = urllib.request.Request(
            f"{own_service.address}v1/pause",
            method="POST",
            headers={"Authorization": f"Bearer {own_service.token}"},
        )
        urllib.request.urlopen(request, timeout=PATIENCE).close()
        page.until("!document.querySelector('#indexing').hidden")
        assert page.text("#indexing-state").startswith("Paused")
        page.click("#indexing-toggle")
        page.until("document.querySelector('#indexing').hidden")
        assert own_service.ask("v1/status")["indexing"]["state"] != "paused"


def test_skipped_files_are_listed_with_their_reasons(
    page: Page, keep: Callable[[Page, str], None]
) -> None:
    page.until("!document.querySelector('#skipped-open').hidden")
    assert page.text("#skipped-open") == "1 file skipped"
    page.click("#skipped-open")
    page.until("document.querySelectorAll('#skipped-list li').length === 1")
    assert "torn.mp4" in page.text("#skipped-list")
    assert "can't be opened" in page.text("#skipped-list")
    keep(page, "skipped")


def test_footage_is_added_from_an_empty_library(
    browser: Browser, shown: Path, tmp_path: Path
) -> None:
    empty = Service(tmp_path / "new" / "library.db")
    try:
        with browser.page() as page:
            page.open(empty.door)
            page.until("document.querySelector('#add-first').checkVisibility()")
            assert page.text("#title") == "Nothing is indexed yet"
            page.click("#add-first-path")
            page.type("/there/is/nothing")
            page.press("Enter")
            page.until("document.querySelector('#add-first .add-words').textContent")
            assert "/there/is/nothing" in page.text("#add-first .add-words")
            page.look("document.querySelector('#add-first-path').value = ''")
            page.click("#add-first-path")
            page.type(str(shown.parent.parent / "trips"))
            page.press("Enter")
            page.until("document.querySelectorAll('.card').length === 1")
            assert page.text("#title") == "Your footage"
    finally:
        empty.close()


@pytest.fixture
def one_film(shown: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of summer.mp4, and a library that holds nothing else."""
    footage = tmp_path / "footage"
    footage.mkdir()
    film = shutil.copy2(shown.parent.parent / "trips" / "summer.mp4", footage / "summer.mp4")
    library = tmp_path / "kept" / "library.db"
    with tempo_edge.Library.open(library) as opened:
        opened.index(footage)
    return film, library


def test_a_drive_that_is_gone_is_said_and_can_be_hidden(
    browser: Browser, one_film: tuple[Path, Path]
) -> None:
    film, library = one_film
    film.unlink()
    with closing(sqlite3.connect(library)) as rows, rows:
        rows.execute("UPDATE files SET volume='a drive in a drawer'")
    service = Service(library)
    try:
        with browser.page() as page:
            page.open(service.door)
            page.open(f"{service.address}#q=cars+on+a+city+street")
            page.until(SETTLED)
            assert page.text("#cards .frame") == "Drive not connected"
            urls = [e["request"]["url"] for e in page.events("Network.requestWillBeSent")]
            assert [url for url in urls if "/frame" in url] == []
            page.click("#cards .open")
            page.until("!document.querySelector('#player-words').hidden")
            assert page.text("#player-words") == "Drive not connected."
            page.press("Escape", "f")
            page.click("#offline")
            page.until("document.querySelectorAll('#cards .card').length === 0")
            assert "offline=0" in page.look("location.hash")
    finally:
        service.close()


def test_a_file_that_comes_back_gets_its_picture(
    browser: Browser, one_film: tuple[Path, Path], tmp_path: Path
) -> None:
    there, library = one_film
    there.rename(tmp_path / "away.mp4")
    service = Service(library)
    try:
        with browser.page() as page:
            page.open(service.door)
            page.open(f"{service.address}#q={QUERY.replace(' ', '+')}")
            page.until(SETTLED)
            assert page.text("#cards .frame") == "File moved or deleted"
            (tmp_path / "away.mp4").rename(there)
            page.click("#query")
            page.press("Enter")
            page.until("document.querySelector('#cards .picture')?.naturalWidth > 0")
            key = page.look("document.querySelector('#cards .card').dataset.key")
            with there.open("ab") as longer:
                longer.write(b"changed")
            page.open(f"{service.address}#play={key}")
            page.until("document.querySelector('#player-words').checkVisibility()")
            assert "not the file that was indexed" in page.text("#player-words")
    finally:
        service.close()


def test_a_library_that_was_replaced_is_browsed_as_it_is_now(
    browser: Browser, own_service: Service, tmp_path: Path
) -> None:
    with browser.page() as page:
        page.open(own_service.door)
        page.until("document.querySelectorAll('.card').length === 3")
        page.until("document.querySelector('#facts').textContent.startsWith('3 videos')")
        own_service.kill()
        page.until("!document.querySelector('#trouble').hidden")
        shutil.rmtree(own_service.library.parent)
        own_service.start()
        page.until("document.querySelector('#title').textContent === 'Nothing is indexed yet'")
        assert page.look("document.querySelectorAll('.card').length") == 0


def test_an_emptied_library_is_seen_by_browsing(browser: Browser, own_service: Service) -> None:
    """Without any event: the totals are asked for together with the videos."""
    with browser.page() as page:
        page.open(own_service.door)
        page.until("document.querySelectorAll('.card').length === 3")
        shutil.rmtree(own_service.library.parent)
        page.click("#query")
        page.press("Enter")
        page.until("document.querySelector('#title').textContent === 'Nothing is indexed yet'")
        assert page.text("#facts").startswith("0 videos")
