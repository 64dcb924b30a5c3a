"""Moments as files: spans cut out of videos, copied where that gives the same pictures."""

from tempo_edge.clips.cutting import Clip, cut, cut_or_copy

__all__ = ["Clip", "cut", "cut_or_copy"]
