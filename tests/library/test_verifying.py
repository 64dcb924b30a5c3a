"""Whole files are read on request, and what changed unnoticed is told and read again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import av
import pytest
from harness import Said, Shelf
from tabled import make_padded, of_before, unsampled
from videos import make_video, motion, texture

import tempo_edge
from tempo_edge.indexing.session import WritingSession
from tempo_edge.media import _listing
from tempo_edge.store.rows import Contents

Tempo = Callable[..., Said]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of 6 MiB, most of which its sample leaves out."""
    folder = tmp_path / "films"
    folder.mkdir()
    make_padded(folder / "film.mp4")
    return folder / "film.mp4"


def rot(film: Path, at: int | None = None) -> None:
    """Change a bit of a film, and neither its size nor its time."""
    start, end = unsampled()[-1]
    place = (start + end) // 2 if at is None else at
    times = film.stat()
    with film.open("r+b") as file:
        file.seek(place)
        (before,) = file.read(1)
        file.seek(place)
        file.write(bytes([before ^ 1]))
    os.utime(film, ns=(times.st_atime_ns, times.st_mtime_ns))


def known(shelf: Shelf, film: Path) -> Contents:
    """What the library knows of a file's contents."""
    with tempo_edge.Library.open(shelf.path) as library, library.store.writer() as writer:
        video = writer.files()[str(film)].video_id
        assert video is not None
        return writer.contents(video)


def reasons(shelf: Shelf, kind: str) -> list[str]:
    return [event.reason for event in shelf.events if event.kind == kind]


def test_files_that_are_what_they_were(shelf: Shelf, film: Path, decoded: list[str]) -> None:
    shelf.index(film)
    assert known(shelf, film).whole is None, "nobody read it whole"
    for _ in range(2):
        report = shelf.index(film, verify=True)
        assert (report.verified, report.changed, report.unchanged) == (1, 0, 1)
        assert shelf.said("verified", "changed") == [("verified", "film.mp4")]
        assert known(shelf, film).whole == hashlib.sha256(film.read_bytes()).digest()
    assert decoded == ["film.mp4"], "once, and not to be verified"


def test_a_file_is_verified_in_the_run_that_indexes_it(shelf: Shelf, film: Path) -> None:
    report = shelf.index(film, verify=True)
    assert (report.indexed, report.verified) == (1, 1)


def test_what_changed_unnoticed_is_told_and_read_again(
    shelf: Shelf, film: Path, decoded: list[str]
) -> None:
    shelf.index(film, verify=True)
    before = known(shelf, film)
    rot(film)
    assert shelf.index(film).unchanged == 1, "nobody sees it"
    report = shelf.index(film, verify=True)
    assert (report.verified, report.changed, report.indexed) == (0, 1, 1)
    assert report.unchanged == 0
    (reason,) = reasons(shelf, "changed")
    assert reason == "its contents changed, and neither its size nor its time did: it is read again"
    assert decoded == ["film.mp4", "film.mp4"]
    after = known(shelf, film)
    assert after.sample == before.sample and after.whole != before.whole
    with tempo_edge.Library.open(shelf.path) as library:
        assert library.totals()["videos"] == 1
    report = shelf.index(film, verify=True)
    assert (report.verified, report.changed) == (1, 0)


def test_what_changed_within_the_sample_is_told_though_nothing_was_verified_before(
    shelf: Shelf, film: Path
) -> None:
    shelf.index(film)
    rot(film, film.stat().st_size - 3)
    report = shelf.index(film, verify=True)
    assert (report.verified, report.changed, report.indexed) == (0, 1, 1)


def test_copies_that_agree_in_the_sample_and_differ_in_the_whole_become_two(
    shelf: Shelf, film: Path
) -> None:
    other = Path(shutil.copy(film, film.with_name("other.mp4")))
    rot(other)
    report = shelf.index(film.parent)
    assert (report.indexed, report.reused) == (1, 1), "they are one until they are verified"
    report = shelf.index(film.parent, verify=True)
    assert (report.verified, report.changed, report.indexed) == (1, 1, 1)
    (reason,) = reasons(shelf, "changed")
    assert reason == (
        f"agrees with {film} in its size and in the sample of its bytes, and differs in the rest: "
        "it is read as another video"
    )
    assert known(shelf, film).whole != known(shelf, other).whole
    report = shelf.index(film.parent, verify=True)
    assert (report.verified, report.changed) == (2, 0)
    third = Path(shutil.copy(other, film.with_name("third.mp4")))
    assert shelf.index(third).reused == 1
    assert known(shelf, third) == known(shelf, other), "of two that are alike, all bytes tell which"


@pytest.mark.parametrize("asked", ["all", "the copy"])
def test_of_copies_that_differ_the_one_that_was_not_read_is_read(
    shelf: Shelf, film: Path, decoded: list[str], asked: str
) -> None:
    """Whichever comes first by its name, and whichever is asked for."""
    shelf.index(film)
    earlier = Path(shutil.copy(film, film.with_name("another.mp4")))
    rot(earlier)
    assert shelf.index(film.parent).reused == 1
    shelf.index(film.parent if asked == "all" else earlier, verify=True)
    assert decoded == ["film.mp4", "another.mp4"]
    assert shelf.said("changed") == [("changed", "another.mp4")]
    assert known(shelf, film).whole == hashlib.sha256(film.read_bytes()).digest()
    assert known(shelf, earlier).whole == hashlib.sha256(earlier.read_bytes()).digest()


def test_a_copy_that_changed_after_it_was_verified(shelf: Shelf, film: Path) -> None:
    other = Path(shutil.copy(film, film.with_name("other.mp4")))
    shelf.index(film.parent, verify=True)
    rot(other)
    assert shelf.index(film.parent, verify=True).changed == 1
    assert reasons(shelf, "changed")[0].startswith("its contents changed")


def test_a_film_that_was_moved_is_held_against_what_it_was(shelf: Shelf, film: Path) -> None:
    shelf.index(film.parent, verify=True)
    moved = film.rename(film.with_name("moved.mp4"))
    rot(moved)
    assert shelf.index(film.parent).reused == 1
    assert shelf.index(film.parent, verify=True).changed == 1


def test_a_run_that_was_ended_goes_on_where_it_was(
    shelf: Shelf, film: Path, hashed: list[str]
) -> None:
    for name in ("b.mp4", "c.mp4"):
        shutil.copy(film, film.with_name(name))
    shelf.index(film.parent)

    def run(stopping: Callable[[], bool]) -> tuple[int, bool]:
        hashed.clear()
        with (
            tempo_edge.Library.open(shelf.path) as library,
            WritingSession(library.store, library.profile, "pyav", None, None, stopping) as indexer,
        ):
            report = indexer.index([film.parent], verify=True)
        return report.verified, report.stopped

    assert run(lambda: len(hashed) == 2) == (1, True)
    assert run(lambda: False) == (2, False) and "b.mp4" not in hashed
    assert run(lambda: False) == (3, False), "a run that came to its end is followed by another"


@pytest.mark.parametrize("meta", ["nonsense", "[]", '{"roots": 1}', '{"roots": [], "run": "x"}'])
def test_an_ended_run_that_can_not_be_read_is_none(shelf: Shelf, film: Path, meta: str) -> None:
    shelf.index(film)
    with closing(sqlite3.connect(shelf.path)) as rows, rows:
        rows.execute("INSERT INTO meta VALUES ('verification under way', ?)", (meta,))
    assert shelf.index(film, verify=True).verified == 1


def test_a_run_that_was_ended_long_ago_begins_anew(
    shelf: Shelf, film: Path, hashed: list[str]
) -> None:
    shelf.index(film, verify=True)
    with closing(sqlite3.connect(shelf.path)) as rows, rows:
        (run,) = rows.execute("SELECT run FROM verified").fetchone()
        for age, again in ((0, 0), (31 * 24 * 3600 * 10**9, 1)):
            facts = json.dumps({"roots": [str(film)], "run": run - age})
            rows.execute("UPDATE verified SET run=?", (run - age,))
            rows.execute(
                "INSERT OR REPLACE INTO meta VALUES ('verification under way', ?)", (facts,)
            )
            rows.commit()
            hashed.clear()
            shelf.index(film, verify=True)
            assert len(hashed) == again


def test_a_file_that_can_not_be_read_is_told_and_stays(
    shelf: Shelf, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.index(film)
    read = os.pread

    def stumble(file: int, length: int, place: int) -> bytes:
        if place > 2 << 20:
            raise OSError(5, "Input/output error")
        return read(file, length, place)

    monkeypatch.setattr(os, "pread", stumble)
    report = shelf.index(film, verify=True)
    assert (report.verified, report.changed, report.skipped) == (0, 0, 1)
    assert reasons(shelf, "skipped") == ["can't be read: input/output error"]
    assert shelf.states() == {"film.mp4": "indexed"}
    monkeypatch.undo()
    assert shelf.index(film, verify=True).verified == 1


def test_what_lies_elsewhere_or_was_skipped_is_not_read(
    shelf: Shelf, film: Path, footage: Path, hashed: list[str]
) -> None:
    (footage / "bad.mp4").write_bytes(b"bad")
    shelf.index(film, footage)
    shelf.index(footage, verify=True)
    assert sorted(hashed) == ["beach.mp4", "garden.mp4", "street.mkv"]


def test_a_library_of_before_is_held_against_its_digests_and_learns_its_samples(
    shelf: Shelf, film: Path, decoded: list[str]
) -> None:
    shelf.index(film)
    whole = hashlib.sha256(film.read_bytes()).digest()
    of_before(shelf.path)
    decoded.clear()
    assert shelf.index(film, verify=True).verified == 1 and decoded == []
    learned = known(shelf, film)
    assert None not in (learned.sample, learned.packets) and learned.whole == whole
    rot(film)
    assert shelf.index(film, verify=True).changed == 1


def test_what_the_caller_raises_comes_through(shelf: Shelf, film: Path) -> None:
    def fail(event: object) -> None:
        if event.kind == "verifying":  # type: ignore[attr-defined]
            raise BrokenPipeError

    with tempo_edge.Library.open(shelf.path) as library, pytest.raises(BrokenPipeError):
        library.index(film, on_event=fail, verify=True)


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film with a packet that is not whole and that no plan by its index has decoded."""
    monkeypatch.setattr(_listing, "_SMALL", 0)
    path = tmp_path / "damaged.mp4"
    shots = [(texture(1), 5), (motion(2), 5), (texture(3), 5)]
    make_video(path, shots=shots, size=(128, 96), scenecut=False, bframes=0, gop=25)
    with av.open(str(path)) as container:
        packet = [each for each in container.demux(video=0) if each.size][60]
    assert packet.pos is not None
    content = bytearray(path.read_bytes())
    content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)
    return path


def test_damage_in_what_was_never_decoded_is_remarked_on_once(shelf: Shelf, damaged: Path) -> None:
    shelf.index(damaged)
    assert reasons(shelf, "indexed") == [""], "its index says nothing of it"
    copy = Path(shutil.copy(damaged, damaged.with_name("copy.mp4")))
    shelf.index(copy)
    told = "damaged: 1 of 375 packets is not whole"
    assert shelf.index(damaged, verify=True).verified == 1
    assert reasons(shelf, "verified") == [told]
    with tempo_edge.Library.open(shelf.path) as library:
        assert [row.reason for row in library.files()] == [told, told], "copies are as damaged"
    shelf.index(damaged, copy, verify=True)
    assert reasons(shelf, "verified") == ["", ""]
    moved = damaged.rename(damaged.with_name("moved.mp4"))
    shelf.index(moved)
    assert reasons(shelf, "reused") == [told]


def test_a_film_that_an_earlier_run_died_at_is_hashed_and_not_opened(
    shelf: Shelf, film: Path
) -> None:
    shelf.index(film)
    facts = film.stat()
    with closing(sqlite3.connect(shelf.path)) as rows, rows:
        state = json.dumps({str(film): [facts.st_size, facts.st_mtime_ns]})
        rows.execute("INSERT INTO meta VALUES ('file under way', ?)", (state,))
    with pytest.MonkeyPatch.context() as patch:
        for module in ("tempo_edge.media.packet_digest", "tempo_edge.indexing.remarks"):
            name = "open_container" if "packet" in module else "open_video"
            patch.setattr(f"{module}.{name}", lambda *_, **__: pytest.fail("it was opened"))
        assert shelf.index(film, verify=True).verified == 1


def test_a_file_is_no_longer_under_way_once_it_is_verified(shelf: Shelf, film: Path) -> None:
    """What kills a run is the file that it is at, not one of those before."""
    copy = Path(shutil.copy(film, film.with_name("copy.mp4")))
    shelf.index(film)
    of_before(shelf.path)
    shelf.index(copy)
    seen: list[object] = []
    with tempo_edge.Library.open(shelf.path) as library:

        def look(event: object) -> None:
            if event.kind == "verified":  # type: ignore[attr-defined]
                with closing(sqlite3.connect(shelf.path)) as rows:
                    told = "SELECT value FROM meta WHERE key='file under way'"
                    seen.extend(rows.execute(told).fetchall())

        assert library.index(film.parent, on_event=look, verify=True).verified == 2
    assert seen == []


def test_the_command_says_what_changed(tempo: Tempo, film: Path) -> None:
    said = tempo("index", "--verify", film).err.splitlines()
    assert len(said) == 1 and "1 indexed, 1 verified" in said[0]
    rot(film)
    changed, summary = tempo("index", "--verify", film).err.splitlines()
    assert changed == (
        f"changed {film}: its contents changed, and neither its size nor its time did: "
        "it is read again"
    )
    assert summary.startswith("1 indexed, 1 changed ")
    assert tempo("index", "-q", "--verify", film).err == ""
    rot(film)
    assert tempo("index", "-q", "--verify", film).err.splitlines() == [changed]
