"""Writes a taught grounder into the folder of a profile, for a search to read with."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tempo_edge._files import atomic_write
from tempo_edge.models.profile_manifest import record_file
from tempo_edge.models.registry import read_profile
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.model import onnx_agreement
from tempo_edge.train.grounder.model.checkpoint_files import load_grounder
from tempo_edge.train.grounder.model.decoder_graph import write_decoder
from tempo_edge.train.onnx_graph import Storage

__all__ = ["export_grounder"]


def export_grounder(checkpoint: Path, folder: Path, storage: str) -> list[str]:
    """Write ``grounder.onnx`` into a profile folder and enter its checksum; returns a report.

    Raises:
        DataError: there is no such storage, checkpoint or profile, or what was written in float32
            says something else than the checkpoint.
        ProfileError: the profile can't be read.
    """
    if storage not in ("int8", "fp16", "fp32"):
        raise DataError(f"storage {storage!r} must be int8, fp16 or fp32")
    about = folder / "profile.json"
    if not about.exists():
        raise DataError(f"{folder} holds no profile.json")
    read_profile(folder)
    model, place = load_grounder(checkpoint).eval(), folder / "grounder.onnx"
    with atomic_write(place) as draft:
        write_decoder(draft, model, cast(Storage, storage))
        found = onnx_agreement.compare(model, draft)
        if storage == "fp32" and not found.logits <= onnx_agreement.TOLERANCE:
            raise DataError(
                f"logits of what was written differ by {found.logits:.2g} from the checkpoint's, "
                f"at most {onnx_agreement.TOLERANCE} is allowed"
            )
    record_file(folder, place.name)
    return [
        f"wrote {place}, {place.stat().st_size / 1e6:.1f} MB",
        f"logits within {found.logits:.2g} of torch's, the same first word to {found.same} of "
        f"{found.prompts} made-up prompts",
        "calibrate it next",
    ]
