"""The grounder at search time: a small decoder in ONNX Runtime that answers within its grammar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.errors import ProfileError
from tempo_edge.models.running import Shape, run
from tempo_edge.search.calibrate import probability
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import ANSWER, Prompt

__all__ = ["PRESENCE", "AnswerDecoder", "Reply"]

#: The output that tells the log-odds that a window shows what is asked for. A decoder without it
#: tells them by the word ``none``.
PRESENCE = "presence"

# Of layers, heads or their width: what a model that claims more would be can't be here.
_MOST_OF_AN_AXIS = 1 << 16


@dataclass(frozen=True)
class Reply:
    """An answer in the language of times, and the chance that what was asked for occurs.

    ``text`` is what is said if anything is; ``present`` in [0, 1] is the chance that there is
    something to say. Whether to believe it is for the calibration to decide.
    """

    text: str
    present: float


class AnswerDecoder:
    """The profile's small decoder: prompts are answered, one word after another."""

    def __init__(self, session: Any, path: Path | None = None) -> None:
        """Take a session, and its file for errors. Raises ProfileError if it has no ``past``."""
        self._session, self._path = session, path
        shape = next((each.shape for each in session.get_inputs() if each.name == "past"), [1])
        lengths = [n if isinstance(n, int) else 0 for n in shape]
        if 0 not in lengths or max(lengths) > _MOST_OF_AN_AXIS:
            raise ProfileError(
                f"{path or 'the model'} must have an input past that has any length on one axis, "
                f"and at most {_MOST_OF_AN_AXIS} on the others"
            )
        self._empty_cache = np.zeros(lengths, np.float32)
        axes: Shape = (None,) * len(lengths)
        self._outputs: dict[str, Shape] = {"logits": (len(eta.WORDS),), "memory": axes}
        #: Whether presence is told apart from words, by what a prompt holds of it.
        self.judges_presence = any(each.name == PRESENCE for each in session.get_outputs())

    def answer(self, prompt: Prompt, grammar: Grammar, *, refuse: bool = False) -> Reply:
        """The likeliest answer that names a span, word by word.

        With ``refuse`` it may also be ``none``, where that is likelier than not; without, the spans
        are said even there, so that a caller who asks for less certainty has something to see. A
        window in which no span can be said is always refused.
        """
        first = (prompt.words, prompt.kinds, prompt.features, self._empty_cache)
        outputs = {**self._outputs, PRESENCE: (1,)} if self.judges_presence else self._outputs
        logits, kv_cache, *odds = self._forward(*first, outputs)
        none, said = eta.TOKEN[eta.NONE], list[int]()
        token_mask = grammar.token_mask()
        if token_mask.sum() == 1 and token_mask[none]:
            return Reply(eta.NONE, 0.0)
        if odds:
            present = probability(float(odds[0][0]))
            refused = present < 0.5
        else:
            probabilities = _probabilities(logits, token_mask)
            present, refused = 1.0 - float(probabilities[none]), probabilities.argmax() == none
        if refuse and refused:
            return Reply(eta.NONE, present)
        token_mask[none] = False
        while True:
            token = int(np.argmax(np.where(token_mask, logits, -np.inf)))
            grammar.take(token)
            if token == eta.TOKEN["[end]"]:
                return Reply(eta.text(said), present)
            said.append(token)
            token_mask = grammar.token_mask()
            if token_mask.sum() == 1 and token_mask[eta.TOKEN["[end]"]]:
                return Reply(eta.text(said), present)
            word = np.array([token], np.int64)
            kind, note = np.array([ANSWER], np.int64), prompt.note(said)[None]
            logits, kv_cache = self._forward(word, kind, note, kv_cache, self._outputs)

    def _forward(
        self,
        words: NDArray[np.int64],
        kinds: NDArray[np.int64],
        features: NDArray[np.float32],
        kv_cache: NDArray[np.float32],
        outputs: Mapping[str, Shape],
    ) -> list[NDArray[np.float32]]:
        """Outputs in order: logits of the next word, the KV cache with what was read now, …"""
        inputs: dict[str, NDArray[Any]] = {
            **{"words": words, "kinds": kinds, "features": features, "past": kv_cache}
        }
        return run(self._session, outputs, inputs, self._path, ("memory",))


def _probabilities(
    logits: NDArray[np.float32], token_mask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Probabilities of the allowed words; the others have none."""
    scores = np.where(token_mask, logits.astype(np.float64), -np.inf)
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())
