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
from tempo_edge.search.grammar import Grammar
from tempo_edge.search.prompt import SAYING, Prompt

__all__ = ["Decoder", "Said"]

# Of layers, heads or their width: what a model that claims more would be can't be here.
_MOST_OF_AN_AXIS = 1 << 16


@dataclass(frozen=True)
class Said:
    """An answer in the language of times, and the chance that what was asked for occurs.

    ``text`` is what is said if anything is; ``present`` in [0, 1] is one minus the probability of
    a refusal. Whether to believe it is for the calibration to decide.
    """

    text: str
    present: float


class Decoder:
    """Reads prompts and answers them, one word after another."""

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
        self._nothing = np.zeros(lengths, np.float32)
        axes: Shape = (None,) * len(lengths)
        self._outputs: dict[str, Shape] = {"logits": (len(eta.WORDS),), "memory": axes}

    def answer(self, prompt: Prompt, grammar: Grammar, *, refuse: bool = False) -> Said:
        """The likeliest answer that names a span, word by word.

        With ``refuse`` it may also be ``none``, as in training; without, the spans are said even
        where a refusal is likelier, so that a caller who asks for less certainty has something to
        see. A window in which no span can be said is always refused.
        """
        logits, memory = self._read(prompt.words, prompt.kinds, prompt.features, self._nothing)
        none, said = eta.TOKEN[eta.NONE], list[int]()
        allowed = grammar.allowed()
        present = 1.0 - float(_shares(logits, allowed)[none])
        if not refuse and allowed.sum() > 1:
            allowed[none] = False
        while True:
            token = int(np.argmax(np.where(allowed, logits, -np.inf)))
            grammar.take(token)
            if token == eta.TOKEN["[end]"]:
                return Said(eta.text(said), present)
            said.append(token)
            allowed = grammar.allowed()
            if allowed.sum() == 1 and allowed[eta.TOKEN["[end]"]]:
                return Said(eta.text(said), present)
            word = np.array([token], np.int64)
            kind, note = np.array([SAYING], np.int64), prompt.note(said)[None]
            logits, memory = self._read(word, kind, note, memory)

    def _read(
        self,
        words: NDArray[np.int64],
        kinds: NDArray[np.int64],
        features: NDArray[np.float32],
        past: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        inputs: dict[str, NDArray[Any]] = {
            **{"words": words, "kinds": kinds, "features": features, "past": past}
        }
        logits, memory = run(self._session, self._outputs, inputs, self._path, ("memory",))
        return logits, memory


def _shares(logits: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Probabilities of the allowed words; the others have none."""
    scores = np.where(allowed, logits.astype(np.float64), -np.inf)
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())
