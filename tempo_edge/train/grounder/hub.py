"""A hub model of the Qwen-VL class as a policy: it sees the frames, and LoRA is what is trained.

It reads each frame's time before the frame, as the built-in grounder does, and answers in the same
words. But no grammar bounds it: an answer that is not of the language can't be read, and earns
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.errors import MissingExtraError
from tempo_edge.moment import Span as Said
from tempo_edge.train.data import DataError
from tempo_edge.train.grounder.memory import with_memory
from tempo_edge.train.grounder.windows import Example
from tempo_edge.train.metrics.spans import Span
from tempo_edge.train.rewards import read_answer

#: The layers of the language model that LoRA is laid over; the vision tower has none of the name.
LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj")

_LONGEST = 48  # tokens of an answer: four spans, a digit a token
_ASKED = "Here are frames of a video, each after its time. When does this happen: {query}\n"
_WANTED = (
    "\nAnswer with spans of these times only, such as 12.4-15.8;20.0-21.3: each from the time of "
    "its first frame to the time that comes after its last frame. If it never happens, answer none."
)


@dataclass(frozen=True)
class Written:
    """Answers of ``g`` to each of ``p`` prompts.

    ``inputs`` are the prompts as the model reads them; ``words`` int64 ``[p * g, a]`` are the
    tokenizer's, and ``open`` bool of that shape is True up to the end of each answer: nothing that
    it says is forced.
    """

    inputs: dict[str, Tensor]
    words: Tensor
    open: Tensor


class _Reading:
    """Prompts that were read once, vision included, and can be continued in several copies each.

    ``logits`` float32 ``[p * copies, words]`` are those of the first word of an answer.
    """

    def __init__(self, model: Any, inputs: dict[str, Tensor], copies: int) -> None:
        from transformers import DynamicCache

        self._model, self._cache = model, DynamicCache()
        mask = inputs["attention_mask"]
        # Places are counted here and not by the model, which keeps its count from call to call.
        places, _ = model.get_base_model().model.get_rope_index(
            input_ids=inputs["input_ids"],
            mm_token_type_ids=inputs["mm_token_type_ids"],
            image_grid_thw=inputs["image_grid_thw"],
            attention_mask=mask,
        )
        out = model(
            **inputs,
            position_ids=places,
            logits_to_keep=1,
            **with_memory(model.get_base_model(), self._cache),
        )
        self._cache.batch_repeat_interleave(copies)
        self._mask = mask.repeat_interleave(copies, dim=0)
        self._next = (places.amax(dim=(0, 2)) + 1).repeat_interleave(copies)
        self.logits: Tensor = out.logits[:, -1].float().repeat_interleave(copies, dim=0)

    def go_on(self, words: Tensor) -> Tensor:
        """Say ``words`` int64 ``[n, a]``; logits ``[n, a, words]`` of what follows each."""
        words = words.to(self._mask.device)
        self._mask = torch.cat([self._mask, torch.ones_like(words)], dim=1)
        ahead = torch.arange(words.shape[1], device=words.device)
        places = self._next[:, None] + ahead
        self._next = self._next + words.shape[1]
        out = self._model(
            input_ids=words,
            attention_mask=self._mask,
            position_ids=places.expand(3, -1, -1),
            **with_memory(self._model.get_base_model(), self._cache),
        )
        logits: Tensor = out.logits.float()
        return logits


class HubPolicy:
    """A :class:`~tempo_edge.train.grounder.policy.Policy` of a model wrapped by ``peft``.

    The reference is the same model with the adapter switched off, so that there is one copy of the
    weights.
    """

    def __init__(self, model: Any, tokenizer: Any, images: Any, template: str) -> None:
        """`images` is the image processor and `template` the chat template."""
        self.model = model.eval()
        self.tokenizer = tokenizer
        self._images, self._template = images, template
        config = model.get_base_model().config
        self._sight: int = config.image_token_id
        self._merged: int = config.vision_config.spatial_merge_size**2

    @property
    def device(self) -> torch.device:
        device: torch.device = next(iter(self.model.parameters())).device
        return device

    def prompt(self, example: Example) -> str:
        """What the model reads of an example, with one placeholder for each picture."""
        content: list[dict[str, str]] = []

        def say(text: str) -> None:
            content.append({"type": "text", "text": text})

        say(_ASKED.format(query=example.query))
        for look in example.looks:
            say(eta.stamp(look.seconds))
            content.append({"type": "image"})
        say(eta.stamp(float(example.edges[-1])))
        say(_WANTED)
        text: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=self._template,
            tokenize=False,
            add_generation_prompt=True,
        )
        return text

    def read(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Prompts and pictures as the model takes them, padded on the left.

        Raises:
            ValueError: an example has no pictures, or its query says what stands for one.
        """
        frames = []
        for example in examples:
            if example.pictures is None or len(example.pictures) != len(example.looks):
                raise ValueError(f"example {example.query!r} must have a picture for each frame")
            frames += list(example.pictures)
        seen = self._images(images=frames, input_data_format="channels_last", return_tensors="pt")
        sizes = iter((seen["image_grid_thw"].prod(dim=-1) // self._merged).tolist())
        mark = self.tokenizer.convert_ids_to_tokens(self._sight)
        texts = []
        for example in examples:
            text, *rest = self.prompt(example).split(mark)
            if len(rest) != len(example.looks):
                raise ValueError(f"query {example.query!r} must not hold {mark!r}")
            texts.append(text + "".join(mark * next(sizes) + part for part in rest))
        told = self.tokenizer(
            texts,
            padding=True,
            padding_side="left",
            add_special_tokens=False,
            return_tensors="pt",
        )
        inputs = {
            "input_ids": told["input_ids"],
            "attention_mask": told["attention_mask"],
            "mm_token_type_ids": (told["input_ids"] == self._sight).long(),
            "pixel_values": seen["pixel_values"],
            "image_grid_thw": seen["image_grid_thw"],
        }
        return {name: value.to(self.device) for name, value in inputs.items()}

    @torch.no_grad()
    def draw(
        self,
        examples: Sequence[Example],
        copies: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[list[int]]:
        """Answers with the token that ends them, unless they grew too long to have one."""
        reading = _Reading(self.model, self.read(examples), copies)
        said: list[list[int]] = [[] for _ in range(len(examples) * copies)]
        logits, end = reading.logits, self.tokenizer.eos_token_id
        for _ in range(_LONGEST):
            shares = torch.softmax(logits.cpu() / temperature, dim=-1)
            chosen = torch.multinomial(shares, 1, generator=generator)
            going = False
            for row, (token,) in zip(said, chosen.tolist(), strict=True):
                if not row or row[-1] != end:
                    row.append(token)
                    going |= token != end
            if not going:
                break
            logits = reading.go_on(chosen)[:, -1]
        return said

    def text(self, said: Sequence[int]) -> str:
        """An answer as it reads, without the token that ends it."""
        end = self.tokenizer.eos_token_id
        kept = said[:-1] if said and said[-1] == end else said
        text: str = self.tokenizer.decode(kept, clean_up_tokenization_spaces=False)
        return text

    def meant(self, example: Example, said: Sequence[int]) -> list[Span] | None:
        """The spans of an answer; None if it has no end, can't be read or names unknown times.

        A span that was said of no frames must not pass for a refusal.
        """
        if not said or said[-1] != self.tokenizer.eos_token_id:
            return None
        read = read_answer(self.text(said), float(example.edges[-1]))
        if read is None:
            return None
        found = example.boundaries.spans([Said(start, end) for start, end in read])
        if len(found) != len(read):
            return None
        return [(span.start_seconds, span.end_seconds) for span in found]

    def pack(self, examples: Sequence[Example], said: Sequence[Sequence[int]]) -> Written:
        # At least two, so that there is always something to go on with.
        longest = max(2, *(len(each) for each in said))
        words = torch.full((len(said), longest), self.tokenizer.eos_token_id)
        places = torch.zeros((len(said), longest), dtype=torch.bool)
        for row, each in enumerate(said):
            words[row, : len(each)] = torch.tensor(each)
            places[row, : len(each)] = True
        return Written(self.read(examples), words, places)

    def log_shares(self, packed: Written) -> Tensor:
        copies = len(packed.words) // len(packed.inputs["input_ids"])
        reading = _Reading(self.model, packed.inputs, copies)
        following = reading.go_on(packed.words[:, :-1])
        logits = torch.cat([reading.logits[:, None], following], dim=1)
        words = packed.words.to(logits.device)
        return torch.log_softmax(logits, dim=-1).gather(2, words[..., None])[..., 0]

    @torch.no_grad()
    def reference_shares(self, packed: Written) -> Tensor:
        with self.model.disable_adapter():
            return self.log_shares(packed)

    def parameters(self) -> list[nn.Parameter]:
        """The adapter's weights."""
        return [weight for weight in self.model.parameters() if weight.requires_grad]

    def state(self) -> dict[str, Any]:
        """The adapter; the model under it never changes."""
        from peft import get_peft_model_state_dict

        return {"adapter": get_peft_model_state_dict(self.model)}

    def restore(self, state: dict[str, Any]) -> None:
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(self.model, state["adapter"])


def load_hub(
    source: str | Path,
    *,
    revision: str | None = None,
    local_files_only: bool = True,
    rank: int = 16,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> HubPolicy:
    """A policy of a checkpoint of the Qwen-VL class: a folder, or the name of one on the hub.

    Nothing is fetched unless `local_files_only` is False, and no code of a checkpoint is ever run.
    `rank` is LoRA's, `dtype` that of the weights under it.

    Raises:
        MissingExtraError: ``peft`` is not installed.
        DataError: the checkpoint can't be read, or is of another class.
    """
    try:
        import transformers
        from peft import LoraConfig, get_peft_model
        from transformers.processing_utils import ProcessorMixin
    except ImportError as error:
        raise MissingExtraError(
            f'{error.name} is not installed: pip install "tempo-edge[hub]"'
        ) from error
    name = str(source)
    where: dict[str, Any] = {"revision": revision, "local_files_only": local_files_only}
    hub: Any = transformers  # its own types are of no help here
    # The processor is read in parts: as one it wants a reader of videos, and with it torchvision.
    try:
        tokenizer = hub.AutoTokenizer.from_pretrained(name, **where)
        images = hub.AutoImageProcessor.from_pretrained(name, **where)
        about, _ = ProcessorMixin.get_processor_dict(name, **where)
        model = hub.AutoModelForImageTextToText.from_pretrained(
            name, dtype=dtype, use_safetensors=True, **where
        )
    except (OSError, ValueError) as error:
        raise DataError(f"{name} can't be read: {' '.join(str(error).split())}") from error
    template = about.get("chat_template") or tokenizer.chat_template
    if not hasattr(getattr(model, "model", None), "get_rope_index") or not template:
        raise DataError(f"{name} is a {type(model).__name__}: it must be a Qwen-VL that chats")
    lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(LAYERS))
    return HubPolicy(get_peft_model(model.to(device), lora), tokenizer, images, template)
