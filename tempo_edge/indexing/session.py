"""Writing to a library: one process at a time, everything opened together and closed together."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from tempo_edge._cores import cpu_count
from tempo_edge.errors import LibraryError, TempoEdgeError
from tempo_edge.indexing.confined import ConfinedReader
from tempo_edge.indexing.footage import FootageReader, Sampling
from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.line_reading import read_lines
from tempo_edge.indexing.report import IndexEvent
from tempo_edge.indexing.word_choice import check_words, readers_of
from tempo_edge.media import DECODERS
from tempo_edge.models import Profile
from tempo_edge.store.interface import Store, WritableCatalogue

__all__ = ["WritingSession", "check_choices", "record_profile"]

# Files under way beside one for each worker: while one is opened, another one is stored.
_FILES_BESIDE = 2


class WritingSession:
    """A library's lock, its catalogue opened for writing, and an indexer over both.

    Args:
        store: keeps the library.
        profile: the models to index with.
        decoder: one of :data:`tempo_edge.media.DECODERS`.
        sampling: which frames to look at; SAA by default.
        on_event: told of every file.
        stopping: asked between files whether to end early.
        words: one of :data:`tempo_edge.indexing.word_choice.WORDS`.

    Raises:
        TempoEdgeError: there is no such decoder, no such words, or the sampling makes no sense;
            or what reads these words is not installed.
    """

    def __init__(
        self,
        store: Store,
        profile: Profile,
        decoder: str,
        sampling: Sampling | None,
        on_event: Callable[[IndexEvent], None] | None,
        stopping: Callable[[], bool] = lambda: False,
        words: str = "subtitles",
    ) -> None:
        self._store = store
        self._profile = profile
        self._decoder = decoder
        self._sampling = sampling or Sampling()
        self._on_event = on_event
        self._stopping = stopping
        self._words = words
        self._open = ExitStack()
        self._writer: WritableCatalogue | None = None
        check_choices(decoder, words, self._sampling)

    def __enter__(self) -> Indexer:
        with ExitStack() as stack:
            stack.enter_context(self._store.lock())
            self._writer = writer = stack.enter_context(self._store.writer())
            with writer.transaction():
                record_profile(writer, self._profile.fingerprint)
            workers = cpu_count()
            reader = FootageReader(self._profile, self._sampling, self._decoder, workers)
            stack.callback(reader.close)
            confined = ConfinedReader(self._profile, self._sampling, self._decoder)
            stack.callback(confined.close)
            later = readers_of(self._words)
            for each in later:
                stack.callback(each.close)
            self._open = stack.pop_all()
        at_once = workers + _FILES_BESIDE
        how = self._on_event, self._stopping, at_once
        words = self._words != "none"
        return Indexer(writer, reader, confined, *how, words=words, later=later)

    def read_lines(self) -> None:
        """Give sentence vectors to lines that lack one, while the session is open.

        Raises:
            LibraryError: the library can't be written.
        """
        if self._words == "none" or self._writer is None:
            return

        def told(path: str) -> None:
            if self._on_event is not None:
                self._on_event(IndexEvent("lines", path))

        read_lines(self._writer, self._profile, self._stopping, told)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)


def check_choices(decoder: str, words: str, sampling: Sampling) -> None:
    """Refuse what there is none of.

    Raises:
        TempoEdgeError: there is no such decoder, no such words, or the sampling makes no sense.
    """
    if decoder not in DECODERS:
        raise TempoEdgeError(f"decoder {decoder!r} must be one of {', '.join(DECODERS)}")
    check_words(words)
    rate = sampling.frames_per_second
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise TempoEdgeError(f"frames_per_second {rate} must be a positive number")


def record_profile(writer: WritableCatalogue, fingerprint: str) -> None:
    """Note in a library without frames whose frames it is going to hold.

    Raises:
        LibraryError: it holds those of another profile.
    """
    recorded = writer.get_meta("profile")
    if recorded == fingerprint:
        return
    if recorded is not None and writer.count_frames():
        raise LibraryError(
            f"{writer.name} has just been built with profile {recorded}, not {fingerprint}: "
            "use another --library"
        )
    writer.set_meta("profile", fingerprint)
