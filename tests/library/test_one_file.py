"""The one file is the library: after every clean end, closed to others, and not for granted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from harness import PATIENCE, Said, Shelf
from processes import Forked

import tempo_edge
from tempo_edge.errors import LibraryError, RefusedRowError
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

Tempo = Callable[..., Said]


def beside(library: Path) -> set[str]:
    return {file.name for file in library.parent.iterdir()}


def alone(library: Path, scratch: Path) -> list[str]:
    """The names of the files that a copy of the one file knows, and nothing is left beside it."""
    assert beside(library) <= {"library.db", "library.lock", "library.vectors"}
    copy = Path(shutil.copy(library, scratch / "copy.db"))
    with tempo_edge.Library.open(copy) as opened:
        return sorted(Path(row.path).name for row in opened.files())


def test_after_every_command_the_file_is_the_library(
    tempo: Tempo, library_path: Path, footage: Path, tmp_path: Path
) -> None:
    tempo("index", footage)
    everything = sorted(file.name for file in footage.iterdir())
    assert alone(library_path, tmp_path) == everything
    for command in (["find", "a beach"], ["status"], ["status", "--json"]):
        tempo(*command)
        assert alone(library_path, tmp_path) == everything
    tempo("forget", footage / everything[0])
    assert alone(library_path, tmp_path) == everything[1:]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_after_a_run_that_was_interrupted(
    library_path: Path,
    footage: Path,
    tmp_path: Path,
    environment: dict[str, str],
    name: signal.Signals,
) -> None:
    words = ["watch", "--library", library_path, footage, "--polling"]
    with Forked(words, environment, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        done = 0
        for line in run.stderr:
            done += "indexed" in line
            if done == 3:
                break
        run.send_signal(name)
        run.rest(PATIENCE)
    assert alone(library_path, tmp_path) == sorted(file.name for file in footage.iterdir())


def test_what_a_killed_writer_left_is_put_in_by_the_next_reader(
    library_path: Path, tmp_path: Path
) -> None:
    library_path.parent.mkdir()
    program = (
        "import os, sys; from pathlib import Path\n"
        "from tempo_edge.store.embedded.catalogue import SqliteCatalogue\n"
        "from tempo_edge.store.rows import FileRow\n"
        "writer = SqliteCatalogue(Path(sys.argv[1]))\n"
        "with writer.transaction(): writer.put_file(FileRow('/a', '', 1, 1, 'skipped', 'is odd'))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, library_path], check=False)
    assert "library.db-wal" in beside(library_path)
    with tempo_edge.Library.open(library_path) as reader:
        assert [row.path for row in reader.files()] == ["/a"]
    assert alone(library_path, tmp_path) == ["a"]


def test_a_second_look_of_a_process_takes_nothing_from_its_first(library_path: Path) -> None:
    """Whoever closes a file gives up all locks that the process has on it, SQLite's as well.

    Another process would then take itself for the last, and remove the log that is written to.
    """
    library_path.parent.mkdir()
    writer = SqliteCatalogue(library_path)
    with writer.transaction():
        writer.put_file(FileRow("/a", "", 1, 1, "skipped", "is odd"))
    SqliteCatalogue(library_path, readonly=True).close()
    program = (
        "import sqlite3, sys; other = sqlite3.connect(sys.argv[1])\n"
        "assert other.execute('SELECT path FROM files').fetchall() == [('/a',)]; other.close()"
    )
    subprocess.run([sys.executable, "-c", program, library_path], check=True)
    assert "library.db-wal" in beside(library_path)
    with writer.transaction():
        writer.put_file(FileRow("/b", "", 1, 1, "skipped", "is odd"))
    writer.close()
    assert beside(library_path) == {"library.db"}
    with tempo_edge.Library.open(library_path) as reader:
        assert [row.path for row in reader.files()] == ["/a", "/b"]


def test_a_writer_that_ends_while_somebody_reads(
    shelf: Shelf, footage: Path, tmp_path: Path
) -> None:
    """The reader's log is left, and is empty; with the last reader it goes."""
    shelf.index(footage / "beach.mp4")
    with tempo_edge.Library.open(shelf.path) as reader:
        assert len(reader.files()) == 1
        shelf.index(footage)
        log = shelf.path.with_name("library.db-wal")
        assert not log.exists() or not log.stat().st_size
    assert alone(shelf.path, tmp_path) == sorted(file.name for file in footage.iterdir())


# -- permissions ---------------------------------------------------------------------------------


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_nobody_else_may_read_what_a_person_films(shelf: Shelf, footage: Path) -> None:
    with umask(0o022):
        shelf.index(footage)
    folder = shelf.path.parent
    modes = {
        str(file.relative_to(folder)): file.stat().st_mode & 0o777
        for file in [folder, *folder.rglob("*")]
    }
    assert modes["."] == modes["library.vectors"] == 0o700
    assert {"library.db", "library.lock", "library.vectors/current.json"} < set(modes)
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


def test_what_somebody_shares_stays_shared(shelf: Shelf, footage: Path) -> None:
    shelf.path.parent.mkdir(mode=0o755)
    shelf.index(footage / "beach.mp4")
    shelf.path.chmod(0o640)
    shelf.path.with_name("library.vectors").chmod(0o750)
    (shelf.path.with_name("library.vectors") / "current.json").unlink()
    shelf.index(footage)
    assert shelf.path.parent.stat().st_mode & 0o777 == 0o755
    assert shelf.path.stat().st_mode & 0o777 == 0o640
    written = shelf.path.with_name("library.vectors") / "current.json"
    assert written.stat().st_mode & 0o777 == 0o640


# -- a file that changes under whoever reads it ----------------------------------------------------

READER = """
import sys, tempo_edge
with tempo_edge.Library.open(sys.argv[1]) as library:
    for _ in sys.stdin:
        try:
            answer = library.find("a beach", min_confidence=0)
            library.files()
            print("found", len(answer), flush=True)
        except tempo_edge.TempoEdgeError as error:
            print("error", error, flush=True)
"""


@contextmanager
def reading(library: Path, environment: dict[str, str]) -> Iterator[Callable[[], str]]:
    """Searches a library in a process of its own, which keeps it open; gives what it says."""
    line = [sys.executable, "-c", READER, str(library)]
    process = subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    sink, source = process.stdin, process.stdout

    def ask() -> str:
        sink.write("\n")
        sink.flush()
        return source.readline().strip() or f"killed: {process.wait(PATIENCE)}"

    with process:
        yield ask
        sink.close()


CUT_WHILE_READ = """
import os, sys, tempo_edge
with tempo_edge.Library.open(sys.argv[1]) as library, library.catalogue.snapshot():
    library.catalogue.curve(1)
    os.truncate(sys.argv[1], 4096)
    for video in range(2, 20):
        library.catalogue.frames_of(video, 0, 2**40)
"""


def made_up(path: Path, films: int) -> None:
    """A library of films with a hundred frames each."""
    random = np.random.default_rng(0)
    video = VideoRow("h264", 64, 48, 10.0, None, Fraction(1, 1000), Fraction(0))
    cells, tokens = np.ones(4, np.uint8), np.ones((4, 64), np.int8)
    writer = SqliteCatalogue(path)
    with writer.transaction():
        for number in range(films):
            vectors = random.integers(-127, 127, (100, 64), np.int8)
            frames = [FrameRow(at, 0.5, False, v, cells, tokens) for at, v in enumerate(vectors)]
            film = writer.put_video(bytes([number]), video, frames, np.zeros((0, 2), np.float32))
            writer.put_file(FileRow(f"/{number}", "", 1, 1, "indexed", "", film))
    writer.close()


def ended(program: str, library: Path, environment: dict[str, str]) -> tuple[int, str]:
    """How a program ended, and the last line that it said."""
    line = [sys.executable, "-c", program, str(library)]
    done = subprocess.run(line, check=False, capture_output=True, env=environment, text=True)
    return done.returncode, (done.stdout + done.stderr).strip().rpartition("\n")[2]


def test_a_library_that_is_cut_short_while_it_is_read_kills_no_reader(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """In the midst of a search, when nothing looks at the file's length any more."""
    made_up(tmp_path / "library.db", 20)
    status, said = ended(CUT_WHILE_READ, tmp_path / "library.db", environment)
    assert status == 1 and "LibraryError" in said and "put a copy of it back" in said


CUT_VECTORS = """
import os, sys
from pathlib import Path
import numpy as np
from tempo_edge.store.embedded import vectors
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow
vectors._FLAT_LIMIT = 100  # so that it is an inverted file, which is mapped
library = Path(sys.argv[1])
catalogue = SqliteCatalogue(library, readonly=True)
asked = np.eye(64, dtype=np.float32)[0]
for number in range(3):
    cache = vectors.FaissVectors(library.with_name("library.vectors"), catalogue)
    cache.refresh(writing=True)
first = cache.search(asked, 100).ids
for file in library.with_name("library.vectors").glob("*.faiss"):
    os.truncate(file, 4096)
cache.refresh()
print("the same", (cache.search(asked, 100).ids == first).mean() > 0.5)
"""


def test_vectors_that_are_cut_short_kill_no_reader(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    made_up(tmp_path / "library.db", 20)
    assert ended(CUT_VECTORS, tmp_path / "library.db", environment) == (0, "the same True")


@pytest.mark.parametrize("left", [0, 100, 4096, 0.5], ids=str)
def test_a_library_that_is_cut_short_kills_no_reader(
    shelf: Shelf, footage: Path, environment: dict[str, str], left: float
) -> None:
    shelf.index(footage)
    whole = shelf.path.read_bytes()
    size = left if isinstance(left, int) else int(len(whole) * left)
    with reading(shelf.path, environment) as ask:
        found = ask()
        assert found.startswith("found")
        os.truncate(shelf.path, size)
        said = ask()
        assert said.startswith("error") and str(shelf.path) in said
        shelf.path.write_bytes(whole)
        assert ask() == found


def test_a_library_that_is_moved_away_comes_back(
    shelf: Shelf, footage: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    shelf.index(footage)
    with reading(shelf.path, environment) as ask:
        found = ask()
        shelf.path.rename(tmp_path / "away.db")
        assert "is gone or empty: put it back" in ask()
        (tmp_path / "away.db").rename(shelf.path)
        assert ask() == found


def test_an_older_copy_that_is_put_back_is_what_is_searched(
    shelf: Shelf, footage: Path, tmp_path: Path
) -> None:
    shelf.index(footage / "beach.mp4")
    older = Path(shutil.copy(shelf.path, tmp_path / "older.db"))
    shelf.index(footage)
    with tempo_edge.Library.open(shelf.path) as reader:
        assert len({m.path for m in reader.find("a beach", min_confidence=0)}) == 3
        older.replace(shelf.path)
        assert {m.path.name for m in reader.find("a beach", min_confidence=0)} == {"beach.mp4"}
        assert [Path(row.path).name for row in reader.files()] == ["beach.mp4"]


def test_another_library_in_its_place_is_not_searched_with_the_old_ones_vectors(
    shelf: Shelf, footage: Path, tmp_path: Path
) -> None:
    shelf.index(footage)
    other = Shelf(tmp_path / "other.db")
    other.index(footage / "beach.mp4")
    with tempo_edge.Library.open(shelf.path) as reader:
        reader.find("a beach")
        other.path.replace(shelf.path)
        for _ in range(2):
            with pytest.raises(LibraryError, match="is another library now: open it anew"):
                reader.find("a beach")


def test_a_writer_does_not_go_on_in_a_file_that_nobody_finds(tmp_path: Path) -> None:
    writer = SqliteCatalogue(tmp_path / "library.db")
    (tmp_path / "library.db").rename(tmp_path / "away.db")
    with pytest.raises(LibraryError, match="was moved away or replaced"), writer.transaction():
        writer.set_meta("x", "y")
    writer.close()


# -- whose fault it is -----------------------------------------------------------------------------


def test_a_row_that_is_refused_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    writer = SqliteCatalogue(tmp_path / "library.db")
    for fault in ("INSERT INTO meta VALUES ('a', NULL)", "INSERT INTO nothing VALUES (1)"):
        with pytest.raises(RefusedRowError), writer.transaction():
            writer._db.execute("INSERT INTO meta VALUES ('b', 'b')")
            writer._db.execute(fault)
        assert writer.get_meta("b") is None
    writer.close()


def test_a_disk_that_is_full_is_one(tmp_path: Path) -> None:
    writer = SqliteCatalogue(tmp_path / "library.db")
    writer._db.execute("PRAGMA max_page_count=20")
    said = r"can't be written .*is full.*: make room"
    with pytest.raises(LibraryError, match=said), writer.transaction():
        writer.set_meta("x", "y" * 1_000_000)
    writer.close()


def test_a_library_that_another_writes_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = SqliteCatalogue(tmp_path / "library.db"), SqliteCatalogue(tmp_path / "library.db")
    other._db.execute("PRAGMA busy_timeout=0")
    said = "is held by another process"
    with one.transaction(), pytest.raises(LibraryError, match=said), other.transaction():
        pass
    other.close()
    one.close()


# -- backups ---------------------------------------------------------------------------------------


def test_a_backup_of_a_library_that_is_being_written(
    tempo: Tempo, shelf: Shelf, footage: Path, tmp_path: Path
) -> None:
    shelf.index(footage / "beach.mp4")
    target = tmp_path / "copy.db"
    writer = SqliteCatalogue(shelf.path)
    with writer.transaction():
        writer.put_file(FileRow("/a", "", 1, 1, "skipped", "is odd"))
    log = shelf.path.with_name("library.db-wal")
    assert log.stat().st_size, "what was written last is not in the file yet"
    with writer.transaction():
        writer.put_file(FileRow("/b", "", 1, 1, "skipped", "is odd"))
        assert tempo("backup", target).status == 0
    writer.close()
    assert target.stat().st_mode & 0o777 == 0o600
    assert Shelf(target).states() == {"a": "skipped", "beach.mp4": "indexed"}
    assert tempo("backup", target).status == 0, "an earlier one is replaced"
    assert set(Shelf(target).states()) == {"a", "b", "beach.mp4"}
    assert {file.name for file in tmp_path.iterdir()} >= {"copy.db"}
    assert not [file.name for file in tmp_path.iterdir() if "draft" in file.name]


def test_a_backup_writes_over_nothing_else(
    tempo: Tempo, shelf: Shelf, footage: Path, tmp_path: Path
) -> None:
    shelf.index(footage / "beach.mp4")
    other = Shelf(tmp_path / "other.db")
    other.index(footage)
    for place in (shelf.path, other.path, footage / "beach.mp4"):
        before = place.read_bytes()
        said = tempo("backup", place)
        assert said.status == 2 and str(place) in said.error
        assert place.read_bytes() == before
    said = tempo("backup", tmp_path / "no" / "copy.db")
    assert said.status == 2 and "can't be written: No such file or directory" in said.error
