"""Lines of words in time lines: markers, comments and titles, whatever is in them.

Whole files are held beside this one. `UPDATE_SNAPSHOTS=1 pytest tests/timeline` writes them anew.
"""

from __future__ import annotations

import csv
import io
import json
import os
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from videos import make_video, numbered

from tempo_edge import timeline
from tempo_edge.moment import Moment

FOLDER = Path(__file__).parent / "snapshots"

SAID = "I'm so sorry about the dog."

TEXTS = [
    SAID,
    "<b>&amp;]]> \"'",
    "a bell\x07, an escape \x1b[2J\r\n* LOC: 00:00:00:00 RED x",
    "\u05e9\u05dc\u05d5\u05dd \u202eabc 100%",
    '=HYPERLINK("http://x")',
    "- What? - Nothing.",
    "half a pair: \ud83d",
    "#EXTM3U",
    "x" * 500,
    "\u4eca" * 500,
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds at 25 pictures a second, with sound."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_video(path, shots=[(numbered(), 3)], size=(64, 48), rate=Fraction(25), audio=True)
    return path


def found(film: Path, text: str, *found_by: str) -> list[Moment]:
    """One moment that a line was found in, and one that pictures alone speak for."""
    said = Moment(film, 0.4, 1.2, 2.0, 0.93, "nano", found_by=found_by or ("subtitle",), text=text)
    return [said, Moment(film, 2.0, 3.0, 3.0, 0.5, "nano")]


@pytest.mark.parametrize("format", ["edl", "fcpxml", "csv", "m3u", "json", "llc"])
def test_whole_files(film: Path, format: str) -> None:
    text = timeline.write(found(film, SAID, "subtitle", "picture"), format).decode()
    text = text.replace("\r\n", "\n").replace(str(film.parent), "<folder>")
    path = FOLDER / f"line.{format}"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_opentimelineio_reads_the_line_as_a_marker(film: Path, text: str) -> None:
    otio = pytest.importorskip("opentimelineio")
    read = otio.adapters.read_from_string(
        timeline.write(found(film, text), "otio").decode(), "otio_json"
    )
    pictures, sound = read.tracks
    said, seen = pictures
    (marker,) = said.markers
    assert list(seen.markers) == [] and all(not clip.markers for clip in sound)
    assert marker.marked_range.start_time == said.source_range.start_time
    assert list(said.metadata["tempo-edge"]["found_by"]) == ["subtitle"]
    assert marker.name.isprintable() or "\u202e" in marker.name
    if text.isprintable():
        assert marker.name == text


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_a_list_of_tapes_has_it_as_a_locator(film: Path, text: str) -> None:
    content = timeline.write(found(film, text), "edl")
    lines = content.decode("ascii").split("\r\n")
    assert all(line.isprintable() and len(line) < 256 for line in lines)
    (locator,) = [line for line in lines if line.startswith("* LOC:")]
    assert locator.startswith("* LOC: 01:00:00:00 GREEN   ")
    if text == SAID:
        assert locator.endswith(SAID)
    elif len(text) == 500:
        assert locator.endswith("...")
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_cmx3600_adapter")
    read = otio.adapters.read_from_string(content.decode("ascii"), "cmx_3600", rate=25)
    (marker,) = [mark for clip in read.find_clips() for mark in clip.markers][:1]
    assert marker.name == locator.removeprefix("* LOC: 01:00:00:00 GREEN   ")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_final_cut_has_it_as_a_marker(film: Path, text: str) -> None:
    root = ElementTree.fromstring(timeline.write(found(film, text), "fcpxml"))
    said, seen = root.iter("asset-clip")
    (marker,) = said
    assert list(seen) == []
    assert marker.attrib["start"] == said.attrib["start"] == "2/5s"
    assert marker.attrib["duration"] == "1/25s"
    if text.isprintable():
        assert marker.attrib["value"] == text


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_lists_have_it_beside_the_rest(film: Path, text: str) -> None:
    moments = found(film, text, "screen", "picture")
    rows = json.loads(timeline.write(moments, "json"))["moments"]
    assert [row["text"] for row in rows] == [text, ""]
    assert [row["found_by"] for row in rows] == [["screen", "picture"], ["picture"]]
    table = timeline.write(moments, "csv").decode()
    lines = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [line["found_by"] for line in lines] == ["screen picture", "picture"]
    told = lines[0]["text"]
    assert told[0] not in "=+-@\t\r", "a spreadsheet would reckon it"
    if text.isprintable():
        assert told.removeprefix("'") == text
    playlist = timeline.write(moments, "m3u").decode().split("\n")
    assert len(playlist) == 1 + 2 * 4 + 1
    assert playlist[1].startswith("#EXTINF:0.800,film.mp4: ")
    assert playlist[5] == "#EXTINF:1.000,film.mp4"
    segments = json.loads(timeline.write(moments, "llc"))["cutSegments"]
    assert segments[1]["name"] == "0.50"
    if text.isprintable():
        assert segments[0]["name"] == text
