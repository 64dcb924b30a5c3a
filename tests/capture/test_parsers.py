"""What names, tags and sidecars say; and that nothing they can hold does any harm."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taken import APPLE, TELEMETRY

from tempo_edge.capture.coordinates import coordinates, of_exif, of_iso6709
from tempo_edge.capture.facts import Capture, Coordinates, Instant, as_instant
from tempo_edge.capture.names import instant_of_name
from tempo_edge.capture.tags import capture_of_tags
from tempo_edge.capture.takeout import of_takeout
from tempo_edge.capture.telemetry import is_telemetry, of_telemetry
from tempo_edge.capture.xmp import of_xmp

NOW = datetime(2026, 11, 30)

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description rdf:about=""
 exif:DateTimeOriginal="1987-06-05T04:03:02+01:00" tiff:Make="Sony &amp; Co"
 exif:GPSLatitude="38,42.834N" exif:GPSLongitude="9,8,21.84W"><tiff:Model>CCD-V8</tiff:Model>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def said(instant: Instant | None) -> str | None:
    return None if instant is None else instant.text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("VID_20240131_142500.mp4", "2024-01-31T14:25:00"),
        ("IMG_20240131_142500123.mov", "2024-01-31T14:25:00"),
        ("PXL_20240131_142500123.mp4", "2024-01-31T14:25:00Z"),
        ("20240131-142500-cam.mkv", "2024-01-31T14:25:00"),
        ("20240131-beach.mp4", "2024-01-31"),
        ("VID-20240131-WA0001.mp4", "2024-01-31"),
        ("Screen Recording 2024-01-31 at 14.25.00.mov", "2024-01-31T14:25:00"),
        ("signal-2024-01-31-14-25-00.mp4", "2024-01-31T14:25:00"),
        ("20240131T142500Z.mp4", "2024-01-31T14:25:00Z"),
        ("1706711100000.mp4", "2024-01-31T14:25:00Z"),
        ("1945.05.08 victory.avi", "1945-05-08"),
        ("20240231_142500.mp4", None),  # no February has it
        ("20240131_256060.mp4", "2024-01-31"),  # the hour is none
        ("20991231_000000.mp4", None),  # yet to come
        ("1234202401311425.mp4", None),  # within a longer number
        ("film 1920x1080 30.mp4", None),
        ("beach.mp4", None),
    ],
)
def test_a_name_says_when(name: str, told: str | None) -> None:
    assert said(instant_of_name(name, NOW)) == told


def test_what_a_telephone_writes() -> None:
    found = capture_of_tags({name.lower(): value for name, value in APPLE.items()}, now=NOW)
    assert said(found.capture.instant) == "2023-07-04T12:00:00+02:00"
    assert found.capture.taken_from == "container" and found.capture.camera == "Apple iPhone 12"
    assert found.capture.coordinates == Coordinates(48.8566, 2.3522)
    assert said(found.created) == "2023-07-04T10:00:00Z"


def test_some_cameras_write_the_time_of_the_place_where_greenwichs_belongs() -> None:
    tags = {"creation_time": "2023-07-04T10:00:00.000000Z"}
    assert said(capture_of_tags(tags, now=NOW).created) == "2023-07-04T10:00:00Z"
    action = capture_of_tags(tags, ("\x0bGoPro AVC",), now=NOW)
    assert said(action.created) == "2023-07-04T10:00:00" and action.capture.make == "GoPro"
    assert said(capture_of_tags({**tags, "make": "Canon"}, now=NOW).created) == (
        "2023-07-04T10:00:00"
    )


@pytest.mark.parametrize(
    "at",
    ["1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2040-01-01T00:00:00Z", "NaN", "", "1e308"],
)
def test_a_clock_that_was_never_set_says_nothing(at: str) -> None:
    assert capture_of_tags({"creation_time": at}, now=NOW).created is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("+38.7139-009.1394/", (38.7139, -9.1394)),
        ("+3842.834-00908.364+012/", (38.7139, -9.1394)),
        ("+384250.04-0090821.84/", (38.7139, -9.1394)),
        ("+90+180/", (90, 180)),
        ("+91+000/", None),
        ("+00.0000+000.0000/", None),
        ("+3899.0-00908.3/", None),
        ("nan,nan", None),
        ("", None),
    ],
)
def test_iso_6709(text: str, where: tuple[float, float] | None) -> None:
    found = of_iso6709(text)
    told = None if found is None else (found.latitude, found.longitude)
    assert told == (None if where is None else pytest.approx(where, abs=1e-4))


def test_a_sidecar_of_xmp() -> None:
    found = of_xmp(XMP, NOW)
    assert said(found.instant) == "1987-06-05T04:03:02+01:00" and found.taken_from == "xmp"
    assert (found.make, found.model) == ("Sony & Co", "CCD-V8")
    assert found.coordinates is not None
    assert found.coordinates.kilometres(Coordinates(38.7139, -9.1394)) < 0.1
    assert of_xmp('<!DOCTYPE x [<!ENTITY a "aa">]><x exif:DateTimeOriginal="&a;"/>') == Capture()


def test_an_export_of_google_photos() -> None:
    told = {
        "photoTakenTime": {"timestamp": "1706711100"},
        "geoData": {"latitude": 0, "longitude": 0},
    }
    told["geoDataExif"] = {"latitude": 38.7139, "longitude": -9.1394}
    found = of_takeout(json.dumps(told), NOW)
    assert said(found.instant) == "2024-01-31T14:25:00Z" and found.taken_from == "takeout"
    assert found.coordinates == Coordinates(38.7139, -9.1394)
    for hostile in ("[" * 100_000, '{"photoTakenTime": 1e308}', "NaN", "[]", '{"geoData": [1]}'):
        assert of_takeout(hostile, NOW) == Capture()
    for seconds in (1e308, "9" * 4000, None, [], "-99999999999999"):
        assert of_takeout(json.dumps({"photoTakenTime": {"timestamp": seconds}})) == Capture()


def test_a_drone_tells_and_nobody_speaks() -> None:
    found = of_telemetry(TELEMETRY, NOW)
    assert said(found.instant) == "2022-08-09T10:11:12" and found.taken_from == "srt"
    assert found.coordinates == Coordinates(38.7139, -9.1394)
    older = "1\n00:00:01,000 --> 00:00:02,000\nHOME(-9.1394,38.7139) 2017.08.05 14:11:51\n"
    older += "GPS(-9.1400,38.7141,16) BAROMETER:1.9\nISO:100 Shutter:60 EV: Fnum:2.2\n"
    assert is_telemetry(older)
    assert of_telemetry(older, NOW).coordinates == Coordinates(38.7141, -9.14)
    assert not is_telemetry("1\n00:00:01,000 --> 00:00:02,000\nGo home (now), said GPS.\n")


NUMBERS = st.floats() | st.integers() | st.text(max_size=20) | st.none()


@given(text=st.text(max_size=60), number=NUMBERS, other=NUMBERS)
@settings(max_examples=150)
def test_nothing_that_is_written_does_harm(text: str, number: object, other: object) -> None:
    instant_of_name(text)
    of_iso6709(text)
    of_exif(text)
    of_xmp(f'exif:DateTimeOriginal="{text}" exif:GPSLatitude="{number}"')
    of_takeout(text)
    of_telemetry(text)
    capture_of_tags({"creation_time": text, "location": text, "make": text})
    found = coordinates(number, other)
    assert found is None or (abs(found.latitude) <= 90 and abs(found.longitude) <= 180)


@given(
    clock=st.datetimes(datetime(1900, 1, 1), datetime(2025, 1, 1)),
    minutes=st.none() | st.integers(-14 * 60, 14 * 60),
    is_utc=st.booleans(),
)
@settings(max_examples=100)
def test_a_capture_is_told_and_read_again(
    clock: datetime, minutes: int | None, is_utc: bool
) -> None:
    is_utc = is_utc and minutes is None
    instant = Instant(clock.replace(microsecond=0), minutes, is_utc)
    whole = Capture(instant, "name", Coordinates(1.5, -2.5), "Lisbon, PT", model="HERO9")
    assert Capture.from_dict(whole.as_dict()) == whole
    assert Capture.from_dict(Capture().as_dict()) == Capture.from_dict({}) == Capture()


def test_a_day_alone_and_a_clock_without_end() -> None:
    day = as_instant(datetime(2024, 1, 31), is_day=True, now=NOW)
    assert day is not None and day.text == "2024-01-31" and Instant.of(day.text) == day
    assert as_instant(datetime(1, 1, 1)) is None and as_instant(datetime(9999, 12, 31)) is None
