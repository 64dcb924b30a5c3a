"""Keeps libraries from reporting home, before one of them is loaded.

ONNX Runtime 1.29 and later writes an identifier to ``~/.cache/Microsoft`` and sends what is run,
unless it is told not to in the environment of its process; ``huggingface_hub`` counts downloads.
"""

from __future__ import annotations

import os

os.environ.update(
    ORT_DISABLE_TELEMETRY="1",
    ORT_TELEMETRY_DISABLED="1",  # its name in some versions
    HF_HUB_DISABLE_TELEMETRY="1",
)
