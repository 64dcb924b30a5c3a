"""The decoder reads prompts of any length side by side and answers within its grammar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra
from torch import Tensor

from tempo_edge import eta
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.prompt import STATE, VISUAL, FrameTokens, Prompt, Question, build
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.train.grounder.model.collate import collate
from tempo_edge.train.grounder.model.generate import generate
from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork
from tempo_edge.train.grounder.model.prefill import Prefill

SMALL = DecoderShape(hidden=32, layers=2, heads=2, inner=48, dropout=0.0)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    torch.manual_seed(0)
    yield


def _prompt(looks: int, seed: int) -> Prompt:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(looks + 1, 256)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    question = Question(rng.normal(size=(4, STATE)).astype(np.float32), rows[0], 0.0, 0.1)
    none = np.zeros(0, np.uint8), np.zeros((0, 256), np.float32)
    seen = [FrameTokens(i * 1.5, i == 0, rows[i + 1], *none) for i in range(looks)]
    return build(question, seen, looks * 1.5, CurveSettings())


def test_an_answer_does_not_depend_on_its_neighbours() -> None:
    model = GrounderNetwork(SMALL).eval()
    prompts = [_prompt(3, 1), _prompt(9, 2), _prompt(5, 3)]
    times = list(range(0, 120, 7))
    together = generate(model, prompts, [Grammar(times, times) for _ in prompts])
    for row, prompt in enumerate(prompts):
        alone = generate(model, [prompt], [Grammar(times, times)])
        assert alone.tokens[0] == together.tokens[row]
        assert alone.present[0] == pytest.approx(together.present[row], abs=1e-4)
        eta.read(eta.text(together.tokens[row]))


def test_a_sight_begins_as_the_words_of_its_time() -> None:
    model = GrounderNetwork(DecoderShape()).eval()
    prompt = _prompt(12, 1)
    batch = collate([prompt])
    with torch.no_grad():
        seen = model.embed(batch.words, batch.kinds, batch.features)[0][prompt.kinds == VISUAL]
        table = model.llama.get_input_embeddings().weight
        seconds = (seen @ table[eta.TOKEN["0"] : eta.TOKEN["99"] + 1].T).argmax(dim=1)
        tenths = (seen @ table[eta.TOKEN[".0"] : eta.TOKEN[".9"] + 1].T).argmax(dim=1)
    told = list(zip(seconds.tolist(), tenths.tolist(), strict=True))
    right = [(int(1.5 * number), 5 * (number % 2)) for number in range(12)]
    assert sum(a == b for a, b in zip(told, right, strict=True)) >= 9


def test_all_that_is_told_is_of_one_size() -> None:
    """Where a part is ten times another's size, Adam's steps are too long for the one."""
    model = GrounderNetwork(DecoderShape()).eval()
    prompt = _prompt(40, 1)
    batch = collate([prompt])
    with torch.no_grad():
        read = model.embed(batch.words, batch.kinds, batch.features)[0].norm(dim=1).numpy()
    typical = np.array([np.median(read[prompt.kinds == kind]) for kind in range(4)])
    assert typical.max() < 6.0 * typical.min()


@pytest.mark.parametrize(("height", "refused"), [(7.0, False), (0.9, True)])
def test_untaught_it_repeats_the_draft_if_that_is_better_than_chance(
    height: float, refused: bool
) -> None:
    model = GrounderNetwork(DecoderShape()).eval()
    rng = np.random.default_rng(0)
    asked = rng.normal(size=256).astype(np.float32)
    asked /= np.linalg.norm(asked)
    near = 6.0 / (256 + 6.0**2) ** 0.5  # the similarity of the frames that are meant
    question = Question(rng.normal(size=(4, STATE)).astype(np.float32), asked, 0.0, near / height)
    none = np.zeros(0, np.uint8), np.zeros((0, 256), np.float32)
    right = 0
    for _ in range(20):
        rows = rng.normal(size=(12, 256))
        first = int(rng.integers(1, 9))
        rows[first : first + 2] += 6.0 * asked  # near the query; the others are so by chance
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        times = np.cumsum(rng.uniform(1.1, 6.0, 13)).tolist()
        looks = [
            FrameTokens(at, False, row, *none) for at, row in zip(times[:-1], rows, strict=True)
        ]
        stamps = [eta.tenths(at) for at in times]
        prompt = build(question, looks, times[-1], CurveSettings())
        said = generate(model, [prompt], [Grammar(stamps[:-1], stamps[1:])])
        drafted = f"{eta.number(stamps[first])}-{eta.number(stamps[first + 2])}"
        right += eta.text(said.tokens[0]) == (eta.NONE if refused else drafted)
    assert right >= 16


def test_training_looks_only_at_answers() -> None:
    prompts = [_prompt(2, 1), _prompt(4, 2)]
    answers = [[*eta.spell("none"), 4], [*eta.spell("1.5-3.0"), 4]]
    batch = collate(prompts, answers)
    for row, words in enumerate(answers):
        labels = batch.labels[row]
        assert labels[labels >= 0].tolist() == words
        first = int((labels >= 0).nonzero()[0])
        assert batch.words[row, first] == eta.TOKEN["[answer]"]
    assert int(batch.attention_mask[0].sum()) == len(prompts[0]) + 2


def test_forced_words_teach_nothing_and_words_out_of_reach_do_not_compete() -> None:
    model = GrounderNetwork(SMALL).eval()
    prompts, answers = [_prompt(3, 1)], [[*eta.spell("1.5-3.0"), eta.TOKEN["[end]"]]]
    could = np.zeros((len(answers[0]), len(eta.WORDS)), np.bool_)
    could[np.arange(len(could)), answers[0]] = True
    could[0, eta.TOKEN["3"]] = True
    with torch.no_grad():
        loss = float(model.losses(collate(prompts, answers, allowed=[could]))["answer"])
        two = Prefill(model, prompts).logits[0, [eta.TOKEN["1"], eta.TOKEN["3"]]].double()
    # Of all that the answer says, only its first word was chosen: from two.
    assert loss == pytest.approx(float(torch.logaddexp(two[0], two[1]) - two[0]), abs=1e-4)


def test_answers_of_which_no_word_was_chosen_teach_nothing_of_words() -> None:
    prompts, answers = [_prompt(3, 1)], [[*eta.spell("none"), eta.TOKEN["[end]"]]]
    could = np.zeros((2, len(eta.WORDS)), np.bool_)
    could[np.arange(2), answers[0]] = True
    losses = GrounderNetwork(SMALL).losses(collate(prompts, answers, allowed=[could], present=[0]))
    assert float(losses["answer"].detach()) == 0.0 and float(losses["presence"].detach()) > 0.0


def test_a_decoder_learns_to_tell_two_windows_apart() -> None:
    model = GrounderNetwork(SMALL)
    prompts = [_prompt(3, 1), _prompt(3, 2)]
    answers = [[*eta.spell("none"), 4], [*eta.spell("1.5-3.0"), 4]]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)

    def lost() -> Tensor:
        losses = model.losses(collate(prompts, answers, present=[0, 1]))
        return losses["answer"] + losses["presence"]

    before = float(lost().detach())
    for _ in range(60):
        loss = lost()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    assert float(loss.detach()) < 0.1 < before
    said = generate(model.eval(), prompts, [Grammar([0, 15], [15, 30, 45]) for _ in prompts])
    assert [eta.text(tokens) for tokens in said.tokens] == ["none", "1.5-3.0"]
    assert said.present[0] < 0.2 < 0.8 < said.present[1]


def test_sampling_repeats_under_one_seed_and_differs_under_another() -> None:
    model = GrounderNetwork(SMALL).eval()
    prompts = [_prompt(6, 1)] * 6
    times = list(range(0, 90, 4))

    def draw(seed: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed)
        grammars = [Grammar(times, times) for _ in prompts]
        return generate(
            model, prompts, grammars, temperature=1.0, generator=generator, refusals=False
        ).tokens

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_the_default_decoder_has_about_ten_million_weights() -> None:
    assert 10e6 < sum(p.numel() for p in GrounderNetwork(DecoderShape()).parameters()) < 40e6


def test_odd_shapes_are_named() -> None:
    with pytest.raises(ValueError, match="hidden 30 must be an even multiple of heads 4"):
        DecoderShape(hidden=30, heads=4)


def test_weights_have_the_names_that_checkpoints_have() -> None:
    names = set(GrounderNetwork(SMALL).state_dict())
    layer = {
        *(f"self_attn.{part}_proj.weight" for part in "qkvo"),
        *(f"mlp.{part}_proj.weight" for part in ("gate", "up", "down")),
        "input_layernorm.weight",
        "post_attention_layernorm.weight",
    }
    assert names == {
        *(f"llama.model.layers.{number}.{name}" for number in range(2) for name in layer),
        *("llama.model.embed_tokens.weight", "llama.model.norm.weight", "llama.lm_head.weight"),
        *(f"{part}.{kind}" for part in ("query", "sight", "draft", "inside") for kind in _LINEAR),
        *(f"presence.{part}" for part in ("weights", "bias", "residual")),
    }


_LINEAR = ("weight", "bias")
