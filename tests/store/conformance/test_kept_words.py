"""Lines of words come back as they were put, are found by their words, and go with their videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from films import put
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keepers import KEEPERS

from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.rows import FileRow
from tempo_edge.words.letters import folded, is_unspaced, tokens
from tempo_edge.words.line import KINDS, Line


def line(text: str, start: float = 0.0, kind: str = "subtitle", source: str = "stream 1") -> Line:
    return Line(start, start + 1.5, kind, text, "en", 0.75, source)


def spoken(writer: WritableCatalogue, name: str, *texts: str) -> int:
    """A film in which these are said, one a second; gives the video's id."""
    video = put(writer, name)
    writer.put_lines(video, KINDS, [line(text, float(at)) for at, text in enumerate(texts)])
    return video


def found(
    catalogue: Catalogue, *phrases: str, least: int | None = None, **rest: object
) -> list[str]:
    most = len(phrases) if least is None else least
    return [hit.line.text for hit in catalogue.matching_lines(phrases, most, **rest)]  # type: ignore[arg-type]


def test_lines_come_back_in_the_order_of_their_times(writer: WritableCatalogue) -> None:
    video = put(writer, "a")
    lines = [
        Line(2.0, 3.0, "subtitle", "two \U0001f3ac\n'\"%", "pt-BR", 1.0, "a.srt"),
        Line(0.0, 1e9, "name", "a name", "", 0.5, "file name"),
        Line(1 / 3, 2.5, "speech", "said", "en", 0.0, ""),
    ]
    assert writer.lines(video) == []
    writer.put_lines(video, KINDS, lines)
    assert writer.lines(video) == [lines[1], lines[2], lines[0]]
    assert writer.line_counts() == {"name": 1, "speech": 1, "subtitle": 1}


def test_lines_take_the_place_of_those_of_their_kinds(writer: WritableCatalogue) -> None:
    video = put(writer, "a")
    with writer.transaction():
        writer.put_lines(video, ["subtitle"], [line("old")])
        writer.put_lines(video, ["speech"], [line("said", 1.0, "speech")])
        writer.put_lines(video, KINDS, [line("beside", 2.0)], path="/a")
    writer.put_lines(video, ["subtitle", "chapter"], [line("new")])
    assert [each.text for each in writer.lines(video)] == ["new", "said", "beside"]
    writer.put_lines(video, KINDS, [], path="/a")
    assert [each.text for each in writer.lines(video)] == ["new", "said"]
    assert found(writer, "old") == found(writer, "beside") == [] and found(writer, "new") == ["new"]


def test_they_go_with_their_video_and_with_their_file(writer: WritableCatalogue) -> None:
    gone, stays = spoken(writer, "a", "gone"), spoken(writer, "b", "stays")
    with writer.transaction():
        writer.put_file(FileRow("/b2", "", 1, 1, "indexed", "", stays))
        writer.put_lines(stays, KINDS, [line("of the copy")], path="/b2")
    with writer.transaction():
        writer.drop_files(["/a", "/b2"])
    assert writer.lines(gone) != [] and found(writer, "gone") == [], "as its frames"
    assert [each.text for each in writer.lines(stays)] == ["stays"]
    writer.prune()
    assert writer.lines(gone) == [] and found(writer, "copy") == []
    assert found(writer, "stays") == ["stays"] and writer.line_counts() == {"subtitle": 1}


def test_a_file_that_is_put_again_has_no_words_of_its_own(writer: WritableCatalogue) -> None:
    video = put(writer, "a")
    writer.put_lines(video, KINDS, [line("the name")], path="/a")
    writer.put_lines(video, KINDS, [line("the contents")])
    writer.note_words("/a", "1")
    writer.put_file(replace(writer.files()["/a"], mtime_ns=2))
    assert [each.text for each in writer.lines(video)] == ["the contents"]
    assert found(writer, "name") == [] and writer.word_marks(["/a"]) == {}


def test_what_was_read_is_known_by_its_mark(writer: WritableCatalogue) -> None:
    for name in "abc":
        put(writer, name)
    writer.note_words("/a", "1", "is odd")
    writer.note_words("/b", "")
    writer.note_words("/a", "2", "a.srt: is empty")
    assert writer.word_marks(["/c", "/b", "/a", "/nothing"]) == {"/a": "2", "/b": ""}
    assert writer.word_marks([]) == {} and len(writer.word_marks(["/a"] * 2000)) == 1
    put(writer, "d", path="/v/d")
    writer.note_words("/v/d", "1", "is odd as well")
    everything = [("/a", "a.srt: is empty"), ("/v/d", "is odd as well")]
    assert list(writer.word_remarks()) == list(writer.word_remarks(Path("/"))) == everything
    assert list(writer.word_remarks(Path("/v"))) == everything[1:]
    assert list(writer.word_remarks(Path("/a"))) == everything[:1]


def test_what_a_transaction_loses_is_not_found(
    writer: WritableCatalogue, reader: Catalogue
) -> None:
    video = spoken(writer, "a", "before")
    with pytest.raises(KeyError), writer.transaction():
        writer.put_lines(video, KINDS, [line("after")])
        raise KeyError
    with reader.snapshot():
        assert found(reader, "before") == ["before"] and found(reader, "after") == []


def test_case_and_accents_do_not_count(writer: WritableCatalogue) -> None:
    spoken(writer, "a", "Où est le CAFÉ?", "Die Straße", "I'm so sorry.", "Где ты был?")
    assert found(writer, "cafe") == found(writer, "Café") == ["Où est le CAFÉ?"]
    assert found(writer, "i'm SO sorry") == ["I'm so sorry."]
    assert found(writer, "ГДЕ") == ["Где ты был?"]
    assert found(writer, "so sorry you") == found(writer, "sor") == []


def test_vowel_points_do_not_split_words(writer: WritableCatalogue) -> None:
    said = ("שָׁלוֹם עוֹלָם", "שלום לך", "السَّلَامُ عَلَيْكُم", "الســـلام")
    video = spoken(writer, "a", *said)
    for word in ("שלום", "שָׁלוֹם"):
        assert sorted(found(writer, word)) == sorted(said[:2])
    assert found(writer, "שלום עולם") == [said[0]], "words in a row"
    assert sorted(found(writer, "السلام")) == sorted(said[2:])
    assert found(writer, "שלום", "עולם") == [said[0]]
    writer.put_lines(video, KINDS, [line("עוֹלָם", kind="name")])
    assert found(writer, "שלום") == found(writer, "של") == []
    assert [hit.line.text for hit in writer.matching_lines(["עולם"], 1, kinds=["name"])] == ["עוֹלָם"]


def test_a_phrase_is_words_in_a_row(writer: WritableCatalogue) -> None:
    spoken(writer, "a", "a good morning to you", "good, but not morning", "morning, good man")
    assert found(writer, "good morning") == ["a good morning to you"]
    assert len(found(writer, "good", "morning")) == 3
    assert found(writer, "good morning", "you") == ["a good morning to you"]


def test_of_most_words_those_with_more_come_first(writer: WritableCatalogue) -> None:
    spoken(
        writer, "a", "the red dog", "the red dog jumps", "the red dog jumps high", "the cat", "dog"
    )
    words = ("red", "dog", "jumps", "high")
    assert found(writer, *words) == ["the red dog jumps high"]
    assert found(writer, *words, least=3) == ["the red dog jumps high", "the red dog jumps"]
    assert found(writer, *words, least=2)[2:] == ["the red dog"]
    assert set(found(writer, *words, least=1)[3:]) == {"dog"}
    hits = writer.matching_lines(words, 2)
    assert [hit.found for hit in hits] == [4, 3, 2]


def test_rarer_words_rank_higher(writer: WritableCatalogue) -> None:
    spoken(writer, "a", *["just a common line"] * 30, "a rare line")
    assert found(writer, "common", "rare", least=1, limit=2) == [
        "a rare line",
        "just a common line",
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("天気", ["今日はいい天気ですね"]),
        ("いい天気", ["今日はいい天気ですね"]),
        ("今", ["今日はいい天気ですね"]),
        ("ที่ไหน", ["เมื่อคืนคุณอยู่ที่ไหน"]),
        ("天空", []),
        ("apple", ["これはAppleです"]),
        ("日本", []),
    ],
)
def test_scripts_without_spaces(writer: WritableCatalogue, asked: str, said: list[str]) -> None:
    spoken(writer, "a", "今日はいい天気ですね", "เมื่อคืนคุณอยู่ที่ไหน", "これはAppleです", "plain words")
    phrases = (asked,) if asked != "apple" else ("これは", "apple")
    assert found(writer, *phrases) == said


def test_only_some_kinds_and_some_videos(writer: WritableCatalogue) -> None:
    one, two = spoken(writer, "a", "word one"), spoken(writer, "b", "word two")
    writer.put_lines(two, ["name"], [line("word three", 0.0, "name")], path="/b")
    assert len(found(writer, "word")) == 3
    assert found(writer, "word", kinds=["name"]) == ["word three"]
    assert found(writer, "word", videos=[one]) == ["word one"]
    assert found(writer, "word", kinds=["subtitle"], videos=[two]) == ["word two"]
    assert found(writer, "word", videos=[]) == found(writer, "word", kinds=[]) == []
    assert len(found(writer, "word", limit=2)) == 2
    assert {hit.video for hit in writer.matching_lines(["word"], 1)} == {one, two}


def test_who_only_reads_finds_the_same(writer: WritableCatalogue, reader: Catalogue) -> None:
    spoken(writer, "a", "the red dog", "今日はいい天気ですね")
    for _ in range(2):
        with reader.snapshot():
            assert found(reader, "red", "cat", least=1) == ["the red dog"]
            assert found(reader, "天気") == ["今日はいい天気ですね"]
            assert reader.line_counts() == {"subtitle": 2}


@pytest.mark.parametrize(
    "asked",
    ['"', '" OR "', "a*", "NEAR(a b)", "text:dog", "-dog", "^dog", "\0", "", "()", "'", "%_"],
)
def test_whatever_is_asked_for_is_words(writer: WritableCatalogue, asked: str) -> None:
    spoken(writer, "a", "the red dog", "axe bee")
    for least in (1, 2):
        assert set(found(writer, asked, "red", least=least)) <= {"the red dog"}


@pytest.mark.parametrize("kind", KEEPERS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.text(st.sampled_from("abcé AB.'\"日本で"), min_size=1, max_size=12).filter(str.strip),
        min_size=1,
        max_size=8,
    ),
    phrases=st.lists(
        st.text(st.sampled_from("abcé 日本で"), min_size=1, max_size=5).filter(str.strip),
        min_size=1,
        max_size=4,
    ),
    data=st.data(),
)
def test_what_is_found_is_what_python_says(
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    phrases: list[str],
    data: st.DataObject,
) -> None:
    least = data.draw(st.integers(1, len(phrases)))
    folder = tmp_path_factory.mktemp("kept")
    with KEEPERS[kind](folder).store().writer() as writer:
        spoken(writer, "a", *texts)
        hits = {hit.line.start_seconds: hit.found for hit in writer.matching_lines(phrases, least)}
    for at, text in enumerate(texts):
        if is_unspaced(text) or any(map(is_unspaced, phrases)):
            continue  # there letters are compared, and short ones of other scripts are left out
        held = tokens(folded(text))
        wanted = [tokens(folded(phrase)) for phrase in phrases]
        count = sum(
            any(held[n : n + len(each)] == each for n in range(len(held))) for each in wanted
        )
        assert hits.get(float(at), 0) == (count if count >= least else 0)
