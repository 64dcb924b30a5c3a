"""Finer boundaries: those that were guessed move to the picture, those that are exact stay."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from videos import BLACK, WHITE, make_not_a_video, make_video

from tempo_edge.media import open_video
from tempo_edge.search.refine import refine
from tempo_edge.search.similarity import Segment, segment_of
from tempo_edge.search.window import Window
from tempo_edge.store.rows import VideoRow

#: Pictures of light are what is looked for.
LIGHT = np.array([1.0, 0.0], np.float32)


class Eye:
    """Stands in for the image tower: how light a picture is."""

    def encode(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], None]:
        light = pictures.mean(axis=(1, 2, 3), dtype=np.float64) / 255
        return np.stack([light, 1 - light], axis=1).astype(np.float32), None


PROFILE: Any = SimpleNamespace(image_size=8, interpolation="AREA", crop=False, image_tower=Eye())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dark, with a flash at 1.2 s, and light from 1.5 to 4.3 s; ten pictures a second."""
    path = tmp_path_factory.mktemp("refine") / "film.mp4"
    shots = [(BLACK, 1.2), (WHITE, 0.1), (BLACK, 0.2), (WHITE, 2.8), (BLACK, 1.7)]
    make_video(path, shots=shots, size=(64, 48), rate=Fraction(10), scenecut=False)
    return path


def looked_at(film: Path, cuts: tuple[int, ...]) -> Window:
    """A window of one look a second, 0 to 5, which is told of cuts at some of them."""
    with open_video(film) as video:
        info = video.info
    seconds = np.arange(6)
    told = np.isin(seconds, cuts)
    pts = np.array([int((info.start_time + int(s)) / info.time_base) for s in seconds], np.int64)
    edges = np.concatenate([[0.0], np.where(told[1:], seconds[1:], seconds[1:] - 0.5), [6.0]])
    row = VideoRow("h264", 64, 48, 6.0, None, info.time_base, info.start_time)
    return Window(1, row, pts, edges, told, np.array([0, 0, 1, 1, 1, 0], np.float32))


def bump(window: Window, first: int, last: int) -> Segment:
    return segment_of(window, window.similarities, first, last, 0.0)


@pytest.mark.parametrize(
    ("cuts", "span"),
    [
        ((), (1.5, 4.3)),
        ((2,), (2.0, 4.3)),
        ((5,), (1.5, 5.0)),
        ((2, 5), (2.0, 5.0)),
        ((1, 3, 4), (1.5, 4.3)),
    ],
)
def test_exact_cuts_stay_where_they_are(
    film: Path, cuts: tuple[int, ...], span: tuple[float, float]
) -> None:
    """Though the pictures around them look otherwise: the cut was found picture by picture."""
    window = looked_at(film, cuts)
    refined = refine(film, window, bump(window, 2, 4), LIGHT, PROFILE)
    assert (refined.start_seconds, refined.end_seconds) == pytest.approx(span)


def test_the_ends_of_a_video_stay_where_they_are(film: Path) -> None:
    window = looked_at(film, ())
    whole = refine(film, window, bump(window, 0, 5), LIGHT, PROFILE)
    assert (whole.start_seconds, whole.end_seconds) == (0.0, 6.0)


def test_a_film_that_can_not_be_read_any_more_keeps_its_spans(film: Path, tmp_path: Path) -> None:
    window = looked_at(film, ())
    found = bump(window, 2, 4)
    make_not_a_video(tmp_path / "film.mp4")
    for path in (tmp_path / "film.mp4", tmp_path / "gone.mp4"):
        assert refine(path, window, found, LIGHT, PROFILE) == found.span
