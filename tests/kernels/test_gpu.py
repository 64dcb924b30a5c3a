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
from tempo_kernels.reference import shrink, sum_absolute_differences

ROOT = Path(__file__).parents[2]

SIMULATED = """
import numpy as np
from tempo_kernels import available, gpu
from tempo_kernels.reference import shrink, sum_absolute_differences

assert available()["numba-cuda"]
rng = np.random.default_rng(0)
# Every thread of a launch is one of the simulator's: few pictures, but every edge that a block has.
for number in range(8):
    dtype = (np.uint8, np.uint16)[number % 2]
    count, height, width = 1 + number % 3, *rng.integers(1, 24, 2)
    block = (1, 7, 16, 25)[number // 2]
    size = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
    shape = int(count), int(height), int(width)
    pictures = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    sums = np.zeros((count - 1, -(-height // block), -(-width // block)), np.int64)
    small = np.zeros((count, *size), dtype)
    gpu.compare_pictures(pictures, block, sums, small)
    for at in range(count - 1):
        expected = sum_absolute_differences(pictures[at], pictures[at + 1], block)
        np.testing.assert_array_equal(sums[at], expected)
    for at in range(count):
        np.testing.assert_array_equal(small[at], shrink(pictures[at], size))
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
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    for block in (16, 5, 200):
        size = min(28, shape[1]), min(28, shape[2])
        sums = np.zeros((shape[0] - 1, -(-shape[1] // block), -(-shape[2] // block)), np.int64)
        small = np.zeros((shape[0], *size), dtype)
        native.compare_pictures(pictures, block, sums, small)
        for at in range(shape[0] - 1):
            expected = sum_absolute_differences(pictures[at], pictures[at + 1], block)
            np.testing.assert_array_equal(sums[at], expected)
        for at in range(shape[0]):
            np.testing.assert_array_equal(small[at], shrink(pictures[at], size))


def test_a_gpu_that_is_not_there_is_said() -> None:
    if native.cuda_usable():
        pytest.skip("there is one")
    picture = np.zeros((16, 16), np.uint8)
    with pytest.raises(ValueError, match="kernel 'cuda' must be one of"):
        compare(picture, picture, kernel="cuda")
