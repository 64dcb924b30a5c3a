"""Our metrics against those of QVHighlights' authors, on a prediction file that they published.

``python -m benchmarks.qvhighlights --data DIR`` reads, below DIR, the validation split
``text/qvhighlights_val_release.jsonl.gz`` and from ``qvhighlights_scorer/`` the predictions
``sample_val_preds.jsonl.gz`` and their figures ``sample_val_preds_metrics.json``. It computes every
figure from the whole files and fails if one differs in a printed digit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tempo_edge.evaluation.metrics import qvhighlights

__all__ = ["Comparison", "compare", "main"]

_LABELS = Path("text/qvhighlights_val_release.jsonl.gz")
_ANSWERS = Path("qvhighlights_scorer/sample_val_preds.jsonl.gz")
_PUBLISHED = Path("qvhighlights_scorer/sample_val_preds_metrics.json")
_DIGITS = 2


@dataclass(frozen=True)
class Comparison:
    """One figure in percent, to the digits that are published; ours is None if it has none."""

    figure: str
    ours: float | None
    published: float
    equal: bool


def compare(ours: Mapping[str, float], published: Mapping[str, float]) -> list[Comparison]:
    """Every published figure beside ours, rounded to as many digits."""
    rows = []
    for name, value in published.items():
        own = round(ours[name], _DIGITS) if name in ours else None
        rows.append(Comparison(name, own, value, own == value))
    return rows


def read_published(path: Path) -> dict[str, float]:
    """The figures of a report of nested objects, their names joined with ``/``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not JSON, holds no figures, or something that is no number.
    """
    try:
        found = dict(_flat("", json.loads(path.read_text(encoding="utf-8"))))
        if not found:
            raise ValueError("the report holds no figures")
        return found
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _flat(name: str, value: object) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}/{key}" if name else key, inner)
    elif isinstance(value, (int, float)):
        yield name, float(value)
    else:
        raise ValueError(f"{name or 'the report'} {str(value)[:40]} must be a number")


def format_table(rows: Sequence[Comparison]) -> str:
    """A GitHub table of all figures, and how many are equal."""
    lines = ["| figure | ours | published | equal |", "|---|---:|---:|---|"]
    for row in rows:
        own = "n/a" if row.ours is None else f"{row.ours:.{_DIGITS}f}"
        cells = [row.figure, own, f"{row.published:.{_DIGITS}f}", "yes" if row.equal else "**no**"]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append(f"\nequal: {sum(row.equal for row in rows)} of {len(rows)}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 if all figures are equal, 1 if one differs, 2 if a file can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with text/ and qvhighlights_scorer/"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        ours = qvhighlights.figures(
            qvhighlights.read_answers(options.data / _ANSWERS),
            qvhighlights.read_labels(options.data / _LABELS),
        )
        rows = compare(ours, read_published(options.data / _PUBLISHED))
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        json.dumps([asdict(row) for row in rows], indent=1) if options.json else format_table(rows)
    )
    return 0 if all(row.equal for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
