"""Opens checkpoints as they are published: weights, tokenizer, image processor, chat template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.hub.family import family_of
from tempo_edge.train.hub.hub_policy import HubPolicy

__all__ = ["load_hub"]


def load_hub(
    source: str | Path,
    *,
    revision: str | None = None,
    local_files_only: bool = True,
    rank: int = 16,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> HubPolicy:
    """A policy of a checkpoint of a known family: a folder, or the name of one on the hub.

    Nothing is fetched unless `local_files_only` is False, and no code of a checkpoint is ever run.
    `rank` is LoRA's, `dtype` that of the weights under it.

    Raises:
        MissingExtraError: ``peft`` is not installed.
        DataError: the checkpoint can't be read, or is of no family in
            :data:`~tempo_edge.train.hub.family.FAMILIES`.
    """
    try:
        import transformers
        from peft import LoraConfig, get_peft_model
        from transformers.processing_utils import ProcessorMixin
    except ImportError as error:
        raise MissingExtraError(lacking(error.name or "peft", "hub")) from error
    name = str(source)
    where: dict[str, Any] = {"revision": revision, "local_files_only": local_files_only}
    hub: Any = transformers  # its own types are of no help here
    # The processor is read in parts: as one it wants a reader of videos, and with it torchvision.
    try:
        config = hub.AutoConfig.from_pretrained(name, **where)
        family = family_of(config.model_type)
        tokenizer = hub.AutoTokenizer.from_pretrained(name, **where)
        images = hub.AutoImageProcessor.from_pretrained(name, **where)
        about, _ = ProcessorMixin.get_processor_dict(name, **where)
        model = hub.AutoModelForImageTextToText.from_pretrained(
            name, dtype=dtype, use_safetensors=True, **where
        )
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{name} can't be read: {' '.join(str(error).split())}") from error
    template = about.get("chat_template") or tokenizer.chat_template
    if not template:
        raise DataError(f"{name} has no chat template: it must be a model that chats")
    ways = family(config, tokenizer, images, template)
    lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=family.adapted)
    return HubPolicy(get_peft_model(model.to(device), lora), ways)
