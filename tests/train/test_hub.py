"""PIR-GRPO on a hub model: the same trainer, a tiny checkpoint with random weights."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

# ruff: noqa: E402 - the imports below need the hub extra
import archives
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)

from tempo_edge import eta
from tempo_edge.train import checkpoint
from tempo_edge.train.data import Archive, DataError
from tempo_edge.train.grounder.hub import HubPolicy, load_hub
from tempo_edge.train.grounder.pictured import Pictured
from tempo_edge.train.grounder.pir_grpo import GrpoSettings, PirGrpo
from tempo_edge.train.grounder.windows import Example, Mix
from tempo_edge.train.rewards import reward

# peft asks transformers by a name that it will give up.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is:FutureWarning")

END, START, PAD = "<|im_end|>", "<|im_start|>", "<|endoftext|>"
SIGHT = ("<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "<|video_pad|>")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% for part in message.content %}{% if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MIX = Mix(shots=(2, 3), looks=12)
SETTINGS = GrpoSettings(
    steps=4, prompts=2, group=6, every=2, learning_rate=1e-2, bfloat16=False, mix=MIX
)
KINDS = {
    "qwen2_vl": (Qwen2VLConfig, Qwen2VLForConditionalGeneration),
    "qwen2_5_vl": (Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration),
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _tokenizer() -> PreTrainedTokenizerFast:
    """A byte a token, as a byte-level BPE begins, but that ``none`` is one word already."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("n", "o"), ("n", "e"), ("no", "ne")]
    words = [*letters, *("".join(pair) for pair in merges)]
    plain = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(words)}, merges=merges))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens([AddedToken(w, special=True) for w in (END, START, PAD, *SIGHT)])
    return PreTrainedTokenizerFast(tokenizer_object=plain, eos_token=END, pad_token=PAD)


def _config(kind: str, tokenizer: PreTrainedTokenizerFast) -> Any:
    known = tokenizer.get_vocab()
    seeing = {"depth": 1, "num_heads": 2, "patch_size": 14}
    if kind == "qwen2_vl":
        seeing |= {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2}
    else:
        seeing |= {"hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64}
    return KINDS[kind][0](
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e4,
                "mrope_section": [2, 3, 3],
            },
            "bos_token_id": None,
            "eos_token_id": known[END],
        },
        vision_config=seeing,
        image_token_id=known["<|image_pad|>"],
        video_token_id=known["<|video_pad|>"],
        vision_start_token_id=known["<|vision_start|>"],
        vision_end_token_id=known["<|vision_end|>"],
    )


def _write(folder: Path, kind: str = "qwen2_vl") -> Path:
    """A checkpoint in the layout of the published ones."""
    tokenizer = _tokenizer()
    torch.manual_seed(0)
    model = KINDS[kind][1](_config(kind, tokenizer)).eval()
    with torch.no_grad():
        # A random model says one of its many words; this one mostly `none`, the end, or rubbish.
        model.get_input_embeddings().weight[:, 0] = 1.0
        head = model.lm_head.weight.normal_(std=0.3)
        head[:, 0] = 0.0
        for word in ("none", END, "x"):
            head[tokenizer.get_vocab()[word], 0] = 1.2
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    images = {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14, "merge_size": 2}
    images |= {"temporal_patch_size": 2, "min_pixels": 28 * 28, "max_pixels": 56 * 56}
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive(archives.write(tmp_path_factory.mktemp("data")), "flickr8k") as archive:
        yield archive


@pytest.fixture(scope="module")
def source(data: Archive) -> Pictured:
    return Pictured(data, "train", MIX, size=56)


def _examples(source: Pictured, count: int = 3) -> list[Example]:
    rng = np.random.default_rng(0)
    return [source.draw(rng) for _ in range(count)]


def _policy(folder: Path) -> HubPolicy:
    torch.manual_seed(0)
    return load_hub(folder, rank=4)


def _spoken(policy: HubPolicy, text: str) -> list[int]:
    return [*policy.tokenizer(text)["input_ids"], policy.tokenizer.eos_token_id]


def test_windows_come_with_their_pictures(source: Pictured) -> None:
    first, again = (source.draw(np.random.default_rng(4)) for _ in range(2))
    assert first.pictures is not None
    assert again.pictures is not None
    assert (first.pictures == again.pictures).all()
    for example in _examples(source, 12):
        assert example.pictures is not None
        assert example.pictures.shape == (len(example.looks), 56, 56, 3)
        assert example.pictures.dtype == np.uint8


def test_every_frame_is_told_its_time(folder: Path, source: Pictured) -> None:
    policy = _policy(folder)
    for example in _examples(source):
        text = policy.prompt(example)
        times = [*(look.seconds for look in example.looks), float(example.edges[-1])]
        assert re.findall(r"<\d+\.\ds>", text) == [eta.stamp(time) for time in times]
        shown = r"<\d+\.\ds><\|vision_start\|><\|image_pad\|><\|vision_end\|>"
        assert len(re.findall(shown, text)) == len(example.looks)
        assert example.query in text
        inputs = policy.read([example])
        assert inputs["image_grid_thw"].tolist() == [[1, 4, 4]] * len(example.looks)
        assert int(inputs["mm_token_type_ids"].sum()) == 4 * len(example.looks)


def _plainly(policy: HubPolicy, model: Any, example: Example, words: list[int]) -> torch.Tensor:
    """Log-probabilities of one answer, read with its prompt at once: no cache, no company."""
    inputs, behind = policy.read([example]), torch.tensor([words])
    inputs["input_ids"] = torch.cat([inputs["input_ids"], behind], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    sight = policy.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    inputs["mm_token_type_ids"] = (inputs["input_ids"] == sight).long()
    logits = model(**inputs).logits[0, -len(words) - 1 : -1]
    return torch.log_softmax(logits, dim=-1).gather(1, behind.T)[:, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_log_shares_are_those_of_one_plain_reading(
    kind: str, tmp_path: Path, source: Pictured
) -> None:
    """So are their gradients, and the reference's shares are those of the bare checkpoint."""
    policy = _policy(_write(tmp_path, kind))
    with torch.no_grad():
        for weight in policy.parameters():
            weight += 0.1 * torch.randn_like(weight)
    first, *others = _examples(source, 8)
    examples = [first, next(e for e in others if len(e.looks) != len(first.looks))]
    said = policy.draw(examples, 3, 1.0, torch.Generator().manual_seed(0))
    assert len({len(words) for words in said}) > 1
    packed = policy.pack(examples, said)
    assert packed.open.sum(dim=1).tolist() == [len(words) for words in said]
    shares, reference = policy.log_shares(packed), policy.reference_shares(packed)
    assert not reference.requires_grad
    assert not torch.allclose(shares, reference, atol=1e-2)
    bare = KINDS[kind][1].from_pretrained(tmp_path).eval()
    apart = torch.zeros(())
    for row, words in enumerate(said):
        example = examples[row // 3]
        plain = _plainly(policy, policy.model, example, words)
        assert torch.allclose(plain, shares[row, : len(words)], atol=1e-4)
        apart = apart + plain.sum()
        with torch.no_grad():
            plain = _plainly(policy, bare, example, words)
        assert torch.allclose(plain, reference[row, : len(words)], atol=1e-4)
    together = torch.autograd.grad((shares * packed.open).sum(), policy.parameters())
    for one, other in zip(together, torch.autograd.grad(apart, policy.parameters()), strict=True):
        assert torch.allclose(one, other, atol=1e-3, rtol=1e-3)


def test_answers_are_drawn_as_often_as_their_shares_say(folder: Path, source: Pictured) -> None:
    policy = _policy(folder)
    example = _examples(source, 1)[0]
    said = policy.draw([example], 600, 1.0, torch.Generator().manual_seed(0))
    refusal = _spoken(policy, "none")
    with torch.no_grad():
        share = float(policy.log_shares(policy.pack([example], [refusal])).sum().exp())
    drawn = sum(each == refusal for each in said) / len(said)
    assert drawn == pytest.approx(share, abs=3 * (share * (1 - share) / len(said)) ** 0.5)
    assert share > 0.01


def test_what_cannot_be_read_earns_nothing(folder: Path, source: Pictured) -> None:
    policy = _policy(folder)
    examples = _examples(source, 12)
    there = next(example for example in examples if example.kind == "present")
    absent = next(example for example in examples if example.kind != "present")
    first, second = (eta.number(eta.tenths(look.seconds)) for look in there.looks[:2])
    span = f"{first}-{second}"
    assert policy.meant(there, _spoken(policy, span)) == [(there.edges[0], there.edges[1])]
    assert policy.meant(there, _spoken(policy, "none")) == []
    assert policy.meant(there, _spoken(policy, span)[:-1]) is None, "it never ended"
    ends = eta.number(eta.tenths(float(there.edges[-1])))
    for wrong in ("", "never", f" {span}", f"{second}-{first}", f"{first}-99.9", "none<|im_end|>"):
        assert policy.meant(there, _spoken(policy, wrong)) is None
    # No frame is at that time; a span of nothing must not pass for a refusal.
    unknown = eta.number(eta.tenths(float(there.edges[-1])) - 1)
    assert policy.meant(there, _spoken(policy, f"{unknown}-{ends}")) is None
    assert reward(policy.meant(absent, _spoken(policy, "nothing here")), absent.spans) == 0.0
    assert reward(policy.meant(absent, _spoken(policy, "none")), absent.spans) == 1.1
    assert reward(policy.meant(there, _spoken(policy, "none")), there.spans) == 0.1


def test_only_the_adapter_learns_and_a_stopped_run_goes_on(
    folder: Path, source: Pictured, tmp_path: Path
) -> None:
    policy = _policy(folder)
    before = {name: weight.clone() for name, weight in policy.model.state_dict().items()}
    run = PirGrpo(policy, source, SETTINGS)
    examples = _examples(source, 2)
    said = policy.draw(examples, 2, 1.0, torch.Generator().manual_seed(1))
    packed = policy.pack(examples, said)
    base = policy.reference_shares(packed)
    rows = [run.train(print)]
    checkpoint.save(tmp_path / "last.pt", run.state())
    rows.append(run.train(print))
    assert run.step == 4
    assert rows[1]["kl"] > 0.0
    changed = {n for n, w in policy.model.state_dict().items() if not torch.equal(w, before[n])}
    assert changed
    assert all(".lora_" in name and ".visual." not in name for name in changed)
    assert sum(weight.numel() for weight in policy.parameters()) < 10_000
    assert torch.equal(policy.reference_shares(packed), base)
    with torch.no_grad():
        assert not torch.equal(policy.log_shares(packed), base)

    again = PirGrpo(load_hub(folder, rank=4), source, SETTINGS)
    again.restore(checkpoint.load(tmp_path / "last.pt"))
    assert again.step == 2
    assert again.train(print) == rows[1]
    pairs = zip(policy.parameters(), again.policy.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_asked_for_what_is_not_there_it_learns_to_refuse(folder: Path, data: Archive) -> None:
    settings = dataclasses.replace(SETTINGS, steps=48, prompts=8, group=8, every=16, kl=0.0)
    source = Pictured(data, "train", dataclasses.replace(MIX, absent=1.0), size=56)
    run = PirGrpo(_policy(folder), source, settings)
    first, _, last = (run.train(print) for _ in range(3))
    assert last["reward"] > first["reward"] + 0.2
    assert last["refused"] > first["refused"]


def test_what_is_no_such_model_is_named(folder: Path, source: Pictured, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        load_hub(tmp_path)
    policy = _policy(folder)
    example = _examples(source, 1)[0]
    for wrong, complaint in (
        ({"pictures": None}, "must have a picture for each frame"),
        ({"query": "a <|image_pad|>"}, "must not hold"),
    ):
        with pytest.raises(ValueError, match=complaint):
            policy.read([Example(**{**vars(example), **wrong})])
