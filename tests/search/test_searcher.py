"""Searches over a small real library: exact times, scopes, refusals."""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from videos import make_video, motion, texture

import tempo_edge
from tempo_edge import Library, QueryError
from tempo_edge.models import load_profile, stored_vectors
from tempo_edge.models.generic_sentences import generic_sentences
from tempo_edge.quantization import dequantize
from tempo_edge.search.retrieve import retrieve
from tempo_edge.search.window import Looks
from tempo_edge.store.opening import open_store

RATE = Fraction(25)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five shots: 0-3 clouds, 3-5 others, 5-8, 8-10, 10-12; cuts where x264 sees them."""
    folder = tmp_path_factory.mktemp("film")
    shots = [(texture(1), 3), (texture(2), 2), (motion(3), 3), (texture(4), 2), (texture(5), 2)]
    (folder / "other").mkdir()
    make_video(folder / "film.mp4", shots=shots, size=(320, 240), rate=RATE)
    make_video(
        folder / "other" / "more.mp4",
        shots=[(texture(11), 2), (texture(12), 2)],
        size=(320, 240),
        rate=RATE,
        start_seconds=7,
    )
    return folder


@pytest.fixture(scope="module")
def library(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "library.db"
    with Library.open(path) as opened:
        assert opened.index(film).indexed == 2
    return path


def query_by_frame(opened: Library, path: Path, seconds: float) -> np.ndarray:
    """The vector of the frame that stands for an instant: a query that surely matches it."""
    row = next(r for r in opened.files() if Path(r.path) == path)
    assert row.video_id is not None
    video = opened.catalogue.video(row.video_id)
    pts, _, packed = opened.catalogue.frames_between(row.video_id, -(2**60), 2**60)
    index = int(np.searchsorted(video.seconds(pts), seconds + 1e-6)) - 1
    return dequantize(packed)[index]


@pytest.mark.parametrize(
    ("seconds", "span"), [(1.0, (0.0, 3.0)), (4.0, (3.0, 5.0)), (9.0, (8.0, 10.0))]
)
def test_a_shot_is_found_with_its_exact_cuts(
    library: Path, film: Path, seconds: float, span: tuple[float, float]
) -> None:
    with Library.open(library) as opened:
        vector = query_by_frame(opened, film / "film.mp4", seconds)
        opened.vectors.refresh()
        windows = retrieve(vector, opened.catalogue, opened.vectors)
        best = max(windows, key=lambda window: window.similarities.max())
        top = int(best.similarities.argmax())
        same_shot = ~best.cuts
        first = max(i for i in range(top + 1) if not same_shot[i] or i == 0)
        last = next((i for i in range(top + 1, len(best.cuts)) if best.cuts[i]), len(best.cuts))
        assert (best.edges[first], best.edges[last]) == pytest.approx(span, abs=1e-6)


def test_windows_tile_the_time_line_of_a_video(library: Path, film: Path) -> None:
    with Library.open(library) as opened:
        opened.vectors.refresh()
        for window in retrieve(
            load_profile("nano").background[0], opened.catalogue, opened.vectors
        ):
            assert window.edges[0] == 0.0  # the offset of a container is nobody's business
            assert window.edges[-1] == pytest.approx(window.video.duration_seconds, abs=0.05)
            assert (np.diff(window.edges) > 0).all()
            assert np.abs(window.similarities).max() <= 1.0 + 1e-5


def test_everything_is_given_when_nothing_is_held_back(library: Path) -> None:
    with Library.open(library) as opened:
        answer = opened.find("clouds", min_confidence=0.0, limit=100)
        assert {moment.path.name for moment in answer} == {"film.mp4", "more.mp4"}
        assert [m.confidence for m in answer] == sorted(
            (m.confidence for m in answer), reverse=True
        )
        assert answer.best_rejected is None
        assert answer.rejected_count == 0
        assert all(m.profile == "nano" and not m.offline for m in answer)
        assert len(opened.find("clouds", min_confidence=0.0, limit=1)) == 1


def test_a_question_finds_what_it_seeks(library: Path) -> None:
    with Library.open(library) as opened:
        said, asked, other = (
            [(m.path, m.start_seconds, m.score) for m in opened.find(query, min_confidence=0.0)]
            for query in ("clouds over a field", "where are clouds over a field?", "a dog")
        )
    assert asked == said != other


def test_a_profile_without_a_calibration_and_pictures_of_its_own_is_searched_with(
    library: Path, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The general calibration judges, library and sentences stand in for unrelated pictures."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    nano = load_profile("nano")
    lacking = ("calibration.json", "background.npy", "sentences.npy", "grounder.onnx")
    bare = replace(nano, files={n: sha for n, sha in nano.files.items() if n not in lacking})
    monkeypatch.setattr(stored_vectors, "generic_sentences", lambda: generic_sentences()[:60])
    with Library.open(Path(shutil.copy(library, tmp_path / "l.db")), profile=bare) as opened:
        answer = opened.find("clouds", min_confidence=0.0, limit=100)
        assert {moment.path.name for moment in answer} == {"film.mp4", "more.mp4"}
        assert all(0 < moment.confidence < 1 for moment in answer)
        assert opened.searcher.pictures.calibration("curve").has_contrast
        assert bare.sentences.shape == (60, nano.dim)
        footage, frames = opened.searcher.pictures.footage, opened.catalogue.count_frames(None)
        assert footage.shape == (frames + 60, nano.dim)
        np.testing.assert_array_equal(footage[:frames], opened.vectors.sample())
        assert opened.searcher.pictures.footage is footage, "it is made once"


def test_a_refusal_says_what_came_closest(library: Path) -> None:
    with Library.open(library) as opened:
        everything = opened.find("clouds", min_confidence=0.0, limit=100)
        refused = opened.find("clouds", min_confidence=1.0)
        assert list(refused) == []
        assert refused.rejected_count == len(everything)
        assert 1 < len(refused.rejected) <= len(everything)
        assert refused.rejected == everything.moments[: len(refused.rejected)]
        assert refused.best_rejected == everything.moments[0]


def test_retrieval_looks_into_less_and_reads_nothing(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_windows = []

    read = Looks.read

    def read_and_count(*arguments: Any) -> Looks:
        opened_windows.append(arguments)
        return read(*arguments)

    monkeypatch.setattr(Looks, "read", read_and_count)
    monkeypatch.setattr("tempo_edge.search.picture_finder.GLANCE", 1)
    with Library.open(library) as opened:
        whole = opened.find("clouds", min_confidence=0.0)
        assert len(opened_windows) > 1
        opened_windows.clear()
        quick = opened.find("clouds", min_confidence=0.0, retrieval=True)
        assert len(opened_windows) == 1
        assert quick.evidence[0].grounding is None
        assert next(iter(quick)) in list(whole)
        with pytest.raises(QueryError, match="'mllm' and retrieval exclude"):
            opened.find("clouds", grounder="mllm", retrieval=True)


def test_a_scope_is_searched_as_if_it_were_the_whole_library(
    library: Path, film: Path, tmp_path: Path
) -> None:
    with Library.open(library) as opened:
        scoped = opened.find("clouds", min_confidence=0.0, within=film / "other")
        by_file = opened.find("clouds", min_confidence=0.0, within=film / "other" / "more.mp4")
    with Library.open(tmp_path / "alone.db") as alone:
        alone.index(film / "other")
        whole = alone.find("clouds", min_confidence=0.0)
    assert {m.path.name for m in scoped} == {"more.mp4"}
    assert list(by_file) == list(scoped)
    assert [m.span for m in scoped] == [m.span for m in whole]
    assert [m.confidence for m in scoped] == pytest.approx(
        [m.confidence for m in whole],
        abs=0.02,  # a cached vector is rounded once more
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"query": "  "}, "is empty"),
        ({"limit": 0}, "limit 0"),
        ({"min_confidence": 1.5}, "min_confidence 1.5"),
        ({"min_confidence": -0.1}, "min_confidence -0.1"),
        ({"within": Path("/nowhere/at/all")}, "no footage at or under /nowhere/at/all"),
    ],
)
def test_bad_questions_are_named(library: Path, options: dict[str, object], message: str) -> None:
    query = str(options.pop("query", "clouds"))
    with Library.open(library) as opened, pytest.raises(QueryError, match=message):
        opened.find(query, **options)  # type: ignore[arg-type]


def test_refining_changes_times_and_nothing_else(library: Path) -> None:
    with Library.open(library) as opened:
        plain = opened.find("clouds", min_confidence=0.0, limit=100)
        fine = opened.find("clouds", min_confidence=0.0, limit=100, refine=True)
    assert len(plain) > 1
    assert [(m.path, m.confidence) for m in plain] == [(m.path, m.confidence) for m in fine]
    for before, after in zip(plain, fine, strict=True):
        assert after.span.intersection_seconds(before.span) > 0


def test_refining_finds_a_change_between_two_looks(tmp_path: Path) -> None:
    """A slow fade has no cut; the boundary is put inside the fade, wherever the looks lay."""
    one, other = texture(21), texture(22)

    def fade(width: int, height: int, index: int) -> np.ndarray:
        share = min(max((index - 140) / 20, 0.0), 1.0)  # from 5.6 to 6.4 seconds
        mixed = (1 - share) * one(width, height, index) + share * other(width, height, index)
        return np.asarray(mixed.round(), dtype=np.uint8)

    make_video(tmp_path / "fade.mp4", shots=[(fade, 12)], rate=RATE, gop=100, scenecut=False)
    with Library.open(tmp_path / "library.db") as opened:
        opened.index(tmp_path / "fade.mp4")
        vector = query_by_frame(opened, tmp_path / "fade.mp4", 11.0)
        opened.vectors.refresh()
        (window,) = retrieve(vector, opened.catalogue, opened.vectors)
        from tempo_edge.search.grounders.curve import cut_out
        from tempo_edge.search.refine import refine
        from tempo_edge.search.similarity import CurveSettings

        bump = cut_out(window, CurveSettings(keep=0.6, smooth=0.0), chance=np.inf, limit=1)[0]
        span = refine(tmp_path / "fade.mp4", window, bump, vector, opened.profile)
    assert 5.6 <= span.start_seconds <= 6.44
    assert span.end_seconds == pytest.approx(12.0, abs=0.05)


def test_an_empty_library_matches_nothing(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library.db") as opened:
        (tmp_path / "empty").mkdir()
        opened.index(tmp_path / "empty")
        answer = opened.find("clouds", min_confidence=0.0)
    assert (list(answer), answer.best_rejected, answer.rejected_count) == ([], None, 0)


def test_the_module_level_search(library: Path) -> None:
    found = tempo_edge.find("clouds", library=library, limit=1, min_confidence=0.0)
    assert len(found) == 1
    with Library.open(library) as opened:
        assert found == opened.find("clouds", limit=1, min_confidence=0.0)


@pytest.mark.parametrize("others", [("/0/a.mp4", "/0/b.mp4"), ("/0/a.mp4", "/zzz/b.mp4"), ()])
def test_of_copies_of_a_film_one_that_is_there_is_shown(
    built: Path, originals: Path, tmp_path: Path, others: tuple[str, ...]
) -> None:
    """Whatever their order: a film is offline only if all of them are."""
    shutil.copy(built, tmp_path / "library.db")
    with open_store(tmp_path / "library.db").writer() as catalogue, catalogue.transaction():
        row = catalogue.files()[str(originals / "beach.mp4")]
        for path in others:
            catalogue.put_file(replace(row, path=path))
    with Library.open(tmp_path / "library.db") as opened:
        answer = opened.find("a beach", min_confidence=0.0, limit=100)
        beach = {(m.path, m.offline) for m in answer if "beach" in m.path.name}
        assert beach == {(originals / "beach.mp4", False)}


def test_a_film_of_which_no_copy_is_there_is_offline(
    built: Path, originals: Path, tmp_path: Path
) -> None:
    shutil.copy(built, tmp_path / "library.db")
    with open_store(tmp_path / "library.db").writer() as catalogue, catalogue.transaction():
        row = catalogue.files()[str(originals / "beach.mp4")]
        catalogue.drop_files([row.path])
        for path in ("/0/b.mp4", "/0/a.mp4"):
            catalogue.put_file(replace(row, path=path))
    with Library.open(tmp_path / "library.db") as opened:
        answer = opened.find("a beach", min_confidence=0.0, limit=100, refine=True)
        gone = {(m.path, m.offline) for m in answer if m.offline}
        assert gone == {(Path("/0/a.mp4"), True)} and len(answer) > 1


def test_the_decoder_that_ships_reads_where_it_is_asked(library: Path) -> None:
    with Library.open(library) as opened:
        assert opened.find("stripes", min_confidence=0).evidence[0].grounding is None
        answer = opened.find("stripes", min_confidence=0, grounder="mllm")
        assert answer.moments
        for moment, candidate in zip(answer.moments, answer.evidence, strict=True):
            assert candidate.grounding is not None
            assert 0 <= candidate.grounding.present <= 1
            assert moment.start_seconds in candidate.window.edges
            assert moment.end_seconds in candidate.window.edges
