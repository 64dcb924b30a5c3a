"""Questions about made-up windows: what is shown, and three ways of asking for what is not.

Every sentence is drawn as one that could be swapped, whether it is asked as it stands, changed, or
of other footage: so none of the kinds can be told by how its sentences are worded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tempo_edge.evaluation.minimal_pairs import Swap
from tempo_edge.train.data.short_queries import content_words
from tempo_edge.train.grounder.examples import Kind
from tempo_edge.train.grounder.synthetic.feature_bank import FeatureBank
from tempo_edge.train.grounder.synthetic.mix import Mix

__all__ = ["Question", "draw_kind", "draw_question", "is_nearly_said"]

# What is asked of other footage must differ from each picture that is shown in more than one
# content word of five: the pictures may be of one event.
_SHARED = 0.8


@dataclass(frozen=True)
class Question:
    """A sentence, its kind, and the number of the picture that it was made of."""

    query: str
    kind: Kind
    picture: int


def draw_kind(mix: Mix, rng: np.random.Generator) -> Kind:
    """A kind of question, by the shares of a mix."""
    if rng.random() >= mix.absent:
        return "present"
    if rng.random() >= mix.hard:
        return "easy"
    return "swap" if rng.random() < mix.swaps else "lookalike"


def draw_question(
    feature_bank: FeatureBank,
    kind: Kind,
    target: int,
    shown: frozenset[int],
    rng: np.random.Generator,
) -> Question | None:
    """A question about a window that shows some pictures, `target` among them.

    None if what was drawn can't be asked: no word of the sentence was changed, or what is to be
    absent may well be shown.
    """
    picture = _picture(feature_bank, kind, target, shown, rng)
    caption = None if picture is None else _caption(feature_bank, picture, rng)
    if picture is None or caption is None:
        return None
    sentence, changed = caption
    if kind == "swap":
        if changed is None or _swap_is_shown(feature_bank, changed, target, shown):
            return None
        return Question(changed.sentence, kind, picture)
    if kind != "present" and _is_shown(feature_bank, sentence, shown):
        return None
    return Question(sentence, kind, picture)


def _picture(
    feature_bank: FeatureBank,
    kind: Kind,
    target: int,
    shown: frozenset[int],
    rng: np.random.Generator,
) -> int | None:
    """The picture whose caption is asked about, None if the one drawn is too near what is shown."""
    if kind in ("present", "swap"):
        return target
    if kind == "lookalike":
        other = int(rng.choice(feature_bank.near[target]))
        return None if other in shown else other
    other = int(rng.integers(len(feature_bank)))
    barred = shown | {int(near) for picture in shown for near in feature_bank.near[picture]}
    return None if other in barred else other


def _caption(
    feature_bank: FeatureBank, picture: int, rng: np.random.Generator
) -> tuple[str, Swap | None] | None:
    """A caption of a picture with a swap of it that is not true of the picture, or None.

    There is no swap where none of the bank's captions has a word that can be swapped.
    """
    said = feature_bank.captions[picture]
    sentence = said[int(rng.integers(len(said)))]
    if not feature_bank.swaps:
        return sentence, None
    changed = feature_bank.swaps.draw(sentence, rng)
    if changed is None or content_words(changed.new) <= feature_bank.words[picture]:
        return None
    return sentence, changed


def _swap_is_shown(
    feature_bank: FeatureBank, changed: Swap, target: int, shown: frozenset[int]
) -> bool:
    """Whether a swap may be true of what a window shows.

    It may be if the captions of one picture have all of its words, or those of a look-alike have
    the new one.
    """
    asked, new = content_words(changed.sentence), content_words(changed.new)
    alike = shown & {int(near) for near in feature_bank.near[target]}
    return any(asked <= feature_bank.words[picture] for picture in shown) or any(
        new <= feature_bank.words[picture] for picture in alike
    )


def _is_shown(feature_bank: FeatureBank, sentence: str, shown: frozenset[int]) -> bool:
    return any(is_nearly_said(sentence, feature_bank.words[picture]) for picture in shown)


def is_nearly_said(sentence: str, words: frozenset[str]) -> bool:
    """Whether the content words that are said of some footage are nearly all of a sentence's."""
    asked = content_words(sentence)
    return len(asked & words) >= _SHARED * len(asked)
