"""The grounder: a small decoder that reads a prompt and answers in the language of times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge import eta
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import (
    ANSWER,
    DRAFTED,
    NEARNESS,
    QUERY,
    REASONS,
    VISUAL,
    WIDTH,
    WORD,
    Prompt,
)
from tempo_edge.train.grounder.model.initialization import begin
from tempo_edge.train.grounder.model.kv_cache import with_memory

IGNORED = -100
_LONGEST = 24  # tokens of an answer: four spans of two numbers, what joins them, [end]


@dataclass(frozen=True)
class Shape:
    """The sizes of the decoder; the default has about 10 million weights."""

    hidden: int = 320
    layers: int = 8
    heads: int = 5
    inner: int = 864
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError(f"hidden {self.hidden} must be an even multiple of heads {self.heads}")


@dataclass
class Batch:
    """Prompts side by side, padded: int64 ``[b, t]`` each, and float32 ``[b, t, WIDTH]``.

    ``mask`` is 1 where there is a position; ``labels`` name the word that should come next,
    ``times`` at a sight the word of its frame's seconds, and ``inside`` there 1 if its frame shows
    what was asked for, else 0. Where there is nothing to learn they are :data:`IGNORED`.
    ``allowed`` bool ``[n, words]`` is for each label, in order, what the grammar lets be said.
    """

    words: Tensor
    kinds: Tensor
    features: Tensor
    mask: Tensor
    labels: Tensor
    times: Tensor
    inside: Tensor
    allowed: Tensor

    def to(self, device: str | torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


def frames_of(prompt: Prompt) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each position the number of its frame and the word of that frame's seconds, ``[t]``.

    Both are -1 where the position is no sight.
    """
    first, many = eta.TOKEN["<0"], eta.LONGEST_SECONDS
    said = (prompt.kinds == WORD) & (prompt.words >= first) & (prompt.words < first + many)
    seen = prompt.kinds == VISUAL
    number = np.cumsum(said) - 1
    seconds = prompt.words[said] - first + eta.TOKEN["0"]
    return np.where(seen, number, -1), np.where(seen, seconds[np.maximum(number, 0)], -1)


def collate(
    prompts: Sequence[Prompt],
    answers: Sequence[Sequence[int]] | None = None,
    inside: Sequence[NDArray[np.bool_]] | None = None,
    allowed: Sequence[NDArray[np.bool_]] | None = None,
) -> Batch:
    """Put prompts, and their answers if given, side by side.

    With answers the padding is on the right, for training; without, on the left, so that all of
    them continue at the same place. ``inside`` tells of each frame whether it shows what was asked,
    ``allowed`` bool ``[a, words]`` of each word of an answer what else could be said; all, if None.
    """
    said = answers or [()] * len(prompts)
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, said, strict=True)]
    shape = (len(prompts), max(lengths))
    words, kinds, mask = (np.zeros(shape, np.int64) for _ in range(3))
    labels, times, within = (np.full(shape, IGNORED, np.int64) for _ in range(3))
    features = np.zeros((*shape, WIDTH), np.float32)
    for row, (prompt, answer, length) in enumerate(zip(prompts, said, lengths, strict=True)):
        first = 0 if answers else shape[1] - length
        middle = first + len(prompt)
        words[row, first:middle] = prompt.words
        words[row, middle : first + length] = answer
        kinds[row, first:middle] = prompt.kinds
        kinds[row, middle : first + length] = ANSWER
        features[row, first:middle] = prompt.features
        features[row, middle : first + length] = prompt.notes(answer)
        mask[row, first : first + length] = 1
        # The last position of the prompt foretells the first word of the answer.
        labels[row, middle - 1 : first + length - 1] = answer
        if inside is not None:
            frame, seconds = frames_of(prompt)
            seen = frame >= 0
            times[row, first:middle][seen] = seconds[seen]
            within[row, first:middle][seen] = inside[row][frame[seen]]
    if allowed is None:
        could = np.ones((sum(map(len, said)), len(eta.WORDS)), np.bool_)
    else:
        could = np.concatenate(allowed)
    parts = (words, kinds, features, mask, labels, times, within, could)
    return Batch(*(torch.from_numpy(part) for part in parts))


class Grounder(nn.Module):
    """A Llama decoder whose prompt mixes words with what was asked and seen."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        from transformers import LlamaConfig, LlamaForCausalLM

        self.shape = shape
        config = LlamaConfig(
            vocab_size=len(eta.WORDS),
            hidden_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            intermediate_size=shape.inner,
            max_position_embeddings=4096,
            tie_word_embeddings=True,
            initializer_range=shape.hidden**-0.5,
            pad_token_id=eta.TOKEN["[pad]"],
            bos_token_id=eta.TOKEN["[query]"],
            eos_token_id=eta.TOKEN["[end]"],
        )
        self.llama = LlamaForCausalLM(config)
        self.query = nn.Linear(WIDTH, shape.hidden)
        self.sight = nn.Linear(WIDTH, shape.hidden)
        self.draft = nn.Linear(REASONS.stop - REASONS.start, shape.hidden)
        self.inside = nn.Linear(shape.hidden, 1)
        self.drop = nn.Dropout(shape.dropout)
        begin(self)

    def embed(self, words: Tensor, kinds: Tensor, features: Tensor) -> Tensor:
        """What the decoder reads, float32 ``[b, t, hidden]``."""
        table = cast(Tensor, self.llama.get_input_embeddings().weight)
        said = functional.embedding(words, table)
        # What stands alone, such as a height, must not be missing.
        many, few = features[..., : NEARNESS.start], features[..., NEARNESS.start :]
        # A drafted word is that word: to say it next is to repeat what is carried.
        told = said + features[..., DRAFTED] @ table + self.draft(features[..., REASONS])
        features = torch.cat([self.drop(many), few], dim=-1)
        asked = self.query(features)
        seen = self.sight(features) + said
        kind = kinds[..., None]
        spoken = torch.where(kind == ANSWER, told, said)
        read: Tensor = torch.where(kind == QUERY, asked, torch.where(kind == VISUAL, seen, spoken))
        # Layers add numbers near 1; what they add to must not be smaller.
        return read.mul(self.shape.hidden**0.5)

    def losses(self, batch: Batch, read: Callable[..., Any] | None = None) -> dict[str, Tensor]:
        """Mean cross-entropies, scalars: of the answers' words and of what every frame must know.

        A word counts if it was chosen, among those that the grammar allows: what is forced on an
        answer when it is said needn't be learned.
        An answer says little about a window of fifty frames. So each frame is also asked *when* it
        is, by the words of the language, and *whether* it shows what was asked for: from these two
        an answer is made. `read` stands in for the decoder's layers, as compiled ones do.
        """
        embedded = self.embed(batch.words, batch.kinds, batch.features)
        read = self.llama.model if read is None else read
        out = read(
            inputs_embeds=embedded, attention_mask=batch.mask, use_cache=False
        ).last_hidden_state
        said = batch.labels != IGNORED
        chosen = batch.allowed.sum(dim=1) > 1
        logits = self.llama.lm_head(out[said]).float().masked_fill(~batch.allowed, -torch.inf)
        losses = {"answer": functional.cross_entropy(logits[chosen], batch.labels[said][chosen])}
        seen = batch.inside != IGNORED
        if seen.any():
            losses["when"] = functional.cross_entropy(
                self.llama.lm_head(out[seen]).float(), batch.times[seen]
            )
            losses["whether"] = functional.binary_cross_entropy_with_logits(
                self.inside(out)[..., 0].float()[seen], batch.inside[seen].float()
            )
        return losses

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of the answers' words, a scalar."""
        return self.losses(batch)["answer"]

    def config(self) -> dict[str, float]:
        """The sizes, to be stored with the weights."""
        return asdict(self.shape)


@dataclass
class Answers:
    """What was said to each prompt: tokens without ``[end]``, and the chance that it occurs."""

    tokens: list[list[int]]
    present: NDArray[np.float64]


@torch.no_grad()
def answer(
    model: Grounder,
    prompts: Sequence[Prompt],
    grammars: Sequence[Grammar],
    *,
    copies: int = 1,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
) -> Answers:
    """Answer prompts together, word by word, each within its grammar.

    Each prompt is read once and answered `copies` times, so there are as many grammars as answers,
    those of the first prompt first. With a temperature of 0 the likeliest word is said, else one is
    drawn. ``present`` is the probability that the first word is not ``none``.
    """
    if len(grammars) != copies * len(prompts):
        raise ValueError(f"{len(grammars)} grammars for {len(prompts)} prompts x {copies} copies")
    reading = Reading(model, prompts, copies)
    said: list[list[int]] = [[] for _ in grammars]
    open_rows = set(range(len(grammars)))
    present = np.zeros(len(grammars))
    end, none = eta.TOKEN["[end]"], eta.TOKEN[eta.NONE]
    logits = reading.logits
    for step in range(_LONGEST):
        allowed = np.ones(logits.shape, bool)
        for row in open_rows:
            allowed[row] = grammars[row].token_mask()
        logits = logits.cpu().masked_fill(torch.from_numpy(~allowed), -torch.inf)
        if step == 0:
            present = 1.0 - torch.softmax(logits, dim=-1)[:, none].numpy().astype(np.float64)
        if temperature:
            shares = torch.softmax(logits / temperature, dim=-1)
            chosen = torch.multinomial(shares, 1, generator=generator)[:, 0].tolist()
        else:
            chosen = logits.argmax(dim=-1).tolist()
        for row in list(open_rows):
            grammars[row].take(chosen[row])
            if chosen[row] == end:
                open_rows.discard(row)
            else:
                said[row].append(chosen[row])
        if not open_rows:
            break
        # Rows that are done say something that nobody hears.
        notes = np.stack([prompts[row // copies].note(tokens) for row, tokens in enumerate(said)])
        logits = reading.go_on(torch.tensor(chosen)[:, None], torch.from_numpy(notes)[:, None])
        logits = logits[:, -1]
    return Answers(said, present)


class Reading:
    """Prompts that have been read once and can be continued in several copies each.

    ``logits`` float32 ``[p * copies, words]`` are those of the first word of an answer.
    """

    def __init__(self, model: Grounder, prompts: Sequence[Prompt], copies: int = 1) -> None:
        """Read the prompts; gradients flow if they are enabled."""
        from transformers import DynamicCache

        self._model = model
        self._device = next(model.parameters()).device
        batch = collate(prompts)
        embedded = model.embed(
            batch.words.to(self._device),
            batch.kinds.to(self._device),
            batch.features.to(self._device),
        )
        mask, self._cache = batch.mask.to(self._device), DynamicCache()
        out = model.llama(
            inputs_embeds=embedded,
            attention_mask=mask,
            logits_to_keep=1,
            **with_memory(model.llama, self._cache),
        )
        if copies > 1:
            self._cache.batch_repeat_interleave(copies)
        self._mask = mask.repeat_interleave(copies, dim=0)
        self.logits: Tensor = out.logits[:, -1].float().repeat_interleave(copies, dim=0)

    def go_on(self, words: Tensor, notes: Tensor) -> Tensor:
        """Say ``words`` int64 ``[n, a]``; logits ``[n, a, words]`` of what follows each.

        ``notes`` float32 ``[n, a, WIDTH]`` are the prompt's, of each word.
        """
        words, notes = words.to(self._device), notes.to(self._device)
        self._mask = torch.cat([self._mask, torch.ones_like(words)], dim=1)
        out = self._model.llama(
            inputs_embeds=self._model.embed(words, torch.full_like(words, ANSWER), notes),
            attention_mask=self._mask,
            **with_memory(self._model.llama, self._cache),
        )
        logits: Tensor = out.logits.float()
        return logits
