"""The budget of sampling: how much of footage may be looked at."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SamplingBudget"]


@dataclass(frozen=True)
class SamplingBudget:
    """The attention that may be spent on each second of footage, so that cost is linear.

    Attributes:
        max_gap_seconds: no two frames looked at lie further apart, where the container allows it
            and the packets in between hold anything. Encoders put key frames no further apart
            unless they are told to: 250 pictures, which are 10.4 seconds at 24 a second.
        min_gap_seconds: key frames closer than this are skipped unless their size jumps.
        dense_pixels_per_second: luma pixels that may be decoded beyond key frames and the gap rule.
        spike: a packet of this share of its key frame's bytes was coded almost afresh: a cut.
        refresh: frames are looked at again after this many key frames' worth of new bytes.
        refresh_pixels: luma pixels that may be decoded for one such look.
        calm: packets that together hold less than this share of a key frame show nothing new.
        tokens_per_second: visual tokens kept.
        token_floor, token_ceiling: fewest and most tokens for a frame that is kept.
        epsilon: share of attention that every changed frame gets, however small its variation.
        still: variation at or below this is no variation at all.
    """

    max_gap_seconds: float = 10.5
    min_gap_seconds: float = 1.0
    dense_pixels_per_second: float = 5e6
    spike: float = 0.35
    refresh: float = 1.0
    refresh_pixels: float = 15e6
    calm: float = 0.1
    tokens_per_second: float = 1.5
    token_floor: int = 1
    token_ceiling: int = 9
    epsilon: float = 0.05
    still: float = 0.004

    def __post_init__(self) -> None:
        for name in ("max_gap_seconds", "refresh", "tokens_per_second"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} {getattr(self, name)} must be positive")
        if not 0 <= self.token_floor <= self.token_ceiling:
            raise ValueError(
                f"token_floor {self.token_floor} must be within [0, {self.token_ceiling}]"
            )
