"""SFT and PIR-GRPO learn from windows of real pictures, and go on where they were stopped."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra
import archives
from torch import Tensor

from tempo_edge import eta
from tempo_edge.models import load_profile
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import DRAFTED, STATE, FrameTokens, Question, build
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.train import training_state
from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.grounder.grpo.nano_policy import NanoPolicy, collate_answers, log_probs
from tempo_edge.train.grounder.grpo.pir_grpo import Chunk, GrpoSettings, PirGrpo
from tempo_edge.train.grounder.grpo.quotas import (
    draw_by_kind,
    quotas,
    shares_of,
    shares_of_annotated,
)
from tempo_edge.train.grounder.held_out_windows import HeldOutWindows, Judged, dev_score, figures
from tempo_edge.train.grounder.model.collate import collate
from tempo_edge.train.grounder.model.generate import generate
from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork
from tempo_edge.train.grounder.prompt_builder import PromptBuilder, answer_spans, target_tokens
from tempo_edge.train.grounder.sft import Sft, SftSettings, sft_example
from tempo_edge.train.grounder.synthetic import feature_bank as feature_banks
from tempo_edge.train.grounder.synthetic.feature_bank import FeatureBank
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.windows import SyntheticWindows, draw
from tempo_edge.train.settings import choose_settings, read_settings

SMALL = DecoderShape(hidden=32, layers=2, heads=2, inner=48, dropout=0.1)
MIX = Mix(shots=(2, 3), looks=24)
SFT = SftSettings(
    steps=8, batch=4, every=4, warmup=1, bfloat16=False, shape=SMALL, mix=MIX, learning_rate=3e-3
)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> FeatureBank:
    root = tmp_path_factory.mktemp("bank")
    with Archive(archives.write(root), "flickr8k") as archive:
        return feature_banks.build(root, load_profile("nano"), archive, "train")


@pytest.fixture(scope="module")
def prompt_builder() -> PromptBuilder:
    return PromptBuilder(load_profile("nano"))


def test_right_answers_can_be_said_and_are_the_truth(bank: FeatureBank) -> None:
    """Where shots meet in cuts, every boundary is known exactly; in a fade, to within a look."""
    rng = np.random.default_rng(0)
    present = 0
    for number in range(40):
        fades = 0.0 if number < 20 else 1.0
        example = draw(bank, dataclasses.replace(MIX, absent=0.3, fades=fades, uncut=0.0), rng)
        words, grammar = target_tokens(example), example.boundaries.grammar()
        for word in words:
            grammar.take(word)
        said = answer_spans(example, words[:-1])
        off = 1e-6 if not fades else float(np.diff(example.edges).max()) / 2
        assert len(said) == len(example.spans)
        for found, span in zip(said, example.spans, strict=True):
            assert found == pytest.approx(span, abs=off)
        present += bool(said)
    assert 20 <= present < 40


def test_an_interrupted_sft_ends_alike(bank: FeatureBank, prompt_builder: PromptBuilder) -> None:
    whole = Sft(SyntheticWindows(bank, MIX), prompt_builder, SFT)
    whole.train(print), whole.train(print)
    half = Sft(SyntheticWindows(bank, MIX), prompt_builder, SFT)
    half.train(print)
    state = half.state()  # before another run takes up torch's own generator
    again = Sft(SyntheticWindows(bank, MIX), prompt_builder, SFT)
    again.restore(state)
    again.train(print)
    assert again.step == whole.step == 8
    pairs = zip(whole.model.parameters(), again.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


class _Few:
    """The same few examples again and again: what is earned rises far above chance."""

    def __init__(self, examples: list[Example]) -> None:
        self._examples = examples

    def draw(self, rng: np.random.Generator) -> Example:
        return self._examples[int(rng.integers(len(self._examples)))]


def test_sft_learns_to_answer(bank: FeatureBank, prompt_builder: PromptBuilder) -> None:
    settings = dataclasses.replace(SFT, steps=40, every=20, batch=8)
    rng = np.random.default_rng(0)
    few = _Few([draw(bank, MIX, rng) for _ in range(8)])
    run = Sft(few, prompt_builder, settings)
    first, last = run.train(print), run.train(print)
    assert last["answer"] < first["answer"]
    found = HeldOutWindows(SyntheticWindows(bank, MIX), prompt_builder, count=8)(run.model)
    assert set(found) >= {"r1_at_0.5", "false_alarms_swap", "reject_f1", "auroc"}


@pytest.mark.parametrize("refuse", [True, False])
def test_where_nothing_is_absent_a_refusal_is_no_choice(
    bank: FeatureBank, prompt_builder: PromptBuilder, refuse: bool
) -> None:
    """So that SFT without refusals leaves their chance as it was; no word competes with them."""
    example = draw(bank, dataclasses.replace(MIX, absent=0.0), np.random.default_rng(0))
    torch.manual_seed(0)
    model = GrounderNetwork(SMALL).eval()
    batch = collate(*([each] for each in sft_example(prompt_builder, example, refuse)))
    pulls: list[Tensor] = []

    def watch(module: object, inputs: object, logits: Tensor) -> None:
        logits.register_hook(lambda slope: pulls.append(slope.detach()))

    model.llama.lm_head.register_forward_hook(watch)
    losses = model.losses(batch)
    torch.autograd.backward(losses["answer"])
    assert float(pulls[0][:, eta.TOKEN[eta.NONE]].abs().max()) == 0.0 < float(pulls[0].abs().max())
    assert ("presence" in losses) == refuse
    assert (model.presence.residual.grad is None) and (not refuse or batch.present.tolist() == [1])


def test_pir_grpo_earns_more_than_it_began_with(
    bank: FeatureBank, prompt_builder: PromptBuilder
) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    mix = dataclasses.replace(MIX, absent=0.5, hard=1.0, swaps=0.0)
    few = _Few([draw(bank, mix, rng) for _ in range(8)])
    settings = GrpoSettings(
        steps=24, prompts=4, group=6, every=8, learning_rate=3e-3, bfloat16=False, mix=mix
    )
    policy = NanoPolicy(GrounderNetwork(SMALL), prompt_builder)
    run = PirGrpo(policy, few, settings)
    first, _, last = (run.train(print) for _ in range(3))
    assert last["reward"] > first["reward"] + 0.05


def test_an_interrupted_pir_grpo_ends_alike(
    bank: FeatureBank, prompt_builder: PromptBuilder, tmp_path: Path
) -> None:
    """What it is near to, what it draws and where it was: all of it comes from the file."""
    settings = GrpoSettings(
        steps=4, prompts=2, group=4, every=2, passes=2, learning_rate=1e-2, bfloat16=False, mix=MIX
    )
    assert settings.kl > 0
    policy = NanoPolicy(GrounderNetwork(SMALL), prompt_builder)
    whole = PirGrpo(policy, SyntheticWindows(bank, MIX), settings)
    whole.train(print)
    training_state.save(tmp_path / "last.pt", whole.state())
    expected = whole.train(print)
    assert expected["kl"] > 0
    other = NanoPolicy(GrounderNetwork(SMALL), prompt_builder)  # begins with other weights
    again = PirGrpo(other, SyntheticWindows(bank, MIX), settings)
    again.restore(training_state.load(tmp_path / "last.pt"))
    assert again.step == 2
    assert again.train(print) == expected
    assert again.step == whole.step == 4
    pairs = zip(policy.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_shares_of_one_answer_do_not_depend_on_the_others(
    bank: FeatureBank, prompt_builder: PromptBuilder
) -> None:
    model = GrounderNetwork(SMALL).eval()
    rng = np.random.default_rng(3)
    examples = [draw(bank, dataclasses.replace(MIX, absent=0.0), rng) for _ in range(2)]
    prompts = [prompt_builder.prompt(example) for example in examples]
    windows = [example.boundaries for example in examples]
    said = [target_tokens(example)[:-1] for example in examples]
    for place in range(2):
        here = slice(place, place + 1)
        alone = collate_answers(prompts[here], windows[here], said[here])
        both = collate_answers(prompts, windows, said)
        with torch.no_grad():
            one, two = log_probs(model, alone), log_probs(model, both)
        length = len(said[place]) + 1
        assert torch.allclose(one.tokens[0, :length], two.tokens[place, :length], atol=1e-4)
        assert torch.allclose(one.none[0], two.none[place], atol=1e-4)


def test_forced_words_and_padding_are_not_choices() -> None:
    window = Boundaries((0, 10, 25), np.array([0.0, 1.0, 2.5]))
    asked = np.ones(256, np.float32) / 16
    none = np.zeros(0, np.uint8), np.zeros((0, 256), np.float32)
    prompt = build(
        Question(np.ones((1, STATE), np.float32), asked, 0.0, 0.1),
        [FrameTokens(at, False, asked, *none) for at in (0.0, 1.0)],
        2.5,
        CurveSettings(),
    )
    said = [eta.spell("0.0-2.5"), eta.spell("0.0-1.0;1.0-2.5")]
    batch = collate_answers([prompt], [window], said)
    assert [eta.WORDS[w] for w in batch.tokens[0, 5:].tolist()] == ["[end]"] * 7
    assert not batch.token_mask[0, 5:].any()
    assert not batch.allowed[:, 0, eta.TOKEN[eta.NONE]].any()
    # After "0.0-" both ends are open, and after "2.5" nothing can follow.
    assert batch.token_mask[0, :6].tolist() == [True, False, False, True, False, False]
    drafted = [eta.WORDS[w] for w in batch.notes[0, :5, DRAFTED].argmax(dim=1).tolist()]
    assert drafted == [".0", "-", "2", ".5", "[end]"]
    with pytest.raises(ValueError, match="answer 1 must not be 'none'"):
        collate_answers([prompt], [window], [eta.spell("0.0-2.5"), eta.spell("none")])


def test_what_a_step_learns_does_not_depend_on_its_chunks(
    bank: FeatureBank, prompt_builder: PromptBuilder
) -> None:
    """All is one mean; what is padded away takes part in nothing."""
    rng = np.random.default_rng(1)
    examples = [draw(bank, MIX, rng) for _ in range(4)]
    torch.manual_seed(0)
    model = GrounderNetwork(SMALL).eval()
    said = NanoPolicy(model, prompt_builder).rollout(
        examples, 2, 1.0, torch.Generator().manual_seed(0)
    )
    slopes = []
    for size in (4, 1):
        policy = NanoPolicy(copy.deepcopy(model), prompt_builder)
        run = PirGrpo(policy, SyntheticWindows(bank, MIX), GrpoSettings(bfloat16=False, group=2))
        run.update(
            [
                Chunk(
                    policy.collate(examples[at : at + size], said[2 * at : 2 * (at + size)]),
                    torch.tensor([[1.0, 0.0]]).repeat(size, 1),
                    torch.full((size,), 0.3),
                    np.ones(size, bool),
                )
                for at in range(0, 4, size)
            ]
        )
        slopes.append([weight.grad for weight in policy.parameters() if weight.grad is not None])
    for one, other in zip(*slopes, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_shares_of_refusals_are_those_of_presence(
    bank: FeatureBank, prompt_builder: PromptBuilder
) -> None:
    """And no answer that is drawn refuses, not even where refusals are likelier."""
    torch.manual_seed(0)
    model = GrounderNetwork(SMALL).eval()
    rng = np.random.default_rng(2)
    examples = [draw(bank, MIX, rng) for _ in range(3)]
    policy = NanoPolicy(model, prompt_builder)
    said = policy.rollout(examples, 4, 1.0, torch.Generator().manual_seed(0))
    assert all(eta.WORDS[answer[0]] != eta.NONE for answer in said)
    with torch.no_grad():
        found = policy.log_probs(policy.collate(examples, said))
    prompts = [prompt_builder.prompt(example) for example in examples]
    present = generate(model, prompts, [example.boundaries.grammar() for example in examples])
    assert found.spans.exp().numpy() == pytest.approx(present.present, abs=1e-5)
    assert found.none.exp().numpy() == pytest.approx(1.0 - present.present, abs=1e-5)


def test_a_step_has_the_kinds_that_its_mix_asks_for(bank: FeatureBank) -> None:
    """Where captions give no swap, a source has fewer absents; a step doesn't."""
    mix = dataclasses.replace(MIX, absent=0.5, hard=0.8, swaps=0.75)
    shares = shares_of(mix)
    assert shares == pytest.approx({"present": 0.5, "easy": 0.1, "lookalike": 0.1, "swap": 0.3})
    rng = np.random.default_rng(0)
    wanted = quotas(shares, 10, rng)
    assert wanted == {"present": 5, "easy": 1, "lookalike": 1, "swap": 3}
    source = SyntheticWindows(bank, dataclasses.replace(mix, absent=0.2))
    found = draw_by_kind(source, wanted, rng)
    assert Counter(example.kind for example in found) == wanted
    # Of fewer than one of a kind a step has one now and then: as often as is right on average.
    total = sum((quotas(shares, 3, rng) for _ in range(400)), Counter[str]())
    assert total["easy"] / 1200 == pytest.approx(0.1, abs=0.02)
    assert total["present"] / 1200 == pytest.approx(0.5, abs=0.02)


def test_annotated_videos_have_a_quota_of_absent_prompts_alone(bank: FeatureBank) -> None:
    """Which of them are swaps is theirs to say."""
    rng = np.random.default_rng(0)
    wanted = quotas(shares_of_annotated(Mix(absent=0.25)), 8, rng)
    assert wanted == {"present": 6, "absent": 2}
    source = SyntheticWindows(bank, dataclasses.replace(MIX, absent=0.5, hard=0.5))
    found = Counter(example.kind for example in draw_by_kind(source, wanted, rng))
    assert found["present"] == 6 and found.total() == 8


def test_a_kind_that_does_not_come_is_named(bank: FeatureBank) -> None:
    source = SyntheticWindows(bank, dataclasses.replace(MIX, absent=0.0))
    with pytest.raises(DataError, match="kind 'swap' did not come in 400 draws: set absent"):
        draw_by_kind(source, {"present": 1, "swap": 1}, np.random.default_rng(0))


def test_similarity_alone_is_the_least_to_beat(
    bank: FeatureBank, prompt_builder: PromptBuilder
) -> None:
    trial = HeldOutWindows(
        SyntheticWindows(bank, Mix(shots=(2, 3), absent=0.5)), prompt_builder, count=120
    )
    threshold, found = trial.best_threshold()
    assert found["auroc"] > 50.0
    # Equal, also where there was nothing of a kind to measure.
    np.testing.assert_equal(found, trial.by_similarity(threshold))
    everything, nothing = trial.by_similarity(-100.0), trial.by_similarity(100.0)
    # Of coloured shapes, three of a kind, it finds the right one more than once in five.
    assert 20.0 < everything["r1_at_0.5"] < 100.0
    assert everything["answered"] == 100.0 and nothing["answered"] == 0.0
    assert dev_score(found) >= max(dev_score(everything), dev_score(nothing))


def test_figures_count_refusals_by_kind(bank: FeatureBank) -> None:
    rng = np.random.default_rng(5)
    examples = [draw(bank, Mix(shots=(2, 3)), rng) for _ in range(30)]
    there = np.array([bool(e.spans) for e in examples])
    truth = figures(
        examples, Judged([e.spans for e in examples], there.astype(float), there, there * math.nan)
    )
    assert truth["r1_at_0.7"] == truth["answered"] == truth["reject_f1"] == truth["auroc"] == 100.0
    assert truth["false_alarms_swap"] == truth["false_alarms_lookalike"] == 0.0


def test_settings_come_from_yaml_and_bad_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "sft.yaml"
    path.write_text("steps: 10\nlearning_rate: 1\nmix:\n  shots: [2, 5]\n")
    settings = read_settings(path, SftSettings)
    assert (settings.steps, settings.learning_rate, settings.mix.shots) == (10, 1.0, (2, 5))
    for text, complaint in (
        ("speed: 1", "setting 'speed' must be one of seed, steps"),
        ("mix: {absent: 2.0}", r"absent 2\.0 must be within"),
        ("steps: many", "steps 'many' must be a int"),
        ("mix: {shots: [4]}", r"mix\.shots \[4\] must be 2 numbers"),
        ("mix: {shots: [a, b]}", r"mix\.shots 'a' must be a int"),
        ("archives: [1]", "archives 1 must be a str"),
        ("archives: []", r"archives \[\] must be at least 1 name"),
        ("seed: -1", "seed -1 must not be negative"),
        ("mix: 3", "mix must be a section"),
        ("- 1", "must hold settings, not a list"),
        ("a: [", "not readable YAML"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=complaint):
            read_settings(path, SftSettings)
    with pytest.raises(DataError, match=r"none\.yaml is missing"):
        read_settings(tmp_path / "none.yaml", SftSettings)
    with pytest.raises(DataError, match="seed -2 must not be negative"):
        choose_settings(None, SftSettings, -2)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [({"group": 1}, "group 1 must be"), ({"clip": 1.0}, "clip"), ({"steps": 0}, "steps 0")],
)
def test_impossible_settings_are_named(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        GrpoSettings(**wrong)  # type: ignore[arg-type]
