"""One clip in several containers is one answer; two takes of one scene are two."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from harness import Said
from invented import DIM, drawn
from videos import Shot, make_video, motion, remuxed, texture

from tempo_edge import Library, Moment
from tempo_edge.quantization import quantize
from tempo_edge.search import copies
from tempo_edge.search.calibrate import FEATURES
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.copies import grouped, is_copy
from tempo_edge.search.similarity import segment_of

Tempo = Callable[..., Said]

# A scene that moves, so that it is looked at often, between two others.
SHOTS: tuple[Shot, ...] = ((motion(1, 3), 4), (texture(2), 2), (motion(3, 4), 4))

# The same scenes, and all that moves in them moves otherwise.
TAKE: tuple[Shot, ...] = ((motion(1, 7), 4), (texture(2), 2), (motion(3, 1), 4))


def film(path: Path, shots: tuple[Shot, ...]) -> Path:
    make_video(path, shots=shots, size=(128, 96), rate=Fraction(10))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("copies")
    clip = film(where / "clip.mp4", SHOTS)
    for suffix in (".mkv", ".mov"):
        remuxed(clip, where / f"clip{suffix}")
    film(where / "take.mp4", TAKE)
    still = film(where / "still.mp4", ((texture(5), 2),))
    remuxed(still, where / "still.mkv")
    film(where / "longer.mp4", ((texture(5), 3),))
    shutil.copy(still, where / "still, again.mp4")
    with Library.open(where / "library.db") as library:
        assert library.index(where).indexed == 7
    return where


def found(folder: Path, **choices: object) -> list[Moment]:
    with Library.open(folder / "library.db") as library:
        return list(library.find("clouds", min_confidence=0.0, limit=100, **choices))  # type: ignore[arg-type]


CLIPS = {"clip.mp4", "clip.mkv", "clip.mov"}
STILLS = {"still.mp4", "still.mkv", "still, again.mp4"}


def test_one_answer_a_group(folder: Path) -> None:
    moments = found(folder)
    for moment in moments:
        others = {copy.path.name for copy in moment.copies}
        assert moment.path.name not in others and len(others) == len(moment.copies)
        together = {moment.path.name} | others
        assert together in (CLIPS, STILLS, {"take.mp4"}, {"longer.mp4"}), together
        for copy in moment.copies:
            assert copy.start_seconds == pytest.approx(moment.start_seconds, abs=0.002)
            assert copy.end_seconds == pytest.approx(moment.end_seconds, abs=0.1)
    shown = [(moment.path, moment.start_seconds) for moment in moments]
    assert len(shown) == len(set(shown))
    assert {moment.path.name for moment in moments} >= {"take.mp4", "longer.mp4"}
    assert len([m for m in moments if m.path.name in STILLS]) == 1


def test_copies_leave_room_in_the_list(folder: Path) -> None:
    """A limit counts answers, and what was held back counts groups."""
    everything = found(folder)
    with Library.open(folder / "library.db") as library:
        few = library.find("clouds", min_confidence=0.0, limit=2)
        assert list(few) == everything[:2]
        refused = library.find("clouds", min_confidence=1.0)
        assert refused.rejected_count == len(everything)
        assert list(refused.rejected) == everything[: len(refused.rejected)]


def test_the_file_that_is_there_is_the_answer(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "own")
    own = tmp_path / "own"
    library = own / "library.db"
    with Library.open(library) as opened:
        opened.forget(folder)
        opened.index(own)
    (own / "clip.mp4").unlink()
    (own / "clip.mkv").unlink()
    clips = [moment for moment in found(own) if moment.path.name in CLIPS]
    assert clips
    for moment in clips:
        assert moment.path.name == "clip.mov" and not moment.offline
        assert {(c.path.name, c.offline) for c in moment.copies} == {
            ("clip.mp4", True),
            ("clip.mkv", True),
        }


def test_they_are_told(tempo: Tempo, folder: Path, library_path: Path) -> None:
    library_path.parent.mkdir(exist_ok=True)
    shutil.copy(folder / "library.db", library_path)
    asked = ("find", "clouds", "--min-confidence", "0", "--in", folder / "still.mkv")
    asked = (*asked, "--in", folder / "still.mp4")
    (row,) = map(json.loads, tempo(*asked, "--json").out.splitlines())
    assert {Path(copy["path"]).name for copy in row["copies"]} | {Path(row["path"]).name} == STILLS
    keys = {"path", "start_seconds", "end_seconds", "offline"}
    assert all(set(copy) == keys for copy in row["copies"])
    first, also = tempo(*asked).out.splitlines()
    assert first.startswith(f"{row['path']}  00:00.0–00:02.0  ")
    assert also == f"  also in {', '.join(copy['path'] for copy in row['copies'])}"


# -- the rule --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def candidates(folder: Path) -> list[Candidate]:
    """Every candidate of every video, as the search judged them."""
    kept: list[Candidate] = []
    patch = pytest.MonkeyPatch()
    patch.setattr(
        "tempo_edge.search.findings.grouped", lambda found: [(each,) for each in kept_of(found)]
    )

    def kept_of(given: list[Candidate]) -> list[Candidate]:
        kept.extend(given)
        return given

    found(folder)
    patch.undo()
    return kept


def test_it_is_symmetric_and_never_within_a_video(candidates: list[Candidate]) -> None:
    pairs = [(one, other) for one in candidates for other in candidates]
    assert any(is_copy(*pair) for pair in pairs)
    for one, other in pairs:
        assert is_copy(one, other) == is_copy(other, one)
        assert not (is_copy(one, other) and one.window.video_id == other.window.video_id)


def copied(candidates: list[Candidate]) -> tuple[Candidate, Candidate]:
    """Two candidates that are copies of each other, with looks enough in themselves."""
    return next(
        (one, other)
        for one in candidates
        for other in candidates
        if is_copy(one, other) and one.segment.last - one.segment.first >= 2
    )


def test_one_look_that_differs_is_enough(candidates: list[Candidate]) -> None:
    one, other = copied(candidates)
    assert other.window.packed is not None
    for look in range(other.segment.first, other.segment.last + 1):
        changed = other.window.packed.copy()
        changed[look] = np.roll(changed[look], 1)
        altered = replace(other, window=replace(other.window, packed=changed))
        assert not is_copy(one, altered)


def test_a_moment_that_is_longer_is_another(candidates: list[Candidate]) -> None:
    one, other = copied(candidates)
    span = other.segment.span
    longer = replace(span, end_seconds=span.end_seconds + 0.2)
    assert not is_copy(one, replace(other, segment=replace(other.segment, span=longer)))


def test_of_what_was_not_kept_nothing_is_told(candidates: list[Candidate]) -> None:
    one, other = copied(candidates)
    bare = replace(other, window=replace(other.window, packed=None))
    assert not is_copy(one, bare) and grouped([one, bare]) == [(one,), (bare,)]


def test_only_what_may_be_a_copy_is_compared(
    candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is alike, grouping costs a comparison of four numbers."""
    one, other = copied(candidates)
    asked: list[None] = []
    monkeypatch.setattr(copies, "is_copy", lambda *pair: asked.append(None))
    far = replace(other, segment=replace(other.segment, peak=other.segment.peak - 0.2))
    assert grouped([one, far]) == [(one,), (far,)] and asked == []
    assert grouped([]) == []


def whole(looks: int, cosine: float, *, video: int, behind: float = 0.0) -> Candidate:
    """A film of some looks, each as near to those of the film of cosine 1; `behind`, more of it."""
    window = drawn([0.5] * looks, video=video)
    other = np.sqrt(1 - cosine**2)
    vectors = cosine * np.eye(looks, DIM) + other * np.eye(looks, DIM, looks)
    longer = replace(window.video, duration_seconds=window.video.duration_seconds + behind)
    window = replace(window, video=longer, packed=quantize(vectors))
    bump = segment_of(window, window.similarities, 0, looks - 1, 0.0)
    return Candidate(window, bump, np.zeros(len(FEATURES)), 0.5)


@pytest.mark.parametrize(
    ("looks", "cosine", "behind", "copied"),
    [
        (3, 0.995, 0.0, True),
        (3, 0.995, 60.0, True),  # three looks tell, whatever else the films show
        (3, 0.985, 0.0, False),
        (2, 0.9995, 0.0, True),
        (2, 0.995, 0.0, False),  # two have to be the same to the bit, nearly
        (2, 0.9995, 60.0, False),  # and the films of one length
        (1, 0.9995, 0.0, True),
    ],
)
def test_few_looks_must_be_more_alike_than_many(
    looks: int, cosine: float, behind: float, copied: bool
) -> None:
    one, other = whole(looks, 1.0, video=1), whole(looks, cosine, video=2, behind=behind)
    assert is_copy(one, other) is is_copy(other, one) is copied
