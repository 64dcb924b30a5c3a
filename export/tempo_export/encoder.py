"""A pulled encoder becomes a profile: two ONNX towers, a tokenizer and a background cohort.

Its calibration is fitted afterwards on videos with queries that occur and queries that don't: until
then nothing can be searched with it, because nobody knows yet which similarities mean anything.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge._extras import lacking
from tempo_edge.errors import ExportError, MissingExtraError, ProfileError
from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.models.registry import Profile
from tempo_edge.models.sessions import open_session
from tempo_edge.models.towers import ImageTower
from tempo_edge.quantization import quantize
from tempo_export.drafts import finish
from tempo_export.graphs import OPSET, read_graph, versions, write_graph
from tempo_export.perception import is_open_clip, load_perception, picture_size
from tempo_export.request import Progress
from tempo_export.torch_encoder import TorchEncoder, write_traced

__all__ = ["FAMILIES", "TOLERANCE", "EncoderFamily", "image_size", "write_encoder"]

#: Largest difference between what a graph gives and what torch gives, of unit vectors' components.
TOLERANCE = 1e-3

_BATCH = 16
_SENTENCE = "a dog jumps over a fence"


@dataclass(frozen=True)
class EncoderFamily:
    """The reading of one architecture: its modules' names, and what its tokens want."""

    images: str
    text: str
    with_optimum: tuple[str, str, str]  # transformers' class, optimum's description, its output
    padded: bool
    lower: bool


FAMILIES = {
    "clip": EncoderFamily(
        "ClipImages",
        "ClipText",
        ("CLIPTextModelWithProjection", "CLIPTextWithProjectionOnnxConfig", "text_embeds"),
        padded=False,
        lower=False,
    ),
    # The last token is what is read of a sentence, so each must be as long as in training; SigLIP 2
    # was trained on sentences in small letters.
    "siglip": EncoderFamily(
        "SiglipImages",
        "SiglipText",
        ("SiglipTextModel", "SiglipTextOnnxConfig", "pooler_output"),
        padded=True,
        lower=True,
    ),
}


def image_size(checkpoint: Checkpoint) -> int:
    """Pixels a side of the pictures that an encoder takes.

    Raises:
        ExportError: its configuration can't be read.
    """
    if is_open_clip(checkpoint):
        return picture_size(checkpoint)
    path = checkpoint.folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        return int(config.get("vision_config", {}).get("image_size", 224))
    except (OSError, ValueError, AttributeError) as error:
        raise ExportError(f"{path} can't be read: {error}") from error


def write_encoder(
    checkpoint: Checkpoint, folder: Path, pictures: NDArray[np.uint8], progress: Progress
) -> Profile:
    """Write the files of a profile, in float32, into the empty ``folder``.

    Args:
        pictures: unrelated ones, uint8 ``[n, s, s, 3]`` of the size that the encoder takes, by
            which a query's chance is judged.

    Raises:
        ProfileError: the checkpoint is altered, of another architecture, or what was written gives
            other vectors than it.
        MissingExtraError: torch or transformers is not installed.
    """
    checkpoint.verify()
    made = load_perception(checkpoint) if is_open_clip(checkpoint) else _load(checkpoint)
    from tempo_export.towers import CELLS

    progress(f"writing {checkpoint.name}: image tower")
    outputs = ("vectors", "tokens")
    write_traced(made.images, pictures[:2], folder / "image.onnx", "images", outputs, {0: "N"})
    progress(f"writing {checkpoint.name}: text tower")
    ids = _write_tokenizer(made.tokenizer, folder / "tokenizer.json")
    made.write_text(ids, folder / "text.onnx")
    _take_masks(folder / "text.onnx")
    _compare(made.images, made.text, pictures[:4], ids, folder, checkpoint.name)
    progress(f"writing {checkpoint.name}: {len(pictures)} pictures as its background")
    vectors = _encode(folder / "image.onnx", pictures)
    np.save(folder / "background.npy", quantize(vectors))
    return finish(
        folder,
        {
            "name": checkpoint.name,
            "version": checkpoint.revision[:12],
            "dim": vectors.shape[1],
            "image_size": made.size,
            "tokens_per_frame": CELLS**2,
            **made.facts,
            "licences": {"weights": checkpoint.licence},
            "source": {
                "repository": checkpoint.repository,
                "revision": checkpoint.revision,
                "sha256": checkpoint.files,
            },
            "precision": "fp32",
            "graphs": {each: versions(folder / each) for each in ("image.onnx", "text.onnx")},
        },
    )


def _load(checkpoint: Checkpoint) -> TorchEncoder:
    """The towers of a checkpoint that transformers reads.

    Raises:
        ProfileError: it can't be loaded, or is of another architecture.
        MissingExtraError: torch or transformers is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(lacking(error.name or "torch", "export")) from error
    try:
        model = transformers.AutoModel.from_pretrained(
            checkpoint.folder, use_safetensors=True, local_files_only=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ProfileError(f"checkpoint {checkpoint.name!r} can't be loaded: {reason}") from error
    kind = model.config.model_type
    if kind not in FAMILIES:
        raise ProfileError(
            f"checkpoint {checkpoint.name!r} is a {kind!r}, an encoder must be one of "
            f"{sorted(FAMILIES)}"
        )
    from tempo_export import towers

    family, config = FAMILIES[kind], model.eval().config
    about = json.loads((checkpoint.folder / "preprocessor_config.json").read_text("utf-8"))
    images = getattr(towers, family.images)(model, about["image_mean"], about["image_std"])
    text = getattr(towers, family.text)(model).eval()
    return TorchEncoder(
        images.eval(),
        text,
        _tokenizer(checkpoint, config.text_config.max_position_embeddings, family),
        config.vision_config.image_size,
        lambda ids, path: _write_text(text, ids, model, family, path),
    )


def _write_text(
    text: Any, ids: NDArray[np.int64], model: Any, family: EncoderFamily, path: Path
) -> None:
    """Write the text tower: through optimum where it is installed, else traced, alike to search."""
    import torch

    try:
        from optimum.exporters.onnx import export, model_configs
    except ImportError:
        write_traced(text, ids, path, "input_ids", ("vectors", "states"), {0: "N", 1: "L"})
    else:
        import transformers

        named, described, pooled = family.with_optimum
        model.config.text_config.projection_dim = getattr(model.config, "projection_dim", None)
        reader = getattr(transformers, named)(model.config.text_config).eval()
        reader.load_state_dict(model.state_dict(), strict=False)
        config = getattr(model_configs, described)(reader.config, task="feature-extraction")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(reader, config, path, opset=OPSET)
        graph = read_graph(path)
        with torch.no_grad():
            vectors, states = text(torch.from_numpy(ids))
        _unite(graph, pooled, (vectors.shape[-1], states.shape[-1]))
        _rewrite(graph, path)


def _take_masks(path: Path) -> None:
    """Let a text tower take what search gives besides, for which it has no use."""
    import onnx

    graph = read_graph(path)
    info = onnx.helper.make_tensor_value_info("attention_mask", onnx.TensorProto.INT64, ["N", "L"])
    graph.graph.input.append(info)
    _rewrite(graph, path)


def _rewrite(graph: Any, path: Path) -> None:
    """Write a graph in the place of another, whose weights may lie beside it."""
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    write_graph(graph, path)


def _unite(model: Any, pooled: str, widths: tuple[int, int]) -> None:
    """Give a graph that optimum wrote unit vectors, and the names that search knows.

    Args:
        widths: of a vector and of a state; the graph doesn't say them in every family.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    graph.node.extend(
        [
            helper.make_node("LpNormalization", [pooled], ["vectors"], axis=-1, p=2),
            helper.make_node("Identity", ["last_hidden_state"], ["states"]),
        ]
    )
    del graph.output[:]
    graph.output.extend(
        [
            helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["N", widths[0]]),
            helper.make_tensor_value_info("states", TensorProto.FLOAT, ["N", "L", widths[1]]),
        ]
    )


def _tokenizer(checkpoint: Checkpoint, longest: int, family: EncoderFamily) -> Any:
    """The tokenizer of a checkpoint, which cuts, fills up and lowers as in training."""
    import transformers
    from tokenizers import Tokenizer, normalizers

    known = transformers.AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True)
    tokenizer = Tokenizer.from_str(known.backend_tokenizer.to_str())
    tokenizer.enable_truncation(longest)
    tokenizer.no_padding()
    if family.padded:
        tokenizer.enable_padding(
            length=longest, pad_id=known.pad_token_id, pad_token=known.pad_token
        )
    if family.lower:
        rest = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *rest])
    return tokenizer


def _write_tokenizer(tokenizer: Any, path: Path) -> NDArray[np.int64]:
    """Write ``tokenizer.json`` as search uses it; gives the ids of a sentence, int64 ``[1, l]``."""
    from tokenizers import Tokenizer

    path.write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    coded = Tokenizer.from_file(str(path)).encode(_SENTENCE)
    return np.asarray([coded.ids], np.int64)


def _encode(path: Path, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    tower = ImageTower(open_session(path, threads=cpu_count()))
    starts = range(0, len(pictures), _BATCH)
    return np.concatenate([tower.encode(pictures[at : at + _BATCH])[0] for at in starts])


def _compare(
    images: Any,
    text: Any,
    pictures: NDArray[np.uint8],
    ids: NDArray[np.int64],
    folder: Path,
    name: str,
) -> None:
    """Compare what the graphs give with what the modules give.

    Raises:
        ProfileError: they don't, within :data:`TOLERANCE`.
    """
    import torch

    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    for file, module, feed, outputs in (
        ("image.onnx", images, {"images": pictures}, ["vectors", "tokens"]),
        ("text.onnx", text, inputs, ["vectors", "states"]),
    ):
        session = open_session(folder / file, threads=cpu_count())
        found = session.run(outputs, feed)
        with torch.no_grad():
            wanted = module(torch.from_numpy(next(iter(feed.values()))))
        for output, ours, theirs in zip(outputs, found, wanted, strict=True):
            far = float(np.abs(ours - theirs.numpy()).max())
            # States are not of unit length: what counts is how far they are for their size.
            size = max(1.0, float(np.abs(theirs.numpy()).max()))
            if not far <= TOLERANCE * size:
                raise ProfileError(
                    f"profile {name!r}: {output} of {file} differ by {far:.2g} from torch's, "
                    f"at most {TOLERANCE * size:.2g} is allowed"
                )
