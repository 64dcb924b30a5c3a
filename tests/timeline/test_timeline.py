"""Time lines: written, read back, the same spans to the frame."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from xml.etree import ElementTree
from zipfile import ZipFile

import av
import pytest
from videos import Truth, make_audio, make_video, numbered, put_together, with_timecode

from tempo_edge import timeline
from tempo_edge.errors import MediaError, MissingExtraError, TempoEdgeError
from tempo_edge.moment import Moment
from tempo_edge.timeline.source import read_source

otio = pytest.importorskip("opentimelineio")

NTSC = Fraction(30000, 1001)

# (path, first frame in the file's own time code, frames, first frame on the record side)
Event = tuple[Path, int, int, int]


def moment(path: Path, start: Fraction | float, end: Fraction | float) -> Moment:
    return Moment(path, float(start), float(end), 3.0, 0.5, "nano")


def make(path: Path, rate: Fraction = Fraction(25), seconds: float = 3, **more: Any) -> Truth:
    return make_video(path, shots=[(numbered(), seconds)], size=(64, 48), rate=rate, **more)


# -- reading back ------------------------------------------------------------------------------


def path_of(address: str) -> Path:
    parts = urlsplit(address)
    assert parts.scheme == "file" and address.isascii()
    return Path(os.fsdecode(unquote_to_bytes(parts.path)))


def of_track(track: Any) -> list[Event]:
    events = []
    for clip in track.find_clips():
        start, length = clip.source_range.start_time, clip.source_range.duration
        placed = track.range_of_child(clip).start_time
        if track.source_range is not None:  # as CMX 3600's reader notes where a record begins
            placed -= track.source_range.start_time
        assert start.value == int(start.value) and length.value == int(length.value)
        url = clip.media_reference.target_url
        record = round(placed.value_rescaled_to(start.rate))
        events.append((path_of(url), int(start.value), int(length.value), record))
    return events


def read_edl(content: bytes, rate: Fraction) -> dict[str, list[Event]]:
    pytest.importorskip("otio_cmx3600_adapter")
    read = otio.adapters.read_from_string(content.decode("ascii"), "cmx_3600", rate=float(rate))
    return {track.name: of_track(track) for track in read.tracks}


def read_otio(content: bytes, rate: Fraction) -> dict[str, list[Event]]:
    read = otio.adapters.read_from_string(content.decode(), "otio_json")
    return {track.name: of_track(track) for track in read.tracks}


def read_fcpxml(content: bytes, rate: Fraction) -> dict[str, list[Event]]:
    root = ElementTree.fromstring(content)
    assets = {asset.attrib["id"]: asset.attrib for asset in root.iter("asset")}
    events = []
    for clip in root.iter("asset-clip"):
        frames = [
            Fraction(clip.attrib[key].removesuffix("s")) * rate
            for key in ("start", "duration", "offset")
        ]
        assert all(value.denominator == 1 for value in frames), "off the frame"
        events.append((path_of(assets[clip.attrib["ref"]]["src"]), *map(int, frames)))
    return {"video": events}  # type: ignore[dict-item]


READERS: dict[str, Callable[[bytes, Fraction], dict[str, list[Event]]]] = {
    "edl": read_edl,
    "otio": read_otio,
    "fcpxml": read_fcpxml,
}


def check(
    format: str,
    moments: Sequence[Moment],
    rate: Fraction,
    expected: list[Event],
    first: str = "01:00:00:00",
) -> None:
    """Pictures as expected; the record side of a list for tapes begins at its first hour."""
    tracks = READERS[format](timeline.write(moments, format), rate)
    hour = 0
    if format == "edl":
        hour = round(otio.opentime.from_timecode(first, float(rate)).value)
    assert tracks["V" if format == "edl" else "video"] == [
        (path, start, length, record + hour) for path, start, length, record in expected
    ]


SOURCES: dict[str, dict[str, Any]] = {
    "film.mov": {"rate": Fraction(24000, 1001)},
    "film.mkv": {"rate": Fraction(24000, 1001)},
    "pal.mp4": {"rate": Fraction(25), "bframes": 3},
    "ntsc.mp4": {"rate": NTSC},
    "ntsc.mkv": {"rate": NTSC},
    "ntsc.ts": {"rate": NTSC, "start_seconds": 70},
    "sixty.mov": {"rate": Fraction(60000, 1001)},
    "late.mp4": {"rate": Fraction(25), "audio": True, "start_seconds": 2},
    "whole.avi": {"rate": Fraction(30), "codec": "mjpeg", "pixel_format": "yuvj420p"},
}


@pytest.mark.parametrize("format", READERS)
@pytest.mark.parametrize("name", SOURCES)
def test_spans_come_back_to_the_frame(tmp_path: Path, name: str, format: str) -> None:
    truth = make(tmp_path / name, **SOURCES[name])
    rate, times = truth.rate, truth.times
    spans = [(7, 19), (30, 31), (0, 5), (40, len(times))]
    moments = [
        moment(truth.path, times[a], times[b] if b < len(times) else truth.end) for a, b in spans
    ]
    record = [sum(b - a for a, b in spans[:at]) for at in range(len(spans))]
    expected = [(truth.path, a, b - a, at) for (a, b), at in zip(spans, record, strict=True)]
    check(format, moments, rate, expected)
    # And as they are read off a screen.
    rounded = [moment(m.path, round(m.start_seconds, 3), round(m.end_seconds, 3)) for m in moments]
    check(format, rounded, rate, expected)


@pytest.mark.parametrize("name", SOURCES)
def test_the_rate_is_that_of_the_time_stamps(tmp_path: Path, name: str) -> None:
    truth = make(tmp_path / name, **SOURCES[name])
    source = read_source(truth.path)
    assert (source.rate, source.variable) == (truth.rate, False)
    assert source.frames == len(truth.times)
    with av.open(str(truth.path)) as container:  # what is decoded, one by one
        stream = container.streams.video[0]
        decoded = [frame.pts * frame.time_base for frame in container.decode(stream)]
    assert len(decoded) == source.frames
    even = [decoded[0] + at / source.rate for at in range(len(decoded))]
    assert max(abs(a - b) for a, b in zip(decoded, even, strict=True)) <= Fraction(1, 1000)
    assert abs(source.lead - truth.times[0]) <= Fraction(1, 1000)


def test_opentimelineio_reads_final_cut_too(tmp_path: Path) -> None:
    """At whole rates, which are those that its reader keeps to the frame."""
    pytest.importorskip("otio_fcpx_xml_adapter.fcpx_xml", exc_type=ImportError)
    truth = make(tmp_path / "a.mov", audio=True)
    path = with_timecode(truth.path, tmp_path / "b.mov", "01:00:00:00")
    moments = [moment(path, 0.4, 0.8), moment(path, 1.48, 2.52)]
    read = otio.adapters.read_from_string(timeline.write(moments, "fcpxml").decode(), "fcpx_xml")
    (track,) = read.find_children(descended_from_type=otio.schema.Track)
    assert of_track(track) == [(path, 90_010, 10, 0), (path, 90_037, 26, 10)]


LABELS = [
    ("01:00:00:00", Fraction(25), 90_000, False),
    ("10:11:12:13", Fraction(24000, 1001), 24 * (10 * 3600 + 11 * 60 + 12) + 13, False),
    ("01:00:00:00", NTSC, 108_000, False),
    ("01:00:00;00", NTSC, 107_892, True),
    ("00:09:59;28", NTSC, 17_980, True),
    ("00:00:59;58", Fraction(60000, 1001), 3_598, True),
]


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.parametrize(("label", "rate", "start", "drop"), LABELS)
def test_the_start_time_code_is_added(
    tmp_path: Path, label: str, rate: Fraction, start: int, drop: bool, suffix: str
) -> None:
    truth = make(tmp_path / "a.mov", rate)
    path = with_timecode(truth.path, tmp_path / f"b{suffix}", label)
    source = read_source(path)
    assert (source.start_frame, source.drop, source.remarks) == (start, drop, ())
    moments = [moment(path, truth.times[5], truth.times[9])]
    for format in ("otio", "fcpxml"):
        check(format, moments, rate, [(path, start + 5, 4, 0)])
    first = "01:00:00;00" if drop else "01:00:00:00"
    check("edl", moments, rate, [(path, start + 5, 4, 0)], first)
    edl = timeline.write(moments, "edl").decode()
    (row,) = json.loads(timeline.write(moments, "json"))["moments"]
    at = otio.opentime.RationalTime(start + 5, float(rate))
    shown = otio.opentime.to_timecode(at, float(rate), drop)
    assert row["start_timecode"] == shown
    assert shown in edl
    assert ("FCM: DROP FRAME" in edl) == drop
    assert ("01:00:00;00 " in edl.splitlines()[2]) == drop, "the record side counts the same way"


def test_both_ways_of_counting_in_one_list(tmp_path: Path) -> None:
    truth = make(tmp_path / "a.mov", NTSC)
    dropping = with_timecode(truth.path, tmp_path / "drop.mov", "01:00:00;00")
    moments = [
        moment(path, truth.times[10], truth.times[20]) for path in (dropping, truth.path, dropping)
    ]
    expected = [
        (dropping, 107_902, 10, 0), (truth.path, 10, 10, 10), (dropping, 107_902, 10, 20)
    ]  # fmt: skip
    check("edl", moments, NTSC, expected, "01:00:00;00")
    lines = timeline.write(moments, "edl").decode().split("\r\n")
    assert [line for line in lines if line.startswith("FCM")] == [
        "FCM: DROP FRAME", "FCM: NON-DROP FRAME", "FCM: DROP FRAME"
    ]  # fmt: skip


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tempo_edge.timeline import cuts

    read: list[Path] = []

    def counted(path: Path) -> Any:
        read.append(path)
        return read_source(path)

    monkeypatch.setattr(cuts, "read_source", counted)
    paths = [make(tmp_path / name).path for name in ("a.mp4", "b.mp4")]
    timeline.write([moment(path, 0, 1) for path in paths * 3], "csv")
    assert read == paths


def test_a_time_code_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    truth = make(tmp_path / "a.mov")
    path = with_timecode(truth.path, tmp_path / "b.mkv", "01:00:00;40")
    told: list[str] = []
    timeline.write([moment(path, 0, 1)], "edl", on_remark=told.append)
    assert told == [
        f"{path}: its start is taken for 00:00:00:00, because rate 25 must be 30000/1001 or a "
        "multiple of it for drop-frame"
    ]


@pytest.mark.parametrize("format", READERS)
def test_variable_rates_are_a_grid_and_say_so(tmp_path: Path, format: str) -> None:
    truth = make(tmp_path / "a.mp4", drop=(3, 4, 5, 20, 21, 30))
    told: list[str] = []
    content = timeline.write([moment(truth.path, 0.4, 1.4)], format, on_remark=told.append)
    assert told == [
        f"{truth.path}: its frame rate varies: frames are counted on a grid of 25 a second"
    ]
    (event,) = READERS[format](content, Fraction(25))["V" if format == "edl" else "video"]
    assert event[:3] == (truth.path, 10, 25)
    said = {"edl": b"* VARIABLE FRAME RATE", "otio": b'"variable_rate": true'}
    assert said.get(format, b"") in content


@pytest.mark.parametrize("format", ["csv", "json", "m3u", "llc"])
def test_what_keeps_the_exact_times_speaks_of_no_grid(tmp_path: Path, format: str) -> None:
    truth = make(tmp_path / "a.mp4", drop=(3, 4, 5, 20, 21, 30))
    told: list[str] = []
    timeline.write([moment(truth.path, 0.4, 1.4)], format, on_remark=told.append)
    assert [line for line in told if "grid" in line] == []


def test_uneven_time_stamps_are_a_grid_right_to_a_frame(tmp_path: Path) -> None:
    """As from a phone: about thirty a second, none of them on time."""
    path, random = tmp_path / "phone.mkv", Random(1)
    ticks = [0, *sorted(random.sample(range(1, 3000), 89))]
    with av.open(str(path), "w") as out:
        track = out.add_stream("mpeg4", rate=30)
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        track.codec_context.time_base = Fraction(1, 1000)
        for tick in ticks:
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = tick, Fraction(1, 1000)
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
    source = read_source(path)
    assert source.variable and abs(source.rate - 30) < Fraction(1, 2)
    (row,) = json.loads(timeline.write([moment(path, 1.234, 2.345)], "json"))["moments"]
    assert (row["start_seconds"], row["end_seconds"]) == (1.234, 2.345), "times stay as they were"
    for frame, seconds in ((row["start_frame"], 1.234), (row["end_frame"], 2.345)):
        assert abs(frame / source.rate - Fraction(seconds)) <= 1 / source.rate


def test_several_files_follow_one_another(tmp_path: Path) -> None:
    one, two = make(tmp_path / "same.mp4"), make(tmp_path / "same.mkv", audio=True)
    moments = [moment(t.path, 1, 2) for t in (one, two, one)]
    expected = [(t.path, 25, 25, 25 * at) for at, t in enumerate((one, two, one))]
    for format in READERS:
        check(format, moments, Fraction(25), expected)
    lines = timeline.write(moments, "edl").decode().split("\r\n")
    assert [line.split()[1:3] for line in lines if line[:3].isdigit()] == [
        ["SAME", "V"],
        ["SAME2", "B"],
        ["SAME", "V"],
    ]
    tracks = read_otio(timeline.write(moments, "otio"), Fraction(25))
    assert tracks["audio"] == [(two.path, 25, 25, 25)]
    assets = {
        path_of(asset.attrib["src"]): asset.attrib.get("hasAudio")
        for asset in ElementTree.fromstring(timeline.write(moments, "fcpxml")).iter("asset")
    }
    assert assets == {one.path: None, two.path: "1"}


def test_several_rates(tmp_path: Path) -> None:
    pal, ntsc = make(tmp_path / "pal.mp4"), make(tmp_path / "ntsc.mp4", NTSC)
    moments = [
        moment(pal.path, 1, 2),
        moment(ntsc.path, ntsc.times[30], ntsc.times[60]),
        moment(pal.path, 0, 1),
    ]
    with pytest.raises(TempoEdgeError) as caught:
        timeline.write(moments, "edl")
    assert str(caught.value) == (
        f"edl holds one frame rate: {pal.path} has 25, {ntsc.path} has 30000/1001: "
        "search in one of them, or choose fcpxml or otio"
    )
    found = read_otio(timeline.write(moments, "otio"), Fraction(25))["video"]
    assert [event[:3] for event in found] == [
        (pal.path, 25, 25), (ntsc.path, 30, 30), (pal.path, 0, 25)
    ]  # fmt: skip
    root = ElementTree.fromstring(timeline.write(moments, "fcpxml"))
    spines = [
        [clip.attrib["offset"] for clip in project.iter("asset-clip")]
        for project in root.iter("project")
    ]
    assert spines == [["0s", "1s"], ["0s"]], "a project for each rate"
    lasts = {each.attrib["id"]: each.attrib["frameDuration"] for each in root.iter("format")}
    counted = [lasts[each.attrib["format"]] for each in root.iter("sequence")]
    assert counted == ["1/25s", "1001/30000s"], "one size, and yet two formats"


def formats_of(moments: Sequence[Moment]) -> dict[str, dict[str, str]]:
    """What an FCPXML says of each file's pictures, by the file's name."""
    root = ElementTree.fromstring(timeline.write(moments, "fcpxml"))
    formats = {each.attrib["id"]: each.attrib for each in root.iter("format")}
    assert len({tuple(sorted(f.items())) for f in formats.values()}) == len(formats)
    kept = ("width", "height", "paspH", "paspV")
    return {
        asset.attrib["name"]: {
            key: value for key, value in formats[asset.attrib["format"]].items() if key in kept
        }
        for asset in root.iter("asset")
    }


def test_a_format_is_what_players_show(tmp_path: Path) -> None:
    """A phone held upright and one held askew: as turned, and not two sizes under one format."""
    for name, rotation in (("flat", 0), ("left", 90), ("over", 180), ("right", 270)):
        make(tmp_path / f"{name}.mp4", rotation=rotation)
    wide, high = {"width": "64", "height": "48"}, {"width": "48", "height": "64"}
    names = ["flat.mp4", "left.mp4", "over.mp4", "right.mp4"]
    found = formats_of([moment(tmp_path / name, 0, 1) for name in names])
    assert found == dict(zip(names, (wide, high, wide, high), strict=True))


def test_a_format_tells_the_shape_of_its_samples(tmp_path: Path) -> None:
    """As of DVDs and tapes; turned with the picture."""
    for name, rotation in (("tape.mp4", 0), ("turned.mp4", 90)):
        make(tmp_path / name, rotation=rotation, aspect=Fraction(16, 11))
    make(tmp_path / "square.mp4")
    names = ["tape.mp4", "turned.mp4", "square.mp4"]
    assert formats_of([moment(tmp_path / name, 0, 1) for name in names]) == {
        "tape.mp4": {"width": "64", "height": "48", "paspH": "16", "paspV": "11"},
        "turned.mp4": {"width": "48", "height": "64", "paspH": "11", "paspV": "16"},
        "square.mp4": {"width": "64", "height": "48"},
    }


def test_the_film_among_several_streams_is_told(tmp_path: Path) -> None:
    """A preview comes first: what a format describes is the film, and a program may differ."""
    small = make_video(tmp_path / "small.mkv", shots=[(numbered(), 2)], size=(32, 32))
    large = make(tmp_path / "large.mkv")
    path = put_together(tmp_path / "both.mkv", [small.path, large.path], 1)
    found = [moment(path, 1, 2)]
    assert formats_of(found) == {"both.mkv": {"width": "64", "height": "48"}}
    for format in timeline.FORMATS:
        told: list[str] = []
        content = timeline.write(found, format, on_remark=told.append)
        said = [line for line in told if "its film is number 2 of its video streams" in line]
        assert len(said) == (format in ("edl", "fcpxml", "otio", "llc", "zip"))
        assert (b"#EXTVLCOPT:video-track=1\n" in content) == (format == "m3u")
    assert "video-track" not in timeline.write([moment(large.path, 1, 2)], "m3u").decode()


def test_a_last_picture_that_stands_long_belongs_to_the_file(tmp_path: Path) -> None:
    """As in a recording of a screen: the moment reaches to its end, and so does the asset."""
    truth = make(tmp_path / "a.mkv", drop=(3, 4, 5, 20, 21, 30))
    path = tmp_path / "b.mkv"
    with av.open(str(truth.path)) as old, av.open(str(path), "w") as new:
        track = new.add_stream_from_template(old.streams.video[0])
        packets = [packet for packet in old.demux(video=0) if packet.dts is not None]
        max(packets, key=lambda packet: packet.pts).duration = 4000
        for packet in packets:
            packet.stream = track
            new.mux(packet)
    assert read_source(path).frames == 74 + 100
    check("otio", [moment(path, 2.8, 6.8)], Fraction(25), [(path, 70, 100, 0)])


# -- lists -------------------------------------------------------------------------------------


def test_tables_and_json_hold_frames_and_times(tmp_path: Path) -> None:
    truth = make(tmp_path / "a.mov", NTSC)
    path = with_timecode(truth.path, tmp_path / "b.mov", "00:59:59;29")
    moments = [moment(path, truth.times[1], truth.times[4])]
    (row,) = json.loads(timeline.write(moments, "json"))["moments"]
    assert row == {
        "path": str(path),
        "start_seconds": pytest.approx(float(1 / NTSC)),
        "end_seconds": pytest.approx(float(4 / NTSC)),
        "rate": "30000/1001",
        "variable_rate": False,
        "start_frame": 1,
        "end_frame": 4,
        "start_timecode": "01:00:00;00",
        "end_timecode": "01:00:00;03",
        "confidence": 0.5,
        "score": 3.0,
        "profile": "nano",
        "found_by": ["picture"],
        "text": "",
    }
    table = timeline.write(moments, "csv").decode()
    (line,) = csv.DictReader(io.StringIO(table, newline=""))
    assert line == {**{key: str(value) for key, value in row.items()}, "found_by": "picture"}


def test_losslesscut_and_playlists_count_from_the_start_of_the_container(tmp_path: Path) -> None:
    truth = make(tmp_path / "late.mp4", audio=True, start_seconds=2)
    moments = [moment(truth.path, 2.4, 3.2), moment(truth.path, 2, 2.2)]
    told: list[str] = []
    project = json.loads(timeline.write(moments, "llc", on_remark=told.append))
    assert project["mediaFileName"] == "late.mp4"
    assert [(cut["start"], cut["end"]) for cut in project["cutSegments"]] == [(2.4, 3.2), (2, 2.2)]
    assert told == [f"LosslessCut looks for {truth.path} beside its project"]
    lines = timeline.write(moments, "m3u").decode().splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2:5] == [
        "#EXTVLCOPT:start-time=2.400000", "#EXTVLCOPT:stop-time=3.200000", truth.path.as_uri()
    ]  # fmt: skip


def test_a_losslesscut_project_is_of_one_file(tmp_path: Path) -> None:
    moments = [moment(make(tmp_path / name).path, 0, 1) for name in ("a.mp4", "b.mp4")]
    with pytest.raises(TempoEdgeError, match=r"^llc holds cuts of one file, not of 2: "):
        timeline.write(moments, "llc")


def test_losslesscut_projects_of_several_files_come_in_a_zip(tmp_path: Path) -> None:
    names = ["a.mp4", "sub/a.mp4", "sub/a.mkv"]
    (tmp_path / "sub").mkdir()
    paths = [make(tmp_path / name, seconds=1).path for name in names]
    moments = [moment(path, start, start + 0.2) for start in (0.0, 0.4) for path in paths]
    told: list[str] = []
    with ZipFile(io.BytesIO(timeline.write(moments, "zip", on_remark=told.append))) as zipped:
        projects = {name: json.loads(zipped.read(name)) for name in zipped.namelist()}
    assert [(name, project["mediaFileName"]) for name, project in projects.items()] == [
        ("a-proj.llc", "a.mp4"),
        ("sub/a-proj.llc", "a.mp4"),
        ("sub/a.mkv-proj.llc", "a.mkv"),
    ]
    starts = [[cut["start"] for cut in each["cutSegments"]] for each in projects.values()]
    assert starts == [[0.0, 0.4]] * 3
    assert told == [f"unpack it in {tmp_path}: LosslessCut looks for videos beside its projects"]


# -- names -------------------------------------------------------------------------------------

NAMES = [
    "line\nend.mp4",
    "carriage\rtab\t.mp4",
    "quote\"'`$(touch x).mp4",
    "100%, 50%25; %n%.mp4",
    "-dash.mp4",
    " blank .mp4",
    "<a&b>]]>.mp4",
    "\u05e9\u05dc\u05d5\u05dd \u202eabc.mp4",
    "bell\x07escape\x1b[2J.mp4",
    "\u2028separator\x85.mp4",
    os.fsdecode(b"no\xff\xfeutf8.mp4"),
    "* FROM FILE: x.mp4",
    "=cmd|' C calc'!A0.mp4",
    "#EXTM3U.mp4",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_pass_unharmed(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / "a.mp4", seconds=1).path.rename(tmp_path / name)
    moments = [moment(path, 0.2, 0.6), moment(path, 0, 0.2)]
    expected = [(path, 5, 10, 0), (path, 0, 5, 10)]
    for format in READERS:
        check(format, moments, Fraction(25), expected)
    rows = json.loads(timeline.write(moments, "json"))["moments"]
    assert [row["path"] for row in rows] == [str(path)] * 2
    table = timeline.write(moments, "csv").decode(errors="surrogateescape")
    lines = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [line["path"] for line in lines] == [str(path)] * 2
    assert json.loads(timeline.write(moments, "llc"))["mediaFileName"] == name
    with ZipFile(io.BytesIO(timeline.write(moments, "zip"))) as zipped:
        (project,) = zipped.infolist()
        assert json.loads(zipped.read(project))["mediaFileName"] == name
    playlist = timeline.write(moments, "m3u").decode().split("\n")
    assert len(playlist) == 1 + 2 * 4 + 1
    assert [path_of(line) for line in playlist if line.startswith("file:")] == [path, path]
    edl = timeline.write(moments, "edl")
    assert edl.isascii() and edl.count(b"\r\n") == len(edl.splitlines()) == 2 + 2 * 3


def test_a_name_that_a_list_can_hold_is_not_escaped(tmp_path: Path) -> None:
    path = make(tmp_path / "100% (2), a;b.mp4", seconds=1).path
    edl = timeline.write([moment(path, 0, 1)], "edl").decode()
    assert "* FROM CLIP NAME: 100% (2), a;b.mp4\r\n" in edl
    blank = path.rename(tmp_path / " a b .mp4")
    edl = timeline.write([moment(blank, 0, 1)], "edl").decode()
    assert "* FROM CLIP NAME: %20a b .mp4\r\n" in edl, "blanks at the ends would be lost"
    hebrew = blank.rename(tmp_path / "\u05e9%.mp4")
    content = {f: timeline.write([moment(hebrew, 0, 1)], f).decode() for f in ("m3u", "fcpxml")}
    assert all("\u05e9%.mp4" in text for text in content.values())
    edl = timeline.write([moment(hebrew, 0, 1)], "edl").decode()
    assert "* FROM CLIP NAME: %D7%A9%25.mp4\r\n" in edl


# -- failures ----------------------------------------------------------------------------------


def test_failures_are_one_line(tmp_path: Path) -> None:
    truth = make(tmp_path / "a.mp4")
    slow = make_video(tmp_path / "slow.mp4", rate=Fraction(25, 2), shots=[(numbered(), 3)])
    fast = make_video(tmp_path / "fast.mp4", rate=Fraction(120), shots=[(numbered(), 1)])
    midnight = with_timecode(truth.path, tmp_path / "late.mkv", "23:59:59:00")
    audio, gone = make_audio(tmp_path / "a.m4a"), tmp_path / "gone.mp4"
    for format, found, error in (
        ("xml", [moment(truth.path, 0, 1)], "format 'xml' must be one of edl, fcpxml, otio, csv"),
        ("edl", [], "there are no moments to write: a time line needs one"),
        ("edl", [moment(truth.path, 0, 1)] * 1000, "edl holds 999 moments at most, not 1000: "),
        ("edl", [moment(slow.path, 0, 1)], f"edl can't hold {slow.path}: rate 25/2 must be"),
        ("edl", [moment(fast.path, 0, 1)], f"edl can't hold {fast.path}: 120 frames a second"),
        ("edl", [moment(midnight, 0.5, 1.5)], f"edl can't hold {midnight}: its time code passes"),
        ("csv", [moment(truth.path, 3, 4)], "a.mp4 holds no picture within [3.000, 4.000) seconds"),
        ("csv", [moment(audio, 0, 1)], f"{audio} holds no video, only audio"),
        ("csv", [moment(gone, 0, 1)], f"{gone} can't be opened: no such file or directory"),
    ):  # fmt: skip
        with pytest.raises(TempoEdgeError) as caught:
            timeline.write(found, format)
        assert error in str(caught.value)
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value, MediaError) == (format == "csv")


def test_one_file_that_fails_is_left_out_and_told(tmp_path: Path) -> None:
    truth = make(tmp_path / "a.mp4")
    gone, audio = tmp_path / "gone.mp4", make_audio(tmp_path / "a.m4a")
    found = [moment(path, 0, 1) for path in (gone, truth.path, audio, gone)]
    found.append(moment(truth.path, 7, 8))
    told: list[str] = []
    rows = json.loads(timeline.write(found, "json", on_remark=told.append))["moments"]
    assert [row["path"] for row in rows] == [str(truth.path)]
    assert told == [
        f"leaving out a moment: {gone} can't be opened: no such file or directory",
        f"leaving out a moment: {audio} holds no video, only audio",
        f"leaving out a moment: {truth.path} holds no picture within [7.000, 8.000) seconds",
    ]


def test_bounds_between_pictures_and_past_the_end(tmp_path: Path) -> None:
    truth = make(tmp_path / "a.mp4")
    check("otio", [moment(truth.path, 1.01, 1.02)], Fraction(25), [(truth.path, 25, 1, 0)])
    check("otio", [moment(truth.path, 2.9, 99)], Fraction(25), [(truth.path, 73, 2, 0)])
    check("otio", [moment(truth.path, 2.97, 99)], Fraction(25), [(truth.path, 74, 1, 0)])


def test_without_opentimelineio_it_says_how_to_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentimelineio", None)
    found = [moment(make(tmp_path / "a.mp4").path, 0, 1)]
    with pytest.raises(MissingExtraError, match=r'pip install "\.\[editors\]"$'):
        timeline.write(found, "otio")
    for format in set(timeline.FORMATS) - {"otio"}:
        assert timeline.write(found, format)
