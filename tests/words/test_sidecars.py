"""Subtitle files beside a film are found by its name, and read whatever is in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from subtitled import Spoken, ass, lrc, srt, vtt

from tempo_edge._files.beside import SUBTITLES, Folder, films_beside
from tempo_edge.errors import MediaError
from tempo_edge.media.text_tracks import TEXT_FORMATS
from tempo_edge.words import sidecars, timing
from tempo_edge.words.line import Line
from tempo_edge.words.sidecars import (
    Sidecar,
    SidecarFinder,
    UnreadSidecarError,
    lines_of_sidecar,
)

LINES: list[Spoken] = [(1.0, 2.5, "Good morning."), (61.25, 63.5, "I'm so sorry.")]


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(srt(LINES))


def found(film: Path) -> list[tuple[str, str]]:
    return [(each.name, each.language) for each in SidecarFinder(Folder()).of(str(film))]


def read(path: Path, content: bytes | str, end_seconds: float = 3600.0) -> tuple[list[Line], str]:
    """The lines of a file, and what is said of it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    film = path.parent / f"{path.name.partition('.')[0]}.mp4"
    (sidecar,) = SidecarFinder(Folder()).of(str(film))
    lines, remark = lines_of_sidecar(sidecar, end_seconds)
    return list(lines), remark


def spoken(lines: list[Line]) -> list[Spoken]:
    return [(line.start_seconds, line.end_seconds, line.text) for line in lines]


def test_they_have_the_name_of_the_film_and_a_language(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    put(tmp_path, "film.srt", "film.en.SRT", "film.pt-BR.forced.vtt", "film.German.ass", "film.lrc")
    put(tmp_path, "other.srt", "film2.srt", "film.txt", "film.part.srt", "._film.srt", "films.srt")
    (tmp_path / "film.fr.srt").mkdir()
    (tmp_path / "film.es.srt").symlink_to(tmp_path / "nowhere")
    assert found(tmp_path / "film.mp4") == [
        *(("film.German.ass", "de"), ("film.en.SRT", "en"), ("film.lrc", "")),
        *(("film.pt-BR.forced.vtt", "pt-BR"), ("film.srt", "")),
    ]
    assert found(tmp_path / "nothing.mp4") == found(tmp_path / "no folder" / "film.mp4") == []


def test_of_two_films_the_longer_name_has_it(tmp_path: Path) -> None:
    put(tmp_path, "how.to.srt", "how.to.en.srt")
    assert found(tmp_path / "how.mp4") == [("how.to.srt", "to")]
    for film in ("how.mp4", "how.to.mp4"):
        (tmp_path / film).touch()
    assert found(tmp_path / "how.mp4") == []
    assert found(tmp_path / "how.to.mp4") == [("how.to.en.srt", "en"), ("how.to.srt", "")]


def test_the_films_of_a_file(tmp_path: Path) -> None:
    for film in ("how.mp4", "how.to.MKV", "however.mp4", "how.txt", ".mp4"):
        (tmp_path / film).touch()

    def films(name: str) -> list[str]:
        return sorted(Path(film).name for film in films_beside(str(tmp_path / name)))

    assert films("how.srt") == films("how.en.VTT") == ["how.mp4"]
    assert films("how.to.en.srt") == ["how.mp4", "how.to.MKV"]
    assert films("how.mp4") == films("how.txt") == films("what.srt") == films("srt") == []
    assert films_beside(str(tmp_path / "no folder" / "how.srt")) == []


def test_every_format_that_is_read_is_known_beside_a_film() -> None:
    assert TEXT_FORMATS.keys() == SUBTITLES


def test_a_folder_is_listed_anew_when_it_is_asked_for(tmp_path: Path) -> None:
    folder = Folder()
    finder, film = SidecarFinder(folder), str(tmp_path / "film.mp4")
    assert finder.of(film) == ()
    put(tmp_path, "film.srt")
    assert finder.of(film) == ()
    folder.forget()
    assert [each.name for each in finder.of(film)] == ["film.srt"]


def test_a_name_that_is_not_utf_8_is_spelled_out(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/film.srt"
    film = os.fsdecode(os.fsencode(tmp_path) + b"/fi\xfflm.mp4")
    Path(os.fsdecode(raw.replace(b"film", b"fi\xfflm"))).write_text(srt(LINES))
    (sidecar,) = SidecarFinder(Folder()).of(film)
    assert sidecar.name == "fi\\xfflm.srt"
    assert lines_of_sidecar(sidecar, 100.0)[0][0].source == "fi\\xfflm.srt"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("film.srt", srt(LINES)),
        ("film.srt", srt(LINES).replace("\n", "\r\n")),
        ("film.srt", "\ufeff" + srt(LINES)),
        ("film.vtt", vtt(LINES)),
        ("film.ass", ass(LINES)),
        ("film.ssa", ass(LINES)),
        ("film.srt", vtt(LINES)),
        ("film.vtt", ass(LINES)),
        ("film.srt", srt(LINES).encode("utf-16")),
        ("film.srt", srt(LINES).replace(",", ".")),
    ],
)
def test_times_and_words_are_those_that_were_written(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    lines, remark = read(tmp_path / name, content)
    assert spoken(lines) == LINES and remark == ""
    assert {(line.kind, line.confidence, line.source) for line in lines} == {("subtitle", 1, name)}


def test_lyrics_are_shown_until_the_next_line(tmp_path: Path) -> None:
    lines, _ = read(tmp_path / "film.lrc", lrc([(1.0, "one"), (2.5, "two"), (4.0, "three")]))
    assert spoken(lines) == [(1, 2.5, "one"), (2.5, 4, "two"), (4, 14, "three")]


def test_a_language_is_that_of_the_name(tmp_path: Path) -> None:
    lines, _ = read(tmp_path / "film.ger.sdh.srt", srt(LINES))
    assert {line.language for line in lines} == {"de"}


def test_subtitles_of_another_film_are_said(tmp_path: Path) -> None:
    lines, remark = read(tmp_path / "film.srt", srt(LINES), end_seconds=30.0)
    assert spoken(lines) == LINES[:1]
    assert remark == "1 of 2 lines lie outside the film"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"A shopping list:\nmilk\nbread\n", "holds no line with a time"),
        (b"\x00\xff\x00\xfe" * 500, "holds no line with a time|can't be read"),
        (b"WEBVTT\n", "holds no line with a time"),
        (b"<html><body>404 not found</body></html>", "holds no line with a time"),
    ],
)
def test_what_holds_none_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(MediaError, match=said) as caught:
        read(tmp_path / "film.srt", content)
    assert "\n" not in str(caught.value)


def test_one_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecars, "MOST_BYTES", 1000)
    with pytest.raises(MediaError, match="has 1,001 bytes, at most 1,000"):
        read(tmp_path / "film.srt", b"x" * 1001)


def test_one_of_too_many_lines_is_read_as_far_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "MOST_LINES", 10)
    lines, remark = read(tmp_path / "film.srt", srt([(n, n + 0.9, f"w{n}") for n in range(1, 40)]))
    assert len(lines) == 10 and remark == "29 lines more than 10 are left out"


def test_what_can_not_be_opened_may_be_readable_later(tmp_path: Path) -> None:
    gone = Sidecar(str(tmp_path / "film.srt"), "film.srt", 10, 1, "srt", "")
    with pytest.raises(UnreadSidecarError, match="can't be read: no such file"):
        lines_of_sidecar(gone, 100.0)
    os.mkfifo(tmp_path / "pipe.srt")
    pipe = gone._replace(path=str(tmp_path / "pipe.srt"))
    with pytest.raises(MediaError, match="is not a regular file"):
        lines_of_sidecar(pipe, 100.0)


def test_controls_and_markup_are_not_shown(tmp_path: Path) -> None:
    written = "<b>a</b>\x00\x1b[31m{\\an8}<script src=x>b</script>"
    ((_, _, shown),) = spoken(read(tmp_path / "film.srt", srt([(1, 2, written)]))[0])
    assert shown == "a [31mb"


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    *(
                        b"1\n",
                        b"00:00:01,000 --> 00:00:02,000\n",
                        b"99:99:99,999 --> -1:00:00,000\n",
                    ),
                    *(b"WEBVTT\n\n", b"[Script Info]\n", b"[Events]\nDialogue: 0,", b"[00:01.00]"),
                    *(b"0:00:01.00,0:00:02.00,Default,,0,0,0,,", b"text\n", b"\n", b"\0"),
                    b"\xff\xfe",
                ]
            ),
            max_size=30,
        ).map(b"".join),
    ),
    st.sampled_from([".srt", ".vtt", ".ass", ".lrc"]),
)
def test_whatever_is_in_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("beside")
    try:
        lines, _ = read(folder / f"film{suffix}", content, end_seconds=10.0)
    except MediaError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert all(line.end_seconds <= 10.0 for line in lines)
