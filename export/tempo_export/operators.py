"""What TensorRT's ONNX parser takes, as ``operators.json`` tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Operator", "Support", "read_support"]

_FACTS = Path(__file__).with_name("operators.json")


@dataclass(frozen=True)
class Operator:
    """What is asked of one operator; numbers are the places of inputs, from 0.

    `types` are the element types of the parameter that `of` names: the place of an input whose type
    variable counts, ``output``, or ``all`` for every input and output. What must be known when the
    engine is built is `weights` (stored in the file), `constants` (or computed from them), `sizes`
    (or computed from the sizes of tensors) and, by part of the sources, `steady`. Of the attributes
    each value must be among those listed; an empty list allows none.
    """

    supported: bool = True
    since: str = "10.0"
    types: frozenset[str] = frozenset()
    of: int | str = 0
    gives: frozenset[str] = frozenset()
    input_types: Mapping[int, frozenset[str]] | None = None
    attributes: Mapping[str, tuple[Any, ...]] | None = None
    required: tuple[str, ...] = ()
    weights: tuple[int, ...] = ()
    constants: tuple[int, ...] = ()
    steady: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    zero: tuple[int, ...] = ()
    positive: tuple[int, ...] = ()
    at_most: Mapping[int, int] | None = None
    ranks: Mapping[int, tuple[int, ...]] | None = None
    static: Mapping[int, str] | None = None
    unused: tuple[int, ...] = ()
    outputs: int | None = None
    doubt: str = ""
    special: tuple[str, ...] = ()


@dataclass(frozen=True)
class Support:
    """What one version of TensorRT takes.

    Opsets up to `sure_opset` are documented for this version or an older one, those up to
    `highest_opset` for it or a later one.
    """

    version: str
    lowest_opset: int
    sure_opset: int
    highest_opset: int
    largest_rank: int
    tensors: frozenset[str]
    quantized: frozenset[str]
    operators: Mapping[str, Operator]

    def lacks(self, operator: Operator) -> bool:
        """Whether an operator came with a later version."""
        return _number(operator.since) > _number(self.version)


def _number(version: str) -> int:
    """The minor version of ``10.N``."""
    return int(version.partition(".")[2])


def _operator(facts: dict[str, Any], sets: dict[str, list[str]]) -> Operator:
    """An operator from its line in the file."""
    read: dict[str, Any] = {}
    for key, value in facts.items():
        if key in {"types", "gives"}:
            read[key] = frozenset(sets[value] if isinstance(value, str) else value)
        elif key == "input_types":
            read[key] = {int(place): frozenset(types) for place, types in value.items()}
        elif key in {"ranks", "at_most", "static"}:
            kept = {int(place): what for place, what in value.items()}
            read[key] = {p: tuple(w) if isinstance(w, list) else w for p, w in kept.items()}
        elif key == "attributes":
            read[key] = {name: tuple(allowed) for name, allowed in value.items()}
        else:
            read[key] = tuple(value) if isinstance(value, list) else value
    return Operator(**read)


def read_support(version: str) -> Support:
    """The facts for TensorRT `version`: ``10`` is the newest that is known, ``10.3`` that one.

    Raises:
        ValueError: there are no facts for the version.
    """
    facts = json.loads(_FACTS.read_text("utf-8"))
    known: dict[str, int] = facts["opsets"]["highest"]
    newest = max(known, key=_number)
    major, dot, minor = version.partition(".")
    told = major == "10" and (minor.isdecimal() if dot else not minor)
    if not told or (minor and int(minor) > _number(newest)):
        raise ValueError(f"TensorRT version {version!r} must be '10' or from '10.0' to {newest!r}")
    wanted = int(minor) if minor else _number(newest)
    return Support(
        version=f"10.{wanted}",
        lowest_opset=facts["opsets"]["lowest"],
        sure_opset=max(opset for of, opset in known.items() if _number(of) <= wanted),
        highest_opset=min(opset for of, opset in known.items() if _number(of) >= wanted),
        largest_rank=facts["largest_rank"],
        tensors=frozenset(facts["tensors"]),
        quantized=frozenset(facts["quantized"]),
        operators={name: _operator(of, facts["sets"]) for name, of in facts["operators"].items()},
    )
