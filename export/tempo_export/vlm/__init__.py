"""A hub model as ONNX graphs: what sees, what reads, and a manifest that says how to ask them."""

from __future__ import annotations

from tempo_export.vlm.attach import attach
from tempo_export.vlm.bundle import export, usual_size

__all__ = ["attach", "export", "usual_size"]
