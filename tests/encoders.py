"""Tiny encoders with random weights, in the layout of the published ones."""

from __future__ import annotations

import json
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
