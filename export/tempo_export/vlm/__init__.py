"""A hub model as ONNX graphs: what sees, what reads, and a manifest that says how to ask them."""

from __future__ import annotations

from tempo_export.vlm.bundle import export, usual_size

__all__ = ["export", "usual_size"]
