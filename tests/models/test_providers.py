"""Which providers a session is opened with, and what happens to those that don't work."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from tempo_edge import ProfileError
from tempo_edge._system.nvidia import Device
from tempo_edge.models import Profile, load_profile, provider_plugins, providers
from tempo_edge.models.providers import (
    NAMES,
    Standing,
    asked,
    plan,
    standings,
    tensorrt_options,
    tensorrt_rtx_options,
)
from tempo_edge.models.sessions import open_session, open_with
from tempo_edge.models.shapes import PICTURES, InputShape, Shapes, image_shapes, text_shapes
from tempo_edge.models.towers import ImageTower

BUILT = [name for name, full in NAMES.items() if full in onnxruntime.get_available_providers()]
THERE = [name for name in NAMES if name in BUILT or provider_plugins.is_installed(name)]
CPU = ("CPUExecutionProvider", dict[str, Any]())

for_nvidia = pytest.mark.skipif("tensorrt" not in BUILT, reason="needs a build for NVIDIA")
for_intel = pytest.mark.skipif("openvino" not in BUILT, reason="needs a build with OpenVINO")


@pytest.fixture(scope="module")
def nano() -> Profile:
    return load_profile("nano")


# -- the order of trying ---------------------------------------------------------------------------


def test_the_best_is_tried_first_and_the_cpu_last() -> None:
    assert [each.name for each in standings()] == THERE
    assert list(NAMES)[:3] == ["tensorrt", "tensorrt-rtx", "cuda"]
    assert standings()[-1] == Standing("cpu")


def test_a_provider_of_no_use_is_not_tried(nano: Profile) -> None:
    """The CPU build lists one that sends models to a service."""
    chain = plan(nano.folder / "image.onnx", 1, image_shapes(nano.image_size)).chain
    assert {name for name, _ in chain} <= set(NAMES.values())
    assert chain[-1] == CPU


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("", []),
        (" , ", []),
        ("cpu", ["cpu"]),
        ("cuda", ["cuda", "cpu"]),
        ("cuda,tensorrt", ["cuda", "tensorrt", "cpu"]),
        (" TensorRT, cuda ,cuda,cpu", ["tensorrt", "cuda", "cpu"]),
    ],
)
def test_the_environment_may_say_which(
    monkeypatch: pytest.MonkeyPatch, told: str, names: list[str]
) -> None:
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", told)
    assert asked(["tensorrt", "cuda", "cpu"]) == names


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (
            "cuda,azure",
            "TEMPO_EDGE_PROVIDERS names 'azure': "
            "it must be of tensorrt, tensorrt-rtx, cuda, coreml, directml, openvino, webgpu, cpu",
        ),
        (
            "coreml,cpu",
            "TEMPO_EDGE_PROVIDERS names 'coreml', which this build of ONNX Runtime lacks: "
            "it must be of cuda, cpu",
        ),
        (
            "openvino,cpu",
            "TEMPO_EDGE_PROVIDERS names 'openvino', which is absent (OpenVINO's plug-in is not "
            'installed: pip install ".[openvino]"): it must be of cuda, cpu',
        ),
        (
            "cpu,cuda",
            "TEMPO_EDGE_PROVIDERS is 'cpu,cuda': 'cpu' must be the last, for it runs everything",
        ),
    ],
)
def test_what_the_environment_may_not_say(
    monkeypatch: pytest.MonkeyPatch, told: str, error: str
) -> None:
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", told)
    with pytest.raises(ProfileError) as raised:
        asked(["cuda", "cpu"])
    assert str(raised.value) == error


def test_a_wrong_name_ends_what_would_open_a_model(
    nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "gpu")
    with pytest.raises(ProfileError, match="names 'gpu'"):
        open_session(nano.folder / "text.onnx", 1)


# -- those that don't work -------------------------------------------------------------------------


def test_one_that_cannot_be_used_is_named_to_who_asked_for_it(
    nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = nano.folder / "image.onnx"

    def noted(*found: Standing) -> list[tuple[str, str]]:
        monkeypatch.setattr(providers, "standings", lambda wanted=None: [*found, Standing("cpu")])
        planned = plan(path, 1, image_shapes(nano.image_size))
        assert planned.chain == [CPU]
        return planned.notes

    unasked = noted(Standing("tensorrt", "no library"), Standing("cuda", "no card"))
    assert unasked == [("CUDAExecutionProvider", "no card")], "few have TensorRT, none miss it"
    assert noted(Standing("tensorrt", "no library", asked=True)) == [
        ("TensorrtExecutionProvider", "no library")
    ]


def test_tensorrt_is_not_tried_without_shapes(
    nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        providers, "standings", lambda wanted=None: [Standing("tensorrt"), Standing("cpu")]
    )
    assert plan(nano.folder / "image.onnx", 1) == providers.ProviderPlan([CPU], [])


def test_without_a_place_for_engines_the_next_one_is_taken(
    nano: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        providers, "standings", lambda wanted=None: [Standing("tensorrt"), Standing("cpu")]
    )
    monkeypatch.setattr(providers, "nvidia", lambda: Device("card", "8.9", "580"))
    monkeypatch.setattr(providers, "_tensorrt_version", lambda: "10.0.1.6")
    (tmp_path / "cache").write_text("no folder")
    planned = plan(nano.folder / "image.onnx", 1, image_shapes(nano.image_size))
    assert planned.chain == [CPU]
    ((name, reason),) = planned.notes
    assert name == "TensorrtExecutionProvider"
    assert reason.startswith("its engines can't be kept: ") and "cache" in reason


def test_engines_are_kept_apart_by_what_a_model_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that was exported anew has the old one's place, and none of its engines."""
    monkeypatch.setattr(
        providers, "standings", lambda wanted=None: [Standing("tensorrt"), Standing("cpu")]
    )
    monkeypatch.setattr(providers, "nvidia", lambda: Device("card", "8.9", "580"))
    monkeypatch.setattr(providers, "_tensorrt_version", lambda: "10.0.1.6")
    path = tmp_path / "image.onnx"

    def folder(contents: bytes) -> Path:
        path.write_bytes(contents)
        (_, options), _ = plan(path, 1, image_shapes(224)).chain
        return Path(options["trt_engine_cache_path"])

    first = folder(b"a model")
    (first / "graph.engine").write_bytes(b"engine")
    assert json.loads((first / "origin.json").read_text()) == {
        "gpu": "card",
        "capability": "8.9",
        "driver": "580",
        "tensorrt": "10.0.1.6",
        "runtime": f"onnxruntime {onnxruntime.__version__}",
        "model_sha256": hashlib.sha256(b"a model").hexdigest(),
        "model": str(path),
    }
    assert folder(b"a model") == first and (first / "graph.engine").exists()
    second = folder(b"another")  # as many bytes
    assert second != first and not (second / "graph.engine").exists()


def test_one_that_onnx_runtime_does_not_start_is_left(nano: Profile) -> None:
    path = nano.folder / "image.onnx"
    absent = next(full for name, full in NAMES.items() if name not in BUILT)
    with pytest.warns(UserWarning, match="not in available"):
        session, notes = open_with(path, 1, [(absent, {}), CPU])
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert notes == [(absent, "it couldn't be started")]


def test_one_at_which_onnx_runtime_fails_is_left(
    nano: Profile, capfd: pytest.CaptureFixture[str]
) -> None:
    """It refuses two kinds of TensorRT at once; what it raises names the first one's trouble."""
    chain = [("TensorrtExecutionProvider", {}), ("NvTensorRTRTXExecutionProvider", {}), CPU]
    with pytest.warns(UserWarning, match="not in available"):
        session, notes = open_with(nano.folder / "image.onnx", 1, chain)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert [name for name, _ in notes] == [name for name, _ in chain[:2]]
    assert notes[0][1].startswith("Cannot enable both")
    assert capfd.readouterr().out == "", "what a command prints is its own"


def test_a_session_is_opened_with_a_note_for_each(
    nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Standing("cuda", "no card", asked=True), Standing("cpu")]
    monkeypatch.setattr(providers, "standings", lambda wanted=None: found)
    text = "^text.onnx runs without CUDAExecutionProvider: no card$"
    with pytest.warns(RuntimeWarning, match=text) as warned:
        open_session(nano.folder / "text.onnx", 1)
    assert [Path(each.filename) for each in warned] == [Path(__file__)], "where it was opened"


def test_providers_that_are_named_go_before_those_of_the_environment(
    nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(providers.VARIABLE, "nonesuch")
    session = open_session(nano.folder / "text.onnx", 1, providers=("cpu",))
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_what_even_the_cpu_cannot_run_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(ProfileError, match=r"broken\.onnx can't be opened: .*Protobuf") as raised:
        open_session(tmp_path / "broken.onnx", 1)
    assert "\n" not in str(raised.value)


@for_nvidia
def test_on_a_build_for_nvidia(nano: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has, a tower asked to run on a GPU runs."""
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "tensorrt,cuda")
    path, shapes = nano.folder / "image.onnx", image_shapes(nano.image_size)
    lacking = [each.provider for each in standings() if each.trouble]
    if lacking:
        with pytest.warns(RuntimeWarning) as warned:
            session = open_session(path, 1, shapes)
        assert [str(each.message).split()[3].rstrip(":") for each in warned] == lacking
    else:
        session = open_session(path, 1, shapes)
    assert session.get_providers()[-1] == "CPUExecutionProvider"
    vectors, _ = ImageTower(session).encode(np.zeros((2, 224, 224, 3), np.uint8))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(2), abs=1e-3)


@for_nvidia
def test_every_option_is_one_that_tensorrts_provider_knows() -> None:
    names = tensorrt_options(Path("engines"), image_shapes(224))
    library = Path(onnxruntime.__file__).parent / "capi" / "libonnxruntime_providers_tensorrt.so"
    known = library.read_bytes()
    assert [name for name in names if name.encode() + b"\0" not in known] == []


@for_intel
def test_on_a_build_with_openvino(nano: Profile) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    path = nano.folder / "image.onnx"
    session = open_session(path, 1, image_shapes(nano.image_size))
    assert session.get_providers()[0] == "OpenVINOExecutionProvider"
    vectors, _ = ImageTower(session).encode(pictures)
    expected, _ = ImageTower(open_with(path, 1, [CPU])[0]).encode(pictures)
    assert (vectors * expected).sum(axis=1) == pytest.approx(np.ones(3), abs=1e-2)


@for_intel
def test_an_intel_device_that_is_not_there(nano: Profile) -> None:
    chain = [("OpenVINOExecutionProvider", {"device_type": "GPU.9"}), CPU]
    session, notes = open_with(nano.folder / "image.onnx", 1, chain)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert [name for name, _ in notes] == ["OpenVINOExecutionProvider"]


# -- shapes ----------------------------------------------------------------------------------------


def test_tensorrts_options_are_written_as_it_reads_them() -> None:
    options = tensorrt_options(Path("/kept/key"), image_shapes(224))
    assert options == {
        "trt_fp16_enable": True,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": "/kept/key",
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": "/kept/key",
        "trt_profile_min_shapes": "images:1x224x224x3",
        "trt_profile_opt_shapes": "images:16x224x224x3",
        "trt_profile_max_shapes": "images:16x224x224x3",
    }
    options = tensorrt_options(Path("/kept"), text_shapes(77))
    assert options["trt_profile_min_shapes"] == "input_ids:1x1,attention_mask:1x1"
    assert options["trt_profile_opt_shapes"] == "input_ids:1x16,attention_mask:1x16"
    assert options["trt_profile_max_shapes"] == "input_ids:1x77,attention_mask:1x77"


def test_those_of_tensorrt_for_rtx_are_the_same_by_other_names() -> None:
    assert tensorrt_rtx_options(Path("/kept"), text_shapes(77)) == {
        "nv_runtime_cache_path": "/kept",
        "nv_profile_min_shapes": "input_ids:1x1,attention_mask:1x1",
        "nv_profile_opt_shapes": "input_ids:1x16,attention_mask:1x16",
        "nv_profile_max_shapes": "input_ids:1x77,attention_mask:1x77",
    }


@pytest.mark.parametrize(
    ("file", "shapes"), [("image.onnx", image_shapes(224)), ("text.onnx", text_shapes())]
)
def test_the_shapes_are_those_of_the_models(nano: Profile, file: str, shapes: Shapes) -> None:
    inputs = {
        each.name: each.shape for each in open_with(nano.folder / file, 1, [CPU])[0].get_inputs()
    }
    assert list(inputs) == list(shapes)
    for name, shape in shapes.items():
        for told in (shape.least, shape.usual, shape.most):
            fixed = [n if isinstance(n, str) else told[axis] for axis, n in enumerate(inputs[name])]
            assert fixed == inputs[name]


class Recording:
    """A session that remembers the shapes that it was given."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.shapes: list[dict[str, tuple[int, ...]]] = []

    def run(self, outputs: list[str], inputs: dict[str, Any]) -> Any:
        self.shapes.append({name: value.shape for name, value in inputs.items()})
        return self.session.run(outputs, inputs)


def test_no_more_pictures_are_given_at_once_than_an_engine_takes(nano: Profile) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2 * PICTURES + 3, 224, 224, 3), np.uint8)
    session = Recording(open_with(nano.folder / "image.onnx", 1, [CPU])[0])
    vectors, tokens = ImageTower(session).encode(pictures)
    assert [given["images"][0] for given in session.shapes] == [PICTURES, PICTURES, 3]
    assert (len(vectors), len(tokens)) == (35, 35)
    alone, cells = ImageTower(session).encode(pictures[20:21])
    assert vectors[20] @ alone[0] > 0.99999
    assert (tokens[20] * cells[0]).sum(axis=-1) == pytest.approx(np.ones(9), abs=1e-4)


def test_no_sentence_is_longer_than_an_engine_reads(nano: Profile) -> None:
    tokenizer = Tokenizer.from_file(str(nano.checked("tokenizer.json")))
    assert tokenizer.truncation["max_length"] == 64
    assert len(tokenizer.encode("mud " * 200).ids) == text_shapes()["input_ids"].most[1]


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        (((1,), (2, 2), (3,)), "same number of axes"),
        (((2,), (1,), (3,)), "must rise"),
        (((1,), (4,), (3,)), "must rise"),
        (((-1,), (1,), (1,)), "must rise"),
    ],
)
def test_shapes_that_are_none(shape: tuple[Any, Any, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        InputShape(*shape)
