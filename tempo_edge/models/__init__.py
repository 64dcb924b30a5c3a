"""Models: a registry of profiles, and the ONNX Runtime sessions that run them."""

from __future__ import annotations

from tempo_edge.models.registry import Profile, load_profile, profile_names

__all__ = ["Profile", "load_profile", "profile_names"]
