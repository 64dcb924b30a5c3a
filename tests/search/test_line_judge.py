"""Lines that are near to whatever is asked for are less sure than those that stand apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import unit
from tempo_edge.search.line_judge import FACTS, LineJudge, WordFacts
from tempo_edge.search.lines import WantedWords

APART = FACTS.index("apart") - FACTS.index("cosine")
JUDGE = LineJudge.shipped()


def facts(
    query: NDArray[np.float32], lines: NDArray[np.float32], sample: NDArray[np.float32]
) -> NDArray[np.float64]:
    return JUDGE.facts_of_meaning(query, lines, sample, len(sample))


def test_of_two_lines_as_near_the_one_in_a_crowd_is_less_sure() -> None:
    random = np.random.default_rng(0)
    query, beside, other = np.eye(64, dtype=np.float32)[:3]
    lines = unit(np.stack([query + beside, query + other]))
    crowd = unit(beside + 0.1 * random.standard_normal((60, 64), np.float32))
    sample = np.concatenate([crowd, unit(random.standard_normal((200, 64), np.float32))])
    crowded, apart = facts(query, lines, sample)
    assert crowded[0] == apart[0] and crowded[1] == apart[1]
    assert crowded[APART] < apart[APART] - 0.2
    words = WordFacts(WantedWords.of("sorry"), [5.0]).of("good morning")
    assert JUDGE.confidence([*words, *crowded]) < JUDGE.confidence([*words, *apart])


def test_what_says_the_same_is_no_crowd_and_few_lines_tell_little() -> None:
    random = np.random.default_rng(0)
    sample = unit(random.standard_normal((200, 64), np.float32))
    line = sample[:1]
    same = np.concatenate([sample, np.repeat(line, 100, 0)])
    assert facts(line[0], line, same)[0, APART] > facts(line[0], line, sample)[0, APART] - 0.05
    few, none = sample[1:2], np.zeros((0, 64), np.float32)
    by_chance = facts(line[0], line, none)[0, APART]
    assert abs(facts(line[0], line, few)[0, APART] - by_chance) < 0.02
