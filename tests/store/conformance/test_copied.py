"""A library is copied from each store into each, whole, once, and again after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import ALL, DIM, VIDEO, known, put
from keepers import KEEPERS, Keeper

from tempo_edge.capture.facts import Capture, Coordinates, Instant
from tempo_edge.errors import LibraryError, NoLibraryError
from tempo_edge.library_copy import CopyReport, copy_library
from tempo_edge.models import load_profile
from tempo_edge.quantization import quantize
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.passes import PassState
from tempo_edge.store.rows import Contents, FileRow, FrameRow, VideoRow
from tempo_edge.store.saved import Claim, SavedRow
from tempo_edge.words.line import KINDS, Line

CAPTURE = Capture(
    Instant(datetime(2023, 7, 4, 12), 120), "container", Coordinates(48.8, 2.3), "Paris", "A", "B"
)
SEARCH = SavedRow(0, "dogs", '{"query": 1}', "{}", "seal", 0, 0, 0)


@pytest.fixture(params=KEEPERS)
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Keeper:
    """Somewhere else to keep a library."""
    folder = tmp_path / "copied"
    folder.mkdir()
    return KEEPERS[request.param](folder)


def frames(seed: int, count: int = 5) -> list[FrameRow]:
    """Looks with tokens, none like another."""
    generator = np.random.default_rng(seed)
    vectors = quantize(generator.standard_normal((count, DIM)))
    cells = [np.arange(number % 3, dtype=np.uint8) for number in range(count)]
    return [
        FrameRow(
            40 * number - 3,
            float(generator.random()),
            number % 2 == 1,
            vectors[number],
            cells[number],
            quantize(generator.standard_normal((len(cells[number]), DIM))),
        )
        for number in range(count)
    ]


def fill(writer: WritableCatalogue) -> None:
    """A library with something of all that one can know."""
    writer.set_meta("profile", "nano-1")
    facts = VideoRow(
        "hevc",
        1920,
        1080,
        12.5,
        Fraction(30000, 1001),
        Fraction(1, 90000),
        Fraction(1, 3),
        ((1, 9),),
    )
    curve = np.asarray([[0.0, 0.25], [1.5, 0.125]], np.float32)
    with writer.transaction():
        video = writer.put_video(b"one", facts, frames(1), curve, "is damaged at 3 s", 1e9)
        writer.note_contents(video, Contents(7, b"s", None, bytes(32)))
        for name in ("/films/one é.mp4", "/copies/one.mp4"):
            writer.put_file(FileRow(name, "8:1:/", 7, -5, "indexed", "odd", video))
        writer.note_capture("/films/one é.mp4", "m", CAPTURE)
        lines = [
            Line(2.0, 3.0, "speech", "a dog barks", "en", 0.5, "heard"),
            Line(0.0, 1.0, "speech", "first said", "en", 0.75, "heard"),
            Line(0.0, 4.0, "subtitle", "un chien", "fr"),
        ]
        writer.put_lines(video, KINDS, lines)
        beside = [Line(1.0, 2.0, "subtitle", "beside it"), Line(0.0, 9.0, "name", "one")]
        writer.put_lines(video, KINDS, beside, "/films/one é.mp4")
        writer.note_words("/films/one é.mp4", "w", "one.srt: has no end")
        writer.note_words("/copies/one.mp4", "")
        writer.note_pass("speech", video, PassState("p", 3.0, False, "notes", "is noisy"))
    put(writer, "plain", frames(2))
    put(writer, "silent", frames(3, 0))
    writer.put_file(FileRow("/films/notes.mp4", "", 3, 4, "skipped", "is no video"))
    writer.begin_line_vectors("reader-1")
    hits = writer.lines_to_read(100)
    drawn = quantize(np.random.default_rng(9).standard_normal((len(hits), 16)))
    ids = [hit.id for hit in hits]
    writer.put_line_vectors(ids[-1], ids[1:], drawn[1:])  # of the first nothing could be made
    number = writer.put_saved(replace(SEARCH, since_video=1, video=2, line=1))
    writer.put_claim(Claim("c", number, b"one", 1.0, 2.0, "{}", ("told",), True))


def told(catalogue: Catalogue) -> list[object]:
    """All that a library says, by what no store chooses itself."""
    said: list[object] = [catalogue.get_meta("profile"), catalogue.totals()]
    for path, row in catalogue.files().items():
        said += [replace(row, video_id=None), catalogue.file_capture(path)]
        words = catalogue.file_words(path)
        said += [None if words is None else (words.mark, words.remark)]
        said += [hit.line for hit in words.lines] if words is not None else []
    vectors = known(catalogue)
    said.append(sorted(vector.tobytes() for vector in vectors.values()))
    for video, _ in catalogue.videos():
        said += [catalogue.contents_key(video), catalogue.video(video), catalogue.remark(video)]
        said += [catalogue.contents(video), catalogue.capture(video), catalogue.lines(video)]
        said += [catalogue.curve(video).tolist(), catalogue.pass_state("speech", video)]
        for frame in catalogue.frames_of(video, *ALL):
            arrays = frame.vector.tobytes(), frame.cells.tobytes(), frame.tokens.tobytes()
            said += [frame.pts, frame.variation, frame.cut, arrays]
    for listed in catalogue.each_video(order="time"):
        said.append((listed.file.path, listed.indexed_seconds == 1e9, listed.lines, listed.passes))
    ids = {hit.id: hit.line.text for hit in lines_of(catalogue)}
    found, packed = catalogue.line_vectors(list(ids))
    said += [catalogue.line_model(), catalogue.lines_to_read(9)]
    said.append(sorted((ids[i], v.tobytes()) for i, v in zip(found.tolist(), packed, strict=True)))
    for search in catalogue.saved():
        said += [search.name, search.query, search.seal]
        said += [catalogue.contents_key(video) for video in catalogue.videos_due(search)]
        said += [replace(claim, search=0) for claim in catalogue.claims(search.number)]
    return said


def lines_of(catalogue: Catalogue) -> list[object]:
    return list(catalogue.lines_by_id(range(1, 100)))


def both(one: Keeper, two: Keeper) -> None:
    """Compare two libraries."""
    with one.store().reader() as before, before.snapshot():
        expected = told(before)
    with two.store().reader() as after, after.snapshot():
        assert told(after) == expected


def test_all_of_it_is_there(writer: WritableCatalogue, keeper: Keeper, other: Keeper) -> None:
    fill(writer)
    report = copy_library(keeper.name, other.name)
    assert report == CopyReport(videos=3, copied=3, files=5, saved=1) and report.is_whole
    both(keeper, other)
    again = copy_library(keeper.name, other.name)
    assert (again.copied, again.there, again.saved, again.saved_there) == (0, 3, 0, ["dogs"])
    both(keeper, other)


def test_what_is_new_comes_with_the_next_copy(
    writer: WritableCatalogue, keeper: Keeper, other: Keeper
) -> None:
    fill(writer)
    copy_library(keeper.name, other.name)
    video = writer.video_by_hash(b"one")
    assert video is not None
    with writer.transaction():
        writer.add_lines(video, [Line(5.0, 6.0, "speech", "said later")])
        writer.note_pass("speech", video, PassState("p", 9.0, True))
        writer.note_remark(video, "is whole")
    put(writer, "new", frames(4))
    writer.drop_files(["/plain"])
    hits = writer.lines_to_read(9)
    writer.put_line_vectors(hits[-1].id, [hits[-1].id], quantize(np.ones((1, 16))))
    report = copy_library(keeper.name, other.name)
    assert (report.videos, report.copied, report.there) == (3, 2, 1)
    with other.store().writer() as copied:
        copied.drop_files(["/plain"])  # nothing is taken away by a copy
    both(keeper, other)


def test_what_the_other_one_knows_besides_stays(
    writer: WritableCatalogue, keeper: Keeper, other: Keeper
) -> None:
    fill(writer)
    with other.store().lock(), other.store().writer() as there:
        there.set_meta("profile", "nano-1")
        mine = put(there, "mine", frames(7))
        heard = put(there, "plain", frames(2))
        there.put_lines(heard, ["speech"], [Line(0.0, 1.0, "speech", "heard there")])
        there.note_pass("speech", heard, PassState("q", 1.0, True))
        odd = there.put_video(b"one", VIDEO, frames(8), np.zeros((0, 2), np.float32))
        there.put_file(FileRow("/one", "", 1, 1, "indexed", "", odd))
    report = copy_library(keeper.name, other.name)
    assert report.kept == ["/copies/one.mp4"] and not report.is_whole
    with other.store().reader() as after, after.snapshot():
        assert after.file("/mine").video_id == mine  # type: ignore[union-attr]
        assert [line.text for line in after.lines(heard)] == ["heard there"]
        assert after.video(odd) == VIDEO and len(after.frames_of(odd, *ALL)) == 5
        assert {row.path for row in after.files_of(odd)} >= {"/one", "/films/one é.mp4"}


_KILLED = """
import os, signal, sys
from tempo_edge.library_copy import copy_library
def at(done, videos, path):
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
copy_library(sys.argv[1], sys.argv[2], on_video=at)
"""


def test_a_copy_that_was_killed_goes_on(
    writer: WritableCatalogue, keeper: Keeper, other: Keeper
) -> None:
    fill(writer)
    line = [sys.executable, "-c", _KILLED, keeper.name, other.name]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    assert subprocess.run(line, env=environment, check=False).returncode == -signal.SIGKILL
    with other.store().reader() as after, after.snapshot():
        assert [after.contents_key(video) for video, _ in after.videos()] == [b"one", b"plain"]
    report = copy_library(keeper.name, other.name)
    assert (report.copied, report.there) == (1, 2)
    both(keeper, other)


def test_it_is_refused_where_it_can_not_be(
    writer: WritableCatalogue, keeper: Keeper, other: Keeper
) -> None:
    with pytest.raises(LibraryError, match="the library itself"):
        copy_library(keeper.name, keeper.name)
    with pytest.raises(NoLibraryError):
        copy_library(other.name, keeper.name)
    writer.set_meta("profile", "nano-1")
    with other.store().lock(), other.store().writer() as there:
        there.set_meta("profile", "vit-2")
        with pytest.raises(LibraryError):  # somebody writes there
            copy_library(keeper.name, other.name)
    with pytest.raises(LibraryError, match="was read with profile 'vit-2'"):
        copy_library(keeper.name, other.name)


def test_a_row_that_can_not_be_read_ends_nothing(
    writer: WritableCatalogue, keeper: Keeper, other: Keeper
) -> None:
    profile = load_profile("nano")
    writer.set_meta("profile", profile.fingerprint)
    for name, length in (("good", profile.dim), ("bad", 3), ("last", profile.dim)):
        vector = np.ones(length, np.int8)
        tokens = np.zeros(0, np.uint8), np.zeros((0, length), np.int8)
        put(writer, name, [FrameRow(0, 0.5, False, vector, *tokens)])
    report = copy_library(keeper.name, other.name)
    ((path, why),) = report.refused
    assert path == "/bad" and "is damaged: vector of" in why
    assert (report.copied, report.is_whole) == (2, False)
    with other.store().reader() as after, after.snapshot():
        assert sorted(after.files()) == ["/good", "/last"]
