"""A library of more videos than a search looks into, with a copy, a bad file and one offline."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from harness import Shelf
from shelves import SIXTY, Archive

from tempo_edge import Library
from tempo_edge.quantization import dequantize
from tempo_edge.search.retrieve import WINDOWS, retrieve


@pytest.fixture
def own(archive: Archive, library_path: Path) -> Shelf:
    """A library of the archive that a test may change; the footage it may not."""
    library_path.parent.mkdir()
    shutil.copy(archive.library, library_path)
    return Shelf(library_path)


@pytest.mark.parametrize("number", [0, 1, 29, 30, 58, 59])
def test_of_many_videos_those_most_like_what_is_asked_are_looked_into(
    archive: Archive, number: int
) -> None:
    """A frame of a film is asked for: that film comes first, and the others by their likeness."""
    with Library.open(archive.library) as library:
        videos = {Path(row.path).name: row.video_id for row in library.files()}
        asked = videos[f"{number:02}.mp4"]
        assert asked is not None
        _, _, packed = library.catalogue.frames_between(asked, -(2**60), 2**60)
        query = dequantize(packed)[0]
        library.vectors.refresh()
        windows = retrieve(query, library.catalogue, library.vectors)
        best: dict[int, float] = {}
        for video in {v for v in videos.values() if v}:
            _, _, packed = library.catalogue.frames_between(video, -(2**60), 2**60)
            best[video] = float((dequantize(packed) @ query).max())
    found = [window.video_id for window in windows]
    assert len(set(best)) == SIXTY > WINDOWS >= len(found)
    assert found[0] == asked
    worst_found = min(best[video] for video in found)
    left_out = [best[video] for video in best if video not in found]
    # A cached vector is rounded once more.
    assert len(left_out) >= SIXTY - WINDOWS and max(left_out) <= worst_found + 0.02


def test_a_copy_is_told_with_its_film_and_what_is_offline_is_said(
    archive: Archive, own: Shelf
) -> None:
    moments = own.found("clouds")
    assert len({moment.path for moment in moments}) == len(moments), "one answer a film"
    near = own.found("clouds", within=[archive.twice, archive.copy, archive.offline])
    assert {moment.path for moment in near} in (
        {archive.twice, archive.offline},
        {archive.copy, archive.offline},
    )
    for moment in near:
        assert moment.offline is (moment.path == archive.offline)
        others = {other.path for other in moment.copies}
        assert others == {archive.twice, archive.copy} - {moment.path} or moment.offline


def test_one_film_less_is_one_film_less(archive: Archive, own: Shelf) -> None:
    """A file without a video among them is no reason to keep every video, nor to drop any."""
    with Library.open(own.path) as library:
        before = library.totals()["videos"]
        library.forget(archive.films[30])
        assert library.totals()["videos"] == before - 1 == SIXTY - 1
        library.forget(archive.copy)
        assert library.totals()["videos"] == SIXTY - 1, "its film has another file"
        library.forget(archive.twice)
        assert library.totals()["videos"] == SIXTY - 2
    assert own.states()[archive.skipped.name] == "skipped"
    report = own.index(archive.folder)
    # The film that is offline lies here as well, and so does the copy.
    assert (report.indexed, report.reused, report.dropped) == (2, 2, 0)
    states = list(own.states().values())
    assert (states.count("indexed"), states.count("skipped")) == (SIXTY + 1, 1)
