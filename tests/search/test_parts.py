"""A film of one subject with jump cuts is one moment, or its parts where they are asked for.

The film is made up in a real library: its looks have a chosen likeness to a sentence, and are of
one subject or of another. All else is the real search.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from harness import Said

import tempo_edge
from tempo_edge import Library
from tempo_edge.answer import Answer
from tempo_edge.quantization import quantize
from tempo_edge.query import Query
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

DRUMS, FLUTE, BEACH = 1, 2, 3
QUERY, FILM = "a man plays the drums", Path("/films/drums.mp4")

# Looks of two seconds each. Takes of the drums show them better and worse; the beach comes after
# them, then the drums again.
TAKES: tuple[tuple[int, Sequence[float]], ...] = (
    (DRUMS, (0.45, 0.44, 0.45)),
    (DRUMS, (0.19, 0.2)),
    (DRUMS, (0.44, 0.43)),
    (DRUMS, (0.19, 0.18, 0.2)),
    (DRUMS, (0.45, 0.44)),
    (BEACH, (0.02, 0.0, 0.03, 0.01)),
    (DRUMS, (0.44, 0.45)),
)
WHOLE, AGAIN = (0.0, 24.0), (32.0, 36.0)
PARTS = [(0.0, 6.0), (10.0, 14.0), (20.0, 24.0), AGAIN]


@pytest.fixture
def library_path(built: Path, tmp_path: Path) -> Path:
    path = Path(shutil.copy(built, tmp_path / "library.db"))
    show(path, TAKES)
    return path


def show(path: Path, takes: Sequence[tuple[int, Sequence[float]]]) -> None:
    """Let the film of a library show these takes."""
    with Library.open(path) as library:
        words = library.profile.text_tower.encode([QUERY])[0]
    rng = np.random.default_rng(3)
    # Subjects that have nothing to do with the sentence or with one another.
    subjects = np.linalg.qr(np.column_stack([words, rng.normal(size=(len(words), 3))]))[0].T
    rows = []
    for subject, similarities in takes:
        for at, similarity in enumerate(similarities):
            vector = similarity * words + np.sqrt(1 - similarity**2) * subjects[subject]
            nothing = np.zeros(0, np.uint8), np.zeros((0, len(words)), np.int8)
            pts = 2000 * len(rows)
            rows.append(FrameRow(pts, 0.5, at == 0, quantize(vector.astype(np.float32)), *nothing))
    video = VideoRow("h264", 64, 48, 2.0 * len(rows), None, Fraction(1, 1000), Fraction(0))
    with open_store(path).writer() as writer, writer.transaction():
        number = writer.put_video(repr(takes).encode(), video, rows, np.zeros((0, 2), np.float32))
        writer.put_file(FileRow(str(FILM), "", 1, 1, "indexed", "", number))
        writer.prune()


def spans(answer: Answer) -> list[tuple[float, float]]:
    """The moments of the film in the order of time."""
    return sorted((m.start_seconds, m.end_seconds) for m in answer if m.path == FILM)


def test_one_subject_with_jump_cuts_is_one_moment_and_what_lies_apart_another(
    library_path: Path,
) -> None:
    with Library.open(library_path) as library:
        assert spans(library.find(QUERY)) == [WHOLE, AGAIN]
        assert spans(library.find(QUERY, retrieval=True)) == [WHOLE, AGAIN]


def test_two_subjects_side_by_side_are_two(library_path: Path) -> None:
    """Though what was asked for is seen as well in the other as in the weakest of the drums."""
    show(library_path, (TAKES[0], (FLUTE, (0.19, 0.2)), *TAKES[2:]))
    with Library.open(library_path) as library:
        assert spans(library.find(QUERY)) == [(0.0, 6.0), (10.0, 24.0), AGAIN]


def test_its_parts_are_told_at_every_door(library_path: Path, tempo: Callable[..., Said]) -> None:
    with Library.open(library_path) as library:
        told = library.find(QUERY, parts=True)
        assert spans(told) == PARTS
        assert library.ask(Query(QUERY, parts=True)) == told
        whole = library.find(QUERY)
        assert whole.moments[0].confidence == told.moments[0].confidence
    assert tempo_edge.find(QUERY, library=library_path, parts=True) == told
    printed = tempo("find", QUERY, "--parts", "--json")
    rows = [json.loads(line) for line in printed.out.splitlines()]
    times = [(r["start_seconds"], r["end_seconds"]) for r in rows if r["path"] == str(FILM)]
    assert sorted(times) == PARTS
