"""The copy of the checkout that the faults are put into, and the tests run there."""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tempo_edge._system.groups import KILLED, end_with_all

__all__ = ["Copy", "Run"]

# What no test reads, and what may be large.
_LEFT_OUT = {".git", "build", "dist", "node_modules", "__pycache__"}

# The packages' own folders: they go before what is installed.
_ROOTS = (".", "export", "kernels", "plugins")


@dataclass(frozen=True)
class Run:
    """The end of a module's tests: ``passed``, ``failed`` or ``timeout``, and what they said."""

    ended: str
    said: str


class Copy:
    """A copy of the checkout at ``place``, made anew: whatever a killed run left there is gone."""

    def __init__(self, checkout: Path, place: Path, python: str = sys.executable) -> None:
        self._place = place.resolve()
        self._python = python
        if place.exists():
            # Moved first: tests that outlived a killed campaign may still write into it.
            stale = place.rename(place.with_name(f"{place.name}.{os.getpid()}"))
            shutil.rmtree(stale, ignore_errors=True)
        shutil.copytree(checkout, self._place, ignore=_left_out, symlinks=True)
        # A module that a fault was put into is told from its bytecode by its contents, not by the
        # second of its last change.
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self._place, quiet=2, invalidation_mode=mode)

    def source(self, module: str) -> str:
        return (self._place / module).read_text(encoding="utf-8")

    def write(self, module: str, source: str) -> None:
        (self._place / module).write_text(source, encoding="utf-8")

    def test(self, tests: Sequence[str], timeout_seconds: float) -> Run:
        """Run the tests up to the first that fails, and end all that they started.

        Raises:
            InterruptedError: somebody else ended them, which says nothing about the tests.
        """
        # The session's sockets are in there: a short name.
        with tempfile.TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True) as scratch:
            said = Path(scratch, "said")
            command = [self._python, "-m", "pytest", "-x", "-q", "-m", "not slow", "-o", "addopts="]
            command += ["-p", "no:cacheprovider", f"--basetemp={scratch}/t", *tests]
            with said.open("wb") as file:
                process = subprocess.Popen(
                    command,
                    cwd=self._place,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                try:
                    status: int | None = process.wait(timeout_seconds)
                except subprocess.TimeoutExpired:
                    status = None
                finally:
                    _end(process)
            if status in (KILLED, -signal.SIGTERM):
                raise InterruptedError("the tests were ended from outside: start again to go on")
            text = said.read_text(errors="replace")
        return Run("timeout" if status is None else "failed" if status else "passed", text)

    def _environment(self) -> dict[str, str]:
        paths = os.pathsep.join(str(self._place / root) for root in _ROOTS)
        return {
            **os.environ,
            "PYTHONPATH": paths,
            "OMP_NUM_THREADS": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self._place / "build" / "hypothesis"),
        }


def _left_out(folder: str, names: list[str]) -> set[str]:
    environments = {name for name in names if Path(folder, name, "pyvenv.cfg").exists()}
    caches = {
        name for name in names if name.startswith(".") and name.endswith(("_cache", "thesis"))
    }
    return (_LEFT_OUT & set(names)) | environments | caches


def _end(process: subprocess.Popen[bytes]) -> None:
    end_with_all(process)
    process.wait()
