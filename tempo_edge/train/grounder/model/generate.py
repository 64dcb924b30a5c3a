"""Answers of the decoder, token by token, each within its grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tempo_edge import eta
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import Prompt
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.grounder.model.prefill import Prefill

__all__ = ["Answers", "generate", "present_chances"]

_LONGEST = 24  # tokens of an answer: four spans of two numbers, what joins them, [end]


@dataclass
class Answers:
    """One answer to each copy of each prompt.

    ``tokens`` are without ``[end]``; ``present`` float64 ``[answers]`` are the chances that what is
    asked for is there, and ``refused`` bool ``[answers]`` says where it is likelier that it isn't.
    """

    tokens: list[list[int]]
    present: NDArray[np.float64]
    refused: NDArray[np.bool_]


@torch.no_grad()
def generate(
    model: GrounderNetwork,
    prompts: Sequence[Prompt],
    grammars: Sequence[Grammar],
    *,
    group_size: int = 1,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    refusals: bool = True,
) -> Answers:
    """Answer prompts together, token by token, each answer within its grammar.

    Each prompt is read once and answered `group_size` times, so there are as many grammars as
    answers, the first prompt's first. With a temperature of 0 the likeliest token is taken, else
    one is sampled. Without `refusals` no answer is ``none`` that could be another, however unlikely
    it is that there is anything to say.
    """
    if len(grammars) != group_size * len(prompts):
        raise ValueError(
            f"{len(grammars)} grammars for {len(prompts)} prompts x {group_size} copies"
        )
    prefill = Prefill(model, prompts, group_size)
    answers: list[list[int]] = [[] for _ in grammars]
    unfinished = set(range(len(grammars)))
    present = np.repeat(_chances(prefill, grammars[::group_size]), group_size)
    refused, end = present < 0.5, eta.TOKEN["[end]"]
    forced = np.array([_is_unsayable(grammar) for grammar in grammars])
    logits = prefill.logits
    for step in range(_LONGEST):
        logits = _masked(logits, grammars, unfinished)
        if step == 0:
            _choose(logits, refused if refusals else forced)
        chosen = _sample(logits, temperature, generator)
        for row in list(unfinished):
            grammars[row].take(chosen[row])
            if chosen[row] == end:
                unfinished.discard(row)
            else:
                answers[row].append(chosen[row])
        if not unfinished:
            break
        # Rows that are done go on with tokens that nobody reads.
        notes = [prompts[row // group_size].note(tokens) for row, tokens in enumerate(answers)]
        tokens = torch.tensor(chosen)[:, None]
        logits = prefill.decode(tokens, torch.from_numpy(np.stack(notes))[:, None])[:, -1]
    return Answers(answers, present, refused)


@torch.no_grad()
def present_chances(
    model: GrounderNetwork, prompts: Sequence[Prompt], grammars: Sequence[Grammar]
) -> NDArray[np.float64]:
    """The chance float64 ``[p]`` that each window shows what it is asked for."""
    return _chances(Prefill(model, prompts), grammars)


def _chances(prefill: Prefill, grammars: Sequence[Grammar]) -> NDArray[np.float64]:
    """The chance float64 ``[p]`` of presence; 0 where nothing but ``none`` can be said."""
    # In double precision: chances near 1 are to be told apart.
    chances: NDArray[np.float64] = torch.sigmoid(prefill.odds.double()).cpu().numpy()
    return np.where([_is_unsayable(grammar) for grammar in grammars], 0.0, chances)


def _is_unsayable(grammar: Grammar) -> bool:
    """Whether nothing but ``none`` can be said."""
    return grammar.options() == [eta.NONE]


def _choose(logits: Tensor, refused: NDArray[np.bool_]) -> None:
    """Leave ``none`` alone of first logits ``[n, words]`` where refused, elsewhere all but it."""
    is_none = torch.arange(logits.shape[1]) == eta.TOKEN[eta.NONE]
    logits.masked_fill_(is_none != torch.from_numpy(refused)[:, None], -torch.inf)


def _masked(logits: Tensor, grammars: Sequence[Grammar], rows: set[int]) -> Tensor:
    """Logits ``[answers, words]`` on the CPU, minus infinity where a row's grammar forbids."""
    allowed = np.ones(logits.shape, bool)
    for row in rows:
        allowed[row] = grammars[row].token_mask()
    return logits.cpu().masked_fill(torch.from_numpy(~allowed), -torch.inf)


def _sample(logits: Tensor, temperature: float, generator: torch.Generator | None) -> list[int]:
    """One token for each row of logits ``[answers, words]``."""
    if not temperature:
        likeliest: list[int] = logits.argmax(dim=-1).tolist()
        return likeliest
    probabilities = torch.softmax(logits / temperature, dim=-1)
    sampled: list[int] = torch.multinomial(probabilities, 1, generator=generator)[:, 0].tolist()
    return sampled
