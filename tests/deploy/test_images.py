"""The Dockerfiles, as far as they can be checked without building: no container runs here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from command_lines import check
from dockerfile import Dockerfile, is_ignored
from tempo_kernels import native

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[2]
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
FILES = sorted((ROOT / "deploy").glob("*.Dockerfile"))

# Those of machines with a card, which bring kernels of C++ and CUDA.
CARDS = [path for path in FILES if path.name != "cpu.Dockerfile"]


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def image(request: pytest.FixtureRequest) -> Dockerfile:
    return Dockerfile(request.param)


def copied(image: Dockerfile, folder: Path) -> Path:
    """The folder, with nothing in it but what the image's build copies."""
    for source in image.sources():
        for path in [ROOT / source, *(ROOT / source).rglob("*")]:
            name = path.relative_to(ROOT)
            if path.is_file() and not is_ignored(str(name), IGNORED):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / name)
    return folder


@pytest.fixture
def context(image: Dockerfile, tmp_path: Path) -> Path:
    return copied(image, tmp_path)


def test_each_machine_has_one() -> None:
    assert [path.stem for path in FILES] == ["cpu", "jetson", "rtx"]


def test_bases_are_pinned(image: Dockerfile) -> None:
    for stage in image.stages:
        base, *_ = stage[0].words
        _, _, tag = base.rpartition("/")[2].partition(":")
        assert tag and "latest" not in tag and "$" not in base, base


def test_what_is_copied_is_there_and_reaches_the_build(image: Dockerfile) -> None:
    sources = list(image.sources())
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not is_ignored(source, IGNORED), source
    git = subprocess.run(["git", "check-ignore", *sources], cwd=ROOT, capture_output=True)
    assert git.returncode in (1, 128), git.stdout  # none is ignored; or this is no repository


def test_nothing_is_added_from_elsewhere(image: Dockerfile) -> None:
    assert image.all("ADD") == []
    stages = [stage[0].words[-1] for stage in image.stages if "AS" in stage[0].words]
    for each in image.all("COPY"):
        assert each.flags.get("from", stages[0]) in stages


def test_it_does_not_run_as_root(image: Dockerfile) -> None:
    user = image.last("USER").text
    assert user.isdigit() and int(user) > 0  # a number, so that an orchestrator can tell
    (made,) = [each.text for each in image.stages[-1] if "useradd" in each.text]
    assert f"--uid {user} " in made
    assert ("--groups video " in made) == (image.path in CARDS)


def test_what_it_runs_exists(image: Dockerfile) -> None:
    entry, command = image.last("ENTRYPOINT").words, image.last("CMD").words
    assert entry == ["tempo-edge"]
    assert check(command) == "doctor"
    verb, _, health = image.last("HEALTHCHECK").text.partition(" ")
    assert verb == "CMD" and health == '["tempo-edge", "doctor"]'


def test_everything_that_is_written_lies_in_a_volume(image: Dockerfile) -> None:
    volumes, environment = image.last("VOLUME").words, image.environment
    for name in ("HOME", "XDG_DATA_HOME", "NUMBA_CACHE_DIR", "TEMPO_EDGE_PROFILES"):
        path = PurePosixPath(environment[name])
        assert any(path.is_relative_to(volume) for volume in volumes), name
    (made,) = [each.text for each in image.stages[-1] if "useradd" in each.text]
    assert f"install -d -o tempo -g tempo {' '.join(volumes)}" in made


def test_the_runtime_tells_nobody_anything(image: Dockerfile) -> None:
    """ONNX Runtime from 1.29 on sends what it does to its maker unless it is told not to."""
    assert image.environment["ORT_DISABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.name)
def test_kernels_lie_where_they_are_looked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Dockerfile(path)
    monkeypatch.setenv("TEMPO_KERNELS_PATH", image.environment["TEMPO_KERNELS_PATH"])
    folder = native._folders()[0]
    (built,) = [each.text for each in image.stages[0] if "cmake --build" in each.text]
    libraries = " ".join(f"build/{native.file_name(name)}" for name in native.LIBRARIES.values())
    assert f"install -D -t {folder} {libraries}" in built
    assert any(
        each.flags.get("from") and each.words == [str(folder), str(folder)]
        for each in image.stages[-1]
    )


def sources(context: Path) -> dict[str, bytes]:
    """What a build of the kernels reads, by name."""
    files = [context / "CMakeLists.txt", *(context / "kernels").rglob("*")]
    return {str(p.relative_to(context)): p.read_bytes() for p in files if p.is_file()}


def test_the_kernels_build_from_what_is_copied(tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    context, *others = [copied(Dockerfile(path), tmp_path / path.stem) for path in CARDS]
    for other in others:
        assert sources(other) == sources(context), "what builds for one builds for the other"
    for command in (["-S", ".", "-B", "build", "-DTEMPO_CUDA=OFF"], ["--build", "build"]):
        done = subprocess.run(["cmake", *command], cwd=context, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (context / "build" / native.file_name("tempo_kernels")).is_file()
    assert (context / "kernels" / "cuda" / "compare.cu").is_file()


def test_the_package_is_whole_in_what_is_copied(context: Path) -> None:
    settings = tomllib.loads((context / "pyproject.toml").read_text(encoding="utf-8"))
    project, hatch = settings["project"], settings["tool"]["hatch"]
    packages = hatch["build"]["targets"]["wheel"]["packages"]
    single = [project["readme"], *project["license-files"], hatch["version"]["path"]]
    assert all((context / file).is_file() for file in single)
    for package in packages:
        here = {p.relative_to(ROOT) for p in (ROOT / package).rglob("*") if _is_source(p)}
        assert here and here == {
            p.relative_to(context) for p in (context / package).rglob("*") if p.is_file()
        }


def _is_source(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".pyc", ".nbi", ".nbc")


def test_hadolint_has_nothing_to_say(image: Dockerfile) -> None:
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    hadolint = shutil.which("hadolint", path=beside) or pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, str(image.path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("tempo_edge", False),
        ("tempo_edge/models/nano/text.onnx", False),
        ("kernels/cuda", False),
        ("kernels", True),
        (".git/config", True),
        ("tests/videos.py", True),
        ("build/libtempo_kernels.so", True),
        ("tempo_edge/__pycache__/cli.cpython-310.pyc", True),
        ("kernels/tempo_kernels/cpu.py310.nbi", True),
    ],
)
def test_what_reaches_the_build(path: str, ignored: bool) -> None:
    assert is_ignored(path, IGNORED) is ignored
