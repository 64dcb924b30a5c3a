"""A hub model that looks: what it is shown and told is the file's, what it says the window's."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

# ruff: noqa: E402 - the imports below need the hub extra
from checkpoints import KINDS, SIZE, write
from tempo_export.vlm import export
from videos import make_video, numbered, texture

from tempo_edge import Library, ProfileError, QueryError, eta, models
from tempo_edge.models import load_profile, registry
from tempo_edge.models.hub_model import HubModel, Manifest
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.chat_decoder import ChatDecoder
from tempo_edge.search.grounders.decoder import Reply
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.hub import HubPolicy, load_hub

# peft asks transformers by a name that it will give up.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is:FutureWarning")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The checkpoint of each kind; what is exported of it lies in ``out`` beneath."""
    root = tmp_path_factory.mktemp("vlm")
    for kind in KINDS:
        write(root / kind, kind)
        export(load_hub(root / kind, rank=1), root / kind / "out", size=SIZE[kind], source="tiny")
    return {kind: root / kind for kind in KINDS}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _speaker(folder: Path) -> ChatDecoder:
    return ChatDecoder(HubModel(Manifest.read(folder / "out" / "grounder.json")))


def _example(kind: str, count: int = 4, seed: int = 0) -> Example:
    rng = np.random.default_rng(seed)
    nothing = np.zeros(0, np.float32)
    times = np.cumsum(rng.integers(3, 40, count + 1)) / 10
    times -= times[0]
    looks = tuple(FrameTokens(float(time), False, nothing, nothing, nothing) for time in times[:-1])
    pictures = rng.integers(0, 256, (count, SIZE[kind], SIZE[kind], 3), np.uint8)
    return Example(looks, times, "a dog runs", (), "easy", pictures)


def _ask(speaker: ChatDecoder, example: Example, refuse: bool) -> Reply:
    assert example.pictures is not None
    return speaker.answer(
        example.query,
        [look.seconds for look in example.looks],
        float(example.edges[-1]),
        example.pictures,
        example.boundaries.grammar(2),
        refuse=refuse,
    )


def _all_answers(boundaries: Boundaries, limit: int) -> set[str]:
    """Every answer of up to `limit` spans of a window, made from its times."""
    spans = [(a, b) for a in boundaries.stamps[:-1] for b in boundaries.stamps[1:] if a < b]
    rows: list[tuple[tuple[int, int], ...]] = [(span,) for span in spans]
    if limit > 1:
        rows += [(one, other) for one in spans for other in spans if one[1] <= other[0]]
    said = {";".join(f"{eta.number(a)}-{eta.number(b)}" for a, b in row) for row in rows}
    return said | {eta.NONE}


class InTorch:
    """The same asked of the checkpoint itself: every token of its vocabulary, all answers known."""

    def __init__(self, policy: HubPolicy, example: Example, answers: set[str]) -> None:
        self.policy, self.example = policy, example
        self.lead = policy.family.chat.lead
        self.answers = {self.lead + answer for answer in answers}
        self.texts = {
            token: policy.tokenizer.decode([token])
            for token in range(len(policy.tokenizer))
            if token not in policy.tokenizer.all_special_ids
        }

    def logits(self, words: list[int]) -> np.ndarray:
        inputs = self.policy.read([self.example])
        behind = torch.tensor([words], dtype=torch.long)
        inputs["input_ids"] = torch.cat([inputs["input_ids"], behind], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        if "mm_token_type_ids" in inputs:
            inputs["mm_token_type_ids"] = (inputs["input_ids"] == self.policy.family.sight).long()
        with torch.no_grad(), self.policy.model.disable_adapter():
            found: np.ndarray = self.policy.model(**inputs).logits[0, -1].double().numpy()
        return found

    def shares(self, words: list[int]) -> dict[int, float]:
        """Probabilities of the tokens with which some answer goes on; the end is one."""
        said = "".join(self.texts[word] for word in words)
        known = [each for each in self.answers if each.startswith(said)]
        allowed = [
            token
            for token, text in self.texts.items()
            if text and any(each[len(said) :].startswith(text) for each in known)
        ]
        if said in self.answers:
            allowed.append(self.policy.tokenizer.eos_token_id)
        logits = self.logits(words)[allowed]
        powers = np.exp(logits - logits.max())
        return dict(zip(allowed, (powers / powers.sum()).tolist(), strict=True))

    def greedy(self, refuse: bool) -> str:
        if not refuse:
            self.answers.discard(self.lead + eta.NONE)
        words: list[int] = []
        while True:
            shares = self.shares(words)
            best = max(shares, key=lambda token: shares[token])
            if best == self.policy.tokenizer.eos_token_id:
                return "".join(self.texts[word] for word in words)[len(self.lead) :]
            words.append(best)

    def refusal(self) -> float:
        """The sum over each way to say ``none`` in tokens."""

        def after(words: list[int]) -> float:
            if "".join(self.texts[word] for word in words) == self.lead + eta.NONE:
                return 1.0
            return math.fsum(
                share * after([*words, token])
                for token, share in self.shares(words).items()
                if (self.lead + eta.NONE).startswith(
                    "".join(self.texts[word] for word in [*words, token])
                )
            )

        return after([])


@pytest.mark.parametrize("refuse", [False, True])
def test_it_says_what_the_checkpoint_would_say(
    kind: str, folders: dict[str, Path], refuse: bool
) -> None:
    """Constrained to the window, token by token, with the probability of any refusal."""
    speaker, policy = _speaker(folders[kind]), load_hub(folders[kind], rank=1)
    seen = set()
    for seed in range(3):
        example = _example(kind, seed=seed)
        answers = _all_answers(example.boundaries, 2)
        said = _ask(speaker, example, refuse)
        asked = InTorch(policy, example, answers)
        assert said.present == pytest.approx(1 - asked.refusal(), abs=1e-4)
        assert 0.0 < said.present < 1.0
        assert said.text == asked.greedy(refuse)
        assert said.text in answers
        seen.add(said.text == eta.NONE)
    assert seen <= ({True, False} if refuse else {False})


def test_it_reads_the_prompt_that_was_trained(kind: str, folders: dict[str, Path]) -> None:
    """The same tokens at the same places, and an answer's tokens one after another behind them."""
    speaker, policy = _speaker(folders[kind]), load_hub(folders[kind], rank=1)
    read: list[np.ndarray] = []
    steps: list[np.ndarray] = []

    def step(embeds: np.ndarray, places: np.ndarray, *rest: Any) -> Any:
        steps.append(places)
        return HubModel.forward(speaker.model, embeds, places, *rest)

    speaker.model.forward = step  # type: ignore[method-assign]

    def places(words: np.ndarray) -> np.ndarray:
        read.append(words)
        return HubModel.positions(speaker.model, words)

    speaker.model.positions = places  # type: ignore[method-assign]
    example = _example(kind, count=5)
    said = _ask(speaker, example, False).text
    inputs = policy.read([example])
    assert read[0].tolist() == inputs["input_ids"][0].tolist()
    wanted = policy.family.places(policy.model.get_base_model(), inputs)[:, 0].numpy()
    assert np.array_equal(steps[0], wanted)
    after = [step.ravel().tolist() for step in steps[1:]]
    assert all(len(set(each)) == 1 for each in after)
    # Where a lead was heard further to know how likely a refusal is, it is read once more.
    first, axes = int(wanted.max()) + 1, len(wanted)
    heard = after[1:] if policy.family.chat.lead else after
    assert heard == [[first + count] * axes for count in range(len(heard))]
    # A letter a token, and after the last one there may be nothing to ask.
    assert 0 <= len(policy.family.chat.lead + said) - len(heard) <= 1


def test_a_window_without_room_for_a_span_is_refused(folders: dict[str, Path]) -> None:
    speaker = _speaker(folders["smolvlm"])
    example = _example("smolvlm", count=1)
    still = Example(example.looks, np.zeros(2), example.query, (), "easy", example.pictures)
    assert _ask(speaker, still, False) == Reply("none", pytest.approx(0.0, abs=1e-9))


def test_a_mark_in_a_query_is_named(folders: dict[str, Path]) -> None:
    speaker = _speaker(folders["qwen3_vl"])
    example = _example("qwen3_vl")
    asked = Example(**{**vars(example), "query": "a <|im_end|> dog"})
    with pytest.raises(QueryError, match=r"must not hold '<.im_end.>'"):
        _ask(speaker, asked, False)


def test_altered_files_are_named(folders: dict[str, Path], tmp_path: Path) -> None:
    out = Path(shutil.copytree(folders["smolvlm"] / "out", tmp_path / "out"))
    about = json.loads((out / "grounder.json").read_text())
    for name in about["files"]:
        whole = (out / name).read_bytes()
        (out / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ProfileError, match=f"{name} has SHA-256"):
            HubModel(Manifest.read(out / "grounder.json"))
        (out / name).unlink()
        with pytest.raises(ProfileError, match=f"tiny lacks {name}"):
            HubModel(Manifest.read(out / "grounder.json"))
        (out / name).write_bytes(whole)
    for wrong, complaint in (
        ({"version": 2}, "version must be a whole number from 1 to 1, not 2"),
        ({"chat": {"before": ""}}, r"lacks chat\."),
        ({"chat": {**about["chat"], "beyond": ""}}, r"chat must not have 'beyond'"),
        ({"picture": {"size": 32, "tokens": 5}}, "tokens 5 and axes 1 must be a square"),
        ({"tokens": {}}, r"lacks tokens\.sight"),
    ):
        (out / "grounder.json").write_text(json.dumps(about | wrong))
        with pytest.raises(ProfileError, match=complaint):
            Manifest.read(out / "grounder.json")


def test_no_torch_is_needed(folders: dict[str, Path]) -> None:
    program = """
import sys, numpy as np
from pathlib import Path
from tempo_edge.models.hub_model import Manifest, HubModel
from tempo_edge.search.grounders.grammar import Grammar
from tempo_edge.search.grounders.chat_decoder import ChatDecoder
model = HubModel(Manifest.read(Path(sys.argv[1])))
black = np.zeros((2, model.manifest.size, model.manifest.size, 3), np.uint8)
print(ChatDecoder(model).answer("a dog", [0.0, 1.0], 2.0, black, Grammar([0, 10], [10, 20])).text)
print(*{"torch", "transformers", "jinja2", "PIL"} & set(sys.modules))
"""
    path = str(folders["qwen3_vl"] / "out" / "grounder.json")
    shown = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    said, loaded = shown.stdout.split("\n")[:2]
    assert said in {"0.0-1.0", "0.0-2.0", "1.0-2.0", "0.0-1.0;1.0-2.0"}
    assert not loaded


@pytest.fixture(params=["qwen3_vl", "smolvlm"])
def profile(
    request: pytest.FixtureRequest,
    folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The built-in profile, with a hub model exported into its folder."""
    folder = tmp_path / "profiles" / "nano"
    shutil.copytree(load_profile("nano").folder, folder)
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(folder.parent))
    monkeypatch.setattr(models, "load_profile", registry.load_profile)  # not the one kept by tests
    export(load_hub(folders[request.param], rank=1), folder, size=SIZE[request.param], source="t")
    return folder


def _number(picture: np.ndarray) -> int:
    """The index that `numbered` drew, from a squeezed picture."""
    size = picture.shape[1]
    middles = ((np.arange(12) + 0.5) * size / 12).astype(int)
    bits = np.median(picture[:, middles].mean(axis=-1), axis=0) > 127
    return int(sum(int(on) << (11 - place) for place, on in enumerate(bits)))


@pytest.mark.parametrize("start", [0, 7])
def test_it_is_shown_the_frames_that_it_is_told_the_times_of(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    """Variable frame rate, a start offset, frames kept unevenly: picture and stamp are one."""
    rng = np.random.default_rng(0)
    drop = set(rng.choice(np.arange(1, 149), 60, replace=False).tolist())
    truth = make_video(
        tmp_path / "film.mkv",
        shots=[(numbered(), 6)],
        size=(240, 96),
        rate=Fraction(25),
        drop=drop,
        start_seconds=start,
        gop=20,
    )
    kept = [index for index in range(150) if index not in drop]
    time_of = dict(zip(kept, truth.times, strict=True))
    heard: list[tuple[list[Any], float, np.ndarray]] = []
    answer = ChatDecoder.answer

    def listening(
        self: ChatDecoder, query: str, seconds: Sequence[Any], end: float, pictures: np.ndarray,
        *rest: Any, **more: Any,
    ) -> Reply:  # fmt: skip
        heard.append((list(seconds), end, pictures))
        return answer(self, query, seconds, end, pictures, *rest, **more)

    monkeypatch.setattr(ChatDecoder, "answer", listening)
    with Library.open(tmp_path / "library.db") as library:
        library.index(tmp_path / "film.mkv")
        assert library.searcher.pictures.grounders[:3] == ("mllm", "curve", "vlm")
        found = library.find("black and white bars", min_confidence=0.0, grounder="vlm")
        assert found.moments and all(each.grounding is not None for each in found.evidence)
    assert heard
    for seconds, end, pictures in heard:
        assert len(seconds) == len(pictures) > 2
        numbers = [_number(picture) for picture in pictures]
        begin = time_of[numbers[0]]
        for told, number in zip(seconds, numbers, strict=True):
            # A container of milliseconds holds times that are rounded to one.
            assert abs(told - (time_of[number] - begin)) <= Fraction(1, 1000)
        gaps = np.diff([float(told) for told in seconds])
        assert gaps.min() < 0.9 * gaps.max(), "evenly timed frames would prove nothing"
        assert end >= float(seconds[-1])


def test_an_answer_is_spans_of_the_window_or_is_held_back(profile: Path, tmp_path: Path) -> None:
    make_video(
        tmp_path / "film.mp4",
        shots=[(texture(1), 3), (texture(2), 2), (texture(3), 3)],
        size=(320, 240),
        rate=Fraction(25),
    )
    with Library.open(tmp_path / "library.db") as library:
        library.index(tmp_path / "film.mp4")
        every = library.find("clouds", min_confidence=0.0, grounder="vlm")
        calibration = library.searcher.pictures.calibration("vlm")
        for moment, candidate in zip(every, every.evidence, strict=True):
            assert candidate.grounding is not None
            edges = candidate.window.edges.tolist()
            assert moment.start_seconds in edges and moment.end_seconds in edges
            # Never calibrated, it is believed as it says.
            assert moment.confidence == pytest.approx(candidate.grounding.present, abs=1e-6)
            assert eta.read(candidate.grounding.said)
        assert calibration.threshold == 0.5
        usual = library.find("clouds", grounder="vlm")
        assert len(usual) == sum(moment.confidence >= 0.5 for moment in every)
        # It takes its time, so it is asked for.
        assert library.find("clouds", min_confidence=0.0).evidence[0].grounding is None
        # Without the file it can't look: what was found stays found, as likely as it looked.
        (tmp_path / "film.mp4").rename(tmp_path / "elsewhere.mp4")
        blind = library.find("clouds", min_confidence=0.0, grounder="vlm")
        curve = library.find("clouds", min_confidence=0.0, grounder="curve")
        assert blind.moments and all(each.grounding is None for each in blind.evidence)
        assert {m.span for m in blind} <= {m.span for m in curve}


def test_a_profile_without_one_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    complaint = "profile 'nano' has no grounder 'vlm': use 'curve'"
    with Library.open(tmp_path / "library.db") as library:
        library.index(tmp_path / "empty")
        with pytest.raises(QueryError, match=complaint):
            library.find("clouds", grounder="vlm")
