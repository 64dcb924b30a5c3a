"""Moments as time lines that editors open, exact to the frame.

>>> from tempo_edge import timeline
>>> timeline.write(moments, "fcpxml")                     # doctest: +SKIP
"""

from tempo_edge.timeline.formats import FORMATS, check_format, write

__all__ = ["FORMATS", "check_format", "write"]
