"""What is indexed is listed in the order that is asked for, with what is known of each video."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from films import CURVE, VIDEO, frame, put

from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.listing import PassShare
from tempo_edge.store.passes import PassState
from tempo_edge.store.rows import FileRow
from tempo_edge.words.line import Line


def stored(writer: WritableCatalogue, path: str, seconds: float, size: int) -> int:
    """A film of some length in a file of some size."""
    with writer.transaction():
        video = replace(VIDEO, duration_seconds=seconds)
        number = writer.put_video(path.encode(), video, [frame(0), frame(5)], CURVE)
        writer.put_file(FileRow(path, "", size, 1, "indexed", "", number))
    return number


def test_all_that_is_known_is_told(writer: WritableCatalogue, reader: Catalogue) -> None:
    began = time.time()
    one = put(writer, "a", 3, remark="is odd")
    writer.put_lines(one, ["subtitle", "chapter"], [Line(0.0, 1.0, "subtitle", "hello", "en", 1.0)])
    writer.note_pass("speech", one, PassState("1", 4.0))
    writer.note_pass("screen", one, PassState("1", 10.0, True))
    writer.put_file(FileRow("/notes", "", 1, 1, "skipped", "is no video"))
    with reader.snapshot():
        (listed,) = reader.each_video()
    assert listed.file == FileRow("/a", "", 1, 1, "indexed", "is odd", one)
    assert (listed.codec, listed.width, listed.height) == (VIDEO.codec, VIDEO.width, VIDEO.height)
    assert (listed.duration_seconds, listed.frames) == (VIDEO.duration_seconds, 3)
    assert listed.lines == {"subtitle": 1}
    assert listed.passes == {"speech": PassShare(4.0, False), "screen": PassShare(10.0, True)}
    assert listed.indexed_seconds is not None and began <= listed.indexed_seconds <= time.time()


def test_orders(writer: WritableCatalogue) -> None:
    stored(writer, "/b", 5.0, 10)
    stored(writer, "/a", 5.0, 30)
    late = stored(writer, "/c/d", 9.0, 20)
    writer.put_file(FileRow("/aa", "", 30, 1, "indexed", "", late))

    def paths(order: str, under: str | None = None, limit: int | None = None) -> list[str]:
        scope = None if under is None else Path(under)
        return [each.file.path for each in writer.each_video(scope, order, limit)]

    assert paths("name") == ["/a", "/aa", "/b", "/c/d"]
    assert paths("time") == ["/aa", "/c/d", "/a", "/b"]
    assert paths("length") == ["/aa", "/c/d", "/a", "/b"]
    assert paths("size") == ["/a", "/aa", "/c/d", "/b"]
    assert paths("size", limit=2) == ["/a", "/aa"]
    assert paths("name", "/c") == ["/c/d"] and paths("name", "/a") == ["/a"]
    assert paths("name", "/nowhere") == []


def test_what_was_indexed_goes_with_its_video(writer: WritableCatalogue) -> None:
    put(writer, "a")
    with writer.transaction():
        writer.drop_files(["/a"])
        writer.prune()
    assert list(writer.each_video()) == []
    put(writer, "a")  # whose note would be refused if the old one were still there
    assert [each.file.path for each in writer.each_video()] == ["/a"]


def test_few_are_in_memory_at_a_time(writer: WritableCatalogue) -> None:
    for number in range(50):
        put(writer, f"{number:02}")
    listed = writer.each_video()
    assert next(listed).file.path == "/00"
    listed.close()  # type: ignore[attr-defined]
    put(writer, "more")


@pytest.mark.parametrize("order", ["name", "time", "length", "size"])
def test_of_an_empty_library_nothing_is_listed(writer: WritableCatalogue, order: str) -> None:
    assert list(writer.each_video(order=order)) == []
