"""All or nothing, and a reader sees one instant and waits for nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from films import CURVE, VIDEO, frame, put
from keepers import Keeper

from tempo_edge.errors import RefusedRowError
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.rows import FileRow

Write = Callable[[WritableCatalogue], object]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, RuntimeError])
def test_a_broken_transaction_leaves_nothing(
    writer: WritableCatalogue, reader: Catalogue, error: type[BaseException]
) -> None:
    put(writer, "a", frames=2, remark="kept")
    writer.set_meta("x", "before")
    with pytest.raises(error), writer.transaction():
        writer.put_video(b"b", VIDEO, [frame(0)], CURVE, "lost")
        writer.put_file(FileRow("/b", "", 1, 1, "skipped", "half"))
        writer.set_meta("x", "after")
        writer.drop_files(["/a"])
        writer.prune()
        raise error
    for catalogue in (writer, reader):
        assert list(catalogue.files()) == ["/a"] and catalogue.video_by_hash(b"b") is None
        assert catalogue.get_meta("x") == "before" and catalogue.count_frames() == 2
        assert catalogue.remark(1) == "kept"
    put(writer, "c")


REFUSED: dict[str, Write] = {
    "two frames of one time": lambda rows: rows.put_video(
        b"z", VIDEO, [frame(0), frame(7), frame(7)], CURVE
    ),
    "a time of more than 64 bits": lambda rows: rows.put_video(b"z", VIDEO, [frame(2**70)], CURVE),
    "a file of a video that is not there": lambda rows: rows.put_file(
        FileRow("/z", "", 1, 1, "indexed", "", 12345)
    ),
    "a file in no known state": lambda rows: rows.put_file(FileRow("/z", "", 1, 1, "odd")),
    "a size of more than 64 bits": lambda rows: rows.put_file(
        FileRow("/z", "", 2**64, 1, "skipped", "big")
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_row_that_is_refused_takes_the_rest_with_it(
    writer: WritableCatalogue, reader: Catalogue, name: str
) -> None:
    put(writer, "a")
    with pytest.raises(RefusedRowError) as refused, writer.transaction():
        writer.set_meta("x", "y")
        writer.drop_files(["/a"])
        REFUSED[name](writer)
    assert str(refused.value) and "\n" not in str(refused.value)
    for catalogue in (writer, reader):
        assert catalogue.get_meta("x") is None and list(catalogue.files()) == ["/a"]
        assert catalogue.video_by_hash(b"z") is None and catalogue.count_frames() == 1
    put(writer, "b")
    assert list(reader.files()) == ["/a", "/b"]


def test_contents_are_stored_once(writer: WritableCatalogue) -> None:
    """Whoever comes second has the video of who came first."""
    first = put(writer, "a", frames=3, remark="first")
    other = replace(VIDEO, width=8)
    with writer.transaction():
        assert writer.put_video(b"a", other, [frame(5)], CURVE, "second") == first
        writer.put_file(FileRow("/copy", "", 1, 1, "indexed", "", first))
    assert writer.video(first) == VIDEO and writer.remark(first) == "first"
    assert writer.count_frames() == writer.count_frames([first]) == 3
    assert writer.variations(first).shape == (3,)
    assert [row.path for row in writer.files_of(first)] == ["/a", "/copy"]
    assert writer.totals()["videos"] == 1


def test_outside_a_transaction_each_change_is_one(
    writer: WritableCatalogue, reader: Catalogue
) -> None:
    writer.set_meta("x", "y")
    assert reader.get_meta("x") == "y"


def test_a_reader_sees_what_was_committed_since(
    writer: WritableCatalogue, reader: Catalogue
) -> None:
    assert reader.count_frames() == 0
    put(writer, "a", frames=3)
    assert reader.count_frames() == 3


def test_a_reader_waits_for_no_writer(writer: WritableCatalogue, reader: Catalogue) -> None:
    """Nor sees what is half written."""
    video = put(writer, "a", frames=3)
    with writer.transaction():
        writer.drop_files(["/a"])
        writer.prune()
        put_inside = writer.put_video(b"b", VIDEO, [frame(0)], CURVE)
        assert writer.video_by_hash(b"b") == put_inside, "who writes sees it"
        with reader.snapshot():
            assert list(reader.files()) == ["/a"] and reader.count_frames() == 3
            assert reader.videos() == [(video, 10.0)] and reader.video_by_hash(b"b") is None
    assert reader.count_frames() == 1 and reader.videos() == []


def test_a_writer_waits_for_no_reader(writer: WritableCatalogue, reader: Catalogue) -> None:
    put(writer, "a")
    with reader.snapshot():
        assert list(reader.files()) == ["/a"]
        for name in "bcd":
            put(writer, name)
    assert list(reader.files()) == ["/a", "/b", "/c", "/d"]


def test_a_snapshot_is_of_one_instant(writer: WritableCatalogue, reader: Catalogue) -> None:
    first = put(writer, "a", frames=3)
    with reader.snapshot():
        assert reader.count_frames() == 3
        second = put(writer, "b", frames=2)
        with writer.transaction():
            writer.drop_files(["/a"])
            writer.prune()
            writer.set_meta("x", "y")
        assert reader.count_frames() == reader.count_frames([first, second]) == 3
        assert list(reader.files()) == ["/a"] and reader.get_meta("x") is None
        assert reader.video(first) == VIDEO and reader.video_by_hash(b"b") is None
        assert len(reader.frame_keys(range(10))) == 3
    with reader.snapshot():
        assert list(reader.files()) == ["/b"] and reader.get_meta("x") == "y"
        assert reader.count_frames([first, second]) == 2


def test_a_snapshot_ends_with_an_error(writer: WritableCatalogue, reader: Catalogue) -> None:
    with pytest.raises(KeyError), reader.snapshot():
        raise KeyError
    put(writer, "a")
    with reader.snapshot():
        assert list(reader.files()) == ["/a"]


def test_what_was_committed_outlives_who_wrote_it(keeper: Keeper) -> None:
    with keeper.store().writer() as writer:
        video = put(writer, "a", [frame(0), frame(40, np.arange(8, dtype=np.int8))])
    with pytest.raises(KeyError), keeper.store().writer() as writer:
        put(writer, "b")
        raise KeyError
    with keeper.store().reader() as reader:
        assert list(reader.files()) == ["/a", "/b"]
        assert reader.frames_of(video, 40, 40)[0].vector.tolist() == list(range(8))
