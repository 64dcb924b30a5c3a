"""From a film to its frames: what is held at once, what is a cut, and where the tokens lie."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event, Timer
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from harness import PATIENCE
from numpy.typing import NDArray
from videos import Painter, Picture, Shot, make_video, texture

from tempo_edge.errors import MediaError
from tempo_edge.indexing.footage import Footage, FootageReader, Sampling
from tempo_edge.saa import SamplingBudget

# Cells of a picture's raster, as a profile has them: 3 x 3.
CELLS = 9
TOP_LEFT, MIDDLE, BOTTOM_RIGHT = 0, 4, 8


class Tower:
    """Stands in for the image tower; a token tells which cell it is of."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode(self, pictures: NDArray[np.uint8]) -> tuple[Any, Any]:
        self.batches.append(len(pictures))
        token = np.eye(CELLS, dtype=np.float32)
        return np.full((len(pictures), 4), 0.5, np.float32), np.stack([token] * len(pictures))


@pytest.fixture
def tower() -> Tower:
    return Tower()


class Reading:
    """Reads films with a tower that tells nothing, and keeps count of what is held."""

    def __init__(self, tower: Tower) -> None:
        self.profile: Any = SimpleNamespace(
            interpolation="AREA",
            crop=False,
            image_size=32,
            tokens_per_frame=CELLS,
            image_tower=tower,
        )
        self.readers: list[FootageReader] = []

    def reader(self, sampling: Sampling | None = None, workers: int = 2) -> FootageReader:
        made = FootageReader(self.profile, sampling or Sampling(), workers=workers)
        self.readers.append(made)
        return made

    def read(self, path: Path, policy: SamplingBudget | None = None, **choices: Any) -> Footage:
        sampling = Sampling(policy or SamplingBudget(), choices.get("frames_per_second"))
        return self.reader(sampling).read(path, choices.get("on_progress"))


@pytest.fixture
def reading(tower: Tower) -> Iterator[Reading]:
    made = Reading(tower)
    yield made
    for reader in made.readers:
        reader.close()


# -- tokens --------------------------------------------------------------------------------------


def moving_in(cell: int) -> Painter:
    """A still texture, of which the middle of one cell of nine flickers."""
    background = texture(1)

    def paint(width: int, height: int, index: int) -> Picture:
        picture = background(width, height, index).copy()
        row, column = divmod(cell, 3)
        top, left = row * height // 3 + height // 12, column * width // 3 + width // 12
        area = (slice(top, top + height // 6), slice(left, left + width // 6))
        picture[area] = (255 * (index // 3 % 2), 128, 255 * (index // 5 % 2))
        return picture

    return paint


@pytest.mark.parametrize("cell", [TOP_LEFT, MIDDLE, BOTTOM_RIGHT])
def test_tokens_are_those_of_the_cells_that_changed_most(
    reading: Reading, tmp_path: Path, cell: int
) -> None:
    film = tmp_path / "film.mp4"
    make_video(
        film, shots=[(moving_in(cell), 6)], size=(192, 144), rate=Fraction(10), gop=10,
        scenecut=False,
    )  # fmt: skip
    first, *rest = reading.read(film, SamplingBudget(tokens_per_second=1.0)).frames
    assert len(first.cells) > 1 and len(rest) >= 3
    assert {len(frame.cells) for frame in rest} <= {1, 2, 3}, "few, so that it matters which"
    for frame in rest:
        assert cell in frame.cells
        assert frame.tokens.argmax(axis=1).tolist() == frame.cells.tolist(), "each is of its cell"


# -- what is held at once --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flicker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 600 pictures in 60 s, each another grey than the one before."""
    path = tmp_path_factory.mktemp("flicker") / "flicker.avi"

    def paint(width: int, height: int, index: int) -> Picture:
        return np.full((height, width, 3), 60 + 90 * (index % 2), np.uint8)

    make_video(
        path, shots=[(paint, 60)], size=(32, 32), rate=Fraction(10), codec="mjpeg",
        pixel_format="yuvj420p",
    )  # fmt: skip
    return path


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many looks waited for their tokens, each time that some were shared out."""
    counted: list[int] = []
    encode = FootageReader._encode

    def counting(self: FootageReader, chunk: Any, seconds: float, measured: bool) -> Any:
        counted.append(len(chunk))
        return encode(self, chunk, seconds, measured)

    monkeypatch.setattr(FootageReader, "_encode", counting)
    return counted


def test_no_more_looks_are_held_than_a_chunk_of_them(
    reading: Reading, flicker: Path, chunks: list[int], tower: Tower
) -> None:
    """However much happens in a minute."""
    footage = reading.read(flicker, frames_per_second=10)
    assert len(footage.frames) == 600
    assert chunks == [256, 256, 88]
    assert max(tower.batches) <= 16 and sum(tower.batches) == 600


def test_no_more_than_a_minute_is_held(
    reading: Reading, long_film: Path, chunks: list[int]
) -> None:
    """However little happens: tokens are granted by the minute, and progress is told."""
    told: list[tuple[float, float]] = []
    reading.read(
        long_film, frames_per_second=0.5, on_progress=lambda done, total: told.append((done, total))
    )
    assert chunks == [31, 30, 14]
    assert told == [(60.0, 150.0), (120.0, 150.0)]


@pytest.mark.parametrize(
    ("picture_bytes", "ahead"),
    [
        (640 * 360 * 2, 48),  # small pictures: as many runs as keep four cores busy
        (1920 * 1080 * 3 // 2, 24),
        (2560 * 1440 * 3, 8),  # two for each core at least
        (3840 * 2160 * 3, 2),  # no four decoders at once
        (100 << 20, 1),
        (20000 * 20000 * 2, 1),
    ],
)
def test_large_pictures_allow_fewer_runs_ahead(
    reading: Reading, picture_bytes: int, ahead: int
) -> None:
    assert reading.reader(workers=4)._runs_ahead(picture_bytes) == ahead


# -- cuts ------------------------------------------------------------------------------------------


def cuts(footage: Footage) -> list[float]:
    return [float(frame.pts * footage.video.time_base) for frame in footage.frames if frame.cut]


def hurried(width: int, height: int, index: int) -> Picture:
    """Confetti, or a camera that is thrown: every picture differs from the one before."""
    return texture(1000 + index, cell=12)(width, height, index)


def panning(width: int, height: int, index: int) -> Picture:
    """A steady pan over a long still picture."""
    return texture(3, cell=48)(width + 400, height, 0)[:, index : index + width]


@pytest.mark.parametrize(
    ("shots", "gop", "right"),
    [
        ([(texture(1), 2), (hurried, 4)], 1000, [2.0]),
        ([(panning, 8)], 16, []),
        ([(texture(1), 3), (texture(2), 3)], 1000, [3.0]),
        ([(texture(1), 4), (texture(2), 4)], 16, [4.0]),
    ],
    ids=["confetti", "a pan", "a cut", "a cut at a key frame"],
)
def test_a_cut_is_where_a_shot_ends_and_nowhere_else(
    reading: Reading, tmp_path: Path, shots: list[Shot], gop: int, right: list[float]
) -> None:
    film = tmp_path / "film.mp4"
    make_video(film, shots=shots, size=(192, 112), rate=Fraction(8), gop=gop, scenecut=False)
    assert cuts(reading.read(film)) == right


def test_a_reader_ends_after_the_model_that_it_loads(reading: Reading, tmp_path: Path) -> None:
    """A process that ends in the midst of a runtime's constructor is aborted."""
    closing, loaded = Event(), Event()

    class Slow(SimpleNamespace):
        @property
        def image_tower(self) -> Tower:
            assert closing.wait(PATIENCE)
            loaded.set()
            return Tower()

    del reading.profile.image_tower
    reading.profile = Slow(**vars(reading.profile))
    reader = reading.reader()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    with pytest.raises(MediaError, match="can't be opened"):
        reader.read(broken)
    ended = reader._pool.close

    def close() -> None:
        ended()
        Timer(0.05, closing.set).start()

    reader._pool.close = close  # type: ignore[method-assign]
    reader.close()
    assert loaded.is_set()
