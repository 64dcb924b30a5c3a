"""When and where: read while indexing, filled into libraries of before, and asked for."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from harness import Said
from taken import APPLE, TELEMETRY, plain, tagged

import tempo_edge
from tempo_edge.browsing import part_of, taken_by_month
from tempo_edge.capture.facts import Capture, Instant
from tempo_edge.errors import QueryError
from tempo_edge.filters import Filters
from tempo_edge.holdings import Holdings
from tempo_edge.indexing.footage import FootageReader
from tempo_edge.scope import ALL, Scope
from tempo_edge.store.opening import open_store


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films: of a telephone in Paris, of a drone in Lisbon, and one that a name dates."""
    folder = tmp_path_factory.mktemp("films")
    tagged(plain(folder / "made.mp4", 1), folder / "phone.mov", APPLE)
    (folder / "made.mp4").unlink()
    plain(folder / "DJI_0001.mp4", 2)
    (folder / "DJI_0001.SRT").write_text(TELEMETRY)
    plain(folder / "VID_20240131_142500.mp4", 3)
    return folder


@pytest.fixture(scope="module")
def library(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "library.db"
    with tempo_edge.Library.open(path) as opened:
        assert opened.index(films).indexed == 3
        assert opened.index(films).dated == 0
    return path


def names(library: Path, **where: str) -> list[str]:
    with tempo_edge.Library.open(library) as opened:
        found = opened.find("a picture", min_confidence=0.0, seen=True, **where)  # type: ignore[arg-type]
        return [moment.path.name for moment in found]


def test_what_is_filtered_is_all_that_is_found(library: Path) -> None:
    assert set(names(library, since="2023")) == {"phone.mov", "VID_20240131_142500.mp4"}
    assert set(names(library, on="2022-08-09")) == {"DJI_0001.mp4"}
    assert set(names(library, around="38.7,-9.1,20")) == {"DJI_0001.mp4"}
    assert set(names(library, camera="iphone")) == {"phone.mov"}
    assert names(library, size="4k") == []
    order = ["DJI_0001.mp4", "phone.mov", "VID_20240131_142500.mp4"]
    assert list(dict.fromkeys(names(library, sort="time"))) == order
    assert list(dict.fromkeys(names(library, sort="name"))) == [order[0], order[2], order[1]]
    with pytest.raises(QueryError, match="sort 'size' must be one of score, time, name"):
        names(library, sort="size")


def test_a_drone_says_nothing(library: Path) -> None:
    with tempo_edge.Library.open(library) as opened:
        assert opened.lines("shutter latitude") == []


def test_a_library_of_before_is_filled_without_a_picture(
    films: Path, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tmp_path / "library.db"
    with closing(sqlite3.connect(library)) as old, closing(sqlite3.connect(before)) as made:
        old.backup(made)
        with made:
            made.execute("DROP TABLE captures")
            made.execute("DROP INDEX videos_by_side")
            made.execute("DROP INDEX videos_by_length")
            made.execute("PRAGMA user_version=4")
    with tempo_edge.Library.open(before) as opened:
        answer = opened.find("a picture", min_confidence=0.0, since="1990")
        assert not answer.moments and answer.unknown_count == 3
        monkeypatch.setattr(FootageReader, "read", None)
        report = opened.index(films)
        assert (report.dated, report.unchanged, report.skipped) == (3, 3, 0)
    assert names(before, camera="iphone") == names(library, camera="iphone") != []


def test_on_the_command_line(library: Path, tempo: Callable[..., Said]) -> None:
    how = ("--library", str(library), "--no-service", "--min-confidence", "0", "--seen")
    said = tempo("find", "a picture", "--since", "2023", "--until", "2023", *how)
    assert said.status == 0 and "  taken 2023-07-04 12:00:00+02:00" in said.out
    row = json.loads(tempo("find", "a picture", "--on", "2022", "--json", *how).out.splitlines()[0])
    assert (row["taken_at"], row["taken_from"]) == ("2022-08-09T10:11:12", "srt")
    assert (row["latitude"], row["longitude"]) == (38.7139, -9.1394)
    unplaced = tempo("find", "a picture", "--around", "38.7,-9.1,20", *how)
    assert "1 video is left out: nothing tells when, where or by what" in unplaced.err
    for wrong, complaint in (
        (("--since", "2024-02-30"), "--since '2024-02-30' is no time"),
        (("--since", "2024", "--until", "2023"), "--since '2024' must be before --until '2023'"),
        (("--around", "91,0,1"), "latitude 91.0 must be within [-90, 90]"),
        (("--camera", "nikon"), "--camera 'nikon' took nothing in the library: Apple iPhone 12"),
        (
            ("--min-length", "9", "--max-length", "1"),
            "--min-length 9 must be at most --max-length 1",
        ),
    ):
        refused = tempo("find", "a picture", *wrong, *how)
        assert refused.status == 2 and complaint in refused.err
        assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["since", "on", "around", "place", "camera", "size"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_on_the_command_line_narrows_nothing_and_is_refused(
    library: Path, tempo: Callable[..., Said], name: str, value: str
) -> None:
    """As from a variable of a shell that nobody set."""
    said = tempo("find", "a picture", f"--{name}", value, "--library", library)
    assert (said.status, said.out) == (2, "")
    assert f"--{name} {value!r} is empty: say something, or leave it out" in said.err


def test_the_list_is_filtered_as_a_search_is(library: Path, tempo: Callable[..., Said]) -> None:
    def listed(*options: str) -> list[str]:
        said = tempo("list", "--json", "--library", str(library), *options)
        return [Path(json.loads(line)["path"]).name for line in said.out.splitlines()]

    assert listed("--camera", "iphone") == ["phone.mov"]
    assert listed("--since", "2023", "-n", "1") == ["VID_20240131_142500.mp4"]
    assert listed("--until", "2022", "--max-length", "60") == ["DJI_0001.mp4"]
    assert listed("--min-length", "60") == []
    none = tempo("list", "--size", "4k", "--library", str(library))
    assert none.status == 1 and "nothing that is indexed is as asked for" in none.err


def test_each_month_has_what_was_taken_in_it(library: Path) -> None:
    with Holdings(library) as held, held.catalogue.snapshot():
        months, unknown = taken_by_month(held.catalogue, ALL)
        newest = part_of(held.catalogue, Scope(filters=Filters.of({"on": "2024-01"})))
    assert [(each.year, each.month, each.all.videos) for each in months] == [
        (2022, 8, 1),
        (2023, 7, 1),
        (2024, 1, 1),
    ]
    assert {each.by_file.videos for each in months} == {unknown.videos} == {0}
    assert (len(newest.videos), newest.count, newest.unknown_count) == (1, 1, 0)


def test_a_month_is_that_of_this_machine_where_the_place_is_not_known(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar and the filter that it sets agree at the last minute of a month, and on who says so."""
    own = Path(shutil.copy(library, tmp_path / "library.db"))
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        late = datetime(2024, 3, 31, 23, 59)
        store = open_store(own)
        with store.lock(), store.writer() as writer, writer.transaction():
            drone, phone, named = (row.path for row in writer.each_file())
            writer.note_capture(drone, "", Capture(Instant(late, is_utc=True), "container"))
            writer.note_capture(phone, "", Capture(Instant(late), "file"))
            writer.note_capture(named, "", Capture())
        with Holdings(own) as held, held.catalogue.snapshot():
            months, unknown = taken_by_month(held.catalogue, ALL)
            told = {f"{each.year}-{each.month:02}": each for each in months}
            for month, each in told.items():
                scope = Scope(filters=Filters.of({"since": month, "until": month}))
                assert part_of(held.catalogue, scope).count == each.all.videos
        by_file = {month: each.by_file.videos for month, each in told.items()}
        assert by_file == {"2024-03": 1, "2024-04": 0} and unknown.videos == 1
    finally:
        monkeypatch.undo()
        time.tzset()
