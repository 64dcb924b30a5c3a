"""The grounder at search time: a small decoder in ONNX Runtime that answers within its grammar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.search.grammar import Grammar
from tempo_edge.search.prompt import SAYING, Prompt

__all__ = ["Decoder", "Said"]


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

    def __init__(self, session: Any) -> None:
        self._session = session
        shape = next(each.shape for each in session.get_inputs() if each.name == "past")
        self._nothing = np.zeros([0 if isinstance(n, str) else n for n in shape], np.float32)

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
        inputs = {"words": words, "kinds": kinds, "features": features, "past": past}
        logits, memory = self._session.run(["logits", "memory"], inputs)
        return logits, memory


def _shares(logits: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Probabilities of the allowed words; the others have none."""
    scores = np.where(allowed, logits.astype(np.float64), -np.inf)
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())
