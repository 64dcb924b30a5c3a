"""The precision of training: bfloat16 where the processor computes with it, else float32."""

from __future__ import annotations

import torch

__all__ = ["autocast", "has_bfloat16"]


def has_bfloat16(device: str) -> bool:
    """Whether a device of this type (``cpu``, ``cuda``) is faster in bfloat16 than in float32.

    A processor without AVX-512 or the like has it emulated: the gradient of a linear map took 29
    times as long as in float32 on one with AVX2 alone, that of a depthwise filter a hundred times.
    With AVX-512 but without tiles (AMX) a linear map and its gradient still took 1.6 times as long.
    """
    if device == "cpu":
        if torch.cpu._is_avx512_supported() and not torch.cpu._is_amx_tile_supported():
            return False
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device != "cuda" or torch.cuda.is_bf16_supported()


def autocast(device: str, wanted: bool = True) -> torch.autocast:
    """A context in which layers compute in bfloat16, if that is `wanted` and the device has it."""
    return torch.autocast(device, torch.bfloat16, enabled=wanted and has_bfloat16(device))
