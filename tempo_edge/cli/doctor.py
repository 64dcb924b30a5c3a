"""``tempo-edge doctor``: what is installed and live, what is missing, and what mends it."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from tempo_edge._console.text import emit, json_line, note, printable
from tempo_edge._extras import CPU_OR_GPU, EXTRAS, pip_command
from tempo_edge._files import atomic_write
from tempo_edge._version import __version__
from tempo_edge.cli.values import place
from tempo_edge.errors import ProfileError, TempoEdgeError

__all__ = ["doctor", "examine", "format_report"]

Check = dict[str, str]

_MARKS = {"ok": "ok     ", "missing": "MISSING", "optional": "absent "}


# The first onnxruntime-gpu that is built for CUDA 13.
_CUDA_13 = [1, 27]

# Where systems keep what is theirs.
_NO_FOOTAGE = ("/boot", "/dev", "/etc", "/proc", "/run/user", "/snap", "/sys", "/var/lib")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove",
            help="Hold kernels, decoders, models and indexing against what is right, and measure "
            "them: in ten minutes at most with an NVIDIA card, in three without.",
        ),
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="With --prove: a table in Markdown.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", parser=place, help="With --prove: write the JSON here as well."
        ),
    ] = None,
) -> None:
    """Say what works, what is missing, and how to mend it.

    With --prove, show that it works, and how fast.
    """
    if prove:
        if as_json and as_markdown:
            raise TempoEdgeError("--json and --markdown exclude each other: choose one")
        _prove(as_json, as_markdown, out)
        return
    if as_markdown or out is not None:
        raise TempoEdgeError(f"{'--markdown' if as_markdown else '--out'} is for --prove: add that")
    report = examine()
    emit(json_line(report) if as_json else format_report(report))
    if not report["ok"]:
        raise typer.Exit(2)


def _prove(as_json: bool, as_markdown: bool, out: Path | None) -> None:
    """Run the proof, tell it, and end with status 1 where something has failed."""
    from tempo_edge.proof import telling
    from tempo_edge.proof.proving import prove

    if out is not None and not out.parent.is_dir():
        raise TempoEdgeError(f"{out.parent} is no folder: --out must be a file in one")
    proof = prove(say=note)
    if out is not None:
        with atomic_write(out) as draft:
            draft.write_text(json_line(proof.as_dict()), encoding="utf-8")
    if as_json:
        emit(json_line(proof.as_dict()))
    else:
        emit(telling.markdown(proof) if as_markdown else telling.lines(proof))
    if not proof.ok:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """``ok``, which is False where something that is needed is missing, and ``checks``.

    A check has a ``group``, a ``name``, a ``state`` (ok, optional, missing), a ``detail``, and a
    ``mend``: the command that helps, empty where none does. Checks of a group follow one another.
    """
    checks = [
        _check("tempo-edge", "tempo-edge", "ok", __version__),
        _check("tempo-edge", "python", "ok", f"{platform.python_version()} {platform.machine()}"),
        _needed("av", pip_command()),
        _needed("onnxruntime", CPU_OR_GPU, "onnxruntime-gpu"),
        *_overwritten(),
        _needed("faiss", CPU_OR_GPU, "faiss-cpu", "faiss-gpu", "faiss-gpu-cu12"),
        *_providers(),
        *_decoding(),
        *_kernels(),
        *_profiles(),
        *_disks(),
        _player(),
        _library(),
        _service(),
        *_extras(),
    ]
    return {"ok": all(each["state"] != "missing" for each in checks), "checks": checks}


def format_report(report: dict[str, Any]) -> str:
    """What is right in one line a group; what is not in one each, and its mend."""
    checks: list[Check] = report["checks"]
    width = max(len(check["group"]) for check in checks)
    lines = []
    for group, found in groupby(checks, key=lambda check: check["group"]):
        members = list(found)
        for state, mark in _MARKS.items():
            standing = [each for each in members if each["state"] == state]
            plain = ", ".join(_told(each) for each in standing if not each["mend"])
            told = [f"{_told(each)}  -> {each['mend']}" for each in standing if each["mend"]]
            lines += [f"{mark}  {group:<{width}}  {line}\n" for line in (plain, *told) if line]
    return "".join(lines)


def _told(check: Check) -> str:
    """A check as one reads it: what it is, unless the group says that, and how it stands."""
    between = " " if check["state"] == "ok" else ": "
    words = [check["name"]] if check["name"] != check["group"] else []
    return printable(between.join([*words, check["detail"]]).rstrip())


def _check(group: str, name: str, state: str, detail: str, mend: str = "") -> Check:
    return {"group": group, "name": name, "state": state, "detail": detail, "mend": mend}


def _needed(module: str, mend: str, *names: str) -> Check:
    """A package that indexing or searching can't do without: imported, to see that it works."""
    if importlib.util.find_spec(module) is None:
        return _check("packages", module, "missing", "not installed", mend)
    try:
        importlib.import_module(module)
    except Exception as error:  # a library of another machine, say
        return _check("packages", module, "missing", f"can't be imported: {_short(error)}", mend)
    for name in (module, *names):
        try:
            return _check("packages", name, "ok", version(name))
        except PackageNotFoundError:
            continue
    return _check("packages", module, "ok", "is installed")


def _overwritten() -> list[Check]:
    """ONNX Runtime for a card where the other build lies over it: they have the same files.

    Other packages ask for the other build by name, faster-whisper for one. The later one is live.
    """
    try:
        version("onnxruntime")
        number = version("onnxruntime-gpu")
        from onnxruntime import get_available_providers
    except (PackageNotFoundError, ImportError):
        return []
    is_for_card = "CUDAExecutionProvider" in get_available_providers()
    live = "the card is used" if is_for_card else "no card is used"
    detail = f"installed over the files of onnxruntime, or that over its: {live}"
    extra = "gpu-cu12" if _parts(number) < _CUDA_13 else "gpu"
    mend = f"pip uninstall -y onnxruntime onnxruntime-gpu && {pip_command(extra)}"
    state = "ok" if is_for_card else "optional"
    return [_check("packages", "onnxruntime-gpu", state, detail, "" if is_for_card else mend)]


def _parts(number: str) -> list[int]:
    """The first two parts of a version, by which one is told from another."""
    return [int(part) for part in re.findall(r"\d+", number)[:2]]


def _providers() -> list[Check]:
    """What ONNX Runtime runs on here, in the order of trying, and what it can't run on and why."""
    from tempo_edge.models.providers import standings

    try:
        found = standings()
    except ProfileError as error:
        return [_check("providers", "providers", "missing", str(error))]
    except (TempoEdgeError, AttributeError):
        return []  # the line on the package says it
    return [
        _check("providers", each.provider, "ok", f"on {each.plugin.label}" if each.plugin else "")
        for each in found
        if not each.trouble
    ] + [
        _check(
            "providers",
            each.name,
            "missing" if each.asked else "optional",
            each.trouble,
            each.mend,
        )
        for each in found
        if each.trouble
    ]


def _decoding() -> list[Check]:
    """Pictures a second of a short film: by all cores, and by every device that FFmpeg knows of."""
    try:
        from tempo_edge.media.devices import DEVICES, offered, trials
    except ImportError:
        return []  # the line on the package says it
    found = trials()
    detail = f"{found.software_rate:.0f} pictures of 1080p a second"
    checks = [_check("decoding", "software", "ok", detail)] if found.software_rate else []
    for trial in found.devices:
        if trial.trouble:
            checks.append(_check("decoding", trial.device, "optional", trial.trouble))
            continue
        faster = trial.rate > found.software_rate
        detail = f"{trial.rate:.0f}, {'--decoder hardware uses it' if faster else 'slower: off'}"
        checks.append(_check("decoding", trial.device, "ok", detail))
    others = [device for device in offered() if device not in DEVICES]
    return checks + [_check("decoding", each, "optional", "not tried") for each in others]


def _kernels() -> list[Check]:
    """Run every kernel once on a tiny picture: one that can't be compiled is not live."""
    try:
        from tempo_kernels import available, block_differences
    except ImportError as error:
        return [_check("kernels", "kernels", "missing", _short(error), pip_command())]
    import numpy as np

    picture = np.zeros((16, 16), np.uint8)
    checks = []
    for name, there in available().items():
        mend = ""
        try:
            lacking, mend = _lacking(name)
            if there:
                block_differences(picture, picture, kernel=name)
                checks.append(_check("kernels", name, "ok", "runs"))
            else:
                checks.append(_check("kernels", name, "optional", lacking, mend))
        except Exception as error:  # whatever a compiler or a driver may say
            checks.append(_check("kernels", name, "missing", _short(error), mend))
    return checks


def _lacking(kernel: str) -> tuple[str, str]:
    """What a kernel that is not there lacks, and what would mend that, if anything would.

    Those that a compiler makes are for who builds from the source: Numba's do the same work.

    Raises:
        NativeError: it was built, but can't be loaded.
    """
    from tempo_edge.proof.kernels import lacking

    lacked = lacking(kernel)
    return lacked, pip_command() if lacked.startswith("Numba") else ""


def _profiles() -> list[Check]:
    from tempo_edge.models import load_profile, profile_names

    checks = []
    for name in profile_names():
        try:
            profile = load_profile(name)
            for file in profile.files:
                profile.checked(file)
            detail = f"{profile.version} matches its checksums"
            checks.append(_check("profiles", name, "ok", detail))
        except TempoEdgeError as error:
            mend = f"{pip_command()} --force-reinstall" if name == "nano" else ""
            checks.append(_check("profiles", name, "missing", str(error), mend))
    return checks


def _disks() -> list[Check]:
    """Where videos may lie, and how many of them are read at once from there."""
    from tempo_edge.indexing.medium import Media

    media = Media()
    found = {}
    for mount in media.mounts:
        medium = media.of_mount(mount)
        if (medium.disks or medium.kind == "network") and not mount.point.startswith(_NO_FOOTAGE):
            how = "one file at a time" if medium.at_once == 1 else "several files at once"
            found[mount.point] = f"({medium.kind}: {how})"
    found = found or {"disks": "nothing is known of them: several files at once"}
    return [_check("disks", point, "ok", how) for point, how in found.items()]


def _player() -> Check:
    from tempo_edge._system.mpv import HOW_TO_INSTALL, find_mpv

    player = find_mpv()
    if player is None:
        return _check("player", "mpv", "optional", "find --play needs it", HOW_TO_INSTALL)
    return _check("player", "mpv", "ok", player)


def _library() -> Check:
    from tempo_edge.library import Library
    from tempo_edge.store.opening import open_store
    from tempo_edge.store.place import default_library_path

    path = default_library_path()
    try:
        if open_store(path).identity() is None:
            none = f"none at {path}"
            return _check("library", "library", "optional", none, "tempo-edge index PATH")
        with Library.open(path) as library:
            totals = library.totals()
    except TempoEdgeError as error:
        return _check("library", "library", "missing", str(error))
    count, hours = int(totals["videos"]), totals["hours"]
    videos = f"{count} video{'s' if count != 1 else ''}"
    return _check("library", "library", "ok", f"{path}: {videos}, {hours:.1f} h")


def _service() -> Check:
    """The service that answers on the user's socket, if one does, and where a browser finds it."""
    from tempo_edge.service.client import ask_status

    status = ask_status()
    if status is None:
        return _check("service", "service", "optional", "none runs", "tempo-edge serve --port 8017")
    address = status.get("address")
    where = f"runs for {status.get('library')}"
    return _check("service", "service", "ok", where + (f" at {address}" if address else ""))


def _extras() -> list[Check]:
    """Every extra: that it is here, or what of it is not and how it is had."""
    checks = []
    for extra in EXTRAS:
        lacked = extra.absent()
        if not lacked:
            checks.append(_check("extras", extra.name, "ok", ""))
            continue
        verb = "is" if len(lacked) == 1 else "are"
        detail = f"for {extra.purpose}; {', '.join(lacked)} {verb} not installed"
        checks.append(_check("extras", extra.name, "optional", detail, pip_command(extra.name)))
    return checks


def _short(error: BaseException) -> str:
    """The first line of what went wrong."""
    return str(error).partition("\n")[0] or type(error).__name__
