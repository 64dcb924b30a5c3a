"""A decoder's weights, written for a search and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra

from tempo_edge.models import load_profile
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.model import onnx_agreement
from tempo_edge.train.grounder.model.decoder_graph import write_decoder
from tempo_edge.train.grounder.model.decoder_weights import read_decoder
from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork
from tempo_edge.train.onnx_graph import Storage

SMALL = DecoderShape(hidden=32, layers=2, heads=2, inner=48)


@pytest.mark.parametrize(("storage", "off"), [("fp32", 0.0), ("fp16", 1e-3), ("int8", 2e-2)])
def test_what_was_written_is_read_back(tmp_path: Path, storage: Storage, off: float) -> None:
    torch.manual_seed(0)
    model = GrounderNetwork(SMALL).eval()
    with torch.no_grad():
        for weight in model.parameters():  # biases and norms too, which begin alike
            weight += 0.1 * torch.randn_like(weight)
    write_decoder(tmp_path / "grounder.onnx", model, storage)
    found = read_decoder(tmp_path / "grounder.onnx").eval()
    assert found.shape == SMALL
    others = dict(found.named_parameters())
    for name, weight in model.named_parameters():
        if not name.startswith("inside."):
            apart = (weight - others[name]).abs().max()
            assert float(apart.detach()) <= off * float(weight.detach().abs().max()), name


def test_the_built_in_decoder_can_be_taught_further() -> None:
    """Read back, it says what a search is told by the file."""
    path = load_profile("nano").checked("grounder.onnx")
    found = onnx_agreement.compare(read_decoder(path).eval(), path, prompts=4)
    assert found.logits < 1e-3 and found.same == 4


def test_what_is_no_decoder_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.onnx").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"odd\.onnx holds no decoder to go on with"):
        read_decoder(tmp_path / "odd.onnx")
    with pytest.raises(DataError, match=r"image\.onnx holds no decoder to go on with"):
        read_decoder(load_profile("nano").checked("image.onnx"))
