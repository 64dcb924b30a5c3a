"""Several files under way at once: what is stored and told is as if each were read alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from harness import PATIENCE, Shelf
from videos import make_video, motion, texture

import tempo_edge
from tempo_edge.indexing.decode_pool import DecodePool, MemoryBudget
from tempo_edge.indexing.desk import Desk, Stopped
from tempo_edge.indexing.digests import FileDigests
from tempo_edge.indexing.footage import FootageReader
from tempo_edge.indexing.reading import CopiesUnderWay
from tempo_edge.indexing.reading_ahead import Place, Reading, ReadingAhead
from tempo_edge.indexing.report import IndexEvent
from tempo_edge.indexing.walk import FoundFile

FILES = [FoundFile(f"/films/{name}.mp4", 1, 1) for name in "abcde"]


def name(reading: Reading) -> str:
    return Path(reading.found.path).stem


def ahead(
    read: Callable[[Reading], object],
    check_stop: Callable[[], None] = lambda: None,
    *,
    at_once: int = 3,
    alone: Sequence[str] = (),
    place: Callable[[FoundFile], Place] = lambda found: Place(),
) -> ReadingAhead:
    return ReadingAhead(
        FILES, read, Desk(check_stop), at_once=at_once, place=place,
        is_alone=lambda found: Path(found.path).stem in alone,
    )  # fmt: skip


def taken(reading_ahead: ReadingAhead) -> list[object]:
    """What the readings gave, in order."""
    with reading_ahead:
        return [reading_ahead.take(lambda *far: None).result.result() for _ in FILES]


# -- in which order, and how many at once ----------------------------------------------------------


def test_files_are_taken_in_order_whichever_is_done_first() -> None:
    later = {each: Event() for each in "abcde"}

    def read(reading: Reading) -> str:
        if name(reading) in "ab":  # each waits for the one after it
            assert later[chr(ord(name(reading)) + 1)].wait(PATIENCE)
        later[name(reading)].set()
        return name(reading)

    assert taken(ahead(read)) == list("abcde")


@pytest.mark.parametrize(
    ("place", "alone", "most"),
    [
        (Place(), "", 3),
        (Place("disk", 1), "", 1),
        (Place("disk", 2), "", 2),
        (Place(), "abcde", 1),
    ],
    ids=["any number", "one of a disk", "two of a disk", "each alone"],
)
def test_no_more_files_are_read_at_once_than_may_be(place: Place, alone: str, most: int) -> None:
    lock, under_way, counted = threading.Lock(), set[str](), list[int]()
    full = Event()

    def read(reading: Reading) -> str:
        with lock:
            under_way.add(name(reading))
            counted.append(len(under_way))
            if len(under_way) == most:
                full.set()
        assert full.wait(PATIENCE), "as many as may be are"
        with lock:
            under_way.remove(name(reading))
        reading.leave()
        return name(reading)

    assert taken(ahead(read, alone=alone, place=lambda found: place)) == list("abcde")
    assert max(counted) == most


def test_a_file_that_is_left_makes_room_on_its_disk_before_it_is_done() -> None:
    begun = {each: Event() for each in "abcde"}

    def read(reading: Reading) -> str:
        begun[name(reading)].set()
        reading.leave()
        if name(reading) == "a":
            assert begun["b"].wait(PATIENCE), "while a is still encoded, say"
        return name(reading)

    assert taken(ahead(read, place=lambda found: Place("disk", 1))) == list("abcde")


# -- what readers ask, and how they end ------------------------------------------------------------


def test_readers_have_the_library_looked_into_by_the_thread_that_writes() -> None:
    def read(reading: Reading) -> bool:
        return reading.desk.ask(threading.get_ident) == here

    here = threading.get_ident()
    assert taken(ahead(read)) == [True] * len(FILES)


def test_what_an_answer_raises_is_raised_where_it_was_asked_for() -> None:
    def fail() -> None:
        raise LookupError("no such row")

    def read(reading: Reading) -> str:
        with pytest.raises(LookupError, match="no such row"):
            reading.desk.ask(fail)
        return "asked"

    assert taken(ahead(read)) == ["asked"] * len(FILES)


def test_an_end_reaches_every_reader() -> None:
    begun, ended = threading.Barrier(4), list[str]()

    def read(reading: Reading) -> None:
        begun.wait(PATIENCE)
        try:
            while True:
                reading.desk.checkpoint()
        except Stopped:
            ended.append(name(reading))
            raise

    reading_ahead = ahead(read)
    with pytest.raises(KeyboardInterrupt), reading_ahead:
        reading_ahead._begin()
        begun.wait(PATIENCE)
        raise KeyboardInterrupt
    assert sorted(ended) == list("abc")


def test_readers_pause_as_long_as_nobody_answers_whether_to_end() -> None:
    """The service answers late while the machine runs on its battery."""
    passed = Event()

    def read() -> None:
        desk.checkpoint()
        passed.set()

    def check_stop() -> None:
        reader.start()
        assert not passed.wait(0.05)

    reader, desk = threading.Thread(target=read), Desk(check_stop)
    desk.serve()
    assert passed.wait(PATIENCE)
    reader.join(PATIENCE)


# -- workers and memory ----------------------------------------------------------------------------


def test_workers_do_first_what_belongs_to_the_earliest_file() -> None:
    pool, held, done = DecodePool(1), Event(), list[str]()
    pool.submit(9, lambda: held.wait(PATIENCE))
    rest = [
        pool.submit(turn, partial(done.append, what))
        for turn, what in ((2, "2a"), (1, "1a"), (2, "2b"), (0, "0"), (1, "1b"))
    ]
    held.set()
    for future in rest:
        future.result(PATIENCE)
    pool.close()
    assert done == ["0", "1a", "1b", "2a", "2b"]


def test_a_pool_that_is_closed_gives_up_what_has_not_begun() -> None:
    pool, begun, held = DecodePool(1), Event(), Event()

    def work() -> bool:
        begun.set()
        return held.wait(PATIENCE)

    running, waiting = pool.submit(0, work), pool.submit(0, work)
    assert begun.wait(PATIENCE)
    closing_it = threading.Thread(target=pool.close)
    closing_it.start()
    while not waiting.cancelled():
        assert closing_it.is_alive()
    held.set()
    closing_it.join(PATIENCE)
    assert running.result() is True
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(0, work)


def test_memory_is_lent_until_there_is_no_more_and_large_amounts_a_few_times() -> None:
    budget = MemoryBudget(100, least=2)
    assert budget.try_take(60) and budget.try_take(40) and not budget.try_take(1)
    budget.give_back(100)
    assert budget.try_take(500) and budget.try_take(500) and not budget.try_take(500)


def test_the_earliest_file_has_memory_first() -> None:
    budget, order = MemoryBudget(100), list[int]()

    def take(turn: int) -> None:
        with budget.lent(turn, 100):
            order.append(turn)

    budget.take(0, 100)
    threads = [threading.Thread(target=take, args=(turn,)) for turn in (3, 1, 2)]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        while len(budget._waiting) < count:
            pass
    assert not budget.try_take(0), "nobody overtakes those that wait"
    budget.give_back(100)
    for thread in threads:
        thread.join(PATIENCE)
    assert order == [1, 2, 3]


# -- with a library --------------------------------------------------------------------------------


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Six clips of some seconds, as from a phone."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(6):
        make_video(
            folder / f"{number}.mp4",
            shots=[(texture(number), 2), (motion(number, step=2 + number), 2 + number % 3)],
            size=(192, 112), rate=Fraction(8), gop=8,
        )  # fmt: skip
    return folder


def rows(library: Path) -> dict[str, object]:
    """All that a library holds of each file's video, by the name of the file."""
    with closing(sqlite3.connect(library)) as opened:
        found: dict[str, object] = {}
        for path, video in opened.execute("SELECT path, video_id FROM files").fetchall():
            told = opened.execute("SELECT * FROM videos WHERE id=?", (video,)).fetchone()
            frames = opened.execute(
                "SELECT pts, variation, cut, vector, cells, tokens FROM frames WHERE video_id=? "
                "ORDER BY pts",
                (video,),
            ).fetchall()
            found[Path(path).name] = (told[1:], frames)
        return found


def test_the_rows_of_a_file_are_those_of_the_file_alone(
    shelf: Shelf, clips: Path, tmp_path: Path
) -> None:
    """To the byte: the time stamps, the variation, the vectors and the tokens."""
    assert shelf.index(clips).indexed == 6
    alone: dict[str, object] = {}
    for clip in sorted(clips.iterdir()):
        other = Shelf(tmp_path / f"{clip.stem}.db")
        assert other.index(clip).indexed == 1
        alone |= rows(other.path)
    assert rows(shelf.path) == alone


def test_what_is_told_is_told_file_by_file(shelf: Shelf, clips: Path) -> None:
    (clips / "3.mp4").write_bytes(b"no video")
    shelf.index(clips)
    names = [f"{number}.mp4" for number in range(6)]
    ends = {"3.mp4": "skipped"}
    assert shelf.said("started", "indexed", "skipped") == [
        (kind, each) for each in names for kind in ("started", ends.get(each, "indexed"))
    ]
    assert [e.position for e in shelf.events if e.kind == "started"] == [1, 2, 3, 4, 5, 6]


def test_of_copies_that_are_met_together_one_is_read(
    shelf: Shelf, clips: Path, decoded: list[str]
) -> None:
    for number in range(1, 6):
        shutil.copy(clips / "0.mp4", clips / f"{number}.mp4")
    report = shelf.index(clips)
    assert (report.indexed, report.reused) == (1, 5)
    assert decoded == ["0.mp4"]


def test_a_copy_does_not_pass_the_file_before_it_by_one_that_can_not_be_read(
    shelf: Shelf, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_asked, asked = Event(), []
    sample, before = FileDigests.sample, CopiesUnderWay.before

    def slow(self: FileDigests, found: FoundFile) -> bytes:
        if found.path.endswith("0.mp4"):
            copy_asked.wait(0.5)
        return sample(self, found)

    def noting(self: CopiesUnderWay, reading: Reading, digest: bytes) -> Reading | None:
        asked.append(name(reading))
        assert asked[0] == "0", "the copy would wait for nobody, and be waited for for ever"
        copy_asked.set()
        return before(self, reading, digest)

    monkeypatch.setattr(FileDigests, "sample", slow)
    monkeypatch.setattr(CopiesUnderWay, "before", noting)
    for number in range(1, 6):
        (clips / f"{number}.mp4").unlink(missing_ok=True)
    (clips / "1.mp4").symlink_to("nowhere")
    shutil.copy(clips / "0.mp4", clips / "2.mp4")
    report = shelf.index(clips)
    assert (report.indexed, report.reused, report.skipped) == (1, 1, 1)


def test_a_copy_is_read_where_the_file_before_it_could_not_be(
    shelf: Shelf, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FootageReader.read

    def stumble(self: FootageReader, path: Path, *rest: object) -> object:
        if path.name == "0.mp4":
            raise RuntimeError("a decoder stumbles")
        return read(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FootageReader, "read", stumble)
    shutil.copy(clips / "0.mp4", clips / "1.mp4")
    report = shelf.index(clips)
    assert (report.indexed, report.skipped) == (5, 1)
    assert shelf.said("indexed")[0] == ("indexed", "1.mp4")


def test_all_files_under_way_are_put_down_in_case_the_process_dies(
    shelf: Shelf, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none of them any more once the run has ended in good order, or was interrupted."""
    together = threading.Barrier(3)
    noted: list[set[str]] = []
    read = FootageReader.read

    def meet(self: FootageReader, path: Path, *rest: object) -> object:
        if path.name in ("0.mp4", "1.mp4", "2.mp4"):
            together.wait(PATIENCE)
        return read(self, path, *rest)  # type: ignore[arg-type]

    def look(event: IndexEvent) -> None:
        if event.kind == "indexed":
            noted.append(under_way())
            raise KeyboardInterrupt

    def under_way() -> set[str]:
        with tempo_edge.Library.open(shelf.path) as library:
            kept = library.catalogue.get_meta("file under way") or "{}"
        return {Path(path).name for path in json.loads(kept)}

    monkeypatch.setattr(FootageReader, "read", meet)
    with tempo_edge.Library.open(shelf.path) as library, pytest.raises(KeyboardInterrupt):
        library.index(clips, on_event=look)
    assert {"1.mp4", "2.mp4"} <= noted[0] and "0.mp4" not in noted[0], "0.mp4 is stored"
    assert under_way() == set()
    monkeypatch.undo()
    assert shelf.index(clips).indexed == 5
    assert under_way() == set()
