"""`kill -9` at any instant, a full disk, a second writer: nothing that was committed is lost."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from harness import PATIENCE, Said, Shelf, next_line
from processes import Forked
from videos import make_video, motion, texture

import tempo_edge

Commands = Callable[..., list[str]]
Environment = dict[str, str]


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen short videos."""
    folder = tmp_path_factory.mktemp("reel")
    for number in range(24):
        make_video(
            folder / f"{number:02}.mp4",
            shots=[(texture(number), 1), (motion(number), 1)],
            size=(96, 64),
            rate=Fraction(10),
        )
    return folder


def committed(path: Path) -> dict[str, int]:
    """Frames of every indexed file, after a look at the health of the whole database."""
    if not path.exists():
        return {}
    rows = sqlite3.connect(path)
    try:
        if not rows.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return {}
        assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
        short = rows.execute(
            "SELECT id FROM videos WHERE frame_count != "
            "(SELECT count(*) FROM frames WHERE video_id=videos.id)"
        )
        assert short.fetchall() == [], "a video is there with all its frames or not at all"
        return dict(
            rows.execute("SELECT path, frame_count FROM files JOIN videos ON videos.id=video_id")
        )
    finally:
        rows.close()


def stored(path: Path) -> int:
    """How many files a library that may not be there yet has frames of, at a glance."""
    if not path.exists():
        return 0
    rows = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        (count,) = rows.execute("SELECT count(video_id) FROM files").fetchone()
    except sqlite3.OperationalError:  # nothing is in it yet
        return 0
    finally:
        rows.close()
    return int(count)


def test_killed_again_and_again_the_job_gets_done(
    command: Commands, environment: Environment, library_path: Path, reel: Path, shelf: Shelf
) -> None:
    instants = random.Random(7)
    library_path.parent.mkdir()
    kept: dict[str, int] = {}
    # While it starts, when the first file was just committed, and some while after.
    for more_files, longest in ((0, 0.6), (1, 0.0), (1, 0.1), (2, 0.1), (2, 0.05)):
        run = subprocess.Popen(command("index", "-q", reel), env=environment)
        ends = time.monotonic() + PATIENCE
        while stored(library_path) < len(kept) + more_files and run.poll() is None:
            assert time.monotonic() < ends
            time.sleep(0.005)
        time.sleep(instants.uniform(0, longest))
        before = committed(library_path)
        run.kill()
        assert run.wait() == -signal.SIGKILL, "it was killed at work"
        after = committed(library_path)
        assert kept.items() <= before.items() <= after.items()
        kept = after
    assert 6 <= len(kept) < 24
    assert Forked(["index", "-q", "--library", library_path, reel], environment).wait() == 0
    assert kept.items() <= committed(library_path).items()
    assert len(committed(library_path)) == 24
    assert len(shelf.found_names()) == 24


STORE = "store.embedded"

DIE = """
import os, signal
import tempo_edge.{module} as module

target, name = {target}
original = getattr(target, name)

def dying(*arguments, **choices):
    result = original(*arguments, **choices)
    os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(target, name, dying)
"""


@pytest.mark.parametrize(
    ("module", "target", "kept"),
    [
        (f"{STORE}.catalogue", '(module.SqliteCatalogue, "put_video")', 0),  # in a transaction
        (f"{STORE}.catalogue", '(module.SqliteCatalogue, "put_file")', 0),
        (f"{STORE}.database", '(module.Database, "_prepare_writing")', 0),  # an empty database
        (f"{STORE}.database", '(module.Database, "_create")', 0),  # a library without a profile
        ("indexing.indexer", '(module.Indexer, "_store")', 1),  # right after a commit
        ("indexing.indexer", '(module.Indexer, "_missing")', 3),
        (f"{STORE}.vector_files", '(module, "_fingerprint")', 3),  # the cache is written by half
        (f"{STORE}.vector_files", '(module.VectorFiles, "write")', 3),
    ],
)
def test_killed_at_a_delicate_instant(
    environment: Environment,
    library_path: Path,
    footage: Path,
    shelf: Shelf,
    module: str,
    target: str,
    kept: int,
) -> None:
    program = DIE.format(module=module, target=target)
    arguments = ["index", "-q", "--library", library_path, footage]
    with Forked(arguments, environment, stderr=subprocess.PIPE, first=program) as run:
        said = run.rest()
    assert (run.returncode, said) == (-signal.SIGKILL, "")
    assert len(committed(library_path)) == kept
    report = shelf.index(footage)
    assert (report.indexed, report.unchanged) == (3 - kept, kept)
    assert len(shelf.found_names()) == 3


# -- full disks ----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting is not permitted here: {error}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Use up the room on a disk but for some bytes."""
    filler = folder / "filler"
    room = shutil.disk_usage(folder).free - leave
    filler.write_bytes(b"x" * max(0, room))
    return filler


def test_a_full_disk_is_one_line_and_loses_nothing(
    small_disk: Path, reel: Path, tempo: Callable[..., Said]
) -> None:
    path = small_disk / "library.db"
    options = ("--library", path)
    assert tempo("index", "-q", reel / "00.mp4", *options).status == 0
    filler = fill(small_disk, leave=120_000)
    refused = tempo("index", "-q", reel, *options).error
    assert refused == (
        f"{path} can't be written (database or disk is full): make room or mend the disk and run "
        "it again; what was stored before is safe"
    )
    kept = committed(path)
    assert 1 <= len(kept) < 24
    assert tempo("find", "--min-confidence", "0", "anything", *options).status == 0
    filler.unlink()
    assert tempo("index", "-q", reel, *options).status == 0
    assert kept.items() <= committed(path).items()
    assert len(committed(path)) == 24


def test_a_disk_that_is_full_from_the_start(
    small_disk: Path, reel: Path, tempo: Callable[..., Said]
) -> None:
    fill(small_disk, leave=0)
    refused = tempo("index", "-q", reel, "--library", small_disk / "library.db").error
    assert "can't be" in refused and "\n" not in refused


def test_without_room_for_the_cache_a_search_goes_on(
    small_disk: Path, built: Path, tempo: Callable[..., Said]
) -> None:
    path = small_disk / "library.db"
    shutil.copy(built, path)
    fill(small_disk, leave=9 * 4096)  # for what SQLite needs to read, and a page
    assert tempo("find", "--min-confidence", "0", "anything", "--library", path).status == 0
    assert not (small_disk / "library.vectors" / "current.json").exists()


def test_a_limit_on_the_size_of_files_is_one_line(
    command: Commands, environment: Environment, library_path: Path, reel: Path
) -> None:
    run = subprocess.run(
        command("index", "-q", reel),
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)),
    )
    assert run.returncode == 2 and run.stdout == ""
    assert run.stderr.startswith(f"tempo-edge: error: {library_path} can't be written (disk I/O")
    assert run.stderr.count("\n") == 1
    kept = committed(library_path)
    assert Forked(["index", "-q", "--library", library_path, reel], environment).wait() == 0
    assert kept.items() <= committed(library_path).items()
    assert len(committed(library_path)) == 24


# -- two at once -----------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_a_reader_is_not(
    environment: Environment,
    library_path: Path,
    footage: Path,
    tempo: Callable[..., Said],
    shelf: Shelf,
) -> None:
    shelf.index(footage / "garden.mp4")
    words = ["watch", "--library", library_path, footage]
    with Forked(words, environment, stderr=subprocess.PIPE) as watcher:
        assert watcher.stderr is not None
        line = next_line(watcher.stderr)
        assert line.startswith("watching "), line
        for refused in (tempo("index", footage), tempo("forget", footage), tempo("watch", footage)):
            assert refused.error == (
                f"another process (pid {watcher.pid}) is writing to {library_path}: "
                "wait for it, or use another --library"
            )
        assert tempo("find", "--min-confidence", "0", "anything").status == 0
        assert tempo("status").status == 0
        watcher.send_signal(signal.SIGTERM)
        watcher.rest()
    assert watcher.returncode == 0
    assert tempo("index", "-q", footage).status == 0


def test_a_reader_that_stays_open_sees_what_is_indexed_meanwhile(
    shelf: Shelf, footage: Path
) -> None:
    shelf.index(footage / "garden.mp4")
    with tempo_edge.Library.open(shelf.path) as reader:

        def names() -> set[str]:
            return {m.path.name for m in reader.find("a beach", min_confidence=0)}

        assert names() == {"garden.mp4"}
        shelf.index(footage)
        assert names() == {"garden.mp4", "beach.mp4", "street.mkv"}
        (footage / "garden.mp4").unlink()
        shelf.index(footage)
        assert names() == {"beach.mp4", "street.mkv"}


def test_searches_go_on_while_a_library_grows_and_shrinks(
    environment: Environment, library_path: Path, reel: Path, tmp_path: Path
) -> None:
    """No search fails or shows half a state, whatever is committed around it."""
    folder = tmp_path / "moving"
    folder.mkdir()
    shutil.copy(reel / "00.mp4", folder)
    with tempo_edge.Library.open(library_path) as library:
        library.index(folder)
    for number in range(1, 9):
        shutil.copy(reel / f"{number:02}.mp4", folder)
    run = Forked(["index", "-q", "--library", library_path, folder], environment)
    searches = 0
    with tempo_edge.Library.open(library_path) as library:
        while run.poll() is None or searches < 3:
            names = {m.path.name for m in library.find("a beach", min_confidence=0, limit=100)}
            assert "00.mp4" in names
            shutil.rmtree(library.store.companion(".vectors"), ignore_errors=True)
            searches += 1
    assert run.returncode == 0


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [(signal.SIGINT, 130, "tempo-edge: stopped\n"), (signal.SIGTERM, 143, "")],
)
def test_interrupted_it_keeps_what_is_done(
    environment: Environment,
    library_path: Path,
    reel: Path,
    name: signal.Signals,
    status: int,
    said: str,
) -> None:
    for attempt in range(20):
        library = library_path.with_name(f"{attempt}.db")
        words = ["index", "--library", library, reel]
        with Forked(words, environment, stderr=subprocess.PIPE) as run:
            while not stored(library) and run.poll() is None:
                time.sleep(0.01)
            run.send_signal(name)
            heard = run.rest()
        if run.returncode != 0:  # else this test came too late: the machine is busy
            break
    # A signal may fall between the opening of a file and the block that closes it.
    lines = [line for line in heard.splitlines() if ": unclosed file " not in line]
    assert (run.returncode, lines) == (status, said.splitlines())
    assert 1 <= len(committed(library)) < 24
