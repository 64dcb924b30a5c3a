"""Small pictures of moments, their cache, and the page that shows them."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from doors import AWKWARD, Service, moment
from tempo_plugins.desktop import page, pictures
from tempo_plugins.desktop.pictures import Pictures, decode, pixels
from tempo_plugins.service_or_library import ServiceOrLibrary
from videos import BLUE, GREEN, RED, make_not_a_video, make_video

from tempo_edge.answer import Answer, moment_from_dict
from tempo_edge.errors import MediaError
from tempo_edge.media.jpeg import encode
from tempo_edge.moment import Moment

PATIENCE = 30.0


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    make_video(path, shots=[(RED, 2), (GREEN, 2), (BLUE, 2)], size=(160, 96), rate=Fraction(10))
    return path


def found(path: Path, start: float, end: float) -> Moment:
    return Moment(path, start, end, 1.0, 0.5, "")


def likeness(picture: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float(np.abs(picture.reshape(-1, 3).mean(0) - colour).max())


@pytest.mark.parametrize(
    ("seconds", "colour"),
    [(0, RED), (1.9, RED), (2.0, GREEN), (3.95, GREEN), (4.0, BLUE), (5.99, BLUE), (9, BLUE)],
)
def test_the_picture_that_is_shown_at_a_time(
    film: Path, seconds: float, colour: tuple[int, int, int]
) -> None:
    picture = decode(film, seconds, 80)
    assert picture.shape == (48, 80, 3) and picture.dtype == np.uint8
    assert likeness(picture, colour) < 12


def test_pictures_stand_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.mp4"
    make_video(path, shots=[(RED, 1)], size=(160, 96), rotation=90)
    assert decode(path, 0.5, 48).shape == (80, 48, 3)


def test_nothing_near_is_an_error(film: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"holds no picture near 500\.000 seconds"):
        decode(film, 500, 80)
    make_not_a_video(tmp_path / "x.mp4")
    with pytest.raises(MediaError):
        decode(tmp_path / "x.mp4", 0, 80)


def test_a_jpeg_and_back(film: Path) -> None:
    told = pixels(encode(decode(film, 1, 80)))
    assert (told.width, told.height, len(told.rgb)) == (80, 48, 80 * 48 * 3)
    assert likeness(np.frombuffer(told.rgb, np.uint8), RED) < 12
    assert told.icon_data()[:6] == (80, 48, 240, False, 8, 3)
    with pytest.raises(MediaError, match="is no JPEG"):
        pixels(b"nothing of the kind")


def test_pictures_are_kept(film: Path, tmp_path: Path) -> None:
    kept = Pictures(ServiceOrLibrary(), tmp_path / "kept", width=80)
    first, second = found(film, 0, 1), found(film, 4, 5)
    there = kept.get([first, second], PATIENCE)
    assert set(there) == {first, second} and there[first] != there[second]
    assert likeness(np.frombuffer(pixels(there[second].read_bytes()).rgb, np.uint8), BLUE) < 12
    written = there[first].stat().st_mtime_ns
    assert kept.get([first], 0.0)[first].stat().st_mtime_ns == written
    film.touch()
    assert kept.get([first], 0.0) == {}, "the video is another one now"
    kept.close()
    assert all(path.suffix == ".jpg" for path in (tmp_path / "kept").iterdir())


def test_a_picture_is_not_waited_for_longer_than_that(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    calls = []

    def slow(*_: object) -> bytes:
        calls.append(1)
        go_on.wait(PATIENCE)
        return b"\xff\xd8\xff"

    asker = ServiceOrLibrary()
    monkeypatch.setattr(asker, "picture", slow)
    kept = Pictures(asker, tmp_path / "kept")
    one = found(tmp_path / "gone.mp4", 0, 1)
    assert kept.get([one], 0.05) == {} and kept.get([one], 0.05) == {}
    go_on.set()
    assert set(kept.get([one], PATIENCE)) == {one} and len(calls) == 1
    kept.close()


def test_what_has_no_picture_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_not_a_video(tmp_path / "x.mp4")
    tried = []

    def counted(*given: object) -> np.ndarray:
        tried.append(given)
        raise MediaError("is broken")

    monkeypatch.setattr(pictures, "decode", counted)
    kept = Pictures(ServiceOrLibrary(), tmp_path / "kept")
    one = found(tmp_path / "x.mp4", 0, 1)
    assert kept.get([one], PATIENCE) == {} and kept.get([one], PATIENCE) == {}
    assert len(tried) == 1
    kept.close()


def test_the_oldest_pictures_go(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_MOST_FILES", 3)
    service.answers["/v1/videos/7/frame"] = 200, b"\xff\xd8\xff"
    kept = Pictures(ServiceOrLibrary(), tmp_path / "kept")
    for second in range(6):
        one = Moment(tmp_path / "gone.mp4", second, second + 1, 1.0, 0.5, "", video=7)
        assert one in kept.get([one], PATIENCE)
    kept.close()
    assert len(list((tmp_path / "kept").iterdir())) == 3 and kept.file(one).exists()


@pytest.mark.parametrize("name", AWKWARD)
def test_names_pass_through_the_page(name: str, tmp_path: Path) -> None:
    import html
    from html.parser import HTMLParser

    links: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            links.extend(value or "" for key, value in attributes if key == "href")
            assert tag in {
                *("meta", "title", "style", "h1", "ol", "li", "a", "bdi", "br", "small"),
            }

    path = str(tmp_path / name)
    text = page.render(name, Answer((moment_from_dict(moment(path)),), (), 0, "curve"), {})
    Reader().feed(text)
    (link,) = links
    parts = urlsplit(link)
    assert parts.scheme == "file" and unquote(parts.path) == path and parts.fragment == "t=1.25"
    assert html.escape(name) in text


def test_a_page_of_a_refusal() -> None:
    near = moment_from_dict(moment("/v/a.mp4"))
    assert "Nothing matches. Closest: a.mp4" in page.render(
        "a dog", Answer((), (near,), 1, "curve"), {}
    )
    assert "<p>Nothing matches.</p>" in page.render("a dog", Answer((), (), 0, "curve"), {})


def test_a_page_of_the_library(
    service: Service, players_here: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.says("/v1/status", {"library": "/l.db", "videos": 4, "hours": 2.25})
    assert page.main([]) == 0
    place = tmp_path / "cache" / "tempo-edge" / "found.html"
    assert "4 videos, 2.2 hours, in /l.db" in place.read_text()
    assert place.stat().st_mode & 0o077 == 0


def test_a_page_that_can_not_be_had(capsys: pytest.CaptureFixture[str]) -> None:
    assert page.main(["a dog"]) == 2
    assert capsys.readouterr().err.startswith("tempo-edge: error: there is no library at")
