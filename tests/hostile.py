"""Profiles that somebody made to do harm, one part of which is another than it should be."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from graphs import FLOAT, UINT8, array, model, node, tensor

from tempo_edge.models import Profile, load_profile
from tempo_edge.models.registry import read_profile


def altered(place: Path, file: str, contents: bytes) -> Profile:
    """A copy of the built-in profile, one file of which is another, and has its checksum."""
    shutil.copytree(load_profile("nano").folder, place)
    (place / file).write_bytes(contents)
    if file != "profile.json":
        about = json.loads((place / "profile.json").read_text())
        about["files"][file] = {"sha256": hashlib.sha256(contents).hexdigest()}
        (place / "profile.json").write_text(json.dumps(about))
    return read_profile(place)


def within(facts: Any, path: str, value: object) -> Any:
    """A copy of some facts in which one place has another value."""
    copy = json.loads(json.dumps(facts))
    *way, last = path.split("/")
    inner = copy
    for name in way:
        inner = inner[name]
    inner[last] = value
    return copy


def npy(values: np.ndarray, **header: object) -> bytes:
    """An array's file, whose header may claim what it does not hold."""
    file = io.BytesIO()
    facts = np.lib.format.header_data_from_array_1_0(values)
    np.lib.format.write_array_header_1_0(file, {**facts, **header})
    return file.getvalue() + values.tobytes()


BYTES = np.ones((4, 256), np.int8)


def picture_tower(vectors: int, *, divide: bool = False, kind: int = FLOAT) -> bytes:
    """A graph with the interface of an image tower that gives vectors of some length and type."""
    images = tensor("images", UINT8, ["n", 224, 224, 3])
    outputs = (tensor("vectors", kind, None), tensor("tokens", kind, None))
    nodes = [
        node("Cast", ["images"], ["pixels"], to=FLOAT),
        node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2, 3], keepdims=0),
        node("Unsqueeze", ["mean", "one"], ["column"]),
        node("Mul", ["column", "row"], ["product"]),
        node("Cast", ["product"], ["vectors"], to=kind),
        node("Unsqueeze", ["vectors", "one"], ["tokens"]),
    ]
    row = np.full((1, vectors), np.inf if divide else 1.0, np.float32)
    made = model(
        nodes,
        array("row", row),
        array("one", [1], np.int64),
        inputs=(images,),
        outputs=outputs,
        opset=17,
    )
    return made.SerializeToString()
