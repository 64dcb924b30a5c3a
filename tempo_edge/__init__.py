"""Offline search over your own videos: footage goes in, moments come out.

>>> import tempo_edge
>>> tempo_edge.index("~/Videos")                      # doctest: +SKIP
>>> for moment in tempo_edge.find("dog jumps"):       # doctest: +SKIP
...     print(moment.path, moment.start_seconds, moment.end_seconds)
"""

from __future__ import annotations

from tempo_edge import _telemetry  # noqa: F401 - before anything can load ONNX Runtime
from tempo_edge._version import __version__
from tempo_edge.errors import (
    LibraryError,
    MediaError,
    MissingExtraError,
    ProfileError,
    QueryError,
    TempoEdgeError,
)
from tempo_edge.library import Library
from tempo_edge.moment import Moment, Span
from tempo_edge.shortcuts import find, index, watch

__all__ = [
    "Library",
    "LibraryError",
    "MediaError",
    "MissingExtraError",
    "Moment",
    "ProfileError",
    "QueryError",
    "Span",
    "TempoEdgeError",
    "__version__",
    "find",
    "index",
    "watch",
]
