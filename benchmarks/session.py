"""Draw the README's picture: what ``tempo-edge demo`` really prints, as an SVG.

``python -m benchmarks.session docs/demo.svg``
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tempo_edge._files import atomic_write

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path, help="where to write the SVG")
    options = parser.parse_args(arguments)
    done = subprocess.run(
        [sys.executable, "-m", "tempo_edge.cli", "demo"],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    # No machine's paths in a picture that everybody sees.
    lines = [
        "$ tempo-edge index clips" if line.startswith("$ tempo-edge index") else line
        for line in done.stdout.strip().splitlines()
    ]
    console = Console(record=True, width=76, file=io.StringIO())
    console.print(Text("$ tempo-edge demo", style="bold green"))
    for line in lines:
        style = "bold" if line.startswith("$") else "yellow" if line == "nothing matches" else ""
        console.print(Text(line, style=style))
    svg = console.export_svg(title="tempo-edge")
    # Fonts come from the reader's own machine: a picture should ask nobody for anything.
    start, end = svg.find("@font-face"), svg.rfind("}", 0, svg.find(".terminal-")) + 1
    kept = svg[:start] + svg[end:] if 0 <= start < end else svg
    with atomic_write(options.picture) as draft:
        draft.write_text(kept.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
