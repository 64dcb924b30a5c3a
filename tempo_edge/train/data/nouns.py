"""English nouns: which article a name takes, and how more than one of it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["IRREGULAR_PLURALS", "SIBILANT", "listed", "plural", "with_article"]

# Names whose last word is one of these take no article: stuffs, and what is plural already.
_BARE = """
badlands binoculars bars books bottles boxes broccoli buildings bushes cabinets carbonara cars
clothes consomme corn dough eggnog espresso flowers glasses grass guacamole hay icecream jean
ladies' lotion magazines mail mountains paper people perfume plants powder rapeseed rocks sauce
seats shelves shoes shutters spray stairs steps stones sunglasses sunscreen syrup thatch tissue
trees trunks velvet water wine wool
"""
_BARE_WORDS = frozenset(_BARE.split())
_BARE_NAMES = frozenset({"mashed potato", "ice cream", "chain mail"})

# Sounds decide, not letters: a unicycle, a European fire salamander; an hourglass, an iPod.
_CONSONANT = re.compile(r"(?:uni|uku|ur[aie]|us[aeiu]|ut[ie]|eu|ew|one\b|one-|once\b|u-)", re.I)
_VOWEL = re.compile(r"(?:[aeiou]|hour|heir|honest|hono)", re.I)
_SPELT = re.compile(r"[FHLMNRSX](?=[A-Z0-9-]|\b)(?!')")  # letters that are said one by one

#: Plurals that no rule makes, by their nouns.
IRREGULAR_PLURALS: Mapping[str, str] = MappingProxyType(
    {
        "child": "children",
        "foot": "feet",
        "goose": "geese",
        "knife": "knives",
        "man": "men",
        "mouse": "mice",
        "person": "people",
        "sheep": "sheep",
        "shelf": "shelves",
        "tooth": "teeth",
        "woman": "women",
    }
)

#: The end of a word that takes "es".
SIBILANT = re.compile(r"(?:s|x|z|ch|sh)$")


def with_article(name: str) -> str:
    """The name as it stands in a sentence: "an abbey", "a church", "badlands"."""
    head = name.partition(" of ")[0]
    if name in _BARE_NAMES or head.split()[-1].lower() in _BARE_WORDS:
        return name
    if _SPELT.match(name):
        return f"an {name}"
    an = bool(_VOWEL.match(name)) and not _CONSONANT.match(name)
    return f"{'an' if an else 'a'} {name}"


def plural(noun: str) -> str:
    """Two or more of a noun: "dogs", "sheep"."""
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if SIBILANT.search(noun):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def listed(phrases: list[str]) -> str:
    """The phrases as one: "a bed, a lamp and a window"."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
