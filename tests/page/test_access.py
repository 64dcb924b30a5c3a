"""For everybody: names, contrast, order, landmarks, small screens, dark and light, and quickly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from browser import Browser, Page
from serving import SETTLED, Service

QUERY = "cars on a city street"
CONTROLS = {"button", "link", "checkbox", "searchbox", "textbox", "combobox", "slider"}
CONTROLS |= {"ComboBoxSelect", "spinbutton", "Date", "DateTime", "progressbar"}

# Text and what lies behind it, both as the browser paints them, in [0, 255].
CONTRASTS = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      layers.push(rgba(getComputedStyle(e).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const light = (c) => {
    const line = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = c.map((v) => line(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim()) continue;
    if (!e.checkVisibility({opacityProperty: true})) continue;
    if (e.closest('.unseen, :disabled, [aria-hidden=true], script, option, datalist')) continue;
    if (document.querySelector('dialog[open]') && !e.closest('dialog[open]')) continue;
    const under = ground(e); const ink = over(rgba(getComputedStyle(e).color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), e.className + ' ' + e.textContent.slice(0, 30)]);
  }
  return found;
})()
"""


def scenes(page: Page) -> Iterator[str]:
    """The page as it is met, one state after the other; the names of the states."""
    page.until("document.querySelectorAll('.card').length > 0")
    page.until("document.querySelector('#facts').textContent")
    yield "library"
    page.click("#filter-toggle")
    yield "filters"
    page.click("#filter-toggle")
    for query, name in ((QUERY, "results"), ("a plate of sushi on a table", "nothing")):
        page.look("document.querySelector('#query').value = ''")
        page.click("#query")
        page.type(query)
        page.press("Enter")
        page.until(SETTLED)
        if name == "results":
            page.press("ArrowDown", "x")
        yield name
    page.click("#near-cards .open")
    page.until("document.querySelector('#video').readyState > 1")
    yield "player"
    page.press("Escape")
    page.until("!document.querySelector('#player').open")
    # The browser steps back by itself, and then scrolls to where the page was.
    page.until("!location.hash.includes('play=')")
    page.press("?")
    yield "keys"
    page.press("Escape")
    page.click("#skipped-open")
    page.until("document.querySelectorAll('#skipped-list li').length > 0")
    yield "skipped"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(
    browser: Browser, service: Service, theme: str, keep: Callable[[Page, str], None]
) -> None:
    with browser.page() as page:
        page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
        page.open(service.door)
        for scene in scenes(page):
            keep(page, f"{scene}-1280-{theme}")
            texts = page.look(CONTRASTS)
            assert texts
            weak = [(round(ratio, 2), text) for ratio, text in texts if ratio < 4.5]
            assert weak == [], scene


def named(page: Page) -> dict[str, list[str]]:
    """The names of what the accessibility tree holds, by role."""
    found: dict[str, list[str]] = {}
    for node in page.call("Accessibility.getFullAXTree")["nodes"]:
        if not node["ignored"]:
            role = str(node["role"]["value"])
            found.setdefault(role, []).append(str(node.get("name", {}).get("value", "")).strip())
    return found


def test_every_control_has_a_name_and_every_region_a_landmark(
    browser: Browser, service: Service
) -> None:
    with browser.page() as page:
        page.open(service.door)
        for scene in scenes(page):
            names = named(page)
            nameless = {role for role in CONTROLS & set(names) if not all(names[role])}
            assert nameless == set(), scene
            if scene in ("library", "results", "nothing"):
                assert {"banner", "main", "contentinfo", "search"} <= set(names), scene
                assert len(names["main"]) == 1
                assert "heading" in names
        assert page.look("document.documentElement.lang") == "en"
        assert page.look("document.title").endswith("tempo-edge")
        live = "document.querySelector('#count').closest('[role=status]').ariaLive"
        assert page.look(live) == "polite"
        assert page.errors() == []


def test_tab_follows_what_is_seen(search: Callable[[str], None], page: Page) -> None:
    search(QUERY)
    page.look("document.querySelector('.skip').focus()")
    script = (
        "(() => { const e = document.activeElement; const b = e.getBoundingClientRect();"
        "return [e.id || e.className || e.tagName, b.y + scrollY, b.x]; })()"
    )
    stops: list[list[Any]] = []
    for _ in range(20):
        page.press("Tab")
        stop = page.look(script)
        if stop[0] == "BODY":
            break
        stops.append(stop)
    names = [stop[0] for stop in stops]
    assert names.index("query") < names.index("filter-toggle") < names.index("select-all")
    assert "open" in names
    # Rows are taller than a tick box's offset in them: 60 pixels tell one from the next.
    for (before, y, x), (after, below, right) in pairwise(stops):
        assert below > y - 60, f"{after} is above {before}"
        assert below > y + 30 or right >= x - 60, f"{after} is left of {before}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768])
def test_nothing_is_wider_than_the_screen(
    browser: Browser, service: Service, width: int, theme: str, keep: Callable[[Page, str], None]
) -> None:
    with browser.page() as page:
        page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
        page.resize(width, 740, mobile=width < 500)
        page.open(service.door)
        for scene in scenes(page):
            keep(page, f"{scene}-{width}-{theme}")
            assert page.look("document.documentElement.scrollWidth") <= width, scene
            inside = (
                "[...document.querySelectorAll('dialog[open], dialog[open] > *')].filter((e) =>"
                "e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'hidden'"
                " && e.clientWidth).map((e) => e.id || e.className)"
            )
            assert page.look(inside) == [], scene


def test_colours_follow_the_system_until_somebody_chooses(
    browser: Browser, service: Service
) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with browser.page() as page:
        page.prefer(prefers_color_scheme="light")
        page.open(service.door)
        light = page.look(ground)
        page.prefer(prefers_color_scheme="dark")
        dark = page.look(ground)
        assert light != dark
        label = "document.querySelector('#theme').ariaLabel"
        assert page.look(label) == "Switch to light colours"
        page.click("#theme")
        assert page.look(ground) == light
        page.open(service.address)
        assert page.look(ground) == light, "the choice was forgotten"
        page.click("#theme")
        page.prefer(prefers_color_scheme="light")
        assert page.look(ground) == light


def test_nothing_moves_for_those_who_ask_for_less_motion(page: Page) -> None:
    moving = (
        "[...document.querySelectorAll('*')].filter((e) =>"
        "getComputedStyle(e).transitionDuration.split(',').some((d) => parseFloat(d) > 0))"
        ".map((e) => e.className)"
    )
    assert page.look(moving) != []
    page.prefer(prefers_reduced_motion="reduce")
    assert page.look(moving) == []


def test_it_is_usable_within_a_second_of_a_cold_start(browser: Browser, service: Service) -> None:
    """Nothing in any cache; the best of several, since others use the machine as well."""
    taken: list[float] = []
    while len(taken) < 3 or (len(taken) < 15 and min(taken) >= 1000):
        with browser.page() as page:
            page.open(service.door)
            page.call("Network.clearBrowserCache")
            page.open(f"{service.address}#q={QUERY.replace(' ', '+')}")
            # Scripts of this kind have all run by then: the box answers to what is typed.
            timing = page.look(
                "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
            )
            taken.append(timing)
    assert 0 < min(taken) < 1000, taken


def test_no_part_is_fetched_only_when_another_asks_for_it(page: Page) -> None:
    """Every module is named at the top of the page, so that all come in one go."""
    there = "[...document.querySelectorAll('[rel=modulepreload]')].map((e) => e.href)"
    loaded = (
        "performance.getEntriesByType('resource').map((e) => e.name)"
        ".filter((n) => n.endsWith('.js') && !/(page|theme).js$/.test(n))"
    )
    assert sorted(set(page.look(loaded))) == sorted(page.look(there))


def test_it_asks_nobody_but_its_own_service(page: Page, search: Callable[[str], None]) -> None:
    search(QUERY)
    page.press("ArrowDown", "Enter")
    page.until("document.querySelector('#video').readyState > 1")
    urls = [e["request"]["url"] for e in page.events("Network.requestWillBeSent")]
    origin = page.look("location.origin")
    strangers = [u for u in urls if not u.startswith((f"{origin}/", "data:", f"blob:{origin}/"))]
    assert urls
    assert strangers == [], json.dumps(strangers)
