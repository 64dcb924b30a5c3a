"""How many prompts of each kind a step has: as many as its mix says, not as many as come.

A source gives the kinds of a mix by chance, and a small one not even that: a picture without
look-alikes gives none. A step of a few prompts would often have none of a kind, and where the
operating point lies depends on how many are present.

No group is left out afterwards. A group whose span answers all earn the same teaches nothing about
spans, and all groups of absent prompts are such, but each still tells what a refusal there earns
*more* or less: its refusal term is not noise but exact. Leaving such groups out, as GRPO's
followers do to save work (DAPO, Yu et al., 2025), would leave out just those present prompts that
are answered well every time, which speak most clearly for answering, and nearly all absent ones.
And where a refusal is certain already, ``q (1 - q)`` lets the term vanish by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.examples import Example, ExampleSource
from tempo_edge.train.grounder.synthetic.mix import Mix

__all__ = ["draw_by_kind", "quotas", "shares_of", "shares_of_annotated"]

_ABSENT = "absent"  # any kind but present
_DRAWS = 200  # for each prompt of a step, until a source is said not to have a kind


def shares_of(mix: Mix) -> dict[str, float]:
    """The share of each kind of example that a mix asks for; they sum to 1."""
    hard = mix.absent * mix.hard
    return {
        "present": 1.0 - mix.absent,
        "easy": mix.absent - hard,
        "lookalike": hard * (1.0 - mix.swaps),
        "swap": hard * mix.swaps,
    }


def shares_of_annotated(mix: Mix) -> dict[str, float]:
    """The shares of present and of absent examples, of whatever kind these are.

    Annotated videos have no look-alikes, and a sentence of theirs that can't be swapped is asked of
    another video instead, so that each is asked in vain as often as any other. With a quota for
    swaps, that would be so no more.
    """
    return {"present": 1.0 - mix.absent, _ABSENT: mix.absent}


def quotas(shares: Mapping[str, float], count: int, rng: np.random.Generator) -> Counter[str]:
    """The number of examples of each kind among `count`, by systematic sampling.

    Each is its share of `count`, rounded up or down by chance, such that it is exact on average.
    """
    bounds = np.cumsum(list(shares.values()))
    marks = (np.arange(count) + rng.random()) / count * bounds[-1]
    kinds = list(shares)
    places = np.minimum(np.searchsorted(bounds, marks, side="right"), len(kinds) - 1)
    return Counter(kinds[place] for place in places.tolist())


def draw_by_kind(
    source: ExampleSource, wanted: Mapping[str, int], rng: np.random.Generator
) -> list[Example]:
    """As many examples of each kind as are wanted, each of a window in which spans can be named.

    Raises:
        DataError: the source does not come up with a kind.
    """
    missing, found = Counter(wanted), list[Example]()
    total = missing.total()
    for _ in range(_DRAWS * total):
        if len(found) == total:
            break
        example = source.draw(rng)
        absent = _ABSENT in wanted and example.kind != "present"
        kind = _ABSENT if absent else example.kind
        if missing[kind] and len(example.boundaries.grammar().options()) > 1:
            missing[kind] -= 1
            found.append(example)
    if len(found) < total:
        lacking = (+missing).most_common(1)[0][0]
        raise DataError(
            f"kind {lacking!r} did not come in {_DRAWS * total} draws: set absent, hard and swaps "
            f"of the mix to what these examples can give"
        )
    return found
