"""A library that is read again with another profile: beside itself, until the new one is whole.

A new version of the profile that it was read with is another profile, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tempo_edge.errors import NoLibraryError, ProfileError
from tempo_edge.indexing.word_choice import WORDS
from tempo_edge.library import Library
from tempo_edge.saved.keeping import carry_saved
from tempo_edge.store.opening import open_store
from tempo_edge.store.place import library_path
from tempo_edge.store.rows import Contents
from tempo_edge.words.line import KINDS

if TYPE_CHECKING:
    from tempo_edge.indexing.footage import Sampling
    from tempo_edge.indexing.report import IndexEvent, IndexReport
    from tempo_edge.store.interface import Store, WritableCatalogue

__all__ = [
    "Reread",
    "clear_away",
    "is_of_another_profile",
    "outdated_profile",
    "reread",
    "reread_outdated",
]


@dataclass(frozen=True)
class Reread:
    """The outcome of a run.

    Attributes:
        report: what was read.
        lacking: files of the library that the new one lacks still.
        is_whole: whether the new one has taken the place of the old one.
    """

    report: IndexReport
    lacking: tuple[str, ...]
    is_whole: bool


def is_of_another_profile(path: Path | None, profile: str) -> bool:
    """Whether a library holds frames that another profile than this one has read.

    Raises:
        LibraryError: what is there is no library.
        ProfileError: there is no such profile.
    """
    from tempo_edge.models import load_profile

    fingerprint = load_profile(profile).fingerprint
    where = library_path(path)
    return _recorded(where) not in (None, fingerprint) and _holds_frames(where)


def outdated_profile(path: Path | None) -> str | None:
    """The name of a profile, of which another version than the installed one read a library.

    None for a library that is read with what is installed, and where no such profile is.

    Raises:
        LibraryError: what is there is no library.
    """
    from tempo_edge.models import load_profile

    where = library_path(path)
    recorded = _recorded(where)
    if recorded is None:
        return None
    name = recorded.rpartition("-")[0]
    try:
        is_current = load_profile(name).fingerprint == recorded
    except ProfileError:
        return None
    return None if is_current or not _holds_frames(where) else name


def _recorded(path: Path) -> str | None:
    """The fingerprint of the profile that a library was made for, if there is one."""
    try:
        with open_store(path).reader() as catalogue, catalogue.snapshot():
            return catalogue.get_meta("profile")
    except NoLibraryError:
        return None


def _holds_frames(path: Path) -> bool:
    """Whether frames are in a library: to count them takes long, so few ask."""
    try:
        with open_store(path).reader() as catalogue, catalogue.snapshot():
            return bool(catalogue.count_frames())
    except NoLibraryError:
        return False


def reread(
    path: Path | None,
    profile: str,
    paths: Iterable[str | Path],
    *,
    exclude: Iterable[str] = (),
    decoder: str = "pyav",
    sampling: Sampling | None = None,
    on_event: Callable[[IndexEvent], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    words: str = "subtitles",
) -> Reread:
    """Read all that a library holds, and these paths, with another profile.

    What is read goes into a library beside it, which takes its place at once when it holds all of
    its files; until then the old one is searched and kept up to date as ever. A run that was ended,
    by whatever, goes on where it was. What later passes have read is taken along, and what they
    have not is read when that is done.

    A library that another version of its profile has read can't be searched until then, for the
    models that its vectors are of are gone. So the new one takes its place without files that are
    not there now, on a drive that is not plugged in, say; any other stays until the new one lacks
    none of its files.

    Args:
        path: the library's file; by default the user's.
        profile: name of the other profile.
        paths: files and folders to index besides; the other arguments are those of
            :meth:`tempo_edge.library.Library.index`, and so are the errors.
    """
    is_outdated = outdated_profile(path) is not None
    draft = open_store(library_path(path)).draft(profile)
    known = _videos(library_path(path))
    here = [each for each in known if Path(each).exists()]
    with Library.open(draft, profile=profile) as other:
        _name_volumes(library_path(path), draft)
        report = other.index(
            [*paths, *here],
            exclude=exclude,
            decoder=decoder,
            sampling=sampling,
            on_event=on_event,
            stopping=stopping,
            words="subtitles" if WORDS.get(words) else words,
        )
        held = {row.path for row in other.files()}
    if report.stopped:
        return Reread(report, _without(known, held), is_whole=False)
    lacking, is_whole = _take_place(library_path(path), draft, held, may_lack=is_outdated)
    if is_whole and WORDS.get(words):
        with Library.open(path) as whole:
            heard = whole.index(
                [*paths, *here], exclude=exclude, on_event=on_event, stopping=stopping, words=words
            )
        report.later, report.stopped = heard.later, heard.stopped
    return Reread(report, lacking, is_whole)


def _name_volumes(path: Path, draft: str) -> None:
    """Let a draft keep paths as its library does: by the same names of volumes."""
    with open_store(path).reader() as before, before.snapshot():
        named = [each.volume for each in before.volumes()]
    if named:
        store = open_store(draft)
        with store.lock(), store.writer() as writer:
            for volume in named:
                writer.put_volume(volume)


def _take_place(
    path: Path, draft: str, held: set[str], *, may_lack: bool
) -> tuple[tuple[str, ...], bool]:
    """Let a draft that holds these files take the place of its library.

    Gives the files of the library that it lacks, and whether it did.
    """
    store = open_store(path)
    with store.lock(), open_store(draft).lock():
        # Nothing is lost: what came into the old one meanwhile counts as well.
        lacking = _without(_videos(path), held)
        is_whole = may_lack or not lacking
        if is_whole:
            _carry(store, open_store(draft))
            store.take_over(draft)
    return lacking, is_whole


def reread_outdated(
    path: Path | None,
    paths: Iterable[str | Path],
    *,
    exclude: Iterable[str] = (),
    decoder: str = "pyav",
    sampling: Sampling | None = None,
    on_event: Callable[[IndexEvent], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    words: str = "subtitles",
) -> Reread | None:
    """Read a library again where another version of its profile has read it; None elsewhere.

    The arguments are those of :func:`reread`.
    """
    name = outdated_profile(path)
    if name is None:
        return None
    return reread(
        path,
        name,
        paths,
        exclude=exclude,
        decoder=decoder,
        sampling=sampling,
        on_event=on_event,
        stopping=stopping,
        words=words,
    )


def clear_away(path: Path | None, profile: str) -> None:
    """Clear away what is left of a run that was ended right after its library took its place.

    Raises:
        LibraryError: another process writes to the library.
    """
    open_store(library_path(path)).finish_taking_over(profile)


def _carry(old: Store, new: Store) -> None:
    """Let a library know what is dear of what another knows, whose place it takes.

    These are the digests of whole files, which later verifications are held against, what later
    passes have read, and saved searches with what they told. The caller holds the locks of both.
    """
    same: dict[int, int] = {}
    with old.writer() as before, new.writer() as after, after.transaction():
        for row in list(before.each_file()):
            there = after.file(row.path)
            if row.video_id is None or there is None or there.video_id is None:
                continue
            if (row.size, row.mtime_ns) != (there.size, there.mtime_ns):
                continue
            same[row.video_id] = there.video_id
            whole = before.contents(row.video_id).whole
            if whole is not None:
                after.note_contents(there.video_id, Contents(whole=whole))
            _carry_passes(before, row.video_id, after, there.video_id)
        held = set(same.values())
        carry_saved(before, after, same, [each for each, _ in after.videos() if each not in held])


def _carry_passes(
    before: WritableCatalogue, video: int, after: WritableCatalogue, same: int
) -> None:
    """Let a library know what later passes have read of a video in another one."""
    for kind in KINDS:
        state = before.pass_state(kind, video)
        if state is not None and after.pass_state(kind, same) is None:
            after.put_lines(
                same, [kind], [each for each in before.lines(video) if each.kind == kind]
            )
            after.note_pass(kind, same, state)


def _videos(path: Path) -> list[str]:
    """The files of a library that hold a video."""
    with open_store(path).reader() as catalogue, catalogue.snapshot():
        return [row.path for row in catalogue.files().values() if row.video_id is not None]


def _without(known: Sequence[str], held: set[str]) -> tuple[str, ...]:
    return tuple(sorted(each for each in known if each not in held))
