"""Searching: while typing, thoroughly, with filters, in vain, by a link and with Back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from browser import Browser, Page
from harness import wait_until
from serving import HOSTILE, SETTLED, Service, answer_with

ABSENT = "a plate of sushi on a table"


def finds(page: Page) -> list[dict[str, str]]:
    """The parameters of every search that the page asked for."""
    urls = [urlsplit(e["request"]["url"]) for e in page.events("Network.requestWillBeSent")]
    asked = [parse_qs(url.query) for url in urls if url.path == "/v1/find"]
    return [{key: values[-1] for key, values in each.items()} for each in asked]


def shown(page: Page) -> list[str]:
    """When the moments on the wall are, in order."""
    script = "[...document.querySelectorAll('#cards .when')].map((e) => e.textContent)"
    found: list[str] = page.look(script)
    return found


def test_an_answer_while_typing_and_a_thorough_one_on_enter(page: Page, service: Service) -> None:
    page.click("#query")
    page.type("cars on a city street", pause_seconds=0.04)
    page.until("document.querySelector('#count').textContent.includes('in a quick search')")
    wait_until(lambda: finds(page)[-1]["q"] == "cars on a city street")
    typed = finds(page)
    assert {each.get("retrieval") for each in typed} == {"1"}
    assert len(typed) < 7, "every key asked the service"
    page.press("Enter")
    page.until(SETTLED)
    thorough = finds(page)[-1]
    assert "retrieval" not in thorough
    assert thorough["client"] == typed[0]["client"]
    truth = service.ask("v1/find", q="cars on a city street", limit="24")["moments"]
    assert len(shown(page)) == len(truth) > 0
    assert page.text("#count").startswith(f"{len(truth)} moment")
    assert page.errors() == []


def test_a_moment_tells_when_how_sure_and_where(
    search: Callable[[str], None], page: Page, service: Service
) -> None:
    search("cars on a city street")
    best = service.ask("v1/find", q="cars on a city street", limit="24")["moments"][0]
    assert page.text("#cards .sure").endswith(f"{round(best['confidence'] * 100)} %")
    start = round(best["start_seconds"], 1)
    assert page.text("#cards .when").startswith(f"00:{start:04.1f}–")
    middle = (best["start_seconds"] + best["end_seconds"]) / 2
    page.until("document.querySelector('#cards .picture').naturalWidth > 0")
    source = parse_qs(urlsplit(page.look("document.querySelector('#cards .picture').src")).query)
    assert float(source["t"][0]) == pytest.approx(middle, abs=0.001)


def test_nothing_matches_and_what_is_not_sure_stands_below_a_line(
    search: Callable[[str], None], page: Page, service: Service
) -> None:
    search(ABSENT)
    assert page.text("#title") == "Nothing matches"
    assert ABSENT in page.text("#count")
    truth = service.ask("v1/find", q=ABSENT, limit="24")
    assert page.look("document.querySelectorAll('#near-cards .card').length") == len(truth["near"])
    assert page.text("#near h2") == "Not sure of these" and len(truth["near"]) > 1
    assert page.text("#near-words").startswith(f"These {len(truth['near'])} come closest")
    assert shown(page) == []
    page.press("ArrowDown")
    assert page.look("document.activeElement.closest('#near-cards') !== null")


def test_back_leads_to_the_search_before(search: Callable[[str], None], page: Page) -> None:
    search("cars on a city street")
    before = shown(page)
    search(ABSENT)
    page.look("history.back()")
    page.until("document.querySelector('#query').value === 'cars on a city street'")
    page.until(SETTLED)
    assert shown(page) == before
    assert page.look("document.title").startswith("cars on a city street")
    page.look("history.back()")
    page.until("document.querySelector('#title').textContent === 'Your footage'")


def test_a_link_holds_query_and_filters(browser: Browser, service: Service) -> None:
    with browser.page() as opened:
        opened.open(service.door)
        opened.open(f"{service.address}#q={quote(ABSENT)}&near=1&offline=0&parts=1&max_minutes=2")
        opened.until(SETTLED)
        asked = finds(opened)[-1]
        assert (asked["q"], asked["offline"], asked["max_seconds"]) == (ABSENT, "0", "120")
        assert asked["parts"] == "1"
        assert not opened.look("document.querySelector('#offline').checked")
        assert opened.look("document.querySelector('#parts').checked")
        assert opened.text("#filter-count") == "3"
        # What was hidden once was opened by a part of the link that means nothing any more.
        assert opened.look("document.querySelector('#near').checkVisibility()")
        assert "near" not in opened.look("location.hash")


def test_filters_narrow_the_answer(search: Callable[[str], None], page: Page) -> None:
    search("cars on a city street")
    everywhere = len(shown(page))
    page.press("Escape", "f")
    folder = page.until("document.querySelector('#folders option:last-child')?.value")
    assert folder.endswith("trips")
    page.until("document.activeElement.id === 'within'")
    page.type(folder)
    page.press("Enter")
    page.until(f"document.querySelectorAll('#cards .card').length < {everywhere}")
    names = page.look("[...document.querySelectorAll('#cards .file')].map((e) => e.textContent)")
    assert set(names) == {"summer.mp4"}
    assert page.text("#filter-count") == "1"
    page.click("#filters [type=reset]")
    page.until(f"document.querySelectorAll('#cards .card').length === {everywhere}")
    assert "within" not in page.look("location.hash")


def test_a_filter_that_nothing_can_pass_is_said(search: Callable[[str], None], page: Page) -> None:
    search("cars on a city street")
    page.press("Escape", "f")
    page.click("#min-minutes")
    page.type("5")
    page.click("#max-minutes")
    page.type("2")
    page.press("Enter")
    page.until("!document.querySelector('#trouble').hidden")
    assert page.text("#trouble-words") == "No video is longer than 5 and shorter than 2 minutes."


def test_names_are_shown_and_never_run(page: Page) -> None:
    names = page.look("[...document.querySelectorAll('.file')].map((e) => e.textContent)")
    assert HOSTILE.replace("\n", "↵") in names
    assert page.look("document.querySelector('img[src=x]')") is None
    label = page.look("[...document.querySelectorAll('.pick')].map((e) => e.textContent).join('|')")
    assert "<img src=x onerror=alert(1)>" in label


def test_a_link_of_before_keeps_its_days(
    search: Callable[[str], None], page: Page, service: Service
) -> None:
    search("cars on a city street")
    everywhere = len(shown(page))
    changed = {Path(v["path"]).stat().st_mtime for v in service.ask("v1/videos")}
    day = date.fromtimestamp(max(changed)).isoformat()
    page.look(f"location.hash = '#q=cars+on+a+city+street&before={day}'")
    page.until("document.querySelector('#filter-count').textContent === '1'")
    page.until(SETTLED)
    assert len(shown(page)) == everywhere, "the last day counts"
    assert page.look("document.querySelector('#until').value") == day
    page.look("location.hash = '#q=cars+on+a+city+street&until=2001-01-01'")
    page.until("document.querySelectorAll('#cards .card').length === 0")


def test_more_of_the_same_is_asked_for_where_there_may_be_more(
    search: Callable[[str], None], page: Page, service: Service
) -> None:
    """An answer of a full page is made from a real one: the library is a small one."""
    search("cars on a city street")
    answer = service.ask("v1/find", q="cars on a city street", limit="24")
    one = answer["moments"][0]
    many = [{**one, "start_seconds": one["start_seconds"] + n / 1000} for n in range(24)]
    body = {**answer, "moments": many}

    def ask() -> None:
        page.click("#query")
        page.press("Enter")

    answer_with(page, 200, body, ask)
    page.until("!document.querySelector('#more').hidden")
    answer_with(page, 200, body, lambda: page.click("#more"))
    page.until("document.querySelector('#more').hidden")
    assert finds(page)[-1]["limit"] == "100"


def test_an_answer_that_stands_out_of_nothing_says_so(page: Page, service: Service) -> None:
    found = service.ask("v1/find", q="cars on a city street", limit="24")
    assert found["unsure"] is False
    page.click("#query")
    answer_with(page, 200, {**found, "rivals": 1234, "unsure": True}, lambda: page.type("cars"))
    page.until("document.querySelector('#unsure').textContent !== ''")
    said = "Take these with care: 1,234 other videos fit nearly as well."
    assert page.text("#unsure") == said
    answer_with(page, 200, {**found, "rivals": 3}, lambda: page.type(" and dogs"))
    page.until("document.querySelector('#unsure').textContent === ''")
    page.look("location.hash = ''")
    page.until("document.querySelector('#title').textContent === 'Your footage'")
    assert page.text("#unsure") == "" and page.errors() == []


def test_copies_are_told_on_the_card_of_the_one(page: Page, service: Service) -> None:
    found = service.ask("v1/find", q="cars on a city street", limit="24")
    assert all(each["copies"] == [] for each in found["moments"])
    best = found["moments"][0]
    times = {"start_seconds": best["start_seconds"], "end_seconds": best["end_seconds"]}
    best["copies"] = [{"path": f"/v/{n}.mkv", "online": True, **times} for n in "ab"]
    page.click("#query")
    answer_with(page, 200, found, lambda: page.type("cars"))
    page.until("document.querySelector('#cards .copies').textContent !== ''")
    assert page.text("#cards .copies") == "also in 2 copies"
    title = page.look("document.querySelector('#cards .open').title")
    assert title.splitlines()[1:] == ["also in /v/a.mkv", "also in /v/b.mkv"]
    others = "[...document.querySelectorAll('#cards .copies')].slice(1).map((e) => e.textContent)"
    assert set(page.look(others)) <= {""}
    assert page.errors() == []


def test_what_takes_long_is_told_by_the_minute(page: Page) -> None:
    """Told as the service tells it, for to hear a film of an hour takes a while."""
    facts = {"state": "running", "reason": None, "doing": "hearing", "file": "/v/boat\n.mp4"}
    facts |= {"done_seconds": 740.0, "total_seconds": 3610.0, "remaining_seconds": 900.0}
    page.look(
        "import('/static/progress.js').then(({Progress}) => "
        "new Progress({status() {}, changed() {}, failed() {}})"
        f".show({json.dumps(facts)}))"
    )
    assert page.text("#indexing-state") == "Hearing"
    assert page.text("#indexing-file") == "boat↵.mp4, 12 of 60 min"
    assert page.text("#indexing-left") == "about 15 minutes left"
    assert page.errors() == []
