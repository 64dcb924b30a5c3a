"""The Python API, as a program would use it."""

from __future__ import annotations

import gc
import shutil
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from harness import PATIENCE, Shelf, wait_until

import tempo_edge
from tempo_edge import Library, LibraryError, Moment, ProfileError, QueryError, TempoEdgeError
from tempo_edge.indexing.footage import Sampling
from tempo_edge.store.place import default_library_path

BACKWARDS = Sampling(frames_per_second=-1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default library lies here."""
    path = tmp_path / "default" / "library.db"
    monkeypatch.setenv("TEMPO_EDGE_LIBRARY", str(path))
    return path


def test_three_lines_are_enough(home: Path, footage: Path) -> None:
    tempo_edge.index(footage)
    moments = list(tempo_edge.find("clouds over the sea", min_confidence=0))
    assert {m.path for m in moments} == set(footage.iterdir())
    assert all(isinstance(m, Moment) and m.start_seconds < m.end_seconds for m in moments)
    assert home.exists()


def test_a_library_of_ones_own(library_path: Path, footage: Path) -> None:
    with Library.open(library_path) as library:
        report = library.index([footage / "beach.mp4", str(footage / "garden.mp4")])
        assert report.indexed == 2
        answer = library.find("clouds", limit=1, min_confidence=0)
        assert len(answer) == 1 and list(answer) == list(answer.moments)
        assert [Path(row.path).name for row in library.files()] == ["beach.mp4", "garden.mp4"]
        assert library.totals()["videos"] == 2
        assert library.forget(footage) == 2
        assert library.files() == []
        assert len(library.find("clouds", min_confidence=0)) == 0
        assert library.index(path for path in footage.iterdir()).indexed == 3


def test_a_refusal_tells_what_came_closest(built: Path) -> None:
    with Library.open(built) as library:
        everything = library.find("clouds", min_confidence=0, limit=100)
        answer = library.find("clouds", min_confidence=1)
    assert len(answer) == 0 and not list(answer)
    assert answer.best_rejected == everything.moments[0]
    assert answer.rejected_count == len(everything)


def test_the_variation_curve(library_path: Path, footage: Path) -> None:
    with Library.open(library_path) as library:
        library.index(footage)
        curve = library.variation(footage / "beach.mp4")
        with pytest.raises(LibraryError, match="is not indexed: index it first"):
            library.variation(footage / "none.mp4")
    assert curve.dtype == np.float32 and curve.ndim == 2 and curve.shape[1] == 2
    assert np.all(np.diff(curve[:, 0]) > 0)
    assert np.all(curve >= 0) and curve[:, 1].max() <= 1
    assert curve[-1, 0] <= 4.05


def test_the_same_files_and_queries_give_the_same_moments(tmp_path: Path, originals: Path) -> None:
    answers = []
    for name in ("one.db", "two.db"):
        with Library.open(tmp_path / name) as library:
            library.index(originals)
            answers.append(library.find("clouds", min_confidence=0))
    assert answers[0] == answers[1]


def test_watching_from_a_program(home: Path, footage: Path) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=tempo_edge.watch, args=(footage,), kwargs={"stop": stop})
    thread.start()

    def indexed() -> bool:
        try:
            with Library.open() as library:
                return len(library.files()) == 3
        except LibraryError:
            return False

    try:
        wait_until(indexed)
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def test_threads_may_share_a_library(built: Path) -> None:
    with Library.open(built) as library:
        alone = library.find("clouds", min_confidence=0)
        answers: list[object] = []

        def search() -> None:
            for _ in range(10):
                answers.append(library.find("clouds", min_confidence=0) == alone)
                library.files()

        threads = [threading.Thread(target=search) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [True] * 40


def test_a_search_in_a_warm_library_is_quick(built: Path) -> None:
    with Library.open(built) as library:
        library.find("clouds")
        began = time.process_time()
        for _ in range(5):
            library.find("a dog jumps")
        assert (time.process_time() - began) / 5 < 0.2


def test_where_the_default_library_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_library_path() == tmp_path / "data" / "tempo-edge" / "library.db"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TEMPO_EDGE_LIBRARY", "~/films.db")
    assert default_library_path() == tmp_path / "films.db"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (lambda library: library.find(""), QueryError),
        (lambda library: library.find("x", limit=0), QueryError),
        (lambda library: library.find("x", min_confidence=2), QueryError),
        (lambda library: library.find("x", within="/nowhere"), QueryError),
        (lambda library: library.index("/nowhere"), LibraryError),
        (lambda library: library.index("/", decoder="vlc"), TempoEdgeError),
        (lambda library: library.index("/", sampling=BACKWARDS), TempoEdgeError),
        (lambda library: library.watch("/nowhere"), LibraryError),
        (lambda library: library.forget("/nowhere"), LibraryError),
        (lambda library: Library.open(library.path, profile="giga"), ProfileError),
    ],
)  # fmt: skip
def test_errors_are_of_one_family(
    shelf: Shelf, originals: Path, wrong: Callable[[Library], object], kind: type[Exception]
) -> None:
    shelf.index(originals / "garden.mp4")
    with Library.open(shelf.path) as library:
        with pytest.raises(kind) as caught:
            wrong(library)
        assert isinstance(caught.value, TempoEdgeError)
        assert "\n" not in str(caught.value)
        assert len(library.find("clouds", min_confidence=0)) == 1, "and it goes on working"


def test_a_query_error_is_a_value_error(built: Path) -> None:
    with Library.open(built) as library, pytest.raises(ValueError, match="limit 0"):
        library.find("x", limit=0)


def test_nothing_stays_open(shelf: Shelf, footage: Path, tmp_path: Path) -> None:
    """Descriptors of databases, locks, caches, videos; threads of decoders."""

    def descriptors() -> list[str]:
        places = []
        for link in Path("/proc/self/fd").iterdir():
            try:
                places.append(str(link.readlink()))
            except OSError:
                continue
        return sorted(place for place in places if str(tmp_path) in place)

    (footage / "bad.mp4").write_bytes(b"bad")
    text, foreign = tmp_path / "text.db", tmp_path / "foreign.db"
    text.write_text("text " * 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shelf.index(footage)
        shelf.found()
        with Library.open(shelf.path) as library:
            library.forget(footage / "bad.mp4")
        shutil.copy(shelf.path, foreign)
        with closing(sqlite3.connect(foreign)) as rows, rows:
            rows.execute("UPDATE meta SET value='giga-0123456789abcdef' WHERE key='profile'")
        for _ in range(2):
            with pytest.raises(LibraryError):
                Library.open(text)
            with pytest.raises(LibraryError):
                Library.open(foreign, profile="nano")
            with pytest.raises(LibraryError), Library.open(tmp_path / "new.db") as library:
                library.watch(tmp_path / "nowhere")
        gc.collect()
    assert descriptors() == []
    assert not [t for t in threading.enumerate() if t.name.startswith("tempo-decode")]


def test_a_library_can_be_used_again_after_it_was_closed(shelf: Shelf, originals: Path) -> None:
    shelf.index(originals / "garden.mp4")
    library = Library.open(shelf.path)
    first = library.find("clouds", min_confidence=0)
    library.close()
    library.close()
    assert library.find("clouds", min_confidence=0) == first
    library.close()


def test_a_copy_of_a_library_is_a_library(shelf: Shelf, originals: Path, tmp_path: Path) -> None:
    shelf.index(originals)
    shutil.copytree(shelf.path.parent, tmp_path / "copy")
    assert Shelf(tmp_path / "copy" / "library.db").found() == shelf.found()
