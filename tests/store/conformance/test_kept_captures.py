"""When, where and by what videos were taken is kept, found by, and goes with files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from films import CURVE, VIDEO, put

from tempo_edge.capture.facts import Capture, Coordinates, Instant
from tempo_edge.errors import QueryError
from tempo_edge.filters import Circle, Filters
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.rows import FileRow

LISBON, PARIS = Coordinates(38.7139, -9.1394), Coordinates(48.8566, 2.3522)
WHOLE = Capture(
    Instant(datetime(2023, 7, 4, 12), 120), "container", PARIS, "Paris, FR", "Apple", "iPhone 12"
)


def at(day: int, source: str = "name", **more: Any) -> Capture:
    return Capture(Instant(datetime(2024, 1, day, 12)), source, **more)


def within(catalogue: Catalogue, **where: Any) -> set[int]:
    return catalogue.videos_within(Filters(**where))


def test_a_capture_is_told_as_it_was(writer: WritableCatalogue, reader: Catalogue) -> None:
    kinds = [
        WHOLE,
        Capture(),
        at(1),
        Capture(Instant(datetime(1900, 1, 1), is_utc=True), "file"),
        Capture(Instant(datetime(2024, 1, 31), is_day=True), "name", LISBON),
    ]
    videos = [put(writer, f"{number}") for number in range(len(kinds))]
    for number, each in enumerate(kinds):
        writer.note_capture(f"/{number}", "m", each)
    last = put(writer, "last")
    with reader.snapshot():
        assert [reader.capture(video) for video in videos] == kinds
        assert reader.capture(last) is None
        assert reader.cameras() == ["Apple iPhone 12"]
        taken = {
            video: Capture(each.instant, each.taken_from)
            for video, each in zip(videos, kinds, strict=True)
            if each.instant
        }
        assert reader.taken() == taken
    assert writer.capture_marks(["/0", "/last", "/nowhere"]) == {"/0": "m"}


def test_times_are_of_the_place_or_of_this_machine(
    writer: WritableCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    local, zoned, greenwich = (put(writer, name) for name in "abc")
    noon = datetime(2024, 1, 31, 12)
    for path, instant in (
        ("/a", Instant(noon)),
        ("/b", Instant(noon, -600)),  # whatever it was in Greenwich by then
        ("/c", Instant(noon, is_utc=True)),
    ):
        writer.note_capture(path, "", Capture(instant, "container"))
    day = {"since": datetime(2024, 1, 31), "until": datetime(2024, 2, 1)}
    assert within(writer, **day) == {local, zoned, greenwich}
    assert within(writer, since=noon) >= {local, zoned}
    assert within(writer, until=noon) <= {greenwich}
    assert within(writer, since=datetime(1, 1, 1)) == within(writer, until=datetime(9999, 1, 1))
    assert writer.lacking(Filters(**day)) == 0


def test_of_several_files_the_one_that_is_trusted_most_counts(writer: WritableCatalogue) -> None:
    video = put(writer, "a")
    writer.put_file(FileRow("/copy", "", 1, 1, "indexed", "", video))
    writer.note_capture("/a", "", at(5, "file"))
    assert within(writer, since=datetime(2024, 1, 4)) == {video}
    writer.note_capture("/copy", "", at(2, "name", coordinates=LISBON, make="Sony"))
    assert within(writer, since=datetime(2024, 1, 4)) == set()
    assert within(writer, until=datetime(2024, 1, 4)) == {video}
    assert writer.capture(video) == at(2, "name", coordinates=LISBON, make="Sony")
    assert writer.taken() == {video: at(2, "name")}
    writer.put_file(FileRow("/copy", "", 2, 2, "indexed", "", video))
    assert writer.capture(video) == at(5, "file"), "a file that changed is to be read again"
    assert writer.capture_marks(["/copy"]) == {}


def test_places_and_cameras(writer: WritableCatalogue) -> None:
    one, two, other = (put(writer, name) for name in "abc")
    writer.note_capture("/a", "", at(1, coordinates=LISBON, make="Apple", model="iPhone 12"))
    writer.note_capture("/b", "", at(1, coordinates=PARIS, make="Apple", model="iPhone SE"))
    writer.note_capture("/c", "", at(1))
    assert within(writer, around=Circle(LISBON, 5)) == {one}
    assert within(writer, around=Circle(LISBON, 1500)) == {one, two}
    assert within(writer, around=Circle(Coordinates(0, 0), 20_000)) == {one, two}
    assert within(writer, camera="iphone") == {one, two}
    assert within(writer, camera="12 APPLE") == {one}
    assert within(writer, around=Circle(LISBON, 1500), camera="se") == {two}
    with pytest.raises(QueryError, match="camera 'nikon' took nothing in the library: Apple iPho"):
        within(writer, camera="nikon")
    assert writer.lacking(Filters(around=Circle(LISBON, 5))) == 1
    assert writer.lacking(Filters(camera="x", since=datetime(2024, 1, 1))) == 1
    writer.drop_files(["/a", "/c"])
    writer.prune()
    assert within(writer, camera="iphone") == {two} and writer.lacking(Filters(camera="x")) == 0
    assert writer.capture(one) is None and writer.capture(other) is None


def test_the_date_line(writer: WritableCatalogue) -> None:
    east, west = put(writer, "a"), put(writer, "b")
    writer.note_capture("/a", "", at(1, coordinates=Coordinates(-17, 179.9)))
    writer.note_capture("/b", "", at(1, coordinates=Coordinates(-17, -179.9)))
    assert within(writer, around=Circle(Coordinates(-17, 180), 50)) == {east, west}
    assert within(writer, around=Circle(Coordinates(-17, -179.95), 10)) == {west}


def test_sizes(writer: WritableCatalogue) -> None:
    video = put(writer, "a")
    assert min(VIDEO.width, VIDEO.height) == 48 and not len(CURVE)
    assert within(writer, least_side=48) == {video} and within(writer, least_side=49) == set()
    assert within(writer, least_side=48, since=datetime(2000, 1, 1)) == set()
    assert writer.lacking(Filters(least_side=48)) == 0
    assert writer.lacking(Filters(since=datetime(2000, 1, 1))) == 1
    writer.drop_files([str(Path("/a"))])
    assert within(writer, least_side=1) == set()
