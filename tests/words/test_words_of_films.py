"""All words that cost no model are read of a film; what can't be is said, and ends nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from subtitled import srt, with_text
from videos import BLUE, RED, make_not_a_video, make_video

from tempo_edge._files.beside import Folder
from tempo_edge.words.names import lines_of_names
from tempo_edge.words.reading import mark_of, read_words
from tempo_edge.words.sidecars import SidecarFinder


def words_of(path: Path) -> tuple[set[tuple[str, str, str]], str]:
    """(kind, text, source) of all lines of a film of four seconds, and what is said."""
    beside = SidecarFinder(Folder()).of(str(path))
    words = read_words(str(path), Fraction(0), 4.0, beside)
    lines = [*(words.contents or ()), *words.beside]
    return {(line.kind, line.text, line.source) for line in lines}, words.remark


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film with text of its own and a file beside it."""
    folder = tmp_path / "2024 Holiday"
    folder.mkdir()
    plain = make_video(tmp_path / "plain.mp4", shots=[(RED, 2), (BLUE, 2)], size=(64, 48)).path
    path = with_text(plain, folder / "in_Rome.mkv", [("srt", srt([(1, 2, "carried")]), "en")])
    (folder / "in_Rome.de.srt").write_text(srt([(1, 2, "beside")]))
    return path


def test_a_film_and_what_lies_beside_it(film: Path) -> None:
    lines, remark = words_of(film)
    assert lines >= {
        ("subtitle", "carried", "stream 1"),
        ("subtitle", "beside", "in_Rome.de.srt"),
        ("name", "in Rome", "file name"),
        ("name", "2024 Holiday", "folder"),
    }
    assert remark == ""


def test_what_can_not_be_read_is_said_in_one_line(film: Path) -> None:
    make_not_a_video(film)
    film.with_suffix(".srt").write_bytes(b"nothing\n")
    lines, remark = words_of(film)
    assert ("subtitle", "beside", "in_Rome.de.srt") in lines
    assert remark.startswith("its text can't be read: ") and "\n" not in remark
    assert remark.endswith("; in_Rome.srt: holds no line with a time")


def test_a_mark_changes_with_what_there_is_to_read(film: Path) -> None:
    folder = Folder()
    finder = SidecarFinder(folder)

    def mark() -> str:
        folder.forget()
        return mark_of(finder.of(str(film)))

    first = mark()
    assert first == mark()
    film.with_suffix(".srt").write_text(srt([(1, 2, "more")]))
    second = mark()
    film.with_suffix(".srt").write_text(srt([(1, 2, "more of it")]))
    third = mark()
    for beside in film.parent.glob("*.srt"):
        beside.unlink()
    assert len({first, second, third, mark()}) == 4


def test_a_file_that_may_be_readable_later_is_read_again(film: Path) -> None:
    beside = SidecarFinder(Folder()).of(str(film))
    Path(beside[0].path).unlink()
    words = read_words(str(film), Fraction(0), 4.0, beside)
    assert words.mark != mark_of(beside) and "can't be read: no such file" in words.remark


def test_a_film_that_is_over_at_once_has_no_words(film: Path) -> None:
    beside = SidecarFinder(Folder()).of(str(film))
    words = read_words(str(film), Fraction(0), 0.0, beside)
    assert words.contents == words.beside == lines_of_names(str(film), 0.0) == ()
    assert words.mark == mark_of(beside)


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/home/me/Videos/Tennis_2024/final-set.mp4", ["final set", "Tennis 2024", "Videos"]),
        ("/VID_20240512_153000.mp4", ["VID 2024 05 12 153000"]),
        ("/x/12345678901234.mkv", ["12345678901234", "x"]),
        ("/x/no suffix", ["no suffix", "x"]),
        ("/---/___.mp4", []),
        ("/日本/旅行.mp4", ["旅行", "日本"]),
        (f"/{'y' * 255}/{'a' * 250}.mp4", ["a" * 250, "y" * 255]),
    ],
)
def test_names_are_weak_evidence_of_the_whole(path: str, texts: list[str]) -> None:
    lines = lines_of_names(path, 7.5)
    assert [line.text for line in lines] == texts
    assert all(line.kind == "name" and line.confidence < 1 for line in lines)
    assert all((line.start_seconds, line.end_seconds) == (0, 7.5) for line in lines)
