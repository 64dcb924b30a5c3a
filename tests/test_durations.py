"""A duration: one reading of it, wherever one is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.durations import duration
from tempo_edge.moment import format_timestamp


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("90", 90.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("90s", 90.0),
        ("1:30", 90.0),
        ("00:01:30", 90.0),
        ("1:02:03.5", 3723.5),
        ("1m30s", 90.0),
        ("1m30", 90.0),
        (" 2 H 5m ", 7500.0),
        ("0.5h", 1800.0),
    ],
)
def test_what_it_means(said: str, seconds: float) -> None:
    assert duration(said) == seconds


@pytest.mark.parametrize(
    "said",
    [
        "",
        " ",
        "abc",
        "-1",
        "nan",
        "inf",
        "1e3",
        "1:",
        ":30",
        "1::2",
        "30m2h",
        "h",
        "٣",
        "1,5",
        "9" * 20,
    ],
)
def test_what_is_none(said: str) -> None:
    with pytest.raises(ValueError, match="must be a time, such as 30s, 1m30s or 1:30") as refused:
        duration(said)
    assert str(refused.value).startswith(repr(said))


@pytest.mark.parametrize("said", ["1:60", "1:99.5", "1:75:00"])
def test_a_clock_ends_at_59(said: str) -> None:
    with pytest.raises(ValueError, match="has 60 or more where 59 is the last"):
        duration(said)


@given(st.integers(0, 10**7))
def test_what_is_printed_is_read(tenths: int) -> None:
    assert duration(format_timestamp(tenths / 10)) == pytest.approx(tenths / 10)
