"""Start time codes that count at a rate of their own, and the days that they end with."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from videos import Truth, count_timecode, make_video, numbered, with_timecode

from tempo_edge import timeline
from tempo_edge.errors import TempoEdgeError
from tempo_edge.media.timecode_track import TimecodeTrack, read_timecode_track
from tempo_edge.moment import Moment
from tempo_edge.timeline.source import read_source

NTSC = Fraction(30000, 1001)
FIFTY, SIXTY = Fraction(50), Fraction(60000, 1001)


def moment(path: Path, start: Fraction | float, end: Fraction | float) -> Moment:
    return Moment(path, float(start), float(end), 3.0, 0.5, "nano")


def make(path: Path, rate: Fraction, seconds: float = 1) -> Truth:
    return make_video(path, shots=[(numbered(), seconds)], size=(64, 48), rate=rate)


def labelled(
    folder: Path, rate: Fraction, count: int, counted: Fraction, drop: bool = False
) -> Path:
    """An MOV whose time-code track counts as it is told."""
    path = with_timecode(make(folder / "a.mov", rate).path, folder / "b.mov", "00:00:00:00")
    count_timecode(path, count, counted, drop)
    return path


# What the pictures are, what the track counts, and where an editor's asset begins.
TRACKS = {
    "30 pictures, labels dropped": (Fraction(30), 1_793_106, NTSC, True, "298851/5s"),
    "25 on 50": (FIFTY, 90_013, Fraction(25), False, "90013/25s"),
    "30 on 59.94": (SIXTY, 108_001, NTSC, False, "108109001/30000s"),
    "30 on 59.94, dropped": (SIXTY, 107_893, NTSC, True, "108000893/30000s"),
    "every picture": (FIFTY, 180_027, FIFTY, False, "180027/50s"),
    "25, dropped": (Fraction(25), 90_000, Fraction(25), True, "3600s"),
    "a rounded rate": (NTSC, 107_892, Fraction(2997, 100), True, "8999991/2500s"),
    "twice the pictures": (Fraction(25), 180_026, FIFTY, False, "90013/25s"),
    "before midnight": (Fraction(25), -25, Fraction(25), False, "86399s"),
}

LABELS = {
    "30 pictures, labels dropped": "16:37:10;02",
    "25 on 50": "01:00:00:26",
    "30 on 59.94": "01:00:00:02",
    "30 on 59.94, dropped": "01:00:00;02",
    "every picture": "01:00:00:27",
    "25, dropped": "01:00:00:00",
    "a rounded rate": "01:00:00;00",
    "twice the pictures": "01:00:00:13",
    "before midnight": "23:59:59:00",
}


@pytest.mark.parametrize("name", TRACKS)
def test_a_label_counts_at_the_rate_of_its_track(tmp_path: Path, name: str) -> None:
    rate, count, counted, drop, start = TRACKS[name]
    path = labelled(tmp_path, rate, count, counted, drop)
    assert read_timecode_track(path, 1) == TimecodeTrack(count, counted, drop)
    told: list[str] = []
    found = [moment(path, 0, 0.4)]
    root = ElementTree.fromstring(timeline.write(found, "fcpxml", on_remark=told.append))
    (asset,) = root.iter("asset")
    (clip,) = root.iter("asset-clip")
    assert (asset.attrib["start"], clip.attrib["start"]) == (start, start)
    assert clip.attrib["tcFormat"] == ("DF" if ";" in LABELS[name] else "NDF")
    first = Fraction(start.removesuffix("s")) * rate
    otio = pytest.importorskip("opentimelineio")
    read = otio.adapters.read_from_string(timeline.write(found, "otio").decode(), "otio_json")
    (placed,) = read.find_clips()
    assert placed.source_range.start_time.value == first
    (row,) = json.loads(timeline.write(found, "json"))["moments"]
    assert row["start_timecode"] == LABELS[name]
    edl = timeline.write(found, "edl", on_remark=told.append).decode()
    assert f" {LABELS[name]} " in edl
    assert ("FCM: DROP FRAME" in edl) == (";" in LABELS[name])
    assert told == []


def test_a_start_between_two_pictures_is_told(tmp_path: Path) -> None:
    path = labelled(tmp_path, Fraction(24), 90_013, Fraction(25))
    told: list[str] = []
    timeline.write([moment(path, 0, 0.4)], "fcpxml", on_remark=told.append)
    assert told == [
        f"{path}: its start time code counts 25 a second and its pictures are 24 a second: "
        "its start is right to one picture"
    ]
    assert read_source(path).start_frame == 24 * 3600 + 12


def test_the_track_that_the_film_refers_to_is_read(tmp_path: Path) -> None:
    path = labelled(tmp_path, FIFTY, 90_013, Fraction(25))
    assert read_timecode_track(path, 7) == TimecodeTrack(90_013, Fraction(25), False)
    data = path.read_bytes()
    for cut in range(0, len(data), 37):  # a file that was cut short says nothing, or the truth
        path.write_bytes(data[:cut])
        assert read_timecode_track(path, 1) in (None, TimecodeTrack(90_013, Fraction(25), False))
    at = data.index(b"tmcd", data.index(b"gmhd"))
    for offset in range(0, 200, 4):  # and so does one whose sizes are wrong
        torn = data[: at - 100 + offset] + b"\xff" * 4 + data[at - 96 + offset :]
        path.write_bytes(torn)
        read_timecode_track(path, 1)


@pytest.mark.parametrize(
    ("label", "rate", "frame", "drop", "meant"),
    [
        ("01:00:00:00", FIFTY, 180_000, False, None),  # the same either way
        ("01:00:00:30", FIFTY, 180_030, False, None),  # no other way
        ("01:00:00:13", FIFTY, 180_013, False, "01:00:00:26"),
        ("01:00:00;02", SIXTY, 215_786, True, "01:00:00;04"),
        ("00:01:00;02", SIXTY, 3600, True, None),  # left out at the full rate
        ("16:37:10;02", Fraction(30), 1_793_106, True, None),
    ],
)
def test_a_tag_that_may_be_meant_two_ways_says_so(
    tmp_path: Path, label: str, rate: Fraction, frame: int, drop: bool, meant: str | None
) -> None:
    path = with_timecode(make(tmp_path / "a.mkv", rate).path, tmp_path / "b.mkv", label)
    source = read_source(path)
    assert (source.start_frame, source.drop) == (frame, drop)
    assert source.remarks == (
        ()
        if meant is None
        else (
            f"its start time code {label} is read at {rate} a second; if the camera counts "
            f"{rate / 2}, the first picture is {meant}",
        )
    )


# -- the end of the day ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "label", "ends"),
    [(Fraction(25), "23:59:59:00", "24:00:00:00"), (NTSC, "23:59:59;00", "24:00:00;00")],
)
def test_a_moment_may_end_with_the_day(
    tmp_path: Path, rate: Fraction, label: str, ends: str
) -> None:
    numbers = round(rate)
    path = with_timecode(make(tmp_path / "a.mov", rate, 2).path, tmp_path / "b.mov", label)
    found = [moment(path, 0, numbers / rate), moment(path, numbers / rate, (numbers + 5) / rate)]
    edl = timeline.write(found, "edl").decode()
    zero = "00:00:00" + ends[8:]
    lines = [line.split()[4:6] for line in edl.splitlines() if line[:3].isdigit()]
    assert lines == [[label, ends], [zero, f"{zero[:-2]}05"]]
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_cmx3600_adapter")
    read = otio.adapters.read_from_string(edl, "cmx_3600", rate=float(rate))
    assert [clip.source_range.duration.value for clip in read.find_clips()] == [numbers, 5]


def test_more_than_the_record_side_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tempo_edge.timeline import edl

    path = make(tmp_path / "a.mov", Fraction(25)).path
    monkeypatch.setattr(edl, "_start_of_record", lambda rate, drop: 24 * 3600 * 25 - 20)
    assert b"24:00:00:00" in timeline.write([moment(path, 0, 0.8)], "edl")
    with pytest.raises(TempoEdgeError, match="edl holds 23 hours"):
        timeline.write([moment(path, 0, 0.84)], "edl")


@pytest.mark.parametrize("stem", ["BL", "black", "Bars", "AX"])
def test_a_name_that_means_no_tape_is_no_reel(tmp_path: Path, stem: str) -> None:
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_cmx3600_adapter")
    path = make(tmp_path / f"{stem}.mp4", Fraction(25)).path
    edl = timeline.write([moment(path, 0, 0.4)], "edl").decode()
    read = otio.adapters.read_from_string(edl, "cmx_3600", rate=25.0)
    (clip,) = read.find_clips()
    assert clip.media_reference.target_url == path.as_uri()
    assert clip.metadata["cmx_3600"]["reel"] == f"{stem.upper()}2"
