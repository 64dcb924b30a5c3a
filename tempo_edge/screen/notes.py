"""What is known of the screen between two steps of a film, as text."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tempo_edge.screen.following import Shown
from tempo_edge.screen.rows import Box, Row

__all__ = ["Notes"]

# The largest patch: a small picture as a whole.
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Notes:
    """What is on the screen, and what has come of reading it.

    Attributes:
        there: words that are there.
        in_vain: readings that came to nothing since the last one that did not.
        pause: looks that are not read before the next one that is.
        lines: how many lines there have been.
        lost: how many pictures could not be looked at.
    """

    there: Sequence[Shown] = ()
    in_vain: int = 0
    pause: int = 0
    lines: int = 0
    lost: int = 0

    def text(self) -> str:
        """The notes as JSON, for :meth:`of`."""
        there = [_plain(shown) for shown in self.there]
        counts = self.in_vain, self.pause, self.lines, self.lost
        return json.dumps([there, *counts], ensure_ascii=False)

    @staticmethod
    def of(text: str) -> Notes:
        """The notes that :meth:`text` gave.

        Raises:
            ValueError: it is no such text.
        """
        try:
            there, *counts = json.loads(text)
            in_vain, pause, lines, lost = (int(each) for each in counts)
            return Notes([_lively(each) for each in there], in_vain, pause, lines, lost)
        except (TypeError, KeyError, ValueError, zlib.error) as error:
            raise ValueError(f"notes on the screen can't be read: {error}") from error


def _plain(shown: Shown) -> dict[str, Any]:
    patch = shown.patch
    packed = base64.b64encode(zlib.compress(patch.tobytes())).decode()
    return {
        "row": asdict(shown.row),
        "start_seconds": shown.start_seconds,
        "end_seconds": shown.end_seconds,
        "patch": [*patch.shape, packed],
        "read_seconds": shown.read_seconds,
        "restless": shown.restless,
        "earlier": [_plain(each) for each in shown.earlier],
        "is_counter": shown.is_counter,
    }


def _lively(facts: dict[str, Any]) -> Shown:
    row = facts["row"]
    height, width, packed = facts["patch"]
    raw = zlib.decompressobj().decompress(base64.b64decode(packed), _MOST_BYTES)
    return Shown(
        Row(row["text"], row["confidence"], Box(**row["box"])),
        float(facts["start_seconds"]),
        float(facts["end_seconds"]),
        np.frombuffer(raw, np.uint8).reshape(height, width),
        float(facts["read_seconds"]),
        int(facts["restless"]),
        [_lively(each) for each in facts["earlier"]],
        bool(facts["is_counter"]),
    )
