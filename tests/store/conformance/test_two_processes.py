"""One process writes, others read meanwhile, and whoever dies leaves what was committed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from films import ALL, another_process, put
from keepers import Keeper

from tempo_edge.errors import LibraryError
from tempo_edge.store.interface import WritableCatalogue

HOLD = """
with store.lock():
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def saying(keeper: Keeper, program: str, word: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has come to where it says a word."""
    with another_process(keeper.name, program) as run:
        assert run.stdout is not None and run.stdout.readline() == f"{word}\n"
        yield run


def test_a_second_writer_is_told_who_the_first_one_is(keeper: Keeper) -> None:
    store = keeper.store()
    with saying(keeper, HOLD, "locked") as holder:
        for _ in range(2):
            with pytest.raises(LibraryError) as refused, store.lock():
                pass
            said = str(refused.value)
            assert str(holder.pid) in said and "is writing to" in said and keeper.name in said
        holder.kill()
        holder.wait()
        with store.lock():
            pass  # whoever is dead holds nothing


def test_two_locks_of_one_process_exclude_each_other(keeper: Keeper) -> None:
    first, second = keeper.store(), keeper.store()
    with first.lock(), pytest.raises(LibraryError, match=str(os.getpid())), second.lock():
        pass
    with second.lock(), pytest.raises(LibraryError), first.lock():
        pass
    with first.lock():
        pass


def test_a_lock_goes_with_an_error(keeper: Keeper) -> None:
    with pytest.raises(KeyError), keeper.store().lock():
        raise KeyError
    with keeper.store().lock():
        pass


def test_who_holds_the_lock_hinders_no_reader(keeper: Keeper, writer: WritableCatalogue) -> None:
    put(writer, "a")
    with saying(keeper, HOLD, "locked"), keeper.store().reader() as reader, reader.snapshot():
        assert list(reader.files()) == ["/a"]


WRITE = """
with store.lock(), store.writer() as writer:
    print("ready", flush=True)
    for number in range(60):
        name = f"film {number}"
        put(writer, name, frames=1 + number % 7)
        if number % 3 == 2:
            with writer.transaction():
                writer.drop_files([f"/film {number - 1}"])
                writer.prune()
"""


def test_a_reader_sees_whole_films_while_another_process_writes(keeper: Keeper) -> None:
    with saying(keeper, WRITE, "ready") as run, keeper.store().reader() as reader:
        over = False
        while not over:
            over = run.poll() is not None
            with reader.snapshot():
                videos = [video for video, _ in reader.videos()]
                lengths = [len(reader.frames_of(video, *ALL)) for video in videos]
                assert sum(lengths) == reader.count_frames() == reader.count_frames(videos)
                assert len(reader.files()) == len(videos) == reader.totals()["videos"]
                for row in reader.files().values():
                    number = int(row.path.rpartition(" ")[2])
                    assert row.video_id is not None
                    assert lengths[videos.index(row.video_id)] == 1 + number % 7
        assert run.wait() == 0
    assert len(videos) == 40


DIE = """
writer = store.writer()
put(writer, "whole", frames=2)
with writer.transaction():
    put_inside = writer.put_video(b"half", VIDEO, [frame(0), frame(1)], CURVE)
    writer.drop_files(["/whole", "/ours"])
    writer.set_meta("x", "y")
    print("now", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_who_is_killed_leaves_what_was_committed(keeper: Keeper, writer: WritableCatalogue) -> None:
    put(writer, "ours")
    writer.close()
    with saying(keeper, DIE, "now") as run:
        assert run.wait() == -9
    with keeper.store().reader() as reader:
        assert set(reader.files()) == {"/ours", "/whole"}
        assert reader.video_by_hash(b"half") is None and reader.get_meta("x") is None
        assert reader.count_frames() == 3
    with keeper.store().lock(), keeper.store().writer() as again:
        put(again, "half", frames=4)
        assert again.count_frames() == 7
