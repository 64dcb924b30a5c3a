"""Tiny hub checkpoints with random weights, in the layout of the published ones.

>>> write(folder, "qwen3_vl")                                                  # doctest: +SKIP

``transformers`` is imported where it is needed: not every test environment has it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["KINDS", "SIZE", "write"]

#: The families' ``model_type``, and the class of each.
KINDS = {
    "qwen2_vl": "Qwen2VLForConditionalGeneration",
    "qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration",
    "qwen3_vl": "Qwen3VLForConditionalGeneration",
    "smolvlm": "SmolVLMForConditionalGeneration",
}

#: Pixels of a square that each takes as it is: 2 x 2 tokens, or 3 x 3 where windows must differ.
SIZE = {"qwen2_vl": 56, "qwen2_5_vl": 84, "qwen3_vl": 64, "smolvlm": 32}

_QWEN = ("<|im_end|>", "<|endoftext|>", "<|im_start|>", "<|vision_start|>", "<|image_pad|>")
_QWEN += ("<|vision_end|>", "<|video_pad|>")
_SMOL = ("<end_of_utterance>", "<|im_end|>", "<|im_start|>", "<fake_token_around_image>", "<image>")
_SMOL += ("<global-img>", "<row_1_col_1>")

_QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% for part in message.content %}{% if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SMOL_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}"
    "{% if message.content[0].type == 'image' %}:{% else %}: {% endif %}"
    "{% for part in message.content %}{% if part.type == 'image' %}<image>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def _tokenizer(marks: tuple[str, ...]) -> Any:
    """A byte a token, as a byte-level BPE begins, but that ``none`` is one word already."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("n", "o"), ("n", "e"), ("no", "ne"), ("\u0120", "none")]
    words = [*letters, *("".join(pair) for pair in merges)]
    plain = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(words)}, merges=merges))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens([AddedToken(word, special=True) for word in marks])
    return PreTrainedTokenizerFast(tokenizer_object=plain, eos_token=marks[0], pad_token=marks[1])


def _reader(known: dict[str, int], end: str) -> dict[str, Any]:
    return {
        "vocab_size": len(known),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "bos_token_id": None,
        "eos_token_id": known[end],
    }


def _qwen(kind: str, known: dict[str, int]) -> dict[str, Any]:
    seeing = {"depth": 1, "num_heads": 2, "patch_size": 14}
    turns: dict[str, Any] = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    reading = _reader(known, "<|im_end|>")
    if kind == "qwen2_vl":
        seeing |= {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2}
    else:
        seeing |= {"hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64}
    if kind == "qwen2_5_vl":
        seeing |= {"depth": 2, "fullatt_block_indexes": [1], "window_size": 56}
    if kind == "qwen3_vl":
        # Features of two layers go in deep, and the grid of positions is stretched.
        seeing |= {"depth": 3, "patch_size": 16, "num_position_embeddings": 36}
        seeing |= {"deepstack_visual_indexes": [0, 1]}
        turns["mrope_interleaved"] = True
        reading |= {"head_dim": 16, "num_hidden_layers": 3}
    return {
        "text_config": reading | {"rope_parameters": turns},
        "vision_config": seeing,
        "image_token_id": known["<|image_pad|>"],
        "video_token_id": known["<|video_pad|>"],
        "vision_start_token_id": known["<|vision_start|>"],
        "vision_end_token_id": known["<|vision_end|>"],
    }


def _smol(known: dict[str, int]) -> dict[str, Any]:
    reading = _reader(known, "<end_of_utterance>")
    seeing = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    seeing |= {"num_attention_heads": 2, "image_size": SIZE["smolvlm"], "patch_size": 8}
    return {
        "text_config": reading | {"model_type": "llama", "pad_token_id": known["<|im_end|>"]},
        "vision_config": seeing,
        "image_token_id": known["<image>"],
        "scale_factor": 2,
    }


def _pictures(kind: str) -> dict[str, Any]:
    """``preprocessor_config.json``, the pixels apart as the published ones have it."""
    if kind == "smolvlm":
        edges = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": SIZE[kind]}}
        half = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        return {"image_processor_type": "SmolVLMImageProcessor", "do_image_splitting": True} | (
            edges | half
        )
    known: dict[str, Any] = {"merge_size": 2, "temporal_patch_size": 2}
    if kind == "qwen3_vl":
        known |= {"image_processor_type": "Qwen2VLImageProcessorFast", "patch_size": 16}
        known |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        return known | {"size": {"shortest_edge": 32 * 32, "longest_edge": 64 * 64}}
    known |= {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14}
    return known | {"min_pixels": 28 * 28, "max_pixels": SIZE[kind] ** 2}


def write(folder: Path, kind: str = "qwen2_vl", *, tied: bool = False) -> Path:
    """A checkpoint of a kind of :data:`KINDS`; returns `folder`.

    A random model says one of its many words; this one mostly ``none``, the end, or rubbish. One
    that is `tied` reads and says words by one table.
    """
    import torch
    import transformers

    smol = kind == "smolvlm"
    tokenizer = _tokenizer(_SMOL if smol else _QWEN)
    known = tokenizer.get_vocab()
    built: Any = getattr(transformers, KINDS[kind])
    torch.manual_seed(0)
    sizes = _smol(known) if smol else _qwen(kind, known)
    model = built(built.config_class(**sizes, tie_word_embeddings=tied)).eval()
    with torch.no_grad():
        model.get_input_embeddings().weight[:, 0] = 1.0
        head = model.lm_head.weight.normal_(std=0.3)
        head[:, 0] = 0.0
        for word in ("\u0120none" if smol else "none", tokenizer.eos_token, "x"):
            head[known[word], 0] = 1.2
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    template = _SMOL_TEMPLATE if smol else _QWEN_TEMPLATE
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    (folder / "preprocessor_config.json").write_text(json.dumps(_pictures(kind)))
    return folder
