"""The mutants that no test can tell from the program, each with the reason why."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EQUIVALENTS", "KINDS", "Equivalent", "Kind"]


@dataclass(frozen=True)
class Equivalent:
    """Mutants of one line of ``module``: those that make ``after`` of it, or all where that is "".

    Lines are given without the blanks around them, and not by their numbers: what is moved stays
    named, and what is written anew is asked about again.
    """

    module: str
    before: str
    after: str
    why: str

    def names(self, module: str, operator: str, before: str, after: str) -> bool:
        return (module, before) == (self.module, self.before) and self.after in ("", after)


@dataclass(frozen=True)
class Kind:
    """Mutants of an operator in any module, on lines that have ``part`` in them."""

    operator: str
    part: str
    why: str

    def names(self, module: str, operator: str, before: str, after: str) -> bool:
        return operator == self.operator and self.part in before and self.part not in after


KINDS: tuple[Kind, ...] = (
    Kind(
        "ReplaceTrueWithFalse",
        "strict=True",
        "the lists are of one length wherever the program makes them: it only says so",
    ),
    Kind("RemoveDecorator", "@staticmethod", "a function that is asked for by its class's name"),
)

_COLUMNS = "tempo_edge/store/embedded/columns.py"
_BOUNDED = "SQLite holds no whole number beyond 64 bits: none reaches the bound"

EQUIVALENTS: tuple[Equivalent, ...] = (
    Equivalent(
        "tempo_edge/search/grounders/grammar.py",
        "last = max(ends, default=-1)",
        "last = max(ends, default=- 0)",
        "times are never negative, so that none lies below 0 either",
    ),
    Equivalent(
        _COLUMNS,
        'read.whole("mtime_ns", mtime_ns, -(2**63), 2**63 - 1)',
        'read.whole("mtime_ns", mtime_ns, -( 3**63), 2**63 - 1)',
        _BOUNDED,
    ),
    Equivalent(
        _COLUMNS,
        'read.whole("pts", pts, -(2**63), 2**63 - 1),',
        'read.whole("pts", pts, -(2**63), 2**63 + 1),',
        _BOUNDED,
    ),
    Equivalent(
        "tempo_edge/timeline/fcpxml.py",
        'id=f"r{len(assets) + 1}",',
        'id=f"r{len(assets) - 1}",',
        "ids are names within one document: they stay different, and are referred to as they are",
    ),
    Equivalent(
        "kernels/tempo_kernels/cpu.py",
        "for band in range(bands.shape[0] - 1):",
        "for band in range(bands.shape[ -1] - 1):",
        "bands have one axis, which is the last as well",
    ),
    Equivalent(
        "tempo_edge/media/_truncation.py",
        "at, tail = at + len(block), block[-3:]",
        "at, tail = at + len(block), block[- 4:]",
        "what lies in a block's last four bytes was found in that block",
    ),
    Equivalent(
        "tempo_edge/service/transport/token.py",
        "if facts.st_mode & 0o077:",
        "if facts.st_mode | 0o077:",
        "the permissions that are given are those that it has already",
    ),
)
