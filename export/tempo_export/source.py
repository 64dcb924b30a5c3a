"""The model that is exported: a profile of this machine, or a checkpoint that was pulled."""

from __future__ import annotations

from tempo_edge.errors import ExportError
from tempo_edge.models.checkpoint import Checkpoint, pulled_names, read_checkpoint
from tempo_edge.models.registry import Profile, load_profile, profile_names

__all__ = ["find_model"]


def find_model(name: str, target: str) -> Profile | Checkpoint:
    """The model of that name; of a profile and a checkpoint that share one, what the target takes.

    Raises:
        ExportError: there is none, or the target takes profiles only and there is a checkpoint.
        ProfileError: it can't be read.
    """
    profiles, pulled = profile_names(), pulled_names()
    # From a checkpoint a profile is made, from the profile all else.
    if name in profiles and (target != "onnx" or name not in pulled):
        return load_profile(name)
    if name not in pulled:
        raise ExportError(f"model {name!r} must be one of {sorted({*profiles, *pulled})}")
    if target != "onnx":
        raise ExportError(f"export {name!r} to onnx first, then the profile to {target}")
    return read_checkpoint(name)
