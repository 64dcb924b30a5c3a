"""A real browser at a real service over a small library of real footage."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import pytest
from browser import Browser, Page, browser_program
from serving import HOSTILE, HOSTILE_LINE, SEEN, SETTLED, Service
from subtitled import Spoken, srt
from videos import Painter, Picture, make_video
from years import make_years

import tempo_edge
from tempo_edge import cli
from tempo_edge.sample_clips import sample_clips
from tempo_edge.store.opening import open_store
from tempo_edge.words.line import Line

SIZE = (320, 240)

# What is said in harbour.mp4: the dog's line is found, the long one far into it, and one is read
# from right to left.
SAID: list[Spoken] = [
    (0.2, 1.2, "Look at that rabbit in the boat!"),
    (3.6, 5.0, "I'm so sorry about the Dog, really."),
    (
        5.2,
        6.0,
        "\u05e9\u05dc\u05d5\u05dd, \u05d4\u05db\u05dc\u05d1 \u05e8\u05e5 \u05de\u05d4\u05e8.",
    ),
    (
        6.2,
        7.4,
        "Well, as I said before, when the ferry came at last we all ran after it, and nobody had "
        "thought of the tide until then: by that time the lighthouse was closed and the boat gone.",
    ),
]


def _lacking() -> str:
    """What is missing to try the page here; empty when nothing is."""
    if browser_program() is None:
        return "there is no Chromium here"
    if not any(getattr(c.callback, "__name__", "") == "serve" for c in cli.app.registered_commands):
        return "there is no `tempo-edge serve`"
    lacking = [n for n in ("starlette", "uvicorn") if importlib.util.find_spec(n) is None]
    return f"{', '.join(lacking)} not installed" if lacking else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    lacking = _lacking() if here else ""
    for item in here:
        if lacking:
            item.add_marker(pytest.mark.skip(reason=lacking))


@functools.cache
def _pictures(path: Path) -> list[Picture]:
    """The first three seconds of a clip."""
    with av.open(str(path)) as container:
        frames = islice(container.decode(video=0), 75)
        return [f.reformat(*SIZE, "rgb24").to_ndarray() for f in frames]


def _clip(path: Path, first: int) -> Painter:
    """The pictures of a clip, from index ``first`` of the video that they are put into."""
    return lambda width, height, index: _pictures(path)[
        min(index - first, len(_pictures(path)) - 1)
    ]


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three videos.

    Three clips of 3 s in a row, the street with bicycles under a hostile name, and a man in a suit
    in a codec that browsers have no decoder for. A fourth file is none.
    """
    folder = tmp_path_factory.mktemp("shown")
    bikes, bunny, suit = sample_clips()
    rate = Fraction(25)
    (folder / "trips").mkdir()
    shots = [(_clip(path, at * 75), 3) for at, path in enumerate((bunny, bikes, suit))]
    make_video(folder / "trips" / "summer.mp4", shots=shots, size=SIZE, rate=rate, audio=True)
    make_video(folder / HOSTILE, shots=[(_clip(bikes, 0), 3)], size=SIZE, rate=rate)
    old = [(_clip(suit, 0), 2)]
    make_video(folder / "old.avi", shots=old, size=SIZE, rate=rate, codec="mpeg4")
    (folder / "torn.mp4").write_bytes(b"no video")
    _pictures.cache_clear()
    with tempo_edge.Library.open(folder / "kept" / "library.db") as library:
        library.index(folder)
    return folder / "kept" / "library.db"


@pytest.fixture(scope="session")
def service(shown: Path) -> Iterator[Service]:
    """A service that the tests leave as it is."""
    running = Service(shown)
    yield running
    running.close()


@pytest.fixture
def own_service(shown: Path, tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own, to be ended and paused."""
    shutil.copytree(shown.parent, tmp_path / "kept")
    running = Service(tmp_path / "kept" / "library.db")
    yield running
    running.close()


@pytest.fixture(scope="session")
def spoken_service(shown: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service over one video, with subtitles and, as if read off its pictures, a hostile line."""
    folder = tmp_path_factory.mktemp("spoken")
    film = folder / "harbour.mp4"
    shutil.copyfile(shown.parent.parent / "trips" / "summer.mp4", film)
    film.with_suffix(".srt").write_text(srt(SAID), encoding="utf-8")
    kept = folder / "kept" / "library.db"
    with tempo_edge.Library.open(kept) as library:
        library.index(folder)
        ((video, _),) = library.catalogue.videos()
    store = open_store(kept)
    with store.lock():
        writer = store.writer()
        with writer.transaction():
            writer.put_lines(video, ["screen"], [Line(2.3, 3.3, "screen", HOSTILE_LINE)])
        writer.close()
    running = Service(kept)
    yield running
    running.close()


@pytest.fixture
def spoken(browser: Browser, spoken_service: Service) -> Iterator[Page]:
    """The page of that service, signed in."""
    with browser.page() as opened:
        opened.open(spoken_service.door)
        opened.until("document.querySelectorAll('.card').length > 0")
        yield opened


@pytest.fixture(scope="session")
def dated(shown: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three hundred videos of nineteen years, and one whose date nobody knows."""
    return make_years(shown, tmp_path_factory.mktemp("dated"))


@pytest.fixture(scope="session")
def dated_service(dated: Path) -> Iterator[Service]:
    """A service over it, that the tests leave as it is."""
    running = Service(dated)
    yield running
    running.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = browser_program()
    assert program is not None
    running = Browser(program, tmp_path_factory.mktemp("browser") / "profile")
    yield running
    running.close()


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """The page, signed in, with the library on it."""
    with browser.page() as opened:
        opened.open(service.door)
        opened.until("document.querySelectorAll('.card').length > 0")
        yield opened


@pytest.fixture
def search(page: Page) -> Callable[[str], None]:
    """Type a query into the page, press Enter, and wait for the answer."""

    def run(query: str) -> None:
        page.look("document.querySelector('#query').value = ''")
        page.click("#query")
        page.type(query)
        page.press("Enter")
        page.until(SETTLED)

    return run


@pytest.fixture(scope="session")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Page, str], None]:
    """Save a screenshot where ``$TEMPO_EDGE_SCREENSHOTS`` says, if it says."""
    folder = os.environ.get("TEMPO_EDGE_SCREENSHOTS")

    def save(page: Page, name: str) -> None:
        if folder:
            page.until(SEEN)
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(Path(folder) / f"{name}.png")

    return save
