"""The picture shown at an instant, where a video has none at that instant."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from inside import get
from numpy.typing import NDArray
from PIL import Image
from videos import make_gap, make_video

import tempo_edge
from tempo_edge.service.handle import Models
from tempo_edge.service.http import frames
from tempo_edge.service.http.app import App
from tempo_edge.service.http.events import Events
from tempo_edge.service.http.frames import PictureCache, jpeg_at
from tempo_edge.service.http.search_queue import SearchQueue
from tempo_edge.service.jobs.index_supervisor import Indexing

RED, BLUE = (200, 30, 30), (30, 30, 200)


@contextmanager
def app_of(library: Path) -> Iterator[App]:
    """The service's app over a library, without its sockets."""
    with ExitStack() as stack:
        searches, models = SearchQueue(library, Models()), Models()
        stack.callback(searches.close)
        indexing = Indexing(library, [], None, lambda name, facts: None)
        app = App(library, searches, models, indexing, Events(), None)
        stack.callback(app.close)
        yield app


def mean(jpeg: bytes) -> NDArray[np.float64]:
    """The mean colour of a picture, ``[3]``."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    return np.asarray(image, dtype=float).mean(axis=(0, 1))


@pytest.mark.parametrize(
    ("suffix", "codec", "audio"),
    [
        (".ts", "libx264", True),
        (".mpg", "mpeg2video", False),
        (".wmv", "wmv2", False),
        (".mkv", "libx264", True),
        (".mp4", "libx264", True),
    ],
)
def test_before_the_first_picture_and_after_the_last(
    tmp_path: Path, suffix: str, codec: str, audio: bool
) -> None:
    path = tmp_path / f"late{suffix}"
    make_video(
        path,
        shots=[(RED, 1), (BLUE, 1)],
        size=(96, 64),
        rate=Fraction(25),
        codec=codec,
        bframes=0,
        start_seconds=Fraction(1, 2),
        audio=audio,
    )
    first, last = mean(jpeg_at(path, 0.0, 96)), mean(jpeg_at(path, 1e6, 96))
    assert np.abs(first - RED).max() < 40, first
    assert np.abs(last - BLUE).max() < 40, last


YEAR = 31_536_000


@pytest.fixture
def brightness(tmp_path: Path) -> Callable[[float], float]:
    """What a film with a gap of fifty years shows at an instant: 25 more every picture."""
    path = tmp_path / "years.mkv"
    make_gap(path, seconds=50 * YEAR)
    return lambda seconds: float(mean(jpeg_at(path, seconds, 64)).mean())


@pytest.mark.parametrize(
    ("seconds", "picture"),
    [
        (-1, 0),
        (-1e13, 0),
        (2.5, 2),
        (25 * YEAR, 3),
        (50 * YEAR - 0.5, 3),
        (50 * YEAR + 2.5, 6),
        (60 * YEAR, 8),
        (1e13, 8),
    ],
)
def test_an_instant_in_a_gap_of_years_shows_what_was_there_before(
    brightness: Callable[[float], float], seconds: float, picture: int
) -> None:
    assert brightness(seconds) == pytest.approx(25 * picture, abs=8)


def test_whatever_a_search_names_can_be_shown_and_saved(tmp_path: Path) -> None:
    path, library = tmp_path / "years.mkv", tmp_path / "library.db"
    make_gap(path, seconds=50 * YEAR)
    with tempo_edge.Library.open(library) as opened:
        opened.index(path)
    with app_of(library) as app:
        (video,) = get(app.asgi, "/v1/videos").json
        address = f"/v1/videos/{video['id']}"
        late = 50 * YEAR
        assert get(app.asgi, f"{address}/frame", f"t={late + 2}").status == 200
        assert get(app.asgi, f"{address}/frame", "t=-3").status == 200
        clip = get(app.asgi, f"{address}/clip", f"start={late}&end={late + 3}")
        assert clip.status == 200, clip.body
        listed = get(app.asgi, "/v1/export", f"format=json&moment={video['id']}:{late}-{late + 3}")
        assert listed.status == 200, listed.body
        long = get(app.asgi, "/v1/find", f"q=grey&min_seconds=1&max_seconds={late + 9}")
        assert long.status == 200
        for wrong in ("nan", "inf", "-inf", "1e14"):
            reply = get(app.asgi, f"{address}/frame", f"t={wrong}")
            assert reply.status == 400 and "within [-1e+13, 1e+13]" in reply.json["error"]


# -- pictures that are kept ------------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, float, int]]:
    """What was drawn so far, in place of decoding it."""
    made: list[tuple[Path, float, int]] = []

    def draw(path: Path, seconds: float, width: int) -> bytes:
        made.append((path, seconds, width))
        return b"picture %d" % len(made)

    monkeypatch.setattr(frames, "jpeg_at", draw)
    return made


def test_a_picture_is_drawn_once(drawn: list[object]) -> None:
    pictures = PictureCache()
    path = Path("/a.mp4")
    assert pictures.at(path, "one", 1.0, 320) == pictures.at(path, "one", 1.0, 320)
    assert len(drawn) == 1


def test_a_picture_is_drawn_anew_for_another_state_of_its_file(drawn: list[object]) -> None:
    pictures = PictureCache()
    first = pictures.at(Path("/a.mp4"), "one", 1.0, 320)
    for path, etag, seconds, width in (
        ("/a.mp4", "two", 1.0, 320),
        ("/b.mp4", "one", 1.0, 320),
        ("/a.mp4", "one", 1.1, 320),
        ("/a.mp4", "one", 1.0, 90),
    ):
        assert pictures.at(Path(path), etag, seconds, width) != first
    assert len(drawn) == 5
    assert pictures.at(Path("/a.mp4"), "one", 1.0, 320) == first


@pytest.mark.parametrize("bound", ["_KEPT", "_KEPT_BYTES"])
def test_the_pictures_that_were_asked_for_last_are_kept(
    drawn: list[object], monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(frames, bound, 2 if bound == "_KEPT" else 2 * len(b"picture 1"))
    pictures = PictureCache()
    for seconds in (1.0, 2.0, 1.0, 3.0, 1.0):
        pictures.at(Path("/a.mp4"), "one", seconds, 320)
    assert len(drawn) == 3
    pictures.at(Path("/a.mp4"), "one", 2.0, 320)
    assert len(drawn) == 4


def test_a_film_that_took_the_place_of_another_is_shown_and_sent_as_it_is(tmp_path: Path) -> None:
    """Of the same name and the same number of bytes, in a service that has shown the other one."""
    path, library = tmp_path / "a.mp4", tmp_path / "library.db"
    films = {}
    for colour in (RED, BLUE):
        make_video(path, shots=[(colour, 1)], size=(96, 64), rate=Fraction(10))
        films[colour] = path.read_bytes()
    size = max(map(len, films.values()))
    with app_of(library) as app:
        tags = []
        for seconds, (colour, contents) in enumerate(films.items()):
            path.write_bytes(contents.ljust(size, b"\0"))
            os.utime(path, (seconds, seconds))
            with tempo_edge.Library.open(library) as opened:
                opened.index(path)
            (video,) = get(app.asgi, "/v1/videos").json
            address = f"/v1/videos/{video['id']}"
            picture = get(app.asgi, f"{address}/frame", "t=0.5&width=96")
            assert np.abs(mean(picture.body) - colour).max() < 40
            film = get(app.asgi, f"{address}/file", if_none_match=", ".join(tags))
            assert (film.status, film.body) == (200, path.read_bytes())
            tags.append(film.headers["etag"])
