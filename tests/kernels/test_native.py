"""The C++ library is found, refused or done without, and says why."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tempo_kernels import available, compare, dispatch, native

PICTURE = np.zeros((8, 8), np.uint8)


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "load", native.load.__wrapped__)
    monkeypatch.setattr(dispatch, "_fastest", dispatch._fastest.__wrapped__)


def test_without_a_library_another_kernel_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(native, "_folders", lambda: [tmp_path])
    live = available()
    assert not live["native"] and live["numba-cpu"] and live["numpy"]
    assert compare(PICTURE, PICTURE).variation == 0.0
    with pytest.raises(
        ValueError, match=r"kernel 'native' must be one of \['lanes', 'numba-cpu', "
    ):
        compare(PICTURE, PICTURE, kernel="native")


def test_a_library_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / native.file_name("tempo_kernels")).write_bytes(b"no library")
    monkeypatch.setenv("TEMPO_KERNELS_PATH", str(tmp_path))
    with pytest.raises(native.NativeError, match=r"can't be loaded"):
        native.load()


def test_a_library_of_another_interface_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    (tmp_path / "old.c").write_text("int tk_interface(void) { return 0; }")
    command = [compiler, "-shared", "-fPIC", "old.c", "-o", native.file_name("tempo_kernels")]
    subprocess.run(command, cwd=tmp_path, check=True)
    monkeypatch.setenv("TEMPO_KERNELS_PATH", str(tmp_path))
    with pytest.raises(native.NativeError, match="has interface 0, not 1: build it again"):
        native.load()


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 0},
        {"block": 0},
        {"block": 40_000},
        {"sample_bytes": 3},
        {"current_stride": 7},
        {"previous_stride": -8},
        {"thumbnail_height": 9, "thumbnail_width": 1},
        {"thumbnail_height": 2},
    ],
)
def test_the_c_interface_checks_for_itself(built: Path, wrong: dict[str, int]) -> None:
    library = ctypes.CDLL(str(built / native.file_name("tempo_kernels")))
    good = dict(
        zip([name for name, _ in native.Planes._fields_], [8] * 4 + [1, 4, 0, 0], strict=True)
    )
    sums = np.full((2, 2), -1, np.int64)
    planes = native.Planes(**{**good, **wrong})
    at, out = PICTURE.ctypes.data, sums.ctypes.data
    pointer = ctypes.c_void_p
    assert library.tk_compare(ctypes.byref(planes), pointer(at), pointer(at), pointer(out), None, 1)
    assert (sums == -1).all()  # nothing was written
    planes = native.Planes(**good)
    done = library.tk_compare(ctypes.byref(planes), pointer(at), pointer(at), pointer(out), None, 1)
    assert done == 0 and (sums == 0).all()
