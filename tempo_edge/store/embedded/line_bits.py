"""The signs of sentence vectors, a cache: the first look at millions of lines.

Of each component one bit is kept, whether it is above the mean of all lines: 48 bytes a line, which
a processor compares faster than it could read the vectors. The best of those are looked at again by
the vectors themselves, which the catalogue holds. The cache is one file that is mapped; it carries
in its name a hash of what it was built from, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files import atomic_write, make_private
from tempo_edge.quantization import dequantize
from tempo_edge.store.embedded.line_vector_table import LineVectorTable
from tempo_edge.store.embedded.vectors import load_faiss
from tempo_edge.store.line_vectors import LineVectors
from tempo_edge.store.vectors import Hits
from tempo_edge.words.line import KINDS

__all__ = ["LineBits"]

# Lines that are looked at again by their vectors, for each that is wanted, and at least.
_AGAIN, _LEAST_AGAIN = 4, 400

# From so many lines on a scan takes longer than to begin a thread for it: two milliseconds.
_LONG = 250_000

# Lines newer than the cache that may wait outside it: that many, or this share of it.
_TAIL, _TAIL_SHARE = 4096, 0.25

# Lines that tell how a query scores by chance, and lines that the mean is taken of.
_SAMPLE, _MEANT = 1024, 65_536

# What the file begins with, and how long its first part is.
_MARK, _HEAD = b"tempo-edge lines 1\n", 4096

_UNREADABLE = (OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class _Origin:
    """The rows that a cache was built from; see :class:`CacheOrigin` of frames.

    Attributes:
        library: the library's id; ``model``: what made the vectors, ``dim`` of them long.
        count: lines in the cache; ``last``: the id of the newest, and ``text``: a hash of it.
        sampled: lines of the sample.
    """

    library: str
    model: str
    dim: int
    count: int
    last: int
    text: str
    sampled: int

    @property
    def name(self) -> str:
        """The name of its file."""
        facts = json.dumps(asdict(self), sort_keys=True)
        return f"lines-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.bits"

    def parts(self) -> dict[str, tuple[Any, tuple[int, ...]]]:
        """The type and the shape of each array in the file, in their order."""
        n = self.count
        return {
            "centre": (np.float32, (self.dim,)),
            "sample": (np.int8, (self.sampled, self.dim)),
            "ids": (np.int64, (n,)),
            "videos": (np.int64, (n,)),
            "kinds": (np.uint8, (n,)),
            "bits": (np.uint8, (n, (self.dim + 7) // 8)),
        }


@dataclass(frozen=True)
class _Lines:
    """Lines as they are looked at first.

    Attributes:
        ids: theirs ``[n]``; ``videos``: those of their videos ``[n]``; ``kinds``: the place of
            each kind in :data:`KINDS`, ``[n]``; ``bits``: the signs ``[n, d / 8]``.
    """

    ids: NDArray[np.int64]
    videos: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    bits: NDArray[np.uint8]

    @staticmethod
    def none(dim: int) -> _Lines:
        nothing = np.zeros(0, np.int64)
        return _Lines(nothing, nothing, np.zeros(0, np.uint8), np.zeros((0, dim), np.uint8))

    @staticmethod
    def joined(parts: list[_Lines]) -> _Lines:
        return _Lines(
            np.concatenate([each.ids for each in parts]),
            np.concatenate([each.videos for each in parts]),
            np.concatenate([each.kinds for each in parts]),
            np.concatenate([each.bits for each in parts]),
        )

    def those(self, chosen: NDArray[np.bool_]) -> _Lines:
        return _Lines(self.ids[chosen], self.videos[chosen], self.kinds[chosen], self.bits[chosen])


class LineBits(LineVectors):
    """The lines of one library, searchable by cosine similarity.

    Args:
        folder: where the cache is kept.
        catalogue: the library's rows.
    """

    def __init__(self, folder: Path, catalogue: LineVectorTable) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._forget()

    def _forget(self) -> None:
        """Hold nothing."""
        self._origin: _Origin | None = None
        self._reopened = self._catalogue.reopened
        self._centre: NDArray[np.float32] = np.zeros(0, np.float32)
        self._sample: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._lines = self._tail = _Lines.none(0)
        self._mapped: tuple[Any, int] | None = None

    def refresh(self, *, writing: bool = False) -> None:
        """Bring the cache up to the catalogue: map it, read what is newer, or build it."""
        model, last = self._catalogue.line_model(), self._catalogue.last_line_vector()
        origin = self._origin
        if origin is not None and not self._is_of(origin, model):
            self._forget()
        if not last:
            self._forget()
            return
        if self._origin is None and not self._map(model):
            self._build(model)
        held = int(self._tail.ids[-1]) if len(self._tail.ids) else int(self._lines.ids[-1])
        if last > held:
            added = [self._tail] if len(self._tail.ids) else []
            added += [self._signs(*part) for part in self._catalogue.line_vectors_after(held)]
            self._tail = _Lines.joined(added)
        if writing:
            if len(self._tail.ids) > max(_TAIL, _TAIL_SHARE * len(self._lines.ids)):
                self._build(model)
            self._save()

    def count(self) -> int:
        """How many lines are searched, about."""
        return len(self._lines.ids) + len(self._tail.ids)

    def sample(self) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` spread over all lines."""
        return self._sample

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        kinds: Collection[str] | None = None,
        videos: Collection[int] | None = None,
    ) -> Hits:
        """The lines nearest to a unit vector ``[d]``."""
        return self._compared(query, k, self._near(query, k, kinds, videos))

    def begin(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        kinds: Collection[str] | None = None,
        videos: Collection[int] | None = None,
    ) -> Callable[[], Hits]:
        """A search whose scan goes on in a thread of its own, where there is much to scan."""
        scan = partial(self._near, query, k, kinds, videos)
        near = _beside(scan) if self.count() >= _LONG else scan
        return lambda: self._compared(query, k, near())

    def _near(
        self,
        query: NDArray[np.float32],
        k: int,
        kinds: Collection[str] | None,
        videos: Collection[int] | None,
    ) -> list[int]:
        """Ids of the lines whose signs differ least from those of a vector."""
        signs = np.packbits(query > self._centre)[None]
        again = max(_LEAST_AGAIN, _AGAIN * k)
        found: list[int] = []
        for lines in (self._lines, self._tail):
            found += _nearest(_narrowed(lines, kinds, videos), signs, again).tolist()
        return found

    def _compared(self, query: NDArray[np.float32], k: int, near: Sequence[int]) -> Hits:
        """The nearest among some lines, by their vectors."""
        ids, packed = self._catalogue.line_vectors(near)
        if not len(ids):
            return Hits(ids, np.zeros(0, np.float32))
        similarities = dequantize(packed) @ query
        best = np.argsort(-similarities, kind="stable")[:k]
        return Hits(ids[best], similarities[best])

    # -- building ----------------------------------------------------------------------------------

    def _signs(self, about: list[tuple[int, int, str]], packed: NDArray[np.int8]) -> _Lines:
        """Lines, (id, id of the video, kind) of each, with the signs of their vectors."""
        ids, videos, kinds = zip(*about, strict=True)
        return _Lines(
            np.asarray(ids, np.int64),
            np.asarray(videos, np.int64),
            np.asarray([KINDS.index(kind) for kind in kinds], np.uint8),
            np.packbits(dequantize(packed) > self._centre, axis=1),
        )

    def _build(self, model: str) -> None:
        """Look at all lines."""
        self._forget()
        parts: list[_Lines] = []
        drawn: list[NDArray[np.int8]] = []
        for about, packed in self._catalogue.line_vectors_after(0, _MEANT):
            if not drawn:
                self._centre = dequantize(packed).mean(0)
            drawn.append(packed[:: max(1, len(packed) // _SAMPLE)].copy())
            parts.append(self._signs(about, packed))
        self._lines = _Lines.joined(parts)
        sample = np.concatenate(drawn)
        sample = sample[:: max(1, len(sample) // _SAMPLE)][:_SAMPLE]
        self._sample = dequantize(sample)
        self._packed_sample = sample
        last = int(self._lines.ids[-1])
        about_it = self._library(), model, len(self._centre), len(self._lines.ids), last
        self._origin = _Origin(*about_it, self._text(last), len(sample))

    def _library(self) -> str:
        return self._catalogue.get_meta("library_id") or ""

    def _text(self, line: int) -> str:
        """A hash of a line, which tells it from another one that got its id in a copy."""
        hits = self._catalogue.lines_by_id([line])
        return hashlib.sha256(repr(hits).encode()).hexdigest()[:16] if hits else ""

    def _is_of(self, origin: _Origin, model: str) -> bool:
        """Whether what is held is of the library as it is."""
        if self._mapped is not None:
            file, size = self._mapped
            if Path(file).stat().st_size != size:  # to read one cut short kills a process
                return False
        if self._reopened == self._catalogue.reopened:
            return origin.model == model
        self._reopened = self._catalogue.reopened
        return self._is_ours(origin, model)

    def _is_ours(self, origin: _Origin, model: str) -> bool:
        is_known = origin.library == self._library() and origin.model == model
        return is_known and origin.text == self._text(origin.last)

    # -- the file ----------------------------------------------------------------------------------

    def _save(self) -> None:
        """Write the cache, if it isn't there; where that can't be, it is built anew next time."""
        origin = self._origin
        if origin is None or (self._folder / origin.name).exists():
            return
        with suppress(OSError):
            make_private(self._folder)
            mode = self._folder.stat().st_mode & 0o666
            with atomic_write(self._folder / origin.name, mode=mode) as draft:
                self._write(draft, origin)
            for old in self._files():
                if old.name != origin.name:
                    old.unlink(missing_ok=True)

    def _write(self, draft: Path, origin: _Origin) -> None:
        values = {
            "centre": self._centre,
            "sample": self._packed_sample,
            "ids": self._lines.ids,
            "videos": self._lines.videos,
            "kinds": self._lines.kinds,
            "bits": self._lines.bits,
        }
        head = _MARK + json.dumps(asdict(origin)).encode()
        with draft.open("wb") as file:
            file.write(head.ljust(_HEAD, b"\n"))
            for name, (kind, _) in origin.parts().items():
                file.write(np.ascontiguousarray(values[name], dtype=kind).tobytes())

    def _files(self) -> Iterator[Path]:
        return self._folder.glob("lines-*.bits")

    def _map(self, model: str) -> bool:
        """Map a cache of this library that is whole; gives whether there is one."""
        for path in self._files():
            with suppress(*_UNREADABLE):
                if self._map_one(path, model):
                    return True
        return False

    def _map_one(self, path: Path, model: str) -> bool:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if not head.startswith(_MARK):
                return False
            origin = _Origin(**json.loads(head[len(_MARK) :]))
        size, places = _HEAD, {}
        for name, (kind, shape) in origin.parts().items():
            places[name] = size, kind, shape
            size += int(np.prod(shape)) * np.dtype(kind).itemsize
        if path.stat().st_size != size or not origin.count or not self._is_ours(origin, model):
            return False
        arrays = {
            name: np.memmap(path, dtype=kind, mode="r", offset=at, shape=shape)
            for name, (at, kind, shape) in places.items()
        }
        self._forget()
        self._origin, self._mapped = origin, (path, size)
        self._centre = np.array(arrays["centre"])
        self._packed_sample = np.array(arrays["sample"])
        self._sample = dequantize(self._packed_sample)
        self._lines = _Lines(*(arrays[name] for name in ("ids", "videos", "kinds", "bits")))
        return True


def _narrowed(
    lines: _Lines, kinds: Collection[str] | None, videos: Collection[int] | None
) -> _Lines:
    """Those of some lines that are of these kinds and videos."""
    if kinds is not None and not set(KINDS) - {"name"} <= set(kinds):
        wanted = np.isin(np.arange(len(KINDS)), [KINDS.index(kind) for kind in kinds])
        chosen = wanted[lines.kinds]
        lines = lines if chosen.all() else lines.those(chosen)
    if videos is not None:
        lines = lines.those(np.isin(lines.videos, np.fromiter(videos, np.int64)))
    return lines


def _nearest(lines: _Lines, signs: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Ids of the lines whose signs differ least from some ``[1, d / 8]``, at most so many."""
    count = min(count, len(lines.ids))
    if not count:
        return np.zeros(0, np.int64)
    if count == len(lines.ids):
        return np.asarray(lines.ids)
    faiss = load_faiss()
    # Waking other threads for one query takes longer than its scan on a busy machine.
    faiss.omp_set_num_threads(1)
    _, where = faiss.knn_hamming(signs, np.ascontiguousarray(lines.bits), count)
    return np.asarray(lines.ids[where[0][where[0] >= 0]])


def _beside(work: Callable[[], list[int]]) -> Callable[[], list[int]]:
    """Work that goes on in a thread of its own; what is given waits for its end."""
    done: Future[list[int]] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # raised again where it is waited for
            done.set_exception(error)

    Thread(target=run, name="lines", daemon=True).start()
    return done.result
