"""The rows of a packet table, from packets that damaged files have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tempo_edge.media._packets import packet_table


def packet(stamp: int, duration: int | None) -> Any:
    facts = {"pts": stamp, "dts": stamp, "size": 100, "pos": stamp, "duration": duration}
    return SimpleNamespace(**facts, is_keyframe=True, is_discard=False)


@pytest.mark.parametrize("duration", [-1, -1000, 0, None])
def test_a_last_picture_of_no_length_is_as_long_as_the_others(duration: int | None) -> None:
    packets = [packet(0, 40), packet(40, 40), packet(80, duration)]
    assert packet_table(packets, 1000.0, False).end == 120
