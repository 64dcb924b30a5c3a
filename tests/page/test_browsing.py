"""The library on the page: filtered, part by part, and by the months in which it was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from browser import Browser, Page
from serving import SETTLED, Service
from test_access import CONTRASTS, named
from years import COUNT

CARDS = "document.querySelectorAll('#cards .card').length"
MONTHS = "[...document.querySelectorAll('#months-bars [role=option]')]"
FOCUSED = "document.activeElement.ariaLabel"


@pytest.fixture
def wide(browser: Browser, dated_service: Service) -> Iterator[Page]:
    """The page of a library of many years, signed in."""
    with browser.page() as opened:
        opened.open(dated_service.door)
        opened.until(f"{CARDS} > 0 && {MONTHS}.length > 0")
        yield opened


def busiest(service: Service) -> dict[str, Any]:
    """The month of the most videos."""
    months: list[dict[str, Any]] = service.ask("v1/months")["months"]
    return max(months, key=lambda each: int(each["videos"]))


def fill(page: Page, box: str, text: str) -> None:
    """Type into a filter, and leave it."""
    page.click(box)
    page.type(text)
    page.press("Enter")


def test_filters_narrow_the_library(wide: Page, dated_service: Service) -> None:
    whole = dated_service.ask("v1/status")["videos"]
    wide.until(f"document.querySelector('#count').textContent.startsWith('{whole} videos, ')")
    wide.press("Escape", "f")
    fill(wide, "#camera", "iphone")
    wide.until("document.querySelector('#count').textContent.includes(' of ')")
    left = dated_service.ask("v1/videos", camera="iphone", limit="1000")
    assert wide.text("#count").startswith(f"{len(left)} of {whole} videos.")
    assert "are left out: their date" in wide.text("#count")
    fill(wide, "#since", "2020")
    fill(wide, "#until", "2021")
    fill(wide, "#place", "38.7,-9.1,30")
    wide.look("document.querySelector('#sort').value = 'time'")
    wide.look("document.querySelector('#sort').dispatchEvent(new Event('change', {bubbles: true}))")
    asked = {"camera": "iphone", "since": "2020", "until": "2021", "around": "38.7,-9.1,30"}
    wanted = [each["name"] for each in dated_service.ask("v1/videos", sort="time", **asked)]
    names = "[...document.querySelectorAll('#cards .file')].map((e) => e.textContent)"
    wide.until(f"JSON.stringify({names}) === JSON.stringify({wanted[:24]})")
    assert wide.text("#filter-count") == "3", "both ends of a time are one"
    assert wide.text("#count").startswith(f"{len(wanted)} of {whole} videos.")
    fill(wide, "#min-minutes", "500")
    wide.until(f"{CARDS} === 0")
    assert wide.text("#nothing-words") == "No video is left by these filters."
    wide.until("document.querySelector('#months').hidden")
    wide.click("#filters-clear")
    wide.until(f"{CARDS} === 24")
    assert wide.look("location.hash") == "" and wide.errors() == []


def test_a_filter_that_the_library_refuses_is_said(wide: Page) -> None:
    wide.press("Escape", "f")
    fill(wide, "#since", "1/2/2024")
    wide.until("!document.querySelector('#trouble').hidden")
    assert "1/2/2024" in wide.text("#trouble-words")
    assert wide.text("#title") == "Your footage"


@pytest.mark.parametrize("width", [390, 1400])
def test_a_link_with_filters_shows_what_they_leave(
    wide: Page, dated_service: Service, width: int
) -> None:
    wide.resize(width, 844, mobile=width < 500)
    wide.open(f"{dated_service.address}#since=2018")
    wide.until("document.querySelectorAll('#chips .chip').length === 1")
    wide.until(f"{CARDS} > 0")
    assert wide.look("document.querySelector('#filters').hidden") == (width < 500)
    assert wide.look("document.querySelector('.card').getBoundingClientRect().top") < 844


def test_the_library_goes_on_as_far_as_there_is(wide: Page, dated_service: Service) -> None:
    whole = dated_service.ask("v1/status")["videos"]
    assert whole > COUNT
    for shown in (24, 120, 216, 312):
        wide.until(f"{CARDS} === {min(shown, whole)}")
        if shown < whole:
            wide.click("#more")
    keys = wide.look("[...document.querySelectorAll('#cards .card')].map((e) => e.dataset.key)")
    assert len(set(keys)) == whole
    wide.until("document.querySelector('#more').hidden")
    index = "[...document.querySelectorAll('#cards .open')].indexOf(document.activeElement)"
    assert wide.until(index) == 216, "the keyboard is where the last part begins"


def test_a_month_is_a_click_away_and_undone_by_another(
    wide: Page, dated_service: Service, keep: Callable[[Page, str], None]
) -> None:
    told = dated_service.ask("v1/months")
    assert wide.look(f"{MONTHS}.length") == len(told["months"])
    assert wide.text("#months-words").endswith("1 video of no known date")
    month = busiest(dated_service)
    when, many = month["month"], month["videos"]
    name = wide.look(f"document.querySelector('[data-month=\"{when}\"]').ariaLabel")
    assert name.startswith(f"{date.fromisoformat(f'{when}-01'):%B %Y}, {many} videos, ")
    wide.click(f'[data-month="{when}"]')
    wide.until(f"{CARDS} === {many}")
    assert wide.look("location.hash") == f"#since={when}&until={when}"
    assert wide.text("#filter-count") == "1"
    chosen = "document.querySelector('#months-bars [aria-selected=true]')?.dataset.month"
    assert wide.look(chosen) == when
    keep(wide, "month")
    # An answer is kept to it as well.
    wide.click("#query")
    wide.type("cars")
    wide.press("Enter")
    wide.until(SETTLED)
    assert f"since={when}" in wide.look("location.hash") and wide.look(chosen) == when
    wide.click("#months-all")
    wide.until("!location.hash.includes('since')")
    assert wide.look(chosen) is None
    assert wide.look("document.activeElement.getAttribute('role')") == "option"
    wide.look("history.back()")
    wide.until(f"{chosen} === '{when}'")
    assert wide.errors() == []


def test_months_by_the_keyboard(wide: Page) -> None:
    wide.look(f"{MONTHS}.at(-1).focus()")
    last = wide.look(FOCUSED)
    assert wide.look(f"{MONTHS}.filter((e) => e.tabIndex === 0).length") == 1
    wide.press("ArrowLeft")
    assert wide.look(FOCUSED) != last
    assert wide.text("#months-words") == wide.look(FOCUSED)
    wide.press("ArrowRight", "Enter")
    wide.until("document.querySelector('#filter-count').textContent === '1'")
    assert wide.look(FOCUSED) == last and wide.look("location.hash").startswith("#since=20")
    wide.press("Enter")
    wide.until("location.hash === ''")
    options = named(wide)["option"]
    assert last in options and all(" 20" in each for each in options if "video" in each)


def test_gaps_are_kept_and_those_of_decades_are_not(wide: Page) -> None:
    def laid(*months: str) -> Any:
        told = [{"month": month} for month in months]
        return wide.look(f"import('/static/months.js').then((m) => m.laidOut({told}))")

    near = laid("2019-11", "2020-01", "2021-02")
    assert near["at"] == [1, 3, 16]
    assert near["years"] == [
        {"column": 3, "year": 2020, "isWhole": True},
        {"column": 15, "year": 2021, "isWhole": True},
    ]
    assert laid("1970-01", "2021-02", "2021-03")["at"] == [1, 4, 5]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_months_and_filters_fit_and_can_be_read(
    browser: Browser,
    dated_service: Service,
    width: int,
    theme: str,
    keep: Callable[[Page, str], None],
) -> None:
    with browser.page() as page:
        page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
        page.resize(width, 844, mobile=width < 500)
        page.open(dated_service.door)
        page.until(f"{CARDS} > 0 && {MONTHS}.length > 0")
        when = busiest(dated_service)["month"]
        for scene, address in (
            ("months", ""),
            ("month-narrowed", f"#since={when}&until={when}"),
            ("library-narrowed", "#camera=iphone&since=2018&sort=time"),
        ):
            page.look(f"location.hash = '{address}'")
            is_hidden = "true" if "camera" not in address else "false"
            page.look(f"document.querySelector('#filters').hidden = {is_hidden}")
            page.until("document.querySelector('#results').getAttribute('aria-busy') === 'false'")
            keep(page, f"{scene}-{width}-{theme}")
            assert page.look("document.documentElement.scrollWidth") <= width, scene
            weak = [(ratio, text) for ratio, text in page.look(CONTRASTS) if ratio < 4.5]
            assert weak == [], scene
