"""Grounders turn windows of footage into spans: the registry of all there are.

A grounder is a module with a subclass of :class:`~tempo_edge.search.grounders.base.Grounder`, and a
line here. It has to pass ``tests/search/test_grounder_conformance.py``, which runs every one.
"""

from __future__ import annotations

from tempo_edge.search.grounders.base import Grounder, Materials
from tempo_edge.search.grounders.curve import CurveGrounder
from tempo_edge.search.grounders.mllm import MllmGrounder
from tempo_edge.search.grounders.vlm import VlmGrounder

__all__ = ["GROUNDERS", "Grounder", "Materials"]

#: The grounders by their names, in the order in which they are named to the user.
GROUNDERS: dict[str, type[Grounder]] = {
    grounder.name: grounder
    for grounder in (
        MllmGrounder,
        CurveGrounder,
        VlmGrounder,
    )
}
