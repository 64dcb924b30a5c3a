"""Short queries, as people type them, out of captions: "dog jumps", "red car", "beach"."""

from __future__ import annotations

import re

import numpy as np

from tempo_edge.train.data.nouns import IRREGULAR_PLURALS, SIBILANT

__all__ = ["content_words", "short_query"]

_WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*|[^\sa-z]")
_LONGEST = 3
_AT_THE_END = 3  # times as likely


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that stand between the words of one phrase and say nothing: "washing his hands".
_DROPPED = _set_of(
    """
    a an the this that these those his her its their my your our some is are was were be being been
    has have had
    """
)
# Words that end a phrase; what stands on both sides belongs together less.
_BETWEEN = _set_of(
    """
    about above across after against ahead all along alongside also although amid among and another
    any around as aside at atop away back because before behind below beneath beside besides
    between beyond both but by can could do does doing down during each either else every for from
    get gets getting going he him himself herself i if in inside into it itself just like many me
    more most much near next no nor not of off on one's onto or other others out outside over past
    she so something than them themselves then there they through to together toward towards two's
    under underneath until up upon us very via we what when where which while who whom whose why
    will with within without would you
    """
)
# Words that say how things lie to one another, or how many they are, and not what is seen.
_BETWEEN |= _set_of(
    """
    amp area attempt background bottom bunch close closely couple direction distance edge foreground
    front group groups here kind lot lots middle nearby number pair partially piece position set
    side sides slowly quickly sort still top type types view way
    """
)
# Words that need another after them: no query ends with one of them.
_LEADING = _set_of(
    """
    one two three four five six seven eight several few black white red blue green yellow orange
    pink purple brown gray grey tan blond blonde dark light bright colorful young old little small
    big large tall short long older younger elderly male female asian african american same
    different various multiple single lone first second wooden metal wearing wears holding holds
    carrying carries using uses taking takes making makes having
    """
)

# Words that are no query alone: too much fits them.
_VAGUE = _set_of(
    """
    appears attempts look looking looks man men people person play playing plays sit sits sitting
    stand standing stands take try trying waiting woman women
    """
)
# A participle needs its noun as well: "striped", "dressed".
_PARTICIPLE = re.compile(r"(?!bobsled|moped|speed|steed|breed)[a-z]{3,}ed")

_IRREGULAR = {many: one for one, many in IRREGULAR_PLURALS.items()}
_IRREGULAR |= {"lying": "lie", "skis": "ski"}
_VOWEL = re.compile(r"[aeiouy]")
_DOUBLED = re.compile(r"(bb|dd|gg|mm|nn|pp|rr|tt)$")


def _words(sentence: str) -> list[str]:
    """Words in lower case, and marks as they stand between them."""
    return _WORD.findall(sentence.lower().replace("\u2019", "'"))


def _without_s(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("es") and len(word) > 4 and SIBILANT.search(word[:-2]):
        return word[:-2]
    if word.endswith("s") and len(word) > 3 and word[-2] not in "siu":
        return word[:-1]
    return word


def _without_ing(word: str) -> str:
    stem = word.removesuffix("ing")
    if stem == word or len(stem) < 3 or not _VOWEL.search(stem):
        return word
    return stem[:-1] if _DOUBLED.search(stem) else stem


def _folded(word: str) -> str:
    """A crude stem: "dogs" and "dog", "running" and "runs", "rides" and "riding" are one."""
    word = word.removesuffix("'s")
    stem = _without_ing(_without_s(_IRREGULAR.get(word, word)))
    return stem.removesuffix("e") if len(stem) > 3 else stem


def content_words(sentence: str) -> frozenset[str]:
    """The words of a sentence that say what is seen, lower case, with their endings folded.

    A short query is right for every picture one of whose captions has all of its words.
    """
    words = _words(sentence)
    return frozenset(
        _folded(word)
        for word in words
        if word[0].isalpha() and word not in _DROPPED and word not in _BETWEEN
    )


def _runs(caption: str) -> list[list[str]]:
    """The phrases of a caption: content words with nothing but dropped ones between them."""
    runs: list[list[str]] = [[]]
    for word in _words(caption):
        if not word[0].isalpha() or word in _BETWEEN:
            runs.append([])
        elif word not in _DROPPED:
            runs[-1].append(word)
    return [run for run in runs if run]


def short_query(caption: str, rng: np.random.Generator) -> str | None:
    """What people type who look for a caption's picture: one to three content words in a row.

    A row at the end of a phrase is likelier, since nouns end phrases. No row ends with a word that
    needs another ("two", "red", "striped", "wearing"), and no word is alone that fits too much
    ("sitting"). None if nothing is left.
    """
    rows = [
        run[start:end]
        for run in _runs(caption)
        for end in range(1, len(run) + 1)
        for start in range(max(0, end - _LONGEST), end)
        for _ in range(_AT_THE_END if end == len(run) else 1)
        if run[end - 1] not in _LEADING
        and not _PARTICIPLE.fullmatch(run[end - 1])
        and (end - start > 1 or run[start] not in _VAGUE)
    ]
    if not rows:
        return None
    return " ".join(rows[int(rng.integers(len(rows)))])
