"""What takes long is read behind the pictures, step by step, and goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from harness import Shelf, wait_until
from videos import make_video, texture

import tempo_edge
from tempo_edge.errors import MediaError
from tempo_edge.indexing import word_choice
from tempo_edge.indexing.later_pass import Film, Step
from tempo_edge.indexing.problems import PassingError
from tempo_edge.models import load_profile
from tempo_edge.rereading import reread
from tempo_edge.store.passes import PassState
from tempo_edge.words.line import Line


class Reader:
    """Reads a line of each second of a film: which one it is."""

    kind, mark, doing, done = "speech", "1", "hearing", "heard"

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []
        self.fault: Exception | None = None
        self.at: Callable[[Film, PassState], object] = lambda film, state: None
        self.closed = 0

    def read(self, film: Film, state: PassState, checkpoint: Callable[[], None]) -> Step:
        checkpoint()
        self.began.append((film.path.name, state.until_seconds))
        self.at(film, state)
        if self.fault is not None and state.until_seconds >= 1:
            raise self.fault
        start, end = state.until_seconds, min(state.until_seconds + 1, film.end_seconds)
        line = Line(start, end, "speech", f"second {start:.0f}", "en", 0.5, f"mark {self.mark}")
        known = replace(state, until_seconds=end, is_done=end >= film.end_seconds, notes="known")
        return Step((line,), known)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    """That of words of a kind which only these tests ask for."""
    made = Reader()
    monkeypatch.setitem(word_choice.PASSES, "speech", lambda: made)
    monkeypatch.setitem(word_choice.WORDS, "seconds", ("speech",))
    return made


def lines(shelf: Shelf, query: str = "second") -> set[tuple[str, str, str]]:
    with tempo_edge.Library.open(shelf.path) as library:
        found = library.lines(query, limit=100, kinds=["speech"])
    return {(each.path.name, each.line.text, each.line.source) for each in found}


def seconds(*films: str, mark: str = "1", count: int = 3) -> set[tuple[str, str, str]]:
    return {(film, f"second {at}", f"mark {mark}") for film in films for at in range(count)}


@pytest.fixture
def lengths(shelf: Shelf, footage: Path) -> dict[str, int]:
    """Seconds of each film, the last one begun included."""
    shelf.index(footage)
    with tempo_edge.Library.open(shelf.path) as library, library.catalogue.snapshot():
        rows = library.catalogue.files()
        return {
            Path(path).name: -int(-library.catalogue.video(row.video_id).end_seconds // 1)
            for path, row in rows.items()
            if row.video_id is not None
        }


def all_of(lengths: dict[str, int], mark: str = "1") -> set[tuple[str, str, str]]:
    told = [seconds(name, mark=mark, count=count) for name, count in lengths.items()]
    return set().union(*told)


def test_it_is_read_when_all_pictures_are_in(shelf: Shelf, footage: Path, reader: Reader) -> None:
    report = shelf.index(footage, words="seconds")
    kinds = [event.kind for event in shelf.events]
    assert "hearing" not in kinds[: max(at for at, kind in enumerate(kinds) if kind == "indexed")]
    assert report.later == {"heard": 3} and report.indexed == 3
    assert shelf.said("heard") == [
        ("heard", name) for name in ("beach.mp4", "garden.mp4", "street.mkv")
    ]
    heard = [event for event in shelf.events if event.kind == "heard"]
    assert [(each.position, each.files) for each in heard] == [(n, 3) for n in (1, 2, 3)]
    assert all(each.done_seconds == each.total_seconds > 1 for each in heard)
    assert reader.closed == 1
    with tempo_edge.Library.open(shelf.path) as library:
        read = library.words_read()
    assert read.passes["speech"].videos_done == 3 and read.remarks == ()
    assert read.counts["speech"] == len(reader.began)


def test_what_was_read_is_not_read_again(
    shelf: Shelf, footage: Path, lengths: dict[str, int], reader: Reader
) -> None:
    assert shelf.index(footage, words="seconds").later == {"heard": 3}
    assert lines(shelf) == all_of(lengths)
    reader.began.clear()
    assert shelf.index(footage, words="seconds").later == {"heard": 0}
    assert reader.began == shelf.events == [] and lines(shelf) == all_of(lengths)
    assert shelf.index(footage).later == {} and lines(shelf) == all_of(lengths)
    reader.mark = "2"
    assert shelf.index(footage, words="seconds").later == {"heard": 3}
    assert lines(shelf) == all_of(lengths, mark="2")


def test_a_run_that_is_ended_goes_on_behind_the_last_step(
    shelf: Shelf, footage: Path, lengths: dict[str, int], reader: Reader
) -> None:
    report = shelf.index(footage, words="seconds", stopping=lambda: len(reader.began) >= 2)
    assert report.stopped and report.later == {}
    with tempo_edge.Library.open(shelf.path) as library:
        totals = library.words_read().passes["speech"]
    assert (totals.videos_done, totals.seconds_done) == (0, pytest.approx(2.0, abs=1.01))
    begun = list(reader.began)
    reader.began.clear()
    assert shelf.index(footage, words="seconds").later == {"heard": 3}
    assert begun[-1] not in reader.began or begun[-1] == reader.began[0]
    assert lines(shelf) == all_of(lengths), "nothing twice, and nothing left out"


def test_a_film_that_can_not_be_read_any_further_keeps_what_was_read(
    shelf: Shelf, footage: Path, lengths: dict[str, int], reader: Reader
) -> None:
    reader.fault = MediaError("its sound\nis broken")
    assert shelf.index(footage, words="seconds").later == {"heard": 3}
    assert lines(shelf) == seconds(*lengths, count=1)
    with tempo_edge.Library.open(shelf.path) as library:
        remarks = library.words_read().remarks
        assert library.words_read(footage / "beach.mp4").remarks == remarks[:1]
    assert remarks == tuple(
        (str(footage / name), "its sound is broken") for name in sorted(lengths)
    )
    assert {event.reason for event in shelf.events if event.kind == "heard"} == {
        "its sound is broken"
    }
    assert shelf.index(footage, words="seconds").later == {"heard": 0}, "it is done with"


def test_what_may_pass_is_tried_again(
    shelf: Shelf, footage: Path, lengths: dict[str, int], reader: Reader
) -> None:
    reader.fault = PassingError("the disk stumbles")
    assert shelf.index(footage, words="seconds").later == {"heard": 0}
    assert [event.reason for event in shelf.events if event.kind == "heard"] == [
        "the disk stumbles"
    ] * 3
    reader.fault = None
    assert shelf.index(footage, words="seconds").later == {"heard": 3}
    assert lines(shelf) == all_of(lengths)


def test_a_reader_that_comes_no_further_is_ended(
    shelf: Shelf,
    footage: Path,
    lengths: dict[str, int],
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Reader, "read", lambda self, film, state, checkpoint: Step((), state))
    assert shelf.index(footage, words="seconds").later == {"heard": 3}
    with tempo_edge.Library.open(shelf.path) as library:
        assert {text for _, text in library.words_read().remarks} == {"comes no further than 0.0 s"}


def test_a_film_that_changes_meanwhile_is_left_for_the_next_run(
    shelf: Shelf, footage: Path, lengths: dict[str, int], reader: Reader
) -> None:
    beach = footage / "beach.mp4"

    def touch(film: Film, state: PassState) -> None:
        if film.path == beach and state.until_seconds >= 1:
            os.utime(beach, ns=(1, 1))

    reader.at = touch
    assert shelf.index(footage, words="seconds").later == {"heard": 2}
    others = {name: count for name, count in lengths.items() if name != "beach.mp4"}
    assert lines(shelf) == seconds("beach.mp4", count=1) | all_of(others)
    reader.at = lambda film, state: None
    assert shelf.index(footage, words="seconds").later == {"heard": 1}
    assert lines(shelf) == all_of(lengths)


def test_copies_are_read_once_and_what_is_not_asked_for_is_left(
    shelf: Shelf, footage: Path, lengths: dict[str, int], reader: Reader
) -> None:
    shutil.copy(footage / "beach.mp4", footage / "again.mp4")
    assert shelf.index(footage / "garden.mp4", words="seconds").later == {"heard": 1}
    assert {name for name, _ in reader.began} == {"garden.mp4"}
    reader.began.clear()
    assert shelf.index(footage, words="seconds").later == {"heard": 2}
    assert {name for name, _ in reader.began} == {"again.mp4", "street.mkv"}
    (footage / "again.mp4").unlink()
    shelf.index(footage, words="seconds")
    assert lines(shelf) == all_of(lengths), "what is said stays with the film"


def test_a_library_that_is_read_again_keeps_what_was_read(
    shelf: Shelf,
    footage: Path,
    lengths: dict[str, int],
    reader: Reader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = Path(shutil.copytree(load_profile("nano").folder, tmp_path / "profiles" / "other"))
    about = json.loads((folder / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**about, "name": "other"}))
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "profiles"))
    shelf.index(footage / "beach.mp4", words="seconds")
    reader.began.clear()
    found = reread(shelf.path, "other", [footage], words="seconds")
    assert found.is_whole and found.report.later == {"heard": 2}
    assert {name for name, _ in reader.began} == set(lengths) - {"beach.mp4"}
    assert lines(shelf) == all_of(lengths)


def test_who_watches_reads_while_nothing_waits(
    shelf: Shelf, footage: Path, tmp_path: Path, reader: Reader
) -> None:
    new = make_video(tmp_path / "new.mp4", shots=[(texture(77), 2)], size=(64, 48)).path

    def step(film: Film, state: PassState) -> None:
        if not (footage / "new.mp4").exists():
            shutil.copy(new, footage / "new.mp4")
        time.sleep(0.3)

    reader.at = step
    stop, told = Event(), []

    def watch() -> None:
        with tempo_edge.Library.open(shelf.path) as library:
            library.watch([footage], words="seconds", stop=stop, on_event=told.append)

    def names(kind: str) -> list[str]:
        return [Path(event.path).name for event in told if event.kind == kind]

    watching = Thread(target=watch)
    watching.start()
    try:
        wait_until(lambda: len(names("heard")) == 4)
    finally:
        stop.set()
        watching.join()
    order = [(event.kind, Path(event.path).name) for event in told]
    last_of_before = max(
        order.index(("heard", name)) for name in names("heard") if name != "new.mp4"
    )
    assert order.index(("indexed", "new.mp4")) < last_of_before, "pictures come first"
