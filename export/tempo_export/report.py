"""The outcome of an export, as JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tempo_edge.models.registry import Profile

if TYPE_CHECKING:
    from tempo_export.engine import EngineFacts

__all__ = ["Outcome", "engines_outcome", "profile_outcome"]


@dataclass(frozen=True)
class Outcome:
    """The result of an export or of a comparison.

    Attributes:
        facts: what JSON says of it; ``text``: the same for people.
        good: whether all is as it should be.
    """

    facts: dict[str, Any]
    text: str
    good: bool = True


def engines_outcome(built: Mapping[str, EngineFacts]) -> Outcome:
    """The engine of each graph, by the graph's file."""
    facts = {
        file: {"engine": each.engine, "sha256": each.engine_sha256, "key": each.key}
        for file, each in built.items()
    }
    return Outcome(facts, "".join(f"{each.engine}\n" for each in built.values()))


def profile_outcome(profile: Profile, facts: dict[str, Any]) -> Outcome:
    """A profile that was written, with the facts of its conversion."""
    facts = {"profile": profile.name, "folder": str(profile.folder), **facts}
    lines = [f"{profile.name}: {profile.folder}"]
    lines += [_graph_line(file, each) for file, each in facts.get("graphs", {}).items()]
    for grounder, figures in facts.get("search", {}).items():
        if grounder != "videos":
            lines.append(_search_line(grounder, figures))
    if "calibration.json" not in profile.files:
        lines.append(
            "  not calibrated itself, so that the general calibration judges; see --videos"
        )
    return Outcome(facts, "\n".join(lines) + "\n")


def _graph_line(file: str, facts: dict[str, Any]) -> str:
    line = f"  {file}: {facts['precision']}, {_size(facts['bytes'])}"
    if "milliseconds" in facts:
        took, cosine = facts["milliseconds"], facts["cosine"]
        line += f", {took['before']:.1f} to {took['after']:.1f} ms"
        line += f", cosines {cosine['least']:.4f} at least, {cosine['mean']:.4f} on average"
    if facts.get("left_in_fp32"):
        line += f", {len(facts['left_in_fp32'])} of {facts['layers']} layers left in fp32"
    return line


def _search_line(grounder: str, figures: dict[str, Any]) -> str:
    before, after = figures["before"], figures["after"]
    return (
        f"  {grounder}: R1@0.7 {before['r1_at_0.7']:.1f} to {after['r1_at_0.7']:.1f}, refused "
        f"{before['refused']:.1f} to {after['refused']:.1f}, the same answer to "
        f"{figures['same_answer']} of {after['queries']}"
    )


def _size(counts: dict[str, int]) -> str:
    return f"{counts['before'] / 1e6:.1f} to {counts['after'] / 1e6:.1f} MB"
