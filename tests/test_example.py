"""An example: named once, in one set of words, whichever door it comes through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tempo_edge.errors import QueryError
from tempo_edge.example import LARGEST_PICTURE, Example, example
from tempo_edge.query import Query


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ("83", 83.0, None),
        ("1:23", 83.0, None),
        ("1:23.5", 83.5, None),
        ("1:02:03", 3723.0, None),
        ("1:20-1:30", 80.0, 90.0),
        ("00:12.4–00:20.0", 12.4, 20.0),
        ("3.5-8", 3.5, 8.0),
        ("95", 95.0, None),
    ],
)
def test_a_moment_is_read(times: str, start: float, end: float | None) -> None:
    for where in ("/v/film.mp4", "/v/a@home.mp4", "/v/a:b-c@1.mp4"):
        found = Example.moment(f"{where}@{times}")
        assert (found.path, found.start_seconds, found.end_seconds) == (Path(where), start, end)
        again = Example.moment(found.place)
        assert (again.path, again.start_seconds, again.end_seconds) == (found.path, start, end)


def test_a_number_is_a_video_of_the_library() -> None:
    found = Example.moment("12@3-8", is_decoded=False)
    assert (found.video, found.path, found.place) == (12, None, "12@3-8")


def test_a_path_is_from_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = example("film.mp4@1:23")
    assert found is not None and found.path == tmp_path / "film.mp4"
    assert example(None) is None and example(found) is found


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ("film.mp4@", "has no time that can be read: name a moment, as film.mp4@1:23"),
        ("film.mp4@noon", "has no time that can be read"),
        ("film.mp4@1:99", "'1:99' has 60 or more where 59 is the last"),
        ("film.mp4@1:75:00", "'1:75:00' has 60 or more"),
        ("film.mp4@8-3", "must end after it starts"),
        ("film.mp4@-3", "has no time that can be read"),
        ("film.mp4@3-", "has no time that can be read"),
        ("gone.jpg", "is not there: name a picture, or a moment, as film.mp4@1:23"),
        ("me@home.jpg", "is not there"),
        (".", "is not a file"),
        ("", "is empty: name a picture"),
        ("nothing.png", "is empty: name a picture"),
        ("large.png", "has more than 32 MiB: name a smaller picture"),
        ("a\0b.png", "can't be read|is not there"),
    ],
)
def test_what_is_none_is_told_in_a_line(
    named: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nothing.png").touch()
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(LARGEST_PICTURE + 1)
    with pytest.raises(QueryError, match=complaint) as refused:
        example(named)
    assert "\n" not in str(refused.value)


def test_words_may_be_left_out_with_an_example_alone() -> None:
    like = Example.moment("/v/film.mp4@3")
    assert Query("", like=like).kinds == Query("dogs", like=like, seen=True).kinds == {"picture"}
    assert Query("dogs", like=like).title == "dogs, like /v/film.mp4@3"
    for kind in ("said", "shown"):
        with pytest.raises(QueryError, match=f"like and {kind} exclude each other"):
            Query("dogs", like=like, **{kind: True})


def test_a_pictures_bytes_are_not_printed() -> None:
    assert "secret" not in repr(Example("a.jpg", picture=b"secret"))
    with pytest.raises(QueryError, match="must be a picture, or a moment of one video"):
        Example("nothing")
