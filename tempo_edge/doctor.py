"""What is installed and live, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from tempo_edge._version import __version__
from tempo_edge.errors import TempoEdgeError

__all__ = ["examine", "print_report"]

Check = dict[str, str]

_MARKS = {"ok": "ok     ", "optional": "absent ", "missing": "MISSING"}


def examine() -> list[Check]:
    """One record a check: ``name``, ``state`` (ok, optional, missing), ``detail``, ``mend``."""
    checks = [
        _check("tempo-edge", "ok", __version__),
        _check("python", "ok", f"{platform.python_version()} on {platform.machine()}"),
        _package("av", "pip install av", required=True),
        _package("onnxruntime", 'pip install "tempo-edge[cpu]"', "onnxruntime-gpu", required=True),
        _package("faiss", 'pip install "tempo-edge[cpu]"', "faiss-cpu", "faiss-gpu-cu12",
                 required=True),
        _package("decord", 'pip install "tempo-edge[decord]"'),
        _package("torch", 'pip install "tempo-edge[train]"'),
    ]
    if importlib.util.find_spec("onnxruntime"):
        from tempo_edge.models.sessions import providers

        checks.append(_check("providers", "ok", ", ".join(providers())))
    checks.append(_kernels())
    checks += _profiles()
    player = shutil.which("mpv")
    checks.append(
        _check("mpv", "ok", player) if player else
        _check("mpv", "optional", "find --play needs it", "apt install mpv")
    )
    checks.append(_library())
    return checks


def print_report(checks: list[Check]) -> None:
    """One line a check."""
    width = max(len(check["name"]) for check in checks)
    for check in checks:
        line = f"{_MARKS[check['state']]}  {check['name']:<{width}}  {check['detail']}"
        print(line + (f"  -> {check['mend']}" if check["mend"] else ""))


def _check(name: str, state: str, detail: str, mend: str = "") -> Check:
    return {"name": name, "state": state, "detail": detail, "mend": mend}


def _package(module: str, mend: str, *names: str, required: bool = False) -> Check:
    if importlib.util.find_spec(module) is None:
        return _check(module, "missing" if required else "optional", "not installed", mend)
    for name in (module, *names):
        try:
            return _check(module, "ok", f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return _check(module, "ok", "installed")


def _kernels() -> Check:
    try:
        from tempo_kernels import available
    except ImportError as error:
        return _check("kernels", "missing", str(error), "pip install tempo-edge")
    live = [name for name, there in available().items() if there]
    return _check("kernels", "ok", ", ".join(live))


def _profiles() -> list[Check]:
    from tempo_edge.models import load_profile, profile_names

    checks = []
    for name in profile_names():
        try:
            profile = load_profile(name)
            for file in profile.files:
                profile.checked(file)
            checks.append(_check(f"profile {name}", "ok", f"{profile.version}, checksums match"))
        except TempoEdgeError as error:
            mend = f"{sys.executable} -m pip install --force-reinstall tempo-edge"
            checks.append(_check(f"profile {name}", "missing", str(error), mend))
    return checks


def _library() -> Check:
    from tempo_edge._api import Library, default_library_path

    path = default_library_path()
    if not path.exists():
        return _check("library", "optional", f"none at {path} yet", "tempo-edge index PATH")
    try:
        with Library.open(path) as library:
            totals = library.catalogue.totals()
    except TempoEdgeError as error:
        return _check("library", "missing", str(error))
    return _check("library", "ok", f"{path}: {totals['videos']} videos, {totals['hours']:.1f} h")
