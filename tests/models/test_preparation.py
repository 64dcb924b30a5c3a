"""Encoders as they were published become profiles: fetched, checked, tried, and used as they are.

Real weights can't be had here: tiny files of the same names, inputs, outputs and types stand for
them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
constants = pytest.importorskip("huggingface_hub.constants")

# ruff: noqa: E402 - the imports below need onnx
from hub import Hub, running
from published_encoders import tiny
from tempo_export.pipeline import export
from tempo_export.request import Request
from tokenizers import Tokenizer

from tempo_edge import ProfileError
from tempo_edge._extras import pip_command
from tempo_edge.errors import ExportError
from tempo_edge.models import Profile
from tempo_edge.models.graph_choice import TriedGraph
from tempo_edge.models.preparation import Preparation
from tempo_edge.models.published import ENCODERS
from tempo_edge.models.registry import VOCABULARY, read_profile
from tempo_edge.search.inspection import inspect

SENTENCES = ["a Dog jumps", "ein Hund", "çöl 狗", "a very long sentence " * 40]


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


def prepared(name: str, store: Path, files: dict[str, bytes] | None = None) -> Profile:
    encoder, files = tiny(name, files)
    source = store.parent / "source"
    for path, data in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(data)
    return Preparation(encoder, store, source=source).run(inspect)


@pytest.fixture(scope="module", params=sorted(ENCODERS))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return prepared(request.param, tmp_path_factory.mktemp(request.param) / "profiles")


def test_every_pin_is_a_commit_and_a_checksum() -> None:
    for encoder in ENCODERS.values():
        assert len(encoder.revision) == 40 and int(encoder.revision, 16)
        assert all(len(digest) == 64 and int(digest, 16) for digest in encoder.sha256.values())
        for graphs in (encoder.image, encoder.text):
            # What is fetched first has a checksum here; of another the commit has to know it.
            assert graphs[0].name in encoder.sha256
            free = [each.precision for each in graphs if each.name not in encoder.sha256]
            assert free in ([], ["uint8"])


def test_pictures_and_sentences_become_unit_vectors(made: Profile) -> None:
    size = made.image_size
    pictures = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    vectors, tokens = made.image_tower.encode(pictures)
    assert vectors.shape == (3, made.dim) and tokens.shape == (3, 1, made.dim)
    assert vectors.dtype == np.float32
    read = made.text_tower.encode(SENTENCES)
    assert read.shape == (len(SENTENCES), made.dim)
    for each in (vectors, read):
        assert np.linalg.norm(each, axis=1) == pytest.approx(np.ones(len(each)), abs=1e-5)
    vector, states = made.text_tower.read("a dog")
    assert vector.shape == (made.dim,) and states.shape[1:] == (made.dim,)


def test_a_picture_does_not_depend_on_its_batch(made: Profile) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (5, *[made.image_size] * 2, 3), np.uint8)
    pictures[0] //= 8  # a scale that eight bits share would show
    together, _ = made.image_tower.encode(pictures)
    alone = np.concatenate([made.image_tower.encode(each[None])[0] for each in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_what_a_profile_says_of_itself(made: Profile) -> None:
    encoder = ENCODERS[made.name]
    assert made.version == encoder.revision[:12] and made.licence == encoder.licence
    assert made.languages == encoder.languages
    clip = encoder.family == "clip"
    assert (made.interpolation, made.crop) == (("BICUBIC", True) if clip else ("BILINEAR", False))
    assert made.layout is not None and made.layout.most_tokens == (77 if clip else 64)
    about = json.loads((made.folder / "profile.json").read_text())
    assert about["source"]["repository"] == encoder.repository
    assert made.fingerprint.startswith(f"{made.name}-")


def test_the_graphs_are_given_what_training_gave_them(made: Profile) -> None:
    """Pixels and tokens as the processors of the hub make them, by hand."""
    assert made.layout is not None
    tokenizer = Tokenizer.from_file(str(made.folder / "tokenizer.json"))
    tokenizer.no_truncation()
    fed: dict[str, np.ndarray] = {}
    session = made.text_tower._session._session
    run = session.run
    session_run = lambda names, feeds, options: fed.update(feeds) or run(names, feeds, options)  # noqa: E731
    made.text_tower._session._session = Recorder(session, session_run)
    made.text_tower.encode(["A dog jumps"])
    made.text_tower._session._session = session
    ids = fed["input_ids"][0].tolist()
    if made.layout.lower:
        plain = tokenizer.encode("a dog jumps", add_special_tokens=False).ids
        assert ids == [*plain, 1, *[0] * (63 - len(plain))]
    else:
        assert ids == tokenizer.encode("A dog jumps").ids
        assert fed["attention_mask"].tolist() == [[1] * len(ids)]


class Recorder:
    """A session whose runs are seen."""

    def __init__(self, session: object, run: object) -> None:
        self._session, self.run = session, run


def test_a_long_sentence_keeps_its_end_mark(made: Profile) -> None:
    assert made.layout is not None
    ids = made.text_tower._tokenizer.ids("dog " * 200, made.layout)
    tokenizer = Tokenizer.from_file(str(made.folder / "tokenizer.json"))
    assert ids.shape == (1, made.layout.most_tokens)
    assert ids[0, -1] == tokenizer.token_to_id(made.layout.end)


def broken(graph: bytes) -> bytes:
    """A graph of the same length that no ONNX Runtime runs."""
    return graph.replace(b"ConvInteger", b"ConvBelongs")


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fetching]:
    with running(Hub({})) as hub:
        hub.large = (".onnx", "tokenizer.json")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield Fetching(hub, tmp_path / "profiles")


@dataclass
class Fetching:
    """Preparations of SigLIP 2 in small from a hub; ``said`` are the lines of the last one."""

    hub: Hub
    store: Path
    said: list[str] = field(default_factory=list)

    def prepare(self, files: dict[str, bytes], precision: str | None = None) -> dict[str, str]:
        """Prepare it of these files; gives its graphs by tower."""
        encoder, _ = tiny("siglip2", files)
        self.hub.repositories[encoder.repository] = files
        self.hub.revision = encoder.revision
        self.hub.asked.clear()
        self.said.clear()
        profile = Preparation(
            encoder, self.store, quiet=True, tell=self.said.append, precision=precision
        ).run(inspect)
        source = json.loads((profile.folder / "profile.json").read_text())["source"]
        shutil.rmtree(profile.folder)
        return {tower: source[tower].removeprefix("onnx/") for tower in ("image", "text")}

    @property
    def fetched(self) -> set[str]:
        """The graphs that were asked of the hub."""
        return {name for method, name, _ in self.hub.asked if method == "GET" and "model" in name}


def test_a_graph_that_does_not_run_is_followed_by_the_next(fetching: Fetching) -> None:
    _, files = tiny("siglip2")
    files["onnx/vision_model_int8.onnx"] = broken(files["onnx/vision_model_int8.onnx"])
    chosen = fetching.prepare(files)
    assert chosen == {"image": "vision_model_uint8.onnx", "text": "text_model_int8.onnx"}
    # The smallest runs, or the one after it: nothing larger is fetched.
    assert fetching.fetched == {"vision_model_int8.onnx", *chosen.values()}
    line, image, text = fetching.said
    assert line.startswith("onnx/vision_model_int8.onnx can't be opened")
    assert line.endswith("trying onnx/vision_model_uint8.onnx, 0 MB")
    assert image.startswith("onnx/vision_model_uint8.onnx takes ")
    assert image.endswith(" ms a picture here")
    assert text.endswith(" ms a sentence here")

    del files["onnx/vision_model_uint8.onnx"]  # which the commit need not have
    assert fetching.prepare(files)["image"] == "vision_model_fp16.onnx"


def test_a_graph_that_only_the_commit_knows_is_compared_with_that(fetching: Fetching) -> None:
    _, files = tiny("siglip2")
    files["onnx/vision_model_int8.onnx"] = broken(files["onnx/vision_model_int8.onnx"])
    name = "onnx/vision_model_uint8.onnx"
    fetching.hub.altered = {name: files[name][:-1] + b"!"}
    with pytest.raises(ProfileError, match=rf"{name} has SHA-256 .*, expected .*: pull it again"):
        fetching.prepare(files)
    fetching.hub.altered = {}
    encoder, _ = tiny("siglip2", files)
    far = {**files, name: files[name] + bytes(1 << 18)}
    fetching.hub.repositories[encoder.repository] = far
    with pytest.raises(ProfileError, match=rf"{name} has \d+ bytes, at most \d+ are expected"):
        Preparation(encoder, fetching.store, quiet=True).run(inspect)


def test_a_precision_is_what_was_asked_for(fetching: Fetching) -> None:
    _, files = tiny("siglip2")
    chosen = fetching.prepare(files, "fp16")
    assert chosen == {"image": "vision_model_fp16.onnx", "text": "text_model_fp16.onnx"}
    assert fetching.fetched == set(chosen.values())
    # Of one tower there is none: it has its own, and a line says so.
    chosen = fetching.prepare(files, "fp32")
    assert chosen == {"image": "vision_model.onnx", "text": "text_model_int8.onnx"}
    assert fetching.said[-1].endswith("a sentence here; it can't be had in fp32")
    with pytest.raises(ProfileError, match=r"'int4' of 'siglip2' must be one of \['int8'"):
        fetching.prepare(files, "int4")


def test_the_fastest_is_chosen_of_all(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    _, files = tiny("siglip2")
    spent = {"vision_model_fp16": 30.0, "text_model_uint8": 49.0}

    def timed(self: Preparation, path: Path, encode: Callable[[], Any]) -> TriedGraph:
        milliseconds = spent.get(path.stem, 50.0)
        name = path.relative_to(self._fetched).as_posix()
        return TriedGraph(name, encode().shape[-1], milliseconds)

    monkeypatch.setattr(Preparation, "_timed", timed)
    chosen = fetching.prepare(files, "fastest")
    assert chosen == {"image": "vision_model_fp16.onnx", "text": "text_model_uint8.onnx"}
    assert len(fetching.fetched) == 7
    assert fetching.said[0].startswith(
        "onnx/vision_model_fp16.onnx takes 30 ms a picture here; 50 ms"
    )
    # What was left by a run that was ended costs nothing: it is timed, and taken if much faster.
    for graph in ("onnx/vision_model_fp16.onnx", "onnx/text_model_uint8.onnx"):
        path = fetching.store / ".siglip2.partial" / graph
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[graph])
    chosen = fetching.prepare(files)
    assert chosen == {"image": "vision_model_fp16.onnx", "text": "text_model_int8.onnx"}


def test_halves_come_first_where_eight_bits_have_no_kernels(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempo_edge.models.preparation.runs_on_gpu", lambda: True)
    _, files = tiny("siglip2")
    chosen = fetching.prepare(files)
    assert chosen == {"image": "vision_model_fp16.onnx", "text": "text_model_int8.onnx"}
    assert fetching.fetched == set(chosen.values())


def test_a_copy_without_the_smallest_graph_is_as_good(tmp_path: Path) -> None:
    _, files = tiny("siglip2")
    del files["onnx/vision_model_int8.onnx"], files["onnx/text_model_int8.onnx"]
    encoder, _ = tiny("siglip2")
    source = tmp_path / "source"
    for path, data in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(data)
    profile = Preparation(encoder, tmp_path / "profiles", source=source).run(inspect)
    assert json.loads((profile.folder / "profile.json").read_text())["source"]["image"] != (
        "onnx/vision_model_int8.onnx"
    )


def test_a_graph_of_both_towers_is_split(tmp_path: Path) -> None:
    """Either part opens alone, is smaller, and gives what the whole gives."""
    import onnxruntime

    profile = prepared("tinyclip", tmp_path / "profiles")
    _, files = tiny("tinyclip")
    whole = onnxruntime.InferenceSession(files["onnx/model_int8.onnx"])
    parts = {
        name: onnxruntime.InferenceSession(profile.folder / f"{name}.onnx")
        for name in ("image", "text")
    }
    fed = {
        "pixel_values": np.random.default_rng(4).normal(size=(2, 3, 48, 48)).astype(np.float32),
        "input_ids": np.array([[3, 5, 7], [9, 2, 4]]),
        "attention_mask": np.array([[1, 1, 1], [1, 1, 0]]),
    }
    for name, takes in (("image", ["pixel_values"]), ("text", ["input_ids", "attention_mask"])):
        assert [each.name for each in parts[name].get_inputs()] == takes
        (ours,) = parts[name].run(None, {each: fed[each] for each in takes})
        np.testing.assert_allclose(ours, whole.run([f"{name}_embeds"], fed)[0], atol=1e-5)
    sizes = [(profile.folder / f"{name}.onnx").stat().st_size for name in parts]
    assert sum(sizes) < 1.2 * len(files["onnx/model_int8.onnx"])


def test_without_the_package_that_splits_the_whole_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = prepared("tinyclip", tmp_path / "split")
    encoder, _ = tiny("tinyclip")
    said: list[str] = []
    monkeypatch.setitem(sys.modules, "onnx.utils", None)
    profile = Preparation(
        encoder, tmp_path / "whole", source=tmp_path / "source", tell=said.append
    ).run(inspect)
    (line,) = [each for each in said if "could be split" in each]
    assert line.endswith(f"onnx is not installed: {pip_command('onnx')}")
    # The same profile: a library of the one can be searched with the other.
    assert profile.fingerprint == split.fingerprint
    for each in SENTENCES:
        np.testing.assert_allclose(
            profile.text_tower.encode([each]), split.text_tower.encode([each]), atol=1e-5
        )


def test_a_tower_of_which_nothing_runs_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    _, files = tiny("clip")
    files["onnx/text_model.onnx"] = b"no graph"
    with pytest.raises(ProfileError, match=r"text_model\.onnx can't be opened"):
        prepared("clip", tmp_path / "profiles", files)
    assert [each.name for each in (tmp_path / "profiles").iterdir()] == [".clip.partial"]


def test_towers_of_two_spaces_are_refused(tmp_path: Path) -> None:
    _, files = tiny("siglip2")
    _, wider = tiny("siglip2-so400m")
    files["onnx/text_model_int8.onnx"] = wider["onnx/text_model_int8.onnx"]
    with pytest.raises(ProfileError, match=r"gives vectors of 24, .* of 36: they share no space"):
        prepared("siglip2", tmp_path / "profiles", files)


# Every file that is fetched of every encoder, and what it is held by: a checksum, known here or to
# the commit; a small file's name in git.
FETCHED = [
    (
        name,
        file.name,
        "git's blob" if file.name.endswith("config.json") and not file.sha256 else "SHA-256",
    )
    for name, encoder in sorted(ENCODERS.items())
    for file in {encoder.image[0]: 0, encoder.text[0]: 0, **dict.fromkeys(encoder.beside)}
]


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize(("name", "file", "said"), FETCHED)
def test_one_byte_changed_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, file: str, said: str
) -> None:
    encoder, files = tiny(name)
    hub = Hub({encoder.repository: files}, encoder.revision)
    hub.large = (".onnx", "tokenizer.json")
    data = bytearray(files[file])
    data[len(data) // 2] ^= 1
    hub.altered = {file: bytes(data)}
    with running(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        store = tmp_path / "profiles"
        with pytest.raises(ProfileError, match=f"{file} (has|is) {said}.*pull it again"):
            Preparation(encoder, store, quiet=True).run(inspect)
        assert not (store / name).exists()
        hub.altered = {}
        profile = Preparation(encoder, store, quiet=True).run(inspect)
    for each in profile.files:
        profile.checked(each)
    assert sorted(path.name for path in store.iterdir()) == [name]


@pytest.mark.usefixtures("reachable")
def test_what_came_before_an_end_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, files = tiny("siglip2")
    whole = dict(files)
    del files["onnx/text_model_int8.onnx"]
    hub = Hub({encoder.repository: files}, encoder.revision)
    with running(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(ProfileError, match=r"lacks onnx/text_model_int8\.onnx"):
            Preparation(encoder, tmp_path / "profiles", quiet=True).run(inspect)
        hub.repositories[encoder.repository] = whole
        hub.asked.clear()
        Preparation(encoder, tmp_path / "profiles", quiet=True).run(inspect)
    fetched = {name for method, name, _ in hub.asked if method == "GET"}
    assert "text_model_int8.onnx" in fetched and "vision_model_int8.onnx" not in fetched


def test_a_large_text_tower_is_laid_out_to_open_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = prepared("siglip2", tmp_path / "plain")
    monkeypatch.setattr("tempo_edge.models.preparation._LARGE_TOWER_BYTES", 1)
    apart = prepared("siglip2", tmp_path / "apart")
    assert apart.files.keys() - plain.files.keys() == {"text.onnx.data"}
    sizes = [(each.folder / "text.onnx").stat().st_size for each in (apart, plain)]
    assert sizes[0] < sizes[1] / 4
    # The same profile: a library of the one can be searched with the other.
    assert apart.fingerprint == plain.fingerprint
    for each in SENTENCES:
        np.testing.assert_array_equal(
            *(profile.text_tower.encode([each]) for profile in (plain, apart))
        )
    with (apart.folder / "text.onnx.data").open("r+b") as file:
        file.write(b"!")
    with pytest.raises(ProfileError, match=r"text\.onnx\.data has SHA-256"):
        _ = read_profile(apart.folder).text_tower


def test_published_graphs_are_not_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared("clip", tmp_path / "profiles")
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "profiles"))
    with pytest.raises(ExportError, match="'clip' searches as it was published"):
        export(Request(name="clip", precision="fp16"), lambda line: None)


def test_one_byte_changed_afterwards_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("LARGE_BYTES", "_LARGE_TOWER_BYTES"):
        monkeypatch.setattr(f"tempo_edge.models.preparation.{limit}", 1)
    profile = prepared("siglip2", tmp_path / "profiles")
    wanted = {"image.onnx", "text.onnx", "text.onnx.data", "tokenizer.json", VOCABULARY}
    assert profile.files.keys() == wanted
    for file in sorted(wanted):
        path = profile.folder / file
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(
            ProfileError, match=rf"'siglip2': {file} has SHA-256 .*install it again"
        ):
            for each in profile.files:
                profile.checked(each)
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


def test_a_large_tokenizer_loads_by_its_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempo_edge.models.preparation.LARGE_BYTES", 1)
    profile = prepared("siglip2", tmp_path / "profiles")
    assert VOCABULARY in profile.files
    monkeypatch.setattr("tempo_edge.models.preparation.LARGE_BYTES", 1 << 30)
    whole = prepared("siglip2", tmp_path / "other")
    assert VOCABULARY not in whole.files
    by_pieces, by_all = (
        each.text_tower.encode([*SENTENCES, "jumpdog <eos> <0x41>"]) for each in (profile, whole)
    )
    np.testing.assert_array_equal(by_pieces, by_all)
    with (profile.folder / VOCABULARY).open("r+b") as file:
        file.write(b"!")
    with pytest.raises(ProfileError, match=r"vocabulary\.db has SHA-256"):
        _ = read_profile(profile.folder).text_tower


def test_pictures_are_as_the_processors_of_the_hub_make_them(
    made: Profile,
) -> None:
    transformers = pytest.importorskip("transformers")
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from PIL import Image

    from tempo_edge.media._frame import shrink

    assert made.layout is not None
    clip = made.crop
    kind = transformers.CLIPImageProcessorPil if clip else transformers.SiglipImageProcessorPil
    size = made.image_size
    square = {"height": size, "width": size}
    # Grey, for a film has its colours at half the resolution, and a scaler counts on that.
    rough = np.random.default_rng(5).integers(0, 256, (9, 16, 1), dtype=np.uint8)
    picture = rough.repeat(20, axis=0).repeat(20, axis=1).repeat(3, axis=2)
    processor = (
        kind(size={"shortest_edge": size}, crop_size=square)
        if clip
        else kind(size=square, resample=2)
    )
    theirs = np.asarray(processor(Image.fromarray(picture))["pixel_values"][0])
    frame = VideoFrame.from_ndarray(picture, format="rgb24")
    ours = shrink(frame, size, VideoReformatter(), made.interpolation, crop=made.crop)
    levels = (np.asarray(theirs).transpose(1, 2, 0) * made.layout.std + made.layout.mean) * 255
    assert np.abs(ours - levels).mean() < 1.0
    other = shrink(frame, size, VideoReformatter(), "AREA", crop=not made.crop)
    assert np.abs(other - levels).mean() > 5.0


def test_sentences_are_as_the_tokenizers_of_the_hub_make_them(made: Profile) -> None:
    transformers = pytest.importorskip("transformers")
    assert made.layout is not None
    path = str(made.folder / "tokenizer.json")
    marks = {"pad_token": "<pad>", "eos_token": "<eos>"}
    if made.layout.begin:
        marks = {"pad_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=path, **marks)
    for sentence in SENTENCES:
        text = sentence.lower() if made.layout.lower else sentence
        padding = {"padding": "max_length"} if made.layout.pad is not None else {}
        wanted = theirs(text, max_length=made.layout.most_tokens, truncation=True, **padding)
        ours = made.text_tower._tokenizer.ids(sentence, made.layout)
        assert ours[0].tolist() == wanted["input_ids"]
