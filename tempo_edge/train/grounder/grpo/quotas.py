"""How many prompts of each kind a step has: as many as its mix says, not as many as come.

A source makes up what it can: a caption without a word to change gives no swap, a picture that is
shown gives no look-alike, and so what comes is not the mix that was asked for. Where the operating
point lies depends on it.

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

__all__ = ["draw_by_kind", "quotas", "shares_of"]

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
        if missing[example.kind] and len(example.boundaries.grammar().options()) > 1:
            missing[example.kind] -= 1
            found.append(example)
    if len(found) < total:
        kind = (+missing).most_common(1)[0][0]
        raise DataError(
            f"kind {kind!r} did not come in {_DRAWS * total} draws: set absent, hard and swaps of "
            f"the mix to what these examples can give"
        )
    return found
