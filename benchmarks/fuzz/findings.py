"""Findings: a case and what was wrong with it, whole in one file that reproduces it."""

from __future__ import annotations

import base64
import hashlib
import json
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Finding", "decoded", "encoded", "key_of", "read_finding", "write_finding"]

_BYTES = "base64"

# Lines of a trace that are kept.
_TRACE_LINES = 60


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        target: the name of the target.
        case: what was tried, as :func:`encoded` has it.
        text: what was wrong, in one line.
        trace: where, if it was raised.
    """

    target: str
    case: str
    text: str
    trace: tuple[str, ...] = ()

    @staticmethod
    def of(target: str, case: Any, error: BaseException) -> Finding:
        """The finding that an error is."""
        lines = "".join(traceback.format_exception(error)).splitlines()
        said = " ".join(str(error).split())[:300]
        text = f"{type(error).__name__}: {said}"
        return Finding(target, encoded(case), text, tuple(lines[-_TRACE_LINES:]))


def key_of(error: BaseException) -> str:
    """Two errors of one key are taken for one fault: the same kind, raised at the same place."""
    frames = traceback.extract_tb(error.__traceback__)
    # The oracle's `holds` raises for all of them: who called it tells.
    places = [f"{each.filename}:{each.lineno}" for each in frames if each.name != "holds"]
    return f"{type(error).__name__} at {places[-1] if places else ''}"


def encoded(case: Any) -> str:
    """A case as JSON; bytes are objects of one field."""

    def plain(value: object) -> dict[str, str]:
        if isinstance(value, bytes):
            return {_BYTES: base64.b64encode(value).decode()}
        raise TypeError(f"a case holds {type(value).__name__}, which can't be written down")

    return json.dumps(case, default=plain)


def decoded(text: str) -> Any:
    """The case that a JSON stands for; a tuple comes back as a list."""

    def bytes_of(facts: dict[str, Any]) -> Any:
        return base64.b64decode(facts[_BYTES]) if list(facts) == [_BYTES] else facts

    return json.loads(text, object_hook=bytes_of)


def write_finding(finding: Finding, folder: Path) -> Path:
    """Write a finding into a folder; gives the file."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(finding.case.encode()).hexdigest()[:12]
    path = folder / f"{finding.target}-{digest}.json"
    facts = {
        "target": finding.target,
        "text": finding.text,
        "case": json.loads(finding.case),
        "trace": finding.trace,
    }
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="ascii")
    return path


def read_finding(path: Path) -> tuple[str, Any]:
    """The target's name and the case that a file holds."""
    facts = json.loads(path.read_text(encoding="ascii"))
    return facts["target"], decoded(json.dumps(facts["case"]))
