"""Words on the screen of real films, drawn by the tests, are read behind the pictures and found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from harness import Shelf
from videos import make_video
from written import page

import tempo_edge
from tempo_edge.indexing.confined_screen import ScanningReader
from tempo_edge.indexing.later_pass import Film
from tempo_edge.indexing.screen_looks import looks_of
from tempo_edge.media import open_video
from tempo_edge.media.whole_pictures import FilmPictures
from tempo_edge.screen.following import Shown, patch_of
from tempo_edge.screen.notes import Notes
from tempo_edge.screen.rows import Box, Row
from tempo_edge.store.passes import PassState
from tempo_edge.words.line import Line

SECONDS = 8


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five shots of eight seconds, each with a title; "LIVE" stands there throughout."""
    path = tmp_path_factory.mktemp("films") / "stations.mp4"
    titles = {
        1: "Harbour weather",
        2: "Mountain railway",
        3: "",
        4: "Election night",
        5: "Orchestra",
    }
    shots = [
        (page({(60, 260): text, (520, 40): "LIVE"} if text else {(520, 40): "LIVE"}, seed), SECONDS)
        for seed, text in titles.items()
    ]
    make_video(path, shots=shots, size=(640, 360), rate=Fraction(2), gop=4)
    return path


def on_screen(shelf: Shelf) -> list[Line]:
    with tempo_edge.Library.open(shelf.path) as library, library.catalogue.snapshot():
        (row,) = library.catalogue.files().values()
        assert row.video_id is not None
        return [line for line in library.catalogue.lines(row.video_id) if line.kind == "screen"]


def test_titles_are_read_once_each_and_found_at_their_time(shelf: Shelf, film: Path) -> None:
    report = shelf.index(film, words="screen")
    assert report.indexed == 1 and report.later == {"scanned": 1}
    spans = {line.text: (line.start_seconds, line.end_seconds) for line in on_screen(shelf)}
    assert spans == {
        "LIVE": (0, 40),
        "Harbour weather": (0, 8),
        "Mountain railway": (8, 16),
        "Election night": (24, 32),
        "Orchestra": (32, 40),
    }
    assert all(line.confidence > 0.9 for line in on_screen(shelf))
    with tempo_edge.Library.open(shelf.path) as library:
        (match,) = library.lines("mountain railway", kinds=["screen"])
        totals = library.words_read().passes["screen"]
    assert match.path == film and match.line.start_seconds == 8
    assert (totals.videos_done, totals.seconds_done) == (1, 40)
    assert shelf.index(film, words="screen").later == {"scanned": 0}, "it is done with"


def test_a_run_that_is_ended_goes_on_and_what_stayed_meanwhile_is_one_line(
    shelf: Shelf, film: Path
) -> None:
    def is_half_way() -> bool:
        far = [event.done_seconds for event in shelf.events if event.kind == "scanning"]
        return bool(far) and far[-1] > 0

    shelf.index(film)
    report = shelf.index(film, words="screen", stopping=is_half_way)
    assert report.stopped and {line.text for line in on_screen(shelf)} == {
        "Harbour weather",
        "Mountain railway",
    }
    assert shelf.index(film, words="screen").later == {"scanned": 1}
    lines = on_screen(shelf)
    assert sorted(line.text for line in lines) == [
        *("Election night", "Harbour weather", "LIVE", "Mountain railway", "Orchestra")
    ]
    (live,) = (line for line in lines if line.text == "LIVE")
    assert (live.start_seconds, live.end_seconds) == (0, 40)


@pytest.fixture
def scanner() -> Iterator[ScanningReader]:
    with closing(ScanningReader()) as reader:
        yield reader


def test_a_film_that_is_no_film_any_more_keeps_what_was_read(
    scanner: ScanningReader, tmp_path: Path
) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"nothing" * 1000)
    box = Box(0.1, 0.1, 0.5, 0.2)
    there = Shown(
        Row("Harbour weather", 0.9, box), 3.0, 9.0, patch_of(np.zeros((9, 9), np.uint8), box)
    )
    state = PassState(scanner.mark, until_seconds=10.0, notes=Notes([there]).text())
    step = scanner.read(Film(path, Fraction(0), 60.0), state, lambda: None)
    assert [(each.start_seconds, each.end_seconds, each.text) for each in step.lines] == [
        (3.0, 9.0, "Harbour weather")
    ]
    assert step.state.is_done and step.state.until_seconds == 10.0 and step.state.notes == ""
    assert step.state.remark.startswith("words on its screen: ")


def test_key_frames_are_looked_at_but_not_those_that_follow_at_once(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    make_video(path, shots=[(page({}, seed), 6) for seed in range(2)], rate=Fraction(4), gop=4)
    with open_video(path) as video:
        looks = looks_of(video.packets(), video.info, video.info.start_time, 12.0)
        keys = set(video.packets().pts[video.packets().keys].tolist())
    assert {look.pts for look in looks} <= keys and looks[0].start_seconds == 0
    starts = [look.start_seconds for look in looks]
    assert all(2 <= after - before <= 3 for before, after in pairwise(starts))
    assert [look.end_seconds for look in looks] == [*starts[1:], 12.0]


@pytest.mark.parametrize("rotation", [0, 90])
def test_whole_pictures_stand_upright_in_the_size_asked_for(tmp_path: Path, rotation: int) -> None:
    path = tmp_path / "turned.mp4"
    make_video(path, shots=[((200, 30, 30), 1)], size=(320, 240), rotation=rotation)
    with FilmPictures(path) as pictures:
        pts = pictures.video.packets().pts[[0, 7]].tolist()
        given = {tick: picture.rgb(160) for tick, picture in pictures.at([*pts, -999])}
        sizes = {picture.size for _, picture in pictures.at(pts)}
    assert sorted(given) == pts and pictures.lost == 1
    assert {each.shape for each in given.values()} == {(160, 120, 3) if rotation else (120, 160, 3)}
    assert sizes == {(240, 320) if rotation else (320, 240)}
    assert abs(given[pts[0]].mean((0, 1)) - (200, 30, 30)).max() < 12
