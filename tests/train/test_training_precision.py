"""Tests of the precision that training computes in."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - the import below needs the train extra
from tempo_edge.train.precision import autocast, has_bfloat16


@pytest.mark.parametrize(
    ("avx512", "tiles", "wanted"), [(True, True, True), (True, False, False), (False, False, True)]
)
def test_x86_without_tiles_computes_in_float32(
    monkeypatch: pytest.MonkeyPatch, avx512: bool, tiles: bool, wanted: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)

    assert has_bfloat16("cpu") is wanted
    layer, x = torch.nn.Linear(4, 4), torch.zeros(1, 4)
    with autocast("cpu"):
        assert layer(x).dtype == (torch.bfloat16 if wanted else torch.float32)
