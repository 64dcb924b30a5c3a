"""``python -m tempo_export.vlm``: a hub checkpoint, with or without an adapter, as ONNX graphs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tempo_edge.errors import TempoEdgeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, export, say what was written; 1 and one line on stderr where that fails."""
    parser = argparse.ArgumentParser(prog="python -m tempo_export.vlm", description=__doc__)
    add = parser.add_argument
    add("--checkpoint", required=True, help="a folder, or the name of a checkpoint on the hub")
    add("--revision", help="of the checkpoint on the hub")
    add("--fetch", action="store_true", help="fetch the checkpoint if it isn't here")
    add("--adapter", type=Path, help="what a PIR-GRPO run saved")
    add("--size", type=int, help="pixels a side of a picture (default: 64 tokens)")
    add("--out", type=Path, required=True, help="folder to write into")
    options = parser.parse_args(arguments)
    try:
        manifest = _export(options)
    except TempoEdgeError as error:
        print(f"tempo_export.vlm: {error}", file=sys.stderr)
        return 1
    for name, facts in manifest["files"].items():
        print(f"{facts['sha256']}  {facts['bytes']:>12}  {name}")
    return 0


def _export(options: argparse.Namespace) -> dict[str, Any]:
    from tempo_edge.train import checkpoint
    from tempo_edge.train.data import DataError
    from tempo_edge.train.grounder.hub import load_hub
    from tempo_export.vlm.bundle import export, usual_size

    rank, state = 1, None
    if options.adapter is not None:
        state = checkpoint.load(options.adapter)
        adapter = state.get("adapter") or {}
        ranks = {weight.shape[0] for name, weight in adapter.items() if ".lora_A." in name}
        if len(ranks) != 1:
            raise DataError(f"{options.adapter} must hold an adapter of one rank, has {ranks}")
        rank = ranks.pop()
    policy = load_hub(
        options.checkpoint,
        revision=options.revision,
        local_files_only=not options.fetch,
        rank=rank,
    )
    if state is not None:
        policy.restore(state)
    source = Path(options.checkpoint)
    return export(
        policy,
        options.out,
        size=options.size or usual_size(policy.family),
        # A folder's place on this machine is nobody else's matter.
        source=source.name if source.is_dir() else options.checkpoint,
        revision=options.revision,
    )


if __name__ == "__main__":
    raise SystemExit(main())
