"""Packet tables: clocks that fall, jump and repeat, from packets that no muxer would write."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from benchmarks.fuzz.target import Refusal, Target, holds
from tempo_edge.errors import MediaError
from tempo_edge.media._bounds import bounded, most_packets
from tempo_edge.media._keys import believe
from tempo_edge.media._packets import on_one_clock, packet_table, stamp_of

__all__ = ["TARGET"]

_stamps = st.one_of(
    st.none(),
    st.integers(0, 400),
    st.integers(-(10**4), 10**4),
    st.integers(-(2**40), 2**40),
)

# None, 0 and what is negative stand for what a container doesn't say.
_packet = st.tuples(
    _stamps,
    _stamps,
    st.integers(0, 3).map(lambda n: (0, 11, 5000, 40)[n]),
    st.sampled_from([None, 0, 1, 40, -1, 10**7]),
    st.one_of(st.none(), st.integers(-1, 10**6)),
    st.booleans(),
    st.sampled_from([False] * 5 + [True]),
)

_cases = st.fixed_dictionaries(
    {
        "packets": st.lists(_packet, max_size=40),
        # How far packets lie apart if their clock runs: None leaves them as they were drawn.
        "step": st.one_of(st.none(), st.integers(1, 100)),
        "second": st.sampled_from([1, 10, 25, 1000, 90_000]),
        "resets": st.booleans(),
        "codec": st.sampled_from(["h264", "mjpeg", "png", "mpeg4", "rv10"]),
        "since": st.integers(-(10**4), 10**4),
        "bytes": st.integers(0, 10**5),
    }
)


def _packets(case: dict[str, Any]) -> list[Any]:
    made = []
    for number, row in enumerate(case["packets"]):
        pts, dts, size, duration, pos, key, discard = row
        if case["step"] is not None:
            pts = dts = number * case["step"]
            pos = number
        made.append(
            SimpleNamespace(
                **{"pts": pts, "dts": dts, "size": size, "duration": duration, "pos": pos},
                **{"is_keyframe": key, "is_discard": discard, "time_base": Fraction(1, 1000)},
            )
        )
    return made


def _check(case: dict[str, Any], folder: Path) -> None:
    packets, second = _packets(case), case["second"]
    stamps = [stamp_of(p) for p in packets if p.size and not p.is_discard]
    shown = [each for each in stamps if each is not None]
    with Refusal(MediaError) as refusal:
        table = packet_table(iter(packets), float(second), case["resets"])
    holds((refusal.error is None) == bool(shown), f"{len(shown)} pictures and {refusal.error}")
    if refusal.error is not None:
        return
    pts = table.pts.tolist()
    holds(all(a < b for a, b in pairwise(pts)), "times don't rise")
    holds(0 < len(pts) <= len(shown), f"{len(pts)} rows of {len(shown)} packets")
    holds(len(table.sizes) == len(table.keys) == len(pts), "columns of different lengths")
    sizes = {p.size for p in packets}
    holds(all(each in sizes for each in table.sizes.tolist()), "a size of no packet")
    holds(table.end is not None and table.end >= pts[-1], f"ends at {table.end}, before {pts[-1]}")
    bounds = [bound for hole in table.holes for bound in hole]
    holds(all(a <= b for a, b in pairwise(bounds)), f"holes {table.holes} are out of order")
    holds(all(after in pts for _, after in table.holes), "nothing is shown after a hole")
    ticks = [table.shown_until(each) for each in pts]
    holds(all(a < b for a, b in pairwise(ticks)), "times without holes don't rise")
    holds(table.breaks <= set(pts), "a break where no picture is")
    holds(all(len(each.splitlines()) == 1 for each in table.remarks), "a remark of several lines")
    if case["step"] is not None and case["step"] < 5 * second:
        even = [n * case["step"] for n, p in enumerate(packets) if p.size and not p.is_discard]
        holds(pts == even, f"a clock that runs on is read as {pts[:5]}")
        holds(not table.parts, "a clock that runs on starts again")
    if table.parts:
        at = [each.position for each in table.parts]
        holds(all(a <= b for a, b in pairwise(at)), "parts are out of order")
        moved = list(on_one_clock(_packets(case), table.parts, Fraction(1, 1000)))
        holds(len(moved) == len(packets), "packets were lost on one clock")
    _check_table(table, case)
    _check_bounds(packets, case["bytes"])


def _check_table(table: Any, case: dict[str, Any]) -> None:
    codec = SimpleNamespace(intra_only=case["codec"] in ("mjpeg", "png"))
    believed = believe(table, SimpleNamespace(name=case["codec"], codec=codec))  # type: ignore[arg-type]
    holds(bool(believed.keys.any()), "decoding can start nowhere")
    later = table.since(case["since"])
    wanted = table.pts[table.pts >= case["since"]]
    holds(np.array_equal(later.pts, wanted), "what is left since a time is something else")
    holds(len(later.sizes) == len(later.keys) == len(wanted), "columns of different lengths")


def _check_bounds(packets: list[Any], file_bytes: int) -> None:
    with Refusal(MediaError) as refusal:
        passed = list(bounded(packets, file_bytes))
    if refusal.error is None:
        holds(len(passed) == len(packets) <= most_packets(file_bytes), "packets were lost")


TARGET = Target(
    "packets",
    (
        *("tempo_edge.media._packets", "tempo_edge.media._clock", "tempo_edge.media._keys"),
        *("tempo_edge.media._types", "tempo_edge.media._bounds"),
    ),
    _cases,
    _check,
)
