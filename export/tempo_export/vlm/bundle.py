"""Writes a hub model for the run time: three graphs, their weights, a tokenizer, a manifest.

The names begin with ``grounder`` so that the files can lie in the folder of a profile. The manifest
is written last: where it is, everything else is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor

from tempo_edge._files import atomic_write
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.profile_manifest import record_file
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.hub import HubPolicy
from tempo_edge.train.hub.family import HubFamily, SmolVLM
from tempo_edge.train.onnx_graph import IR_VERSION, OPSET
from tempo_export.files import write_whole
from tempo_export.vlm.decoder import Decoder, Embedding
from tempo_export.vlm.tracing import Weights, trace
from tempo_export.vlm.vision import Vision, vision_of

__all__ = ["MANIFEST", "export", "usual_size"]

MANIFEST, PROFILE = "grounder.json", "profile.json"
VISION, EMBEDDING, DECODER = "grounder-vision.onnx", "grounder-embedding.onnx", "grounder-step.onnx"
WEIGHTS, TOKENIZER = "grounder-weights.data", "grounder-tokenizer.json"

_USUAL = 8  # tokens along a side of a picture


def usual_size(family: HubFamily) -> int:
    """Pixels a side of a picture of 64 tokens, or of the only size that there is."""
    if isinstance(family, SmolVLM):
        return family.edge
    vision = family.config.vision_config
    return int(_USUAL * vision.patch_size * vision.spatial_merge_size)


def export(
    policy: HubPolicy, folder: Path, *, size: int, source: str, revision: str | None = None
) -> dict[str, Any]:
    """Write a model with its adapter merged in, in float32; gives the manifest.

    The adapter is merged in place: afterwards the policy has none any more. `source` and `revision`
    are written down as where the checkpoint came from. `size` are the pixels a side of pictures.
    If `folder` is a profile's, the files are entered there.

    Raises:
        DataError: the model has no form that can be exported, pictures of that size would be
            resized, or a merged weight is no number.
    """
    try:
        model = policy.model.merge_and_unload(safe_merge=True).float().cpu().eval()
    except ValueError as error:
        raise DataError(f"the adapter can't be merged: {error}") from error
    family = policy.family
    vision = vision_of(model, family, size)
    decoder = Decoder(model, family, vision.deep).eval()
    folder.mkdir(parents=True, exist_ok=True)
    # Whoever reads while this runs finds no model rather than half of one.
    (folder / MANIFEST).unlink(missing_ok=True)
    with atomic_write(folder / WEIGHTS) as draft, draft.open("wb") as file:
        weights = Weights(file, WEIGHTS)
        graphs = {
            VISION: _vision(vision, weights),
            EMBEDDING: _embedding(Embedding(model), weights),
            DECODER: _decoder(decoder, weights),
        }
    for name, graph in graphs.items():
        write_whole(folder / name, graph.SerializeToString(deterministic=True))
        onnx.checker.check_model(str(folder / name))
    write_whole(folder / TOKENIZER, _tokenizer(family).encode())
    manifest = _about(vision, decoder, family) | {"source": source, "revision": revision}
    manifest["files"] = {
        name: {"sha256": sha256_of(folder / name), "bytes": (folder / name).stat().st_size}
        for name in (*graphs, WEIGHTS, TOKENIZER)
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    write_whole(folder / MANIFEST, text.encode())
    if (folder / PROFILE).exists():
        for name in (*manifest["files"], MANIFEST):
            record_file(folder, name)
    return manifest


def _vision(vision: Vision, weights: Weights) -> onnx.ModelProto:
    pictures = torch.zeros((2, vision.size, vision.size, 3), dtype=torch.uint8)
    outputs, axes = ["sights"], {"pictures": {0: "frames"}, "sights": {0: "frames"}}
    if vision.deep:
        outputs, axes = [*outputs, "deep"], axes | {"deep": {1: "frames"}}
    return trace(vision, {"pictures": pictures}, outputs, axes, weights, "grounder-vision")


def _embedding(embedding: Embedding, weights: Weights) -> onnx.ModelProto:
    words = torch.zeros((1, 2), dtype=torch.long)
    axes = {"words": {0: "batch", 1: "new"}, "embeds": {0: "batch", 1: "new"}}
    return trace(embedding, {"words": words}, ["embeds"], axes, weights, "grounder-embedding")


def _decoder(decoder: Decoder, weights: Weights) -> onnx.ModelProto:
    new, past = 3, 2
    inputs: dict[str, Tensor] = {"embeds": torch.zeros((1, new, decoder.hidden))}
    inputs["positions"] = torch.arange(past, past + new).repeat(decoder.family.axes, 1, 1)
    axes = {"embeds": {0: "batch", 1: "new"}, "positions": {1: "batch", 2: "new"}}
    if decoder.deep:
        inputs["deep"] = torch.zeros((decoder.deep, 1, new, decoder.hidden))
        axes["deep"] = {1: "batch", 2: "new"}
    outputs, axes = ["logits"], axes | {"logits": {0: "batch"}}
    for layer in range(decoder.layers):
        for part in ("keys", "values"):
            before, after = f"past.{layer}.{part}", f"present.{layer}.{part}"
            inputs[before] = torch.zeros((1, decoder.heads, past, decoder.width))
            outputs.append(after)
            axes |= {before: {0: "batch", 2: "past"}, after: {0: "batch", 2: "past + new"}}
    return trace(decoder, inputs, outputs, axes, weights, "grounder-step")


def _about(vision: Vision, decoder: Decoder, family: HubFamily) -> dict[str, Any]:
    with torch.no_grad():
        black = torch.zeros((1, vision.size, vision.size, 3), dtype=torch.uint8)
        tokens = int(vision(black)[0].shape[1])
    return {
        "version": 1,
        "family": family.config.model_type,
        "picture": {"size": vision.size, "tokens": tokens},
        "axes": family.axes,
        "deep": vision.deep,
        "cache": {"layers": decoder.layers, "heads": decoder.heads, "width": decoder.width},
        "chat": family.chat.to_json(),
        "tokens": {"sight": family.sight, "end": family.tokenizer.eos_token_id},
        "opset": OPSET,
        "ir_version": IR_VERSION,
    }


def _tokenizer(family: HubFamily) -> str:
    from tokenizers import Tokenizer

    plain = Tokenizer.from_str(family.tokenizer.backend_tokenizer.to_str())
    # What the last batch was padded to is no part of it.
    plain.no_padding()
    plain.no_truncation()
    return plain.to_str()
