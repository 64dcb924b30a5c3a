"""A second run does what is needed and no more, on real videos with the real profile."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from harness import Shelf
from videos import make_video, texture

import tempo_edge
from tempo_edge.errors import LibraryError
from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.report import IndexEvent, IndexReport
from tempo_edge.indexing.session import WritingSession
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow

VIDEOS = {"beach.mp4", "street.mkv", "garden.mp4"}


@pytest.fixture
def indexed(shelf: Shelf, footage: Path) -> Shelf:
    """The three videos, indexed by an earlier run."""
    report = shelf.index(footage)
    assert (report.indexed, report.skipped) == (3, 0)
    return shelf


def counts(report: IndexReport) -> dict[str, int]:
    """What a run did, without what it didn't."""
    kinds = ("indexed", "reused", "unchanged", "skipped", "dropped", "offline")
    return {kind: getattr(report, kind) for kind in kinds if getattr(report, kind)}


def test_the_first_run_reads_everything(shelf: Shelf, footage: Path, decoded: list[str]) -> None:
    report = shelf.index(footage)
    assert counts(report) == {"indexed": 3}
    assert set(decoded) == VIDEOS
    assert report.footage_seconds == pytest.approx(9, abs=0.3)
    assert report.elapsed_seconds > 0
    assert not report.stopped
    assert shelf.found_names() == VIDEOS
    kinds = [event.kind for event in shelf.events if event.path.endswith("beach.mp4")]
    assert kinds[0] == "started" and kinds[-1] == "indexed"
    assert {event.files for event in shelf.events} == {3}


def test_a_second_run_reads_nothing(indexed: Shelf, footage: Path, decoded: list[str]) -> None:
    assert counts(indexed.index(footage)) == {"unchanged": 3}
    assert decoded == []
    assert indexed.events == []


def test_unchanged_files_cost_microseconds(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    rows = []
    for branch in range(100):
        (folder / str(branch)).mkdir(parents=True)
        for leaf in range(100):
            path = folder / str(branch) / f"{leaf}.mp4"
            path.write_bytes(b"x")
            rows.append(FileRow(str(path), "", 1, path.stat().st_mtime_ns, "indexed"))
    catalogue = open_store(tmp_path / "library.db").writer()
    try:
        with catalogue.transaction():
            for row in rows:
                catalogue.put_file(row)
        indexer = Indexer(catalogue, None, None)  # type: ignore[arg-type]  # nothing is read
        indexer.index([folder])
        began = time.process_time()
        report = indexer.index([folder])
        spent = time.process_time() - began
    finally:
        catalogue.close()
    assert counts(report) == {"unchanged": 10_000}
    assert spent < 1


def test_a_changed_file_is_read_again(indexed: Shelf, footage: Path, decoded: list[str]) -> None:
    make_video(footage / "beach.mp4", shots=[(texture(9), 1)], size=(128, 96), rate=Fraction(10))
    assert counts(indexed.index(footage)) == {"indexed": 1, "unchanged": 2}
    assert decoded == ["beach.mp4"]
    (moment,) = indexed.found(within=footage / "beach.mp4")
    assert moment.end_seconds == pytest.approx(1, abs=0.15)


def test_a_change_that_keeps_the_size_is_seen(
    indexed: Shelf, footage: Path, decoded: list[str]
) -> None:
    path = footage / "beach.mp4"
    content = bytearray(path.read_bytes())
    at = content.index(b"mdat") + 400
    content[at] ^= 0xFF
    path.write_bytes(content)
    report = indexed.index(footage)
    assert counts(report) == {"indexed": 1, "unchanged": 2}
    assert decoded == ["beach.mp4"]


def test_a_new_time_of_change_alone_costs_no_decoding(
    indexed: Shelf, footage: Path, decoded: list[str]
) -> None:
    os.utime(footage / "beach.mp4", (1, 1))
    assert counts(indexed.index(footage)) == {"reused": 1, "unchanged": 2}
    assert counts(indexed.index(footage)) == {"unchanged": 3}
    assert decoded == []


def test_a_renamed_file_costs_no_decoding(
    indexed: Shelf, footage: Path, decoded: list[str]
) -> None:
    (footage / "beach.mp4").rename(footage / "coast.mp4")
    assert counts(indexed.index(footage)) == {"reused": 1, "unchanged": 2, "dropped": 1}
    assert decoded == []
    assert indexed.found_names() == {"coast.mp4", "street.mkv", "garden.mp4"}


def test_a_moved_folder_costs_no_decoding(
    indexed: Shelf, footage: Path, decoded: list[str]
) -> None:
    footage.rename(footage.with_name("moved"))
    report = indexed.index(footage, footage.with_name("moved"))
    assert counts(report) == {"reused": 3, "dropped": 3}
    assert decoded == []
    assert {m.path.parent.name for m in indexed.found()} == {"moved"}


def test_a_copy_costs_no_decoding_and_is_one_answer(
    indexed: Shelf, footage: Path, decoded: list[str]
) -> None:
    shutil.copy(footage / "beach.mp4", footage / "copy.mp4")
    before = indexed.found()
    assert counts(indexed.index(footage)) == {"reused": 1, "unchanged": 3}
    assert decoded == []
    now = indexed.found()
    assert [replace(moment, copies=()) for moment in now] == before
    copied = {copy.path.name for moment in now for copy in moment.copies}
    assert copied == {"copy.mp4"}, "told as what it is"
    assert indexed.found_names(within=footage / "copy.mp4") == {"beach.mp4"}


def test_two_files_of_the_same_contents_are_read_once(
    shelf: Shelf, footage: Path, decoded: list[str]
) -> None:
    shutil.copy(footage / "beach.mp4", footage / "z.mp4")
    assert counts(shelf.index(footage)) == {"indexed": 3, "reused": 1}
    assert len(decoded) == 3


def test_a_deleted_file_is_forgotten(indexed: Shelf, footage: Path) -> None:
    (footage / "beach.mp4").unlink()
    assert counts(indexed.index(footage)) == {"unchanged": 2, "dropped": 1}
    assert indexed.said("dropped") == [("dropped", "beach.mp4")]
    assert indexed.found_names() == {"street.mkv", "garden.mp4"}
    with tempo_edge.Library.open(indexed.path) as library:
        assert library.totals()["videos"] == 2


def test_one_of_two_copies_may_be_deleted(indexed: Shelf, footage: Path) -> None:
    shutil.copy(footage / "beach.mp4", footage / "copy.mp4")
    indexed.index(footage)
    (footage / "beach.mp4").unlink()
    assert counts(indexed.index(footage)) == {"unchanged": 3, "dropped": 1}
    assert "copy.mp4" in indexed.found_names()


def test_a_deleted_folder_is_forgotten_by_its_name(indexed: Shelf, footage: Path) -> None:
    shutil.rmtree(footage)
    assert counts(indexed.index(footage)) == {"dropped": 3}
    assert indexed.states() == {}
    with pytest.raises(LibraryError, match="there is no file or folder"):
        indexed.index(footage)


def test_a_deleted_file_is_forgotten_by_its_name(indexed: Shelf, footage: Path) -> None:
    (footage / "beach.mp4").unlink()
    assert counts(indexed.index(footage / "beach.mp4")) == {"dropped": 1}
    assert set(indexed.states()) == {"street.mkv", "garden.mp4"}


def test_a_file_that_turns_up_under_another_name_later_costs_no_decoding(
    indexed: Shelf, footage: Path, decoded: list[str]
) -> None:
    (footage / "beach.mp4").rename(footage / "coast.mp4")
    with (
        tempo_edge.Library.open(indexed.path) as library,
        WritingSession(library.store, library.profile, "pyav", None, None) as indexer,
    ):
        gone = indexer.index([footage / "beach.mp4"], prune=False)
        assert counts(gone) == {"dropped": 1}
        assert indexed.found_names() == {"street.mkv", "garden.mp4"}
        assert counts(indexer.index([footage / "coast.mp4"])) == {"reused": 1}
    assert decoded == []


def test_what_lies_elsewhere_is_left_alone(indexed: Shelf, footage: Path, tmp_path: Path) -> None:
    (tmp_path / "footage2").mkdir()
    (footage / "beach.mp4").rename(tmp_path / "footage2" / "beach.mp4")
    assert counts(indexed.index(tmp_path / "footage2")) == {"reused": 1}
    assert len(indexed.states()) == 3 and indexed.found_names() == VIDEOS


def test_a_file_is_looked_at_once_however_often_it_is_named(shelf: Shelf, footage: Path) -> None:
    (footage / "bad.mp4").write_bytes(b"bad")
    paths = (footage, footage / "bad.mp4", footage / ".." / "footage", footage / "beach.mp4")
    report = shelf.index(*paths)
    assert counts(report) == {"indexed": 3, "skipped": 1}
    assert len(shelf.said("skipped")) == 1
    assert counts(shelf.index(*paths)) == {"unchanged": 4}


def test_paths_may_be_relative_or_begin_at_home(
    shelf: Shelf, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(footage.parent))
    monkeypatch.chdir(footage.parent)
    with tempo_edge.Library.open(shelf.path) as library:
        assert library.index("footage/beach.mp4").indexed == 1
        assert library.index("~/footage").indexed == 2
        assert {row.path for row in library.files("~/footage")} == {
            str(footage / name) for name in VIDEOS
        }
        assert len(library.files("footage/../footage/beach.mp4")) == 1


def test_a_root_that_is_a_link_is_searched_under_its_name(
    shelf: Shelf, footage: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(footage)
    assert shelf.index(tmp_path / "link").indexed == 3
    assert {m.path.parent for m in shelf.found(within=tmp_path / "link")} == {tmp_path / "link"}
    assert counts(shelf.index(tmp_path / "link")) == {"unchanged": 3}


@pytest.mark.parametrize(
    "name", ["two words.mp4", "two\nlines.mp4", "née.mp4", "'\";--.mp4", "%_.mp4"]
)
def test_any_name_is_found_again(shelf: Shelf, footage: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "odd").mkdir()
    (footage / "garden.mp4").rename(tmp_path / "odd" / name)
    shelf.index(tmp_path / "odd")
    assert shelf.found_names(within=tmp_path / "odd" / name) == {name}
    assert counts(shelf.index(tmp_path / "odd")) == {"unchanged": 1}


def test_a_file_that_was_mended_is_read(shelf: Shelf, footage: Path) -> None:
    whole = (footage / "beach.mp4").read_bytes()
    (footage / "beach.mp4").write_bytes(whole[:500])
    assert shelf.index(footage).skipped == 1
    assert counts(shelf.index(footage)) == {"unchanged": 3}
    (footage / "beach.mp4").write_bytes(whole)
    assert counts(shelf.index(footage)) == {"indexed": 1, "unchanged": 2}


def test_a_file_that_broke_is_no_longer_found(indexed: Shelf, footage: Path) -> None:
    (footage / "beach.mp4").write_bytes(b"")
    assert counts(indexed.index(footage)) == {"unchanged": 2, "skipped": 1}
    assert indexed.found_names() == {"street.mkv", "garden.mp4"}
    assert indexed.reasons() == {"beach.mp4": "is empty (0 bytes)"}


def test_a_folder_that_can_not_be_listed_keeps_what_is_known_of_it(
    indexed: Shelf, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (footage / "in").mkdir()
    for name in ("beach.mp4", "street.mkv"):
        (footage / name).rename(footage / "in" / name)
    indexed.index(footage)
    scandir = os.scandir

    def stumble(path: str | Path) -> object:
        if str(path).endswith("/in"):
            raise OSError(5, "Input/output error", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", stumble)
    assert counts(indexed.index(footage)) == {"unchanged": 1, "skipped": 1}
    assert indexed.reasons() == {"in": "can't be listed: input/output error"}
    assert indexed.found_names() == VIDEOS
    monkeypatch.undo()
    assert counts(indexed.index(footage)) == {"unchanged": 3, "dropped": 1}
    assert indexed.reasons() == {}


def test_a_disk_that_stumbles_costs_no_vectors(
    indexed: Shelf, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.stat

    def stumble(path: object, **choices: object) -> os.stat_result:
        if str(path).endswith("beach.mp4"):
            raise OSError(5, "Input/output error", path)
        return stat(path, **choices)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", stumble)
    assert counts(indexed.index(footage)) == {"unchanged": 2, "skipped": 1}
    monkeypatch.undo()
    assert indexed.states()["beach.mp4"] == "indexed"
    assert counts(indexed.index(footage)) == {"unchanged": 3}


def test_a_run_that_is_asked_to_stop_keeps_whole_files(
    shelf: Shelf, footage: Path, library_path: Path
) -> None:
    asked: list[str] = []
    with tempo_edge.Library.open(library_path) as library:

        def note(event: IndexEvent) -> None:
            asked.append(event.kind)

        with WritingSession(
            library.store, library.profile, "pyav", None, note, lambda: "indexed" in asked
        ) as indexer:
            report = indexer.index([footage])
    assert report.stopped and counts(report) == {"indexed": 1}
    assert counts(shelf.index(footage)) == {"indexed": 2, "unchanged": 1}


def test_a_run_that_is_asked_to_stop_within_a_film_leaves_it(shelf: Shelf, long_film: Path) -> None:
    told: list[str] = []
    with tempo_edge.Library.open(shelf.path) as library:

        def note(event: IndexEvent) -> None:
            told.append(event.kind)

        with WritingSession(
            library.store, library.profile, "pyav", None, note, lambda: "progress" in told
        ) as indexer:
            report = indexer.index([long_film])
    assert report.stopped and counts(report) == {}
    assert told == ["started", "progress"]
    assert shelf.states() == {}


def test_what_the_caller_raises_comes_through(shelf: Shelf, long_film: Path) -> None:
    def fail(event: IndexEvent) -> None:
        if event.kind == "progress":
            raise ZeroDivisionError

    with tempo_edge.Library.open(shelf.path) as library, pytest.raises(ZeroDivisionError):
        library.index(long_film, on_event=fail)
    assert shelf.states() == {}


def test_progress_of_a_long_film_rises(shelf: Shelf, long_film: Path) -> None:
    shelf.index(long_film)
    done = [event.done_seconds for event in shelf.events if event.kind == "progress"]
    assert len(done) >= 2 and done == sorted(done)
    assert all(0 < seconds <= 150.5 for seconds in done)


def test_frames_that_a_killed_run_left_behind_are_swept_up(indexed: Shelf, footage: Path) -> None:
    rows = sqlite3.connect(indexed.path)
    with rows:
        rows.execute("DELETE FROM files WHERE path LIKE '%beach.mp4'")
    rows.close()
    assert indexed.found_names() == {"street.mkv", "garden.mp4"}, "nothing shows them"
    (footage / "beach.mp4").unlink()
    assert counts(indexed.index(footage)) == {"unchanged": 2}
    with tempo_edge.Library.open(indexed.path) as library:
        assert library.totals()["videos"] == 2


def test_a_search_sees_a_renamed_file_all_along(indexed: Shelf, footage: Path) -> None:
    """While a run is under way its deletions are not done yet, so nothing is missing meanwhile."""
    (footage / "beach.mp4").rename(footage / "coast.mp4")
    seen: list[set[str]] = []
    with tempo_edge.Library.open(indexed.path) as library:

        def search(event: IndexEvent) -> None:
            seen.append(indexed.found_names())

        library.index(footage, on_event=search)
    assert seen
    assert all({"beach.mp4"} <= names or {"coast.mp4"} <= names for names in seen)
