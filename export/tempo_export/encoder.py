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

from tempo_edge._extras import lacking
from tempo_edge.errors import ExportError, MissingExtraError, ProfileError
from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.models.registry import Profile
from tempo_edge.models.sessions import cpu_count, open_session
from tempo_edge.models.towers import ImageTower
from tempo_edge.quantization import quantize
from tempo_export.drafts import finish
from tempo_export.graphs import OPSET, read_graph, versions, write_graph
from tempo_export.request import Progress

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
    model, family = _load(checkpoint)
    config = model.config
    about = json.loads((checkpoint.folder / "preprocessor_config.json").read_text("utf-8"))
    from tempo_export import towers

    images = getattr(towers, family.images)(model, about["image_mean"], about["image_std"]).eval()
    text = getattr(towers, family.text)(model).eval()
    progress(f"writing {checkpoint.name}: image tower")
    size = config.vision_config.image_size
    _write(images, pictures[:2], folder / "image.onnx", "images", ("vectors", "tokens"), {0: "N"})
    progress(f"writing {checkpoint.name}: text tower")
    ids = _write_tokenizer(checkpoint, config.text_config.max_position_embeddings, family, folder)
    _write_text(text, ids, model, family, folder / "text.onnx")
    _compare(images, text, pictures[:4], ids, folder, checkpoint.name)
    progress(f"writing {checkpoint.name}: {len(pictures)} pictures as its background")
    vectors = _encode(folder / "image.onnx", pictures)
    np.save(folder / "background.npy", quantize(vectors))
    return finish(
        folder,
        {
            "name": checkpoint.name,
            "version": checkpoint.revision[:12],
            "dim": vectors.shape[1],
            "image_size": size,
            "tokens_per_frame": towers.CELLS**2,
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


def _load(checkpoint: Checkpoint) -> tuple[Any, EncoderFamily]:
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
    return model.eval(), FAMILIES[kind]


def _write(
    module: Any,
    example: NDArray[Any],
    path: Path,
    takes: str,
    gives: tuple[str, str],
    dynamic: dict[int, str],
) -> None:
    """Trace a module and write its graph, with sizes that may vary by name."""
    import torch

    beside = path.with_name(f"{path.stem}.traced")
    beside.mkdir()
    with warnings.catch_warnings():
        # The tracer is on its way out, and warns of shapes that it takes for constants; those that
        # are none are named here, and what was traced is compared with the module below.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.from_numpy(example),),
            str(beside / path.name),
            input_names=[takes],
            output_names=list(gives),
            dynamic_axes={takes: dynamic, gives[0]: {0: "N"}, gives[1]: dynamic},
            opset_version=OPSET,
            dynamo=False,
        )
    write_graph(read_graph(beside / path.name), path)
    for each in beside.iterdir():
        each.unlink()
    beside.rmdir()


def _write_text(
    text: Any, ids: NDArray[np.int64], model: Any, family: EncoderFamily, path: Path
) -> None:
    """Write the text tower: through optimum where it is installed, else traced, alike to search."""
    import onnx
    import torch

    try:
        from optimum.exporters.onnx import export, model_configs
    except ImportError:
        _write(text, ids, path, "input_ids", ("vectors", "states"), {0: "N", 1: "L"})
        graph = read_graph(path)
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
    # What search gives besides: a tower that has no use for it must take it all the same.
    info = onnx.helper.make_tensor_value_info("attention_mask", onnx.TensorProto.INT64, ["N", "L"])
    graph.graph.input.append(info)
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


def _write_tokenizer(
    checkpoint: Checkpoint, longest: int, family: EncoderFamily, folder: Path
) -> NDArray[np.int64]:
    """Write ``tokenizer.json`` as search uses it; gives the ids of a sentence, int64 ``[1, l]``."""
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
    path = folder / "tokenizer.json"
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
