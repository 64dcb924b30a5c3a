"""Footage of a service's tests: names that are hard to carry, and films by the dozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Line ends, quotes, percent signs, a leading dash, text from right to left, and a mark for that.
NAMES = (
    "plain.mp4",
    "line\nend.mp4",
    "tab\tand 'quotes' \"two\".mp4",
    "100%25 & more?#.mp4",
    "-rf.mp4",
    "סרט חתולים.mp4",
    "evil\u202e4pm.mp4",
    "<img src=x onerror=alert(1)>.mkv",
)


@dataclass(frozen=True)
class Footage:
    """A folder of videos, one bad file among them, and a library of it."""

    folder: Path
    library: Path


def films(folder: Path, source: Path, count: int) -> list[Path]:
    """Copies of a film that are different files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        path = folder / f"{number:02}.mp4"
        path.write_bytes(source.read_bytes() + b"\0" * number)
        made.append(path)
    return made
