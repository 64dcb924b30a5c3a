"""Saved searches are kept with what they told, and know what is new to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from films import put

from tempo_edge.errors import RefusedRowError
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.saved import Claim, SavedRow
from tempo_edge.words.line import Line

ROW = SavedRow(0, "dogs", '{"query": 1}', "{}", "", 0, 0, 0)


def saved(writer: WritableCatalogue, **facts: object) -> SavedRow:
    """A search that was just put."""
    number = writer.put_saved(replace(ROW, **facts))  # type: ignore[arg-type]
    return next(each for each in writer.saved() if each.number == number)


def test_a_search_is_kept_as_it_was(writer: WritableCatalogue, reader: Catalogue) -> None:
    with reader.snapshot():
        assert reader.saved() == [] and reader.claims(1) == []
    row = saved(writer, seal="ab")
    cats = saved(writer, name="cats", since_video=3, video=5, line=7)
    with reader.snapshot():
        assert reader.saved() == [cats, row]
    assert row == replace(ROW, number=row.number, seal="ab")
    with pytest.raises(RefusedRowError), writer.transaction():
        writer.put_saved(ROW)


def test_what_is_new_is_what_came_later(writer: WritableCatalogue) -> None:
    old = put(writer, "old")
    video, line = writer.newest()
    assert (video, line) == (old, 0)
    row = saved(writer, since_video=video, video=video)
    assert writer.videos_due(row) == []
    first, second = put(writer, "first"), put(writer, "second")
    assert writer.videos_due(row) == [first, second]
    with writer.transaction():
        writer.note_searched(row.number, [first], first, 0)
    (row,) = writer.saved()
    assert writer.videos_due(row) == [second]
    writer.drop_files(["/second"])
    assert writer.videos_due(row) == []  # no file shows it


def test_new_words_make_a_new_film_due_and_no_old_one(writer: WritableCatalogue) -> None:
    old = put(writer, "old")
    row = saved(writer, since_video=old, video=old)
    film = put(writer, "film")
    writer.note_searched(row.number, [film], film, 0)
    for video in (old, film):
        writer.put_lines(video, ["speech"], [Line(1.0, 2.0, "speech", "hello", "en", 1.0, "heard")])
    (row,) = writer.saved()
    assert writer.videos_due(row) == [film]
    writer.note_searched(row.number, (), 0, writer.newest()[1])
    (row,) = writer.saved()
    assert (row.video, writer.videos_due(row)) == (film, [])


def test_some_videos_are_due_whatever_their_ids(writer: WritableCatalogue) -> None:
    one, two = put(writer, "one"), put(writer, "two")
    row = saved(writer, since_video=two, video=two)
    writer.note_due(row.number, [one, one])
    assert writer.videos_due(row) == [one]
    writer.note_searched(row.number, [one], one, 0)
    (row,) = writer.saved()
    assert (row.video, writer.videos_due(row)) == (two, [])


@pytest.mark.parametrize(
    ("start", "end", "is_new"),
    [
        (10.0, 20.0, False),
        (12.0, 14.0, False),  # a part of it
        (0.0, 60.0, False),  # it is a part of this
        (15.0, 25.0, False),  # half of it
        (16.0, 26.0, True),
        (20.0, 30.0, True),
    ],
)
def test_a_moment_is_claimed_once(
    writer: WritableCatalogue, start: float, end: float, is_new: bool
) -> None:
    row = saved(writer)
    first = Claim("a", row.number, b"film", 10.0, 20.0, "{}")
    assert writer.put_claim(first)
    assert writer.put_claim(Claim("b", row.number, b"film", start, end, "{}")) is is_new
    assert writer.put_claim(Claim("c", row.number, b"other", start, end, "{}"))
    told = replace(first, done=("notify", "run"), is_told=True)
    writer.note_done(told)
    assert writer.claims(row.number)[0] == told
    assert told not in writer.claims(row.number, untold=True)
    assert writer.drop_saved("dogs") and not writer.drop_saved("dogs")
    assert writer.claims(row.number) == []
