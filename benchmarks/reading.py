"""The time that the grounder takes to read a window and to answer.

``python -m benchmarks.reading`` writes a decoder of the shape that is trained, with random weights
(time does not depend on their values), opens it as a search does, and asks about windows of 64
frames with two tokens each beside the frame's own. Needs the `train` extra.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from tempo_edge import eta
from tempo_edge._cores import cpu_count
from tempo_edge.models.sessions import open_session
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.context_window import FRAMES
from tempo_edge.search.grounders.decoder import AnswerDecoder
from tempo_edge.search.grounders.prompt import STATE, FrameTokens, Question, build
from tempo_edge.search.similarity import CurveSettings

_TOKENS, _QUERY = 2, 12


def measure(path: Path, rounds: int) -> dict[str, Any]:
    """Milliseconds to open a decoder, to read one window, and to read and answer about it."""
    started = time.perf_counter()
    decoder = AnswerDecoder(open_session(path, cpu_count()))
    opened = time.perf_counter() - started
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(FRAMES + 1, 256)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    states = rng.normal(size=(_QUERY, STATE)).astype(np.float32)
    question = Question(states, rows[0], 0.0, 0.1)
    cells = np.arange(_TOKENS, dtype=np.uint8)
    looks = [
        FrameTokens(1.3 * i, i % 5 == 0, rows[i + 1], cells, rows[:_TOKENS]) for i in range(FRAMES)
    ]
    edges = 1.3 * np.arange(FRAMES + 1, dtype=np.float64)
    prompt = build(question, looks, float(edges[-1]), CurveSettings())
    window = Boundaries.of(looks, edges)
    times, words = [], 0
    for _ in range(rounds + 1):
        started = time.perf_counter()
        words = len(eta.spell(decoder.answer(prompt, window.grammar()).text))
        times.append(time.perf_counter() - started)
    return {
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "open_ms": round(1000 * opened, 1),
        "first_answer_ms": round(1000 * times[0], 1),
        "answer_ms": round(1000 * float(np.median(times[1:])), 1),
        "positions": len(prompt),
        "words_answered": words,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    import torch

    from tempo_edge.train.grounder.model.decoder_graph import write_decoder
    from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork

    torch.manual_seed(0)
    model = GrounderNetwork(DecoderShape()).eval()
    rows: dict[str, Any] = {"weights": sum(p.numel() for p in model.parameters())}
    with tempfile.TemporaryDirectory() as folder:
        for storage in ("fp16", "int8"):
            path = Path(folder) / "grounder.onnx"
            write_decoder(path, model, storage)
            rows[storage] = measure(path, options.rounds)
    print(json.dumps({**describe(), **rows}, indent=1))


if __name__ == "__main__":
    main()
