"""The grounder says the same in ONNX Runtime as in PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra
from tempo_edge import eta
from tempo_edge.models.sessions import open_session
from tempo_edge.search.grounders.decoder import AnswerDecoder
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import STATE, FrameTokens, Prompt, Question, build
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.train.grounder.model import decoder_graph, onnx_agreement
from tempo_edge.train.grounder.model.generate import generate
from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork
from tempo_edge.train.grounder.model.prefill import Prefill
from tempo_edge.train.onnx_graph import Storage

SMALL = DecoderShape(hidden=64, layers=3, heads=4, inner=96, dropout=0.0)
TIMES = list(range(0, 300, 7))


def _prompt(looks: int, seed: int) -> Prompt:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(looks + 1, 256)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    question = Question(rng.normal(size=(4, STATE)).astype(np.float32), rows[0], 0.0, 0.1)
    cells = np.array([2, 7], np.uint8)
    seen = [FrameTokens(i * 1.5, i % 3 == 0, rows[i + 1], cells, rows[:2]) for i in range(looks)]
    return build(question, seen, looks * 1.5, CurveSettings())


@pytest.fixture(scope="module")
def model() -> GrounderNetwork:
    torch.manual_seed(3)
    grounder = GrounderNetwork(SMALL)
    for parameter in grounder.parameters():  # as decided as a trained one
        parameter.data *= 1.7
    torch.nn.init.normal_(grounder.presence.residual, std=0.3)
    torch.nn.init.zeros_(grounder.presence.bias)
    return grounder.eval()


@pytest.mark.parametrize(("storage", "loss"), [("fp32", 1e-4), ("fp16", 5e-3), ("int8", 5e-2)])
def test_answers_are_those_of_training(
    tmp_path: Path, model: GrounderNetwork, storage: Storage, loss: float
) -> None:
    path = tmp_path / "grounder.onnx"
    decoder_graph.write_decoder(path, model, storage)
    decoder = AnswerDecoder(open_session(path, threads=1))
    same, likely = 0, list[float]()
    for seed in range(12):
        prompt = _prompt(3 + seed, seed)
        said = decoder.answer(prompt, Grammar(TIMES, TIMES), refuse=True)
        meant = generate(model, [prompt], [Grammar(TIMES, TIMES)])
        assert said.present == pytest.approx(float(meant.present[0]), abs=loss)
        likely.append(said.present)
        same += said.text == eta.text(meant.tokens[0])
    assert same == 12 if storage == "fp32" else same >= 9
    assert min(likely) < 0.5 < max(likely)


def test_a_decoder_that_is_all_but_certain_is_believed(
    tmp_path: Path, model: GrounderNetwork
) -> None:
    torch.nn.init.constant_(model.presence.bias, -2000.0)
    decoder_graph.write_decoder(tmp_path / "grounder.onnx", model)
    decoder = AnswerDecoder(open_session(tmp_path / "grounder.onnx", threads=1))
    grammar = Grammar(TIMES, TIMES)
    assert decoder.answer(_prompt(4, 0), grammar, refuse=True).text == eta.NONE
    assert 0.0 <= decoder.answer(_prompt(4, 0), Grammar(TIMES, TIMES)).present < 1e-15
    said = generate(model, [_prompt(4, 0)], [Grammar(TIMES, TIMES)], refusals=False)
    assert eta.read(eta.text(said.tokens[0]))


def test_a_decoder_that_tells_presence_by_a_word_is_read_as_ever(
    tmp_path: Path, model: GrounderNetwork
) -> None:
    path = tmp_path / "grounder.onnx"
    decoder_graph.write_decoder(path, model, "fp32")
    written = onnx.load(path)
    del written.graph.output[2]
    onnx.save(written, path)
    decoder = AnswerDecoder(open_session(path, threads=1))
    assert not decoder.judges_presence
    for seed in range(4):
        prompt, grammar = _prompt(4, seed), Grammar(TIMES, TIMES)
        with torch.no_grad():
            logits = Prefill(model, [prompt]).logits[0].double()
        none = torch.softmax(logits[torch.from_numpy(grammar.token_mask())], dim=0)
        place = int(grammar.token_mask()[: eta.TOKEN[eta.NONE]].sum())
        said = decoder.answer(prompt, grammar, refuse=True)
        assert said.present == pytest.approx(1.0 - float(none[place]), abs=1e-5)
        assert (said.text == eta.NONE) == (int(none.argmax()) == place)


def test_spans_are_said_even_where_a_refusal_is_likelier(
    tmp_path: Path, model: GrounderNetwork
) -> None:
    path = tmp_path / "grounder.onnx"
    decoder_graph.write_decoder(path, model)
    decoder = AnswerDecoder(open_session(path, threads=1))
    said = [decoder.answer(_prompt(4, seed), Grammar(TIMES, TIMES)).text for seed in range(6)]
    assert all(eta.read(text) for text in said)
    assert decoder.answer(_prompt(4, 0), Grammar([5], [5])).text == "none"


def test_what_was_written_is_compared_with_what_was_taught(
    tmp_path: Path, model: GrounderNetwork
) -> None:
    path = tmp_path / "grounder.onnx"
    decoder_graph.write_decoder(path, model)
    found = onnx_agreement.compare(model, path, prompts=8)
    assert 0 < found.logits < onnx_agreement.TOLERANCE and found.same == found.prompts == 8
    torch.manual_seed(4)
    other = onnx_agreement.compare(GrounderNetwork(SMALL).eval(), path, prompts=8)
    assert other.logits > 0.1
