"""The rows of a packet table, from packets that damaged files have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tempo_edge.media._packets import packet_table


def packet(stamp: int, duration: int | None = 400, place: int | None = None) -> Any:
    """A key frame of 100 bytes, which lies at its time stamp if at no other place."""
    place = stamp if place is None else place
    facts = {"pts": stamp, "dts": stamp, "size": 100, "pos": place, "duration": duration}
    return SimpleNamespace(**facts, is_keyframe=True, is_discard=False)


@pytest.mark.parametrize("duration", [-1, -1000, 0, None])
def test_a_last_picture_of_no_length_is_as_long_as_the_others(duration: int | None) -> None:
    packets = [packet(0, 40), packet(40, 40), packet(80, duration)]
    assert packet_table(packets, 1000.0, False).end == 120


def test_parts_that_do_not_lie_in_order_end_with_the_first() -> None:
    """A part is sought by where it begins: one that lies before another would be read for it."""
    first = [packet(stamp, place=1000 + stamp) for stamp in (0, 400, 800)]
    second = [packet(stamp, place=stamp) for stamp in (0, 400, 800)]
    table = packet_table(first + second, 1000.0, True)
    assert (table.pts.tolist(), table.end, table.parts) == ([0, 400, 800], 1200, ())
    assert table.remarks == (
        "its clock starts again at 1.2 s",
        "3 pictures after that can't be sought, and are left out",
    )


def test_parts_that_lie_in_order_are_kept() -> None:
    packets = [packet(stamp, place=place) for place, stamp in enumerate([0, 400, 800] * 2)]
    table = packet_table(packets, 1000.0, True)
    assert table.pts.tolist() == [0, 400, 800, 1200, 1600, 2000]
    assert [(part.position, part.shift) for part in table.parts] == [(0, 0), (3, 1200)]
    assert table.remarks == ("its clock starts again at 1.2 s",)


def test_pictures_of_one_clock_may_lie_anywhere() -> None:
    packets = [packet(0, place=200), packet(400, place=300), packet(800, place=100)]
    table = packet_table(packets, 1000.0, True)
    assert (table.pts.tolist(), table.remarks) == ([0, 400, 800], ())
