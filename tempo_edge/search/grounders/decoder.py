"""The grounder at search time: a small decoder in ONNX Runtime that answers within its grammar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.errors import ProfileError
from tempo_edge.models.running import Shape, run
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import ANSWER, Prompt

__all__ = ["AnswerDecoder", "Reply"]

# Of layers, heads or their width: what a model that claims more would be can't be here.
_MOST_OF_AN_AXIS = 1 << 16


@dataclass(frozen=True)
class Reply:
    """An answer in the language of times, and the chance that what was asked for occurs.

    ``text`` is what is said if anything is; ``present`` in [0, 1] is one minus the probability of
    a refusal. Whether to believe it is for the calibration to decide.
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

    def answer(self, prompt: Prompt, grammar: Grammar, *, refuse: bool = False) -> Reply:
        """The likeliest answer that names a span, word by word.

        With ``refuse`` it may also be ``none``, as in training; without, the spans are said even
        where a refusal is likelier, so that a caller who asks for less certainty has something to
        see. A window in which no span can be said is always refused.
        """
        logits, kv_cache = self._forward(
            prompt.words, prompt.kinds, prompt.features, self._empty_cache
        )
        none, said = eta.TOKEN[eta.NONE], list[int]()
        token_mask = grammar.token_mask()
        present = 1.0 - float(_probabilities(logits, token_mask)[none])
        if not refuse and token_mask.sum() > 1:
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
            logits, kv_cache = self._forward(word, kind, note, kv_cache)

    def _forward(
        self,
        words: NDArray[np.int64],
        kinds: NDArray[np.int64],
        features: NDArray[np.float32],
        kv_cache: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the next word, and the KV cache with what was read now."""
        inputs: dict[str, NDArray[Any]] = {
            **{"words": words, "kinds": kinds, "features": features, "past": kv_cache}
        }
        logits, kv_cache = run(self._session, self._outputs, inputs, self._path, ("memory",))
        return logits, kv_cache


def _probabilities(
    logits: NDArray[np.float32], token_mask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Probabilities of the allowed words; the others have none."""
    scores = np.where(token_mask, logits.astype(np.float64), -np.inf)
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())
