"""Files that are broken the way disks, networks, cards and people break them, by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["MUTATIONS", "mutate"]

_Mutation = Callable[[bytearray, random.Random], bytearray]

# Whole numbers at the ends of what a field of a container may hold.
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate(contents: bytes, chance: random.Random) -> tuple[str, bytes]:
    """The name of a mutation, and contents that went through one to three of them."""
    data = bytearray(contents)
    names = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        name = chance.choice(list(MUTATIONS))
        data = MUTATIONS[name](data, chance)
        names.append(name)
    return "+".join(names), bytes(data)


def _cut(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data) + 1)]


def _flip(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 3, 30, 300))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _flip_head(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 3, 10))):
        if data:
            data[chance.randrange(min(len(data), 2048))] = chance.randrange(256)
    return data


def _flip_tail(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 3, 10))):
        if data:
            data[-1 - chance.randrange(min(len(data), 2048))] = chance.randrange(256)
    return data


def _extreme(data: bytearray, chance: random.Random) -> bytearray:
    """A field of four bytes with an extreme value, in either order of bytes."""
    for _ in range(chance.choice((1, 2, 5))):
        if len(data) >= 4:
            at = chance.randrange(min(len(data), 4096) - 3)
            value = chance.choice(_EXTREMES)
            data[at : at + 4] = value.to_bytes(4, chance.choice(("big", "little")))
    return data


def _block(data: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((16, 512, 4096, 16384)))


def _blank(data: bytearray, chance: random.Random) -> bytearray:
    start, end = _block(data, chance)
    data[start:end] = bytes(end - start)
    return data


def _lose(data: bytearray, chance: random.Random) -> bytearray:
    start, end = _block(data, chance)
    del data[start:end]
    return data


def _repeat(data: bytearray, chance: random.Random) -> bytearray:
    start, end = _block(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 1, 20)) + data[end:]


def _exchange(data: bytearray, chance: random.Random) -> bytearray:
    start, end = _block(data, chance)
    return data[end:] + data[start:end] + data[:start]


def _noise(data: bytearray, chance: random.Random) -> bytearray:
    start, end = _block(data, chance)
    data[start:end] = chance.randbytes(end - start)
    return data


def _append(data: bytearray, chance: random.Random) -> bytearray:
    return data + chance.randbytes(chance.choice((1, 100, 10_000)))


def _join(data: bytearray, chance: random.Random) -> bytearray:
    return data + data


MUTATIONS: dict[str, _Mutation] = {
    "cut": _cut,
    "flip": _flip,
    "head": _flip_head,
    "tail": _flip_tail,
    "extreme": _extreme,
    "blank": _blank,
    "lose": _lose,
    "repeat": _repeat,
    "exchange": _exchange,
    "noise": _noise,
    "append": _append,
    "join": _join,
}
