"""The decoding of a hub model: it is asked about pictures and answers within a grammar.

It is asked as it was trained, each frame after its exact time, and can say no times but those: of
all its tokens only those count with which some answer of the window goes on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError, QueryError
from tempo_edge.models.hub_model import HubModel, KvCache
from tempo_edge.search.grounders.decoder import Reply
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.token_constraint import ALPHABET, TokenConstraint

__all__ = ["ChatDecoder", "Prefill"]


@dataclass(frozen=True)
class Prefill:
    """The state of a model after what it has read so far.

    Attributes:
        logits: of the token that follows, float32 ``[words]``.
        kv_cache: keys and values of all positions until then.
        position: where the token that follows is.
    """

    logits: NDArray[np.float32]
    kv_cache: KvCache
    position: int


class ChatDecoder:
    """Answers questions about pictures, word by word, within a grammar."""

    def __init__(self, model: HubModel) -> None:
        """Raises ProfileError if the tokenizer can't spell every answer."""
        self.model = model
        self._spoken = _spoken(model.tokenizer, model.manifest.chat.lead)
        self._marks = [
            token.content for token in model.tokenizer.get_added_tokens_decoder().values()
        ]

    def answer(
        self,
        query: str,
        seconds: Sequence[float | Fraction],
        end_seconds: float | Fraction,
        pictures: NDArray[np.uint8],
        grammar: Grammar,
        *,
        refuse: bool = False,
    ) -> Reply:
        """The likeliest answer that names a span, token by token.

        ``present`` is one minus the probability of ``none``, in whichever tokens it is said, among
        the answers that can be.

        Args:
            seconds: the exact time of each picture, since the window began; ``end_seconds``: when
                the window ends.
            pictures: RGB uint8 ``[n, size, size, 3]``.
            refuse: whether it may also be ``none``; a window in which no span can be said is
                always refused.

        Raises:
            QueryError: the query holds one of the tokenizer's marks.
        """
        state = self.prefill(query, seconds, end_seconds, pictures)
        lead = self.model.manifest.chat.lead
        refusal = self._refusal(TokenConstraint(grammar, lead), state)
        constraint, said = TokenConstraint(grammar, lead, refuse=refuse), ""
        while True:
            token = self._likeliest(constraint, state.logits)
            if token is None:
                return Reply(said[len(lead) :], 1.0 - refusal)
            constraint.take(self._spoken[token])
            said += self._spoken[token]
            if constraint.whole and not any(map(constraint.fits, ALPHABET)):
                return Reply(said[len(lead) :], 1.0 - refusal)
            state = self.decode_step(token, state)

    def prefill(
        self,
        query: str,
        seconds: Sequence[float | Fraction],
        end_seconds: float | Fraction,
        pictures: NDArray[np.uint8],
    ) -> Prefill:
        """The state after the whole prompt was read; see :meth:`answer`."""
        for mark in self._marks:
            if mark in query:
                raise QueryError(f"query {query!r} must not hold {mark!r}")
        model, about = self.model, self.model.manifest
        counts = [about.tokens] * len(pictures)
        text = about.chat.prompt(query, seconds, end_seconds, counts)
        encoded = model.tokenizer.encode(text, add_special_tokens=False).ids
        words = np.asarray(encoded, np.int64)
        embeds, (seen, *deeper) = model.embed(words), model.visual_tokens(pictures)
        shown = words == about.sight
        embeds[shown] = seen.reshape(-1, embeds.shape[1])
        deep = np.zeros((about.deep, *embeds.shape), np.float32)
        for part in deeper:
            deep[:, shown] = part.reshape(about.deep, -1, embeds.shape[1])
        positions = model.positions(words)
        logits, kv_cache = model.forward(embeds, positions, model.empty_cache(), deep)
        return Prefill(logits, kv_cache, int(positions.max()) + 1)

    def decode_step(self, token: int, state: Prefill) -> Prefill:
        """The state after one more token of the answer."""
        model = self.model
        positions = np.full((model.manifest.axes, 1), state.position, np.int64)
        embeds = model.embed(np.array([token], np.int64))
        logits, kv_cache = model.forward(embeds, positions, state.kv_cache)
        return Prefill(logits, kv_cache, state.position + 1)

    def _allowed(self, constraint: TokenConstraint) -> list[int]:
        """The tokens with which an answer goes on, or ends."""
        found = [token for token, text in self._spoken.items() if constraint.fits(text)]
        return [*found, self.model.manifest.end] if constraint.whole else found

    def _likeliest(self, constraint: TokenConstraint, logits: NDArray[np.float32]) -> int | None:
        """None where the answer ends."""
        token = max(self._allowed(constraint), key=lambda token: float(logits[token]))
        return None if token == self.model.manifest.end else token

    def _refusal(self, constraint: TokenConstraint, state: Prefill) -> float:
        """The probability of ``none`` among the answers that can be said."""
        allowed = self._allowed(constraint)
        scores = state.logits[allowed].astype(np.float64)
        powers = np.exp(scores - scores.max())
        total = 0.0
        for token, share in zip(allowed, (powers / powers.sum()).tolist(), strict=True):
            after = constraint.fork(self._spoken[token])
            if after.refusing:
                total += share
            elif after.refusing is None:
                # All that was said is what answers begin with: it must be heard further.
                total += share * self._refusal(after, self.decode_step(token, state))
        return total


def _spoken(tokenizer: Any, lead: str) -> dict[int, str]:
    """The text of each token that an answer may be made of."""
    letters = re.escape("".join(sorted(ALPHABET | set(lead))))
    # How byte-level tokenizers write a space; what they decode to is asked for all the same.
    written = re.compile(f"[{letters}\u0120]+")
    found = {}
    for word, token in tokenizer.get_vocab(with_added_tokens=False).items():
        if written.fullmatch(word):
            text = tokenizer.decode([token], skip_special_tokens=False)
            if text and set(text) <= ALPHABET | set(lead):
                found[token] = text
    missing = (ALPHABET | set(lead)) - set(found.values())
    if missing:
        raise ProfileError(f"the tokenizer must have a token for each letter: {min(missing)!r}")
    return dict(sorted(found.items()))
