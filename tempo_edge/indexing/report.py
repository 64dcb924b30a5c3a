"""What a run of the indexer tells: of each file while it goes on, and of all of them at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["LATER", "IndexEvent", "IndexReport"]

#: What later passes are at with a film, and what is told once one is done with it.
LATER = {"hearing": "heard", "scanning": "scanned"}

# Kinds of events each of which is a file of the count that has its name.
_COUNTED = ("indexed", "reused", "words", "dated", "skipped")


@dataclass(frozen=True)
class IndexEvent:
    """An event that a person may want to see while indexing goes on.

    Attributes:
        kind: ``"started"``, ``"progress"``, ``"indexed"``, ``"reused"``, ``"skipped"``,
            ``"queued"`` (left for workers), ``"dropped"`` or, once a volume, ``"offline"``;
            ``"words"`` where only the words of a file were read, ``"dated"`` where only when and
            where it was taken; ``"lines"`` where lines of words are given sentence vectors, those
            of this file among them; where files are verified, ``"verifying"``, ``"verified"`` or
            ``"changed"``; where a later pass reads, what that calls it: ``"hearing"`` and
            ``"heard"``.
        path: the file; of a volume, where it is mounted when it is there.
        reason: why, for a file that was skipped or changed; a remark, for one that was indexed or
            verified or whose words were read, or nothing; what is kept, for a volume.
        done_seconds, total_seconds: footage of this file read so far, and in all.
        done_bytes, total_bytes: the same where it is verified.
        position, files: which of the files that need work this is, from 1, and how many there are.
    """

    kind: str
    path: str
    reason: str = ""
    done_seconds: float = 0.0
    total_seconds: float = 0.0
    position: int = 0
    files: int = 0
    done_bytes: int = 0
    total_bytes: int = 0


@dataclass
class IndexReport:
    """The outcome of a run.

    Attributes:
        indexed: files decoded and stored; ``reused``: files whose contents were known already.
        queued: files left for workers, and films left for their later passes.
        words: files left alone but for their words, which were read.
        dated: files left alone but for when and where they were taken, which was read.
        unchanged: files left alone; ``skipped``: files that can't be used, as this run found.
        skipped_before: how many of those left alone can't be used, as an earlier run found.
        dropped: files gone from a volume that is there, or left out by now; ``offline``: files on
            a volume that is not mounted.
        excluded: files and folders that were left out on request; a folder counts once.
        verified: files read whole that are what they were; ``changed``: files that are not, though
            their size and time are, and that were read again.
        later: files that later passes are done with now, by what each calls that: ``heard``.
        stopped: True when the run was asked to end before all was done.
        footage_seconds: seconds of footage read; ``elapsed_seconds``: wall time.
    """

    indexed: int = 0
    reused: int = 0
    queued: int = 0
    words: int = 0
    dated: int = 0
    unchanged: int = 0
    skipped: int = 0
    skipped_before: int = 0
    dropped: int = 0
    offline: int = 0
    excluded: int = 0
    verified: int = 0
    changed: int = 0
    later: dict[str, int] = field(default_factory=dict)
    stopped: bool = False
    footage_seconds: float = 0.0
    elapsed_seconds: float = 0.0

    def count(self, event: IndexEvent) -> None:
        """Count a file that something was done with, where events are all that is known."""
        if event.kind in _COUNTED:
            setattr(self, event.kind, getattr(self, event.kind) + 1)
        elif event.kind in LATER.values():
            self.later[event.kind] = self.later.get(event.kind, 0) + 1
        if event.kind == "indexed":
            self.footage_seconds += event.total_seconds

    def add(self, other: IndexReport) -> None:
        """Count what another run did as well, but not how long it took."""
        for name, more in vars(other).items():
            if name == "later":
                self.later = {
                    done: self.later.get(done, 0) + more.get(done, 0)
                    for done in (*self.later, *more)
                }
            elif name not in ("stopped", "elapsed_seconds"):
                setattr(self, name, getattr(self, name) + more)
