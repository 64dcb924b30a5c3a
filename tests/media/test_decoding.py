"""Whether what a decoder gives leads to the pictures asked for is told from the fewest of them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tempo_edge.media._decoding import Damage, IndexLiesError, lead_to

FIRST, LAST = 30, 50


def decoded(*stamps: int | None, keys: tuple[int, ...] = ()) -> Iterator[Any]:
    """What a decoder gives: pictures with these times, whole, some of them key frames."""
    for stamp in stamps:
        yield SimpleNamespace(pts=stamp, key_frame=stamp in keys, is_corrupt=False)


def led(frames: Iterator[Any], *, from_key: bool = True, tells: bool = False) -> list[int]:
    """The times of the pictures that are given."""
    how: dict[str, Any] = {"from_key": from_key, "tells": tells, "damage": Damage()}
    return [frame.pts for frame in lead_to(frames, FIRST, LAST, **how)]


def left(frames: Iterator[Any]) -> list[int | None]:
    return [frame.pts for frame in frames]


@pytest.mark.parametrize("from_key", [True, False])
def test_what_comes_before_and_what_has_no_time_is_passed_over(from_key: bool) -> None:
    frames = decoded(10, None, 20, 30, None, 40, 50, 60)
    assert led(frames, from_key=from_key) == [30, 40, 50]
    assert left(frames) == [60], "nothing is decoded beyond the last"


def test_a_key_frame_that_does_not_come_is_not_waited_for() -> None:
    frames = decoded(10, 20, 40, 50, 60)
    with pytest.raises(IndexLiesError):
        led(frames)
    assert left(frames) == [50, 60]
    assert led(decoded(10, 20, 40, 50, 60), from_key=False) == [40, 50]


def test_a_decoder_that_begins_within_a_group_is_told_at_once() -> None:
    frames = decoded(10, 30, 40, 50, keys=(30,))
    with pytest.raises(IndexLiesError):
        led(frames, tells=True)
    assert left(frames) == [30, 40, 50]
    assert led(decoded(30, 40, 50, keys=(30,)), tells=True) == [30, 40, 50]


def test_pictures_that_end_before_the_first_lead_nowhere() -> None:
    with pytest.raises(IndexLiesError):
        led(decoded(10, 20))
