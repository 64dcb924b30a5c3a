"""A hub model as ONNX graphs says what it said in torch: seen, read at once, and word by word."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

# ruff: noqa: E402 - the imports below need the hub extra
import onnx
import onnxruntime
from checkpoints import KINDS, SIZE, write
from tempo_export.vlm import bundle, export, usual_size
from tempo_export.vlm.attach import attach
from tokenizers import Tokenizer

from tempo_edge import ProfileError
from tempo_edge.models.chat_template import Chat
from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.models.checksum import sha256_of
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.train import training_state
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.hub import HubPolicy, load_hub

# peft asks transformers by a name that it will give up.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is:FutureWarning")

CLOSE = 1e-3
GRAPHS = ("grounder-vision.onnx", "grounder-embedding.onnx", "grounder-step.onnx")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass
class Exported:
    """A written model, the checkpoint it is of, and the same with its adapter still apart."""

    kind: str
    folder: Path
    manifest: dict[str, Any]
    checkpoint: Path
    adapter: Path
    policy: HubPolicy

    def run(self, graph: str, outputs: list[str] | None, **inputs: Any) -> list[np.ndarray]:
        session = onnxruntime.InferenceSession(str(self.folder / f"grounder-{graph}.onnx"))
        found: list[np.ndarray] = session.run(outputs, inputs)
        return found


def _learned(folder: Path) -> HubPolicy:
    """With an adapter that says something: as it begins, half of it is zeros."""
    torch.manual_seed(1)
    policy = load_hub(folder, rank=4)
    with torch.no_grad():
        for weight in policy.parameters():
            weight += 0.1 * torch.randn_like(weight)
    return policy


@pytest.fixture(scope="module", params=KINDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    kind, root = request.param, tmp_path_factory.mktemp("vlm")
    folder = write(root / "checkpoint", kind)
    adapter = root / "last.pt"
    training_state.save(adapter, _learned(folder).state())
    manifest = export(_learned(folder), root / "out", size=SIZE[kind], source="tiny", revision="r1")
    return Exported(kind, root / "out", manifest, folder, adapter, _learned(folder))


def _example(kind: str, count: int = 5) -> Example:
    rng = np.random.default_rng(3)
    nothing = np.zeros(0, np.float32)
    looks = tuple(FrameTokens(1.5 * i, False, nothing, nothing, nothing) for i in range(count))
    pictures = rng.integers(0, 256, (count, SIZE[kind], SIZE[kind], 3), np.uint8)
    edges = np.arange(count + 1) * 1.5
    return Example(looks, edges, "a dog runs", (), "easy", pictures)


def _features(exported: Exported, pictures: np.ndarray) -> list[np.ndarray]:
    """What torch itself sees: tokens of all pictures in a row, and the deeper ones behind them."""
    policy = exported.policy
    seen, _ = policy.family.see(list(pictures))
    with torch.no_grad():
        found = policy.model.get_base_model().model.get_image_features(**seen)
    every = [found.pooler_output, *(getattr(found, "deepstack_features", None) or [])]
    return [torch.cat(list(part)).numpy() for part in every]


def test_pictures_are_seen_as_in_torch(exported: Exported) -> None:
    pictures = _example(exported.kind).pictures
    assert pictures is not None
    # One, and as many as were never traced.
    for some in (pictures[:1], pictures):
        wanted = _features(exported, some)
        sights, *rest = exported.run("vision", None, pictures=some)
        assert len(wanted) == 1 + exported.manifest["deep"]
        assert sights.shape[:2] == (len(some), exported.manifest["picture"]["tokens"])
        apart = np.abs(np.concatenate(sights) - wanted[0])
        assert apart.max() <= CLOSE
        assert apart.max() <= 1e-4 * np.abs(wanted[0]).max(), "of tiny features, a tiny part"
        for got, want in zip(rest[0] if rest else [], wanted[1:], strict=True):
            assert np.abs(np.concatenate(got) - want).max() <= 1e-4 * np.abs(want).max()


def _embedded(exported: Exported, example: Example) -> dict[str, np.ndarray]:
    """A prompt as the step reads it."""
    policy, manifest = exported.policy, exported.manifest
    inputs = policy.read([example])
    words = inputs["input_ids"].numpy()
    (embeds,) = exported.run("embedding", None, words=words)
    sights, *rest = exported.run("vision", None, pictures=example.pictures)
    shown = words == manifest["tokens"]["sight"]
    embeds[shown] = np.concatenate(sights)
    places = policy.family.places(policy.model.get_base_model(), inputs).numpy()
    step = {"embeds": embeds, "positions": places}
    if manifest["deep"]:
        step["deep"] = np.zeros((manifest["deep"], *embeds.shape), np.float32)
        step["deep"][:, shown] = rest[0].reshape(manifest["deep"], -1, embeds.shape[-1])
    return step


def _past(exported: Exported, batch: int = 1) -> dict[str, np.ndarray]:
    cache = exported.manifest["cache"]
    nothing = np.zeros((batch, cache["heads"], 0, cache["width"]), np.float32)
    return {
        f"past.{layer}.{part}": nothing
        for layer in range(cache["layers"])
        for part in ("keys", "values")
    }


def _plainly(policy: HubPolicy, example: Example, words: list[int]) -> np.ndarray:
    """Logits of torch of the prompt and an answer read at once, from the prompt's last word on."""
    inputs = policy.read([example])
    inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([words])], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    if "mm_token_type_ids" in inputs:
        inputs["mm_token_type_ids"] = (inputs["input_ids"] == policy.family.sight).long()
    with torch.no_grad():
        logits: np.ndarray = policy.model(**inputs).logits[0, -len(words) - 1 :].numpy()
    return logits


def test_a_prompt_and_each_word_after_it_are_read_as_in_torch(exported: Exported) -> None:
    """The adapter is in it: without it, torch says something else."""
    example = _example(exported.kind)
    policy, names = exported.policy, list(_past(exported))
    words = policy.tokenizer(f"{policy.family.chat.lead}1.5-3.0")["input_ids"]
    wanted = _plainly(policy, example, words)
    with policy.model.disable_adapter():
        assert np.abs(_plainly(policy, example, words) - wanted).max() > 10 * CLOSE
    step = _embedded(exported, example) | _past(exported)
    following = int(step["positions"].max()) + 1
    for count, word in enumerate([*words, 0]):
        logits, *present = exported.run("step", None, **step)
        assert logits.shape == (1, len(policy.tokenizer))
        assert np.abs(logits[0] - wanted[count]).max() <= CLOSE
        (embeds,) = exported.run("embedding", None, words=np.array([[word]]))
        places = np.full((exported.manifest["axes"], 1, 1), following + count)
        step = {"embeds": embeds, "positions": places}
        if exported.manifest["deep"]:
            step["deep"] = np.zeros((exported.manifest["deep"], *embeds.shape), np.float32)
        step |= dict(zip(names, present, strict=True))


def test_several_rows_are_read_like_each_alone(exported: Exported) -> None:
    rng = np.random.default_rng(0)
    hidden = exported.policy.model.config.text_config.hidden_size
    embeds = rng.normal(size=(2, 7, hidden)).astype(np.float32)
    places = np.broadcast_to(np.arange(7), (exported.manifest["axes"], 2, 7)).copy()
    deep = rng.normal(size=(exported.manifest["deep"], 2, 7, hidden)).astype(np.float32)

    def read(rows: slice) -> np.ndarray:
        step = {"embeds": embeds[rows], "positions": places[:, rows]}
        if len(deep):
            step["deep"] = deep[:, rows]
        step |= _past(exported, len(embeds[rows]))
        return exported.run("step", ["logits"], **step)[0]

    apart = np.concatenate([read(slice(0, 1)), read(slice(1, 2))])
    assert np.abs(read(slice(None)) - apart).max() <= CLOSE


def test_deeper_features_go_in(exported: Exported) -> None:
    """Qwen3-VL adds them behind its first layers; a step without them says something else."""
    if not exported.manifest["deep"]:
        assert exported.kind != "qwen3_vl"
        return
    step = _embedded(exported, _example(exported.kind)) | _past(exported)
    (logits,) = exported.run("step", ["logits"], **step)
    for layer in range(exported.manifest["deep"]):
        fewer = step["deep"].copy()
        fewer[layer] = 0
        (other,) = exported.run("step", ["logits"], **(step | {"deep": fewer}))
        assert np.abs(logits - other).max() > CLOSE


def test_graphs_say_what_they_are(exported: Exported) -> None:
    manifest = exported.manifest
    assert json.loads((exported.folder / "grounder.json").read_text()) == manifest
    assert (manifest["source"], manifest["revision"]) == ("tiny", "r1")
    assert manifest["family"] == exported.kind
    assert set(manifest["files"]) == {*GRAPHS, "grounder-weights.data", "grounder-tokenizer.json"}
    assert {path.name for path in exported.folder.iterdir()} == {
        "grounder.json",
        *manifest["files"],
    }
    for name, facts in manifest["files"].items():
        data = (exported.folder / name).read_bytes()
        assert facts == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    deep = ["deep"] if manifest["deep"] else []
    cache = [
        f"{n}.{part}" for n in range(manifest["cache"]["layers"]) for part in ("keys", "values")
    ]
    expected = {
        "vision": (["pictures"], ["sights", *deep]),
        "embedding": (["words"], ["embeds"]),
        "step": (
            ["embeds", "positions", *deep, *(f"past.{name}" for name in cache)],
            ["logits", *(f"present.{name}" for name in cache)],
        ),
    }
    for graph, (inputs, outputs) in expected.items():
        model = onnx.load(exported.folder / f"grounder-{graph}.onnx", load_external_data=False)
        assert model.graph.name == f"grounder-{graph}"
        assert [value.name for value in model.graph.input] == inputs
        assert [value.name for value in model.graph.output] == outputs
        assert model.ir_version == manifest["ir_version"]
        assert [(each.domain, each.version) for each in model.opset_import] == [
            ("", manifest["opset"])
        ]
    shape = model.graph.input[inputs.index("past.0.keys")].type.tensor_type.shape
    assert [d.dim_param or d.dim_value for d in shape.dim] == [
        *("batch", manifest["cache"]["heads"], "past", manifest["cache"]["width"])
    ]


def test_what_is_said_at_run_time_is_in_the_manifest(exported: Exported) -> None:
    policy, manifest = exported.policy, exported.manifest
    assert Chat(**manifest["chat"]) == policy.family.chat
    tokenizer = Tokenizer.from_file(str(exported.folder / "grounder-tokenizer.json"))
    example = _example(exported.kind)
    sights = [manifest["picture"]["tokens"]] * len(example.looks)
    text = policy.prompt(example, sights)
    told = policy.read([example, _example(exported.kind, 2)])["input_ids"][0].tolist()
    assert tokenizer.encode(text, add_special_tokens=False).ids == told
    assert told.count(manifest["tokens"]["sight"]) == sum(sights)
    assert manifest["tokens"]["end"] == policy.tokenizer.eos_token_id


def test_the_same_model_gives_the_same_bytes_and_no_weight_lies_elsewhere(
    exported: Exported, tmp_path: Path
) -> None:
    (tmp_path / "grounder.json").write_text("what was there is replaced")
    policy = _learned(exported.checkpoint)
    # A tokenizer remembers how it padded last.
    policy.read([_example(exported.kind), _example(exported.kind, 2)])
    again = export(policy, tmp_path, size=SIZE[exported.kind], source="tiny")
    assert again["files"] == exported.manifest["files"]
    places: set[tuple[str, str]] = set()
    for name in GRAPHS:
        model = onnx.load(exported.folder / name, load_external_data=False)
        for tensor in model.graph.initializer:
            facts = {entry.key: entry.value for entry in tensor.external_data}
            assert facts["location"] == "grounder-weights.data"
            places.add((facts["offset"], facts["length"]))
    stored = sum(int(length) for _, length in places)
    size = (exported.folder / "grounder-weights.data").stat().st_size
    assert stored <= size < stored + 4096 * len(places)


def test_a_table_that_reads_and_says_words_is_stored_once(tmp_path: Path) -> None:
    stored = []
    for tied in (False, True):
        folder = write(tmp_path / str(tied), "smolvlm", tied=tied)
        manifest = export(load_hub(folder, rank=1), tmp_path / f"{tied}-out", size=32, source="")
        stored.append(manifest["files"]["grounder-weights.data"]["bytes"])
    table = 4 * 32 * len(load_hub(folder, rank=1).tokenizer)
    assert 0 <= stored[0] - stored[1] - table < 4096


def test_an_export_that_breaks_off_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "checkpoint", "smolvlm")
    export(load_hub(folder, rank=1), tmp_path / "out", size=32, source="")

    def broken(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bundle, "_decoder", broken)
    with pytest.raises(KeyboardInterrupt):
        export(load_hub(folder, rank=1), tmp_path / "out", size=32, source="")
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {*GRAPHS, "grounder-weights.data", "grounder-tokenizer.json"}


def test_a_picture_size_that_would_be_changed_is_named(exported: Exported, tmp_path: Path) -> None:
    wrong = SIZE[exported.kind] + 5
    with pytest.raises(DataError, match=f"picture size {wrong} can't be kept"):
        export(_learned(exported.checkpoint), tmp_path, size=wrong, source="tiny")
    assert not list(tmp_path.iterdir()), "what may have been there is as it was"
    assert usual_size(exported.policy.family) == {
        "qwen2_vl": 224, "qwen2_5_vl": 224, "qwen3_vl": 256, "smolvlm": 32
    }[exported.kind]  # fmt: skip


def test_what_goes_beside_a_profile_is_the_same(exported: Exported, tmp_path: Path) -> None:
    files = {path.name: sha256_of(path) for path in exported.checkpoint.iterdir()}
    pulled = Checkpoint("tiny", "a/tiny", "0" * 40, "grounder", "MIT", files, exported.checkpoint)
    size = SIZE[exported.kind]
    written = attach(pulled, tmp_path / "a", exported.adapter, size)
    assert written["files"] == exported.manifest["files"]
    assert (written["source"], written["revision"]) == ("a/tiny", "0" * 40)
    with pytest.raises(DataError, match="not a readable checkpoint"):
        attach(pulled, tmp_path / "b", tmp_path / "none", size)
    # Without an adapter it is the checkpoint as it was published.
    plain, data = attach(pulled, tmp_path / "c", None, size), "grounder-weights.data"
    assert plain["files"][data] != exported.manifest["files"][data]
    altered = dataclasses.replace(pulled, files={**files, "config.json": "0" * 64})
    with pytest.raises(ProfileError, match=r"config\.json has SHA-256"):
        attach(altered, tmp_path / "d", None, size)
