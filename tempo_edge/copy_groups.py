"""Groups of copies in a library: which of them is worth keeping, why, and what the rest take up.

Nothing here deletes anything. Only files that are there now count: of what is on a drive that is
not plugged in nobody can say that it may go, nor that it is what should stay.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tempo_edge.errors import MediaError
from tempo_edge.search.duplicates import same_footage
from tempo_edge.search.strips import Strip, likeness, strip_of
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.listing import ListedVideo

__all__ = ["CONTENTS", "FOOTAGE", "CopiedFile", "CopyGroup", "copy_groups"]

#: The kinds of copies: the same bytes, and the same footage in other ones.
CONTENTS, FOOTAGE = "same contents", "same footage"


@dataclass(frozen=True)
class CopiedFile:
    """A file of a group of copies.

    Attributes:
        listed: the file, with what is known of the video in it.
        kind: :data:`CONTENTS` or :data:`FOOTAGE`, as it is held against the file that is kept.
        likeness: the correlation of what changes in it and in the file that is kept.
    """

    listed: ListedVideo
    kind: str
    likeness: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        video = self.listed
        return {
            "path": video.file.path,
            "size": video.file.size,
            "width": video.width,
            "height": video.height,
            "codec": video.codec,
            "duration_seconds": round(video.duration_seconds, 3),
            "kind": self.kind,
            "likeness": round(self.likeness, 4),
        }


@dataclass(frozen=True)
class CopyGroup:
    """Files that show the same from end to end.

    Attributes:
        kept: the best of them; ``others``: the rest, as it goes with which they would free most.
        why: what makes it the best, in a few words.
    """

    kept: CopiedFile
    others: tuple[CopiedFile, ...]
    why: str

    @property
    def freed_bytes(self) -> int:
        """What the other files take up."""
        return sum(other.listed.file.size for other in self.others)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``copies --json`` prints them."""
        kept = {name: value for name, value in self.kept.as_dict().items() if name != "likeness"}
        del kept["kind"]
        return {
            "kept": kept,
            "why": self.why,
            "others": [other.as_dict() for other in self.others],
            "freed_bytes": self.freed_bytes,
        }


def copy_groups(
    catalogue: Catalogue,
    is_here: Callable[[ListedVideo], bool],
    under: Path | None = None,
    on_remark: Callable[[str], None] = lambda line: None,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[CopyGroup]:
    """The groups of copies among the files of a library, what frees most first.

    Args:
        is_here: whether a file is there now.
        under: only files at or under this path.
        on_remark: told in a line of each file that can't be compared.
        checkpoint: called often; whatever it raises ends it.
    """
    files: dict[int, list[ListedVideo]] = {}
    for listed in catalogue.each_video(under):
        checkpoint()
        if listed.file.video_id is not None and is_here(listed):
            files.setdefault(listed.file.video_id, []).append(listed)
    for video in files:
        files[video] = sorted(_one_each(files[video]), key=_worth)
    best_first = sorted(files, key=lambda video: _worth(files[video][0]))
    lengths = {video: rows[0].duration_seconds for video, rows in files.items()}

    @cache
    def strip(video: int) -> Strip | None:
        listed = files[video][0]
        try:
            return strip_of(Path(listed.file.path), listed.duration_seconds)
        except (MediaError, OSError) as error:
            on_remark(f"{listed.file.path} can't be compared: {error}")
            return None

    def compare(one: int, other: int) -> float | None:
        ours, theirs = strip(one), strip(other)
        return None if ours is None or theirs is None else likeness(ours, theirs)

    alike = same_footage(catalogue, lengths, best_first, compare, checkpoint)
    grouped = {video for group in alike for video, _ in group}
    alone = [[(video, 1.0)] for video in best_first if video not in grouped]
    found = [_group(files, group) for group in (*alike, *alone)]
    groups = [group for group in found if group is not None]
    return sorted(groups, key=lambda group: (-group.freed_bytes, group.kept.listed.file.path))


def _one_each(rows: Iterable[ListedVideo]) -> list[ListedVideo]:
    """One path of each file: links to it free nothing."""
    kept: dict[tuple[int, int] | str, ListedVideo] = {}
    for row in rows:
        try:
            facts = os.stat(row.file.path)  # noqa: PTH116
        except OSError:
            kept[row.file.path] = row
            continue
        key = (facts.st_dev, facts.st_ino)
        # Of a file and links to it the file itself is told.
        if key not in kept or os.path.islink(kept[key].file.path):  # noqa: PTH114
            kept[key] = row
    return list(kept.values())


def _worth(listed: ListedVideo) -> tuple[Any, ...]:
    """What is the best first: sound, large pictures, many bits, old."""
    file = listed.file
    bits = file.size / max(listed.duration_seconds, 1e-3)
    return bool(file.reason), -listed.width * listed.height, -bits, file.mtime_ns, file.path


def _group(
    files: dict[int, list[ListedVideo]], group: Sequence[tuple[int, float]]
) -> CopyGroup | None:
    """The group of the files of some videos; None of a single file."""
    first = group[0][0]
    rows = [
        CopiedFile(row, CONTENTS if video == first else FOOTAGE, likeness)
        for video, likeness in group
        for row in files[video]
    ]
    kept, others = rows[0], sorted(rows[1:], key=lambda each: -each.listed.file.size)
    if not others:
        return None
    return CopyGroup(kept, tuple(others), _why(kept.listed, [each.listed for each in others]))


def _why(kept: ListedVideo, others: Sequence[ListedVideo]) -> str:
    """What the kept file has before the next best one."""
    best = min(others, key=_worth)
    mine, theirs = _worth(kept), _worth(best)
    told = ("it is not damaged", "the largest picture", "the most bits a second", "the oldest")
    names = (*told, "the first by name")
    return next(name for name, a, b in zip(names, mine, theirs, strict=True) if a != b)
