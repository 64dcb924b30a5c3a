"""Sizes of files as people say them."""

from __future__ import annotations

__all__ = ["size_of"]


def size_of(size: int) -> str:
    """Bytes with two or three digits, as in 1.2 GB: a kilobyte has 1,000."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"
