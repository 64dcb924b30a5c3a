"""The benchmark of bytes that are read: what was not measured is left empty, and not made up."""

from __future__ import annotations

from benchmarks.reading_io import Cost, Row, table

NOW = Cost(25_000_000, 22_000_000, 21_000_000, 3.0, 5.0)
BEFORE = Cost(100_000_000, 230_000_000, 0, 4.0, 6.0)
LIMIT = Cost(100_000_000, 100_000_000, 0, 2.0, 4.0)


def test_a_row_has_shares_of_the_film_and_times() -> None:
    assert table([Row("film", 100_000_000, NOW, BEFORE, LIMIT)]).splitlines()[-1] == (
        "| film | 100 | 0.250 | 0.220 | 0.210 | 1.000 | 2.300 | 3.0 s (5.0 s CPU) | "
        "4.0 s (6.0 s CPU) | 2.0 s (4.0 s CPU) | 1.50 |"
    )


def test_what_was_not_measured_is_left_empty() -> None:
    assert table([Row("film", 100_000_000, NOW)]).splitlines()[-1] == (
        "| film | 100 | 0.250 | 0.220 | 0.210 |  |  | 3.0 s (5.0 s CPU) |  |  |  |"
    )
