"""Providers from packages of their own: those that don't work, and OpenVINO's where it is."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from harness import Said

from tempo_edge._system.nvidia import Device
from tempo_edge.models import Profile, load_profile, provider_plugins, providers, shared_libraries
from tempo_edge.models.agreement import TOLERANCE, ComparedSession, Verdict
from tempo_edge.models.provider_plugins import PLUGINS, Loaded, load
from tempo_edge.models.providers import Standing, openvino_options, plan, standings
from tempo_edge.models.sessions import open_session
from tempo_edge.models.shapes import image_shapes, text_shapes
from tempo_edge.models.towers import ImageTower

MODULE = "onnxruntime_ep_fake"
SHARED = Path(onnxruntime.__file__).parent / "capi" / "libonnxruntime_providers_shared.so"

Package = Callable[[str], None]


@pytest.fixture(scope="module")
def nano() -> Profile:
    return load_profile("nano")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Makes a package with this code in the place of WebGPU's."""
    fake = replace(PLUGINS["webgpu"], module=MODULE, lacking=lambda: ("", ""))
    monkeypatch.setitem(PLUGINS, "webgpu", fake)
    monkeypatch.setattr(provider_plugins, "_loaded", {})
    monkeypatch.syspath_prepend(tmp_path / "packages")

    def make(code: str) -> None:
        folder = tmp_path / "packages" / MODULE
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(textwrap.dedent(code))
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, MODULE, raising=False)

    return make


def brings(path: object) -> str:
    return f"def get_library_path(): return {str(path)!r}"


def webgpu() -> Standing:
    return next(each for each in standings() if each.name == "webgpu")


# -- those that don't work -------------------------------------------------------------------------


def test_what_is_not_installed_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(PLUGINS["webgpu"], module="onnxruntime_ep_nonesuch")
    monkeypatch.setitem(PLUGINS, "webgpu", absent)
    assert "webgpu" not in [each.name for each in standings()]


def test_a_package_is_tried_behind_what_is_built_in_and_before_the_cpu(package: Package) -> None:
    package(brings("nonesuch"))
    assert [each.name for each in standings()][-2:] == ["webgpu", "cpu"]


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("raise ImportError('not for this Python')", "brings no library: not for this Python"),
        ("", "brings no library: module .* has no attribute 'get_library_path'"),
        (
            "def get_library_path(): raise FileNotFoundError('not found at\\n/x')",
            "brings no library: not found at /x",
        ),
        (brings("/nonesuch.so"), "ONNX Runtime doesn't take its library: .*/nonesuch.so.*"),
        (brings(Path(__file__)), "ONNX Runtime doesn't take its library: .*test_provider.*"),
        (brings(SHARED), "ONNX Runtime doesn't take its library: .*CreateEpFactories.*"),
    ],
    ids=["no import", "no function", "no file", "not there", "no library", "no plug-in"],
)
def test_a_package_that_does_not_work_is_a_line(
    package: Package,
    nano: Profile,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    trouble: str,
) -> None:
    package(code)
    found = webgpu()
    assert "\n" not in found.trouble
    pattern = f"({MODULE} )?{trouble}"
    assert re.fullmatch(pattern, found.trouble), found.trouble
    again = f"pip install --force-reinstall --no-deps {PLUGINS['webgpu'].distribution}"
    assert found.mend.replace('"', "") == (again if "brings no library" in trouble else "")
    session = open_session(nano.folder / "text.onnx", 1)  # and nobody is told, who never asked
    assert session.get_providers() == ["CPUExecutionProvider"]
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "webgpu")
    with pytest.warns(RuntimeWarning, match="^text.onnx runs without WebGpuExecutionProvider: "):
        open_session(nano.folder / "text.onnx", 1)
    assert capfd.readouterr() == ("", "")


def test_a_plug_in_without_a_device(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    package(brings("/plugin.so"))
    taken = []
    monkeypatch.setattr(
        onnxruntime, "register_execution_provider_library", lambda *each: taken.append(each)
    )
    assert webgpu().trouble == "it finds no device here"
    assert taken == [("WebGpuExecutionProvider", "/plugin.so")]


def test_an_onnx_runtime_that_knows_no_plug_ins(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(brings("/plugin.so"))
    monkeypatch.delattr(onnxruntime, "register_execution_provider_library")
    found = webgpu()
    number = onnxruntime.__version__
    assert found.trouble == f"ONNX Runtime {number} knows no plug-ins, 1.24 and later do"
    assert found.mend == "pip install --upgrade onnxruntime"


def test_what_the_machine_lacks_is_looked_at_before_the_package(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    package("raise AssertionError('imported')")
    rtx = replace(PLUGINS["tensorrt-rtx"], module=MODULE)

    def none() -> None:
        raise OSError("libcuda.so.1: cannot open")

    monkeypatch.setattr("tempo_edge._system.nvidia.nvidia", none)
    monkeypatch.setitem(PLUGINS, "tensorrt-rtx", rtx)
    assert load("tensorrt-rtx") == Loaded("no usable NVIDIA GPU: libcuda.so.1: cannot open")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux reaches cards by Vulkan")
def test_a_machine_without_vulkan(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str, places: object) -> None:
        raise OSError(f"{name}: no such file")

    monkeypatch.setattr(shared_libraries, "load", none)
    assert PLUGINS["webgpu"].lacking() == (
        "libvulkan.so.1 can't be loaded: libvulkan.so.1: no such file",
        "apt install libvulkan1",
    )


def test_a_package_is_not_imported_where_others_are_asked_for(
    package: Package, nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    package("raise AssertionError('imported')")
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "cpu")
    assert [each.name for each in standings()] == ["cpu"]
    assert provider_plugins.is_installed("webgpu") and MODULE not in sys.modules
    assert provider_plugins._loaded == {}


@pytest.mark.parametrize("before", [None, "/mine"])
def test_what_a_package_does_to_the_environment_is_undone(
    package: Package, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    """NVIDIA's puts its libraries before those of every program that is started later."""
    package("import os; os.environ['LD_LIBRARY_PATH'] = '/theirs'")
    if before is None:
        monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    else:
        monkeypatch.setenv("LD_LIBRARY_PATH", before)
    load("webgpu")
    assert MODULE in sys.modules
    assert os.environ.get("LD_LIBRARY_PATH") == before


def test_a_library_is_given_to_onnx_runtime_once(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(brings("/plugin.so"))
    taken = []
    monkeypatch.setattr(
        onnxruntime, "register_execution_provider_library", lambda *each: taken.append(each)
    )
    together = threading.Barrier(4)

    def ask() -> None:
        together.wait()
        load("webgpu")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(taken) == 1


def test_doctor_tells_one_that_does_not_work(
    package: Package, tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    package("raise ImportError('not for this Python')")

    def told() -> tuple[int, list[str]]:
        said = tempo("doctor")
        rows = [" ".join(line.split()) for line in said.out.splitlines()]
        return said.status, [row for row in rows if " providers webgpu: " in row]

    line = (
        "absent providers webgpu: onnxruntime_ep_fake brings no library: not for this Python -> "
        "pip install --force-reinstall --no-deps onnxruntime-ep-webgpu"
    )
    assert told() == (0, [line])
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "webgpu")
    assert told() == (2, [line.replace("absent", "MISSING")])


# -- devices ---------------------------------------------------------------------------------------


def device(kind: str, apart: bool = False, **facts: str) -> Any:
    hardware = SimpleNamespace(
        type=SimpleNamespace(name=kind), vendor="AMD", metadata={"Discrete": str(int(apart))}
    )
    about = {"library_path": "/plugin.so", **facts}
    return SimpleNamespace(
        ep_name="WebGpuExecutionProvider", ep_metadata=about, device=hardware, number=kind
    )


def test_a_card_of_its_own_comes_first_and_the_cpu_last(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(brings("/plugin.so"))
    best = [
        device("GPU", apart=True),
        device("GPU", DEVICE_TYPE="integrated"),
        device("NPU"),
        device("CPU"),
        device("OTHER"),
    ]
    for first in range(len(best)):
        monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda first=first: best[first:][::-1])
        assert provider_plugins.device_for("WebGpuExecutionProvider") is best[first]
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: best[::-1])
    assert load("webgpu") == Loaded(kind="GPU", label="AMD GPU", version="unknown")
    assert webgpu().trouble == "", "nothing needs be registered that somebody else has"


def test_one_that_has_only_the_cpu_is_for_who_asks_for_it(
    package: Package, nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    package("")
    real = onnxruntime.get_ep_devices()
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: [*real, device("CPU")])
    assert webgpu().trouble == "it has only the CPU here: TEMPO_EDGE_PROVIDERS=webgpu tries it"
    path = nano.folder / "text.onnx"
    assert [name for name, _ in plan(path, 1).chain] == ["CPUExecutionProvider"]
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "webgpu")
    assert webgpu().trouble == ""
    assert [name for name, _ in plan(path, 1).chain] == [
        "WebGpuExecutionProvider",
        "CPUExecutionProvider",
    ]


def test_tensorrt_for_rtx_wants_shapes_and_a_place_for_its_engines(
    nano: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Standing("tensorrt-rtx", plugin=Loaded(kind="GPU", label="RTX", version="0.5.0"))
    monkeypatch.setattr(providers, "standings", lambda wanted=None: [found, Standing("cpu")])
    monkeypatch.setattr(providers, "nvidia", lambda: Device("RTX", "8.9", "580"))
    path = nano.folder / "text.onnx"
    assert [name for name, _ in plan(path, 1).chain] == ["CPUExecutionProvider"]
    planned = plan(path, 1, text_shapes())
    (name, options), _ = planned.chain
    assert name == "NvTensorRTRTXExecutionProvider"
    assert planned.plugins == {name: found.plugin}
    folder = Path(options["nv_runtime_cache_path"])
    assert folder.parent == tmp_path / "cache" / "tempo-edge" / "tensorrt-rtx"
    origin = json.loads((folder / "origin.json").read_text())
    assert (origin["gpu"], origin["capability"], origin["driver"]) == ("RTX", "8.9", "580")
    assert origin["runtime"] == f"onnxruntime {onnxruntime.__version__}, {name} 0.5.0"


def test_a_cpu_computes_as_the_cpu_does_and_a_card_as_it_likes() -> None:
    def told(kind: str) -> Any:
        return json.loads(openvino_options(kind, Path("/kept"), 2)["load_config"])

    assert told("GPU") == {"GPU": {"CACHE_DIR": "/kept"}}
    assert told("CPU") == {
        "CPU": {
            "CACHE_DIR": "/kept",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 2,
        }
    }


# -- OpenVINO's ------------------------------------------------------------------------------------


@pytest.fixture
def openvino(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """The real plug-in, asked for by name."""
    pytest.importorskip("onnxruntime_ep_openvino")
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "openvino")
    found = standings()[0]
    assert (found.name, found.trouble) == ("openvino", "")
    assert found.plugin is not None
    return found.plugin


def test_openvino_gives_what_the_cpu_gives(openvino: Loaded, nano: Profile, tmp_path: Path) -> None:
    path, shapes = nano.folder / "image.onnx", image_shapes(nano.image_size)
    session = open_session(path, 1, shapes)
    assert isinstance(session, ComparedSession)
    assert session.get_providers()[0] == "OpenVINOExecutionProvider"
    pictures = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    vectors, tokens = ImageTower(session).encode(pictures)
    assert session.get_providers()[0] == "OpenVINOExecutionProvider", "it wasn't left"
    expected, places = ImageTower(open_session(path, 1, providers=("cpu",))).encode(pictures)
    assert np.abs(vectors - expected).max() <= TOLERANCE
    assert np.abs(tokens - places).max() <= TOLERANCE
    (kept,) = json.loads((tmp_path / "cache/tempo-edge/providers.json").read_text()).values()
    assert (kept["provider"], kept["version"]) == ("OpenVINOExecutionProvider", openvino.version)
    assert kept["difference"] <= TOLERANCE
    assert list((tmp_path / "cache/tempo-edge/openvino").glob("*/*.blob")), "opened faster again"


def test_one_that_once_gave_something_else_is_not_opened(openvino: Loaded, nano: Profile) -> None:
    path = nano.folder / "text.onnx"
    device = f"{openvino.kind} {openvino.label}"
    runtime = onnxruntime.__version__
    Verdict.of("OpenVINOExecutionProvider", openvino.version, device, runtime, path).keep(0.5)
    told = "^text.onnx runs without OpenVINOExecutionProvider: its numbers differ .* by 5.0e-01, "
    with pytest.warns(RuntimeWarning, match=told):
        session = open_session(path, 1, text_shapes())
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_options_that_openvino_refuses_leave_it(
    openvino: Loaded, nano: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "openvino_options", lambda *each: {"load_config": "no JSON"})
    with pytest.warns(RuntimeWarning, match="^text.onnx runs without OpenVINO"):
        session = open_session(nano.folder / "text.onnx", 1)
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_doctor_names_openvinos_device(openvino: Loaded, tempo: Callable[..., Said]) -> None:
    (line,) = [each for each in tempo("doctor").out.splitlines() if "OpenVINOExec" in each]
    assert f"OpenVINOExecutionProvider on {openvino.label}, CPUExecutionProvider" in line
