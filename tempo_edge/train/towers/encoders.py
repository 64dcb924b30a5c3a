"""The two towers as PyTorch modules: a trunk or a sentence encoder, and the head behind it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tempo_edge.train.towers.backbones import TEXT_WIDTH, Tensors
from tempo_edge.train.towers.heads import ImageHead, TextHead
from tempo_edge.train.towers.trunk import Trunk

_BUCKET = 64  # sentences of about one length that are read together


class SentenceEncoder(nn.Module):
    """all-MiniLM-L6-v2: token numbers to unit sentence vectors of 384 dimensions."""

    def __init__(self, tensors: Tensors, frozen: int = 0) -> None:
        """`frozen` of the six layers, the first ones, keep their weights."""
        super().__init__()
        from transformers import BertConfig, BertModel

        config = BertConfig(
            vocab_size=len(tensors["embeddings.word_embeddings.weight"]),
            hidden_size=TEXT_WIDTH,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
        )
        self.bert = BertModel(config, add_pooling_layer=False)
        state = {k: torch.from_numpy(v) for k, v in tensors.items() if not k.startswith("pooler")}
        left = self.bert.load_state_dict(state, strict=False)
        if left.missing_keys:
            raise ValueError(f"tensors {left.missing_keys} are missing from the text backbone")
        # 30,522 words against a few thousand that captions use: moving some of them would tear
        # them from their neighbours.
        self.bert.embeddings.requires_grad_(False)
        for layer in self.bert.encoder.layer[:frozen]:
            layer.requires_grad_(False)

    def _read(self, rows: Sequence[Sequence[int]]) -> Tensor:
        device = next(self.parameters()).device
        longest = max(len(row) for row in rows)
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
        mask = torch.tensor(
            [[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device
        )
        states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weight = mask[..., None].float()
        mean = (states * weight).sum(dim=1) / weight.sum(dim=1)
        unit: Tensor = nn.functional.normalize(mean, dim=-1)
        return unit

    def forward(self, sentences: Sequence[Sequence[int]]) -> Tensor:
        """Unit vectors float32 [N, 384] of sentences given as token numbers."""
        # Neighbours of one length waste no work on padding.
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        parts = [
            self._read([sentences[i] for i in order[start : start + _BUCKET]])
            for start in range(0, len(order), _BUCKET)
        ]
        back = torch.from_numpy(np.argsort(order)).to(parts[0].device)
        return torch.cat(parts)[back]

    def tensors(self) -> Tensors:
        """The tensors by their names, float32, for the ONNX graph."""
        return {
            name: value.detach().cpu().float().numpy()
            for name, value in self.bert.state_dict().items()
            if value.is_floating_point()
        }


class TrainedTextTower(nn.Module):
    """Sentences as token numbers to unit vectors [N, 256]."""

    def __init__(self, encoder: SentenceEncoder, head: TextHead) -> None:
        super().__init__()
        self.reader = encoder  # weights are stored under this name
        self.head = head

    def forward(self, sentences: Sequence[Sequence[int]]) -> Tensor:
        """Unit vectors, float32 [N, 256]."""
        out: Tensor = self.head(self.reader(sentences))
        return out


class TrainedImageTower(nn.Module):
    """Features of the stem to unit vectors float32 ``[n, 256]``."""

    def __init__(self, trunk: Trunk, head: ImageHead) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head

    def forward(self, stem_features: Tensor) -> Tensor:
        """Unit vectors, float32 [N, 256], of the stem's output."""
        out: Tensor = self.head(self.trunk(stem_features))
        return out
