"""How far later passes are with each video is kept, counted, and goes with the video."""

from __future__ import annotations

from pathlib import Path

import pytest
from films import put

from tempo_edge.errors import RefusedRowError
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.passes import PassState, PassTotals
from tempo_edge.store.rows import FileRow
from tempo_edge.words.line import Line


def due(writer: WritableCatalogue, mark: str = "1", under: str = "/") -> list[str]:
    return [row.path for row in writer.files_due("speech", mark, Path(under))]


def test_a_state_is_kept_by_kind_and_by_video(writer: WritableCatalogue, reader: Catalogue) -> None:
    one, two = put(writer, "a"), put(writer, "b")
    assert writer.pass_state("speech", one) is None
    first = PassState("1", 1 / 3, False, '{"language": "pt"}', "is odd")
    writer.note_pass("speech", one, first)
    writer.note_pass("screen", one, PassState("x"))
    assert writer.pass_state("speech", one) == first
    assert writer.pass_state("screen", one) == PassState("x")
    assert writer.pass_state("speech", two) is None
    writer.note_pass("speech", one, PassState("2", 2.5, True))
    with reader.snapshot():
        assert reader.pass_state("speech", one) == PassState("2", 2.5, True)


def test_a_pass_of_a_video_that_is_not_there_is_refused(writer: WritableCatalogue) -> None:
    with pytest.raises(RefusedRowError), writer.transaction():
        writer.note_pass("speech", 77, PassState("1"))


def test_files_are_due_until_a_pass_of_that_mark_is_done(writer: WritableCatalogue) -> None:
    one, _ = put(writer, "b", path="/v/b"), put(writer, "a", path="/a")
    writer.put_file(FileRow("/v/copy", "", 1, 1, "indexed", "", one))
    writer.put_file(FileRow("/v/notes", "", 1, 1, "skipped", "is no video"))
    assert due(writer) == ["/a", "/v/b", "/v/copy"]
    assert due(writer, under="/v") == ["/v/b", "/v/copy"] and due(writer, under="/a") == ["/a"]
    writer.note_pass("speech", one, PassState("1", 2.0))
    writer.note_pass("screen", one, PassState("1", 2.0, True))
    assert due(writer, under="/v") == ["/v/b", "/v/copy"]
    writer.note_pass("speech", one, PassState("1", 2.0, True))
    assert due(writer) == ["/a"] and due(writer, "2", "/v") == ["/v/b", "/v/copy"]


def test_what_has_been_read_is_counted(writer: WritableCatalogue, reader: Catalogue) -> None:
    ids = [put(writer, name) for name in "abc"]
    length = writer.video(ids[0]).duration_seconds
    assert writer.pass_totals("speech") == PassTotals(0, 3, 0.0, 3 * length)
    writer.note_pass("speech", ids[0], PassState("1", 0.0, True))
    writer.note_pass("speech", ids[1], PassState("1", length / 4))
    writer.note_pass("speech", ids[2], PassState("1", length * 4))
    writer.note_pass("screen", ids[1], PassState("1", 0.0, True))
    with reader.snapshot():
        told = reader.pass_totals("speech")
    assert told == PassTotals(1, 3, pytest.approx(2.25 * length), 3 * length)  # type: ignore[arg-type]
    writer.drop_files(["/a"])
    assert writer.pass_totals("speech").videos == 2


def test_remarks_are_of_every_file_of_the_video(writer: WritableCatalogue) -> None:
    one = put(writer, "b", path="/v/b")
    put(writer, "a")
    writer.put_file(FileRow("/a2", "", 1, 1, "indexed", "", one))
    writer.note_pass("speech", one, PassState("1", remark="is hoarse"))
    both = [("/a2", "is hoarse"), ("/v/b", "is hoarse")]
    assert list(writer.pass_remarks()) == list(writer.pass_remarks(Path("/"))) == both
    assert list(writer.pass_remarks(Path("/v"))) == both[1:]


def test_a_pass_goes_with_its_video_and_stays_with_a_file_that_is_moved(
    writer: WritableCatalogue,
) -> None:
    video = put(writer, "a")
    writer.note_pass("speech", video, PassState("1", remark="is hoarse"))
    writer.put_file(FileRow("/moved", "", 1, 1, "indexed", "", video))
    writer.drop_files(["/a"])
    writer.prune()
    assert list(writer.pass_remarks()) == [("/moved", "is hoarse")]
    writer.drop_files(["/moved"])
    writer.prune()
    assert writer.pass_state("speech", video) is None and list(writer.pass_remarks()) == []


def test_lines_are_put_beside_those_that_there_are(writer: WritableCatalogue) -> None:
    video = put(writer, "a")
    lines = [Line(float(at), at + 1.0, "speech", text) for at, text in enumerate(["one", "two"])]
    writer.add_lines(video, lines[1:])
    writer.add_lines(video, [])
    writer.add_lines(video, lines[:1])
    assert writer.lines(video) == lines
    assert [hit.line.text for hit in writer.matching_lines(["two"], 1)] == ["two"]
    writer.put_lines(video, ["speech"], [])
    assert writer.lines(video) == []
