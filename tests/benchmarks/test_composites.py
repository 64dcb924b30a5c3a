"""Composite videos, decoded again: boundaries lie where the truth says, in the container's time."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from benchmarks._plan import Shot, Transition, VideoPlan
from benchmarks._render import encode, light, presented_times
from benchmarks._sources import CompositeError, open_archive
from benchmarks._takes import LitTake, Take, View
from benchmarks.composites import CompositeSet, build_composites, load_composites, main

Rgb = tuple[int, int, int]
Decode = Callable[[Path], list[tuple[Fraction, Rgb]]]
FORMATS = {"mp4": "mp4", "mkv": "matroska"}
LENGTHS = (20, 24, 31)


def _shot(number: int, start: int, length: int, transition: Transition, half: int) -> Shot:
    wide, near = View(0, 0, 0.9), View(1, 1, 1.0)
    takes = (Take(start, wide, near, 0.004), Take(start + length // 2, near, near, 0.0))
    file = f"dev/p{number:02}.jpg"
    return Shot("photo", file, start, start + length, transition, half, takes)


def _video(transition: Transition = "cut", **changes: Any) -> VideoPlan:
    half = 0 if transition == "cut" else 6
    shots = [_shot(0, 0, LENGTHS[0], "start", 0)]
    for number, length in ((3, LENGTHS[1]), (6, LENGTHS[2])):
        shots.append(_shot(number, shots[-1].end_frame, length, transition, half))
    plan = VideoPlan(
        file="v.mp4",
        width=96,
        height=64,
        rate="25",
        fit="fill",
        preset="veryfast",
        gop_seconds=None,
        offset_frames=0,
        drop_share=0.0,
        grain=0.0,
        seed="test",
        shots=tuple(shots),
    )
    return replace(plan, **changes)


def _encode(plan: VideoPlan, data: Path, path: Path) -> Path:
    archives = {"photo": "flickr8k", "clip": "clips"}
    encode(
        plan,
        lambda source, file: open_archive(data, archives[source]).read(file),
        path,
        FORMATS[path.suffix[1:]],
    )
    return path


def _nearest(seen: Rgb, palette: dict[int, Rgb]) -> int:
    def distance(number: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(seen, palette[number], strict=True))

    return min(palette, key=distance)


@pytest.fixture(scope="module")
def palette(data: Path, tmp_path_factory: pytest.TempPathFactory, decode: Decode) -> dict[int, Rgb]:
    """What photographs 0, 3 and 6 look like once encoded, each in a video of its own."""
    folder = tmp_path_factory.mktemp("palette")
    seen = {}
    for number in (0, 3, 6):
        plan = _video(shots=(_shot(number, 0, 4, "start", 0),))
        seen[number] = decode(_encode(plan, data, folder / f"{number}.mp4"))[2][1]
    return seen


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("mp4", {}),
    "ntsc": ("mp4", {"rate": "30000/1001"}),
    "camera": ("mp4", {"gop_seconds": 1.0, "rate": "24"}),
    "offset": ("mp4", {"offset_frames": 37, "rate": "30000/1001"}),
    "variable": ("mp4", {"drop_share": 0.3}),
    "matroska": ("mkv", {"offset_frames": 11, "drop_share": 0.3, "rate": "30000/1001"}),
    "bars": ("mp4", {"fit": "pillarbox", "width": 128, "height": 72, "grain": 4.0}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_boundary_frame_is_the_first_of_the_new_shot(
    variant: str, data: Path, tmp_path: Path, decode: Decode, palette: dict[int, Rgb]
) -> None:
    suffix, changes = VARIANTS[variant]
    plan = _video(**changes)
    path = _encode(plan, data, tmp_path / f"v.{suffix}")
    frames, kept = decode(path), plan.kept_frames()
    assert len(frames) == len(kept)
    assert [seconds for seconds, _ in frames] == presented_times(path)
    for at, (_, seen) in zip(kept, frames, strict=True):
        expected = next(s.file for s in plan.shots if s.start_frame <= at < s.end_frame)
        assert expected == f"dev/p{_nearest(seen, palette):02}.jpg", f"frame {at}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_times_follow_the_grid_with_its_offset_and_gaps(
    variant: str, data: Path, tmp_path: Path
) -> None:
    suffix, changes = VARIANTS[variant]
    plan = _video(**changes)
    times = presented_times(_encode(plan, data, tmp_path / f"v.{suffix}"))
    # Containers may round to a millisecond, no more.
    for at, seconds in zip(plan.kept_frames(), times, strict=True):
        assert abs(seconds - (at + plan.offset_frames) / Fraction(plan.rate)) < Fraction(1, 1000)


@pytest.mark.parametrize("kind", ["crossfade", "black"])
def test_the_midpoint_of_a_fade_is_the_boundary(
    kind: Transition, data: Path, tmp_path: Path, decode: Decode, palette: dict[int, Rgb]
) -> None:
    plan = _video(kind)
    frames = [seen for _, seen in decode(_encode(plan, data, tmp_path / "v.mp4"))]
    for before, after in ((0, 1), (1, 2)):
        old, new = (int(plan.shots[i].file[5:7]) for i in (before, after))
        at = plan.shots[after].start_frame
        assert _nearest(frames[at - 8], palette) == old
        assert _nearest(frames[at + 8], palette) == new
        if kind == "black":
            darkest = min(range(at - 8, at + 8), key=lambda i: sum(frames[i]))
            assert darkest in (at - 1, at)
        else:
            pair = {old: palette[old], new: palette[new]}
            assert [_nearest(frames[i], pair) for i in (at - 1, at)] == [old, new]
            assert frames[at - 5] != frames[at - 1] != frames[at + 4]


def test_a_clip_keeps_its_own_time(data: Path, tmp_path: Path) -> None:
    shots = (
        Shot("clip", "bar.mp4", 0, 50, "start", 0, (), 2.0),
        _shot(0, 50, 10, "crossfade", 3),
    )
    path = _encode(_video(width=96, height=96, shots=shots), data, tmp_path / "v.mp4")
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    for number in (0, 20, 40):
        # The clip runs at 10 frames/s and its bar moves 2 pixels a frame; it starts at 2.0 s.
        bar = pictures[number][18].argmax()
        assert abs(int(bar) - 2 * (20 + number * 10 // 25)) <= 3
        assert pictures[number][2].max() < 40, "a letterbox is black"


def test_a_take_has_a_light_and_a_side_of_its_own(
    data: Path, tmp_path: Path, decode: Decode, palette: dict[int, Rgb]
) -> None:
    """And the shot goes on: what is drawn of other takes is the same photograph as ever."""
    view = View(0.5, 0.5, 0.9)
    plain = Take(0, view, view, 0.0)
    dark = LitTake(10, view, view, 0.0, gain=0.8, lift=-40.0, warmth=0.0, blur=0.0, mirrored=True)
    warm = LitTake(20, view, view, 0.0, gain=1.0, lift=0.0, warmth=12.0, blur=1.5, mirrored=False)
    shot = Shot("photo", "dev/p03.jpg", 0, 30, "start", 0, (plain, dark, warm))
    seen = [rgb for _, rgb in decode(_encode(_video(shots=(shot,)), data, tmp_path / "v.mp4"))]
    assert _nearest(seen[5], palette) == 3
    assert sum(seen[15]) < sum(seen[5]) - 60
    assert seen[25][0] > seen[5][0] + 8 and seen[25][2] < seen[5][2] - 8


def test_light_turns_a_photograph_around() -> None:
    ramp = Image.fromarray(np.tile(np.arange(40, 200, 4, dtype=np.uint8), (8, 1)))
    take = LitTake(0, View(0, 0, 1), View(0, 0, 1), 0.0, 1.0, 0.0, 0.0, 0.0, mirrored=True)
    luma, *_ = light((ramp, ramp, ramp), take)
    assert np.array_equal(np.asarray(luma), np.asarray(ramp)[:, ::-1])


@pytest.fixture(scope="module")
def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> CompositeSet:
    return _build(data, tmp_path_factory.mktemp("set"), workers=1)


def _build(data: Path, out: Path, *, workers: int, seed: int = 2) -> CompositeSet:
    return build_composites(
        data,
        out,
        split="dev",
        videos=2,
        seed=seed,
        clips=True,
        queries_per_video=2,
        shots=(4, 5),
        shot_seconds=(0.5, 1.0),
        workers=workers,
    )


def test_a_set_says_where_everything_is(built: CompositeSet) -> None:
    assert load_composites(built.folder) == built
    assert [path.is_file() for path in built.videos] == [True, True]
    assert built.manifest["present_queries"] == 4
    assert built.manifest["absent_queries"] == 3
    videos = {video["file"]: video for video in built.manifest["videos"]}
    for query in built.queries:
        assert query["present"] == (query["kind"] == "present") == (query["file"] is not None)
        assert bool(query["spans"]) == query["present"]
        if query["file"] is not None:
            shots = videos[query["file"]]["shots"]
            spans = [shot["span"] for shot in shots if shot["item"] == query["item"]]
            assert query["spans"] == spans
    for video in videos.values():
        starts = [shot["span"][0] for shot in video["shots"]]
        ends = [shot["span"][1] for shot in video["shots"]]
        assert starts[1:] == ends[:-1] == video["boundaries_seconds"]
        assert (starts[0], ends[-1]) == (0.0, video["duration_seconds"])
        assert all("train" not in shot["item"] for shot in video["shots"])


def test_every_boundary_is_the_time_of_a_frame(built: CompositeSet, decode: Decode) -> None:
    for path, video in zip(built.videos, built.manifest["videos"], strict=True):
        raw = [seconds for seconds, _ in decode(path)]
        times = [float(seconds - raw[0]) for seconds in raw]
        assert len(times) == video["frames"]
        assert set(video["boundaries_seconds"]) <= set(times)
        assert video["offset_seconds"] == float(raw[0])


def _without_sizes(manifest: dict[str, Any]) -> dict[str, Any]:
    # Alike pictures may be coded in a few bytes more or less: x264 is not exact to the byte.
    videos = [{**video, "bytes": None} for video in manifest["videos"]]
    return {**manifest, "videos": videos}


def test_the_same_request_gives_the_same_set(
    built: CompositeSet, data: Path, tmp_path: Path, decode: Decode
) -> None:
    again = _build(data, tmp_path, workers=2)
    assert again.queries == built.queries
    assert _without_sizes(again.manifest) == _without_sizes(built.manifest)
    for one, other in zip(again.videos, built.videos, strict=True):
        for (at, seen), (at_other, seen_other) in zip(decode(one), decode(other), strict=True):
            assert at == at_other
            assert max(abs(a - b) for a, b in zip(seen, seen_other, strict=True)) <= 4
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["manifest.json", "truth.jsonl", *(path.name for path in built.videos)]
    )


def test_a_finished_set_is_left_alone(
    built: CompositeSet, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.composites.encode", None)
    assert _build(data, built.folder, workers=1) == built
    with pytest.raises(CompositeError, match="holds another set"):
        _build(data, built.folder, workers=1, seed=3)


def test_an_interrupted_build_goes_on(
    built: CompositeSet, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def failing(plan: VideoPlan, read: Callable[[str, str], bytes], path: Path, kind: str) -> None:
        made.append(plan.file)
        if len(made) == 2:
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        encode(plan, read, path, kind)

    monkeypatch.setattr("benchmarks.composites.encode", failing)
    with pytest.raises(KeyboardInterrupt):
        _build(data, tmp_path, workers=1)
    assert not list(tmp_path.glob(".*-draft"))
    assert not (tmp_path / "manifest.json").exists()
    done = _build(data, tmp_path, workers=1)
    assert made == [built.videos[0].name, built.videos[1].name, built.videos[1].name]
    assert _without_sizes(done.manifest) == _without_sizes(built.manifest)


def test_a_damaged_set_is_noticed(data: Path, tmp_path: Path) -> None:
    done = _build(data, tmp_path, workers=1)
    done.videos[0].unlink()
    with pytest.raises(CompositeError, match=r"v000.* is missing or changed"):
        _build(data, tmp_path, workers=1)


@pytest.mark.parametrize("prefix", ["", "flickr8k/", "./"])
def test_tars_hold_the_same_as_folders(prefix: str, data: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "flickr8k.tar", "w") as tar:
        for path in sorted((data / "flickr8k").rglob("*")):
            name = prefix + path.relative_to(data / "flickr8k").as_posix()
            tar.add(path, name, recursive=False)
    packed, folder = open_archive(tmp_path, "flickr8k"), open_archive(data, "flickr8k")
    assert packed.index == folder.index
    assert packed.fingerprint == folder.fingerprint
    assert packed.read("dev/p03.jpg") == folder.read("dev/p03.jpg")
    with pytest.raises(CompositeError, match=r"none\.jpg"):
        packed.read("none.jpg")


def test_missing_and_broken_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(CompositeError, match=r"neither flickr8k/index.jsonl nor flickr8k.tar"):
        open_archive(tmp_path, "flickr8k")
    (tmp_path / "flickr8k.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(CompositeError, match="no plain tar file"):
        open_archive(tmp_path, "flickr8k")
    (tmp_path / "clips").mkdir()
    lines = json.dumps({"file": "a.mp4", "captions": []}) + "\n{}\n"
    (tmp_path / "clips" / "index.jsonl").write_text(lines)
    with pytest.raises(CompositeError, match="line 2"):
        open_archive(tmp_path, "clips")


def test_the_command_line_reports_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "o"), "--split", "dev"]
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert main([*arguments, "--partition", "3/2"]) == 2
    assert "partition must be k of n" in capsys.readouterr().err


def test_the_command_line_reports_what_it_finds(
    built: CompositeSet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.composites.build_composites", lambda *_, **__: built)
    assert main(["--data", "d", "--out", "o", "--split", "dev"]) == 0
    assert "2 videos" in capsys.readouterr().out
