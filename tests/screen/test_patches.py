"""Pixels that touch are one patch, whichever way it winds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.screen.patches import labelled


def drawn(*rows: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray([[letter == "#" for letter in row] for row in rows])


def sizes(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], most: int = 100) -> list[int]:
    return [len(rows) for rows, _ in labelled(mask, most)]


def test_what_touches_by_a_corner_is_one() -> None:
    assert sizes(drawn("##...", "..#..", "....#")) == [3, 1]


def test_two_arms_that_meet_further_down_are_one() -> None:
    assert sizes(drawn("#.#.#", "#.#.#", "###.#", "..###")) == [13]


def test_the_largest_come_first_and_no_more_than_asked_for() -> None:
    mask = drawn("#..##..###", "..........", "####......")
    assert sizes(mask) == [4, 3, 2, 1] and sizes(mask, most=2) == [4, 3]


def test_nothing_is_in_an_empty_picture() -> None:
    assert sizes(np.zeros((3, 4), bool)) == []


@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=9))
def test_each_pixel_is_of_one_patch_and_neighbours_of_the_same(rows: list[list[bool]]) -> None:
    mask = np.asarray(rows, bool)
    owner = np.full(mask.shape, -1)
    for number, (down, across) in enumerate(labelled(mask, 1000)):
        assert (owner[down, across] == -1).all()
        owner[down, across] = number
    assert ((owner >= 0) == mask).all()
    for down in range(-1, 2):
        for across in range(-1, 2):
            here = owner[max(0, -down) : len(mask) - max(0, down)]
            there = owner[max(0, down) : len(mask) - max(0, -down)]
            one = here[:, max(0, -across) : 7 - max(0, across)]
            other = there[:, max(0, across) : 7 - max(0, -across)]
            both = (one >= 0) & (other >= 0)
            assert (one[both] == other[both]).all()
