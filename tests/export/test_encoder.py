"""Encoders of others: pulled, made into profiles, and then used like the built-in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the export extra
from encoders import CLIP, open_clip_here, write_clip, write_perception, write_siglip2
from tempo_export import encoder
from tempo_export.encoder import write_encoder
from tempo_export.graphs import read_graph
from tempo_export.towers import cells_of
from tokenizers import Tokenizer

from tempo_edge import ProfileError
from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.models.published import PUBLISHED, Published
from tempo_edge.models.pull import pull
from tempo_edge.models.registry import Profile

if find_spec("open_clip") is not None:
    open_clip_here()  # before transformers asks whether torchvision is of use


@dataclass(frozen=True)
class Kind:
    """An encoder to try.

    Attributes:
        write: writes a tiny one into a folder.
        reference: what its own library makes of four pictures and a sentence, given the folder.
        length: tokens that every sentence is padded to; None where each has its own.
        size: pixels a side of a picture.
        files: what a checkpoint holds at least.
    """

    write: Callable[..., Path]
    reference: Callable[[Path, int | None, str], tuple[np.ndarray, np.ndarray]]
    length: int | None = None
    size: int = 32
    files: tuple[str, ...] = ("model.safetensors", "config.json")


def by_transformers(
    folder: Path, length: int | None, sentence: str
) -> tuple[np.ndarray, np.ndarray]:
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    about = json.loads((folder / "preprocessor_config.json").read_text())
    pixels = (pictures(4, 1) / 255 - about["image_mean"]) / about["image_std"]
    seen = {"pixel_values": torch.from_numpy(pixels.transpose(0, 3, 1, 2)).float()}
    lengths = {} if length is None else {"padding": "max_length", "max_length": length}
    said = tokenizer([sentence], return_tensors="pt", **lengths)
    with torch.no_grad():
        out = model(input_ids=said["input_ids"], **seen)
    return out.image_embeds.numpy(), out.text_embeds.numpy()


def by_open_clip(folder: Path, length: int | None, sentence: str) -> tuple[np.ndarray, np.ndarray]:
    """All that OpenCLIP itself does to a picture and to ids."""
    from PIL import Image

    model, preprocess = open_clip_here().create_model_from_pretrained(f"local-dir:{folder}")
    pixels = torch.stack([preprocess(Image.fromarray(each)) for each in pictures(4, 1, 384)])
    coded = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(sentence).ids
    said = torch.tensor([[*coded, *[0] * ((length or 0) - len(coded))]])
    with torch.no_grad():
        return model.encode_image(pixels).numpy(), model.encode_text(said).numpy()


#: The kinds by the name of a published one of each.
KINDS = {
    CLIP.name: Kind(write_clip, by_transformers),
    "siglip2-base-patch16-224": Kind(write_siglip2, by_transformers, length=64),
    "pe-core-s16-384": Kind(
        write_perception,
        by_open_clip,
        length=32,
        size=384,
        files=("open_clip_model.safetensors", "open_clip_config.json"),
    ),
}


def tried(name: str) -> Any:
    """A kind as a parameter, to be passed over where its library is not installed."""
    lacks = KINDS[name].write is write_perception and find_spec("open_clip") is None
    return pytest.param(name, marks=pytest.mark.skipif(lacks, reason="open_clip is not installed"))


def pulled(name: str, folder: Path) -> Checkpoint:
    """A tiny checkpoint, pulled from a folder under the name of a published one."""
    real = PUBLISHED.get(name, CLIP)
    model = Published(real.name, real.repository, real.revision, real.kind, real.licence, 1)
    source = KINDS[name].write(folder / "source" / name)
    return pull(model, folder / "checkpoints", source=source)


def pictures(count: int, seed: int = 0, size: int = 32) -> np.ndarray:
    """Squares of a few colours each, no two alike."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return small.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


@pytest.fixture(scope="module", params=map(tried, sorted(KINDS)))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    folder = tmp_path_factory.mktemp(request.param)
    checkpoint = pulled(request.param, folder)
    (folder / "profile").mkdir()
    unrelated = pictures(40, size=KINDS[request.param].size)
    return write_encoder(checkpoint, folder / "profile", unrelated, lambda line: None)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_vectors_are_those_of_the_checkpoint(made: Profile) -> None:
    kind = KINDS[made.name]
    folder = made.folder.parent / "checkpoints" / made.name
    images, text = kind.reference(folder, kind.length, "a dog jumps")
    ours, _ = made.image_tower.encode(pictures(4, 1, made.image_size))
    assert np.abs(ours - _unit(images)).max() < 1e-4
    assert np.abs(made.text_tower.encode(["a dog jumps"]) - _unit(text)).max() < 1e-4


def test_any_number_of_pictures_and_any_length_of_sentence(made: Profile) -> None:
    for count in (1, 3):
        vectors, tokens = made.image_tower.encode(pictures(count, size=made.image_size))
        assert vectors.shape == (count, made.dim)
        assert tokens.shape == (count, made.tokens_per_frame, made.dim)
        assert np.linalg.norm(tokens, axis=-1) == pytest.approx(1.0, abs=1e-4)
    short, states = made.text_tower.read("dog")
    long = made.text_tower.encode(["a dog " * 80])[0]
    assert states.shape[0] == (KINDS[made.name].length or 5)
    assert short @ long < 0.9999


def test_no_graph_says_of_itself_what_is_not_so(made: Profile) -> None:
    for file in ("image.onnx", "text.onnx"):
        # As it is checked before it changes its precision.
        onnx.checker.check_model(read_graph(made.folder / file), full_check=True)


def test_capitals_are_read_as_small_letters(made: Profile) -> None:
    big, small = made.text_tower.encode(["A Dog", "a dog"])
    assert big == pytest.approx(small)


def test_a_cell_is_seen_where_it_is(made: Profile) -> None:
    size = made.image_size
    picture = np.full((1, size, size, 3), 90, np.uint8)
    changed = picture.copy()
    changed[:, : size // 4, : size // 4] = 255
    _, before = made.image_tower.encode(picture)
    _, after = made.image_tower.encode(changed)
    moved = np.linalg.norm(after - before, axis=-1)[0]
    assert moved.argmax() == 0


def test_cells_share_out_every_patch() -> None:
    for grid in (4, 7, 14, 27):
        cells = cells_of(grid)
        assert cells.sum(dim=1) == pytest.approx(torch.ones(9))
        assert (cells.sum(dim=0) > 0).all()
    assert cells_of(6)[0].reshape(6, 6)[:2, :2] == pytest.approx(torch.full((2, 2), 0.25))
    assert cells_of(6)[8].reshape(6, 6)[4:, 4:] == pytest.approx(torch.full((2, 2), 0.25))


def test_the_profile_says_where_it_comes_from(made: Profile) -> None:
    about = json.loads((made.folder / "profile.json").read_text())
    published = PUBLISHED.get(made.name, CLIP)
    assert about["source"]["revision"] == published.revision
    assert about["source"]["repository"] == published.repository
    assert set(about["source"]["sha256"]) >= {*KINDS[made.name].files, "tokenizer.json"}
    assert not any(file.endswith(".bin") for file in about["source"]["sha256"])
    assert made.licence == published.licence and about["precision"] == "fp32"
    assert about["graphs"]["image.onnx"] == {
        "opset": 18,
        "ir_version": about["graphs"]["text.onnx"]["ir_version"],
    }
    assert set(made.files) == {"image.onnx", "text.onnx", "tokenizer.json", "background.npy"}
    assert made.background.shape == (40, made.dim)


def test_pictures_are_made_small_as_the_checkpoint_says(made: Profile) -> None:
    squeezed = made.name == "pe-core-s16-384"
    assert made.interpolation == ("BILINEAR" if squeezed else "AREA") and not made.crop


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (("vision_cfg", "timm_model_name"), "resnet50", "has an image tower 'resnet50'"),
        (("vision_cfg", "timm_model_pretrained"), True, "asks for weights that are not its own"),
        (("vision_cfg", "image_size"), 224, "image_size 224 must be 384"),
        (("text_cfg", "layers"), 3, "can't be loaded: .*Missing key"),
    ],
)
@pytest.mark.skipif(find_spec("open_clip") is None, reason="open_clip is not installed")
def test_another_architecture_in_the_same_layout_is_refused(
    tmp_path: Path, field: tuple[str, str], value: object, said: str
) -> None:
    source = write_perception(tmp_path / "source")
    path = source / "open_clip_config.json"
    about = json.loads(path.read_text())
    about["model_cfg"][field[0]][field[1]] = value
    path.write_text(json.dumps(about))
    checkpoint = pull(PUBLISHED["pe-core-s16-384"], tmp_path / "checkpoints", source=source)
    with pytest.raises(ProfileError, match=said):
        write_encoder(checkpoint, tmp_path, pictures(4, size=384), lambda line: None)


def test_an_altered_checkpoint_makes_no_profile(tmp_path: Path) -> None:
    checkpoint = pulled(CLIP.name, tmp_path)
    with (checkpoint.folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    (tmp_path / "profile").mkdir()
    with pytest.raises(ProfileError, match=r"model\.safetensors has SHA-256"):
        write_encoder(checkpoint, tmp_path / "profile", pictures(40), lambda line: None)
    assert list((tmp_path / "profile").iterdir()) == []


def test_a_graph_that_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "TOLERANCE", 0.0)
    (tmp_path / "profile").mkdir()
    with pytest.raises(ProfileError, match=r"of (image|text)\.onnx differ by"):
        write_encoder(
            pulled(CLIP.name, tmp_path),
            tmp_path / "profile",
            pictures(40),
            lambda line: None,
        )
