"""Tiny encoders with random weights, in the layout of the published ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from tempo_edge.models.published import Published

#: A checkpoint of CLIP as it might be published, by the name that tests pull it under.
CLIP = Published("tiny-clip", "someone/tiny-clip", "c" * 40, "encoder", "MIT", 1)

_TOWER = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
_SEEING = {**_TOWER, "image_size": 32, "patch_size": 8}


def clip_tokenizer() -> Tokenizer:
    """A tokenizer like CLIP's, which knows letters only."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, *(f"{each}</w>" for each in letters), "<|startoftext|>", "<|endoftext|>"]
    ids = {word: place for place, word in enumerate(words)}
    begin, end = ids["<|startoftext|>"], ids["<|endoftext|>"]
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[], end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    words_and_digits = Regex(r"<\|startoftext\|>|<\|endoftext\|>|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words_and_digits, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", end), ("<|startoftext|>", begin), add_prefix_space=False
    )
    return tokenizer


def siglip2_tokenizer() -> Tokenizer:
    """A tokenizer like SigLIP 2's, which knows letters and a few pairs of them."""
    pairs = [("▁", "d"), ("o", "g"), ("▁d", "og"), ("j", "u"), ("m", "p"), ("ju", "mp")]
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = [*pieces, "▁", *map(chr, range(33, 127)), *("".join(pair) for pair in pairs)]
    ids = {word: place for place, word in enumerate(words)}
    plain = models.BPE(
        vocab=ids, merges=pairs, unk_token="<unk>", fuse_unk=True, byte_fallback=True
    )
    tokenizer = Tokenizer(plain)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in pieces[:4]])
    return tokenizer


def write_clip(folder: Path, seed: int = 0) -> Path:
    """An encoder like ``openai/clip-vit-base-patch32``."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    tokenizer = clip_tokenizer()
    words = tokenizer.get_vocab()
    begin, end = words["<|startoftext|>"], words["<|endoftext|>"]
    torch.manual_seed(seed)
    reading = {**_TOWER, "vocab_size": len(words), "max_position_embeddings": 77}
    reading |= {"bos_token_id": begin, "eos_token_id": end, "pad_token_id": end}
    model = CLIPModel(CLIPConfig(text_config=reading, vision_config=_SEEING, projection_dim=24))
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
    special |= {"pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    images = {
        "image_processor_type": "CLIPImageProcessor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
    }
    return _write(folder, model, tokenizer, {"tokenizer_class": "CLIPTokenizer", **special}, images)


def write_siglip2(folder: Path, seed: int = 0) -> Path:
    """An encoder like ``google/siglip2-base-patch16-224``."""
    import torch
    from transformers import SiglipConfig, SiglipModel

    words = ["<pad>", "<eos>", "<bos>", "<unk>", "▁", *map(chr, range(33, 127))]
    ids = {word: place for place, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[], unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    torch.manual_seed(seed)
    reading = {**_TOWER, "vocab_size": len(words), "max_position_embeddings": 64}
    reading |= {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2, "projection_size": 32}
    model = SiglipModel(SiglipConfig(text_config=reading, vision_config=_SEEING))
    special = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>"}
    special |= {"unk_token": "<unk>"}
    images = {
        "image_processor_type": "SiglipImageProcessor",
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    about = {"tokenizer_class": "PreTrainedTokenizerFast", **special}
    return _write(folder, model, tokenizer, about, images)


def open_clip_here() -> Any:
    """OpenCLIP, also where torchvision was built for another torch than the one that is here.

    Its operators can't be loaded then, which neither OpenCLIP nor timm needs, nor can they be told
    of to torch, without which it can't be imported.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        import torch

        for name in [each for each in sys.modules if each.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for operator in ("nms", "qnms"):
            told = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{operator}", told)
    import open_clip

    return open_clip


def write_perception(folder: Path, seed: int = 0) -> Path:
    """An encoder like ``timm/PE-Core-S-16-384``."""
    import torch
    from safetensors.torch import save_file

    tokenizer = clip_tokenizer()
    tokenizer.enable_truncation(77)  # as published, though the tower reads 32
    config = {
        "embed_dim": 24,
        "vision_cfg": {
            "image_size": 384,
            "timm_model_name": "vit_pe_core_tiny_patch16_384",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": None,
        },
        "text_cfg": {
            "context_length": 32,
            "vocab_size": tokenizer.get_vocab_size(),
            "width": 32,
            "heads": 2,
            "layers": 2,
        },
    }
    torch.manual_seed(seed)
    model = open_clip_here().CustomTextCLIP(**config)
    folder.mkdir(parents=True)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    pictures = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear"}
    about = {
        "model_cfg": {**config, "custom_text": True},
        "preprocess_cfg": {**pictures, "resize_mode": "squash"},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(about))
    (folder / "open_clip_pytorch_model.bin").write_bytes(b"a pickle")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "CLIPTokenizer"}')
    return folder


def _write(
    folder: Path, model: Any, tokenizer: Tokenizer, about: dict[str, str], images: dict[str, Any]
) -> Path:
    model.eval().save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    size = _SEEING["image_size"]
    images |= {"rescale_factor": 1 / 255, "size": {"height": size, "width": size}}
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    return folder
