"""The kernels for GPUs equal the definition: on a GPU if there is one, else in Numba's simulator.

The CUDA C++ ones are compiled wherever there is a toolkit, and no register of theirs may spill: for
one architecture in every run, for all of them where the slow tests are asked for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tempo_kernels import compare, native
from tempo_kernels.conformance import Case, disagreement, kernel, noise

ROOT = Path(__file__).parents[2]

SIMULATED = """
from tempo_kernels import available
from tempo_kernels.conformance import cases, disagreement, kernel
from tempo_kernels.conformance import surface_cases, surface_disagreement

assert available()["numba-cuda"]
# Every thread of a launch is one of the simulator's: few pictures, but every edge that a block has.
wrong = [disagreement(kernel("numba-cuda"), case) for case in cases(8, 23)]
assert wrong == [""] * 8, wrong
wrong = [surface_disagreement(case) for case in surface_cases(16, 10)]
assert wrong == [""] * 16, wrong
print("equal")
"""


def test_numbas_kernels_equal_the_definition_in_the_simulator() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIMULATED],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT / "kernels")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "equal", done.stderr


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (["-DCMAKE_CUDA_ARCHITECTURES=87"], ["sm_87"]),
        pytest.param(
            [],
            ["sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["one", "all"],
)
def test_cuda_compiles_without_a_spill(
    tmp_path: Path, option: list[str], expected: list[str]
) -> None:
    if shutil.which("nvcc") is None or shutil.which("cmake") is None:
        pytest.skip("no CUDA toolkit")
    said = ""
    for command in (["-S", str(ROOT), "-B", str(tmp_path), *option], ["--build", str(tmp_path)]):
        done = subprocess.run(["cmake", *command], capture_output=True, text=True)
        said += done.stdout + done.stderr
        assert done.returncode == 0, said
    compiled = re.findall(r"Compiling entry function '\w+' for '(sm_\d+)'", said)
    assert sorted(set(compiled)) == expected
    spills = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", said)
    assert len(spills) == len(compiled) and set(spills) == {("0", "0")}
    assert (tmp_path / native.file_name("tempo_kernels_cuda")).exists()


@pytest.mark.skipif(not native.cuda_usable(), reason="no GPU, or the CUDA kernels are not built")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 144, 176), (40, 143, 175), (2, 1, 1), (33, 64, 1024)])
def test_cudas_kernels_equal_the_definition(
    shape: tuple[int, int, int], dtype: type[np.unsignedinteger]
) -> None:
    pictures = noise(shape, dtype)
    size = min(28, shape[1]), min(28, shape[2])
    for block in (16, 5, 200):
        assert disagreement(kernel("cuda"), Case(pictures, block, size)) == ""


def test_a_gpu_that_is_not_there_is_said() -> None:
    if native.cuda_usable():
        pytest.skip("there is one")
    picture = np.zeros((16, 16), np.uint8)
    with pytest.raises(ValueError, match="kernel 'cuda' must be one of"):
        compare(picture, picture, kernel="cuda")
