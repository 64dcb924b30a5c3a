"""What is installed and live, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from tempo_edge._version import __version__
from tempo_edge.errors import ProfileError, TempoEdgeError

__all__ = ["examine", "format_report"]

Check = dict[str, str]

_ENGINE = 'pip install "tempo-edge[cpu]"'

_MARKS = {"ok": "ok     ", "optional": "absent ", "missing": "MISSING"}


def examine() -> list[Check]:
    """One record a check: ``name``, ``state`` (ok, optional, missing), ``detail``, ``mend``."""
    return [
        _check("tempo-edge", "ok", __version__),
        _check("python", "ok", f"{platform.python_version()} on {platform.machine()}"),
        _needed("av", "pip install av"),
        _needed("onnxruntime", _ENGINE, "onnxruntime-gpu"),
        *_providers(),
        _needed("faiss", _ENGINE, "faiss-cpu", "faiss-gpu-cu12"),
        _optional("decord", 'pip install "tempo-edge[decord]"'),
        _optional("torch", 'pip install "tempo-edge[train]"'),
        *_kernels(),
        *_profiles(),
        _player(),
        _library(),
    ]


def format_report(checks: list[Check]) -> str:
    """One line a check."""
    width = max(len(check["name"]) for check in checks)
    lines = []
    for check in checks:
        line = f"{_MARKS[check['state']]}  {check['name']:<{width}}  {check['detail']}"
        lines.append(line + (f"  -> {check['mend']}" if check["mend"] else "") + "\n")
    return "".join(lines)


def _check(name: str, state: str, detail: str, mend: str = "") -> Check:
    return {"name": name, "state": state, "detail": detail, "mend": mend}


def _needed(module: str, mend: str, *names: str) -> Check:
    """A package that indexing or searching can't do without: imported, to see that it works."""
    if importlib.util.find_spec(module) is None:
        return _check(module, "missing", "not installed", mend)
    try:
        importlib.import_module(module)
    except Exception as error:  # a library of another machine, say
        return _check(module, "missing", f"can't be imported: {_short(error)}", mend)
    return _check(module, "ok", _version_of(module, *names))


def _optional(module: str, mend: str) -> Check:
    if importlib.util.find_spec(module) is None:
        return _check(module, "optional", "not installed", mend)
    return _check(module, "ok", _version_of(module))


def _version_of(*names: str) -> str:
    """Distribution and version of the first of these names that is installed."""
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "installed"


def _providers() -> list[Check]:
    """What ONNX Runtime runs on here, in the order of trying, and what it can't run on and why."""
    from tempo_edge.models.providers import standings

    try:
        found = standings()
    except ProfileError as error:
        return [_check("providers", "missing", str(error))]
    except (TempoEdgeError, AttributeError):
        return []  # the line on the package says it
    tried = ", ".join(each.provider for each in found if not each.trouble)
    return [
        _check("providers", "ok", tried),
        *(
            _check(
                f"provider {each.name}",
                "missing" if each.asked else "optional",
                each.trouble,
                each.mend,
            )
            for each in found
            if each.trouble
        ),
    ]


def _kernels() -> list[Check]:
    """Run every kernel once on a tiny picture: one that can't be compiled is not live."""
    try:
        from tempo_kernels import available, block_differences
    except ImportError as error:
        return [_check("kernels", "missing", _short(error), "pip install tempo-edge")]
    picture = np.zeros((16, 16), np.uint8)
    checks = []
    for name, there in available().items():
        lacking, mend = "", ""
        try:
            lacking, mend = _lacking(name)
            if there:
                block_differences(picture, picture, kernel=name)
                checks.append(_check(f"kernel {name}", "ok", "runs"))
            else:
                checks.append(_check(f"kernel {name}", "optional", lacking, mend))
        except Exception as error:  # whatever a compiler or a driver may say
            checks.append(_check(f"kernel {name}", "missing", _short(error), mend))
    return checks


def _lacking(kernel: str) -> tuple[str, str]:
    """What a kernel that is not there lacks, and what would mend that, if anything would.

    Raises:
        NativeError: it was built, but can't be loaded.
    """
    from tempo_kernels import native

    if kernel in native.LIBRARIES:
        if native.load(kernel) is None:
            return "not built", "cmake -S . -B build && cmake --build build"
    elif importlib.util.find_spec("numba") is None:
        return "not installed", "pip install numba"
    return "no GPU" if "cuda" in kernel else "can't be used", ""


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


def _player() -> Check:
    player = shutil.which("mpv")
    if player is None:
        return _check("mpv", "optional", "find --play needs it", "apt install mpv")
    return _check("mpv", "ok", player)


def _library() -> Check:
    from tempo_edge._api import Library, default_library_path

    path = default_library_path()
    if not path.exists():
        return _check("library", "optional", f"none at {path} yet", "tempo-edge index PATH")
    try:
        with Library.open(path) as library:
            totals = library.totals()
    except TempoEdgeError as error:
        return _check("library", "missing", str(error))
    return _check("library", "ok", f"{path}: {totals['videos']} videos, {totals['hours']:.1f} h")


def _short(error: BaseException) -> str:
    """The first line of what went wrong."""
    return str(error).partition("\n")[0] or type(error).__name__
