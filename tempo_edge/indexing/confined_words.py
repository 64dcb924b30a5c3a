"""Reading the words of a file in a process of its own: one that a run died at may kill again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from tempo_edge.errors import MediaError
from tempo_edge.indexing.confinement import limit_memory
from tempo_edge.words.line import Line
from tempo_edge.words.reading import Words, read_words
from tempo_edge.words.sidecars import Sidecar

__all__ = ["main", "read_words_confined"]

# Memory for the words of one file, the program included.
_ROOM_BYTES = 1 << 30

# A process that has told nothing for this long, in seconds, won't tell anything any more.
_PATIENCE_SECONDS = 300.0


def read_words_confined(
    path: str, zero: Fraction, end_seconds: float, sidecars: Sequence[Sidecar]
) -> Words:
    """The words of a file, as :func:`tempo_edge.words.reading.read_words` reads them.

    Raises:
        MediaError: the process that was to read them died, or told nothing.
    """
    order = {"path": path, "zero": str(zero), "end": end_seconds, "sidecars": list(sidecars)}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "tempo_edge.indexing.confined_words"],
            input=json.dumps(order).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=True,
        )
        return _words(json.loads(child.stdout))
    except (subprocess.SubprocessError, ValueError) as error:
        raise MediaError("its words are not read: a run died at it, and another process") from error


def _words(told: dict[str, Any]) -> Words:
    carried, beside = (
        None if told[name] is None else tuple(Line(**each) for each in told[name])
        for name in ("contents", "beside")
    )
    return Words(carried, beside or (), told["mark"], told["remark"])


def main() -> None:
    """``python -m tempo_edge.indexing.confined_words``: an order comes in, words go out."""
    order = json.loads(sys.stdin.buffer.read())
    limit_memory(_ROOM_BYTES)
    sidecars = [Sidecar(*each) for each in order["sidecars"]]
    words = read_words(order["path"], Fraction(order["zero"]), order["end"], sidecars)
    sys.stdout.write(json.dumps(asdict(words)))


if __name__ == "__main__":
    main()
