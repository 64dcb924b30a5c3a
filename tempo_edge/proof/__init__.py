"""The proof that a machine does what it should: every part held against what is surely right.

>>> from tempo_edge.proof import prove
>>> prove().ok                                          # doctest: +SKIP
True

A part (:mod:`tempo_edge.proof.part`) holds one thing against another, with a budget of seconds, in
a process of its own (:mod:`tempo_edge.proof.process`); :mod:`tempo_edge.proof.proving` has all of
them. What it gives as JSON is described by ``schema.json``.
"""

from __future__ import annotations

from pathlib import Path

from tempo_edge.proof.part import Budget, Figure, Part, Row
from tempo_edge.proof.proving import MOST_SECONDS, PARTS, Proof, prove

__all__ = ["MOST_SECONDS", "PARTS", "SCHEMA", "Budget", "Figure", "Part", "Proof", "Row", "prove"]

#: The JSON schema of :meth:`Proof.as_dict`.
SCHEMA = Path(__file__).with_name("schema.json")
