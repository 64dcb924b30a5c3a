"""The process that cuts one clip for the service, which can be ended at any instant.

``python -m tempo_edge.service.jobs.clip_worker SOURCE START END FOLDER``: on its standard output
it tells the name of the clip that it wrote, or why there is none, as one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tempo_edge.clips import cut_or_copy
from tempo_edge.errors import TempoEdgeError
from tempo_edge.moment import Span

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Cut ``[START, END)`` seconds of a video."""
    source, start, end, folder = arguments
    # Whatever else may write to standard output ends up on standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        clip = cut_or_copy(Path(source), Span(float(start), float(end)), Path(folder))
        said = {"name": clip.path.name}
    except TempoEdgeError as error:
        said = {"error": str(error)}
    print(json.dumps(said), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
