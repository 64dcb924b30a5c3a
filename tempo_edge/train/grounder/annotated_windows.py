"""Examples from annotated videos that a library has indexed, in place of made-up windows.

Whoever has the videos of QVHighlights, Charades-STA or ActivityNet Captions indexes their folder
once and trains on it: an annotation finds its video by the name of the file.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge import Library
from tempo_edge.evaluation.minimal_pairs import swap
from tempo_edge.search.grounders.context_window import ContextWindow, frame_tokens_of
from tempo_edge.search.window import Window, open_window
from tempo_edge.store.rows import FileRow
from tempo_edge.train.data.annotations import READERS, Annotation
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.examples import Example, Kind
from tempo_edge.train.grounder.synthetic.mix import Mix

__all__ = [
    "SHORTEST_SECONDS",
    "AnnotatedVideos",
    "AnnotatedWindows",
    "indexed_annotations",
    "whole_video",
]

#: Less of a span than this in a window is not worth asking for.
SHORTEST_SECONDS = 0.25


@dataclass(frozen=True)
class AnnotatedVideos:
    """The videos to train on: a library's file, and the annotations of its videos.

    ``kind`` is one of :data:`~tempo_edge.train.data.annotations.READERS`. Without a library,
    windows are made up.
    """

    library: str = ""
    annotations: str = ""
    kind: str = "qvhighlights"

    def __post_init__(self) -> None:
        if self.kind not in READERS:
            raise ValueError(f"kind {self.kind!r} must be one of {', '.join(READERS)}")
        if bool(self.library) != bool(self.annotations):
            raise ValueError("videos must have both a library and annotations, or neither")


def indexed_annotations(
    library: Library, annotations: Sequence[Annotation]
) -> list[tuple[Annotation, FileRow]]:
    """The annotations whose video a library has indexed, each with its file.

    Raises:
        DataError: it holds none of the videos, or several that are named alike.
    """
    files: dict[str, list[FileRow]] = defaultdict(list)
    for row in library.files():
        if row.video_id is not None:
            for name in {Path(row.path).stem, Path(row.path).name}:
                files[name].append(row)
    found = []
    for each in annotations:
        named = [row for row in files[Path(each.video).name] if _is_named(row, each.video)]
        if len({row.video_id for row in named}) > 1:
            raise DataError(
                f"video {each.video!r} is of several files, {named[0].path} and {named[1].path}: "
                f"give more of its path"
            )
        if named:
            found.append((each, named[0]))
    if not found:
        raise DataError(
            f"{library.path} holds none of the {len(annotations)} annotated videos, such as "
            f"{annotations[0].video if annotations else 'any'!r}"
        )
    return found


def _is_named(row: FileRow, video: str) -> bool:
    """Whether what names a video is the end of a file's path, with its extension or without."""
    path, parts = Path(row.path), Path(video).parts
    return any(ends.parts[-len(parts) :] == parts for ends in (path, path.with_suffix("")))


def whole_video(library: Library, video: int, vector: NDArray[np.float32]) -> Window:
    """The window of a whole video, with each frame's similarity to a query's vector ``[d]``."""
    catalogue = library.catalogue
    return open_window(vector, catalogue, video, catalogue.video(video), -(2**62), 2**62)


class AnnotatedWindows:
    """Draws examples from the annotated videos of a library, without end."""

    def __init__(self, library: Library, annotations: Sequence[Annotation], mix: Mix) -> None:
        """Take up a library's annotated videos; of `mix` only ``absent`` and ``hard`` count.

        What is partially irrelevant is a swap: which videos look alike nobody says.

        Raises:
            DataError: the library holds none of the videos.
        """
        self._library, self._mix = library, mix
        self._annotated = indexed_annotations(library, annotations)
        self.missing = len(annotations) - len(self._annotated)
        self._said: dict[str, set[str]] = defaultdict(set)
        for annotation, _ in self._annotated:
            self._said[annotation.video].add(annotation.query)
        self._windows: dict[int, Window] = {}

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""
        while True:
            annotation, row = self._annotated[int(rng.integers(len(self._annotated)))]
            asked = self._asked(annotation, rng)
            if asked is None or row.video_id is None:
                continue
            query, kind, about = asked
            example = self._example(annotation, row.video_id, query, kind, rng)
            if example is not None:
                shown = frozenset({row.video_id})
                return dataclasses.replace(example, shown=shown, about=shown | about)

    def _asked(
        self, annotation: Annotation, rng: np.random.Generator
    ) -> tuple[str, Kind, set[int]] | None:
        """A sentence to ask of an annotation's video, its kind, and other videos it is about."""
        if rng.random() >= self._mix.absent:
            return annotation.query, "present", set()
        if rng.random() < self._mix.hard:
            changed = swap(annotation.query, rng)
            return None if changed is None else (changed.sentence, "swap", set())
        other, row = self._annotated[int(rng.integers(len(self._annotated)))]
        if other.query in self._said[annotation.video] or row.video_id is None:
            return None
        return other.query, "easy", {row.video_id}

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
        spans = tuple((s, e) for s, e in sorted(inside) if e - s >= SHORTEST_SECONDS)
        return Example(looks, edges, query, spans, kind) if spans else None

    def _window(self, video: int) -> Window:
        if video not in self._windows:
            nothing = np.zeros(self._library.profile.dim, np.float32)
            self._windows[video] = whole_video(self._library, video, nothing)
        return self._windows[video]
