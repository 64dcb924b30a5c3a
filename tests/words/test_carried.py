"""What a media file carries itself: tracks of text with true times, chapters and a title."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from subtitled import Spoken, ass, srt, vtt, with_text
from videos import BLUE, RED, make_not_a_video, make_video, texture

from tempo_edge.errors import MediaError
from tempo_edge.media import open_video, text_tracks
from tempo_edge.media._blocks import BlockFile
from tempo_edge.media.container import open_container
from tempo_edge.words import container
from tempo_edge.words.container import lines_of_container
from tempo_edge.words.line import Line

LINES: list[Spoken] = [(0.5, 1.25, "Good morning."), (1.5, 2.75, "I'm so sorry.")]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("carried") / "film.mp4"
    return make_video(path, shots=[(RED, 2), (BLUE, 2)], size=(64, 48)).path


def carried(path: Path, end_seconds: float = 4.0) -> tuple[list[Line], str]:
    """The lines of a file on the clock of its frames, and what is said of them."""
    with open_video(path) as video:
        zero = video.info.start_time
    lines, remark = lines_of_container(path, zero, end_seconds)
    return list(lines), remark


def spoken(lines: list[Line], kind: str = "subtitle") -> list[Spoken]:
    return [
        (each.start_seconds, each.end_seconds, each.text) for each in lines if each.kind == kind
    ]


@pytest.mark.parametrize(
    ("suffix", "form", "text"),
    [
        (".mp4", "srt", srt(LINES)),
        (".mov", "srt", srt(LINES)),
        (".mkv", "srt", srt(LINES)),
        (".mkv", "ass", ass(LINES)),
        (".mkv", "webvtt", vtt(LINES)),
    ],
)
def test_times_and_words_are_those_that_were_written(
    film: Path, tmp_path: Path, suffix: str, form: str, text: str
) -> None:
    path = with_text(film, tmp_path / f"film{suffix}", [(form, text, "ger")])
    lines, remark = carried(path)
    assert spoken(lines) == LINES and remark == ""
    assert {(line.language, line.confidence, line.source) for line in lines} == {
        ("de", 1.0, "stream 1")
    }


def test_each_track_has_its_language(film: Path, tmp_path: Path) -> None:
    tracks = [
        ("srt", srt([(1, 2, said)]), tongue) for said, tongue in (("yes", "eng"), ("ja", "de"))
    ]
    lines, _ = carried(
        with_text(film, tmp_path / "film.mkv", [*tracks, ("srt", srt(LINES), "und")])
    )
    assert {(each.text, each.language, each.source) for each in lines} == {
        *(("yes", "en", "stream 1"), ("ja", "de", "stream 2")),
        *((text, "", "stream 3") for _, _, text in LINES),
    }


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_times_count_from_where_those_of_frames_do(tmp_path: Path, suffix: str) -> None:
    shots = [(RED, 2), (BLUE, 2)]
    late = make_video(tmp_path / "late.mp4", shots=shots, size=(64, 48), start_seconds=3, bframes=0)
    path = with_text(
        late.path, tmp_path / f"film{suffix}", [("srt", srt([(4, 5, "a second in")]), "en")]
    )
    with open_video(path) as video:
        first = float(video.info.time_of(int(video.packets().pts[0])))
    (line,) = carried(path, end_seconds=10.0)[0]
    assert line.start_seconds - first == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_chapters_and_a_title(film: Path, tmp_path: Path, suffix: str) -> None:
    chapters = [(0.0, 1.5, "The <i>beach</i>"), (1.5, 4.0, "\x1bHome"), (4.0, 9.0, "Credits")]
    path = with_text(film, tmp_path / f"film{suffix}", title="Holiday\nin Rome", chapters=chapters)
    lines, _ = carried(path)
    assert spoken(lines, "chapter") == [(0, 1.5, "The beach"), (1.5, 4, "Home")]
    (title,) = (line for line in lines if line.kind == "name")
    assert (title.start_seconds, title.end_seconds, title.text) == (0, 4, "Holiday in Rome")
    assert title.confidence < 1 and title.source == "title"


def test_a_film_without_words(film: Path) -> None:
    assert carried(film) == ([], "")


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose pictures take a few hundred kilobytes."""
    path = tmp_path_factory.mktemp("noisy") / "noisy.mp4"
    return make_video(path, shots=[(texture(1, cell=2), 4)], gop=1, options={"qp": "20"}).path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_pictures_are_not_read(
    noisy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = with_text(noisy, tmp_path / f"film{suffix}", [("srt", srt(LINES), "en")])
    read: list[int] = []
    close = BlockFile.close

    def counting(self: BlockFile) -> None:
        read.append(self.bytes_read)
        close(self)

    monkeypatch.setattr(BlockFile, "close", counting)
    lines, _ = lines_of_container(path, Fraction(0), 4.0)
    assert spoken(list(lines)) == LINES
    assert path.stat().st_size > 1_000_000 and sum(read) < path.stat().st_size / 5


def test_what_can_not_be_walked_is_read_whole(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_text(film, tmp_path / "film.mkv", [("srt", srt(LINES), "en")])

    def failing(*_: object) -> object:
        raise ValueError("holds no element of Matroska at byte 7")

    monkeypatch.setattr(text_tracks, "open_hollow", failing)
    lines, remark = carried(path)
    assert spoken(lines) == LINES and remark == ""


def test_lines_outside_the_film_are_said(film: Path, tmp_path: Path) -> None:
    path = with_text(film, tmp_path / "film.mkv", [("srt", srt(LINES), "en")])
    lines, remark = carried(path, end_seconds=1.4)
    assert spoken(lines) == LINES[:1]
    assert remark == "text of stream 1: 1 of 2 lines lie outside the film"


def test_more_than_there_is_room_for_is_said(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = srt([(n / 10, n / 10 + 0.1, f"word {n}") for n in range(30)])
    path = with_text(film, tmp_path / "film.mkv", [("srt", many, "en"), ("srt", srt(LINES), "de")])
    monkeypatch.setattr(text_tracks, "_MOST_CUES", 10)
    lines, remark = carried(path)
    assert [line.source for line in lines].count("stream 1") == 10
    assert spoken([line for line in lines if line.language == "de"]) == LINES
    assert remark == "text of stream 1: holds more than 10 lines"
    monkeypatch.setattr(text_tracks, "_MOST_TEXT", 50)
    assert "text of stream 2: holds more than 50 letters" in carried(path)[1]
    monkeypatch.undo()
    monkeypatch.setattr(container, "_MOST_LINES", 31)
    assert carried(path)[1] == "text of stream 2: 1 lines more than 31 are left out"


def test_a_file_that_breaks_off_gives_what_there_is(film: Path, tmp_path: Path) -> None:
    path = with_text(film, tmp_path / "film.mkv", [("srt", srt(LINES), "en")])
    short = tmp_path / "short.mkv"
    short.write_bytes(path.read_bytes().partition(b"I'm so")[0])
    lines, _ = lines_of_container(short, Fraction(0), 4.0)
    assert spoken(list(lines)) == LINES[:1]


def test_what_is_no_film_is_said(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="its text can't be read: "):
        lines_of_container(make_not_a_video(tmp_path / "a.mp4"), Fraction(0), 4.0)
    with pytest.raises(MediaError, match="its text can't be read: "):
        lines_of_container(tmp_path / "gone.mp4", Fraction(0), 4.0)


def test_pictures_of_text_are_no_text(film: Path) -> None:
    with open_container(film) as container:
        assert not container.streams.subtitles
