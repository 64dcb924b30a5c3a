"""Perception Encoder (Bolya et al., 2025), in the layout of OpenCLIP: two towers of a checkpoint.

OpenCLIP and timm read the weights, from safetensors only; nothing is asked of a network.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.models.description import Description
from tempo_edge.models.pull import OPEN_CLIP
from tempo_edge.models.tokenizer import encode, plain_tokenizer
from tempo_export.torch_encoder import TorchEncoder, write_traced

__all__ = ["is_open_clip", "load_perception", "picture_size"]

_WEIGHTS = "open_clip_model.safetensors"

_MARKS = ("<|startoftext|>", "<|endoftext|>")


def is_open_clip(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint lies in the layout of OpenCLIP."""
    return OPEN_CLIP in checkpoint.files


def picture_size(checkpoint: Checkpoint) -> int:
    """Pixels a side of the pictures that an encoder in that layout takes.

    Raises:
        ProfileError: its configuration can't be read.
    """
    about = Description.read(checkpoint.folder / OPEN_CLIP)
    return about.part("model_cfg").part("vision_cfg").whole("image_size", 1, 4096)


def load_perception(checkpoint: Checkpoint) -> TorchEncoder:
    """The towers of a checkpoint.

    Raises:
        ProfileError: it can't be loaded, or is of another architecture.
        MissingExtraError: torch, OpenCLIP or timm is not installed.
    """
    about = Description.read(checkpoint.folder / OPEN_CLIP)
    model = _model(checkpoint)
    from tempo_export.towers import PerceptionImages, PerceptionText

    size, own = picture_size(checkpoint), model.visual.trunk.patch_embed.img_size
    if own != (size, size):
        raise ProfileError(
            f"checkpoint {checkpoint.name!r}: image_size {size} must be {own[0]}, as of its tower"
        )
    pictures = about.part("preprocess_cfg")
    mean, std = pictures.numbers("mean", 3, 0.0, 1.0), pictures.numbers("std", 3, 1e-3, 10.0)
    mode = pictures.choice("resize_mode", ("squash", "shortest"))
    facts = {
        "interpolation": pictures.choice("interpolation", ("bilinear", "bicubic")).upper(),
        "crop": mode == "shortest",
    }
    text = PerceptionText(model.text).eval()

    def write_text(ids: NDArray[np.int64], path: Path) -> None:
        write_traced(text, ids, path, "input_ids", ("vectors", "states"), {0: "N"})

    return TorchEncoder(
        PerceptionImages(model.visual.trunk, mean, std).eval(),
        text,
        _tokenizer(checkpoint, model.text.context_length),
        size,
        write_text,
        facts,
    )


def _model(checkpoint: Checkpoint) -> Any:
    """The model of OpenCLIP, with the checkpoint's weights, all of them and no others.

    Raises:
        ProfileError: it can't be made or loaded, or is no Perception Encoder.
        MissingExtraError: torch, OpenCLIP or timm is not installed.
    """
    try:
        import open_clip
        import timm  # noqa: F401 - OpenCLIP says too late that it lacks
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingExtraError(lacking(error.name or "open_clip", "perception")) from error
    config = json.loads((checkpoint.folder / OPEN_CLIP).read_text(encoding="utf-8"))["model_cfg"]
    _check(config, checkpoint.name)
    try:
        with _quiet():
            model = open_clip.CustomTextCLIP(
                **{name: value for name, value in config.items() if name != "custom_text"}
            )
            model.load_state_dict(load_file(checkpoint.folder / _WEIGHTS))
    except (OSError, ValueError, RuntimeError, TypeError, AssertionError) as error:
        reason = " ".join(str(error).split())
        raise ProfileError(f"checkpoint {checkpoint.name!r} can't be loaded: {reason}") from error
    return model.float().eval()


def _check(config: dict[str, Any], name: str) -> None:
    """Refuse what is no Perception Encoder, before anything is made of what it says.

    Raises:
        ProfileError: it is none.
    """
    vision, text = config.get("vision_cfg", {}), config.get("text_cfg", {})
    tower = str(vision.get("timm_model_name", ""))
    if not tower.startswith("vit_pe_core_") or vision.get("timm_pool") != "map":
        raise ProfileError(
            f"checkpoint {name!r} has an image tower {tower!r}, in OpenCLIP's layout it must be "
            "one of vit_pe_core_..."
        )
    if vision.get("timm_model_pretrained") or vision.get("timm_proj") or "hf_model_name" in text:
        raise ProfileError(f"checkpoint {name!r} asks for weights that are not its own")


def _tokenizer(checkpoint: Checkpoint, longest: int) -> Any:
    """The tokenizer, which cuts and fills up with zeros as OpenCLIP's own does.

    Raises:
        ProfileError: it can't be read, or lacks a mark.
    """
    path = checkpoint.folder / "tokenizer.json"
    tokenizer = plain_tokenizer(path.read_text(encoding="utf-8"), path)
    begin, *_, end = encode(tokenizer, "a dog", path).ids
    if [begin, end] != [tokenizer.token_to_id(mark) for mark in _MARKS]:
        raise ProfileError(f"{path} doesn't put {_MARKS[0]!a} and {_MARKS[1]!a} around a sentence")
    tokenizer.enable_truncation(longest)
    tokenizer.enable_padding(length=longest, pad_id=0, pad_token=tokenizer.id_to_token(0))
    return tokenizer


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what OpenCLIP logs while it makes a model."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
