"""Profiles, calibrations and bundles made to do harm: one line each, naming the place."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import DOUBLE, INT64, model, node, tensor
from harness import Said
from hostile import BYTES, altered, npy, picture_tower, within
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from tempo_edge import ProfileError
from tempo_edge.models import load_profile
from tempo_edge.models.checkpoint import read_checkpoint
from tempo_edge.models.description import Description, load_json
from tempo_edge.models.registry import read_profile
from tempo_edge.search.calibrate import Calibration
from tempo_edge.search.similarity import CurveSettings

Change = Callable[[dict[str, Any]], Any]


PLACES = [
    ("dim", float("inf"), r"Infinity is no number"),
    ("dim", float("nan"), r"NaN is no number"),
    ("dim", "256", r"dim must be a whole number from 1 to 65536, not '256'"),
    ("dim", True, r"dim must be a whole number"),
    ("dim", 0, r"dim must be a whole number"),
    ("dim", 10**4000, r"dim must be .*, not a number of more than 60 digits"),
    ("image_size", 10**9, r"image_size must be a whole number from 1 to 4096"),
    ("interpolation", "NEAREST", r"interpolation must be one of AREA, BILINEAR, BICUBIC"),
    ("crop", 3, r"crop must be true or false, not 3"),
    ("languages", "a\x1b[2Jb", r"languages must be a text of at most 256 printable letters"),
    ("layout", [], r"layout must be an object"),
    ("layout", {}, r"lacks layout\.image_output"),
    ("layout", {"image_output": "x"}, r"layout\.image_output must be one of pooler_output"),
    ("published", {"text.onnx": "x"}, r"published\.text\.onnx must be a SHA-256"),
    ("text_max_tokens", 10**12, r"text_max_tokens must be .* from 1 to 65536, not 1000000000000"),
    ("text_max_tokens", -4, r"text_max_tokens must be a whole number from 1 to 65536, not -4"),
    ("tokens_per_frame", 10, r"tokens_per_frame must be a square number"),
    ("name", "\x1b[2J", r"name must be a name like .*, not '\\x1b\[2J'"),
    ("name", "../nano", r"name must be a name like"),
    ("version", "1\n2", r"version must be a text of at most 256 printable letters, not '1\\n2'"),
    ("version", ["1"], r"version must be a text .*, not a list of 1"),
    ("files", [], r"files must be an object, not a list of 0"),
    ("files/image.onnx", "no object", r"files\.image\.onnx must be an object"),
    ("files/image.onnx", {}, r"lacks files\.image\.onnx\.sha256"),
    ("files/image.onnx", {"sha256": 5}, r"files\.image\.onnx\.sha256 must be a SHA-256"),
    ("files/..\\x", {"sha256": "0" * 64}, r"files names '\.\.\\\\x'"),
    ("licences", "free", r"licences must be an object, not 'free'"),
    ("licences/weights", "free\x07", r"licences\.weights must be a text"),
]


@pytest.mark.parametrize(("path", "value", "said"), PLACES)
def test_a_description_is_read_field_by_field(
    tmp_path: Path, path: str, value: object, said: str
) -> None:
    about = json.loads((load_profile("nano").folder / "profile.json").read_text())
    (tmp_path / "profile.json").write_text(json.dumps(within(about, path, value)))
    with pytest.raises(ProfileError, match=rf"profile\.json.*{said}") as caught:
        read_profile(tmp_path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"[" * 100_000, "nested too deep|Expecting value"),
        (b'{"a":' * 100_000, "nested too deep|Expecting value"),
        (b"\xff\xfe", "can't decode byte"),
        (b'"\x1b"', "Invalid control character"),
        (b" " * (5 << 20), "must have at most 4194304 bytes"),
        (b'{"dim": 1' + b"0" * 10_000 + b"}", "Exceeds the limit"),
        (b"", "Expecting value"),
    ],
)
def test_what_is_no_json_is_said_in_one_line(tmp_path: Path, contents: bytes, said: str) -> None:
    (tmp_path / "profile.json").write_bytes(contents)
    with pytest.raises(ProfileError, match=rf"profile\.json (can't be read: .*)?({said})"):
        read_profile(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("weights/0", "0.5", r"weights\[0\] must be a number from -1e\+09 to 1e\+09, not '0\.5'"),
        ("weights/0", 1e308, r"weights\[0\] must be a number from -1e\+09 to 1e\+09, not 1e\+308"),
        ("weights", 5, r"weights must be a list of 4 numbers, not 5"),
        ("weights", [0.0] * 5, r"weights must be a list of 4 numbers, not a list of 5"),
        ("weights/0", 10**400, r"weights\[0\] must be a number .*, not a number of more than 60"),
        ("bias", None, r"bias must be a number from -1e\+09 to 1e\+09, not None"),
        ("bias", float("-inf"), r"-Infinity is no number"),
        ("threshold", 1.5, r"threshold must be a number from 0 to 1, not 1\.5"),
        ("features", "similarity", r"features must be some of \["),
    ],
)
def test_a_calibration_is_read_field_by_field(
    tmp_path: Path, path: str, value: object, said: str
) -> None:
    facts = load_json(load_profile("nano").checked("calibration.json"))
    weights = path.split("/")
    changed = within(facts, path, value) if len(weights) == 1 else dict(facts)
    if len(weights) == 2:
        changed["weights"] = [value, *facts["weights"][1:]]
    profile = altered(tmp_path / "p", "calibration.json", json.dumps(changed).encode())
    with pytest.raises(ProfileError, match=rf"calibration\.json.*{said}"):
        Calibration.of(profile.calibration)


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        ({"keep": 2}, r"curve can't be used: keep 2\.0 and seed"),
        ({"keep": "x"}, r"curve\.keep must be a number"),
        ({"unknown": 1}, r"curve can't be used: .*unknown"),
        ([], r"curve must be an object"),
    ],
)
def test_the_shape_of_a_span_is_read_field_by_field(
    tmp_path: Path, curve: object, said: str
) -> None:
    facts = {**load_json(load_profile("nano").checked("calibration.json")), "curve": curve}
    profile = altered(tmp_path / "p", "calibration.json", json.dumps(facts).encode())
    with pytest.raises(ProfileError, match=rf"calibration\.json: {said}"):
        CurveSettings.of(profile)


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "can't be read as an array"),
        (b"\x93NUMPY\x01\x00v\x00{broken", "can't be read as an array"),
        (npy(BYTES, shape=(10**12, 256)), "can't be read as an array"),
        (npy(BYTES, shape=(-1, 256)), "can't be read as an array|must hold int8"),
        (npy(BYTES.astype(np.float32)), r"must hold int8 \[m, 256\]"),
        (npy(np.ones((4, 8), np.int8)), r"must hold int8 \[m, 256\]"),
        (npy(np.ones(256, np.int8)), r"must hold int8 \[m, 256\]"),
        (npy(np.ones((1, 256), np.int8)), r"must hold int8 \[m, 256\] with m from 2"),
    ],
)
def test_a_background_is_what_it_says(tmp_path: Path, contents: bytes, said: str) -> None:
    profile = altered(tmp_path / "p", "background.npy", contents)
    with pytest.raises(ProfileError, match=rf"background\.npy.*({said})"):
        _ = profile.background


def test_a_background_of_python_objects_is_not_unpickled(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.asarray([{"a": 1}, None], object), allow_pickle=True)
    profile = altered(tmp_path / "p", "background.npy", file.getvalue())
    with pytest.raises(ProfileError, match=r"background\.npy can't be read as an array"):
        _ = profile.background


@pytest.mark.parametrize(
    "contents", [b"", b"{}", b"[" * 100_000, b'{"version": "1.0", "model": {"type": "\x1b[2J"}}']
)
def test_a_tokenizer_that_is_none_is_named(tmp_path: Path, contents: bytes) -> None:
    profile = altered(tmp_path / "p", "tokenizer.json", contents)
    with pytest.raises(ProfileError, match=r"tokenizer\.json can't be read as a tokenizer"):
        _ = profile.text_tower


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "can't be opened"),
        (b"\x08\x07no graph", "can't be opened"),
        (picture_tower(100), r"gives vectors \[1, 100\] of float32, wanted are .* \[n, 256\]"),
        (picture_tower(256, divide=True), "wanted are finite numbers"),
        (picture_tower(256, kind=INT64), r"gives vectors \[1, 256\] of int64, wanted are"),
        (picture_tower(256, kind=DOUBLE), r"gives vectors \[1, 256\] of float64, wanted are"),
        (
            picture_tower(256, kind=TensorProto.STRING),
            r"gives vectors \[1, 256\] of object, wanted are",
        ),
        (
            picture_tower(256, kind=TensorProto.BOOL),
            r"gives vectors \[1, 256\] of bool, wanted are",
        ),
        (
            model(
                [node("Identity", ["images"], ["vectors"])],
                inputs=(tensor("images", INT64, [1]),),
                outputs=(tensor("vectors", INT64, [1]),),
            ).SerializeToString(),
            "can't be run",
        ),
    ],
)
def test_a_tower_gives_what_the_profile_says(tmp_path: Path, contents: bytes, said: str) -> None:
    profile = altered(tmp_path / "p", "image.onnx", contents)
    with pytest.raises(ProfileError, match=rf"image\.onnx.*{said}"):
        profile.image_tower.encode(np.zeros((1, 224, 224, 3), np.uint8))


def test_a_checkpoint_is_read_field_by_field(tmp_path: Path) -> None:
    about: dict[str, Any] = {
        "name": "tiny",
        "repository": "a/b",
        "revision": "1",
        "kind": "encoder",
        "licence": "MIT",
        "files": {"config.json": "0" * 64},
    }
    (tmp_path / "tiny").mkdir()
    changes: list[tuple[str, object, str]] = [
        ("kind", "virus", r"kind must be one of encoder, grounder, not 'virus'"),
        ("repository", "\x1b]0;x\x07", r"repository must be a text"),
        ("files", {"../x": "0" * 64}, r"files names '\.\./x'"),
        ("files", {"x": "zz"}, r"files\.x must be a SHA-256"),
    ]
    for name, value, said in changes:
        text = json.dumps({**about, name: value})
        (tmp_path / "tiny" / "checkpoint.json").write_text(text)
        with pytest.raises(ProfileError, match=rf"checkpoint\.json: {said}"):
            read_checkpoint("tiny", tmp_path)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(facts=st.fixed_dictionaries({}, optional={"a": ANY, "b": ANY}))
def test_a_field_is_what_was_asked_for_or_refused(facts: dict[str, Any]) -> None:
    about = Description(Path("x.json"), facts)
    for read, kind in [
        (about.text, str),
        (lambda name: about.whole(name, -5, 5), int),
        (about.number, float),
        (lambda name: about.numbers(name, 2), list),
        (about.part, Description),
        (about.digest, str),
    ]:
        try:
            assert isinstance(read("a"), kind)
        except ProfileError as error:
            assert str(error).startswith("x.json") and str(error).isprintable()


def test_json_has_no_numbers_that_are_none(tmp_path: Path) -> None:
    for text in ("NaN", "Infinity", "-Infinity", '{"a": [NaN]}'):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(ProfileError, match="is no number of JSON"):
            load_json(tmp_path / "x.json")


# -- what a person sees --------------------------------------------------------------------------


def test_one_bad_profile_hides_no_other(
    tmp_path: Path, tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "profiles" / "bad"
    folder.mkdir(parents=True)
    (folder / "profile.json").write_text('{"name": "bad", "dim": Infinity}')
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "profiles"))
    said = tempo("models", "list")
    assert said.status == 2 and said.out.startswith("nano ")
    assert said.err.count("\n") == 1 and "profile.json" in said.err and "Infinity" in said.err
    said = tempo("index", tmp_path, "--profile", "bad")
    assert said.status == 2 and said.err.count("\n") == 1 and "Infinity" in said.err


def test_a_search_with_a_hostile_profile_is_one_line(
    tmp_path: Path,
    built: Path,
    library_path: Path,
    command: Callable[..., list[str]],
    environment: dict[str, str],
) -> None:
    library_path.parent.mkdir()
    shutil.copyfile(built, library_path)
    altered(tmp_path / "profiles" / "nano", "background.npy", npy(BYTES, shape=(10**12, 256)))
    said = subprocess.run(
        command("find", "a dog"),
        env={**environment, "TEMPO_EDGE_PROFILES": str(tmp_path / "profiles")},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 2 and said.stderr.count("\n") == 1, said.stderr
    assert "background.npy" in said.stderr and not said.stdout
