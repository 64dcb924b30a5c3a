"""Whole outputs, held as files. To write them anew: `UPDATE_SNAPSHOTS=1 pytest tests/cli`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from harness import Said

FOLDER = Path(__file__).parent / "snapshots"

# What a model thinks of a picture, how fast a machine is and how large a file gets may change.
_VARYING = (
    (r"(?m)  \d\.\d\d(?=$|  \(|\x1b)", "  #.##"),
    (r"(?<=\x1b\[33m)\d\.\d\d", "#.##"),
    (r'"(score|confidence)": -?\d+\.\d+', r'"\1": #'),
    (r'"rivals": \d+, "unsure": (true|false)', '"rivals": #, "unsure": #'),
    (r'"taken_at": "[^"]*"', '"taken_at": "#"'),
    (r" at \d+x real time| in \d+\.\d s", " in # s"),
    (r"\d+\.\d MB", "#.# MB"),
    (r"\d+ ms a picture", "# ms a picture"),
    (r'_bytes": \d+', '_bytes": #'),
    (r"\b\d+ frames", "# frames"),
    (r'"frames": \d+', '"frames": #'),
)


def masked(text: str, **places: Path) -> str:
    """The text without what differs from run to run; ``places`` are spelled by their names."""
    for name, place in places.items():
        text = text.replace(str(place), f"<{name}>")
    for pattern, stand_in in _VARYING:
        text = re.sub(pattern, stand_in, text)
    return text


def check(name: str, said: Said, **places: Path) -> None:
    """Compare what a command said with the file of that name."""
    text = (
        f"-- status {said.status}\n-- stdout\n{masked(said.out, **places)}"
        f"-- stderr\n{masked(said.err, **places)}"
    )
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
