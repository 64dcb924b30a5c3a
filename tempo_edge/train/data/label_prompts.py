"""Sentences made from labels, for training and for questions about labels alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from tempo_edge.train.data import animals
from tempo_edge.train.data.activities import ACTIONS, SPORTS, Activity, activity
from tempo_edge.train.data.archives import Record, Vocabulary
from tempo_edge.train.data.furnishings import furnished
from tempo_edge.train.data.nouns import with_article
from tempo_edge.train.data.places import place

__all__ = ["ASKED", "asked", "composition", "miscounts", "names", "prompts"]

#: The prompts asked at evaluation: the mean of these, so that no single wording decides. Blank 0
#: takes a label, and blank 1 what a sentence says of it ("an office", "someone doing push-ups").
ASKED: Mapping[Vocabulary, tuple[str, ...]] = MappingProxyType(
    {
        "object": ("a photo of a {0}", "{0}", "a picture of {0}"),
        "sport": ("a photo of {0}", "{0}", "people doing {0}"),
        "place": ("{0}", "a photo of {1}", "a picture of {1}"),
        "action": ("{0}", "a photo of {1}", "a video of {1}"),
        "count": ("{0}", "a photo of {0}", "a picture of {0}"),
    }
)

_PHRASE: Mapping[Vocabulary, Callable[[str], str]] = MappingProxyType(
    {
        "place": lambda label: place(label).phrase,
        "action": lambda label: activity(label, ACTIONS).phrase,
    }
)

# A name of two archives that means two things, or another label's thing as well.
_MISLEADING: Mapping[Vocabulary, frozenset[str]] = MappingProxyType(
    {"object": frozenset({"market", "tub", "bath"})}
)

# The scientific name of an animal, which nobody types: "Carassius auratus".
_LATIN = re.compile(r"[A-Z][a-z]+ (?:[a-z]+(?:us|a|is|um|i|ns|or)|lar|ibex|dugon)")


def _unique(sentences: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(sentences))


def _object_prompts(record: Record) -> list[str]:
    others = [n for n in record.synonyms if n != record.label and not _LATIN.fullmatch(n)]
    out: list[str] = []
    for name in (record.label, *others[:1]):
        one = with_article(name)
        out += [
            name,
            f"a photo of {one}",
            f"a picture of {one}",
            f"a close-up of {one}",
            f"{one} outdoors",
            f"a blurry photo of {one}",
            f"a video of {one}",
            f"there is {one} in the scene",
        ]
    return out


def _place_prompts(record: Record) -> list[str]:
    known = place(record.label)
    views = [f"a view of {known.phrase}"]
    if known.enclosed:
        views = [known.where.replace("in ", "inside ", 1)]
    return [
        record.label,
        f"a photo of {known.phrase}",
        f"a picture of {known.phrase}",
        *known.also,
        f"a video of {known.phrase}",
        known.where,
        *views,
        *known.people,
    ]


def _activity_prompts(label: str, known: Mapping[str, Activity]) -> list[str]:
    row = activity(label, known)
    return [
        row.name,
        f"a photo of {row.phrase}",
        f"a video of {row.phrase}",
        label,  # as its archive spells it, which is asked at evaluation
        *row.also,
        *row.people,
    ]


def _sport_prompts(record: Record) -> list[str]:
    return _activity_prompts(record.label, SPORTS)


def _action_prompts(record: Record) -> list[str]:
    return [*_activity_prompts(record.label, ACTIONS), *record.captions]


def _count_prompts(record: Record) -> list[str]:
    return animals.sentences(record.label, record.counts)


_PROMPTS: Mapping[Vocabulary, Callable[[Record], list[str]]] = MappingProxyType(
    {
        "object": _object_prompts,
        "sport": _sport_prompts,
        "place": _place_prompts,
        "action": _action_prompts,
        "count": _count_prompts,
    }
)


def prompts(record: Record, vocabulary: Vocabulary) -> list[str]:
    """The sentences of a record's label, the same for each picture that has it.

    The first three stand for it, and the first is its bare name: "basketball", "two dogs". Raises
    KeyError where no vocabulary has prompts.
    """
    return _unique(_PROMPTS[vocabulary](record))


def names(record: Record, vocabulary: Vocabulary) -> list[str]:
    """Every name of a record's label, lower case: labels that share one are the same thing."""
    if vocabulary == "object":
        known: tuple[str, ...] = (record.label, *record.synonyms)
    elif vocabulary == "place":
        known = (record.label, *place(record.label).also)
    elif vocabulary == "count":
        known = tuple(animals.names(record.label, record.counts))
    else:
        doing = activity(record.label, SPORTS if vocabulary == "sport" else ACTIONS)
        known = (record.label, doing.name, *doing.also)
    lower = _unique(name.lower() for name in known)
    return [name for name in lower if name not in _MISLEADING.get(vocabulary, ())]


def composition(record: Record, rng: np.random.Generator) -> str | None:
    """A place with one to three of its things: "a bedroom with a bed, a lamp and a window".

    Things that few pictures show are likelier than walls and ceilings. None without things.
    """
    return furnished(place(record.label), record.objects, rng)


def miscounts(record: Record) -> list[str]:
    """Sentences of the same animals in other numbers, which are wrong for the picture."""
    return animals.miscounts(record.label, record.counts)


def asked(label: str, vocabulary: Vocabulary) -> list[str]:
    """The prompts that are asked at evaluation about a label.

    Raises KeyError where no vocabulary has prompts.
    """
    said = _PHRASE[vocabulary](label) if vocabulary in _PHRASE else label
    return [template.format(label, said) for template in ASKED[vocabulary]]
