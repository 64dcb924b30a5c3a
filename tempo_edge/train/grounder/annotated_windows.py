"""Examples from annotated videos that a library has indexed, in place of made-up windows.

Whoever has the videos of QVHighlights, Charades-STA or ActivityNet Captions indexes their folder
once and trains on it: an annotation finds its video by the name of the file.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge import Library
from tempo_edge.models import Profile
from tempo_edge.search.grounders.context_window import ContextWindow, frame_tokens_of
from tempo_edge.search.window import Window, open_window
from tempo_edge.store.rows import FileRow
from tempo_edge.train.data.annotations import READERS, Annotation, read_annotations
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.absent_sentences import AbsentSentences
from tempo_edge.train.grounder.examples import Example, Kind
from tempo_edge.train.grounder.synthetic.mix import Mix

__all__ = [
    "SHORTEST_SECONDS",
    "AnnotatedVideos",
    "AnnotatedWindows",
    "indexed_annotations",
    "open_annotated",
    "whole_video",
]

#: Less of a span than this in a window is not worth asking for.
SHORTEST_SECONDS = 0.25

_TRIES = 1000  # annotations that are drawn for a question


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


@contextmanager
def open_annotated(
    library: Path, annotations: Path, profile: str | Profile | None, kind: str = ""
) -> Iterator[tuple[Library, list[Annotation]]]:
    """A library of annotated videos, open, and what their file of annotations holds.

    ``profile`` is that of :meth:`~tempo_edge.Library.open`, and ``kind`` that of
    :func:`~tempo_edge.train.data.annotations.read_annotations`.

    Raises:
        DataError: there is no such library, or an annotation can't be read.
    """
    if not library.exists():
        raise DataError(f"{library} is missing: index the annotated videos into it first")
    rows = read_annotations(annotations, kind)
    with Library.open(library, profile=profile) as opened:
        yield opened, rows


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


def whole_video(library: Library, video: int, vector: NDArray[np.float32] | None = None) -> Window:
    """The window of a whole video, with each frame's similarity to a query's vector ``[d]``.

    Without a vector all similarities are 0.
    """
    catalogue = library.catalogue
    if vector is None:
        vector = np.zeros(library.profile.dim, np.float32)
    return open_window(vector, catalogue, video, catalogue.video(video), -(2**62), 2**62)


class AnnotatedWindows:
    """Draws examples from the annotated videos of a library, without end.

    Every sentence is asked as often in vain as any other: one that can't be swapped is asked of
    another video instead. So what is absent can't be told by how it is worded.
    """

    def __init__(
        self, library: Library, annotated: Sequence[tuple[Annotation, FileRow]], mix: Mix
    ) -> None:
        """Take up annotations of a library's videos, as :func:`indexed_annotations` gives them.

        Of `mix` only ``absent`` and ``hard`` count. What is partially irrelevant is a swap: which
        videos look alike nobody says.
        """
        self._library, self._annotated, self._mix = library, annotated, mix
        self._absent = AbsentSentences([annotation for annotation, _ in annotated])
        self._videos = [annotation.video for annotation, _ in annotated]
        self._windows: dict[int, Window] = {}

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one.

        Raises:
            DataError: the annotations give no question of the kinds that are wanted.
        """
        for _ in range(_TRIES):
            annotation, row = self._annotated[int(rng.integers(len(self._annotated)))]
            asked = self._asked(annotation, row, rng)
            example = None if asked is None else self._example(*asked, rng)
            if example is not None and asked is not None and row.video_id is not None:
                return dataclasses.replace(example, about=example.shown | {row.video_id})
        raise DataError(
            f"{len(self._annotated)} annotations give no question where absent is "
            f"{self._mix.absent:g} and hard {self._mix.hard:g}: set other shares, or annotate more"
        )

    def _asked(
        self, annotation: Annotation, row: FileRow, rng: np.random.Generator
    ) -> tuple[Annotation, FileRow, str, Kind] | None:
        """A question made of an annotation, and the annotation and file whose window it is of.

        In the order: annotation, file, sentence, kind. None if what was drawn makes none.
        """
        if rng.random() >= self._mix.absent:
            return annotation, row, annotation.query, "present"
        if rng.random() < self._mix.hard:
            changed = self._absent.swapped(annotation, rng)
            if changed is not None:
                return annotation, row, changed, "swap"
        at = self._absent.elsewhere(annotation.query, self._videos, rng)
        return None if at is None else (*self._annotated[at], annotation.query, "easy")

    def _example(
        self,
        annotation: Annotation,
        row: FileRow,
        query: str,
        kind: Kind,
        rng: np.random.Generator,
    ) -> Example | None:
        """A question of the window around one of an annotation's spans, None if little is seen."""
        if row.video_id is None:
            return None
        window, shown = self._window(row.video_id), frozenset({row.video_id})
        start, end = annotation.spans[int(rng.integers(len(annotation.spans)))]
        at = float(rng.uniform(start, max(end, start)))
        middle = int(np.clip(np.searchsorted(window.edges, at) - 1, 0, len(window.pts) - 1))
        part = ContextWindow.of(window, middle, middle + 1)
        looks = tuple(frame_tokens_of(self._library.catalogue, window, part))
        if len(looks) < 2:
            return None
        origin, edges = part.begins(window), part.edges(window)
        if kind != "present":
            return Example(looks, edges, query, (), kind, shown=shown)
        inside = [
            (max(0.0, s - origin), min(float(edges[-1]), e - origin)) for s, e in annotation.spans
        ]
        spans = tuple((s, e) for s, e in sorted(inside) if e - s >= SHORTEST_SECONDS)
        return Example(looks, edges, query, spans, kind, shown=shown) if spans else None

    def _window(self, video: int) -> Window:
        if video not in self._windows:
            self._windows[video] = whole_video(self._library, video)
        return self._windows[video]
