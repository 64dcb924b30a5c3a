"""PIR-GRPO on a hub model: the same trainer, a tiny checkpoint with random weights."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

# ruff: noqa: E402 - the imports below need the hub extra
import archives
import transformers
from checkpoints import KINDS, write
from harness import Said
from hypothesis import given
from hypothesis import strategies as st
from transformers import Qwen3VLProcessor

from tempo_edge import eta
from tempo_edge.models.chat_template import ASKED, WANTED
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.train import training_state
from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings, PirGrpo
from tempo_edge.train.grounder.grpo.rewards import reward
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.pictured_windows import PicturedWindows
from tempo_edge.train.hub import HubPolicy, load_hub
from tempo_edge.train.hub.training import HubSettings

# peft asks transformers by a name that it will give up.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is:FutureWarning")

MIX = Mix(shots=(2, 3), looks=12)
SETTINGS = GrpoSettings(
    steps=4, prompts=2, group=6, every=2, warmup=0, learning_rate=1e-2, bfloat16=False, mix=MIX
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("hub") / request.param, request.param)


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, HubPolicy]:
    """One of each kind."""
    root = tmp_path_factory.mktemp("kinds")
    return {kind: _policy(write(root / kind, kind)) for kind in KINDS}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive(archives.write(tmp_path_factory.mktemp("data")), "flickr8k") as archive:
        yield archive


@pytest.fixture(scope="module")
def source(data: Archive) -> PicturedWindows:
    return PicturedWindows(data, "train", MIX, size=56)


def _examples(source: PicturedWindows, count: int = 3) -> list[Example]:
    rng = np.random.default_rng(0)
    return [source.draw(rng) for _ in range(count)]


def _policy(folder: Path) -> HubPolicy:
    torch.manual_seed(0)
    return load_hub(folder, rank=4)


def _spoken(policy: HubPolicy, text: str) -> list[int]:
    said = policy.family.chat.lead + text
    return [*policy.tokenizer(said)["input_ids"], policy.tokenizer.eos_token_id]


def test_windows_come_with_their_pictures(source: PicturedWindows) -> None:
    first, again = (source.draw(np.random.default_rng(4)) for _ in range(2))
    assert first.pictures is not None
    assert again.pictures is not None
    assert (first.pictures == again.pictures).all()
    for example in _examples(source, 12):
        assert example.pictures is not None
        assert example.pictures.shape == (len(example.looks), 56, 56, 3)
        assert example.pictures.dtype == np.uint8


def test_every_frame_is_told_its_time(folder: Path, source: PicturedWindows) -> None:
    policy = _policy(folder)
    chat = policy.family.chat
    for example in _examples(source):
        text = policy.prompt(example)
        times = [*(look.seconds for look in example.looks), float(example.edges[-1])]
        stamp = r"<(\d+\.\d)(?:s| seconds)>"
        assert re.findall(stamp, text) == [eta.number(eta.tenths(time)) for time in times]
        shown = stamp + re.escape(chat.opens + chat.sight + chat.closes)
        assert len(re.findall(shown, text)) == len(example.looks)
        assert text.count(chat.sight) == len(example.looks)
        assert example.query in text
        inputs = policy.read([example])
        sights = inputs["input_ids"] == policy.family.sight
        assert int(sights.sum()) == 4 * len(example.looks)
        if "image_grid_thw" in inputs:
            assert inputs["image_grid_thw"].tolist() == [[1, 4, 4]] * len(example.looks)
            assert torch.equal(inputs["mm_token_type_ids"], sights.long())
        else:
            assert inputs["pixel_values"].shape == (1, len(example.looks), 3, 32, 32)


#: How each family's own files word a prompt, between its question and its answer.
WORDED = {
    "qwen2_vl": ("<|im_start|>user\n", "<|vision_start|>", "<|vision_end|>", "<|im_end|>\n"),
    "smolvlm": (
        "<|im_start|>User: ",
        "<fake_token_around_image><global-img>",
        "<fake_token_around_image>",
        "<end_of_utterance>\nAssistant:",
    ),
}


def test_a_prompt_is_worded_as_the_template_has_it(folder: Path) -> None:
    """What the pieces make is what the template itself would make of the whole."""
    policy = _policy(folder)
    chat, kind = policy.family.chat, folder.name
    before, opens, closes, after = WORDED.get(kind, WORDED["qwen2_vl"])
    assert (chat.before, chat.opens, chat.closes) == (before, opens, closes)
    assert chat.after.startswith(after)
    assert (chat.unit, chat.lead) == (
        " seconds" if kind == "qwen3_vl" else "s",
        " " if kind == "smolvlm" else "",
    )
    content: list[dict[str, str]] = [{"type": "text", "text": ASKED.format(query="a dog {0} runs")}]
    for time in (0.0, 1.25):
        content += [{"type": "text", "text": chat.stamp(time)}, {"type": "image"}]
    content += [{"type": "text", "text": chat.stamp(3.0)}, {"type": "text", "text": WANTED}]
    template = json.loads((folder / "chat_template.json").read_text())["chat_template"]
    whole = policy.tokenizer.apply_chat_template(
        [{"role": "user", "content": content}],
        chat_template=template,
        tokenize=False,
        add_generation_prompt=True,
    )
    if kind == "smolvlm":
        whole = whole.replace("<image>", f"{opens}<image>{closes}")
    assert chat.prompt("a dog {0} runs", [0.0, 1.25], 3.0) == whole


def _plainly(policy: HubPolicy, model: Any, example: Example, words: list[int]) -> torch.Tensor:
    """Log-probabilities of one answer, read with its prompt at once: no cache, no company."""
    inputs, behind = policy.read([example]), torch.tensor([words])
    inputs["input_ids"] = torch.cat([inputs["input_ids"], behind], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    if "mm_token_type_ids" in inputs:
        inputs["mm_token_type_ids"] = (inputs["input_ids"] == policy.family.sight).long()
    logits = model(**inputs).logits[0, -len(words) - 1 : -1]
    return torch.log_softmax(logits, dim=-1).gather(1, behind.T)[:, 0]


def test_log_shares_are_those_of_one_plain_reading(folder: Path, source: PicturedWindows) -> None:
    """So are their gradients, and the reference's shares are those of the bare checkpoint."""
    policy = _policy(folder)
    with torch.no_grad():
        for weight in policy.parameters():
            weight += 0.1 * torch.randn_like(weight)
    first, *others = _examples(source, 8)
    examples = [first, next(e for e in others if len(e.looks) != len(first.looks))]
    said = policy.rollout(examples, 3, 1.0, torch.Generator().manual_seed(0))
    assert len({len(words) for words in said}) > 1
    batch = policy.collate(examples, said)
    assert batch.token_mask.sum(dim=1).tolist() == [len(words) for words in said]
    found, reference = policy.log_probs(batch), policy.ref_log_probs(batch)
    assert not reference.tokens.requires_grad
    assert not torch.allclose(found.tokens, reference.tokens, atol=1e-2)
    bare = getattr(transformers, KINDS[folder.name]).from_pretrained(folder).eval()
    apart = torch.zeros(())
    for row, words in enumerate(said):
        example, place = examples[row // 3], row // 3
        none = _plainly(policy, policy.model, example, policy.refusal).sum()
        assert torch.allclose(none, found.none[place], atol=1e-4)
        assert torch.allclose(torch.log1p(-none.exp()), found.spans[place], atol=1e-4)
        plain = _given(_plainly(policy, policy.model, example, words), none)
        assert torch.allclose(plain, found.tokens[row, : len(words)], atol=1e-4)
        apart = apart + plain.sum() + none
        with torch.no_grad():
            none = _plainly(policy, bare, example, policy.refusal).sum()
            plain = _given(_plainly(policy, bare, example, words), none)
        assert torch.allclose(none, reference.none[place], atol=1e-4)
        assert torch.allclose(plain, reference.tokens[row, : len(words)], atol=1e-4)
    whole = (found.tokens * batch.token_mask).sum() + 3 * found.none.sum()
    together = torch.autograd.grad(whole, policy.parameters())
    for one, other in zip(together, torch.autograd.grad(apart, policy.parameters()), strict=True):
        assert torch.allclose(one, other, atol=1e-3, rtol=1e-3)


def _given(log_probs: torch.Tensor, none: torch.Tensor) -> torch.Tensor:
    """Log-probabilities ``[a]`` of an answer given that it is not the refusal."""
    return torch.cat([log_probs[:1] - torch.log1p(-none.exp()), log_probs[1:]])


def test_answers_are_drawn_as_often_as_their_shares_say(
    folder: Path, source: PicturedWindows
) -> None:
    """Refusals never, and what begins like one as often as it goes on otherwise."""
    policy = _policy(folder)
    example = _examples(source, 1)[0]
    said = policy.rollout([example], 600, 1.0, torch.Generator().manual_seed(0))
    refusal, count = policy.refusal, len(said)
    assert refusal == _spoken(policy, "none")
    assert refusal not in said
    common = list(max(Counter(map(tuple, said)).items(), key=lambda each: each[1])[0])
    with torch.no_grad():
        found = policy.log_probs(policy.collate([example], [common]))
        words = _plainly(policy, policy.model, example, refusal).exp().tolist()
    assert float(found.none.exp()) > 0.01
    begun = words[0] * (1.0 - math.prod(words[1:])) / float(found.spans.exp())
    for share, drawn in (
        (float(found.tokens[0, : len(common)].sum().exp()), said.count(common)),
        (begun, sum(each[0] == refusal[0] for each in said)),
    ):
        assert drawn / count == pytest.approx(share, abs=3 * (share * (1 - share) / count) ** 0.5)
        assert share > 0.01


@given(
    gaps=st.lists(st.integers(1, 4000), min_size=1, max_size=23),
    start=st.integers(-90_000, 90_000),
    base=st.sampled_from([Fraction(1, 1000), Fraction(1, 90_000), Fraction(1001, 30_000)]),
)
def test_what_is_told_are_the_frames_own_times(
    policies: dict[str, HubPolicy], gaps: list[int], start: int, base: Fraction
) -> None:
    """Variable frame rate, a start offset, uneven looks: no frame is told another's time."""
    step = max(1, int(Fraction(1, 1000) / base))
    ticks = [start, *(start + np.cumsum(gaps) * step).tolist()]
    seconds = [(tick - start) * base for tick in ticks]
    end = seconds[-1] + Fraction(1, 2)
    nothing = np.zeros(0, np.float32)
    looks = tuple(FrameTokens(time, False, nothing, nothing, nothing) for time in seconds)
    example = Example(looks, np.array([*map(float, seconds), float(end)]), "a", (), "easy")
    for kind, policy in policies.items():
        words = policy.tokenizer(policy.prompt(example), add_special_tokens=False)["input_ids"]
        told, begun = [], 0
        for place, word in enumerate(words):
            if word == policy.family.sight:
                # What stands right before a picture, and before nothing else.
                told.append(policy.tokenizer.decode(words[begun:place]))
                begun = place
        unit = " seconds" if kind == "qwen3_vl" else "s"
        found = [re.findall(rf"<(\d+\.\d){unit}>", text) for text in told]
        assert [len(each) for each in found] == [1] * len(seconds)
        for (said,), exact in zip(found, seconds, strict=True):
            assert abs(Fraction(said) - exact) <= Fraction(1, 20)
        if kind == "qwen3_vl":
            # Its own code, handed each frame twice, counts the same from the container's ticks.
            twice = [tick - start for tick in ticks for _ in range(2)]
            own = Qwen3VLProcessor._calculate_timestamps(None, twice, float(1 / base))
            assert own == pytest.approx([float(time) for time in seconds])


def test_qwen3_sees_of_a_frame_what_it_would_see_of_a_video_of_it_twice(
    policies: dict[str, HubPolicy], source: PicturedWindows
) -> None:
    """So nothing is lost by frames that are pictures; merged in twos, they would be others."""
    policy = policies["qwen3_vl"]
    example = _examples(source, 1)[0]
    model, inputs = policy.model, policy.read([example])
    video = dict(inputs)
    video["pixel_values_videos"] = video.pop("pixel_values")
    # One video of as many steps as there are frames, each step a frame that fills it.
    video["video_grid_thw"] = torch.tensor([[len(example.looks), 4, 4]])
    del video["image_grid_thw"]
    sight, other = policy.family.sight, model.config.video_token_id
    video["input_ids"] = inputs["input_ids"].masked_fill(inputs["input_ids"] == sight, other)
    video["mm_token_type_ids"] = 2 * inputs["mm_token_type_ids"]
    with torch.no_grad():
        assert torch.allclose(model(**inputs).logits, model(**video).logits, atol=1e-5)
        shifted = inputs["pixel_values"].unflatten(-1, (3, 2, 16, 16)).clone()
        shifted[:-16, :, 1] = shifted[16:, :, 1]  # each step ends with the next frame
        video["pixel_values_videos"] = shifted.flatten(1)
        assert not torch.allclose(model(**inputs).logits, model(**video).logits, atol=1e-3)


def test_what_cannot_be_read_earns_nothing(folder: Path, source: PicturedWindows) -> None:
    policy = _policy(folder)
    examples = _examples(source, 12)
    there = next(example for example in examples if example.kind == "present")
    absent = next(example for example in examples if example.kind != "present")
    first, second = (eta.number(eta.tenths(look.seconds)) for look in there.looks[:2])
    span = f"{first}-{second}"
    assert policy.spans(there, _spoken(policy, span)) == [(there.edges[0], there.edges[1])]
    assert policy.spans(there, _spoken(policy, "none")) == []
    assert policy.spans(there, _spoken(policy, span)[:-1]) is None, "it never ended"
    ends = eta.number(eta.tenths(float(there.edges[-1])))
    end = policy.tokenizer.eos_token
    for wrong in ("", "never", f" {span}", f"{second}-{first}", f"{first}-99.9", f"none{end}"):
        assert policy.spans(there, _spoken(policy, wrong)) is None
    if policy.family.chat.lead:
        bare = policy.tokenizer("none")["input_ids"]
        assert policy.spans(there, [*bare, policy.tokenizer.eos_token_id]) is None
    # No frame is at that time; a span of nothing must not pass for a refusal.
    unknown = eta.number(eta.tenths(float(there.edges[-1])) - 1)
    assert policy.spans(there, _spoken(policy, f"{unknown}-{ends}")) is None
    assert reward(policy.spans(absent, _spoken(policy, "nothing here")), absent.spans) == 0.0
    assert reward(policy.spans(absent, _spoken(policy, "none")), absent.spans) == 1.1
    assert reward(policy.spans(there, _spoken(policy, "none")), there.spans) == 0.1


def test_only_the_adapter_learns_and_a_stopped_run_goes_on(
    folder: Path, source: PicturedWindows, tmp_path: Path
) -> None:
    policy = _policy(folder)
    before = {name: weight.clone() for name, weight in policy.model.state_dict().items()}
    run = PirGrpo(policy, source, SETTINGS)
    examples = _examples(source, 2)
    said = policy.rollout(examples, 2, 1.0, torch.Generator().manual_seed(1))
    batch = policy.collate(examples, said)
    base = policy.ref_log_probs(batch).tokens
    rows = [run.train(print)]
    training_state.save(tmp_path / "last.pt", run.state())
    rows.append(run.train(print))
    assert run.step == 4
    assert rows[1]["kl"] > 0.0
    changed = {n for n, w in policy.model.state_dict().items() if not torch.equal(w, before[n])}
    assert changed
    assert all(".lora_" in name for name in changed)
    assert not any(".visual." in name or ".vision_model." in name for name in changed)
    assert sum(weight.numel() for weight in policy.parameters()) < 10_000
    assert torch.equal(policy.ref_log_probs(batch).tokens, base)
    with torch.no_grad():
        assert not torch.equal(policy.log_probs(batch).tokens, base)

    again = PirGrpo(load_hub(folder, rank=4), source, SETTINGS)
    again.restore(training_state.load(tmp_path / "last.pt"))
    assert again.step == 2
    assert again.train(print) == rows[1]
    pairs = zip(policy.parameters(), again.policy.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


RUN = """
size: 56
rank: 4
grpo:
  {steps: 2, every: 1, prompts: 2, group: 6, bfloat16: false,
   mix: {shots: [2, 3], looks: 12}}
"""


def test_the_command_trains_an_adapter_and_goes_on(
    tempo: Callable[..., Said], tmp_path: Path
) -> None:
    root, model = archives.write(tmp_path / "data"), write(tmp_path / "model")
    (tmp_path / "hub.yaml").write_text(RUN)
    out = tmp_path / "run"
    command = ("train", "hub", model, tmp_path / "hub.yaml", "--data", root, "--out", out)
    said = tempo(*command, "--threads", "1")
    assert said.status == 0, said.err
    assert said.out == f"{out / 'last.pt'}\n"
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2] and "reward" in rows[0]
    policy = load_hub(model, rank=4)
    before = [weight.clone() for weight in policy.parameters()]
    policy.restore(training_state.load(out / "last.pt"))
    pairs = zip(before, policy.parameters(), strict=True)
    assert not all(torch.equal(old, new) for old, new in pairs)
    assert "going on after step 2" in tempo(*command, "--threads", "1").err
    again = tempo(*command, "--seed", "1")
    assert again.status == 2 and again.out == ""
    assert again.err.endswith("was written for other settings: choose another folder\n")


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [({"rank": 0}, "rank 0 must be"), ({"size": 0}, "size 0 must"), ({"seed": -1}, "seed -1")],
)
def test_impossible_settings_of_a_hub_run_are_named(wrong: dict[str, int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        HubSettings(**wrong)


def test_asked_for_what_is_not_there_it_learns_to_refuse(tmp_path: Path, data: Archive) -> None:
    settings = dataclasses.replace(
        SETTINGS,
        steps=24,
        prompts=4,
        every=8,
        learning_rate=3e-2,
        kl=0.0,
        mix=dataclasses.replace(MIX, absent=1.0),
    )
    source = PicturedWindows(data, "train", settings.mix, size=56)
    run = PirGrpo(_policy(write(tmp_path)), source, settings)
    first, _, last = (run.train(print) for _ in range(3))
    assert last["reward"] > first["reward"] + 0.2
    assert last["refused_absent"] > first["refused_absent"]


def test_what_cannot_be_asked_is_named(folder: Path, source: PicturedWindows) -> None:
    policy = _policy(folder)
    example = _examples(source, 1)[0]
    mark, end = policy.family.chat.sight, policy.tokenizer.eos_token
    for wrong, complaint in (
        ({"pictures": None}, "must have a picture for each frame"),
        ({"query": f"a {mark}"}, "must not hold"),
        ({"query": f"a {end}"}, "must not hold"),
    ):
        with pytest.raises(ValueError, match=complaint):
            policy.read([Example(**{**vars(example), **wrong})])


def test_what_is_no_such_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        load_hub(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(DataError, match="model type 'gpt2' must be one of qwen2_vl, qwen2_5_vl"):
        load_hub(tmp_path)
    folder = write(tmp_path / "silent")
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": "no picture"}))
    with pytest.raises(DataError, match=r"no single '<.image_pad.>'"):
        load_hub(folder)
    (folder / "chat_template.json").unlink()
    with pytest.raises(DataError, match="has no chat template"):
        load_hub(folder)
