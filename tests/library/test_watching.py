"""Watching real folders: what comes, changes, moves and goes is followed, once it stands still."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from harness import PATIENCE, Shelf, next_line, wait_until
from processes import Forked
from subtitled import srt
from test_crashes import committed
from videos import make_video, texture
from watchdog.observers import Observer

import tempo_edge
from tempo_edge.errors import LibraryError
from tempo_edge.indexing import watcher
from tempo_edge.indexing.footage import FootageReader
from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.report import IndexEvent
from tempo_edge.indexing.watcher import needs_polling

Commands = Callable[..., list[str]]
Watching = Callable[..., AbstractContextManager["Watch"]]


class Watch:
    """What a watcher in a thread of this process has told so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[tuple[str, str]] = []
        self.reasons: list[str] = []
        self.failure: BaseException | None = None

    def note(self, event: IndexEvent) -> None:
        if event.kind not in ("started", "progress"):
            self.events.append((event.kind, Path(event.path).name))
            self.reasons.append(event.reason)

    def wait(self, kind: str, name: str) -> None:
        wait_until(lambda: self.failure or (kind, name) in self.events)
        assert self.failure is None

    def settle(self) -> None:
        """Wait for more than twice as long as a file must stand still."""
        time.sleep(2.5 * watcher._STILL_SECONDS)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, but in less time."""
    monkeypatch.setattr(watcher, "_STILL_SECONDS", 0.3)
    monkeypatch.setattr(watcher, "_TICK_SECONDS", 0.03)
    monkeypatch.setattr(watcher, "_POLL_SECONDS", 0.1)
    monkeypatch.setattr(watcher, "_FOLDER_SECONDS", 0.5)


@pytest.fixture
def watch(library_path: Path, quick: None) -> Watching:
    @contextmanager
    def watching(
        *folders: Path, polling: bool = False, exclude: Sequence[str] = ()
    ) -> Iterator[Watch]:
        stop = Event()
        told = Watch(library_path)

        def run() -> None:
            try:
                with tempo_edge.Library.open(library_path) as library:
                    library.watch(
                        folders, exclude=exclude, polling=polling, stop=stop, on_event=told.note
                    )
            except BaseException as error:
                told.failure = error

        thread = Thread(target=run)
        thread.start()
        try:
            yield told
        finally:
            stop.set()
            thread.join()
        assert told.failure is None

    return watching


@pytest.fixture(params=[False, True], ids=["notified", "polling"])
def polling(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def folder(tmp_path: Path, originals: Path) -> Path:
    """A folder to watch, with one video in it."""
    made = tmp_path / "watched"
    made.mkdir()
    shutil.copy2(originals / "garden.mp4", made)
    os.utime(made / "garden.mp4", (1, 1))
    return made


def test_what_is_there_is_indexed_first(watch: Watching, folder: Path, polling: bool) -> None:
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        told.settle()
    assert told.events == [("indexed", "garden.mp4")]


def test_words_that_come_and_change_beside_a_film(
    watch: Watching, folder: Path, polling: bool, library_path: Path
) -> None:
    def said(words: str) -> bool:
        with tempo_edge.Library.open(library_path) as library:
            return bool(library.lines(words))

    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        beside = folder / "garden.en.srt"
        beside.write_text(srt([(0.5, 1.5, "good morning")]))
        wait_until(lambda: said("morning"))
        beside.write_text(srt([(0.5, 1.5, "good evening")]))
        wait_until(lambda: said("evening"))
        assert not said("morning")
        beside.unlink()
        wait_until(lambda: not said("evening"))
    assert {event for event in told.events if event[0] != "words"} == {("indexed", "garden.mp4")}


def test_created_changed_renamed_deleted(
    watch: Watching,
    folder: Path,
    originals: Path,
    shelf: Shelf,
    polling: bool,
) -> None:
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        shutil.copy(originals / "beach.mp4", folder / "new.mp4")
        told.wait("indexed", "new.mp4")
        assert shelf.found_names() == {"garden.mp4", "new.mp4"}

        shutil.copy(originals / "street.mkv", folder / "new.mp4")
        wait_until(lambda: told.events.count(("indexed", "new.mp4")) == 2)

        (folder / "new.mp4").rename(folder / "newer.mp4")
        told.wait("dropped", "new.mp4")
        told.wait("reused", "newer.mp4")
        assert shelf.found_names() == {"garden.mp4", "newer.mp4"}

        (folder / "newer.mp4").unlink()
        told.wait("dropped", "newer.mp4")
        assert shelf.found_names() == {"garden.mp4"}
        told.settle()
    assert sorted(told.events) == [
        ("dropped", "new.mp4"),
        ("dropped", "newer.mp4"),
        *[("indexed", "new.mp4")] * 2,
        ("reused", "newer.mp4"),
    ]


def test_folders_come_move_and_go(
    watch: Watching,
    folder: Path,
    originals: Path,
    shelf: Shelf,
    polling: bool,
) -> None:
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        shutil.copytree(originals, folder / "deep" / "trip")
        told.wait("indexed", "beach.mp4")
        told.wait("indexed", "street.mkv")
        told.wait("reused", "garden.mp4")
        told.events.clear()
        (folder / "deep").rename(folder / "moved")
        for name in ("beach.mp4", "street.mkv", "garden.mp4"):
            told.wait("reused", name)
            told.wait("dropped", name)
        assert {m.path.parent for m in shelf.found(within=folder / "moved")} == {
            folder / "moved" / "trip",
            folder,  # the same contents lie there, under a name that comes first
        }
        told.events.clear()
        shutil.rmtree(folder / "moved")
        for name in ("beach.mp4", "street.mkv", "garden.mp4"):
            told.wait("dropped", name)
        shutil.copy(originals / "beach.mp4", folder / "last.mp4")
        told.wait("reused", "last.mp4")  # its frames were kept for a while


def test_a_folder_that_is_moved_in_or_out(
    watch: Watching,
    folder: Path,
    originals: Path,
    tmp_path: Path,
    polling: bool,
) -> None:
    shutil.copytree(originals, tmp_path / "outside")
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        (tmp_path / "outside").rename(folder / "inside")
        told.wait("indexed", "beach.mp4")
        told.wait("indexed", "street.mkv")
        shutil.copy(originals / "beach.mp4", folder / "inside" / "copy.mp4")
        told.wait("reused", "copy.mp4")
        (folder / "inside").rename(tmp_path / "outside")
        told.wait("dropped", "beach.mp4")
        told.wait("dropped", "copy.mp4")


def test_frames_of_what_is_gone_are_dropped_when_all_is_quiet(
    watch: Watching, folder: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "_MOVE_SECONDS", 0.5)
    with watch(folder) as told:
        told.wait("indexed", "garden.mp4")
        (folder / "garden.mp4").unlink()
        told.wait("dropped", "garden.mp4")

        def videos() -> float:
            with tempo_edge.Library.open(shelf.path) as library:
                return library.totals()["videos"]

        wait_until(lambda: videos() == 0)


@pytest.mark.parametrize("into", [".", "new/folder"])
def test_a_file_that_is_copied_slowly_is_indexed_once_when_it_is_whole(
    watch: Watching,
    folder: Path,
    originals: Path,
    polling: bool,
    into: str,
) -> None:
    content = (originals / "beach.mp4").read_bytes()
    step = -(-len(content) // 12)
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        (folder / into).mkdir(parents=True, exist_ok=True)
        path = folder / into / "slow.mp4"
        for start in range(0, len(content), step):
            with path.open("ab") as file:
                file.write(content[start : start + step])
            time.sleep(watcher._STILL_SECONDS / 5)
        assert told.events == []
        told.wait("indexed", "slow.mp4")
        told.settle()
    assert told.events == [("indexed", "slow.mp4")]


def test_a_copy_that_is_stuck_is_waited_for(
    watch: Watching,
    folder: Path,
    originals: Path,
    polling: bool,
) -> None:
    """Another process has the file open for writing and does nothing for a long time."""
    content = (originals / "beach.mp4").read_bytes()
    copy = "import sys; f = open(sys.argv[1], 'wb'); f.write(sys.stdin.buffer.read(20000))"
    copy += "; f.flush(); f.write(sys.stdin.buffer.read())"
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        run = subprocess.Popen(
            ["python3", "-c", copy, str(folder / "stuck.mp4")], stdin=subprocess.PIPE
        )
        with run:
            assert run.stdin is not None
            run.stdin.write(content[:20000])
            run.stdin.flush()
            wait_until((folder / "stuck.mp4").exists)
            told.settle()
            assert told.events == []
            run.stdin.write(content[20000:])
            run.stdin.close()
        told.wait("indexed", "stuck.mp4")
        told.settle()
    assert told.events == [("indexed", "stuck.mp4")]


@pytest.mark.parametrize("held", [True, False], ids=["held open", "opened again and again"])
def test_a_file_that_is_being_written_when_watching_starts(
    watch: Watching, folder: Path, originals: Path, held: bool
) -> None:
    content = (originals / "beach.mp4").read_bytes()
    step = -(-len(content) // 12)

    def copy() -> None:
        file = (folder / "slow.mp4").open("wb")
        for start in range(0, len(content), step):
            if file.closed:
                file = (folder / "slow.mp4").open("ab")
            file.write(content[start : start + step])
            file.flush()
            if not held:
                file.close()
            time.sleep(watcher._STILL_SECONDS / 5)
        file.close()

    copying = Thread(target=copy)
    copying.start()
    wait_until(lambda: (folder / "slow.mp4").exists() and (folder / "slow.mp4").stat().st_size)
    with watch(folder) as told:
        told.wait("indexed", "slow.mp4")
        told.settle()
    copying.join()
    assert sorted(told.events) == [("indexed", "garden.mp4"), ("indexed", "slow.mp4")]


def test_what_is_left_out_is_not_watched(
    watch: Watching, folder: Path, originals: Path, polling: bool
) -> None:
    left = ("@Recycle/a.mp4", ".hidden/b.mp4", "raw/c.mp4", ".trashed-1-d.mp4", "e.mkv")
    with watch(folder, polling=polling, exclude=["raw/", "*.mkv"]) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        for name in left:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(originals / "beach.mp4", folder / name)
        (folder / "index.ts").write_text("export const answer = 42;\n")
        told.settle()
        (folder / ".trashed-1-d.mp4").rename(folder / "back.mp4")
        told.wait("indexed", "back.mp4")
        told.settle()
        assert told.events == [("indexed", "back.mp4")]
        (folder / "back.mp4").rename(folder / "@Recycle" / "back.mp4")
        told.wait("dropped", "back.mp4")
        told.settle()
    assert told.events == [("indexed", "back.mp4"), ("dropped", "back.mp4")]


def test_a_download_is_indexed_once_the_note_beside_it_is_gone(
    watch: Watching, folder: Path, originals: Path, polling: bool
) -> None:
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        (folder / "new.mp4.aria2").write_bytes(b"note")
        shutil.copy(originals / "beach.mp4", folder / "new.mp4")
        told.settle()
        assert told.events == []
        (folder / "new.mp4.aria2").unlink()
        told.wait("indexed", "new.mp4")
        told.settle()
    assert told.events == [("indexed", "new.mp4")]


def test_a_burst_is_one_batch(
    watch: Watching,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[int] = []
    index = Indexer.index

    def counting(self: Indexer, roots: list[Path], **choices: object) -> object:
        batches.append(len(roots))
        return index(self, roots, **choices)  # type: ignore[arg-type]

    monkeypatch.setattr(Indexer, "index", counting)
    for number in range(20):
        make_video(
            tmp_path / f"{number}.mp4",
            shots=[(texture(number), 1)],
            size=(64, 48),
            rate=Fraction(5),
        )
    with watch(folder) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        batches.clear()
        for number in range(20):
            shutil.copy(tmp_path / f"{number}.mp4", folder)
        wait_until(lambda: len(told.events) == 20)
        told.settle()
    assert sorted(told.events) == sorted(("indexed", f"{n}.mp4") for n in range(20))
    assert len(batches) <= 3


def test_bad_files_and_those_without_footage(
    watch: Watching,
    folder: Path,
    shelf: Shelf,
    polling: bool,
) -> None:
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        told.events.clear()
        (folder / "notes.txt").write_text("hello")
        (folder / "download.mp4.part").write_bytes(b"half")
        (folder / ".Trash-0").mkdir()
        shutil.copy(folder / "garden.mp4", folder / ".Trash-0")
        (folder / "bad.mp4").write_bytes(b"bad")
        (folder / "empty.mp4").touch()
        told.wait("skipped", "bad.mp4")
        told.wait("skipped", "empty.mp4")
        (folder / ".Trash-0" / "garden.mp4").unlink()
        told.settle()
    assert sorted(told.events) == [("skipped", "bad.mp4"), ("skipped", "empty.mp4")]
    assert set(shelf.states()) == {"garden.mp4", "bad.mp4", "empty.mp4"}


def test_a_download_that_gets_its_name_at_the_end(
    watch: Watching,
    folder: Path,
    originals: Path,
    polling: bool,
) -> None:
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        shutil.copy(originals / "beach.mp4", folder / "beach.mp4.part")
        (folder / "beach.mp4.part").rename(folder / "beach.mp4")
        told.wait("indexed", "beach.mp4")


def test_a_watched_folder_that_goes_and_comes_back(
    watch: Watching,
    folder: Path,
    originals: Path,
    polling: bool,
) -> None:
    with watch(folder, polling=polling) as told:
        told.wait("indexed", "garden.mp4")
        shutil.rmtree(folder)
        told.wait("dropped", "garden.mp4")
        folder.mkdir()
        shutil.copy(originals / "beach.mp4", folder)
        told.wait("indexed", "beach.mp4")
        shutil.copy(originals / "street.mkv", folder)
        told.wait("indexed", "street.mkv")


def test_a_stick_that_is_unplugged_and_plugged_in(
    watch: Watching,
    folder: Path,
    originals: Path,
    shelf: Shelf,
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting is not permitted here: {error}")
    try:
        shutil.copy(originals / "beach.mp4", folder)
        with watch(folder) as told:
            told.wait("indexed", "beach.mp4")
            subprocess.run(["umount", str(folder)], check=True)
            told.wait("offline", folder.name)
            told.wait("indexed", "garden.mp4")  # that lies in the folder below
            assert shelf.states() == {"beach.mp4": "indexed", "garden.mp4": "indexed"}
            subprocess.run(mount, check=True)
            shutil.copy(originals / "street.mkv", folder)
            told.wait("indexed", "street.mkv")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def test_what_the_kernel_does_not_tell_is_found_by_walking(
    watch: Watching,
    folder: Path,
    originals: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Changes behind a link to a folder elsewhere."""
    monkeypatch.setattr(watcher, "_RESCAN_SECONDS", 0.5)
    (tmp_path / "elsewhere").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    with watch(folder) as told:
        told.wait("indexed", "garden.mp4")
        shutil.copy(originals / "beach.mp4", tmp_path / "elsewhere")
        told.wait("indexed", "beach.mp4")


def test_without_room_for_more_watches_folders_are_walked(
    watch: Watching,
    folder: Path,
    originals: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "schedule", full)
    with watch(folder) as told:
        told.wait("indexed", "garden.mp4")
        shutil.copy(originals / "beach.mp4", folder)
        told.wait("indexed", "beach.mp4")


def test_only_folders_can_be_watched(shelf: Shelf, folder: Path, library_path: Path) -> None:
    with tempo_edge.Library.open(library_path) as library:
        for path in (folder / "garden.mp4", folder / "gone"):
            with pytest.raises(LibraryError, match="is not a folder that can be watched"):
                library.watch(path)


def test_without_a_table_of_mounts_nothing_must_be_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    def refuse(path: object, *rest: object, **choices: object) -> object:
        raise FileNotFoundError(2, "no /proc here", path)

    monkeypatch.setattr(builtins, "open", refuse)
    assert not needs_polling(Path("/home"))


def test_mounts_that_must_be_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins
    import io

    table = (
        "/dev/sda1 / ext4 rw 0 0\n"
        "server:/films /mnt/net nfs4 rw 0 0\n"
        "me@host:/ /mnt/my\\040films fuse.sshfs rw 0 0\n"
        "/dev/sdb1 /mnt/net/local vfat rw 0 0\n"
        "/dev/sdc1 /mnt/ntfs fuseblk rw 0 0\n"
    )
    real = builtins.open

    def pretend(path: object, *rest: object, **choices: object) -> object:
        if path == "/proc/mounts":
            return io.StringIO(table)
        return real(path, *rest, **choices)  # type: ignore[call-overload]

    monkeypatch.setattr(builtins, "open", pretend)
    assert needs_polling(Path("/mnt/net"))
    assert needs_polling(Path("/mnt/net/deep/down"))
    assert needs_polling(Path("/mnt/my films/2024"))
    assert not needs_polling(Path("/mnt/net/local/films"))
    assert not needs_polling(Path("/mnt/network"))
    assert not needs_polling(Path("/mnt/ntfs"))
    assert not needs_polling(Path("/home"))


# -- real processes --------------------------------------------------------------------------------


@contextmanager
def process(path: Path, folder: Path, environment: dict[str, str]) -> Iterator[Forked]:
    """A process that watches a folder for a library, and has indexed what was there."""
    words = ["watch", "--library", path, folder]
    with Forked(words, environment, stderr=subprocess.PIPE) as run:
        try:
            assert run.stderr is not None
            for begins in ("watching ", "indexed "):
                line_said = next_line(run.stderr)
                assert line_said.startswith(begins), line_said
            yield run
        finally:
            run.kill()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_well(
    environment: dict[str, str],
    folder: Path,
    library_path: Path,
    name: signal.Signals,
) -> None:
    with process(library_path, folder, environment) as run:
        run.send_signal(name)
        said = run.rest(PATIENCE)
        assert (run.returncode, said) == (0, "")
    assert set(committed(library_path)) == {str(folder / "garden.mp4")}


def test_a_signal_ends_it_in_the_middle_of_a_long_film(
    environment: dict[str, str],
    folder: Path,
    library_path: Path,
    long_film: Path,
) -> None:
    for number in range(20):
        film = folder / f"long{number}.mp4"
        film.write_bytes(long_film.read_bytes() + b"\0\0\0\x09free" + bytes([number]))
        os.utime(film, (1, 1))
    with process(library_path, folder, environment) as run:
        time.sleep(0.3)
        run.send_signal(signal.SIGTERM)
        began = time.monotonic()
        run.rest(PATIENCE)
        assert run.returncode == 0
    assert time.monotonic() - began < PATIENCE / 3
    assert len(committed(library_path)) < 21


def test_killed_it_leaves_a_library_that_is_whole(
    environment: dict[str, str],
    folder: Path,
    originals: Path,
    library_path: Path,
    shelf: Shelf,
) -> None:
    with process(library_path, folder, environment) as run:
        shutil.copy(originals / "beach.mp4", folder)
        assert run.stderr is not None
        assert next_line(run.stderr) == f"indexed {folder / 'beach.mp4'}\n"
        shutil.copy(originals / "street.mkv", folder)
        run.kill()
        run.wait()
    assert set(committed(library_path)) >= {str(folder / n) for n in ("garden.mp4", "beach.mp4")}
    shelf.index(folder)
    assert shelf.found_names() == {"garden.mp4", "beach.mp4", "street.mkv"}


def test_the_reader_is_not_asked_twice_for_the_same_contents(
    watch: Watching,
    folder: Path,
    originals: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    original = FootageReader.read

    def noting(self: FootageReader, path: Path, *rest: object) -> object:
        read.append(path.name)
        return original(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FootageReader, "read", noting)
    with watch(folder) as told:
        told.wait("indexed", "garden.mp4")
        shutil.copy(originals / "beach.mp4", folder)
        told.wait("indexed", "beach.mp4")
        os.utime(folder / "beach.mp4", (5, 5))
        told.wait("reused", "beach.mp4")
    assert read == ["garden.mp4", "beach.mp4"]


# -- what it says of itself ------------------------------------------------------------------------


@contextmanager
def saying(line: list[str], environment: dict[str, str]) -> Iterator[Callable[[], str]]:
    """Gives a function for the next line of a watching process."""
    run = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True)
    with run:
        try:
            assert run.stderr is not None
            yield partial(next_line, run.stderr)
        finally:
            run.kill()


def test_it_says_once_which_folders_it_watches_and_how(
    environment: dict[str, str], library_path: Path, folder: Path, originals: Path, polling: bool
) -> None:
    words = ["watch", "--library", library_path, folder, originals, *["--polling"] * polling]
    how = "by listing it again and again" if polling else "as the kernel tells of it"
    with Forked(words, environment, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        line = partial(next_line, run.stderr)
        assert line() == f"watching {folder} {how}\n"
        assert line() == f"watching {originals} {how}\n"
        for _ in range(4):
            assert line().split(" ")[0] in ("indexed", "reused")
        run.kill()


def test_where_the_kernel_grants_too_few_watches_it_says_so_and_hears_everything(
    command: Commands, environment: dict[str, str], folder: Path, originals: Path
) -> None:
    """With a real limit, in a user namespace: more folders than the kernel tells of."""
    limit = "/proc/sys/user/max_inotify_watches"
    inside = ["unshare", "-Ur", "sh", "-c"]
    tried = subprocess.run([*inside, f"echo 8 > {limit}"], check=False, capture_output=True)
    if tried.returncode:
        pytest.skip("this machine lends no user namespace")
    for number in range(12):
        (folder / f"{number}").mkdir()
    line = [*inside, f'echo 8 > {limit} && exec "$@"', "sh", *command("watch", folder)]
    with saying(line, environment) as said:
        assert said() == f"watching {folder} by listing it again and again\n"
        assert said() == (
            "the kernel's limit of 8 watched folders is reached: raise it with "
            '"sudo sysctl user.max_inotify_watches=524288" and start again; until then folders '
            "are listed again and again\n"
        )
        assert said().startswith("indexed ")
        for number in (0, 11):
            shutil.copy(originals / "beach.mp4", folder / f"{number}")
            assert said().endswith(f"/{number}/beach.mp4\n")
