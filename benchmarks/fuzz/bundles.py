"""Bundles: tar archives that somebody made by hand, with descriptions that say anything."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from benchmarks.campaign.mutations import mutate
from benchmarks.fuzz.target import Refusal, Target, holds
from tempo_edge.errors import ProfileError
from tempo_edge.models.bundle import install_bundle
from tempo_edge.models.description import NAME
from tempo_edge.models.registry import Profile

__all__ = ["TARGET"]

_CONTENTS = {"image.onnx": b"sees" * 300, "text.onnx": b"reads" * 100, "tokenizer.json": b"{}"}

_NAMES = [
    *("image.onnx", "text.onnx", "tokenizer.json", "profile.json", "x", "x.data", ".hidden"),
    *("../x", "a/../x", "/tmp/fuzzed", "./image.onnx", "a/b", "..", ".", "", "x\n", "x" * 300),
    *("\x1b[2J", "image.onnx\0", "a\\b", "é"),
]

_KINDS = [tarfile.REGTYPE] * 6 + [
    *(tarfile.AREGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE),
    *(tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE),
    *(tarfile.XGLTYPE, tarfile.CONTTYPE),
]

# Any value that JSON may hold, and those that readers stumble over.
_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(_NAMES),
    st.sampled_from([10**400, -1, 0, 65537, 2**63, 1e308, "NaN", [], {}, [{}], {"x": {}}]),
    st.lists(st.integers(), max_size=3),
)

_entry = st.fixed_dictionaries(
    {
        "name": st.sampled_from(_NAMES),
        "kind": st.sampled_from(_KINDS),
        "contents": st.one_of(
            st.sampled_from(sorted(_CONTENTS.values())), st.binary(max_size=40), st.just(b"x" * 600)
        ),
        # What its header claims more or less than is there.
        "more": st.sampled_from([0] * 8 + [1, -1, 512, 1 << 33, 1 << 40]),
    }
)

_changes = st.dictionaries(
    st.sampled_from(
        [
            *("name", "version", "dim", "image_size", "tokens_per_frame", "files", "licences"),
            *("files.image.onnx", "files.../x", "files.x", "files.profile.json", "dropped"),
        ]
    ),
    _values,
    max_size=2,
)

_made = st.fixed_dictionaries(
    {"changes": _changes, "entries": st.lists(_entry, max_size=3), "whole": st.booleans()}
)


def _about(changes: dict[str, Any]) -> bytes:
    files: dict[str, Any] = {
        name: {"sha256": hashlib.sha256(contents).hexdigest()}
        for name, contents in _CONTENTS.items()
    }
    facts: dict[str, Any] = {
        **{"name": "tiny", "version": "1", "dim": 4, "image_size": 32, "tokens_per_frame": 9},
        "files": files,
    }
    for name, value in changes.items():
        head, _, rest = name.partition(".")
        if head == "files" and rest:
            files[rest] = {"sha256": hashlib.sha256(b"x" * 600).hexdigest()} if value else value
        else:
            facts[name] = value
    return json.dumps(facts).encode()


def _made_by_hand(facts: dict[str, Any]) -> bytes:
    """The bytes of an archive; ``whole`` puts the right files before what does not belong."""
    out = io.BytesIO()
    right = [("profile.json", tarfile.REGTYPE, _about(facts["changes"]), 0)]
    if facts["whole"]:
        right += [(name, tarfile.REGTYPE, data, 0) for name, data in _CONTENTS.items()]
    given = [
        (each["name"], each["kind"], each["contents"], each["more"]) for each in facts["entries"]
    ]
    for name, kind, contents, more in [*right, *given]:
        entry = tarfile.TarInfo(name)
        entry.type, entry.size = kind, max(0, len(contents) + more)
        entry.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
        out.write(entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
        out.write(contents + bytes(-len(contents) % 512))
    out.write(bytes(1024))
    return out.getvalue()


def _mutated(facts: dict[str, Any], seed: int | None) -> bytes:
    whole = _made_by_hand(facts)
    return whole if seed is None else mutate(whole, random.Random(seed))[1]


_cases = st.builds(_mutated, _made, st.one_of(st.none(), st.none(), st.integers(0, 2**32)))


def _unread(profile: Profile) -> None:
    """The files inside are made up; their own readers have targets of their own."""


def _check(case: bytes, folder: Path) -> None:
    bundle, store = folder / "hostile.tar", folder / "profiles"
    bundle.write_bytes(case)
    store.mkdir()
    (store / "before").mkdir()
    with Refusal(ProfileError) as refusal:
        profile = install_bundle(bundle, store, inspect=_unread)
    holds(bundle.read_bytes() == case, "the bundle was changed")
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    left -= {"hostile.tar", "profiles", "profiles/before"}
    if refusal.error is not None:
        holds(not left, f"was refused and left {sorted(left)}")
        return
    place = store / profile.name
    holds(bool(NAME.fullmatch(profile.name)) and profile.folder == place, f"lies at {place}")
    wanted = {"profile.json", *profile.files}
    expected = {f"profiles/{profile.name}", *(f"profiles/{profile.name}/{n}" for n in wanted)}
    holds(left == expected, f"left {sorted(left ^ expected)} besides")
    for name, digest in profile.files.items():
        path = place / name
        holds(path.is_file() and not path.is_symlink(), f"{name} is no file")
        holds(hashlib.sha256(path.read_bytes()).hexdigest() == digest, f"{name} is another one")
    holds(sum(p.stat().st_size for p in place.iterdir()) <= len(case), "holds more than it had")


TARGET = Target(
    "bundles",
    ("tempo_edge.models.bundle", "tempo_edge.models.description"),
    _cases,
    _check,
)
