"""Real annotated videos, as a library holds them, in place of made-up windows.

Whoever has the videos of QVHighlights, Charades-STA or ActivityNet Captions indexes their folder
once and trains on it: an annotation finds its video by the name of the file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge import Library
from tempo_edge.evaluation.metrics import read_activitynet, read_charades
from tempo_edge.evaluation.metrics.lines import listed, numbers, read_json_lines
from tempo_edge.evaluation.metrics.qvhighlights import saliency_of
from tempo_edge.evaluation.metrics.spans import Span
from tempo_edge.evaluation.minimal_pairs import swap
from tempo_edge.search.grounders.context_window import ContextWindow, frame_tokens_of
from tempo_edge.search.window import Window, open_window
from tempo_edge.store.rows import FileRow
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.synthetic.windows import Example, Kind, Mix

_SHORTEST_SECONDS = 0.25  # less of a span than this in a window is not worth asking for


@dataclass(frozen=True)
class Annotation:
    """A sentence and when it is true of a video, named as its file without the extension.

    ``saliency`` int64 ``[clips, 3]`` is what annotators gave each two seconds of it, where known.
    """

    video: str
    query: str
    spans: tuple[Span, ...]
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


#: How each data set's annotations are read, plain or gzipped.
READERS: dict[str, Callable[[Path], list[Annotation]]] = {
    "qvhighlights": _qvhighlights,
    "charades-sta": _charades,
    "activitynet": _activitynet,
}


def read_annotations(path: Path, kind: str) -> list[Annotation]:
    """The annotations of a file.

    Raises:
        DataError: there is no such kind or file, or a line of it is not as published.
    """
    if kind not in READERS:
        raise DataError(f"annotations {kind!r} must be one of {', '.join(READERS)}")
    try:
        return READERS[kind](path)
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except ValueError as error:
        raise DataError(str(error)) from error


def held(library: Library, annotations: Sequence[Annotation]) -> list[tuple[Annotation, FileRow]]:
    """The annotations whose video a library has indexed, each with its file.

    Raises:
        DataError: it holds none of the videos.
    """
    files = {Path(row.path).stem: row for row in library.files() if row.video_id is not None}
    found = [(each, files[each.video]) for each in annotations if each.video in files]
    if not found:
        raise DataError(
            f"{library.path} holds none of the {len(annotations)} annotated videos, such as "
            f"{annotations[0].video if annotations else 'any'!r}"
        )
    return found


def whole(library: Library, video: int, vector: NDArray[np.float32]) -> Window:
    """All frames of a video, and how like a query's unit vector ``[d]`` each is."""
    catalogue = library.catalogue
    return open_window(vector, catalogue, video, catalogue.video(video), -(2**62), 2**62)


class Footage:
    """Draws examples from the annotated videos of a library, without end."""

    def __init__(self, library: Library, annotations: Sequence[Annotation], mix: Mix) -> None:
        """Of `mix` only ``absent`` and ``hard`` count.

        Raises:
            DataError: the library holds none of the videos.
        """
        self._library, self._mix = library, mix
        self._held = held(library, annotations)
        self.missing = len(annotations) - len(self._held)
        self._said: dict[str, set[str]] = defaultdict(set)
        for annotation, _ in self._held:
            self._said[annotation.video].add(annotation.query)
        self._windows: dict[int, Window] = {}

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""
        while True:
            annotation, row = self._held[int(rng.integers(len(self._held)))]
            asked = self._asked(annotation, rng)
            if asked is None or row.video_id is None:
                continue
            query, kind = asked
            example = self._example(annotation, row.video_id, query, kind, rng)
            if example is not None:
                return example

    def _asked(self, annotation: Annotation, rng: np.random.Generator) -> tuple[str, Kind] | None:
        if rng.random() >= self._mix.absent:
            return annotation.query, "present"
        if rng.random() < self._mix.hard:
            changed = swap(annotation.query, rng)
            return None if changed is None else (changed.sentence, "hard")
        other, _ = self._held[int(rng.integers(len(self._held)))]
        return None if other.query in self._said[annotation.video] else (other.query, "easy")

    def _example(
        self,
        annotation: Annotation,
        video: int,
        query: str,
        kind: Kind,
        rng: np.random.Generator,
    ) -> Example | None:
        window = self._window(video)
        start, end = annotation.spans[int(rng.integers(len(annotation.spans)))]
        at = float(rng.uniform(start, max(end, start)))
        middle = int(np.clip(np.searchsorted(window.edges, at) - 1, 0, len(window.pts) - 1))
        part = ContextWindow.of(window, middle, middle + 1)
        looks = tuple(frame_tokens_of(self._library.catalogue, window, part))
        if len(looks) < 2:
            return None
        origin, edges = part.begins(window), part.edges(window)
        if kind != "present":
            return Example(looks, edges, query, (), kind)
        inside = [
            (max(0.0, s - origin), min(float(edges[-1]), e - origin)) for s, e in annotation.spans
        ]
        spans = tuple((s, e) for s, e in sorted(inside) if e - s >= _SHORTEST_SECONDS)
        return Example(looks, edges, query, spans, kind) if spans else None

    def _window(self, video: int) -> Window:
        if video not in self._windows:
            nothing = np.zeros(self._library.profile.dim, np.float32)
            self._windows[video] = whole(self._library, video, nothing)
        return self._windows[video]
