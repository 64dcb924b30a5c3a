"""Numba is heavy: it is imported at the first difference only, and compiles once for all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tempo_kernels

WORK = """
import sys
import numpy as np
import tempo_kernels
assert not any(name.split(".")[0] in ("numba", "llvmlite") for name in sys.modules)
one, two = np.zeros((40, 50), np.uint8), np.ones((40, 60), np.uint8)[:, :50]
tempo_kernels.block_differences(one, two, kernel="numpy")
assert "numba" not in sys.modules
raw = np.zeros(40 * 101 + 1, np.uint8)
apart = np.ndarray((40, 50), np.uint8, raw, strides=(101, 2))
turned = np.zeros((50, 40), np.uint8).T
for pair in ((one, two), (two, one), (one, one), (two, two), (apart, two), (two, turned)):
    tempo_kernels.compare(*pair, kernel="numba-cpu")
    tempo_kernels.compare(*pair, kernel="numba-cpu", thumbnail=(8, 8))
from tempo_kernels import cpu
stats = [kernel.stats for kernel in (cpu.compare_band, cpu._add_blocks)]
hits = sum(sum(each.cache_hits.values()) for each in stats)
misses = sum(sum(each.cache_misses.values()) for each in stats)
print(hits, misses, len(cpu.compare_band.signatures))
"""


def test_a_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    roots = [str(Path(tempo_kernels.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, roots)),
    }
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", WORK],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    (_, first_misses, signatures), (hits, misses, _) = outputs
    assert int(first_misses) >= 1
    assert int(signatures) == 1  # whatever the layout
    assert int(hits) >= 1 and int(misses) == 0
    assert list(tmp_path.rglob("*.nbi"))


FEW_AND_MANY = """
import sys
import numpy as np
from tempo_kernels import block_differences, dispatch, native
native.load = lambda kernel="native": None
dispatch._WORTH_LOADING = 10_000
one, two = np.zeros((40, 50), np.uint8), np.ones((40, 50), np.uint8)
for _ in range(4):
    first = block_differences(one, two)
assert "numba" not in sys.modules, "it would take longer to load than all of this"
for _ in range(2):
    block_differences(one, two)
dispatch._loading._thread.join()
assert dispatch._loading.done and dispatch.choose(None) == "numba-cpu"
assert (block_differences(one, two) == first).all()
"""


def test_a_compiler_is_loaded_once_there_is_enough_to_do_for_it() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", FEW_AND_MANY], check=True)


def test_code_that_can_not_be_kept_is_compiled_all_the_same() -> None:
    """A function without a file is to Numba like one in a folder that can't be written."""
    from tempo_kernels import cpu

    scope: dict[str, object] = {}
    exec("def double(x):\n    return 2 * x\n", scope)  # noqa: S102
    double = cpu._compiled()(scope["double"])
    assert double(21) == 42
