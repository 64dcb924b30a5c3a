"""Without a mouse: everything is reached, moved through, played and left by keys."""

from __future__ import annotations

from collections.abc import Callable

from browser import Page
from harness import wait_until
from serving import SETTLED

QUERY = "cars on a city street"


def focused(page: Page) -> str:
    """What has the focus: its id, or the file of the card that it belongs to."""
    script = (
        "(() => { const e = document.activeElement;"
        "return e.id || e.closest('.card')?.dataset.key || e.tagName; })()"
    )
    found: str = page.look(script)
    return found


def keys_of(page: Page) -> list[str]:
    script = "[...document.querySelectorAll('#cards .card')].map((e) => e.dataset.key)"
    found: list[str] = page.look(script)
    return found


def test_a_search_is_played_and_left_by_keys_alone(page: Page) -> None:
    page.look("document.activeElement.blur()")
    page.press("/")
    assert focused(page) == "query"
    page.type(QUERY)
    page.press("Enter")
    page.until(SETTLED)
    first, second, *_ = keys_of(page)
    page.press("ArrowDown")
    assert focused(page) == first
    page.press("ArrowRight")
    assert focused(page) == second
    page.press("ArrowLeft", "ArrowRight")
    assert focused(page) == second
    page.press("Enter")
    page.until("document.querySelector('#video').currentTime > 0")
    page.until("!document.querySelector('#video').paused")
    page.press(" ")
    page.until("document.querySelector('#video').paused")
    stands = page.look("document.querySelector('#video').currentTime")
    page.press("ArrowLeft")
    page.until(f"document.querySelector('#video').currentTime < {stands} - 0.9")
    page.press(" ")
    page.until("!document.querySelector('#video').paused")
    page.press("Escape")
    page.until("!document.querySelector('#player').open")
    wait_until(lambda: focused(page) == second)
    # The browser leads back by itself, before the page hears of it and does so, too.
    page.until("!location.hash.includes('play=')")
    page.press("Escape")
    assert focused(page) == "BODY"
    assert page.errors() == []


def test_the_list_of_keys_opens_and_closes(page: Page) -> None:
    page.press("Escape", "?")
    page.until("document.querySelector('#keys').open")
    page.press("Escape")
    page.until("!document.querySelector('#keys').open")


def test_question_marks_and_slashes_can_be_typed(page: Page) -> None:
    page.click("#query")
    page.press("?", "/")
    assert page.look("document.querySelector('#query').value") == "?/"
    assert not page.look("document.querySelector('#keys').open")


def test_the_focus_goes_round_inside_a_dialog(search: Callable[[str], None], page: Page) -> None:
    search(QUERY)
    page.press("ArrowDown", "Enter")
    page.until("document.querySelector('#player').open")
    seen = []
    for _ in range(24):
        page.press("Tab")
        assert page.look("document.querySelector('#player').contains(document.activeElement)")
        seen.append(focused(page))
    for name in ("player-close", "timeline", "play", "loop", "mute", "fullscreen"):
        assert name in seen
    page.press("Shift+Tab")
    assert page.look("document.querySelector('#player').contains(document.activeElement)")


def test_moments_are_selected_and_leafed_through(search: Callable[[str], None], page: Page) -> None:
    search(QUERY)
    page.press("ArrowDown", "x")
    assert page.text("#selection-count") == "1 moment selected"
    page.press("Shift+ArrowRight")
    page.until("document.querySelector('#cards .frame').classList.contains('leafing')")
    assert focused(page) == keys_of(page)[0], "leafing moved to another moment"
    page.press("Escape")
    assert page.look("document.querySelector('#selection').hidden")


def test_the_next_moment_plays_and_closing_leads_to_it(
    search: Callable[[str], None], page: Page
) -> None:
    search(QUERY)
    first, second, *_ = keys_of(page)
    page.press("ArrowDown", "Enter")
    page.until("document.querySelector('#player').open")
    page.press("n")
    start = float(second.partition(":")[2].partition("-")[0])
    page.until(f"Math.abs(document.querySelector('#video').currentTime - {start}) < 1")
    page.press("Escape")
    page.until("!document.querySelector('#player').open")
    wait_until(lambda: focused(page) == second != first)


def test_skipping_to_the_results_keeps_the_search(
    search: Callable[[str], None], page: Page
) -> None:
    search(QUERY)
    page.look("document.querySelector('.skip').focus()")
    page.press("Enter")
    page.until("document.activeElement.id === 'results'")
    page.look("new Promise((painted) => requestAnimationFrame(painted))")
    assert page.look("document.querySelector('#query').value") == QUERY
    assert "q=cars" in page.look("location.hash")
    assert keys_of(page)
    page.press("Tab")
    assert focused(page) == "save-open"
