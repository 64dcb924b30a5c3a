"""Lines are found by what they mean, once a run has read them, and by nothing but themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Shelf
from subtitled import srt

import tempo_edge
from tempo_edge.answer import Answer

SAID = [
    (0.5, 1.5, "I'm so sorry about what happened last night."),
    (2.0, 2.5, "The train leaves from platform nine."),
    (2.5, 2.9, "今日はとても寒いですね。"),
]


@pytest.fixture
def spoken(shelf: Shelf, footage: Path) -> Path:
    (footage / "beach.en.srt").write_text(srt(SAID), encoding="utf-8")
    shelf.index(footage)
    return footage


def asked(shelf: Shelf, text: str, **fields: object) -> Answer:
    with tempo_edge.Library.open(shelf.path) as library:
        return library.find(text, **fields)  # type: ignore[arg-type]


def test_a_line_is_found_by_what_it_means(shelf: Shelf, spoken: Path) -> None:
    first, *_ = asked(shelf, "he apologises for last night")
    assert (first.path, first.start_seconds) == (spoken / "beach.mp4", 0.5)
    assert first.found_by[0] == "subtitle" and first.text == SAID[0][2]
    assert asked(shelf, "he apologises for last night", said=True).moments[0].text == SAID[0][2]
    assert not asked(shelf, "a volcano erupts on Iceland", said=True).moments


def test_the_very_words_come_first_in_any_script(shelf: Shelf, spoken: Path) -> None:
    for start, end, text in SAID:
        first, *_ = asked(shelf, text)
        assert (first.start_seconds, first.end_seconds, first.text) == (start, end, text)
        assert first.confidence > 0.9


def test_what_is_quoted_is_there_to_the_letter(shelf: Shelf, spoken: Path) -> None:
    (found,) = asked(shelf, '"so sorry"')
    assert found.text == SAID[0][2]
    assert not asked(shelf, '"very sorry"').moments, "pictures hold no words"
    assert asked(shelf, '"very sorry"', seen=True, min_confidence=0).moments


def test_a_narrowed_search_finds_by_nothing_else(shelf: Shelf, spoken: Path) -> None:
    for fields, kinds in (({"seen": True}, {"picture"}), ({"said": True}, {"subtitle"})):
        answer = asked(shelf, "the train on a beach", min_confidence=0, **fields)
        assert {kind for each in answer for kind in each.found_by} == kinds
    assert not asked(shelf, "train", shown=True, min_confidence=0).moments


def test_vectors_are_made_anew_of_what_changed_alone(shelf: Shelf, spoken: Path) -> None:
    def made() -> tuple[list[int], str]:
        with tempo_edge.Library.open(shelf.path) as library, library.catalogue.snapshot():
            ids = library.catalogue.line_vectors(range(1, 99))[0].tolist()
            return ids, library.catalogue.line_model()

    before, model = made()
    assert len(before) == 2 and model, "the line in Japanese has none"
    shelf.index(spoken)
    assert made() == (before, model)
    (spoken / "beach.en.srt").write_text(srt(SAID[1:2]), encoding="utf-8")
    shelf.index(spoken)
    after, _ = made()
    assert len(after) == 1 and not set(after) & set(before)
    assert not asked(shelf, "he apologises for last night", said=True).moments


def test_a_library_of_before_is_given_its_vectors(shelf: Shelf, spoken: Path) -> None:
    with tempo_edge.Library.open(shelf.path) as library, library.store.writer() as writer:
        writer.begin_line_vectors("another model")
    assert not asked(shelf, "he apologises for last night", said=True).moments
    shelf.index(spoken)
    assert asked(shelf, "he apologises for last night", said=True).moments


def test_names_hold_words_and_dates(shelf: Shelf, footage: Path) -> None:
    folder = footage / "holiday 2024"
    folder.mkdir()
    (footage / "garden.mp4").rename(folder / "20240712_tennis.mp4")
    shelf.index(footage)
    for text in ("tennis 2024", "tennis holiday", "July 2024 tennis"):
        found = [each for each in asked(shelf, text) if "name" in each.found_by]
        assert {each.path.name for each in found} == {"20240712_tennis.mp4"}, text
    assert not [each for each in asked(shelf, "tennis 2023") if "name" in each.found_by]
