"""Saved searches on the page: saved with their filters, asked again, what is new, and removed."""

from __future__ import annotations

import json
from collections.abc import Callable

from browser import Browser, Page
from serving import SETTLED, Service
from test_access import CONTRASTS

import tempo_edge
from tempo_edge.query import Query
from tempo_edge.saved.deeds import Deeds
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch
from tempo_edge.store.opening import open_store
from tempo_edge.store.saved import Claim

LISTED = "[...document.querySelectorAll('#saved-list li')].map((e) => e.innerText)"
CLOSED = "!document.querySelector('#saved').open"


def typed_and_told(service: Service) -> None:
    """Save a search that the page has no fields for, and let it have told a moment."""
    asked = SavedQuery(Query("cars on a city street NOT a dog", also=("a man",)), {})
    with tempo_edge.Library.open(service.library) as library:
        library.save(SavedSearch("typed", asked, Deeds(command=("/bin/true", "{path}"))))
    with open_store(service.library).writer() as writer, writer.transaction():
        (row,) = (row for row in writer.saved() if row.name == "typed")
        assert writer.put_claim(Claim("a", row.number, b"x", 0.0, 1.0, "{}", (), True))


def test_a_search_is_saved_asked_again_and_removed(
    browser: Browser, own_service: Service, keep: Callable[[Page, str], None]
) -> None:
    with browser.page() as page:
        page.open(own_service.door)
        page.until("document.querySelectorAll('.card').length > 0")
        assert not page.look("document.querySelector('#save-open').checkVisibility()")
        page.click("#saved-open")
        page.until("document.querySelector('#saved-words').textContent.startsWith('None yet')")
        assert not page.look("document.querySelector('#save').checkVisibility()")
        page.press("Escape")

        page.look("location.hash = '#q=cars+on+a+city+street&by=seen&max_minutes=2'")
        page.until(SETTLED)
        page.click("#save-open")
        page.until("document.activeElement.id === 'save-name'")
        assert page.look("document.activeElement.value") == "cars on a city street"
        page.type("street")
        page.press("Enter")
        page.until("document.querySelector('#save-words').textContent === 'Saved as street.'")
        page.until(f"{LISTED}.length === 1")
        page.press("Enter")
        page.until("document.querySelector('#save-words').textContent.includes('already')")
        keep(page, "saving")
        (kept,) = own_service.ask("v1/saved")
        assert kept["find"] == {
            **{"q": "cars on a city street", "limit": "10"},
            **{"seen": "1", "max_seconds": "120.0"},
        }
        page.press("Escape")

        typed_and_told(own_service)
        page.open(own_service.address)
        page.until("document.querySelector('#saved-new').textContent === '1'")
        page.click("#saved-open")
        page.until(f"{LISTED}.length === 2")
        street, typed = page.look(LISTED)
        assert street.split("\n") == [
            "street",
            "cars on a city street, what is seen, max seconds 120",
            "nothing told yet",
            "Remove",
        ]
        assert "1 new · 1 told · runs a command" in typed
        pictures(page, keep)

        # What the page has fields for fills these; all else is asked by its name.
        page.click("#saved-list li:first-child .saved-ask")
        page.until(SETTLED)
        assert page.look("location.hash") == "#q=cars+on+a+city+street&by=seen&max_minutes=2"
        page.until(CLOSED)
        page.click("#saved-open")
        page.until(f"{LISTED}.length === 2")
        page.click("#saved-list li:last-child .saved-ask")
        page.until("location.hash === '#saved=typed'")
        page.until(SETTLED)
        terms = "[...document.querySelectorAll('#chips .chip')].map((e) => e.textContent)"
        assert page.look(terms) == ["cars on a city street", "NOT a dog", "AND a man"]
        assert page.look("document.querySelectorAll('#chips button').length") == 0
        assert page.look("document.querySelector('#saved-new').hidden"), "it was looked at"
        a_filter_keeps_what_it_asks(page, terms)

        page.click("#saved-open")
        page.until(f"{LISTED}.length === 2")
        page.click("#saved-list li:last-child .quiet")
        page.until("document.activeElement.textContent === 'Keep'")
        page.press("Enter")
        page.until("document.activeElement.ariaLabel === 'Remove typed'")
        assert len(own_service.ask("v1/saved")) == 2
        page.press("Enter")
        page.until("document.activeElement.textContent === 'Keep'")
        page.click("#saved-list li:last-child .solid")
        page.until(f"{LISTED}.length === 1")
        assert [each["name"] for each in own_service.ask("v1/saved")] == ["street"]
        assert not [text for text in page.errors() if "400" not in text]


def a_filter_keeps_what_it_asks(page: Page, terms: str) -> None:
    """A filter on a saved search asks what that asks, as if it had been typed; Back undoes it."""
    page.look(
        "(() => { const sort = document.querySelector('#sort'); sort.value = 'name';"
        "sort.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )
    typed = "cars on a city street NOT a dog AND a man"
    page.until(f"document.querySelector('#query').value === '{typed}'")
    page.until(f"{terms}.length === 4")
    page.until(SETTLED)
    *texts, order = page.look(terms)
    assert texts == ["cars on a city street", "NOT a dog", "AND a man"]
    assert order == "in order of name"
    assert "saved=" not in page.look("location.hash")
    page.look("history.back()")
    page.until("location.hash === '#saved=typed'")
    page.until(f"{terms}.length === 3")
    page.until(SETTLED)


def pictures(page: Page, keep: Callable[[Page, str], None]) -> None:
    """The list as it looks at both widths, in both colours; nothing is cut off or too weak."""
    remove = "document.querySelector('#saved-list li:last-child .quiet').click()"
    for scene in ("saved", "saved-removing"):
        for width in (390, 1400):
            for theme in ("light", "dark"):
                page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
                page.resize(width, 844, mobile=width < 500)
                keep(page, f"{scene}-{width}-{theme}")
                weak = [(ratio, text) for ratio, text in page.look(CONTRASTS) if ratio < 4.5]
                assert weak == [], json.dumps(weak)
                wide = "document.querySelector('#saved').scrollWidth"
                assert page.look(f"{wide} <= document.querySelector('#saved').clientWidth")
        page.look(remove)  # which asks, and then is "Keep"
