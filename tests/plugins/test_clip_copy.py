"""Clips without encoding: the same packets, the right pictures, or encoded after all."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from videos import make_video, motion, numbered, read_number, rewrite_edit_list

from tempo_edge.clips import Clip, cut, cut_or_copy
from tempo_edge.errors import MediaError
from tempo_edge.media import open_video
from tempo_edge.moment import Span


def numbers(path: Path) -> list[int]:
    """The numbers that the pictures of a clip tell."""
    with av.open(str(path)) as container:
        return [
            read_number(frame.reformat(format="gray").to_ndarray())
            for frame in container.decode(video=0)
        ]


def stamps(path: Path) -> list[Fraction]:
    """The times of a clip's pictures, in seconds."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def payloads(path: Path, kind: str) -> list[str]:
    """A digest of every packet's bytes, in the order of the file."""
    with av.open(str(path)) as container:
        packets = container.demux(**{kind: 0})
        return [hashlib.sha256(bytes(packet)).hexdigest() for packet in packets if packet.size]


SOURCES: dict[str, dict[str, Any]] = {
    "plain.mp4": {"bframes": 0},
    "bframes.mp4": {"bframes": 3},
    "sound.mp4": {"bframes": 0, "audio": True},
    "sound.mkv": {"bframes": 0, "audio": True},
    "sound.ts": {"bframes": 2, "audio": True},
    "later.ts": {"bframes": 2, "start_seconds": 70},
    "late.mp4": {"bframes": 0, "audio": True, "start_seconds": 2},
    "ntsc.mkv": {"bframes": 0, "rate": Fraction(30000, 1001)},
    "hevc.mp4": {"codec": "libx265", "bframes": 0},
    "vp9.webm": {"codec": "libvpx-vp9"},
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_span_between_key_frames_is_copied(tmp_path: Path, name: str) -> None:
    options = {"shots": [(numbered(), 3)], "size": (192, 108), "scenecut": False, "gop": 12}
    truth = make_video(tmp_path / name, **{**options, **SOURCES[name]})
    first, after = 24, 48
    with open_video(truth.path) as video:  # sound in MPEG-TS begins a little before the pictures
        times = [float(video.info.time_of(int(pts))) for pts in video.packets().pts]
    clip = cut_or_copy(truth.path, Span(times[first], times[after]), tmp_path / "clips")
    assert clip == Clip(tmp_path / "clips" / clip.path.name, copied=True)
    assert numbers(clip.path) == list(range(first, after))
    found = stamps(clip.path)
    expected = [time - truth.times[first] for time in truth.times[first:after]]
    assert found[0] == 0
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= Fraction(1, 1000)
    if truth.path.suffix != ".ts":  # where the same bytes are framed another way
        assert set(payloads(clip.path, "video")) <= set(payloads(truth.path, "video"))
    with av.open(str(clip.path)) as container:
        assert len(container.streams.audio) == int(SOURCES[name].get("audio", False))
        for sound in container.streams.audio:
            assert sound.duration is not None and sound.time_base is not None
            length = sound.duration * sound.time_base
            assert abs(length - (after - first) / truth.rate) < Fraction(1, 20)
            heard = sum(frame.samples for frame in container.decode(sound))
            assert abs(heard / 48_000 - float(length)) < 0.05
            # Nothing is hidden in the file that the span does not hold.
            assert abs(len(payloads(clip.path, "audio")) - length * 48_000 / 1024) < 2
    assert [path.name for path in clip.path.parent.iterdir()] == [clip.path.name]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_codec_whose_decoder_encodes_nothing_is_copied(tmp_path: Path, suffix: str) -> None:
    """AV1 is decoded by libdav1d, and there is no encoder of that name."""
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("this FFmpeg encodes no AV1")
    truth = make_video(
        tmp_path / f"a{suffix}", shots=[(numbered(), 1)], size=(192, 108), gop=10,
        codec="libsvtav1", options={"preset": "12", "svtav1-params": "lp=1:pred-struct=1"},
    )  # fmt: skip
    span = Span(float(truth.times[10]), float(truth.times[20]))
    clip = cut_or_copy(truth.path, span, tmp_path / "clips")
    assert (clip.copied, numbers(clip.path)) == (True, list(range(10, 20)))
    assert set(payloads(clip.path, "video")) <= set(payloads(truth.path, "video"))
    assert numbers(cut_or_copy(truth.path, Span(0.2, 0.4), tmp_path).path) == list(range(5, 10))


@pytest.mark.parametrize(
    ("first", "after", "copied"), [(24, 40, True), (24, 30, True), (25, 36, False), (30, 36, False)]
)
def test_each_moment_is_cut_as_it_allows(
    tmp_path: Path, first: int, after: int, copied: bool
) -> None:
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 3)], size=(192, 108), gop=12, scenecut=False,
        bframes=0,
    )  # fmt: skip
    span = Span(float(truth.times[first]), float(truth.times[after]))
    clip = cut_or_copy(truth.path, span, tmp_path / "clips")
    assert (clip.copied, numbers(clip.path)) == (copied, list(range(first, after)))


def test_half_a_frame_from_a_key_frame_is_near_enough(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 3)], size=(192, 108), gop=12, scenecut=False,
        bframes=0,
    )  # fmt: skip
    key = float(truth.times[24])
    for start, copied, first in (
        (key - 0.019, True, 24),
        (key + 0.019, True, 24),
        (key - 0.022, False, 24),
        (key + 0.022, False, 25),
    ):
        clip = cut_or_copy(truth.path, Span(start, key + 0.4), tmp_path / "clips")
        assert (clip.copied, numbers(clip.path)) == (copied, list(range(first, 34)))


def test_an_end_on_which_b_frames_lean_is_encoded(tmp_path: Path) -> None:
    """Every end is exact; those that need a later picture can't be copied."""
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 2)], size=(192, 108), gop=24, scenecut=False,
        bframes=3, options={"x264-params": "threads=1:b-adapt=0:b-pyramid=none:scenecut=0"},
    )  # fmt: skip
    ways = set()
    for after in range(25, 48):
        span = Span(float(truth.times[24]), float(truth.times[after]))
        clip = cut_or_copy(truth.path, span, tmp_path / "clips")
        assert numbers(clip.path) == list(range(24, after))
        ways.add(clip.copied)
    assert ways == {True, False}


def test_leading_pictures_of_an_open_group_are_left_out(tmp_path: Path) -> None:
    params = "open-gop=1:bframes=3:scenecut=0:threads=1:b-adapt=0"
    truth = make_video(
        tmp_path / "a.ts", shots=[(numbered(), 3)], size=(192, 108), gop=12,
        options={"x264-params": params},
    )  # fmt: skip
    with av.open(str(truth.path)) as container:
        keys = [p.pts * p.time_base for p in container.demux(video=0) if p.size and p.is_keyframe]
    for key in keys[1:4]:
        first = truth.times.index(key - keys[0] + truth.times[0])
        span = Span(float(truth.times[first]), float(truth.times[-1]) + 1)
        clip = cut_or_copy(truth.path, span, tmp_path / "clips")
        assert clip.copied
        assert numbers(clip.path) == list(range(first, 75))


@pytest.mark.parametrize("bframes", [0, 3])
def test_a_key_frame_that_an_edit_list_hides_is_no_start(tmp_path: Path, bframes: int) -> None:
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 2)], size=(192, 108), gop=12, scenecut=False,
        bframes=bframes,
    )  # fmt: skip
    rewrite_edit_list(truth.path, 20 * 512)
    clip = cut_or_copy(truth.path, Span(0, 0.4), tmp_path / "clips")
    assert (clip.copied, numbers(clip.path)) == (False, list(range(20, 30)))


def test_codecs_that_players_do_not_expect_are_encoded(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.mov", shots=[(numbered(), 1)], size=(192, 108), codec="prores_ks",
        pixel_format="yuv422p10le",
    )  # fmt: skip
    clip = cut_or_copy(truth.path, Span(0.2, 0.4), tmp_path / "clips")
    assert (clip.copied, numbers(clip.path)) == (False, list(range(5, 10)))


def test_a_turned_video_stays_turned(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 1)], size=(192, 108), gop=5, rotation=90,
        bframes=0, scenecut=False,
    )  # fmt: skip
    clip = cut_or_copy(truth.path, Span(0.2, 0.4), tmp_path / "clips")
    assert clip.copied
    for path in (truth.path, clip.path):
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).rotation % 360 == 90


def test_a_copy_that_would_show_other_pictures_is_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a container does to its packets on the way: what was written is read back."""
    from tempo_edge.clips import copying

    truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 1)], size=(192, 108), bframes=0)
    packets = copying._packets

    def lossy(*arguments: Any) -> Any:
        kept = list(packets(*arguments))
        return iter(kept[:3] + kept[4:])

    monkeypatch.setattr(copying, "_packets", lossy)
    monkeypatch.setattr(copying, "_is_closed", lambda *_: True)
    clip = cut_or_copy(truth.path, Span(0, 0.4), tmp_path / "clips")
    assert (clip.copied, numbers(clip.path)) == (False, list(range(10)))


def test_what_can_not_be_cut_says_so(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 1)], size=(192, 108))
    with pytest.raises(MediaError, match=r"a\.mp4 holds no picture within \[5\.000, 6\.000\)"):
        cut_or_copy(truth.path, Span(5, 6), tmp_path / "clips")
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match=r"can't be cut into .*/file: file exists"):
        cut_or_copy(truth.path, Span(0, 0.4), tmp_path / "file")
    assert not (tmp_path / "clips").exists()


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [cut, lambda *a: cut_or_copy(*a).path])
def test_clips_of_one_stem_stand_side_by_side(tmp_path: Path, way: Any) -> None:
    folder, sources = tmp_path / "clips", []
    for index, name in enumerate(("a.mp4", "a.mkv", "sub/a.mp4")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        made = make_video(
            tmp_path / name, shots=[(motion(index), 1)], size=(64 + 16 * index, 48), gop=5
        )
        sources.append(made.path)
    found = [way(path, Span(0.2, 0.4), folder) for path in sources]
    assert [path.name for path in found] == [
        "a.0.20-0.40.mp4", "a.0.20-0.40.2.mp4", "a.0.20-0.40.3.mp4"
    ]  # fmt: skip
    # Spans that look alike once they are rounded are not the same either.
    assert way(sources[0], Span(0.2, 0.404), folder).name == "a.0.20-0.40.4.mp4"
    # The same moments again take their own places.
    assert [way(path, Span(0.2, 0.4), folder) for path in sources] == found
    widths = []
    for path in found:
        with av.open(str(path)) as container:
            widths.append(container.streams.video[0].width)
    assert widths == [64, 80, 96]
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize(
    "stem",
    ["a" * 251, "\u00e9" * 124, "a" + "\u65e5" * 82, "\U0001f600" * 61, "a" * 250 + "\udcff"],
)
def test_long_names_are_shortened_and_stay_apart(tmp_path: Path, stem: str) -> None:
    """A name has 255 bytes, with all that is added; letters stay whole."""
    folder, places = tmp_path / "clips", []
    for at, last in enumerate("xy"):
        source = tmp_path / f"{stem[:-1]}{last}.mp4"
        make_video(source, shots=[(motion(at), 1)], size=(64, 48), gop=5)
        for span in (Span(0.2, 0.4), Span(0.2, 0.404)):
            clip = cut_or_copy(source, span, folder)
            assert clip == cut_or_copy(source, span, folder), "its own place again"
            places.append(clip.path.name)
    assert all(len(os.fsencode(name)) <= 255 for name in places)
    assert sorted(places) == sorted(path.name for path in folder.iterdir())
    heads = [name.partition("~")[0] for name in places]
    assert heads[0] == heads[1] == heads[2] and stem.startswith(heads[0])
    assert len(os.fsencode(heads[0])) > 200
    # Which is whose can be told without opening them.
    tags = [name.partition("~")[2].partition(".")[0] for name in places]
    assert tags[0] == tags[1] != tags[2] == tags[3]
    assert places[0].endswith(f"~{tags[0]}.0.20-0.40.mp4")
    assert places[1].endswith(f"~{tags[0]}.0.20-0.40.2.mp4")


def test_a_file_of_the_user_is_not_replaced(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 1)], size=(192, 108))
    theirs = tmp_path / "clips" / "a.0.00-0.40.mp4"
    theirs.parent.mkdir()
    theirs.write_text("theirs")
    assert cut(truth.path, Span(0, 0.4), theirs.parent).name == "a.0.00-0.40.2.mp4"
    assert theirs.read_text() == "theirs"


def test_a_clip_tells_nothing_of_where_it_comes_from(tmp_path: Path) -> None:
    folder = tmp_path / "a private place"
    folder.mkdir()
    truth = make_video(folder / "a.mp4", shots=[(numbered(), 1)], size=(192, 108))
    assert b"private" not in cut(truth.path, Span(0, 0.4), tmp_path / "clips").read_bytes()


def test_a_failure_leaves_no_empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 1)], size=(192, 108))

    def broken(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)
    monkeypatch.setattr(os, "link", broken)
    with pytest.raises(MediaError, match="no space left on device"):
        cut(truth.path, Span(0, 0.4), tmp_path / "clips")
    assert not (tmp_path / "clips").exists()
