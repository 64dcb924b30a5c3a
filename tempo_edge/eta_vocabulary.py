"""The 228 words in which a grounder is told times and answers; a word's place is its token."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["LONGEST_SECONDS", "NONE", "TOKEN", "WORDS", "spell", "text"]

NONE = "none"

#: Times from here on have no words.
LONGEST_SECONDS = 100

#: The words of the language; a word's place is its token.
WORDS = (
    *("[pad]", "[query]", "[frames]", "[answer]", "[end]"),
    *("-", ";", NONE),
    *(f"{seconds}" for seconds in range(LONGEST_SECONDS)),
    *(f".{tenth}" for tenth in range(10)),
    *(f"<{seconds}" for seconds in range(LONGEST_SECONDS)),
    *(f".{tenth}s>" for tenth in range(10)),
)

#: Each word's token.
TOKEN = {word: token for token, word in enumerate(WORDS)}
_LONGEST = max(len(word) for word in WORDS)


def spell(text: str) -> list[int]:
    """The tokens of a text of the language, longest words first.

    >>> [WORDS[token] for token in spell("<12.4s>")]
    ['<12', '.4s>']

    Raises:
        ValueError: a part of the text is no word, or a number is too large to have one.
    """
    tokens: list[int] = []
    at = 0
    while at < len(text):
        for length in range(_LONGEST, 0, -1):
            token = TOKEN.get(text[at : at + length])
            if token is not None:
                if tokens and WORDS[token].isdigit() and WORDS[tokens[-1]].lstrip("<").isdigit():
                    raise ValueError(
                        f"text {text!r} has a time beyond {LONGEST_SECONDS} s, which has no word"
                    )
                tokens.append(token)
                at += length
                break
        else:
            raise ValueError(f"text {text!r} has no word at {text[at:]!r}")
    return tokens


def text(tokens: Sequence[int]) -> str:
    """The text that tokens spell."""
    return "".join(WORDS[token] for token in tokens)
