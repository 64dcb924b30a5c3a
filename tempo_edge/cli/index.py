"""``tempo-edge index``: videos go into the library."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tempo_edge._console.text import note, printable
from tempo_edge._files.absolute import recorded
from tempo_edge._files.spelling import spelled
from tempo_edge._system.priority import be_nice
from tempo_edge.cli.options import (
    DecoderOption,
    ExcludeOption,
    LibraryOption,
    ProfileOption,
    QueueOption,
    QuietOption,
    WordsOption,
    check_exclusive,
    chosen_decoder,
    opened,
)
from tempo_edge.cli.use import hint
from tempo_edge.cli.values import number, place
from tempo_edge.errors import LibraryError, TempoEdgeError
from tempo_edge.preferences import Preferences
from tempo_edge.store.clock import tell_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tempo_edge._console.progress import Progress
    from tempo_edge.indexing.report import IndexReport
    from tempo_edge.library import Library
    from tempo_edge.rereading import Reread

__all__ = ["index"]

# What reads files.
_EXECUTORS = ("local", "ray")


UniformOption = Annotated[
    float | None,
    typer.Option(
        "--uniform",
        metavar="FPS",
        parser=number,
        help="Baseline: decode everything and look at FPS frames a second, without SAA.",
    ),
]
VerifyOption = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Read every file whole, tell whose contents changed unnoticed and index it anew.",
    ),
]
ExecutorOption = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="WHERE",
        help="Where files are read: local, or ray, on a cluster; for a library on a server.",
    ),
]
TellOption = Annotated[
    bool, typer.Option("--tell", help="Then tell what is new to saved searches, as watch does.")
]


def index(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", parser=place, help="Videos and folders.")
    ],
    exclude: ExcludeOption = None,
    library: LibraryOption = None,
    profile: ProfileOption = None,
    decoder: DecoderOption = "pyav",
    uniform: UniformOption = None,
    verify: VerifyOption = False,
    words: WordsOption = "subtitles",
    tell: TellOption = False,
    queue: QueueOption = False,
    executor: ExecutorOption = "local",
    quiet: QuietOption = False,
) -> None:
    """Index videos, so that they can be searched. Run it again to pick up changes.

    With the --profile of another model everything is read again, and searched as
    before until that is done.
    """
    from tempo_edge._console.progress import Progress
    from tempo_edge.indexing.footage import Sampling
    from tempo_edge.rereading import clear_away, is_of_another_profile, outdated_profile

    be_nice()
    # So that the bar is taken away and the cursor comes back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    how: dict[str, Any] = {
        "exclude": exclude or (),
        "decoder": chosen_decoder(decoder),
        "sampling": Sampling(frames_per_second=uniform),
        "words": words,
    }
    if executor not in _EXECUTORS:
        raise TempoEdgeError(f"executor {executor!r} must be one of {', '.join(_EXECUTORS)}")
    elsewhere = {"--queue": queue, "--executor ray": executor == "ray"}
    check_exclusive(elsewhere)
    for where, is_chosen in elsewhere.items():
        for name, value in (("--verify", verify), ("--uniform", uniform), ("--tell", tell)):
            check_exclusive({where: is_chosen, name: value})
    if any(elsewhere.values()):
        read = _enqueued if queue else _by_ray
        _read_elsewhere(read, library, profile, paths, quiet, how)
        return
    outdated = outdated_profile(library)
    other = profile if profile is not None else outdated
    if other is not None and is_of_another_profile(library, other):
        if verify:
            raise TempoEdgeError(
                f"--verify is for a library that stays with its profile: let {other} read it "
                "again without --verify, then run tempo-edge index --verify"
            )
        if outdated is not None and not quiet:
            note(f"this library was read with another version of {outdated}: it is read again")
        _read_again(library, other, paths, how, quiet=quiet)
        if tell:
            with opened(library, None) as target:
                target.tell(on_notice=_note)
        return
    if profile is not None:
        clear_away(library, profile)
    with opened(library, profile) as target:
        tell_clock(target.store, note)
        with Progress(quiet) as progress:
            report = target.index(paths, on_event=progress, verify=verify, **how)
        name = target.profile.name
        progress.summary(report)
        if not quiet and report.indexed + report.reused:
            _tell_unnamed(target, paths)
        if tell:
            target.tell(on_notice=_note)
    if not quiet:
        _offer(name)
        hint(name)


def _read_elsewhere(
    read: Callable[[Library, list[Path], Progress, dict[str, Any]], IndexReport],
    library: Path | None,
    profile: str | None,
    paths: list[Path],
    quiet: bool,
    how: dict[str, Any],
) -> None:
    """Have other processes read what is due, and say what came of it."""
    from tempo_edge._console.progress import Progress

    with opened(library, profile) as target, Progress(quiet) as progress:
        tell_clock(target.store, note)
        report = read(target, paths, progress, how)
    progress.summary(report)


def _enqueued(
    library: Library, paths: list[Path], progress: Progress, how: dict[str, Any]
) -> IndexReport:
    """What was left to workers."""
    from tempo_edge.teamwork import enqueue

    chosen = {name: how[name] for name in ("exclude", "words")}
    return enqueue(library, paths, on_event=progress, **chosen)


def _by_ray(
    library: Library, paths: list[Path], progress: Progress, how: dict[str, Any]
) -> IndexReport:
    """What a Ray cluster has read."""
    from tempo_edge.cluster import index as index_on_cluster

    chosen = {name: how[name] for name in ("exclude", "words", "decoder")}
    return index_on_cluster(library, paths, on_event=progress, on_notice=progress.notice, **chosen)


def _note(line: str) -> None:
    note(printable(line))


def _tell_unnamed(library: Library, paths: list[Path]) -> None:
    """Say which paths of a library of several machines are this machine's alone."""
    if not library.store.names_volumes:
        return
    roots = [each.root for each in library.catalogue.volumes() if each.root is not None]
    for path in map(recorded, paths):
        is_named = library.catalogue.kept_path(spelled(path)) != spelled(path)
        if not is_named and not any(Path(root).is_relative_to(path) for root in roots):
            _note(
                f"{path} is on no named volume: its files are kept by this machine's path, and "
                "tempo-edge volumes add PATH gives them one for all machines"
            )


def _read_again(
    library: Path | None, profile: str, paths: list[Path], how: dict[str, Any], *, quiet: bool
) -> None:
    """Read a library again with another profile, and say what came of it."""
    from tempo_edge._console.progress import Progress
    from tempo_edge.rereading import reread

    with Progress(quiet) as progress:
        found = reread(library, profile, paths, on_event=progress, **how)
    progress.summary(found.report)
    _tell(found, profile, quiet)


def _tell(found: Reread, profile: str, quiet: bool) -> None:
    """Say whether a library that is read again is searched with its new profile by now.

    Raises:
        LibraryError: files of it are not in the new one.
    """
    if found.lacking and found.is_whole:
        note(
            f"{found.lacking[0]} ({len(found.lacking)} in all) can't be read now and is left out: "
            "run this again when it is back"
        )
    elif found.lacking:
        raise LibraryError(
            f"the library is searched as before, for {found.lacking[0]} "
            f"({len(found.lacking)} in all) can't be read with {profile}: bring it back and run "
            "this again, or run tempo-edge index without --profile to forget what is gone"
        )
    if not quiet:
        note(f"from now on the library is searched with {profile}")


def _offer(name: str) -> None:
    """Say how a library is read again with the profile that new ones are read with."""
    if not sys.stderr.isatty():
        return
    with suppress(TempoEdgeError):  # preferences are for `models use` to complain of
        chosen = Preferences.read().profile
        if name != chosen:
            note(
                f"this library was read with {name}; tempo-edge index --profile {chosen} reads all "
                f"of it again, and it is searched with {name} until that is done"
            )
