"""The agreement of a written decoder, in ONNX Runtime, with the one that was taught, in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tempo_edge._cores import cpu_count
from tempo_edge.models.sessions import open_session
from tempo_edge.quantization import unit
from tempo_edge.search.grounders.prompt import STATE, FrameTokens, Prompt, Question, build
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.grounder.model.prefill import Prefill

__all__ = ["TOLERANCE", "Agreement", "compare"]

#: The largest relative difference of a logit where weights are stored in float32.
TOLERANCE = 1e-3

_DIM = 256


@dataclass(frozen=True)
class Agreement:
    """The distance of a written decoder from the one in torch, over some prompts.

    ``logits`` is the largest difference of a logit of the first word, beyond a size of 1 as a share
    of it; ``same`` is how many prompts have the same likeliest word.
    """

    logits: float
    same: int
    prompts: int


def compare(model: GrounderNetwork, path: Path, prompts: int = 32, seed: int = 0) -> Agreement:
    """Read made-up prompts of 2 to 64 frames with both."""
    rng = np.random.default_rng(seed)
    session = open_session(path, threads=cpu_count())
    shape = next(each.shape for each in session.get_inputs() if each.name == "past")
    nothing = np.zeros([0 if isinstance(n, str) else n for n in shape], np.float32)
    far, same = 0.0, 0
    for looks in np.linspace(2, 64, prompts).astype(int):
        prompt = _prompt(int(looks), rng)
        inputs = {"words": prompt.words, "kinds": prompt.kinds, "features": prompt.features}
        (found,) = session.run(["logits"], {**inputs, "past": nothing})
        with torch.no_grad():
            wanted = Prefill(model, [prompt]).logits[0].cpu().numpy()
        size = max(1.0, float(np.abs(wanted).max()))
        far = max(far, float(np.abs(found - wanted).max()) / size)
        same += int(found.argmax() == wanted.argmax())
    return Agreement(far, same, prompts)


def _prompt(looks: int, rng: np.random.Generator) -> Prompt:
    """Frames about one thing and another, and a question near the second."""
    middle = unit(rng.normal(size=(2, _DIM)).astype(np.float32))
    noise = rng.normal(scale=0.04, size=(looks, _DIM)).astype(np.float32)
    turn = rng.integers(1, looks)
    rows = unit(np.repeat(middle, [turn, looks - turn], axis=0) + noise)
    states = rng.normal(size=(rng.integers(2, 12), STATE)).astype(np.float32)
    question = Question(states, unit(middle[1:] + noise[:1])[0], 0.0, 0.1)
    cells = np.array([2, 7], np.uint8)
    gaps = rng.uniform(0.3, 1.5, looks).cumsum()
    seen = [
        FrameTokens(float(at - gaps[0]), bool(i == turn), row, cells, rows[:2])
        for i, (at, row) in enumerate(zip(gaps, rows, strict=True))
    ]
    return build(question, seen, float(gaps[-1] - gaps[0] + 1), CurveSettings())
