"""The grounder: a small decoder that reads a prompt and answers in the language of times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge import eta
from tempo_edge.search.grounders.prompt import (
    ANSWER,
    DRAFTED,
    NEARNESS,
    QUERY,
    REASONS,
    VISUAL,
    WIDTH,
)
from tempo_edge.train.grounder.model.collate import IGNORED, PromptBatch
from tempo_edge.train.grounder.model.initialization import initialize
from tempo_edge.train.grounder.model.presence import Presence


@dataclass(frozen=True)
class DecoderShape:
    """The sizes of the decoder; the default has about 10 million weights."""

    hidden: int = 320
    layers: int = 8
    heads: int = 5
    inner: int = 864
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError(f"hidden {self.hidden} must be an even multiple of heads {self.heads}")


class GrounderNetwork(nn.Module):
    """A Llama decoder whose prompt mixes words with what was asked and seen."""

    def __init__(self, shape: DecoderShape) -> None:
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
        self.presence = Presence(shape.hidden)
        self.drop = nn.Dropout(shape.dropout)
        initialize(self)

    def embed(self, words: Tensor, kinds: Tensor, features: Tensor) -> Tensor:
        """The embeddings that the decoder reads, float32 ``[b, t, hidden]``.

        ``words`` and ``kinds`` are int64 ``[b, t]``, ``features`` float32 ``[b, t, WIDTH]``.
        """
        table = cast(Tensor, self.llama.get_input_embeddings().weight)
        said = functional.embedding(words, table)
        # A feature that stands alone, such as a z-score, must not be dropped.
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

    def losses(
        self, batch: PromptBatch, read: Callable[..., Any] | None = None
    ) -> dict[str, Tensor]:
        """Mean cross-entropies, scalars: of answers' words, of presence, and of what frames know.

        A word counts if it was chosen, among those that the grammar allows: what is forced on an
        answer when it is said needn't be learned. Whether there is anything to say is judged apart.
        An answer says little about a window of fifty frames. So each frame is also asked *when* it
        is, by the words of the language, and *whether* it shows what was asked for: from these two
        an answer is made. `read` stands in for the decoder's layers, as compiled ones do.
        """
        embedded = self.embed(batch.words, batch.kinds, batch.features)
        read = self.llama.model if read is None else read
        out = read(
            inputs_embeds=embedded, attention_mask=batch.attention_mask, use_cache=False
        ).last_hidden_state
        said = batch.labels != IGNORED
        chosen = batch.allowed.sum(dim=1) > 1
        logits = self.llama.lm_head(out[said]).float().masked_fill(~batch.allowed, -torch.inf)
        words = functional.cross_entropy(
            logits[chosen], batch.labels[said][chosen], reduction="sum"
        )
        losses = {"answer": words / max(1, int(chosen.sum()))}
        asked = batch.present != IGNORED
        if asked.any():
            # The last position of a prompt foretells the first word of its answer.
            rows, places = asked.nonzero()[:, 0], said.int().argmax(dim=1)[asked]
            odds = self.presence(out[rows, places], batch.features[rows, places])
            losses["presence"] = functional.binary_cross_entropy_with_logits(
                odds, batch.present[asked].float()
            )
        seen = batch.inside != IGNORED
        if seen.any():
            losses["when"] = functional.cross_entropy(
                self.llama.lm_head(out[seen]).float(), batch.times[seen]
            )
            losses["whether"] = functional.binary_cross_entropy_with_logits(
                self.inside(out)[..., 0].float()[seen], batch.inside[seen].float()
            )
        return losses

    def config(self) -> dict[str, float]:
        """The sizes, to be stored with the weights."""
        return asdict(self.shape)
