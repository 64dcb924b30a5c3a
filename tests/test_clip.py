"""Clips: the right pictures and no others, upright, with their sound, or one line that says why."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from videos import (
    BLUE,
    GREEN,
    MATRICES,
    RED,
    WHITE,
    corners,
    make_audio,
    make_not_a_video,
    make_video,
    motion,
    numbered,
    put_together,
    read_number,
    rewrite_edit_list,
    shown_by,
)

from tempo_edge.clips import cut, cut_or_copy
from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.media import DecodeRange
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.moment import Span
from tempo_edge.player import play, play_all


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
        stream = container.streams.video[0]
        assert stream.time_base is not None
        return [
            frame.pts * stream.time_base
            for frame in container.decode(stream)
            if frame.pts is not None
        ]


SOURCES: dict[str, dict[str, Any]] = {
    "plain.mp4": {"gop": 12},
    "one_gop.mp4": {"gop": 500},
    "sound.mp4": {"gop": 12, "audio": True},
    "open.ts": {"gop": 12, "options": {"x264-params": "open-gop=1:bframes=3:scenecut=0"}},
    "later.ts": {"gop": 12, "start_seconds": 70},
    "ntsc.mp4": {"gop": 12, "rate": Fraction(30000, 1001)},
    "vp9.webm": {"gop": 12, "codec": "libvpx-vp9"},
    "ten_bits.mp4": {"gop": 12, "pixel_format": "yuv420p10le"},
    "odd.mkv": {"codec": "ffv1", "size": (175, 143)},
    "intra.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "rgb.mp4": {"codec": "libx264rgb", "pixel_format": "rgb24"},
    "full.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_clip_holds_the_pictures_of_its_span(tmp_path: Path, name: str) -> None:
    options = {"shots": [(numbered(), 3)], "size": (192, 108), "scenecut": False, **SOURCES[name]}
    truth = make_video(tmp_path / name, **options)
    first, after = 17, 52
    span = Span(float(truth.times[first]), float(truth.times[after]))
    clip = cut(truth.path, span, tmp_path / "clips")
    assert clip.parent == tmp_path / "clips"
    assert clip.name == (f"{truth.path.stem}.{span.start_seconds:.2f}-{span.end_seconds:.2f}.mp4")
    assert numbers(clip) == list(range(first, after))
    expected = [time - truth.times[first] for time in truth.times[first:after]]
    found = stamps(clip)
    assert found[0] == 0
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= Fraction(1, 1000)
    assert [path.name for path in clip.parent.iterdir()] == [clip.name]  # no draft is left


def test_spans_need_not_lie_on_pictures(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 2)], size=(192, 108))
    # 25 pictures a second: those at 0.52 to 0.96 begin within.
    assert numbers(cut(truth.path, Span(0.5, 0.97), tmp_path)) == list(range(13, 25))
    assert numbers(cut(truth.path, Span(1.9, 100), tmp_path)) == [48, 49]
    assert numbers(cut(truth.path, Span(1.0, 1.01), tmp_path)) == [25]


def test_times_rounded_to_the_millisecond_name_the_same_pictures(tmp_path: Path) -> None:
    """As they are read off a screen or from JSON."""
    rate = Fraction(30000, 1001)
    truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 2)], size=(192, 108), rate=rate)
    for first in range(10, 16):
        start, end = (round(float(truth.times[index]), 3) for index in (first, first + 5))
        assert numbers(cut(truth.path, Span(start, end), tmp_path)) == list(range(first, first + 5))


def test_variable_frame_rates_keep_their_times(tmp_path: Path) -> None:
    drop = (3, 4, 5, 20, 21, 30)
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 2)], size=(192, 108), drop=drop, gop=12
    )
    clip = cut(truth.path, Span(0.4, 1.4), tmp_path / "clips")
    kept = [index for index in range(10, 35) if index not in drop]
    assert numbers(clip) == kept
    assert stamps(clip) == [Fraction(index - 10, 25) for index in kept]


@pytest.mark.parametrize("way", [cut, lambda *a: cut_or_copy(*a).path])
def test_a_picture_that_stands_is_what_is_seen(tmp_path: Path, way: Any) -> None:
    """As in a recording of a screen: from 0.76 to 2.4 s picture 19, from 2.96 s on the last."""
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 3)], size=(192, 108), drop=range(20, 60), gop=12,
        audio=True,
    )  # fmt: skip
    between = way(truth.path, Span(1.2, 2.8), tmp_path / "clips")
    assert numbers(between) == [19, *range(60, 70)]
    assert stamps(between) == [
        0,
        *(Fraction(index, 25) - Fraction(6, 5) for index in range(60, 70)),
    ]
    within = way(truth.path, Span(1.2, 2.0), tmp_path / "clips")
    assert numbers(within) == [19]
    with av.open(str(within)) as container:
        (pictures,) = container.streams.video
        assert pictures.duration is not None and pictures.time_base is not None
        assert pictures.duration * pictures.time_base == pytest.approx(0.8, abs=0.01)
    ends = way(truth.path, Span(0.68, 1.6), tmp_path / "clips")
    assert numbers(ends) == [17, 18, 19]
    with av.open(str(ends)) as container:
        (pictures,) = container.streams.video
        assert pictures.duration is not None and pictures.time_base is not None
        assert pictures.duration * pictures.time_base == pytest.approx(0.92, abs=0.01)


def test_what_an_edit_list_hides_stays_hidden(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 2)], size=(192, 108), gop=12, scenecut=False
    )
    rewrite_edit_list(truth.path, 20 * 512)
    assert numbers(cut(truth.path, Span(0, 0.4), tmp_path)) == list(range(20, 30))


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv"])
def test_times_count_from_the_start_of_the_container(tmp_path: Path, name: str) -> None:
    truth = make_video(
        tmp_path / name, shots=[(numbered(), 2)], size=(192, 108), start_seconds=2, audio=True
    )
    clip = cut(truth.path, Span(2.4, 3.2), tmp_path / "clips")
    assert numbers(clip) == list(range(10, 30))
    with pytest.raises(MediaError, match=r"holds no picture within \[0\.500, 1\.500\) seconds"):
        cut(truth.path, Span(0.5, 1.5), tmp_path / "clips")


def loudness(path: Path, seconds: float) -> list[float]:
    """Root mean square of the sound in steps of ``seconds``."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].codec_context.sample_rate
        sound = np.concatenate([f.to_ndarray().mean(axis=0) for f in container.decode(audio=0)])
    step = int(rate * seconds)
    return [
        float(np.sqrt((sound[at : at + step] ** 2).mean()))
        for at in range(0, len(sound) - step + 1, step)
    ]


def test_sound_is_cut_with_the_pictures(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 3)], size=(192, 108), gop=25, audio=True
    )
    clip = cut(truth.path, Span(1.2, 2.2), tmp_path / "clips")
    assert numbers(clip) == list(range(30, 55))
    with av.open(str(clip)) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        assert sound.duration is not None and sound.time_base is not None
        assert abs(sound.duration * sound.time_base - 1) < Fraction(1, 20)
        assert abs((sound.start_time or 0) * sound.time_base) < Fraction(1, 20)
    assert min(loudness(clip, 0.1)[1:9]) > 0.1


@pytest.mark.parametrize("zero", [0, 20])
def test_sound_stays_beside_its_picture(tmp_path: Path, zero: int) -> None:
    """A beep while the picture is white, half a second into the clip; clocks may start anywhere."""
    path = tmp_path / "beep.mkv"
    rate = 48_000
    with av.open(str(path), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 32, 32, "gray"
        audio = out.add_stream("pcm_s16le", rate=rate, layout="stereo")
        for index in range(75):
            light = 255 if 50 <= index < 55 else 0
            picture = av.VideoFrame.from_ndarray(np.full((32, 32), light, np.uint8), format="gray")
            picture.pts = zero * 25 + index
            out.mux(video.encode(picture))
            wave = np.zeros((1, 2 * rate // 25), np.int16)
            if light:
                wave[0, ::8], wave[0, 1::8] = 20_000, 20_000
            sound = av.AudioFrame.from_ndarray(wave, format="s16", layout="stereo")
            sound.sample_rate, sound.pts = rate, (zero * 25 + index) * rate // 25
            out.mux(audio.encode(sound))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
    clip = cut(path, Span(1.5, 3.0), tmp_path / "clips")
    with av.open(str(clip)) as container:
        seen = [frame.to_ndarray()[:32].mean() > 128 for frame in container.decode(video=0)]
    heard = [level > 0.05 for level in loudness(clip, 0.04)]
    # The first picture of the clip is number 38, at 1.52 seconds.
    assert np.flatnonzero(seen).tolist() == [12, 13, 14, 15, 16]
    middle = float(np.mean(np.flatnonzero(heard))) - 14
    assert abs(middle) < 1.5


def test_a_source_whose_sound_ends_early_is_cut_all_the_same(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.mp4", shots=[(numbered(), 2)], size=(192, 108), start_seconds=1, audio=True
    )
    with av.open(str(truth.path)) as source, av.open(str(tmp_path / "b.mkv"), "w") as out:
        video = out.add_stream_from_template(source.streams.video[0])
        audio = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                packet.stream = video
            elif packet.pts is not None and packet.pts * packet.time_base < 1.2:
                packet.stream = audio
            else:
                continue
            out.mux(packet)
    clip = cut(tmp_path / "b.mkv", Span(2, 2.4), tmp_path / "clips")
    assert numbers(clip) == list(range(25, 35))
    with av.open(str(clip)) as container:
        assert not container.streams.audio


def corner_colours(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Top left, top right, bottom left, bottom right, away from the edges between them."""
    height, width = picture.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return np.stack([picture[row, column] for row in rows for column in columns])


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [(160, 90), (94, 162)])
def test_clips_are_upright_without_a_note_to_the_player(
    tmp_path: Path, size: tuple[int, int], rotation: int
) -> None:
    def stored(width: int, height: int, index: int) -> NDArray[np.uint8]:
        shown = corners()(width, height, 0) if rotation % 180 == 0 else corners()(height, width, 0)
        return np.ascontiguousarray(np.rot90(shown, -rotation // 90))

    truth = make_video(tmp_path / "a.mp4", shots=[(stored, 0.4)], size=size, rotation=rotation)
    clip = cut(truth.path, Span(0, 0.2), tmp_path / "clips")
    with av.open(str(clip)) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        assert (frame.width, frame.height) == (size if rotation % 180 == 0 else size[::-1])
        picture = frame.to_ndarray(format="rgb24")
    np.testing.assert_allclose(corner_colours(picture), [RED, GREEN, BLUE, WHITE], atol=12)


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
def test_clips_of_mirrored_footage_are_as_it_is_shown(
    tmp_path: Path, matrix: tuple[int, int, int, int], copied: bool
) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(corners(), 0.4)], size=(160, 96), matrix=matrix)
    clip = cut_or_copy(truth.path, Span(0, 0.4), tmp_path) if copied else None
    path = clip.path if clip is not None else cut(truth.path, Span(0, 0.2), tmp_path)
    assert clip is None or clip.copied
    with PyAVVideo(path) as video:
        stamp = int(video.packets().pts[0])
        picture = next(video.frames(DecodeRange(stamp, stamp))).thumbnail(64)
    meant = corner_colours(shown_by(matrix, corners()(160, 96, 0)))
    np.testing.assert_allclose(corner_colours(picture), meant, atol=12)


@pytest.mark.parametrize("rotation", [0, 90])
def test_the_shape_of_the_samples_is_kept(tmp_path: Path, rotation: int) -> None:
    truth = make_video(
        tmp_path / "a.mp4",
        shots=[(corners(), 0.4)],
        size=(176, 144),
        rotation=rotation,
        aspect=Fraction(16, 11),
    )
    with av.open(str(cut(truth.path, Span(0, 0.2), tmp_path / "clips"))) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
    assert aspect == (Fraction(16, 11) if rotation == 0 else Fraction(11, 16))


@pytest.mark.parametrize(
    "options",
    [
        {"codec": "libx264"},
        {"codec": "libx264", "pixel_format": "yuvj420p"},
        {"codec": "libx264", "options": {"x264-params": "fullrange=on"}},
        {"codec": "libx264rgb", "pixel_format": "rgb24"},
        {"codec": "libx265", "pixel_format": "yuv420p10le"},
        {
            "codec": "libx264",
            "pixel_format": "yuv420p10le",
            "options": {"x264-params": "fullrange=on"},
        },
    ],
)
def test_brightness_is_kept(tmp_path: Path, options: dict[str, Any]) -> None:
    """Whether luma runs from 0 or from 16, in 8 bits or in 10, the clip looks like its source."""
    shots: Any = [((200, 200, 200), 0.4)]
    truth = make_video(tmp_path / "a.mp4", shots=shots, size=(96, 64), **options)
    clip = cut(truth.path, Span(0, 0.2), tmp_path / "clips")
    shades = []
    for path in (truth.path, clip):
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            full = frame.format.name.startswith("yuvj") or frame.color_range == 2
            rgb = frame.reformat(format="rgb24", src_color_range=2 if full else 1)
            shades.append(float(rgb.to_ndarray().mean()))
    assert shades[1] == pytest.approx(shades[0], abs=3)


def test_the_colours_keep_their_meaning(tmp_path: Path) -> None:
    """BT.709 as most cameras write it: 1, in FFmpeg's numbers."""
    options = {"x264-params": "colormatrix=bt709:colorprim=bt709:transfer=bt709"}
    truth = make_video(tmp_path / "a.mp4", shots=[(RED, 0.4)], size=(96, 64), options=options)
    with av.open(str(cut(truth.path, Span(0, 0.2), tmp_path / "clips"))) as container:
        context = container.streams.video[0].codec_context
        next(container.decode(video=0))
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.color_range == 1


def test_the_encoder_chooses_its_key_frames_itself(tmp_path: Path) -> None:
    """It must not take over from an intra-only source that every picture stands alone."""
    shots: Any = [(motion(1), 1)]
    truth = make_video(tmp_path / "a.mp4", shots=shots, size=(96, 64), gop=1)
    with av.open(str(cut(truth.path, Span(0, 1), tmp_path / "clips"))) as container:
        kinds = [frame.pict_type for frame in container.decode(video=0)]
    assert kinds.count(1) == 1


def test_a_clip_is_encoded_well(tmp_path: Path) -> None:
    """From pictures decoded with the loop filter, which looking for cuts leaves out."""
    options = {"crf": "40"}
    truth = make_video(tmp_path / "a.mp4", shots=[(motion(2), 1)], size=(320, 192), options=options)
    clip = cut(truth.path, Span(0, 1), tmp_path / "clips")
    with av.open(str(truth.path)) as one, av.open(str(clip)) as two:
        pairs = zip(one.decode(video=0), two.decode(video=0), strict=True)
        errors = [
            np.abs(a.to_ndarray()[:192].astype(int) - b.to_ndarray()[:192]).mean() for a, b in pairs
        ]
    assert max(errors) < 1


# -- failures ----------------------------------------------------------------------------------


def test_a_folder_that_can_not_be_written_says_so(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(RED, 0.4)])
    (tmp_path / "file").touch()
    for folder, text in (
        (tmp_path / "file", "file exists"),
        (tmp_path / "file" / "below", "not a directory"),
        (Path("/proc/none"), "no such file or directory"),
    ):
        with pytest.raises(MediaError) as caught:
            cut(truth.path, Span(0, 0.2), folder)
        assert str(caught.value) == f"{truth.path} can't be cut into {folder}: {text}"


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    for path, text in (
        (make_audio(tmp_path / "a.m4a"), "holds no video, only audio"),
        (make_not_a_video(tmp_path / "b.mp4"), "can't be opened: invalid data found when"),
        (tmp_path / "missing.mp4", "can't be opened: no such file or directory"),
    ):
        with pytest.raises(MediaError) as caught:
            cut(path, Span(0, 1), tmp_path / "clips")
        assert str(caught.value).startswith(f"{path} {text}")
    assert not (tmp_path / "clips").exists()


def test_a_clip_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tempo_edge.clips import cutting as module

    truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 1)], size=(192, 108))
    before = cut(truth.path, Span(0, 0.4), tmp_path / "clips")
    whole = before.read_bytes()

    def broken(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    for place, name in ((module, "upright"), (Path, "replace")):  # in the middle, and at the end
        with monkeypatch.context() as patch:
            patch.setattr(place, name, broken)
            with pytest.raises(MediaError, match="no space left on device"):
                cut(truth.path, Span(0, 0.4), tmp_path / "clips")
    assert before.read_bytes() == whole
    assert [path.name for path in before.parent.iterdir()] == [before.name]


# -- the player --------------------------------------------------------------------------------


def test_play_opens_mpv_at_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: commands.append(command))
    play(Path("-odd name.mp4"), 12.3456)
    assert commands == [["/usr/bin/mpv", "--really-quiet", "--start=12.346", "--", "-odd name.mp4"]]


@pytest.mark.parametrize(("default", "track"), [(1, 2), (0, 1), (None, 2)])
def test_mpv_shows_the_stream_that_was_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, default: int | None, track: int
) -> None:
    """A preview comes first; mpv would take the first of two that are alike to it."""
    small = make_video(tmp_path / "small.mkv", shots=[(RED, 1)], size=(32, 32)).path
    large = make_video(tmp_path / "large.mkv", shots=[(BLUE, 1)], size=(96, 64)).path
    both = put_together(tmp_path / "both.mkv", [small, large], default)
    commands: list[list[str]] = []
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: commands.append(command))
    span = Span(0, 1)
    play(both, 0)
    play_all([(both, span), (both, span)])
    play_all([(both, span), (small, span)])  # no one choice is right for both
    play(small, 0)
    chosen = [[word for word in command if word.startswith("--vid")] for command in commands]
    assert chosen == [[f"--vid={track}"], [f"--vid={track}"], [], []]


def test_play_without_mpv_says_how_to_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(TempoEdgeError, match="mpv is not installed"):
        play(Path("a.mp4"), 0)
