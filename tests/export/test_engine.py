"""Engines built ahead of time, up to where a GPU is needed."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import json
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tempo_export import engine as engines
from tempo_export import tensorrt_api
from tempo_export.engine import (
    EngineError,
    EngineFacts,
    Machine,
    build_engine,
    check_engine,
    manifest_path,
    parse_error,
    write_manifest,
)

from tempo_edge._system.nvidia import Device
from tempo_edge.errors import MissingExtraError, TempoEdgeError
from tempo_edge.models import Profile, load_profile
from tempo_edge.models.engine_cache import EngineOrigin
from tempo_edge.models.shapes import image_shapes

HERE = Machine(Device("NVIDIA L4", "8.9", "580.65.06, CUDA 13.0"), "11.4.0.106")

MODEL, GRAPH = sha256(b"model").hexdigest(), sha256(b"graph").hexdigest()

INSTALLED = importlib.util.find_spec("tensorrt") is not None


@pytest.fixture(params=["tensorrt", "tensorrt_rtx"])
def tensorrt(request: pytest.FixtureRequest) -> Any:
    """TensorRT's own module, and that of TensorRT for RTX, which has the same interface."""
    if request.param == "tensorrt" and INSTALLED:
        return tensorrt_api.load_tensorrt()
    return pytest.importorskip(request.param, reason="needs TensorRT", exc_type=ImportError)


@pytest.fixture(scope="module")
def nano() -> Profile:
    return load_profile("nano")


# -- without TensorRT ------------------------------------------------------------------------------


def test_without_tensorrt_the_onnx_files_are_what_works(
    nano: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtraError) as raised:
        build_engine(nano.folder / "image.onnx", tmp_path / "image.engine", precision="fp16")
    text = str(raised.value)
    assert text.startswith("TensorRT can't be used (") and "\n" not in text
    assert "pip install tensorrt" in text
    assert text.endswith("the ONNX files run without it, on CUDA or the CPU")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["8.6.1", "12.0.0.1", "9.3", "?"])
def test_a_tensorrt_that_is_not_known(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    other = type(sys)("tensorrt")
    other.__dict__["__version__"] = version
    monkeypatch.setitem(sys.modules, "tensorrt", other)
    with pytest.raises(MissingExtraError, match=r"^TensorRT .* must be of version 10 or 11;"):
        tensorrt_api.load_tensorrt()


# -- what TensorRT says ----------------------------------------------------------------------------


@dataclass
class Refused:
    """An error in the form that TensorRT's parser gives it."""

    text: str

    def desc(self) -> str:
        return self.text

    def node(self) -> int:
        return 12

    def node_name(self) -> str:
        return "conv_13"

    def node_operator(self) -> str:
        return "Conv"


@dataclass
class Parsed:
    errors: list[Refused]

    @property
    def num_errors(self) -> int:
        return len(self.errors)

    def get_error(self, index: int) -> Refused:
        return self.errors[index]

    def parse_from_file(self, model: str) -> bool:
        return not self.errors


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ([], "image.onnx can't be parsed"),
        (["no\n kernel"], "image.onnx: node 12 'conv_13' (Conv) is refused: no kernel"),
        (["a", "b"], "image.onnx: node 12 'conv_13' (Conv) is refused: a (and 1 more)"),
    ],
)
def test_a_refused_node_is_named(errors: list[str], text: str) -> None:
    parser: Any = Parsed([Refused(each) for each in errors])
    assert parse_error(Path("/models/image.onnx"), parser) == text


def test_the_interface_is_that_of_tensorrt(tensorrt: Any) -> None:
    parts = {
        tensorrt_api.Parser: tensorrt.OnnxParser,
        tensorrt_api.ParserError: tensorrt.ParserError,
        tensorrt_api.Network: tensorrt.INetworkDefinition,
        tensorrt_api.OptimizationProfile: tensorrt.IOptimizationProfile,
        tensorrt_api.TimingCache: tensorrt.ITimingCache,
        tensorrt_api.Config: tensorrt.IBuilderConfig,
        tensorrt_api.Builder: tensorrt.Builder,
        tensorrt_api.TensorRT: tensorrt,
    }
    for mine, theirs in parts.items():
        for name in getattr(mine, "__annotations__", {}):
            assert hasattr(theirs, name), name
        for name, function in inspect.getmembers(mine, inspect.isfunction):
            if name.startswith("_") or mine is tensorrt_api.TensorRT:
                continue
            told = str(getattr(theirs, name).__doc__)
            for parameter in list(inspect.signature(function).parameters)[1:]:
                assert f"{parameter}: " in told, (name, parameter)
    assert int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED) in (0, 1)
    assert tensorrt.MemoryPoolType.WORKSPACE is not None


def test_errors_are_collected_and_nothing_is_printed(
    tensorrt: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    errors: list[str] = []
    log = tensorrt_api.logger(tensorrt, errors)
    log.log(tensorrt.ILogger.ERROR, "no\n kernel")
    log.log(tensorrt.ILogger.WARNING, "slow")
    assert errors == ["no kernel"]
    assert isinstance(log, tensorrt.ILogger)
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(not INSTALLED, reason="needs TensorRT")
def test_an_engine_is_built_and_is_of_this_machine(nano: Profile, tmp_path: Path) -> None:
    out = tmp_path / "image.engine"
    try:
        facts = build_engine(nano.folder / "image.onnx", out, precision="fp16")
    except EngineError as error:
        pytest.skip(f"TensorRT without a GPU: {error}")
    assert check_engine(out, model=nano.folder / "image.onnx") == facts
    assert (tmp_path / "timing.cache").stat().st_size > 0


# -- manifests -------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A file that stands for an engine, with its model, its graph and its manifest."""
    (tmp_path / "image.onnx").write_bytes(b"model")
    (tmp_path / "image.fp16.onnx").write_bytes(b"graph")
    engine = tmp_path / "image.engine"
    engine.write_bytes(b"plan" * 1000)
    write_manifest(
        engine,
        tmp_path / "image.onnx",
        tmp_path / "image.fp16.onnx",
        "fp16",
        [image_shapes(224)],
        HERE,
        12.34567,
        ["trtexec", "--onnx=my graph"],
    )
    return engine


def test_a_manifest_says_what_an_engine_is(kept: Path) -> None:
    told = json.loads(manifest_path(kept).read_text())
    assert told == {
        "engine": "image.engine",
        "engine_sha256": sha256(b"plan" * 1000).hexdigest(),
        "key": EngineOrigin.of(HERE.device, HERE.tensorrt, "tensorrt", MODEL).key,
        "origin": {
            "gpu": "NVIDIA L4",
            "capability": "8.9",
            "driver": "580.65.06, CUDA 13.0",
            "tensorrt": "11.4.0.106",
            "runtime": "tensorrt",
            "model_sha256": MODEL,
        },
        "source": "image.onnx",
        "graph": "image.fp16.onnx",
        "graph_sha256": GRAPH,
        "precision": "fp16",
        "profiles": [{"images": [[1, 224, 224, 3], [16, 224, 224, 3], [16, 224, 224, 3]]}],
        "build_seconds": 12.346,
        "command": ["trtexec", "--onnx=my graph"],
    }
    names = {"image.engine", "image.engine.json", "image.fp16.onnx", "image.onnx"}
    assert {path.name for path in kept.parent.iterdir()} == names


def test_a_manifest_takes_the_place_of_another_at_once(kept: Path, tmp_path: Path) -> None:
    former = tmp_path / "former.json"
    former.hardlink_to(manifest_path(kept))
    told = former.read_bytes()
    write_manifest(
        kept, tmp_path / "image.onnx", tmp_path / "image.fp16.onnx", "fp16", [], HERE, 1.0, []
    )
    assert former.read_bytes() == told, "it was written beside, not over"
    assert manifest_path(kept).read_bytes() != told


def test_an_engine_that_is_what_it_was(kept: Path) -> None:
    facts = check_engine(kept, machine=HERE)
    assert isinstance(facts, EngineFacts)
    assert facts.origin == EngineOrigin.of(HERE.device, HERE.tensorrt, "tensorrt", MODEL)
    assert facts.shell_line == "trtexec '--onnx=my graph'"
    assert check_engine(kept, model=kept.parent / "image.onnx", machine=HERE) == facts


def refused(engine: Path, **choices: Any) -> str:
    with pytest.raises(EngineError) as raised:
        check_engine(engine, **{"machine": HERE, **choices})
    text = str(raised.value)
    assert text.startswith(f"{engine} ") and "\n" not in text
    assert isinstance(raised.value, TempoEdgeError)
    return text.removeprefix(f"{engine} ")


def test_an_altered_engine_is_refused(kept: Path) -> None:
    contents = bytearray(kept.read_bytes())
    contents[500] ^= 1
    kept.write_bytes(contents)
    assert refused(kept).startswith("was altered: it has SHA-256 ")


@pytest.mark.parametrize(
    ("machine", "text"),
    [
        (
            Machine(dataclasses.replace(HERE.device, name="NVIDIA H100"), HERE.tensorrt),
            "was built for gpu 'NVIDIA L4', this machine has 'NVIDIA H100'",
        ),
        (
            Machine(dataclasses.replace(HERE.device, capability="9.0"), HERE.tensorrt),
            "was built for capability '8.9', this machine has '9.0'",
        ),
        (
            Machine(dataclasses.replace(HERE.device, driver="590"), HERE.tensorrt),
            "was built for driver '580.65.06, CUDA 13.0', this machine has '590'",
        ),
        (
            Machine(HERE.device, "11.5.0.1"),
            "was built for tensorrt '11.4.0.106', this machine has '11.5.0.1'",
        ),
    ],
)
def test_an_engine_of_another_machine_is_refused(kept: Path, machine: Machine, text: str) -> None:
    assert refused(kept, machine=machine) == text


def test_an_engine_of_another_model_is_refused(kept: Path) -> None:
    other = kept.parent / "other.onnx"
    other.write_bytes(b"another")
    assert refused(kept, model=other).startswith("was built from another image.onnx: that has")
    assert refused(kept, model=kept.parent / "nowhere").startswith("can't be checked: ")


def test_an_engine_under_another_name_is_refused(kept: Path) -> None:
    renamed = kept.with_name("text.engine")
    kept.rename(renamed)
    assert refused(renamed).startswith("has no manifest that can be read: FileNotFoundError")
    manifest_path(kept).rename(manifest_path(renamed))
    assert refused(renamed) == "has the manifest of 'image.engine'"


def test_an_engine_that_is_gone_is_refused(kept: Path) -> None:
    kept.unlink()
    assert refused(kept).startswith("can't be checked: ")


def _without_key(told: dict[str, Any]) -> None:
    del told["key"]


def _with_more(told: dict[str, Any]) -> None:
    told["more"] = 1


def _with_shapes(told: dict[str, Any]) -> None:
    told["profiles"][0]["images"] = [[2], [1], [3]]


def _with_origin(told: dict[str, Any]) -> None:
    told["origin"] = "here"


@pytest.mark.parametrize("change", [_without_key, _with_more, _with_shapes, _with_origin])
def test_a_manifest_of_another_form_is_refused(kept: Path, change: Any) -> None:
    told = json.loads(manifest_path(kept).read_text())
    change(told)
    manifest_path(kept).write_text(json.dumps(told))
    assert refused(kept).startswith("has no manifest that can be read: ")


@pytest.mark.parametrize("text", ["{", "[]", "null", "\xff"])
def test_a_manifest_that_is_none_is_refused(kept: Path, text: str) -> None:
    manifest_path(kept).write_text(text, encoding="latin-1")
    assert refused(kept).startswith("has no manifest that can be read: ")


def test_a_manifest_that_tells_of_another_machine_is_refused(kept: Path) -> None:
    """Who moves an engine can't make it fit by writing that it does."""
    told = json.loads(manifest_path(kept).read_text())
    told["origin"]["gpu"] = "NVIDIA H100"
    manifest_path(kept).write_text(json.dumps(told))
    other = Machine(dataclasses.replace(HERE.device, name="NVIDIA H100"), HERE.tensorrt)
    assert refused(kept, machine=other) == (
        "has an altered manifest: its key isn't that of its origin"
    )


def test_without_tensorrt_no_engine_is_of_this_machine(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtraError, match="the ONNX files run without it"):
        check_engine(kept)


def test_without_a_gpu_no_engine_is_of_this_machine(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Device:
        raise OSError("cuInit says 'no CUDA-capable device is detected'")

    known = type(sys)("tensorrt")
    known.__dict__["__version__"] = "11.4.0.106"
    monkeypatch.setitem(sys.modules, "tensorrt", known)
    monkeypatch.setattr(engines, "nvidia", none)
    with pytest.raises(EngineError, match=r"needs an NVIDIA GPU.*no CUDA-capable device") as raised:
        check_engine(kept)
    assert str(raised.value).endswith("the ONNX files run without it")
