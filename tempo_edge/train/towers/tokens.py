"""Sentences as token numbers, cut as a profile cuts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tempo_edge.train.towers.profile_files import MAX_TOKENS

__all__ = ["Encode", "tokenize"]

#: From sentences to the token numbers of each.
Encode = Callable[[Sequence[str]], list[list[int]]]


def tokenize(tokenizer: str) -> Encode:
    """A function from sentences to token numbers, cut at the profile's 64 tokens."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_str(tokenizer)
    loaded.enable_truncation(MAX_TOKENS)
    loaded.no_padding()
    known: dict[str, list[int]] = {}

    def encode(sentences: Sequence[str]) -> list[list[int]]:
        fresh = [sentence for sentence in dict.fromkeys(sentences) if sentence not in known]
        for sentence, encoded in zip(fresh, loaded.encode_batch(fresh), strict=True):
            known[sentence] = encoded.ids
        return [known[sentence] for sentence in sentences]

    return encode
