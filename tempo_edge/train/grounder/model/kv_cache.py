"""The KV cache of a decoder, by the name that the installed transformers release has for it."""

from __future__ import annotations

import inspect
from typing import Any

__all__ = ["kv_cache_arguments"]


def kv_cache_arguments(model: Any, cache: Any) -> dict[str, Any]:
    """The arguments by which `model` reads on from `cache` and adds to it.

    Releases from 5.24 on call it ``cache`` and warn about the name that it had before.
    """
    known = inspect.signature(model.forward).parameters
    return {"cache" if "cache" in known else "past_key_values": cache, "use_cache": True}
