"""Things in a place: how each is called in a sentence, and which of them are worth a word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tempo_edge.train.data.nouns import listed, with_article
from tempo_edge.train.data.places import Place

__all__ = ["furnished"]

_MOST = 3
# Nearly every picture shows these: they tell no place from another, and nobody searches for them.
_EVERYWHERE = frozenset(
    {
        "wall",
        "floor",
        "ceiling",
        "sky",
        "ground",
        "land",
        "window",
        "door",
        "building",
        "buildings",
        "tree",
        "trees",
        "column",
        "pane",
        "text",
    }
)
_SELDOM = 0.1  # the weight of such a thing; any other has 1
# What a place consists of is not said to be in it: "a field on a runway".
_PARTS = _EVERYWHERE | {
    "field",
    "grass",
    "hill",
    "mountain",
    "path",
    "river water",
    "road",
    "rocky mountain",
    "sand beach",
    "sea water",
    "sidewalk",
    "snowy mountain",
    "step",
    "steps",
    "water",
}

# Names that annotators gave and nobody says.
_SAID = {
    "ceiling lamp": "a lamp",
    "desk lamp": "a lamp",
    "floor lamp": "a lamp",
    "fluorescent tube": "a neon light",
    "glass": "glass",
    "ground": "bare ground",
    "land": "land",
    "night table": "a nightstand",
    "person": "someone",
    "person sitting": "someone sitting",
    "person standing": "someone standing",
    "person walking": "someone walking",
    "river water": "water",
    "rock": "a rock",
    "sand beach": "a beach",
    "sconce": "a wall lamp",
    "sea water": "the sea",
    "sky": "the sky",
    "snowy mountain": "a snowy mountain",
    "text": "writing",
    "worktop": "a countertop",
}


def _phrase(thing: str) -> str:
    return _SAID.get(thing) or with_article(thing)


def _stem(thing: str) -> str:
    """What "tree" and "trees", "shelf" and "shelves" have in common."""
    return thing.removesuffix("s").removesuffix("e").removesuffix("f").removesuffix("v")


def _drawn(place: Place, things: Sequence[str], rng: np.random.Generator) -> dict[str, str]:
    """One to three different things that the place's name does not say already, as phrases."""
    said = {_stem(word) for word in place.phrase.split()}
    order = [thing for thing in things if said.isdisjoint({_stem(w) for w in thing.split()})]
    if not order:
        return {}
    weights = np.array([_SELDOM if thing in _EVERYWHERE else 1.0 for thing in order])
    wanted = int(rng.integers(1, _MOST + 1))
    out: dict[str, str] = {}
    stems: set[str] = set()
    for row in rng.choice(len(order), len(order), replace=False, p=weights / weights.sum()):
        if len(out) == wanted:
            break
        phrase, stem = _phrase(order[row]), _stem(order[row])
        if phrase not in out.values() and stem not in stems:
            out[order[row]] = phrase
            stems.add(stem)
    return out


def furnished(place: Place, things: Sequence[str], rng: np.random.Generator) -> str | None:
    """A sentence of a place with one to three of the things in it, or None if there is none."""
    drawn = _drawn(place, things, rng)
    if not drawn:
        return None
    said = listed(list(drawn.values()))
    if rng.random() < 0.3 and _PARTS.isdisjoint(drawn):
        return f"{said} {place.where}"
    return f"{place.phrase} with {said}"
