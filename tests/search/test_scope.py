"""Which videos a query concerns: by path, by day, by length, by number, and by all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from videos import make_video, motion

from tempo_edge import Library
from tempo_edge.errors import QueryError
from tempo_edge.query import Query, places
from tempo_edge.search import scope
from tempo_edge.search.scope import videos_of

# Noon of each day, wherever the test runs, and how long each film is.
FILMS = {"a": ("2020-05-01", 1), "b": ("2020-05-02", 2), "sub/c": ("2020-05-03", 3)}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("scope")
    (folder / "sub").mkdir()
    for seed, (name, (day, seconds)) in enumerate(FILMS.items()):
        path = folder / f"{name}.mp4"
        make_video(path, shots=[(motion(seed), seconds)], size=(64, 48))
        noon = datetime.combine(date.fromisoformat(day), time(12)).timestamp()
        os.utime(path, (noon, noon))
    with Library.open(folder / "library.db") as opened:
        opened.index(folder)
        yield opened


def found(library: Library, **choices: Any) -> set[str] | None:
    """Names of the films that come into question; None where none is left out."""
    with library.catalogue.snapshot():
        videos = videos_of(Query("a dog", **choices), library.catalogue)
        if videos is None:
            return None
        assert videos == sorted(videos)
        paths = [library.catalogue.files_of(video)[0].path for video in videos]
    folder = library.path.parent
    return {str(Path(path).relative_to(folder).with_suffix("")) for path in paths}


def test_without_a_filter_nothing_is_left_out(library: Library) -> None:
    assert found(library) is None


def test_days_are_from_the_first_to_before_the_second(library: Library) -> None:
    second, third = date(2020, 5, 2), date(2020, 5, 3)
    assert found(library, after=second) == {"b", "sub/c"}
    assert found(library, before=second) == {"a"}
    assert found(library, after=second, before=third) == {"b"}
    assert found(library, after=third, before=third) == set()


def test_lengths_are_inclusive(library: Library) -> None:
    with library.catalogue.snapshot():
        _, second, third = sorted(seconds for _, seconds in library.catalogue.videos())
    assert found(library, min_seconds=second) == {"b", "sub/c"}
    assert found(library, max_seconds=second) == {"a", "b"}
    assert found(library, min_seconds=second, max_seconds=second) == {"b"}
    assert found(library, min_seconds=third + 0.01) == set()
    assert found(library, max_seconds=0.0) == set()


def test_paths_add_up(library: Library) -> None:
    folder = library.path.parent
    assert found(library, within=places(folder / "sub")) == {"sub/c"}
    assert found(library, within=places([folder / "sub", folder / "a.mp4"])) == {"a", "sub/c"}
    with pytest.raises(QueryError, match="holds no footage at or under /nowhere"):
        found(library, within=places([folder, "/nowhere"]))


def test_filters_hold_together(library: Library) -> None:
    with library.catalogue.snapshot():
        numbers = [video for video, _ in library.catalogue.videos()]
    assert found(library, videos=frozenset()) == set()
    assert found(library, videos=frozenset(numbers), after=date(2020, 5, 2)) == {"b", "sub/c"}
    sub = places(library.path.parent / "sub")
    assert found(library, within=sub, max_seconds=1.5) == set()
    assert found(library, within=sub, min_seconds=1.5, after=date(2020, 5, 3)) == {"sub/c"}


def test_what_is_offline_may_be_left_out(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume is asked for once, however many files it has; where a file has none, it counts."""
    asked: list[str] = []
    rows = library.catalogue.files()
    volumes = {"a": "one", "b": "two", "sub/c": "two"}
    folder = library.path.parent
    moved = {
        path: replace(row, volume=volumes[str(Path(path).relative_to(folder).with_suffix(""))])
        for path, row in rows.items()
    }
    monkeypatch.setattr(library.catalogue, "each_file", lambda under=None: moved.values())
    monkeypatch.setattr(scope, "is_mounted", lambda volume: asked.append(volume) or volume == "one")
    assert found(library, offline=False) == {"a"}
    assert sorted(asked) == ["one", "two"]
    assert found(library, offline=True) is None
    moved.update({path: replace(row, volume="") for path, row in moved.items()})
    assert found(library, offline=False) == set(FILMS)


def test_a_time_that_no_calendar_knows_is_of_no_day(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {
        path: replace(row, mtime_ns=2**63 - 1) for path, row in library.catalogue.files().items()
    }
    rows |= {f"{path}x": replace(row, mtime_ns=-(2**63)) for path, row in rows.items()}
    monkeypatch.setattr(library.catalogue, "each_file", lambda under=None: rows.values())
    monkeypatch.setattr(scope, "date", _NoCalendar)
    assert found(library, after=date(1, 1, 1)) == set()


class _NoCalendar(date):
    @classmethod
    def fromtimestamp(cls, stamp: float, /) -> _NoCalendar:
        raise OverflowError(stamp)
