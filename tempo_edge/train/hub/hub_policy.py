"""The policy of a hub model: it draws answers, weighs given ones, and says what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tempo_edge.evaluation.metrics.spans import Span
from tempo_edge.moment import Span as Said
from tempo_edge.train.grounder.grpo.rewards import read_answer
from tempo_edge.train.grounder.synthetic.windows import Example
from tempo_edge.train.hub.family import Family
from tempo_edge.train.hub.hub_prefill import Reading

__all__ = ["HubPolicy", "Written"]

_LONGEST = 48  # tokens of an answer: four spans, a digit a token


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


class HubPolicy:
    """A :class:`~tempo_edge.train.grounder.grpo.policy.Policy` of a model wrapped by ``peft``.

    The reference is the same model with the adapter switched off, so that there is one copy of the
    weights.
    """

    def __init__(self, model: Any, family: Family) -> None:
        self.model = model.eval()
        self.family = family
        self.tokenizer = family.tokenizer

    @property
    def device(self) -> torch.device:
        device: torch.device = next(iter(self.model.parameters())).device
        return device

    def prompt(self, example: Example, sights: Sequence[int] | None = None) -> str:
        """What the model reads of an example, with `sights` placeholders for each picture."""
        seconds = [look.seconds for look in example.looks]
        return self.family.chat.prompt(example.query, seconds, float(example.edges[-1]), sights)

    def read(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Prompts and pictures as the model takes them, padded on the left.

        Raises:
            ValueError: an example has no pictures, or its query says one of the tokenizer's marks.
        """
        frames = []
        marks = self.tokenizer.get_added_vocab()
        for example in examples:
            if example.pictures is None or len(example.pictures) != len(example.looks):
                raise ValueError(f"example {example.query!r} must have a picture for each frame")
            for mark in marks:
                if mark in example.query:
                    raise ValueError(f"query {example.query!r} must not hold {mark!r}")
            frames += list(example.pictures)
        seen, sights = self.family.see(frames)
        texts, first = [], 0
        for example in examples:
            last = first + len(example.looks)
            texts.append(self.prompt(example, sights[first:last]))
            first = last
        told = self.tokenizer(
            texts,
            padding=True,
            padding_side="left",
            add_special_tokens=False,
            return_tensors="pt",
        )
        words = {name: told[name] for name in ("input_ids", "attention_mask")}
        inputs = self.family.inputs(words, seen)
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
        reading = Reading(self.model, self.family, self.read(examples), copies)
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
        answer = self.family.chat.answer(self.text(said))
        read = None if answer is None else read_answer(answer, float(example.edges[-1]))
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
        reading = Reading(self.model, self.family, packed.inputs, copies)
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
