"""Families of checkpoints: what of a hub model's input is its own and not every chat model's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from tempo_edge.models.chat_template import Chat
from tempo_edge.train.data.archives import DataError

__all__ = ["FAMILIES", "HubFamily", "Qwen3VL", "QwenVL", "SmolVLM", "family_of"]


class HubFamily(ABC):
    """One family of checkpoints: its way to take pictures and to count places.

    Attributes:
        adapted: a regular expression of the layers that LoRA is laid over: the attention of the
            language model, none of the vision tower.
        unit: what follows the seconds in a time stamp, in the words that the family was taught.
        lead: what its answers begin with.
        axes: how many numbers say where a token is.
    """

    adapted = r".*\.language_model\..*\.[qkvo]_proj"
    unit = "s"
    lead = ""
    axes = 3

    def __init__(self, config: Any, tokenizer: Any, images: Any, template: str) -> None:
        """`images` is the image processor and `template` the chat template.

        Raises:
            DataError: the template does not show a picture where it is told to.
        """
        self.config = config
        self.tokenizer = tokenizer
        self.images = images
        self.chat = self._chat(template)

    @property
    def sight(self) -> int:
        """The token that stands for a part of a picture."""
        token: int = self.config.image_token_id
        return token

    def picture(self, shown: str, sight: str) -> tuple[str, str]:
        """The text before and after a picture's tokens, where the template has `shown`."""
        opens, _, closes = shown.partition(sight)
        return opens, closes

    @abstractmethod
    def see(self, frames: Sequence[NDArray[Any]]) -> tuple[dict[str, Tensor], list[int]]:
        """RGB frames uint8 ``[h, w, 3]`` as the model takes them, and how many tokens each has."""

    @abstractmethod
    def places(self, model: Any, inputs: dict[str, Tensor]) -> Tensor:
        """The place of each token of prompts, int64 ``[axes, b, t]``, as `model` counts."""

    def inputs(self, told: dict[str, Tensor], seen: dict[str, Tensor]) -> dict[str, Tensor]:
        """Words and pictures together."""
        return {**told, **seen}

    def positions(self, places: Tensor) -> Tensor:
        """Places ``[axes, b, t]`` in the shape that the model takes."""
        return places

    def _chat(self, template: str) -> Chat:
        query, until = "\x02", "\x03"
        parts = [("text", query), ("image", None), ("text", until)]
        content = [{"type": kind, **({"text": text} if text else {})} for kind, text in parts]
        text: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=template,
            tokenize=False,
            add_generation_prompt=True,
        )
        sight: str = self.tokenizer.convert_ids_to_tokens(self.sight)
        before, _, rest = text.partition(query)
        shown, _, after = rest.partition(until)
        if shown.count(sight) != 1:
            raise DataError(f"the chat template shows {shown!r} for a picture: no single {sight!r}")
        opens, closes = self.picture(shown, sight)
        return Chat(before, opens, sight, closes, after, self.unit, self.lead)


class QwenVL(HubFamily):
    """Qwen2-VL and Qwen2.5-VL: a picture has a grid, and its tokens have places in it.

    A frame is fed as a picture, not as a part of a video: a video's frames would be merged in twos
    (``temporal_patch_size``).
    """

    def see(self, frames: Sequence[NDArray[Any]]) -> tuple[dict[str, Tensor], list[int]]:
        seen = self.images(
            images=list(frames), input_data_format="channels_last", return_tensors="pt"
        )
        grid = seen["image_grid_thw"]
        merged = self.config.vision_config.spatial_merge_size**2
        kept = {"pixel_values": seen["pixel_values"], "image_grid_thw": grid}
        return kept, (grid.prod(dim=-1) // merged).tolist()

    def inputs(self, told: dict[str, Tensor], seen: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**told, **seen, "mm_token_type_ids": (told["input_ids"] == self.sight).long()}

    def places(self, model: Any, inputs: dict[str, Tensor]) -> Tensor:
        # Counted here and not in passing by the model, which keeps its count from call to call.
        counted: Tensor = model.model.get_rope_index(
            input_ids=inputs["input_ids"],
            mm_token_type_ids=inputs["mm_token_type_ids"],
            image_grid_thw=inputs["image_grid_thw"],
            attention_mask=inputs["attention_mask"],
        )[0]
        return counted


class Qwen3VL(QwenVL):
    """Qwen3-VL: it was taught that ``<12.4 seconds>`` before a frame is when the frame is.

    As a video it would say that itself, from frame numbers and a rate, but of two frames merged
    into one step, and at the mean of their times. Frames that were kept where the picture changes
    would be blended across the very change, and no boundary would have been named. As a picture
    each frame fills a step of its own. Nothing is lost by it: the model splits a video into its
    steps anyway and places each like a picture, so that a picture with its time before it is the
    video of that frame twice, but for the token that stands for it.
    """

    unit = " seconds"


class SmolVLM(HubFamily):
    """SmolVLM2: squares of one size, one place a token, and words around each picture.

    Frames are not cut into tiles, as those of its videos aren't.
    """

    # The vision tower has projections of these names, too.
    adapted = r".*\.text_model\..*\.[qkvo]_proj"
    # Its template ends with "Assistant:".
    lead = " "
    axes = 1

    def picture(self, shown: str, sight: str) -> tuple[str, str]:
        # The template shows the token alone; the rest is its processor's, for a picture untiled.
        return "<fake_token_around_image><global-img>", "<fake_token_around_image>"

    @property
    def edge(self) -> int:
        """Pixels of a square as the vision tower takes it."""
        edge: int = self.images.max_image_size["longest_edge"]
        return edge

    def see(self, frames: Sequence[NDArray[Any]]) -> tuple[dict[str, Tensor], list[int]]:
        seen = self.images(
            images=[list(frames)],
            size={"longest_edge": self.edge},  # bigger ones are for tiles
            do_image_splitting=False,
            input_data_format="channels_last",
            return_tensors="pt",
        )
        patches = self.edge // self.config.vision_config.patch_size
        count = (patches // self.config.scale_factor) ** 2
        return {"pixel_values": seen["pixel_values"]}, [count] * len(frames)

    def places(self, model: Any, inputs: dict[str, Tensor]) -> Tensor:
        counted = inputs["attention_mask"].cumsum(dim=-1) - 1
        return counted.clamp(min=0)[None]

    def positions(self, places: Tensor) -> Tensor:
        return places[0]


#: What is known, by the ``model_type`` of a checkpoint's configuration.
FAMILIES: dict[str, type[HubFamily]] = {
    "qwen2_vl": QwenVL,
    "qwen2_5_vl": QwenVL,
    "qwen3_vl": Qwen3VL,
    "smolvlm": SmolVLM,
}


def family_of(kind: str) -> type[HubFamily]:
    """The family of a configuration's ``model_type``.

    Raises:
        DataError: there is none.
    """
    if kind not in FAMILIES:
        raise DataError(f"model type {kind!r} must be one of {', '.join(FAMILIES)}")
    return FAMILIES[kind]


def following(places: Tensor, group_size: int) -> Tensor:
    """The first place ``[b * group_size]`` after places ``[axes, b, t]``."""
    return (places.amax(dim=(0, 2)) + 1).repeat_interleave(group_size)


def ahead(first: Tensor, count: int, axes: int) -> Tensor:
    """Places ``[axes, n, count]`` of words that follow each other from ``first`` ``[n]`` on."""
    steps = torch.arange(count, device=first.device)
    return (first[:, None] + steps).expand(axes, -1, -1)
