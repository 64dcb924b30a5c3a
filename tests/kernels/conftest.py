"""The C++ kernels, built once for all tests with what CMakeLists.txt says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tempo_kernels import dispatch, native

ROOT = Path(__file__).parents[2]


def build(folder: Path, *options: str) -> Path:
    """Configure and build into a folder, which is given back; skips where there is no CMake."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    for command in (["-S", str(ROOT), "-B", str(folder), *options], ["--build", str(folder)]):
        done = subprocess.run(["cmake", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning" not in (done.stdout + done.stderr).lower()
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # CUDA's part is built by its own test.
    return build(tmp_path_factory.mktemp("build"), "-DTEMPO_CUDA=OFF")


@pytest.fixture
def compiled(built: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Meanwhile the library that was just built is the one that is loaded."""
    monkeypatch.setenv("TEMPO_KERNELS_PATH", str(built))
    for kept in (native.load, dispatch._fastest):
        kept.cache_clear()
    yield built
    for kept in (native.load, dispatch._fastest):
        kept.cache_clear()
