"""The same footage in other files is found; other takes, parts and still films are not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from harness import Said
from made_up import DIM, Films
from videos import Shot, make_video, motion, texture

from tempo_edge import Library
from tempo_edge.copy_groups import CONTENTS, FOOTAGE, CopyGroup
from tempo_edge.quantization import unit
from tempo_edge.search import duplicates
from tempo_edge.search.duplicates import same_footage
from tempo_edge.search.strips import likeness, strip_of

Tempo = Callable[..., Said]

# A scene that moves, another, and the first again; and the same scenes moving otherwise.
FILM: tuple[Shot, ...] = ((motion(1, 3), 3), (texture(2), 1), (motion(3, 4), 2))
TAKE: tuple[Shot, ...] = ((motion(1, 7), 3), (texture(2), 1), (motion(3, 1), 2))

STILL: tuple[Shot, ...] = ((texture(5), 4),)


def film(path: Path, shots: tuple[Shot, ...]) -> Path:
    make_video(path, shots=shots, size=(128, 96), rate=Fraction(10))
    return path


def again(source: Path, path: Path, size: tuple[int, int], codec: str, skipped: int = 0) -> Path:
    """The same pictures, encoded again in another size; those at the beginning may be left out."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream(codec, 10)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for at, frame in enumerate(old.decode(video=0)):
            if at >= skipped:
                small = frame.reformat(*size, "yuv420p")
                small.pts, small.time_base = at - skipped, Fraction(1, 10)
                new.mux(stream.encode(small))
        new.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def shelf_of_copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a film with all kinds of copies and of what is none, and its library."""
    folder = tmp_path_factory.mktemp("twice")
    clip = film(folder / "film.mp4", FILM)
    again(clip, folder / "small.avi", (112, 84), "mpeg4")
    again(clip, folder / "part.mp4", (128, 96), "libx264", skipped=10)
    shutil.copy(clip, folder / "film, again.mp4")
    os.utime(clip, (1_000_000_000, 1_000_000_000))
    film(folder / "take.mp4", TAKE)
    still = film(folder / "still.mp4", STILL)
    again(still, folder / "still, small.mp4", (64, 48), "libx264")
    shutil.copy(still, folder / "still, again.mp4")
    with Library.open(folder / "library.db") as library:
        assert library.index(folder).indexed + 2 == 8
    return folder


def told(group: CopyGroup) -> dict[str, str]:
    return {Path(other.listed.file.path).name: other.kind for other in group.others}


def test_kinds_of_copies(shelf_of_copies: Path) -> None:
    said: list[str] = []
    with Library.open(shelf_of_copies / "library.db") as library:
        groups = library.copies(on_remark=said.append)
        assert library.copies(shelf_of_copies / "take.mp4") == []
    moving, still = sorted(groups, key=lambda group: group.kept.listed.file.path)
    assert Path(moving.kept.listed.file.path).name == "film.mp4"
    assert told(moving) == {"film, again.mp4": CONTENTS, "small.avi": FOOTAGE}
    assert moving.why == "the oldest"
    assert moving.freed_bytes == sum(
        (shelf_of_copies / name).stat().st_size for name in told(moving)
    )
    assert told(still) in ({"still, again.mp4": CONTENTS}, {"still.mp4": CONTENTS})
    assert said == []
    for other in moving.others:
        assert 0.9 < other.likeness <= 1.0


def test_the_command_tells_and_deletes_nothing(tempo: Tempo, shelf_of_copies: Path) -> None:
    place = ("--library", shelf_of_copies / "library.db")
    before = {path: path.stat().st_mtime_ns for path in shelf_of_copies.glob("*.*")}
    said = tempo("copies", *place)
    assert said.status == 0
    assert said.err.startswith("2 groups: 3 files could go, which frees ")
    assert said.err.endswith("; nothing was deleted\n")
    lines = said.out.splitlines()
    kept = next(line for line in lines if "film.mp4" in line)
    assert kept.startswith("keep ") and kept.endswith("(the oldest)") and "128x96, h264" in kept
    small = next(line for line in lines if "small.avi" in line)
    assert small.startswith("could go ") and small.endswith("(same footage)")
    rows = [json.loads(line) for line in tempo("copies", "--json", *place).out.splitlines()]
    assert [row["freed_bytes"] for row in rows] == sorted(
        (row["freed_bytes"] for row in rows), reverse=True
    )
    for row in rows:
        assert list(row) == ["kept", "why", "others", "freed_bytes"]
        assert row["freed_bytes"] == sum(other["size"] for other in row["others"])
    assert {path: path.stat().st_mtime_ns for path in shelf_of_copies.glob("*.*")} == before


def test_where_nothing_is_twice_it_says_so(tempo: Tempo, shelf_of_copies: Path) -> None:
    said = tempo(
        *("copies", "--library", shelf_of_copies / "library.db"),
        *("--in", shelf_of_copies / "take.mp4"),
    )
    assert said == Said(1, "", "nothing is there twice\n")


def own(shelf_of_copies: Path, tmp_path: Path, *names: str) -> Path:
    """A folder of a test's own with some of the files."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name in names:
        shutil.copy2(shelf_of_copies / name, folder / name)
    return folder


def test_links_are_no_copies_and_what_is_gone_does_not_count(
    shelf_of_copies: Path, tmp_path: Path
) -> None:
    folder = own(shelf_of_copies, tmp_path, "film.mp4", "film, again.mp4")
    os.link(folder / "film.mp4", folder / "hard.mp4")
    (folder / "soft.mp4").symlink_to(folder / "film.mp4")
    with Library.open(tmp_path / "own.db") as library:
        library.index(folder)
        assert len(library.files()) == 4
        (group,) = library.copies()
        assert len(group.others) == 1 and group.freed_bytes == (folder / "film.mp4").stat().st_size
        (folder / "film, again.mp4").unlink()
        assert library.copies() == []


def test_the_largest_picture_is_kept_and_damage_is_not(
    shelf_of_copies: Path, tmp_path: Path
) -> None:
    folder = own(shelf_of_copies, tmp_path, "film.mp4", "small.avi")
    with Library.open(tmp_path / "own.db") as library:
        library.index(folder)
        (group,) = library.copies()
        assert group.why == "the largest picture" and told(group) == {"small.avi": FOOTAGE}
        (video,) = [row.video_id for row in library.files(folder / "film.mp4")]
        with library.store.lock(), library.store.writer() as writer, writer.transaction():
            row = writer.files(folder / "film.mp4")[str(folder / "film.mp4")]
            assert row.video_id == video
            writer.put_file(type(row)(**{**vars(row), "reason": "is damaged"}))
        (group,) = library.copies()
        assert group.why == "it is not damaged" and told(group) == {"film.mp4": FOOTAGE}


def test_what_can_not_be_decoded_is_told_and_left_alone(
    shelf_of_copies: Path, tmp_path: Path
) -> None:
    folder = own(shelf_of_copies, tmp_path, "film.mp4", "small.avi")
    with Library.open(tmp_path / "own.db") as library:
        library.index(folder)
        (folder / "small.avi").write_bytes(b"something else by now")
        said: list[str] = []
        assert library.copies(on_remark=said.append) == []
        assert len(said) == 1 and f"{folder / 'small.avi'} can't be compared" in said[0]


def test_strips_of_takes_and_of_what_does_not_move(shelf_of_copies: Path) -> None:
    one, small, take = (
        strip_of(shelf_of_copies / name, 6.0) for name in ("film.mp4", "small.avi", "take.mp4")
    )
    assert (likeness(one, small) or 0) > 0.95 and likeness(one, take) is None
    still = strip_of(shelf_of_copies / "still.mp4", 4.0)
    assert likeness(still, still) is None, "one hour of nothing is as another"
    assert likeness(one, one + 40) is None, "another light is another take"
    assert likeness(one, one[::-1]) is None
    cut = one.copy()
    cut[2] = one[0]
    assert likeness(one, cut) is not None, "one picture may be of the other side of a cut"
    cut[3] = one[0][::-1]
    assert likeness(one, cut) is None


def test_only_what_is_near_and_of_one_length_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ninety films of one length, ten of which are near each other, three at a time or two."""
    monkeypatch.setattr(duplicates, "_BLOCK", 16)
    films = Films(tmp_path)
    scene = unit(np.random.default_rng(7).standard_normal((1, DIM)).astype(np.float32))
    for number in range(90):
        films.add(f"{number}", 3, near=scene * 2 if number % 9 == 0 else None)
    asked: list[tuple[int, int]] = []
    with films.catalogue.snapshot():
        lengths = dict(films.catalogue.videos())
        ids = sorted(lengths)
        near = {ids[number] for number in range(0, 90, 9)}

        def compare(one: int, other: int) -> float | None:
            asked.append((one, other))
            return 0.99 if (one - other) % 2 == 0 else None

        groups = same_footage(films.catalogue, lengths, ids, compare)
        assert {each for pair in asked for each in pair} == near
        assert len(asked) == len(set(asked)) < 10 * 9 / 2
        assert [len(group) for group in groups] == [5, 5]
        assert {video for group in groups for video, _ in group} == near
        for group in groups:
            assert len({video % 2 for video, _ in group}) == 1
        spread = {video: 10.0 + at for at, video in enumerate(ids)}
        asked.clear()
        assert same_footage(films.catalogue, spread, ids, compare) == [] and asked == []
        assert same_footage(films.catalogue, {}, [], compare) == []


def test_a_crowd_of_look_alikes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_NEAREST", 4)
    films = Films(tmp_path)
    scene = unit(np.ones((1, DIM), np.float32))
    for number in range(60):
        films.add(f"{number}", 2, near=scene * 3)
    asked: list[tuple[int, int]] = []
    with films.catalogue.snapshot():
        lengths = dict(films.catalogue.videos())
        same_footage(films.catalogue, lengths, sorted(lengths), lambda *pair: asked.append(pair))
    assert 60 <= len(asked) <= 2 * 60 * 4
