"""Words go into a library with their films, and are read again when they change: pictures not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from harness import Shelf
from subtitled import srt, vtt, with_text
from videos import make_video, texture

import tempo_edge
from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.indexing import confined_words
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.words import reading

Lines = list[tuple[str, str, float]]


def lines(shelf: Shelf, query: str = "morning", **rest: object) -> Lines:
    """(text, source, start) of the lines that match."""
    with tempo_edge.Library.open(shelf.path) as library:
        found = library.lines(query, **rest)  # type: ignore[arg-type]
    return [(each.line.text, each.line.source, each.line.start_seconds) for each in found]


def said(shelf: Shelf) -> dict[str, str]:
    """What there is to say of the words of files, by name."""
    with tempo_edge.Library.open(shelf.path) as library:
        return {Path(path).name: remark for path, remark in library.words_read().remarks}


@pytest.fixture
def spoken(footage: Path) -> Path:
    """The footage; one film carries text, and another has it beside."""
    plain = make_video(footage.parent / "plain.mp4", shots=[(texture(6), 3)], size=(128, 96))
    text = srt([(1, 2, "morning, carried")])
    with_text(plain.path, footage / "street.mkv", [("srt", text, "en")])
    (footage / "beach.en.srt").write_text(srt([(0.5, 1.5, "morning, beside")]))
    return footage


CARRIED, BESIDE = ("morning, carried", "stream 1", 1.0), ("morning, beside", "beach.en.srt", 0.5)


def test_words_are_read_with_the_film(shelf: Shelf, spoken: Path) -> None:
    report = shelf.index(spoken)
    assert (report.indexed, report.words) == (3, 0)
    assert set(lines(shelf)) == {CARRIED, BESIDE}
    assert lines(shelf, "garden") == [("garden", "file name", 0.0)]
    with tempo_edge.Library.open(shelf.path) as library:
        assert library.words_read().counts["subtitle"] == 2
        (match, *_) = library.lines("beside")
    assert (match.path, match.offline) == (spoken / "beach.mp4", False)


def test_nothing_is_read_again_that_is_as_it_was(shelf: Shelf, spoken: Path) -> None:
    shelf.index(spoken)
    report = shelf.index(spoken)
    assert (report.unchanged, report.words, shelf.events) == (3, 0, [])


def test_a_file_beside_a_film_that_comes_changes_or_goes_is_noticed(
    shelf: Shelf, spoken: Path, decoded: list[str]
) -> None:
    beside = spoken / "garden.vtt"
    shelf.index(spoken)
    decoded.clear()
    beside.write_text(vtt([(0, 1, "good morning")]))
    assert shelf.index(spoken).words == 1 and shelf.said("words") == [("words", "garden.mp4")]
    assert lines(shelf, "good") == [("good morning", "garden.vtt", 0.0)]
    beside.write_text(vtt([(0.25, 1, "a better morning")]))
    assert shelf.index(spoken).words == 1
    assert lines(shelf, "good") == [] and len(lines(shelf, "better")) == 1
    beside.unlink()
    report = shelf.index(spoken)
    assert (report.words, report.unchanged) == (1, 3)
    assert lines(shelf, "better") == [] and set(lines(shelf)) == {CARRIED, BESIDE}
    assert decoded == []


def test_words_may_be_left_for_later(shelf: Shelf, spoken: Path, decoded: list[str]) -> None:
    shelf.index(spoken, words="none")
    assert lines(shelf) == lines(shelf, "garden") == []
    decoded.clear()
    assert shelf.index(spoken).words == 3
    assert [(each.position, each.files) for each in shelf.events] == [(1, 3), (2, 3), (3, 3)]
    assert set(lines(shelf)) == {CARRIED, BESIDE} and decoded == []
    (spoken / "beach.en.srt").unlink()
    assert shelf.index(spoken, words="none").words == 0
    assert set(lines(shelf)) == {CARRIED, BESIDE}, "what is known stays"
    with pytest.raises(TempoEdgeError, match="words 'sung' must be one of subtitles, "):
        shelf.index(spoken, words="sung")


def test_a_library_of_before_is_given_its_words(
    shelf: Shelf, spoken: Path, decoded: list[str]
) -> None:
    shelf.index(spoken)
    with closing(sqlite3.connect(shelf.path)) as before, before:
        for kind, name in before.execute(
            "SELECT type, name FROM sqlite_master WHERE name IN ('evidence', 'words_read', "
            "'evidence_words', 'evidence_trigrams', 'passes', 'captures', "
            "'videos_by_side', 'videos_by_length')"
        ).fetchall():
            before.execute(f"DROP {kind} {name}")
        before.execute("PRAGMA user_version=2")
    decoded.clear()
    assert lines(shelf) == []
    assert shelf.index(spoken).words == 3
    assert set(lines(shelf)) == {CARRIED, BESIDE} and decoded == []


def test_a_film_that_is_moved_keeps_what_it_carries_and_finds_what_lies_there(
    shelf: Shelf, spoken: Path
) -> None:
    shelf.index(spoken)
    there = spoken / "elsewhere"
    there.mkdir()
    (spoken / "street.mkv").rename(there / "road.mkv")
    (there / "road.srt").write_text(srt([(0, 1, "another morning")]))
    assert shelf.index(spoken).reused == 1
    assert set(lines(shelf)) == {CARRIED, BESIDE, ("another morning", "road.srt", 0.0)}
    assert lines(shelf, "street") == [] and lines(shelf, "road")[0][1] == "file name"


def test_of_two_copies_each_has_what_lies_beside_it(shelf: Shelf, spoken: Path) -> None:
    copy = spoken / "copies"
    copy.mkdir()
    shutil.copy(spoken / "beach.mp4", copy / "shore.mp4")
    (copy / "shore.srt").write_text(srt([(0, 1, "a morning at the shore")]))
    shelf.index(spoken)
    assert len(lines(shelf)) == 3
    shutil.rmtree(copy)
    shelf.index(spoken)
    assert set(lines(shelf)) == {CARRIED, BESIDE} and lines(shelf, "shore") == []


def test_a_film_that_is_forgotten_takes_its_words_with_it(shelf: Shelf, spoken: Path) -> None:
    shelf.index(spoken)
    with tempo_edge.Library.open(shelf.path) as library:
        library.forget(spoken / "beach.mp4")
    assert lines(shelf) == [CARRIED]
    (spoken / "street.mkv").unlink()
    shelf.index(spoken / "street.mkv")
    assert lines(shelf) == []


def test_a_broken_file_is_said_in_one_line_and_ends_nothing(shelf: Shelf, spoken: Path) -> None:
    broken = spoken / "garden.srt"
    broken.write_bytes(b"\x00\xff nothing of the kind\n")
    report = shelf.index(spoken)
    assert (report.indexed, report.skipped) == (3, 0)
    (remark,) = (each.reason for each in shelf.events if each.reason)
    assert remark == "garden.srt: holds no line with a time"
    assert said(shelf) == {"garden.mp4": remark}
    assert shelf.index(spoken).words == 0, "it is what it was"
    broken.write_text(srt([(0, 1, "mended in the morning")]))
    assert shelf.index(spoken).words == 1 and said(shelf) == {}


def test_what_a_film_carries_is_known_still_when_it_can_not_be_read(
    shelf: Shelf, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index(spoken)

    def unread(*_: object) -> object:
        raise MediaError("its text can't be read: input/output error")

    (spoken / "street.srt").write_text(srt([(0, 1, "a morning beside")]))
    monkeypatch.setattr(reading, "lines_of_container", unread)
    assert shelf.index(spoken).words == 1
    assert said(shelf) == {"street.mkv": "its text can't be read: input/output error"}
    assert {CARRIED, BESIDE} < set(lines(shelf)) and len(lines(shelf)) == 3


def test_words_that_a_library_refuses_end_nothing(
    shelf: Shelf, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index(spoken, words="none")
    put = SqliteCatalogue.put_lines

    def refusing(self: SqliteCatalogue, *rest: object) -> None:
        put(self, *rest)  # type: ignore[arg-type]
        if any(getattr(line, "source", "") == "stream 1" for line in rest[2]):  # type: ignore[attr-defined]
            raise sqlite3.IntegrityError("CHECK constraint failed")

    monkeypatch.setattr(SqliteCatalogue, "put_lines", refusing)
    assert shelf.index(spoken).words == 3
    (remark,) = (each.reason for each in shelf.events if each.reason)
    assert remark == "its words can't be stored: IntegrityError: CHECK constraint failed"
    assert lines(shelf) == [BESIDE]
    monkeypatch.undo()
    assert shelf.index(spoken).words == 1 and set(lines(shelf)) == {CARRIED, BESIDE}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_tried_again(shelf: Shelf, spoken: Path) -> None:
    closed = spoken / "beach.en.srt"
    closed.chmod(0)
    shelf.index(spoken)
    assert said(shelf) == {"beach.mp4": "beach.en.srt: can't be read: permission denied"}
    closed.chmod(0o600)
    assert shelf.index(spoken).words == 1 and len(lines(shelf)) == 2


def test_a_reader_that_fails_as_nobody_foresaw_ends_nothing(
    shelf: Shelf, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> object:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(reading, "lines_of_container", failing)
    assert shelf.index(spoken).indexed == 3
    assert set(said(shelf).values()) == {"its words can't be read: ZeroDivisionError: by zero"}
    assert lines(shelf, "garden") == [("garden", "file name", 0.0)]


def test_a_file_that_changed_while_words_were_to_be_read_is_left(
    shelf: Shelf, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index(spoken, words="none")
    original = reading.lines_of_container

    def changing(path: Path, *rest: object) -> object:
        os.utime(path, (1, 1))
        return original(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "lines_of_container", changing)
    assert shelf.index(spoken).words == 0
    monkeypatch.undo()
    report = shelf.index(spoken)
    assert report.reused == 3 and set(lines(shelf)) == {CARRIED, BESIDE}


def suspected(shelf: Shelf, *paths: Path) -> None:
    """Let a run have died at files."""
    states = ", ".join(
        f'"{path}": [{path.stat().st_size}, {path.stat().st_mtime_ns}]' for path in paths
    )
    with closing(sqlite3.connect(shelf.path)) as rows, rows:
        rows.execute(
            "INSERT OR REPLACE INTO meta VALUES ('file under way', ?)", ("{" + states + "}",)
        )


def test_words_of_a_file_that_a_run_died_at_are_read_by_another_process(
    shelf: Shelf, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index(spoken, words="none")
    films = [spoken / "street.mkv", spoken / "beach.mp4"]
    suspected(shelf, *films)
    here: list[str] = []
    original = reading.lines_of_container
    monkeypatch.setattr(
        reading,
        "lines_of_container",
        lambda path, *rest: here.append(path.name) or original(path, *rest),
    )
    assert shelf.index(spoken).words == 3
    assert here == ["garden.mp4"] and set(lines(shelf)) == {CARRIED, BESIDE}
    assert said(shelf) == {}


def test_words_that_kill_that_process_as_well_are_left(
    shelf: Shelf, spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index(spoken, words="none")
    suspected(shelf, spoken / "street.mkv")

    def dying(*_: object, **__: object) -> object:
        raise subprocess.CalledProcessError(-11, "python")

    monkeypatch.setattr(confined_words.subprocess, "run", dying)
    assert shelf.index(spoken).words == 3
    reason = "its words are not read: a run died at it, and another process"
    assert said(shelf) == {"street.mkv": reason}
    assert shelf.index(spoken).words == 0 and lines(shelf) == [BESIDE]


def test_words_are_read_of_what_is_verified(shelf: Shelf, spoken: Path) -> None:
    shelf.index(spoken / "beach.mp4")
    assert lines(shelf) == [BESIDE]
    report = shelf.index(spoken, verify=True)
    assert (report.indexed, report.verified) == (2, 3)
    assert set(lines(shelf)) == {CARRIED, BESIDE}
