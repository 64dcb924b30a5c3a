"""What a GPU does, held against the CPU, and what there is without one: ``doctor --prove``.

``python -m benchmarks.gpu`` runs the parts of :mod:`tempo_edge.proof`, prints the table that
docs/benchmarks.md has, and ends with status 1 where one has failed. ``--part NAME`` runs only some.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import describe
from tempo_edge._files import atomic_write
from tempo_edge.proof import PARTS, prove
from tempo_edge.proof.telling import markdown

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--part", action="append", choices=PARTS, help="all, if none is named")
    parser.add_argument("--scale", type=float, default=1.0, help="of the budget of each part")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args(arguments)
    names = options.part or list(PARTS)
    proof = prove(
        {name: place for name, place in PARTS.items() if name in names},
        lambda line: print(line, file=sys.stderr, flush=True),
        scale=options.scale,
    )
    print(json.dumps(describe()))
    print(markdown(proof), end="")
    if options.json is not None:
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps(proof.as_dict(), indent=1) + "\n", encoding="utf-8")
    return 0 if proof.ok else 1


if __name__ == "__main__":
    sys.exit(main())
