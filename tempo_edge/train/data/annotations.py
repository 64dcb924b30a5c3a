"""Annotations of videos as QVHighlights, Charades-STA and ActivityNet Captions publish them.

Or as a table, :mod:`tempo_edge.train.data.annotation_tables`, of which people write their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics import read_activitynet, read_charades
from tempo_edge.evaluation.metrics.lines import listed, numbers, read_json_lines
from tempo_edge.evaluation.metrics.qvhighlights import saliency_of
from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.train.data.annotation_tables import layout_of, read_table
from tempo_edge.train.data.archives import DataError

__all__ = ["READERS", "Annotation", "read_annotations"]


@dataclass(frozen=True)
class Annotation:
    """A sentence and when it is true of a video, named as its file without the extension.

    A table may name as much of the file's path as it takes, with the extension.

    ``saliency`` int64 ``[clips, 3]`` is what annotators gave each two seconds of it, where known.
    """

    video: str
    query: str
    spans: tuple[Interval, ...]
    saliency: NDArray[np.int64] | None = field(default=None, compare=False)


def _qvhighlights(path: Path) -> list[Annotation]:
    def parse(facts: dict[str, Any]) -> Annotation:
        windows = [numbers("relevant_windows", w, 2) for w in listed(facts, "relevant_windows")]
        return Annotation(
            str(facts["vid"]),
            str(facts["query"]),
            tuple((a, b) for a, b in windows),
            saliency_of(facts) if "saliency_scores" in facts else None,
        )

    return read_json_lines(path, parse)


def _charades(path: Path) -> list[Annotation]:
    return [Annotation(s.video, s.text, (s.span,)) for s in read_charades(path).kept]


def _activitynet(path: Path) -> list[Annotation]:
    return [Annotation(s.video, s.text, (s.span,)) for s in read_activitynet(path).kept]


def _table(path: Path) -> list[Annotation]:
    return [Annotation(*row) for row in read_table(path)]


#: The reader of each layout of annotations, plain or gzipped.
READERS: dict[str, Callable[[Path], list[Annotation]]] = {
    "qvhighlights": _qvhighlights,
    "charades-sta": _charades,
    "activitynet": _activitynet,
    "csv": _table,
}


def read_annotations(path: Path, kind: str = "") -> list[Annotation]:
    """The annotations of a file, by its own layout if no `kind` is given.

    Raises:
        DataError: there is no such kind or file, or a line of it is not as published.
    """
    if kind and kind not in READERS:
        raise DataError(f"annotations {kind!r} must be one of {', '.join(READERS)}")
    try:
        return READERS[kind or layout_of(path)](path)
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except ValueError as error:
        raise DataError(str(error)) from error
