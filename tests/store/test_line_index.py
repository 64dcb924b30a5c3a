"""Where thousands of lines match, few of them are ranked, and none that was asked for is missed."""

from __future__ import annotations

import pytest
from made_up import Films

from tempo_edge.store.embedded import line_index
from tempo_edge.store.embedded.schema import SCHEMA, statements
from tempo_edge.words.line import KINDS, Line


def line(text: str, kind: str = "subtitle") -> Line:
    return Line(0.0, 1.0, kind, text)


@pytest.fixture
def many(films: Films, monkeypatch: pytest.MonkeyPatch) -> Films:
    """Two films; of the first, more lines hold a word than are ranked."""
    monkeypatch.setattr(line_index, "_MOST_RANKED", 5)
    monkeypatch.setattr(line_index, "_MOST_RANKED_IN_PART", 5)
    films.add("a", 1)
    films.add("b", 1)
    films.catalogue.put_lines(1, KINDS, [line("a dog runs over there")] * 20)
    later = [line("a dog"), line("the dog jumps"), line("a dog", "name")]
    films.catalogue.put_lines(2, KINDS, later)
    return films


def test_the_first_ones_are_ranked(many: Films) -> None:
    hits = many.catalogue.matching_lines(["dog"], 1, limit=100)
    assert [hit.video for hit in hits] == [1] * 5
    assert len(many.catalogue.matching_lines(["dog", "runs"], 2, limit=100)) == 5


def test_what_is_asked_for_alone_is_found_behind_them(many: Films) -> None:
    hits = many.catalogue.matching_lines(["dog"], 1, videos=[2])
    assert [hit.line.text for hit in hits] == ["a dog", "a dog", "the dog jumps"]
    (hit,) = many.catalogue.matching_lines(["dog"], 1, kinds=["name"])
    assert (hit.video, hit.line.kind) == (2, "name")
    (hit,) = many.catalogue.matching_lines(["dog", "jumps"], 2)
    assert hit.line.text == "the dog jumps"


@pytest.mark.parametrize("least", [1, 2, 3, 4])
def test_pairs_of_common_words_lead_to_the_same_lines(
    films: Films, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    films.add("a", 1)
    words = ("red", "dog", "jumps", "high")
    texts = [" ".join(w for n, w in enumerate(words) if bits >> n & 1) for bits in range(1, 16)]
    films.catalogue.put_lines(1, KINDS, [line(text) for text in texts])

    def found() -> list[tuple[str, int]]:
        hits = films.catalogue.matching_lines(words, least)
        return sorted((hit.line.text, hit.found) for hit in hits)

    expected = sorted((text, len(text.split())) for text in texts if len(text.split()) >= least)
    assert found() == expected
    monkeypatch.setattr(line_index, "_MANY", 1)
    assert found() == expected


def test_a_trigger_is_one_statement() -> None:
    parts = list(statements(SCHEMA))
    assert sum("CREATE TRIGGER" in part for part in parts) == 4
    assert all(part.count("CREATE ") == 1 for part in parts)
    assert list(statements("SELECT 1; SELECT 2;\n")) == ["SELECT 1;", " SELECT 2;"]
