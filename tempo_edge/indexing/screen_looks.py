"""Which pictures of a film are looked at for words on the screen."""

from __future__ import annotations

from fractions import Fraction

from tempo_edge.attention.sampling_plan import Reason
from tempo_edge.errors import MediaError
from tempo_edge.media import PacketTable, VideoInfo
from tempo_edge.saa import SamplingBudget, plan
from tempo_edge.screen.film import Look

__all__ = ["looks_of"]

# Pictures of one shot are looked at no oftener than this, and of a new one after this, in seconds:
# who is meant to read what is on the screen is given more time.
_APART_SECONDS, _NEW_SHOT_SECONDS = 2.0, 0.5

# A look stands for the film until the next one, but no longer than this.
_LASTS_SECONDS = 15.0

# Why a picture is looked at that begins a shot.
_CUTS = (Reason.SCENE, Reason.SPIKE, Reason.PASSED)


def looks_of(table: PacketTable, info: VideoInfo, zero: Fraction, end_seconds: float) -> list[Look]:
    """The looks at a film in the order of their times: its key frames, and what SAA would look at.

    Args:
        table, info: what the container says.
        zero: instant of the container that times count from, in seconds.
        end_seconds: when the film is over.

    Raises:
        MediaError: there is no key frame.
    """
    try:
        planned = plan(table, info, SamplingBudget())
    except ValueError as error:
        raise MediaError(f"can't be decoded: {error}") from error
    # Key frames cost little, also those that SAA takes for showing nothing new.
    reasons = dict.fromkeys(table.pts[table.keys].tolist(), Reason.KEY)
    reasons |= dict(zip(planned.wanted.tolist(), planned.reasons, strict=True))
    chosen: list[tuple[int, float, bool]] = []
    for pts in sorted(reasons):
        seconds = float(pts * info.time_base - zero)
        is_cut = reasons[pts] in _CUTS
        apart = _NEW_SHOT_SECONDS if is_cut else _APART_SECONDS
        if seconds < end_seconds and (not chosen or seconds >= chosen[-1][1] + apart):
            chosen.append((pts, seconds, is_cut))
    ends = [seconds for _, seconds, _ in chosen[1:]] + [end_seconds]
    return [
        Look(pts, seconds, min(end, seconds + _LASTS_SECONDS), is_cut)
        for (pts, seconds, is_cut), end in zip(chosen, ends, strict=True)
    ]
