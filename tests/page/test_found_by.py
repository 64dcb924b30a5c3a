"""Moments that words are found in: the line with its words marked, its colour, its first second."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from browser import Browser, Page
from serving import HOSTILE_LINE, SETTLED, Service
from test_access import CONTRASTS

# The first time at which the video stands after it was told where to go.
FIRST = (
    "document.querySelector('#video').addEventListener("
    "'seeked', (e) => { window.first ??= e.target.currentTime; }, true)"
)


def search(page: Page, query: str) -> None:
    """Type a query into the page, press Enter, and wait for the answer."""
    page.look("document.querySelector('#query').value = ''")
    page.click("#query")
    page.type(query)
    page.press("Enter")
    page.until(SETTLED)


def marks(page: Page, selector: str) -> list[str]:
    """What is marked in an element."""
    found: list[str] = page.look(
        f"[...document.querySelectorAll('{selector} mark')].map((e) => e.textContent)"
    )
    return found


def parts(page: Page, line: str, query: str) -> list[str]:
    """What of a line the page would mark for a query."""
    found: list[str] = page.look(
        "import('/static/lines.js').then((lines) => "
        f"lines.marked({json.dumps(line)}, {json.dumps(query)})"
        ".filter((part) => part.marked).map((part) => part.text))"
    )
    return found


def test_a_card_shows_the_line_and_what_it_was_found_by(
    spoken: Page, keep: Callable[[Page, str], None]
) -> None:
    search(spoken, "sorry about the dog")
    assert spoken.text("#cards .said") == "I'm so sorry about the Dog, really."
    assert marks(spoken, "#cards .said") == ["sorry about the Dog"]
    assert spoken.look("document.querySelector('#cards .by').textContent").startswith(
        "Found by Subtitle"
    )
    assert spoken.text("#cards .when") == "00:03.6–00:05.0"
    sure = spoken.look("document.querySelector('#cards .sure').title")
    assert sure.endswith("likely to be what you asked for; 1 second long")
    keep(spoken, "line-card")
    # The same card for another query has other marks.
    search(spoken, "really")
    assert marks(spoken, "#cards .said") == ["really"]
    assert spoken.errors() == []


def test_pictures_alone_have_neither_line_nor_label(spoken: Page) -> None:
    spoken.look("location.hash = '#q=cars+on+a+city+street&by=seen'")
    spoken.until(SETTLED)
    spoken.until("document.querySelectorAll('#cards .metered').length > 0")
    for part in ("said", "by"):
        texts = f"[...document.querySelectorAll('#cards .{part}')].map((e) => e.textContent)"
        assert set(spoken.look(texts)) == {""}
        assert not spoken.look(f"document.querySelector('#cards .{part}').checkVisibility()")
    spoken.click("#cards .open")
    spoken.until("document.querySelector('#player').open")
    assert not spoken.look("document.querySelector('#player-line').checkVisibility()")
    assert spoken.text("#legend-moment") == "moment"


def test_it_plays_from_half_a_second_before_the_line(
    spoken: Page, keep: Callable[[Page, str], None]
) -> None:
    search(spoken, "sorry about the dog")
    spoken.look(FIRST)
    spoken.press("ArrowDown", "Enter")
    first = spoken.until("window.first")
    assert first == pytest.approx(3.1, abs=0.001)
    assert spoken.text("#player-said") == "I'm so sorry about the Dog, really."
    assert marks(spoken, "#player-said") == ["sorry about the Dog"]
    assert spoken.text("#player-by").startswith("Subtitle")
    spoken.press(" ", "r")
    spoken.until("Math.abs(document.querySelector('#video').currentTime - 3.1) < 0.4")
    spoken.press(" ")
    spoken.until("document.querySelector('#video').paused")
    keep(spoken, "line-playing")
    # The time line's mark is that of the line itself.
    line = spoken.look("document.querySelector('#timeline').getBoundingClientRect().toJSON()")
    mark = spoken.look("document.querySelector('.moment').getBoundingClientRect().toJSON()")
    duration = spoken.look("document.querySelector('#video').duration")
    assert (mark["x"] - line["x"]) / line["width"] * duration == pytest.approx(3.6, abs=0.05)


def test_a_line_at_the_beginning_is_played_from_there(spoken: Page) -> None:
    search(spoken, "look at that rabbit")
    spoken.look(FIRST)
    spoken.press("ArrowDown", "Enter")
    spoken.until("document.querySelector('#video').currentTime > 0.1")
    assert spoken.look("window.first") == 0


def colour(page: Page) -> str:
    """That of the moment on the time line."""
    found: str = page.look("getComputedStyle(document.querySelector('.moment')).borderBottomColor")
    return found


def test_words_have_a_colour_of_their_own_on_the_time_line(spoken: Page) -> None:
    colours = {}
    for by, query in (("said", "sorry dog"), ("seen", "cars on a city street")):
        spoken.look(f"location.hash = '#q={query.replace(' ', '+')}&by={by}'")
        spoken.until(f"document.querySelector('#title').textContent === '{query}'")
        spoken.until(SETTLED)
        spoken.click("#cards .open")
        spoken.until("document.querySelector('#player').open")
        colours[by] = colour(spoken)
        spoken.press("Escape")
        spoken.until("!location.hash.includes('play=')")
    assert len(set(colours.values())) == 2


def test_a_line_is_text_whatever_it_holds(spoken: Page, spoken_service: Service) -> None:
    found = spoken_service.ask("v1/find", q="gangway", shown="1")["moments"]
    assert [each["text"] for each in found] == [HOSTILE_LINE]
    search(spoken, "gangway img")
    shown = HOSTILE_LINE.replace("\x1b", "�").replace("\x07", "�")
    spoken.click("#cards .open")
    spoken.until("document.querySelector('#player').open")
    for place in ("#cards .said", "#player-said"):
        assert spoken.look(f"document.querySelector('{place}').textContent") == shown
        assert marks(spoken, place) == ["img", "gangway"]
        inside = f"[...document.querySelectorAll('{place} *')].map((e) => e.tagName)"
        assert set(spoken.look(inside)) == {"MARK"}
        # What turns the direction round ends with the line.
        isolated = f"getComputedStyle(document.querySelector('{place}')).unicodeBidi"
        assert spoken.look(isolated) == "isolate"
    assert spoken.look("document.querySelector('img[src=y]')") is None
    assert spoken.errors() == []


def test_what_is_exported_has_its_line(spoken: Page, spoken_service: Service) -> None:
    (found,) = spoken_service.ask("v1/find", q="sorry", said="1")["moments"]
    spans = {"00:03.6–00:05.0": "3.600000-5.000000", "other": "3.000000-5.000000"}
    texts = {}
    for name, span in spans.items():
        named = f"{found['video']}:{span}"
        told = spoken_service.ask("v1/export", format="json", moment=named)["moments"][0]
        texts[name] = (told["found_by"], told["text"])
    assert texts["00:03.6–00:05.0"] == (["subtitle"], "I'm so sorry about the Dog, really.")
    assert texts["other"] == (["picture"], "")


def test_a_line_of_another_direction_is_read_in_its_own(spoken: Page) -> None:
    search(spoken, "\u05e9\u05dc\u05d5\u05dd \u05d4\u05db\u05dc\u05d1")
    assert marks(spoken, "#cards .said") == ["\u05e9\u05dc\u05d5\u05dd, \u05d4\u05db\u05dc\u05d1"]
    direction = "getComputedStyle(document.querySelector('#cards .said')).direction"
    assert spoken.look(direction) == "rtl"


def test_a_long_line_is_shown_from_where_it_matters(
    spoken: Page, keep: Callable[[Page, str], None]
) -> None:
    search(spoken, "lighthouse closed")
    said = spoken.text("#cards .said")
    assert said.startswith("… ") and marks(spoken, "#cards .said") == ["lighthouse", "closed"]
    box = spoken.look("document.querySelector('#cards .said').getBoundingClientRect().toJSON()")
    mark = spoken.look("document.querySelector('#cards mark').getBoundingClientRect().toJSON()")
    assert mark["bottom"] <= box["bottom"] + 1, "the word that was looked for is not seen"
    spoken.press("ArrowDown", "Enter")
    spoken.until("document.querySelector('#player').open")
    assert spoken.text("#player-said").startswith("Well, as I said before, when the ferry")
    keep(spoken, "line-long")


@pytest.mark.parametrize(
    ("line", "query", "found"),
    [
        ("The dog saw a dog.", "a dog", ["dog", "a dog"]),
        ("Le résumé, déjà", "resume DEJA", ["résumé, déjà"]),
        ("In the dogs' garden", "dog", []),
        ("Good morning, good people", '"good morning"', ["Good morning"]),
        ("You can't say that", "don't say", ["say"]),
        ("\u4eca\u65e5\u306f\u3044\u3044\u5929\u6c17", "\u5929\u6c17", ["\u5929\u6c17"]),
        ("the", "the", ["the"]),
        ("(.*) [a-z]+ \\", "(.*) [a-z]+ \\", ["a-z"]),
        ("", "dog", []),
        ("a dog", "", []),
    ],
)
def test_the_words_of_the_query_are_marked(
    spoken: Page, line: str, query: str, found: list[str]
) -> None:
    assert parts(spoken, line, query) == found


def test_a_choice_of_what_moments_are_found_by(spoken: Page, spoken_service: Service) -> None:
    search(spoken, "gangway")
    assert spoken.look("document.querySelectorAll('#cards .card').length") == 1
    spoken.click("#filter-toggle")
    spoken.look("document.querySelector('#by').focus()")
    spoken.press("ArrowDown", "ArrowDown")
    spoken.until("location.hash.includes('by=shown')")
    spoken.until(SETTLED)
    assert spoken.text("#filter-count") == "1"
    assert spoken.look("document.querySelectorAll('#cards .card').length") == 1
    spoken.look("location.hash = '#q=gangway&by=said'")
    spoken.until("document.querySelector('#title').textContent === 'Nothing matches'")
    assert spoken.look("document.querySelector('#by').value") == "said"
    spoken.click("#filters [type=reset]")
    spoken.until("document.querySelectorAll('#cards .card').length === 1")
    assert "by=" not in spoken.look("location.hash")
    # A choice that there is none of is none.
    spoken.look("location.hash = '#q=gangway&by=q'")
    spoken.until(SETTLED)
    assert spoken.look("document.querySelector('#by').value") == ""


def test_a_reader_of_the_screen_hears_the_line(spoken: Page) -> None:
    search(spoken, "sorry about the dog")
    nodes = spoken.call("Accessibility.getFullAXTree")["nodes"]
    names: list[Any] = [each.get("name", {}).get("value", "") for each in nodes]
    (card,) = [name for name in names if name.startswith("00:03.6–00:05.0 Confidence")]
    assert "I'm so sorry about the Dog, really." in card
    assert "Found by Subtitle" in card
    spoken.press("ArrowDown", "Enter")
    spoken.until("document.querySelector('#player').open")
    nodes = spoken.call("Accessibility.getFullAXTree")["nodes"]
    dialog = next(each for each in nodes if each.get("role", {}).get("value") == "dialog")
    assert "I'm so sorry about the Dog, really." in dialog["description"]["value"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_lines_are_read_on_small_and_large_screens(
    browser: Browser,
    spoken_service: Service,
    width: int,
    theme: str,
    keep: Callable[[Page, str], None],
) -> None:
    with browser.page() as page:
        page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
        page.resize(width, 844, mobile=width < 500)
        page.open(spoken_service.door)
        page.look("location.hash = '#q=boat'")
        page.until("document.querySelectorAll('.said mark').length > 2")
        page.until(SETTLED)
        for scene in ("lines", "line-player"):
            if scene == "line-player":
                page.click(".card:has(.said) .open")
                page.until("document.querySelector('#video').readyState > 1")
            keep(page, f"{scene}-{width}-{theme}")
            weak = [each for each in page.look(CONTRASTS) if each[0] < 4.5]
            assert weak == []
            assert page.look("document.documentElement.scrollWidth") <= width
