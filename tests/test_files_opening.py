"""Careful opening and reading from anywhere, and what is done where a system lacks a part of it."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from tempo_edge._files.opening import is_link, open_carefully, open_lock
from tempo_edge._files.reading_at import read_at, read_at_by_seeking
from tempo_edge._system.groups import APART, KILLED, end_with_all
from tempo_edge._system.signals import ENDING, on_loop, on_loop_by_handlers


@pytest.mark.parametrize("no_link", [os.O_NOFOLLOW, 0], ids=["by a flag", "by looking before"])
def test_a_last_link_may_be_refused(tmp_path: Path, no_link: int) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "folder").symlink_to(".")
    assert is_link(tmp_path / "link") and not is_link(tmp_path / "real")
    with pytest.raises(OSError) as refused:
        open_carefully(tmp_path / "link", links=False, no_link=no_link)
    assert refused.value.errno == errno.ELOOP
    for path, links in (("link", True), ("real", False), ("folder/real", False)):
        descriptor = open_carefully(tmp_path / path, links=links, no_link=no_link)
        assert os.read(descriptor, 2) == b"x"
        os.close(descriptor)
    with pytest.raises(FileNotFoundError):
        open_carefully(tmp_path / "none", links=False, no_link=no_link)


def test_nobody_waits_and_nothing_is_inherited(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    descriptor = open_carefully(tmp_path / "pipe")  # which would wait for a writer
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    descriptor = open_lock(tmp_path / "lock")
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    os.close(descriptor)


@pytest.mark.parametrize("read", [read_at, read_at_by_seeking])
def test_reading_from_anywhere_leaves_a_file_where_it_stood(tmp_path: Path, read: object) -> None:
    assert callable(read)
    (tmp_path / "x").write_bytes(bytes(range(256)) * 64)
    with (tmp_path / "x").open("rb") as file:
        assert file.read(3) == b"\0\1\2"
        assert read(file.fileno(), 4, 256 + 7) == bytes([7, 8, 9, 10])
        assert read(file.fileno(), 9, 64 * 256 - 2) == b"\xfe\xff"
        assert read(file.fileno(), 9, 1 << 20) == b""
        assert file.read(2) == b"\3\4"
        file.seek(64 * 256 - 1)
        assert file.read() == b"\xff"


def test_threads_that_seek_do_not_disturb_one_another(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"".join(n.to_bytes(4, "big") for n in range(4096)))
    descriptor = open_carefully(tmp_path / "x")
    wrong = list[int]()

    def look(first: int) -> None:
        for number in range(first, 4096, 4):
            told = int.from_bytes(read_at_by_seeking(descriptor, 4, 4 * number), "big")
            if told != number:
                wrong.append(number)

    threads = [Thread(target=look, args=(first,)) for first in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    os.close(descriptor)
    assert wrong == []


@pytest.mark.parametrize("obey", [on_loop, on_loop_by_handlers])
def test_a_loop_is_told_to_end(obey: object) -> None:
    assert callable(obey)
    before = {name: signal.getsignal(name) for name in ENDING}

    async def run() -> list[str]:
        told = list[str]()
        obey(asyncio.get_running_loop(), lambda: told.append("end"))
        for number, name in enumerate(ENDING, 1):
            os.kill(os.getpid(), name)
            while len(told) < number:
                await asyncio.sleep(0.01)
        return told

    try:
        assert asyncio.run(run()) == ["end"] * 3
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def test_what_is_ended_with_all_that_it_started() -> None:
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]).wait()"
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, inner], stdout=subprocess.PIPE, text=True, **APART
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert int(said.readline()) != process.pid
        end_with_all(process)
        assert process.wait() == KILLED
        assert said.read() == "", "it is open for as long as the inner one lives"
    end_with_all(process)


def test_an_end_at_once(tmp_path: Path) -> None:
    code = (
        "import atexit; from tempo_edge._system.signals import end_at_once\n"
        f"atexit.register(open, {str(tmp_path / 'x')!r}, 'w'); end_at_once()"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == KILLED
    assert not (tmp_path / "x").exists()
