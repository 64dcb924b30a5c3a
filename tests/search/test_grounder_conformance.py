"""What every grounder promises, over real footage, for every one of the registry.

Each is tried with the models that ship, and with others of random weights: what is promised must
hold whatever a model says.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented import QUERY, Invented
from tiny_models import write_tiny_decoder, write_tiny_hub
from videos import GREEN, make_gap, make_video, motion, texture

from tempo_edge import Library
from tempo_edge.models import Profile
from tempo_edge.models.registry import load_profile
from tempo_edge.quantization import dequantize
from tempo_edge.search.calibrate import FEATURES, Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.fitted import QUICK, calibration_of, grounders_of
from tempo_edge.search.grounders import GROUNDERS, Grounder, Materials
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.retrieve import retrieve
from tempo_edge.search.window import Window
from tempo_edge.store.opening import open_store

KINDS = ("cuts", "identical", "holes", "one frame", "several films")
MODELS = ("shipped", "random")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library of a film with cuts, one that never changes, and one with a hole."""
    folder = tmp_path_factory.mktemp("grounders")
    small, slow = (96, 64), Fraction(10)
    shots = [(texture(1), 3), (texture(2), 2), (motion(3), 4)]
    make_video(folder / "cuts.mp4", shots=shots, size=small, rate=slow)
    make_video(folder / "identical.mp4", shots=[(GREEN, 20)], size=small, rate=slow)
    make_gap(folder / "holes.mkv", seconds=3_000)
    with Library.open(folder / "library.db") as opened:
        opened.index(folder)
    _rewrite(folder)
    with Library.open(folder / "library.db") as opened:
        opened.vectors.refresh()
        # Or the kinds of windows would not be what they are called.
        rows = {Path(row.path).stem: row.video_id or 0 for row in opened.files()}
        catalogue = opened.catalogue
        assert catalogue.video(rows["holes"]).holes
        assert len(catalogue.frames_between(rows["identical"], 0, 2**62)[0]) > 1
        assert sum(catalogue.frames_between(rows["cuts"], 0, 2**62)[1]) > 1
        yield opened


def _rewrite(folder: Path) -> None:
    """Say of one film that it shows nothing in its gap, and keep more of the one that is still."""
    with open_store(folder / "library.db").writer() as writer, writer.transaction():
        for path, row in writer.files().items():
            assert row.video_id is not None
            video, frames = writer.video(row.video_id), writer.frames_of(row.video_id, 0, 2**62)
            if Path(path).stem == "holes":
                video = replace(video, holes=((4_000, 3_000_000),), duration_seconds=8.1)
            elif Path(path).stem == "identical":
                step = int(2 / video.time_base)
                frames = [replace(frames[0], pts=step * number) for number in range(9)]
            else:
                continue
            curve = writer.curve(row.video_id)
            number = writer.put_video(Path(path).stem.encode(), video, frames, curve)
            writer.put_file(replace(row, video_id=number))
        writer.prune()


@pytest.fixture(scope="module", params=MODELS)
def profile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Profile]:
    """The built-in profile with a hub model beside it; or with a decoder of random weights."""
    folder = tmp_path_factory.mktemp("profiles") / "nano"
    shutil.copytree(load_profile("nano").folder, folder)
    write_tiny_hub(folder)
    if request.param == "random":
        write_tiny_decoder(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPO_EDGE_PROFILES", str(folder.parent))
        yield load_profile("nano")


@pytest.fixture(params=GROUNDERS)
def kind(request: pytest.FixtureRequest) -> type[Grounder]:
    return GROUNDERS[request.param]


@pytest.fixture
def materials(library: Library, profile: Profile) -> Materials:
    """What a grounder is given by a search."""
    searcher = library.searcher
    given = searcher.pictures.materials(searcher.pictures.settings, calibration_of(profile, QUICK))
    return replace(given, profile=profile)


@dataclass(frozen=True)
class Asked:
    """A question, the windows it is asked of, and how it scores by chance."""

    question: Question
    windows: list[Window]
    null: NullDistribution


def ask(library: Library, kind: type[Grounder], about: str, sign: float = 1.0) -> Asked:
    """Asked of a kind of footage: for what its middle frame shows, or for its very opposite."""
    numbers = {Path(row.path).stem: row.video_id for row in library.files()}
    films = {"one frame": "cuts", "several films": "cuts"}
    video = numbers[films.get(about, about)]
    assert video is not None
    _, _, packed = library.catalogue.frames_between(video, -(2**62), 2**62)
    vector = sign * dequantize(packed)[len(packed) // 2]
    _, states = library.profile.text_tower.read("a dog jumps")
    question = Question.of(vector, states, library.profile.background, "a dog jumps")
    windows = retrieve(
        vector,
        library.catalogue,
        library.vectors,
        videos=None if about == "several films" else [video],
        context_seconds=kind.context_seconds,
    )
    if about == "one frame":
        stretch, tick = windows[0].stretch, int(windows[0].pts[0])
        assert stretch is not None
        windows = [stretch.window(tick, tick)]
    sample = library.vectors.sample(None)
    null = NullDistribution.of(vector, library.profile.background, sample, 100)
    return Asked(question, windows, null)


def trusting(kind: type[Grounder]) -> Calibration:
    """A calibration that believes what is seen alone: even odds at a similarity of 0.1."""
    weights = np.zeros(len(kind.features))
    weights[kind.features.index("similarity")] = 20.0
    return Calibration(weights, -2.0, 0.5)


def found(
    grounder: Grounder, asked: Asked, calibration: Calibration, *, parts: bool = False
) -> list[Candidate]:
    return grounder.ground(asked.question, asked.windows, asked.null, calibration, parts=parts)


@pytest.mark.parametrize("about", KINDS)
def test_spans_lie_in_their_windows_and_the_likeliest_comes_first(
    library: Library, materials: Materials, kind: type[Grounder], about: str
) -> None:
    """Half-open, from one frame's boundary to another's, and nothing beyond what was read."""
    asked, calibration = ask(library, kind, about), kind.calibration_of(materials.profile)
    candidates = found(kind(materials), asked, calibration)
    assert candidates
    assert [c.confidence for c in candidates] == sorted(
        (c.confidence for c in candidates), reverse=True
    )
    for window in asked.windows:
        ends = int(window.widest.pts[0]), int(window.widest.pts[-1])
        assert window.video.stretch(ends[0]) == window.video.stretch(ends[1])
    read = [(w.video_id, int(w.widest.pts[0]), int(w.widest.pts[-1])) for w in asked.windows]
    for candidate in candidates:
        window, segment = candidate.window, candidate.segment
        assert 0 <= segment.first <= segment.last < len(window.pts)
        bounds = (float(window.edges[segment.first]), float(window.edges[segment.last + 1]))
        assert (segment.span.start_seconds, segment.span.end_seconds) == bounds
        assert bounds[0] < bounds[1] <= window.video.end_seconds + 1e-3
        if candidate.grounding is not None:
            said = [range(*each) for each in candidate.grounding.ranges]
            assert any(segment.first <= r[0] and r[-1] <= segment.last for r in said)
        ticks = int(window.pts[segment.first]), int(window.pts[segment.last])
        assert any(
            window.video_id == video and first <= ticks[0] and ticks[1] <= last
            for video, first, last in read
        )
        assert window.video.stretch(ticks[0]) == window.video.stretch(ticks[1])
        assert all(
            segment.span.iou(other.segment.span) < 0.3
            for other in candidates
            if other is not candidate and other.window.video_id == window.video_id
        )


@pytest.mark.parametrize("about", KINDS)
def test_a_span_is_judged_by_its_facts(
    library: Library, materials: Materials, kind: type[Grounder], about: str
) -> None:
    """As many as the calibration weighs, all of them finite; a model's word comes first."""
    asked, calibration = ask(library, kind, about), kind.calibration_of(materials.profile)
    assert len(calibration.weights) == len(kind.features)
    assert kind.features[-len(FEATURES) :] == FEATURES
    for candidate in found(kind(materials), asked, calibration):
        assert candidate.features.shape == (len(kind.features),)
        assert np.isfinite(candidate.features).all()
        assert 0.0 <= candidate.confidence <= 1.0
        assert candidate.confidence == calibration.confidence(candidate.features)
        similarity = candidate.features[kind.features.index("similarity")]
        assert similarity <= candidate.segment.peak + 1e-9
        assert math.isfinite(candidate.score)
    for part in found(kind(materials), asked, calibration, parts=True):
        similarity = part.features[kind.features.index("similarity")]
        assert similarity == pytest.approx(part.segment.peak)


@pytest.mark.parametrize("about", KINDS)
def test_every_part_lies_in_a_moment_that_is_as_likely(
    library: Library, materials: Materials, kind: type[Grounder], about: str
) -> None:
    """What a model answered is a part as it was said."""
    asked, calibration = ask(library, kind, about), kind.calibration_of(materials.profile)
    whole = found(kind(materials), asked, calibration)
    parts = found(kind(materials), asked, calibration, parts=True)
    assert len(whole) <= len(parts)
    for part in parts:
        span = part.segment.span
        around = [
            each
            for each in whole
            if each.window.video_id == part.window.video_id
            and each.segment.span.start_seconds <= span.start_seconds
            and span.end_seconds <= each.segment.span.end_seconds
        ]
        assert max(each.confidence for each in around) >= part.confidence
        if part.grounding is not None:
            assert (part.segment.first, part.segment.last + 1) in part.grounding.ranges


@pytest.mark.parametrize("about", KINDS)
def test_the_same_question_has_the_same_answer(
    library: Library, materials: Materials, kind: type[Grounder], about: str
) -> None:
    asked, calibration = ask(library, kind, about), kind.calibration_of(materials.profile)
    grounder = kind(materials)

    def facts(grounder: Grounder) -> list[tuple[object, ...]]:
        return [
            (c.window.video_id, c.segment, c.confidence, c.features.tolist())
            for c in found(grounder, asked, calibration)
        ]

    once = facts(grounder)
    assert facts(grounder) == once
    assert facts(kind(materials)) == once


@pytest.mark.parametrize("about", KINDS)
def test_what_is_not_there_is_refused(
    library: Library, materials: Materials, kind: type[Grounder], about: str
) -> None:
    """Nothing was read, or all of it is the very opposite of what was asked for."""
    grounder, calibration = kind(materials), trusting(kind)
    there = ask(library, kind, about)
    assert found(grounder, there, calibration)[0].confidence >= calibration.threshold
    opposite = ask(library, kind, about, -1.0)
    assert all(
        candidate.confidence < calibration.threshold
        for candidate in found(grounder, opposite, calibration)
    )
    assert found(grounder, replace(there, windows=[]), calibration) == []


class EndedError(Exception):
    """What a checkpoint raises."""


@pytest.mark.parametrize("after", [0, 1])
def test_a_checkpoint_ends_it(
    library: Library, materials: Materials, kind: type[Grounder], after: int
) -> None:
    asked, calibration = ask(library, kind, "several films"), kind.calibration_of(materials.profile)
    passed = 0

    def checkpoint() -> None:
        nonlocal passed
        if passed == after:
            raise EndedError
        passed += 1

    with pytest.raises(EndedError):
        kind(materials).ground(asked.question, asked.windows, asked.null, calibration, checkpoint)


@pytest.mark.parametrize("gone", ["is offline", "vanished", "is no video any more"])
def test_a_file_that_is_gone_ends_nothing(
    library: Library, materials: Materials, kind: type[Grounder], gone: str, tmp_path: Path
) -> None:
    """Whoever decodes keeps what the curve found; who does not says what was said before."""
    (tmp_path / "text.mp4").write_text("This is no video.\n" * 50)
    places = {"is offline": None, "vanished": tmp_path / "no.mp4"}
    blind = replace(materials, path_of=lambda video: places.get(gone, tmp_path / "text.mp4"))
    asked, calibration = ask(library, kind, "several films"), kind.calibration_of(materials.profile)
    seen, unseen = (found(kind(m), asked, calibration) for m in (materials, blind))
    assert unseen
    if kind.decodes:
        assert all(candidate.grounding is None for candidate in unseen)
        assert any(candidate.grounding is not None for candidate in seen)
    else:
        assert [c.segment for c in unseen] == [c.segment for c in seen]


def test_a_class_says_what_its_grounder_needs(profile: Profile, kind: type[Grounder]) -> None:
    assert GROUNDERS[kind.name] is kind
    assert set(kind.files) <= set(profile.files)
    assert kind.comes_with(profile) and kind.name in grounders_of(profile)
    if kind.files:
        without = replace(
            profile, files={k: v for k, v in profile.files.items() if k not in kind.files}
        )
        assert not kind.comes_with(without) and kind.name not in grounders_of(without)
    assert kind.context_seconds >= 0
    # What answers while somebody types is there with every profile, and wants no file.
    assert not kind.is_quick or not (kind.files or kind.decodes)
    kind.preload(profile)


def test_a_profile_s_models_can_be_tried(
    library: Library, profile: Profile, kind: type[Grounder]
) -> None:
    asked = ask(library, kind, "cuts")
    rows = np.eye(2, profile.dim, dtype=np.float32)
    kind.inspect(profile, asked.question, rows[0], rows)


def test_all_is_read_once(
    tmp_path: Path, kind: type[Grounder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a grounder is asked, no frame comes out of the store twice; one film, two windows."""
    invented = Invented(tmp_path)
    invented.add([(float(at), 0.1 if 128 <= at < 272 else 0.9) for at in range(400)])
    vectors = invented.vectors()
    rows: list[tuple[int, int]] = []
    between = type(invented.catalogue).frames_between

    def counted(*asked: Any) -> Any:
        read = between(*asked)
        rows.extend((asked[1], int(tick)) for tick in read[0])
        return read

    monkeypatch.setattr(type(invented.catalogue), "frames_between", counted)
    windows = retrieve(QUERY, invented.catalogue, vectors, context_seconds=kind.context_seconds)
    assert len(windows) == 2
    assert rows and len(rows) == len(set(rows))
    for window in windows:
        assert set(window.pts.tolist()) <= set(window.widest.pts.tolist())
        assert len(window.widest.pts) == min(len(window.pts) + kind.context_seconds, 400)
    invented.catalogue.close()
