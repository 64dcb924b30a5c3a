"""Animals in number: one, two, several of a kind, and two kinds together."""

from __future__ import annotations

from collections.abc import Mapping

from tempo_edge.train.data.nouns import listed, plural, with_article

__all__ = ["miscounts", "names", "sentences"]

_HERDS = {"dog": "a pack of", "cow": "a herd of", "horse": "a herd of", "sheep": "a flock of"}
# What more than one or two may not be called: each is false of one and of two.
_MORE = ("three", "four", "five")


def _level(number: int) -> int:
    """One, two, or three for every larger number."""
    return min(number, 3)


def _phrases(animal: str, level: int) -> list[str]:
    """What so many of an animal are called, the plainest first."""
    many = plural(animal)
    if level == 1:
        return [with_article(animal), f"one {animal}", f"a single {animal}"]
    if level == 2:
        return [f"two {many}", f"a pair of {many}", f"a couple of {many}", f"2 {many}"]
    herd = [f"{_HERDS[animal]} {many}"] if animal in _HERDS else []
    return [f"several {many}", f"a group of {many}", f"a few {many}", *herd]


def names(label: str, counts: Mapping[str, int]) -> list[str]:
    """Every name of a label: those of one kind in that number, or several kinds in each order."""
    kinds = list(counts.items())
    if len(kinds) == 1:
        (animal, number), *_ = kinds
        return [label, *_phrases(animal, _level(number))]
    plain = [_phrases(animal, _level(number))[0] for animal, number in kinds]
    return [label, listed(plain), listed(plain[::-1])]


def _said(phrases: list[str]) -> list[str]:
    """The phrases alone, then the first of them in sentences."""
    plain = phrases[0]
    return [
        plain,
        f"a photo of {plain}",
        f"a picture of {plain}",
        *phrases[1:],
        f"a video of {plain}",
        *(f"a photo of {phrase}" for phrase in phrases[1:3]),
    ]


def sentences(label: str, counts: Mapping[str, int]) -> list[str]:
    """The sentences of a label, its name first."""
    return _said(list(dict.fromkeys(names(label, counts))))


def miscounts(label: str, counts: Mapping[str, int]) -> list[str]:
    """Sentences of the same animals in other numbers, wrong for every picture of the label."""
    out: list[str] = []
    for animal, number in counts.items():
        level = _level(number)
        other = [_phrases(animal, each) for each in (1, 2, 3) if each != level]
        if level < 3:
            other.append([f"{number} {plural(animal)}" for number in _MORE])
        rest = [_phrases(kind, _level(n))[0] for kind, n in counts.items() if kind != animal]
        for phrases in other:
            out += _said([listed([phrase, *rest]) for phrase in phrases])
    right = set(sentences(label, counts))
    return [sentence for sentence in dict.fromkeys(out) if sentence not in right]
