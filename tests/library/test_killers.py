"""A file that kills the indexer costs one run: the next takes it last, where it does no harm."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from bombs import make_table, png
from harness import Shelf, told

import tempo_edge
from tempo_edge.errors import MediaError
from tempo_edge.indexing.confined import ConfinedReader, load_footage, save_footage
from tempo_edge.indexing.footage import FootageReader, Sampling
from tempo_edge.indexing.report import IndexEvent
from tempo_edge.models import load_profile

Commands = Callable[..., list[str]]
Environment = dict[str, str]

# What Python runs at its start: a decoder that dies of beach.mp4, always or as often as asked for.
DEADLY = """
import os, pathlib, signal
import av

opened, lives = av.open, pathlib.Path({lives!r})

def deadly(file, *arguments, **choices):
    if str(file).endswith("beach.mp4") and lives.exists():
        if lives.read_text() == "once":
            lives.unlink()
        os.kill(os.getpid(), signal.SIGSEGV)
    return opened(file, *arguments, **choices)

av.open = deadly
"""


@pytest.fixture
def deadly(environment: Environment, tmp_path: Path) -> Environment:
    """The environment of processes whose decoder dies, as long as there is a file ``deadly``."""
    folder = tmp_path / "start"
    folder.mkdir()
    program = DEADLY.format(lives=str(tmp_path / "deadly"))
    (folder / "sitecustomize.py").write_text(program, encoding="utf-8")
    others = environment.get("PYTHONPATH")
    path = os.pathsep.join([str(folder), *([others] if others else [])])
    return {**environment, "PYTHONPATH": path}


def run(command: list[str], environment: Environment) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def remembered(library: Path) -> list[str]:
    """What a library remembers of runs that died."""
    rows = sqlite3.connect(library)
    try:
        return [key for (key,) in rows.execute("SELECT key FROM meta WHERE key LIKE 'file%'")]
    finally:
        rows.close()


def test_a_file_that_kills_every_process_is_skipped_by_the_second_run(
    command: Commands, deadly: Environment, footage: Path, tmp_path: Path, shelf: Shelf
) -> None:
    (tmp_path / "deadly").write_text("always", encoding="utf-8")
    index = command("index", footage)
    assert run(index, deadly).returncode == -signal.SIGSEGV
    assert remembered(shelf.path) == ["file under way"]
    again = run(index, deadly)
    assert again.returncode == 0
    reason = "killed the indexer twice, at last by SIGSEGV: it is tried again when it changes"
    skipping, summary = told(again.stderr)
    assert skipping == f"skipping {footage / 'beach.mp4'}: {reason}"
    assert summary.startswith("2 indexed, 1 skipped")
    assert shelf.reasons() == {"beach.mp4": reason}
    third = run(index, deadly)
    assert third.returncode == 0 and told(third.stderr) == ["0 indexed, 2 unchanged, 1 skipped"]
    (tmp_path / "deadly").unlink()
    os.utime(footage / "beach.mp4", (1, 1))
    assert shelf.index(footage).indexed == 1
    assert set(shelf.states().values()) == {"indexed"}


def test_a_run_that_was_killed_by_chance_condemns_nothing(
    command: Commands, deadly: Environment, footage: Path, tmp_path: Path, shelf: Shelf
) -> None:
    (tmp_path / "deadly").write_text("once", encoding="utf-8")
    assert run(command("index", footage), deadly).returncode == -signal.SIGSEGV
    rows = sqlite3.connect(shelf.path)
    (under_way,) = rows.execute("SELECT value FROM meta WHERE key = 'file under way'").fetchone()
    rows.close()
    suspects = sorted(Path(path).name for path in json.loads(under_way))
    assert "beach.mp4" in suspects
    report = shelf.index(footage)
    assert (report.indexed, report.skipped) == (3, 0)
    assert [name for _, name in shelf.said("indexed")][-len(suspects) :] == suspects, "last"
    assert "beach.mp4" in shelf.found_names()
    assert set(remembered(shelf.path)) <= {"files that were under way when a run died"}
    with tempo_edge.Library.open(shelf.path) as library:
        assert library.catalogue.get_meta("files that were under way when a run died") == "{}"


def test_a_run_that_is_interrupted_suspects_nothing(shelf: Shelf, long_film: Path) -> None:
    def interrupt(event: IndexEvent) -> None:
        if event.kind == "progress":
            raise KeyboardInterrupt

    with tempo_edge.Library.open(shelf.path) as library, pytest.raises(KeyboardInterrupt):
        library.index(long_film, on_event=interrupt)
    assert remembered(shelf.path) == []


def test_what_a_child_reads_is_what_its_parent_would_read(footage: Path, tmp_path: Path) -> None:
    profile, sampling = load_profile("nano"), Sampling()
    told: list[tuple[float, float]] = []
    reader = FootageReader(profile, sampling)
    try:
        here = reader.read(footage / "beach.mp4")
    finally:
        reader.close()
    with closing(ConfinedReader(profile, sampling)) as confined:
        there = confined.read(footage / "beach.mp4", lambda done, total: told.append((done, total)))
    save_footage(here, tmp_path / "kept.npz")
    for found in (there, load_footage(tmp_path / "kept.npz")):
        assert found.video == here.video and found.remarks == here.remarks
        assert found.curve.tolist() == here.curve.tolist()
        assert len(found.frames) == len(here.frames)
        for one, two in zip(found.frames, here.frames, strict=True):
            assert (one.pts, one.variation, one.cut) == (two.pts, two.variation, two.cut)
            assert one.vector.tolist() == two.vector.tolist()
            assert one.cells.tolist() == two.cells.tolist()
            assert one.tokens.tolist() == two.tokens.tolist()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A film of eight pictures, of 72 MB each once they are decoded."""
    picture, shape = png(3000), (3000, 3000)
    path = tmp_path / "large.mov"
    return make_table(path, picture, size=len(picture), chunks=8, codec=b"png ", shape=shape)


def test_a_file_that_takes_too_much_memory_ends_its_child_alone(large: Path) -> None:
    reader = ConfinedReader(load_profile("nano"), Sampling(), room_bytes=150 << 20)
    with pytest.raises(MediaError, match=r"^takes more memory than a single file may$"):
        reader.read(large)


def test_of_large_pictures_few_are_held_at_once(large: Path) -> None:
    with closing(ConfinedReader(load_profile("nano"), Sampling(), room_bytes=260 << 20)) as reader:
        footage = reader.read(large)
    assert footage.frames and footage.remarks == ()
    assert footage.video.duration_seconds == pytest.approx(8)


def test_a_child_says_why_a_file_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"bad" * 1000)
    reader = ConfinedReader(load_profile("nano"), Sampling())
    with pytest.raises(MediaError, match=r"^can't be opened: invalid data found"):
        reader.read(tmp_path / "a.mp4")


def test_one_child_reads_file_after_file_until_one_kills_it(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deadly: Environment
) -> None:
    """Those that were under way beside a killer cost no process each."""
    for name, value in deadly.items():
        monkeypatch.setenv(name, value)
    with closing(ConfinedReader(load_profile("nano"), Sampling())) as reader:
        assert reader.read(footage / "garden.mp4").frames
        first = reader._child
        assert reader.read(footage / "street.mkv").frames and reader._child is first
        (tmp_path / "deadly").write_text("always", encoding="utf-8")
        with pytest.raises(MediaError, match=r"^killed the indexer twice, at last by SIGSEGV"):
            reader.read(footage / "beach.mp4")
        assert reader.read(footage / "garden.mp4").frames and reader._child is not first
        # One that dies between two files is put down to neither.
        assert reader._child is not None
        reader._child.kill()
        reader._child.wait()
        assert reader.read(footage / "street.mkv").frames
