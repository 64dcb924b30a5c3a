"""Where thousands of lines match, few of them are ranked, and none that was asked for is missed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from made_up import Films

from tempo_edge.store import line_search
from tempo_edge.store.embedded import line_index
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.schema import PLAIN, SCHEMA, statements
from tempo_edge.words.line import KINDS, Line


def line(text: str, kind: str = "subtitle") -> Line:
    return Line(0.0, 1.0, kind, text)


@pytest.fixture
def many(films: Films, monkeypatch: pytest.MonkeyPatch) -> Films:
    """Two films; of the first, more lines hold a word than are ranked."""
    monkeypatch.setattr(line_index, "MOST_RANKED", 5)
    monkeypatch.setattr(line_index, "MOST_RANKED_IN_PART", 5)
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
    monkeypatch.setattr(line_search, "_MANY", 1)
    assert found() == expected


# How lines were put into the index before points were left out.
BEFORE = """
DROP TRIGGER evidence_words_put;
DROP TRIGGER evidence_words_gone;
DROP TRIGGER evidence_names_put;
DROP TRIGGER evidence_names_gone;
ALTER TABLE evidence DROP COLUMN plain;
CREATE TRIGGER evidence_put AFTER INSERT ON evidence WHEN new.unspaced=0 BEGIN
  INSERT INTO evidence_words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER evidence_gone AFTER DELETE ON evidence WHEN old.unspaced=0 BEGIN
  INSERT INTO evidence_words (evidence_words, rowid, text) VALUES ('delete', old.id, old.text);
END;
"""


def test_words_with_points_of_a_library_of_before_are_found(films: Films) -> None:
    films.add("a", 1)
    path = films.path
    films.catalogue.close()
    with closing(sqlite3.connect(path)) as before, before:
        before.executescript(BEFORE)
    with closing(sqlite3.connect(path)) as before, before:
        row = "INSERT INTO evidence (video_id, start_seconds, end_seconds, kind, text, language, "
        row += "confidence, source, unspaced) VALUES (1, 0, 1, 'subtitle', ?, '', 1, '', 0)"
        before.executemany(row, [("שָׁלוֹם",), ("good morning",)])
    for _ in range(2):
        with closing(SqliteCatalogue(path)) as now:
            found = [now.matching_lines([word], 1) for word in ("שלום", "morning")]
            assert [[hit.line.text for hit in hits] for hits in found] == [
                ["שָׁלוֹם"],
                ["good morning"],
            ]
    with closing(SqliteCatalogue(path)) as now:
        now.put_lines(1, KINDS, [line("else")])
        assert now.matching_lines(["שלום"], 1) == now.matching_lines(["ש"], 1) == []


def test_a_trigger_is_one_statement() -> None:
    parts = list(statements(SCHEMA + PLAIN))
    assert sum("CREATE TRIGGER" in part for part in parts) == 6
    assert all(part.count("CREATE ") <= 1 for part in parts)
    assert list(statements("SELECT 1; SELECT 2;\n")) == ["SELECT 1;", " SELECT 2;"]
