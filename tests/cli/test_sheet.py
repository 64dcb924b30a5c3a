"""`find --sheet`: a picture of each moment on one sheet, and never in the place of footage."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from harness import Said
from PIL import Image
from videos import make_not_a_video

from tempo_edge.answer import Answer
from tempo_edge.errors import FootageError
from tempo_edge.moment import Copy, Moment
from tempo_edge.sheet import lettering, write_sheet
from tempo_edge.sheet.lettering import font_for, wrapped

Tempo = Callable[..., Said]

ALL = ("find", "stripes", "--min-confidence", "0")


@pytest.fixture
def library_path(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / "library.db"))


class Sheet(HTMLParser):
    """The addresses, the pictures and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        facts = dict(attrs)
        if tag == "a":
            self.links.append(facts["href"] or "")
        if tag == "img":
            self.pictures.append(facts["src"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_has_a_picture_of_each_moment(tempo: Tempo, originals: Path, tmp_path: Path) -> None:
    place = tmp_path / "sheet.html"
    said = tempo(*ALL, "--sheet", place)
    assert said.status == 0 and said.err.endswith(f"wrote {place}\n")
    lines = said.out.splitlines()
    sheet = Sheet(place)
    assert len(sheet.links) == len(sheet.pictures) == len(lines) >= 3
    for line, link, picture in zip(lines, sheet.links, sheet.pictures, strict=True):
        parts = urlsplit(link)
        path, times, confidence = re.split(r" {2,}", line)[:3]
        assert (parts.scheme, unquote(parts.path)) == ("file", path)
        assert re.fullmatch(r"t=\d+\.\d{3},\d+\.\d{3}", parts.fragment)
        assert times in sheet.text and confidence in sheet.text
        assert Path(path).name in sheet.text and str(originals) in sheet.text
        assert picture.startswith("data:image/jpeg;base64,")
    assert place.stat().st_mode & 0o777 == 0o600
    assert not sheet.tags & {"script", "link", "iframe"}
    assert "default-src 'none'" in place.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "format"), [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.png", "PNG")]
)
def test_a_sheet_is_a_picture_that_may_be_written_again(
    tempo: Tempo, tmp_path: Path, name: str, format: str
) -> None:
    place = tmp_path / name
    assert tempo(*ALL, "--sheet", place).status == 0
    first = place.read_bytes()
    with Image.open(io.BytesIO(first)) as sheet:
        assert sheet.format == format
        assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 1000, "there are pictures"
    place.write_bytes(first[:-20] + b"\0" * 20)
    assert tempo(*ALL, "--sheet", place).status == 0
    assert place.read_bytes() == first
    assert [path.name for path in tmp_path.glob("*.tempo-draft")] == []


def test_nothing_else_is_written_over(tempo: Tempo, footage: Path, tmp_path: Path) -> None:
    tempo("index", "-q", footage)
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (8, 8)).save(photo)
    indexed = footage / "beach.mp4"
    named = footage / "clip.html"
    shutil.move(indexed, named)
    tempo("index", "-q", named)
    kept = {path: path.read_bytes() for path in (photo, named)}
    for path, content in kept.items():
        said = tempo(*ALL, "--sheet", path)
        assert said.status == 2 and "not replaced: name another file" in said.err and not said.out
        assert path.read_bytes() == content
    said = tempo(*ALL, "--sheet", tmp_path / "sheet.mp4")
    assert said.status == 2 and "must end in .jpg, .jpeg, .png, .html" in said.err
    assert not (tmp_path / "sheet.mp4").exists()


def test_a_picture_that_came_meanwhile_stays(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(photo)
    with pytest.raises(FootageError):
        write_sheet(photo, "x", answer(moment(tmp_path / "a.mp4", offline=True)))


def test_where_nothing_matches_no_sheet_is_written(tempo: Tempo, tmp_path: Path) -> None:
    place = tmp_path / "sheet.png"
    place.write_bytes(b"")
    place.unlink()
    said = tempo("find", "stripes", "--min-confidence", "1", "--sheet", place)
    assert (said.status, said.out) == (1, "") and not place.exists()
    assert said.err.startswith("nothing matches\n")
    assert said.err.endswith(f"no sheet is written to {place}: there is nothing to show\n")


def moment(path: Path, **facts: object) -> Moment:
    return Moment(path, 0.5, 1.5, 1.0, 0.75, "nano", **facts)  # type: ignore[arg-type]


def answer(*moments: Moment) -> Answer:
    return Answer(moments, (), 0, "curve")


@pytest.mark.parametrize("suffix", [".html", ".png"])
def test_what_has_no_picture_says_why(originals: Path, tmp_path: Path, suffix: str) -> None:
    damaged, gone = make_not_a_video(tmp_path / "notes.mp4"), tmp_path / "gone.mp4"
    said: list[str] = []
    found = answer(
        moment(originals / "beach.mp4"), moment(damaged), moment(gone), moment(gone, offline=True)
    )
    place = tmp_path / f"sheet{suffix}"
    write_sheet(place, "x", found, said.append)
    assert place.exists() and len(said) == 3
    assert all(str(path) in line for path, line in zip((damaged, gone, gone), said, strict=True))
    assert said[2] == f"no picture of {gone}: it is offline"
    if suffix == ".html":
        assert len(Sheet(place).pictures) == 1 and "no picture: it is offline" in Sheet(place).text


def test_names_and_words_are_escaped(originals: Path, tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>\"'&\n.mp4"
    path = Path(shutil.copy(originals / "garden.mp4", tmp_path / bad.replace("/", "⁄")))
    copies = (Copy(path, 0.0, 1.0), Copy(path, 0.0, 1.0))
    found = answer(
        moment(path, text="<img src=x onerror=y>", found_by=("speech", "name"), copies=copies)
    )
    place = tmp_path / "sheet.html"
    write_sheet(place, "</title><script>", found)
    sheet = Sheet(place)
    assert "script" not in sheet.tags and len(sheet.pictures) == 1
    assert "<img src=x onerror=y>" in sheet.text and "</title><script>" in sheet.text
    assert "speech" in sheet.text and "also in 2 other files" in sheet.text
    assert unquote(urlsplit(sheet.links[0]).path) == str(path)
    write_sheet(tmp_path / "sheet.png", "x" * 500, found)


def test_a_drawn_sheet_has_room_for_so_many(tmp_path: Path) -> None:
    said: list[str] = []
    found = answer(*[moment(tmp_path / f"{at}.mp4", offline=True) for at in range(203)])
    write_sheet(tmp_path / "sheet.png", "x", found, said.append)
    assert said[0] == "the sheet shows 200 of 203 moments: one of .html shows all"
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height < 65_500, "more than a JPEG holds"


def test_lines_fit_and_lose_nothing_before_they_end() -> None:
    font = font_for("x", 20)
    name = "a_long-name of.a film " + "m" * 80 + ".mp4"
    lines = wrapped(name, font, 220, 99)
    assert all(font.getlength(line) <= 220 for line in lines)
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")
    cut = wrapped(name, font, 220, 2)
    assert len(cut) == 2 and cut[-1].endswith("…") and font.getlength(cut[-1]) <= 220
    assert wrapped("", font, 220, 2) == [] and wrapped("W", font, 1, 2) == ["W"]


def test_type_is_there_without_any_font_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_FAMILIES", (("no such font.ttf",) * 2,))
    lettering._fonts.cache_clear()
    assert font_for("née", 20).getlength("née") > 10
    lettering._fonts.cache_clear()


def test_without_pillow_it_says_what_to_install(
    tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    said = tempo(*ALL, "--sheet", tmp_path / "a.jpg")
    assert (
        said.status == 2 and 'pip install ".[sheet]"' in said.err and ".html needs none" in said.err
    )
    assert tempo(*ALL, "--sheet", tmp_path / "a.html").status == 0
