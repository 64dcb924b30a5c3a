"""Hostile bundles: refused in one line, with nothing left on the disk and nothing filled."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.campaign.mutations import mutate
from benchmarks.campaign.outcome import MOST_SECONDS, Outcome, tempo_edge
from benchmarks.usage import growth_limited

__all__ = ["import_bundles"]

_CONTENTS = {"image.onnx": b"sees" * 500, "text.onnx": b"reads" * 300, "tokenizer.json": b"{}"}

# Bytes that the importing process may write to one file: a hole that is written out ends it.
_MOST_WRITTEN = 64 << 20


def import_bundles(
    count: int, seed: int, scratch: Path, say: Callable[[str], None] = lambda line: None
) -> Outcome:
    """Import bundles made by hand, and ``count`` mutated ones."""
    outcome = Outcome("hostile bundles")
    scratch.mkdir(parents=True, exist_ok=True)
    bundle = scratch / "hostile.tar"
    whole = _bundle(_about())
    for name, contents in [*_by_hand(), *_mutated(whole, count, seed)]:
        bundle.write_bytes(contents)
        _import(name, bundle, scratch / f"data{outcome.tried}", outcome, contents != whole)
        outcome.tried += 1
        if outcome.tried % 50 == 0:
            say(f"{outcome.tried} bundles, {len(outcome.problems)} problems")
    return outcome


def _import(name: str, bundle: Path, data: Path, outcome: Outcome, hostile: bool) -> None:
    with growth_limited(_MOST_WRITTEN):
        run = tempo_edge(
            *("models", "import-bundle", bundle),
            timeout=MOST_SECONDS,
            environment={"XDG_DATA_HOME": str(data)},
        )
    # A mutation may fall into padding: then what arrives has its checksums, and may be installed.
    outcome.judge(run, name, allowed=(0, 2) if hostile else (0,))
    outcome.worst_seconds = max(outcome.worst_seconds, run.seconds)
    key = "installed" if run.status == 0 else "refused"
    outcome.facts[key] = outcome.facts.get(key, 0) + 1
    if run.status == 2 and len(run.error_lines) != 1:
        outcome.problems.append(f"{name}: {len(run.error_lines)} lines for one error")
    if run.status == 2 and any(data.rglob("*.onnx")):
        outcome.problems.append(f"{name}: was refused and left something")


def _about(**changes: Any) -> bytes:
    files = {name: {"sha256": hashlib.sha256(c).hexdigest()} for name, c in _CONTENTS.items()}
    about = {"name": "tiny", "version": "1", "dim": 4, "image_size": 32, "tokens_per_frame": 9}
    return json.dumps({**about, "files": files, **changes}).encode()


def _bundle(about: bytes, extra: tarfile.TarInfo | None = None) -> bytes:
    """A bundle with this description; ``extra`` is an entry of no contents that comes second."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, contents in {"profile.json": about, **_CONTENTS}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(contents)
            archive.addfile(entry, io.BytesIO(contents))
            if extra is not None:
                target.write(extra.tobuf(tarfile.GNU_FORMAT))
                archive.offset += tarfile.BLOCKSIZE
                extra = None
    return target.getvalue()


def _hole() -> tarfile.TarInfo:
    """An entry that claims a terabyte."""
    hole = tarfile.TarInfo("image.onnx")
    hole.size = 1 << 40
    return hole


def _by_hand() -> Iterator[tuple[str, bytes]]:
    deep = b'{"name":' * 50_000
    values: dict[str, list[Any]] = {
        "dim": [float("inf"), float("nan"), "4", None, -1, 10**30, [4]],
        "name": ["../x", "a/../x", "/etc/x", "\x1b[2J", "", "x" * 5000],
        "version": [{}, "\n", 1.5],
        "files": [[], {"../x": {}}, {"image.onnx": "x"}, {"x": {"sha256": 1}}],
    }
    yield "whole", _bundle(_about())
    yield "deep", _bundle(deep)
    yield "empty", b""
    yield "no archive", b"\0" * 10_240
    yield "a terabyte", _bundle(_about(), _hole())
    for name, each in values.items():
        for value in each:
            yield f"{name} {value!r:.40}", _bundle(_about(**{name: value}))
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, b"S"):
        entry = tarfile.TarInfo("image.onnx")
        entry.type, entry.linkname = kind, "/etc/passwd"
        yield f"an entry of type {kind!r}", _bundle(_about(), entry)


def _mutated(whole: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        chance = random.Random(seed * 1_000_003 + number)
        name, contents = mutate(whole, chance)
        yield f"{number} {name}", contents
