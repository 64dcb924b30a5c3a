"""A hub model as a policy: it samples answers, weighs given ones, and reads their spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.moment import Span as TimedSpan
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.grounder.grpo.objective import AnswerLogProbs
from tempo_edge.train.grounder.grpo.rewards import read_answer
from tempo_edge.train.hub.family import HubFamily
from tempo_edge.train.hub.hub_prefill import HubPrefill

__all__ = ["HubAnswers", "HubPolicy"]

_LONGEST = 48  # tokens of an answer: four spans, a digit a token
_SUREST = -1e-6  # the largest log-probability of a refusal, so that others always have one
_RAREST = 1e-30  # the smallest probability drawn with, if only the refusal has any


@dataclass(frozen=True)
class HubAnswers:
    """Answers of ``g`` to each of ``p`` prompts.

    Attributes:
        inputs: the prompts as the model reads them.
        tokens: int64 ``[p * g, a]``, the tokenizer's; a refusal has at most ``a``, too.
        token_mask: bool ``[p * g, a]``, True up to the end of each answer: none of it is forced.
    """

    inputs: dict[str, Tensor]
    tokens: Tensor
    token_mask: Tensor


class HubPolicy:
    """A :class:`~tempo_edge.train.grounder.grpo.policy.Policy` of a model wrapped by ``peft``.

    The reference is the same model with the adapter switched off, so that there is one copy of the
    weights.
    """

    def __init__(self, model: Any, family: HubFamily) -> None:
        self.model = model.eval()
        self.family = family
        self.tokenizer = family.tokenizer

    @property
    def device(self) -> torch.device:
        device: torch.device = next(iter(self.model.parameters())).device
        return device

    def prompt(self, example: Example, sights: Sequence[int] | None = None) -> str:
        """The chat of an example, with `sights` placeholders for each picture."""
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

    @cached_property
    def refusal(self) -> list[int]:
        """The tokens that refuse, with the one that ends them."""
        tokens: list[int] = self.tokenizer(
            self.family.chat.lead + eta.NONE, add_special_tokens=False
        )["input_ids"]
        return [*tokens, self.tokenizer.eos_token_id]

    @torch.no_grad()
    def rollout(
        self,
        examples: Sequence[Example],
        group_size: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[list[int]]:
        """Sampled answers with the token that ends them, unless they grew too long to have one.

        No single token refuses that could be masked. So each token of the refusal, where what was
        said so far is its beginning, is as likely as it is to go on to another answer.
        """
        prefill = HubPrefill(self.model, self.family, self.read(examples), group_size)
        refusal = self.refusal
        others = _otherwise(prefill.weigh(torch.tensor(refusal), temperature).cpu())
        answers: list[list[int]] = [[] for _ in range(len(examples) * group_size)]
        logits, end = prefill.logits, self.tokenizer.eos_token_id
        for place in range(_LONGEST):
            probabilities = torch.softmax(logits.cpu() / temperature, dim=-1)
            if place < len(refusal):
                begun = [row for row, answer in enumerate(answers) if answer == refusal[:place]]
                probabilities[begun, refusal[place]] *= others[begun, place]
                probabilities.clamp_(min=_RAREST)
            chosen = torch.multinomial(probabilities, 1, generator=generator)
            unfinished = False
            for answer, (token,) in zip(answers, chosen.tolist(), strict=True):
                if not answer or answer[-1] != end:
                    answer.append(token)
                    unfinished |= token != end
            if not unfinished:
                break
            logits = prefill.decode(chosen)[:, -1]
        return answers

    def text(self, answer: Sequence[int]) -> str:
        """The text of an answer, without the token that ends it."""
        end = self.tokenizer.eos_token_id
        kept = answer[:-1] if answer and answer[-1] == end else answer
        text: str = self.tokenizer.decode(kept, clean_up_tokenization_spaces=False)
        return text

    def spans(self, example: Example, answer: Sequence[int]) -> list[Interval] | None:
        """The spans of an answer; None if it has no end, can't be read or names unknown times.

        A span in which no frame lies must not pass for a refusal.
        """
        if not answer or answer[-1] != self.tokenizer.eos_token_id:
            return None
        text = self.family.chat.answer(self.text(answer))
        read = None if text is None else read_answer(text, float(example.edges[-1]))
        if read is None:
            return None
        found = example.boundaries.spans([TimedSpan(start, end) for start, end in read])
        if len(found) != len(read):
            return None
        return [(span.start_seconds, span.end_seconds) for span in found]

    def collate(self, examples: Sequence[Example], answers: Sequence[Sequence[int]]) -> HubAnswers:
        longest = max(len(self.refusal), *(len(answer) for answer in answers))
        tokens = torch.full((len(answers), longest), self.tokenizer.eos_token_id)
        token_mask = torch.zeros((len(answers), longest), dtype=torch.bool)
        for row, answer in enumerate(answers):
            tokens[row, : len(answer)] = torch.tensor(answer)
            token_mask[row, : len(answer)] = True
        return HubAnswers(self.read(examples), tokens, token_mask)

    def log_probs(self, batch: HubAnswers) -> AnswerLogProbs:
        """The refusal is read beside the answers, as one more of each prompt's.

        That an answer is none is told by its first token: ``log(1 - q)`` is taken off there.
        """
        prompts = len(batch.inputs["input_ids"])
        group_size = len(batch.tokens) // prompts
        refusal = torch.full((prompts, 1, batch.tokens.shape[1]), self.tokenizer.eos_token_id)
        refusal[..., : len(self.refusal)] = torch.tensor(self.refusal)
        both = torch.cat([batch.tokens.reshape(prompts, group_size, -1), refusal], dim=1)
        prefill = HubPrefill(self.model, self.family, batch.inputs, group_size + 1)
        said = prefill.log_probs(both.flatten(0, 1)).reshape(prompts, group_size + 1, -1)
        none = said[:, -1, : len(self.refusal)].sum(dim=1).clamp(max=_SUREST)
        spans = torch.log1p(-none.exp())
        first = said[:, :-1, :1] - spans[:, None, None]
        answers = torch.cat([first, said[:, :-1, 1:]], dim=2).flatten(0, 1)
        return AnswerLogProbs(none, spans, answers)

    @torch.no_grad()
    def ref_log_probs(self, batch: HubAnswers) -> AnswerLogProbs:
        with self.model.disable_adapter():
            return self.log_probs(batch)

    def parameters(self) -> list[nn.Parameter]:
        """The adapter's weights."""
        return [weight for weight in self.model.parameters() if weight.requires_grad]

    def presence_parameters(self) -> list[nn.Parameter]:
        """None: a hub model refuses in words."""
        return []

    def state(self) -> dict[str, Any]:
        """The adapter; the model under it never changes."""
        from peft import get_peft_model_state_dict

        return {"adapter": get_peft_model_state_dict(self.model)}

    def restore(self, state: dict[str, Any]) -> None:
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(self.model, state["adapter"])


def _otherwise(log_probs: Tensor) -> Tensor:
    """The chance, after each token of the refusal, that the rest of it does not follow.

    Both are float32 ``[n, r]``; it is 0 after the last one.
    """
    rest = log_probs.flip(1).cumsum(dim=1).flip(1)[:, 1:]
    return torch.cat([-torch.expm1(rest), torch.zeros(len(log_probs), 1)], dim=1)
