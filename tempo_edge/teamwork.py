"""A library that several machines index: what is due goes into its queue, and workers take it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from tempo_edge._files.spelling import spelled
from tempo_edge.errors import LibraryError, MissingExtraError, ProfileError, TempoEdgeError
from tempo_edge.store.clock import tell_clock

if TYPE_CHECKING:
    from tempo_edge.indexing.enqueuer import Enqueuer
    from tempo_edge.indexing.later_pass import StepReader
    from tempo_edge.indexing.report import IndexEvent, IndexReport
    from tempo_edge.library import Library
    from tempo_edge.store.queue import WorkQueue

__all__ = ["enqueue", "watch", "work"]


def enqueue(
    library: Library,
    paths: Iterable[str | Path] | str | Path,
    *,
    exclude: Iterable[str] = (),
    words: str = "subtitles",
    on_event: Callable[[IndexEvent], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> IndexReport:
    """Leave to workers what is new or changed under some paths, and forget what is gone.

    It waits while more waits than may, so that it ends when the last of it is in the queue.

    Args:
        library: one on a server.
        paths, exclude, words, on_event, stopping: as of :meth:`tempo_edge.library.Library.index`.

    Raises:
        LibraryError: it is no library on a server, another process writes it alone, or a path does
            not exist.
        TempoEdgeError: there is no such kind of words; a pattern matches nothing.
    """
    from tempo_edge.indexing.exclusion import Exclusion
    from tempo_edge.indexing.roots import check_roots, roots_of

    roots = roots_of(paths)
    check_roots(roots, library.files)
    exclusion = Exclusion(exclude, [root for root in roots if root.is_dir()])
    with _enqueuer(library, words, on_event, stopping) as (enqueuer, _):
        report = enqueuer.index(roots, exclusion=exclusion)
        enqueuer.read_later(roots, report)
    return report


@contextmanager
def _enqueuer(
    library: Library,
    words: str,
    on_event: Callable[[IndexEvent], None] | None,
    stopping: Callable[[], bool],
) -> Iterator[tuple[Enqueuer, WorkQueue]]:
    """What puts files into a library's queue; the library is made if need be."""
    from tempo_edge.indexing.enqueuer import Enqueuer
    from tempo_edge.indexing.session import record_profile
    from tempo_edge.indexing.word_choice import check_words, readers_of

    check_words(words)
    marks = {}
    for reader in readers_of(words):
        marks[reader.kind] = reader.mark
        reader.close()
    store = library.store
    if not store.is_shared:
        store.queue()  # which says why there is none
    with store.writer() as writer:
        with writer.transaction():
            record_profile(writer, library.profile.fingerprint)
        with store.queue() as queue:
            how = on_event, stopping
            yield Enqueuer(store, writer, queue, *how, words=words, marks=marks), queue


def watch(
    library: Library,
    paths: Iterable[str | Path] | str | Path,
    *,
    exclude: Iterable[str] = (),
    words: str = "subtitles",
    polling: bool = False,
    stop: Event | None = None,
    on_event: Callable[[IndexEvent], None] | None = None,
    on_notice: Callable[[str], None] = lambda line: None,
) -> None:
    """Leave to workers what comes into folders, until it is stopped; one process watches a folder.

    A server that is away is waited for; then all is looked at once.

    Args:
        library: one on a server.
        paths: folders; the rest is as of :meth:`tempo_edge.library.Library.watch`.

    Raises:
        LibraryError: as for :func:`enqueue`; or another process watches one of the folders.
    """
    from tempo_edge.indexing.desk import Stopped
    from tempo_edge.indexing.perseverance import persevere
    from tempo_edge.indexing.roots import roots_of
    from tempo_edge.indexing.watcher import Watcher

    tell_clock(library.store, on_notice)
    ending = stop or Event()
    roots = roots_of(paths)

    def check_stop() -> None:
        if ending.is_set():
            raise Stopped

    def follow(begun: Callable[[], None]) -> None:
        with (
            _enqueuer(library, words, on_event, ending.is_set) as (enqueuer, queue),
            ExitStack() as held,
        ):
            for root in roots:
                what = f"watch {library.catalogue.kept_path(spelled(root))}"
                if not held.enter_context(queue.alone(what)):
                    raise LibraryError(
                        f"another process ({queue.holder(what)}) watches {root}: one is enough"
                    )
            begun()
            Watcher(enqueuer, roots, exclude=exclude, polling=polling, notice=on_notice).run(ending)

    with suppress(Stopped):
        persevere(follow, check_stop, on_notice)


def work(
    library: Library,
    *,
    only: Sequence[str] = (),
    decoder: str = "pyav",
    until_empty: bool = False,
    on_event: Callable[[IndexEvent], None] = lambda event: None,
    on_notice: Callable[[str], None] = lambda line: None,
    stopping: Callable[[], bool] = lambda: False,
) -> IndexReport:
    """Take files out of a library's queue and index them, until it is stopped.

    Args:
        library: one on a server, that something was put into.
        only: kinds of tasks to take: ``pictures``, ``speech``, ``screen``; by default all for
            which everything is installed.
        decoder: one of :data:`tempo_edge.media.DECODERS`.
        until_empty: end once nothing waits and nobody is at anything.
        on_event: told of every file; ``on_notice``, in a line, of what hinders it.
        stopping: asked often; True gives back the file that is being read, and ends it.

    Raises:
        LibraryError: it is no library on a server, there is none, or it can't be reached.
        TempoEdgeError: there is no such kind or decoder, or what one takes is not installed.
    """
    from tempo_edge._cores import cpu_count
    from tempo_edge.indexing.bench import Readers
    from tempo_edge.indexing.confined import ConfinedReader
    from tempo_edge.indexing.footage import FootageReader, Sampling
    from tempo_edge.indexing.session import check_choices
    from tempo_edge.indexing.worker import Worker
    from tempo_edge.store.queue import PICTURES

    profile, sampling = library.profile, Sampling()
    check_choices(decoder, "none", sampling)
    tell_clock(library.store, on_notice)
    takes_pictures, later = _readers(only, on_notice)
    kinds = (*((PICTURES,) if takes_pictures else ()), *later)
    with ExitStack() as stack:
        for each in later.values():
            stack.callback(each.close)
        video = FootageReader(profile, sampling, decoder, cpu_count())
        stack.callback(video.close)
        confined = ConfinedReader(profile, sampling, decoder)
        stack.callback(confined.close)
        worker = Worker(
            library.store,
            kinds,
            Readers(profile, video, confined, later),
            refresh=lambda: _refresh(library),
            on_event=on_event,
            on_notice=on_notice,
            stopping=stopping,
        )
        return worker.run(until_empty=until_empty)


def _readers(
    only: Sequence[str], on_notice: Callable[[str], None]
) -> tuple[bool, dict[str, StepReader]]:
    """(whether pictures are read, what reads the later passes), by what was chosen."""
    from tempo_edge.indexing.word_choice import PASSES
    from tempo_edge.store.queue import PICTURES

    for kind in only:
        if kind not in (PICTURES, *PASSES):
            raise TempoEdgeError(f"only {kind!r} must be one of {', '.join((PICTURES, *PASSES))}")
    later = {}
    for kind, made in PASSES.items():
        if only and kind not in only:
            continue
        try:
            later[kind] = made()
        except (MissingExtraError, ProfileError) as error:
            if only:
                raise
            on_notice(f"takes no {kind}: {error}")
    return not only or PICTURES in only, later


def _refresh(library: Library) -> None:
    """Bring up what finds frames and lines."""
    with library.catalogue.snapshot():
        library.vectors.refresh(writing=True)
        library.store.line_vectors(library.catalogue).refresh(writing=True)
