"""Other words for a query: what questions are stripped to, and how ways are compared."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._asked import Asked, Picture
from benchmarks.calibration import Vectors
from benchmarks.phrasings import Asking, kinds_of
from tempo_edge.evaluation.questions import as_question
from tempo_edge.models import load_profile
from tempo_edge.quantization import unit
from tempo_edge.search.fitted import calibration_of
from tempo_edge.search.wording import sought


@pytest.mark.parametrize(
    ("text", "number", "question", "stripped"),
    [
        (
            "A dog jumps over a log .",
            0,
            "where does a dog jump over a log?",
            "a dog jump over a log",
        ),
        ("A man is riding a bike.", 1, "where is a man riding a bike?", "a man riding a bike"),
        ("Two girls are asleep", 2, "find a video of two girls are asleep", "two girls are asleep"),
        ("field hockey", 0, "show me field hockey", "field hockey"),
        ("beach", 1, "is there beach?", "beach"),
        ("beach", 3, "do I have beach?", "beach"),
    ],
)
def test_a_question_is_stripped_to_what_it_seeks(
    text: str, number: int, question: str, stripped: str
) -> None:
    assert as_question(text, number) == question
    assert sought(question) == stripped


def test_ways_are_compared_on_the_same_libraries() -> None:
    generator = np.random.default_rng(0)
    found = [Picture("set", f"{i}.jpg", (f"caption {i}",), None, 1 + i % 3) for i in range(80)]
    queries = [Asked(f"caption {i}", "set", (i,)) for i in range(40)]
    base = generator.normal(size=(80, 32)).astype(np.float32)
    seen = np.repeat(base, [picture.views for picture in found], axis=0)
    others = [unit(generator.normal(size=(n, 32)).astype(np.float32)) for n in (500, 200, 9, 9)]
    near, far = (
        Vectors(unit(seen), unit(np.float32(base[:40] + noise * base[40:])), *others)
        for noise in (0.1, 0.9)
    )
    at = Asking.of(found, queries, seed=1)
    judge = calibration_of(load_profile("nano"), "curve")
    better, worse = (at.outcome(vectors, judge, seed=1) for vectors in (near, far))
    everyone = np.arange(len(queries))
    assert at.measured(better, everyone)[0] == 100 > at.measured(worse, everyone)[0]
    assert at.measured(better, everyone)[1] > at.measured(worse, everyone)[1]
    one = np.full(3, 7)  # a query named thrice counts as it does alone
    assert at.measured(worse, one) == pytest.approx(at.measured(worse, one[:1]))


def test_every_kind_of_query_is_made() -> None:
    words = "a brown dog runs across the wet grass"
    found = [Picture("flickr8k", f"dev/{i}.jpg", (words,), None, 3) for i in range(150)]
    found += [Picture("places100", f"dev/{i}.jpg", (), "beach", 1) for i in range(3)]
    kinds = kinds_of(found, seed=1)
    assert [len(queries) for queries in kinds.values()] == [1, 150, 150, 151]
    assert kinds["labels"] == [Asked("beach", "places100", (150, 151, 152))]
    assert all(len(query.text.split()) == 3 for query in kinds["three words"])
    assert kinds["questions"][1].text == "where does a brown dog run across the wet grass?"
    assert [q.true for q in kinds["questions"][1:]] == [q.true for q in kinds["captions"]]
