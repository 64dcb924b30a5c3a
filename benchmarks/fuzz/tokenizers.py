"""Tokenizers: files of that library that somebody made by hand, and sentences for them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from benchmarks.campaign.mutations import mutate
from benchmarks.fuzz.target import Refusal, Target, holds
from tempo_edge.errors import ProfileError
from tempo_edge.models.tokenizer import MOST_TOKENS, encode, read_tokenizer

__all__ = ["TARGET"]

_lengths = st.one_of(
    st.integers(0, 70), st.sampled_from([-4, 65536, 65537, 10**12, 2**63, 2**64, None, "x", 1.5])
)

_WORDS = ["[UNK]", "[PAD]", "a", "dog", "##s", "d", "o", "g", " ", "\u2581a"]
_VOCABULARY = {word: number for number, word in enumerate(_WORDS)}

_models = st.one_of(
    st.builds(
        lambda unknown, kind: {"type": kind, "vocab": _VOCABULARY, "unk_token": unknown},
        st.sampled_from(["[UNK]", "none", ""]),
        st.just("WordLevel"),
    ),
    st.builds(
        lambda most, unknown: {
            "type": "WordPiece",
            "vocab": _VOCABULARY,
            "unk_token": unknown,
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": most,
        },
        st.sampled_from([100, 0, 10**12]),
        st.sampled_from(["[UNK]", "none"]),
    ),
    st.builds(
        lambda merges, unknown: {
            "type": "BPE",
            "vocab": _VOCABULARY,
            "merges": merges,
            "unk_token": unknown,
        },
        st.sampled_from([[], ["d o"], [["d", "o"]], ["x y"], ["d"]]),
        st.sampled_from(["[UNK]", None, "none"]),
    ),
    st.builds(
        lambda unknown, score: {
            "type": "Unigram",
            "unk_id": unknown,
            "vocab": [[word, score] for word in _WORDS],
        },
        st.sampled_from([0, None, 99]),
        st.sampled_from([-1.0, 0.0, 1e308, -1e308]),
    ),
    st.sampled_from(
        [None, {}, {"type": "x"}, {"type": "WordLevel", "vocab": {}, "unk_token": "a"}]
    ),
)

_sides = st.sampled_from(["Right", "Right", "Left", "Up"])

_truncations = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "direction": _sides,
            "max_length": _lengths,
            "strategy": st.sampled_from(["LongestFirst", "OnlyFirst", "OnlySecond"]),
            "stride": st.sampled_from([0, 0, 0, 1, 64, 10**12]),
        }
    ),
)

_paddings = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "direction": _sides,
            "strategy": st.one_of(
                st.just("BatchLongest"), _lengths.map(lambda length: {"Fixed": length})
            ),
            "pad_to_multiple_of": st.one_of(st.none(), _lengths),
            "pad_id": st.sampled_from([1, 0, 2**32 - 1, -1]),
            "pad_type_id": st.just(0),
            "pad_token": st.just("[PAD]"),
        }
    ),
)

_made = st.fixed_dictionaries(
    {
        "version": st.sampled_from(["1.0"] * 8 + ["9", None]),
        "truncation": _truncations,
        "padding": _paddings,
        "added_tokens": st.sampled_from(
            [[]] * 4
            + [
                [
                    {
                        **{"id": 1, "content": "[PAD]", "special": True, "normalized": False},
                        **{"single_word": False, "lstrip": False, "rstrip": False},
                    }
                ],
                [{}],
            ]
        ),
        "normalizer": st.sampled_from(
            [None, {"type": "Lowercase"}, {"type": "NFC"}, {"type": "Strip"}, {"type": "x"}]
        ),
        "pre_tokenizer": st.sampled_from(
            [
                *(None, {"type": "Whitespace"}, {"type": "BertPreTokenizer"}, {"type": "x"}),
                {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
                {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
            ]
        ),
        "post_processor": st.sampled_from(
            [
                *(None, None, {"type": "x"}),
                {"type": "BertProcessing", "sep": ["[PAD]", 1], "cls": ["[UNK]", 0]},
            ]
        ),
        "decoder": st.none(),
        "model": _models,
    }
)


def _case(facts: dict[str, Any], seed: int | None, sentence: str) -> dict[str, Any]:
    contents = json.dumps(facts).encode()
    contents = contents if seed is None else mutate(contents, random.Random(seed))[1]
    return {"file": contents, "sentence": sentence}


_cases = st.builds(
    _case,
    _made,
    st.one_of(*[st.none()] * 4, st.integers(0, 2**32)),
    st.one_of(
        st.sampled_from(["a dog jumps", "", "a" * 300, "dogs " * 300, "\u2581a \0"]),
        st.text(st.characters(codec="utf-8"), max_size=40),
    ),
)


def _check(case: dict[str, Any], folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_bytes(case["file"])
    with Refusal(ProfileError) as refusal:
        tokenizer = read_tokenizer(path)
    holds(path.read_bytes() == case["file"], "the file was changed")
    if refusal.error is not None:
        holds("tokenizer.json" in str(refusal.error), "the file is not named")
        return
    truncation, padding = tokenizer.truncation, tokenizer.padding
    with Refusal(ProfileError) as refusal:
        coded = encode(tokenizer, case["sentence"], path)
    if refusal.error is not None:
        return
    ids, mask = coded.ids, coded.attention_mask
    holds(0 < len(ids) == len(mask), f"{len(ids)} tokens, {len(mask)} are marked")
    holds(all(0 <= each < 2**32 for each in ids) and set(mask) <= {0, 1}, "no tokens")
    if truncation is not None:
        holds(1 <= truncation["max_length"] <= MOST_TOKENS, f"cuts to {truncation['max_length']}")
        holds(sum(mask) <= truncation["max_length"], f"{sum(mask)} tokens are left")
    if padding is not None and padding["length"] is not None:
        holds(padding["length"] <= MOST_TOKENS, f"fills up to {padding['length']}")
    holds(len(ids) <= 2 * MOST_TOKENS, f"{len(ids)} tokens")


TARGET = Target("tokenizers", ("tempo_edge.models.tokenizer",), _cases, _check)
