"""What a shared library is linked against, whether that can be loaded, and what a driver says."""

from __future__ import annotations

import ctypes
import re
import shutil
from pathlib import Path

import onnxruntime
import pytest

from tempo_edge._system import nvidia
from tempo_edge.models import shared_libraries

SHARED = Path(onnxruntime.__file__).parent / "capi" / "libonnxruntime_providers_shared.so"
on_linux = pytest.mark.skipif(not SHARED.is_file(), reason="needs ONNX Runtime for Linux")


@on_linux
def test_what_a_library_is_linked_against() -> None:
    names = shared_libraries.needed(SHARED)
    assert "libc.so.6" in names
    assert all(re.fullmatch(r"[\w+.-]+\.so(\.\d+)?", name) for name in names)
    assert shared_libraries.missing(SHARED, []) == ""


@on_linux
def test_a_library_that_another_lacks(tmp_path: Path) -> None:
    broken = tmp_path / "provider.so"
    broken.write_bytes(SHARED.read_bytes().replace(b"libm.so.6\0", b"libq.so.6\0"))
    assert "libq.so.6" in shared_libraries.needed(broken)
    assert shared_libraries.missing(broken, [tmp_path]) == "libq.so.6"
    shutil.copy(SHARED, tmp_path / "libq.so.6")
    assert shared_libraries.missing(broken, [tmp_path / "nowhere", tmp_path]) == ""


def test_a_library_of_another_system(tmp_path: Path) -> None:
    other = tmp_path / "provider.so"
    other.write_bytes(b"MZ" + bytes(200))
    assert shared_libraries.needed(other) == []
    other.write_bytes(b"")
    assert shared_libraries.needed(other) == []


@on_linux
def test_a_library_that_is_cut_short(tmp_path: Path) -> None:
    cut = tmp_path / "provider.so"
    cut.write_bytes(SHARED.read_bytes()[:100])
    with pytest.raises(OSError, match="is cut short"):
        shared_libraries.needed(cut)


def test_a_library_that_nobody_has() -> None:
    with pytest.raises(OSError, match=r"libnone\.so\.1"):
        shared_libraries.load("libnone.so.1", [])
    assert isinstance(shared_libraries.load("libc.so.6", []), ctypes.CDLL)


def test_a_machine_without_a_gpu_says_so() -> None:
    """Or, where there is one, what it is."""
    try:
        found = nvidia.nvidia()
    except OSError as error:
        assert re.search(r"libcuda|nvcuda|^cu[A-Z]\w+ says '", str(error))
        assert nvidia.why_no_nvidia() == f"no usable NVIDIA GPU: {error}"
    else:
        assert nvidia.why_no_nvidia() == ""
        assert found.name and re.fullmatch(r"\d+\.\d+", found.capability)
        assert re.search(r"CUDA \d+\.\d+$", found.driver)
