"""What was put comes back as it was put, in the order that is promised, and goes when asked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import ALL, DIM, VIDEO, frame, put
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keepers import KEEPERS

from tempo_edge.errors import LibraryError
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

# Paths that differ by what a careless comparison, order or pattern takes for the same.
PATHS = (
    *("/v/a.mp4", "/v/b/c.mp4", "/v.mp4", "/va/d.mp4", "/v0", "/V/e.mp4", "/v/A.mp4", "/v/a.MP4"),
    *("/v%/f.mp4", "/v_/g.mp4", "/v\\/h.mp4", "/v/é.mp4", "/v/e\u0301.mp4", "/v/\u00df", "/v/ss"),
    *("/v/line\nend", "/v/ ", "/v/'\";--", "/v/\U0001f3ac", "/v/\uffff", "/v/\u7247", "/v/\x01"),
)


@pytest.mark.parametrize(
    "video",
    [
        VIDEO,
        VideoRow("", 2**40, 1, 1e15, None, Fraction(1001, 30000), Fraction(-(10**30), 7)),
        VideoRow("hevc", 1, 1, 0.1 + 0.2, Fraction(30000, 1001), Fraction(1, 90000), Fraction(1)),
        replace(VIDEO, holes=((-(2**40), -5), (127, 2**62))),
    ],
)
def test_a_video_comes_back(writer: WritableCatalogue, video: VideoRow) -> None:
    curve = np.asarray([[0, 0.1], [1e-30, 1], [3e10, 0.5]], np.float32)
    with writer.transaction():
        number = writer.put_video(bytes(range(256)), video, [], curve, "a remark: \U0001f3ac")
    assert writer.video(number) == video
    assert writer.curve(number).tobytes() == curve.tobytes()
    assert writer.curve(number).shape == (3, 2)
    assert writer.remark(number) == "a remark: \U0001f3ac"
    assert writer.video_by_hash(bytes(range(256))) == number
    assert writer.video_by_hash(bytes(255)) is None


def test_of_a_video_that_is_not_there_nothing_is_made_up(writer: WritableCatalogue) -> None:
    for ask in (writer.video, writer.curve):
        with pytest.raises(LibraryError, match="no video 77 in"):
            ask(77)
    assert writer.remark(77) == "" and writer.files_of(77) == []
    assert writer.frames_of(77, *ALL) == [] and writer.variations(77).shape == (0,)
    assert writer.next_pts(77, 0) is None and writer.count_frames([77]) == 0
    pts, cuts, vectors = writer.frames_between(77, *ALL)
    assert len(pts) == len(cuts) == len(vectors) == 0


def test_frames_come_back_in_time_order_whatever_order_they_came_in(
    writer: WritableCatalogue,
) -> None:
    extremes = np.asarray([-128, 127, 0, 1, -1, 64, 10, 13], np.int8)
    tokens = np.arange(-8, 8, dtype=np.int8).reshape(2, DIM)
    rows = [
        frame(2**62, variation=0.25),
        FrameRow(-(2**62), 0.5, True, extremes, np.asarray([0, 255], np.uint8), tokens),
        frame(7, -extremes, variation=1.0),
    ]
    video = put(writer, "far", rows)
    other = put(writer, "other", [frame(1), frame(8)])
    kept = writer.frames_of(video, *ALL)
    assert [each.pts for each in kept] == [-(2**62), 7, 2**62]
    assert [each.variation for each in kept] == [0.5, 1.0, 0.25]
    assert [each.cut for each in kept] == [True, False, False]
    first = kept[0]
    assert first.vector.dtype == np.int8 and first.vector.tolist() == extremes.tolist()
    assert first.cells.dtype == np.uint8 and first.cells.tolist() == [0, 255]
    assert first.tokens.dtype == np.int8 and first.tokens.tolist() == tokens.tolist()
    assert kept[1].tokens.shape == (0, DIM)
    pts, cuts, vectors = writer.frames_between(video, *ALL)
    assert (pts.dtype, cuts.dtype, vectors.dtype) == (np.int64, np.bool_, np.int8)
    assert pts.tolist() == [-(2**62), 7, 2**62] and cuts.tolist() == [True, False, False]
    assert vectors.tolist() == [each.vector.tolist() for each in kept]
    assert writer.variations(video).tolist() == [0.5, 1.0, 0.25]
    assert writer.next_pts(video, -(2**62)) == 7 and writer.next_pts(video, 2**62) is None
    assert [each.pts for each in writer.frames_of(other, *ALL)] == [1, 8]


@pytest.mark.parametrize(
    ("low", "high", "seen"),
    [(0, 20, [0, 10, 20]), (1, 19, [10]), (10, 10, [10]), (11, 9, []), (-(2**70), 2**70, None)],
)
def test_both_ends_of_a_stretch_belong_to_it(
    writer: WritableCatalogue, low: int, high: int, seen: list[int] | None
) -> None:
    video = put(writer, "a", [frame(pts) for pts in (0, 10, 20)])
    expected = [0, 10, 20] if seen is None else seen
    assert [each.pts for each in writer.frames_of(video, low, high)] == expected
    assert writer.frames_between(video, low, high)[0].tolist() == expected


def test_ids_rise_and_are_never_used_twice(writer: WritableCatalogue) -> None:
    first = put(writer, "a", frames=3)
    with writer.transaction():
        writer.drop_files(["/a"])
        assert writer.prune() == 1
    second = put(writer, "b", frames=2)
    assert second > first
    ids = [key[0] for key in writer.frame_keys(range(1, 100))]
    assert len(ids) == 2 and min(ids) > 3


def test_frames_are_known_by_their_ids(writer: WritableCatalogue) -> None:
    videos = [put(writer, name, frames=2) for name in "ab"]
    keys = sorted(writer.frame_keys([*range(5000), 2**62]))
    assert [key[1:] for key in keys] == [(video, pts) for video in videos for pts in (0, 1)]
    assert writer.frame_keys([keys[0][0], keys[0][0]]) == [keys[0]]
    assert writer.frame_keys([]) == []


def test_frames_that_no_file_shows_are_not_found(writer: WritableCatalogue) -> None:
    video = put(writer, "a", frames=2)
    with writer.transaction():
        writer.drop_files(["/a"])
    assert writer.frame_keys(range(100)) == [] and writer.videos() == []
    assert writer.video_by_hash(b"a") == video, "its frames are there until they are pruned"
    with writer.transaction():
        writer.put_file(FileRow("/moved", "", 1, 1, "indexed", "", video))
    assert len(writer.frame_keys(range(100))) == 2


def test_a_file_that_is_moved_keeps_its_frames(writer: WritableCatalogue) -> None:
    video = put(writer, "a", frames=2, remark="is odd")
    with writer.transaction():
        writer.put_file(FileRow("/b", "1:/x", 2, 3, "indexed", "is odd", video))
        writer.drop_files(["/a", "/nothing"])
        assert writer.prune() == 0
    assert writer.files() == {"/b": FileRow("/b", "1:/x", 2, 3, "indexed", "is odd", video)}
    assert writer.remark(video) == "is odd" and len(writer.frames_of(video, *ALL)) == 2


def test_what_no_file_holds_is_pruned_with_all_that_is_of_it(writer: WritableCatalogue) -> None:
    gone = put(writer, "a", frames=3, remark="is odd")
    stays = put(writer, "b", frames=2, remark="stays")
    twice = put(writer, "c", path="/c1")
    with writer.transaction():
        writer.put_file(FileRow("/c2", "", 1, 1, "indexed", "", twice))
        writer.put_file(FileRow("/skipped", "", 1, 1, "skipped", "is no video"))
    with writer.transaction():
        writer.drop_files(["/a", "/c1"])
        assert writer.prune() == 1
    assert writer.video_by_hash(b"a") is None and writer.remark(gone) == ""
    assert writer.frames_of(gone, *ALL) == [] and writer.count_frames([gone]) == 0
    assert [video for video, _ in writer.videos()] == [stays, twice]
    assert writer.remark(stays) == "stays" and writer.count_frames() == 3
    assert writer.prune() == 0


@pytest.mark.parametrize(
    "row",
    [
        FileRow("/a", "", 0, 0, "skipped", ""),
        FileRow("/a", "8:1:/media/\U0001f3ac", 2**63 - 1, -(2**63), "skipped", "odd\n'\"%\\"),
        FileRow("/a", "", 1, 2**63 - 1, "indexed"),
    ],
)
def test_a_file_comes_back(writer: WritableCatalogue, row: FileRow) -> None:
    put(writer, "a")
    writer.put_file(row)
    assert writer.files() == {"/a": row}, "the one before is replaced"


def test_files_at_or_under_a_path_letter_by_letter(writer: WritableCatalogue) -> None:
    for path in PATHS:
        put(writer, path, path=path)
    assert set(writer.files()) == set(writer.files(Path("/"))) == set(PATHS)
    inside = {path for path in PATHS if path.startswith("/v/")}
    assert set(writer.files(Path("/v"))) == inside
    for path in ("/v/b/c.mp4", "/v/a.mp4", "/v/e\u0301.mp4"):
        assert set(writer.files(Path(path))) == {path}
    for folder in ("/v%", "/v_", "/v\\", "/V"):
        assert len(writer.files(Path(folder))) == 1
    assert writer.files(Path("/v/b/c")) == {}


def test_one_file_letter_by_letter(writer: WritableCatalogue) -> None:
    for path in PATHS:
        put(writer, path, path=path)
    for path in PATHS:
        row = writer.file(path)
        assert row is not None and row == writer.files()[path]
    assert writer.file("/v") is None and writer.file("/v/b/") is None


def test_a_listing_goes_no_further_down(writer: WritableCatalogue) -> None:
    for path in ("/v/a.mp4", "/v/b.mp4", "/v/b/1.mp4", "/v/b/2/3.mp4", "/v/b-/4.mp4", "/w/5.mp4"):
        put(writer, path, path=path)
    rows, folders = writer.listing("/v")
    assert [row.path for row in rows] == ["/v/a.mp4", "/v/b.mp4"]
    assert folders == ["/v/b-", "/v/b"], "as a path that goes on with a slash"
    assert writer.listing("/") == ([], ["/v", "/w"])
    assert writer.listing("/v/a.mp4") == writer.listing("/nothing") == ([], [])


def test_the_files_of_a_video_are_in_the_order_of_their_letters(writer: WritableCatalogue) -> None:
    video = put(writer, "a", path=PATHS[0])
    with writer.transaction():
        for path in reversed(PATHS):
            writer.put_file(FileRow(path, "", 1, 1, "indexed", "", video))
    assert [row.path for row in writer.files_of(video)] == sorted(PATHS)


def test_videos_are_listed_by_their_ids_and_in_parts(writer: WritableCatalogue) -> None:
    numbers = [put(writer, name) for name in "fedcba"]
    writer.put_file(FileRow("/more", "", 1, 1, "indexed", "", numbers[0]))
    writer.drop_files(["/e"])
    del numbers[1]
    assert writer.videos() == [(number, 10.0) for number in numbers]
    assert [video for video, _ in writer.videos(2)] == numbers[:2]
    assert [video for video, _ in writer.videos(2, 3)] == numbers[3:]
    assert [video for video, _ in writer.videos(offset=4)] == numbers[4:]
    assert writer.videos(0) == writer.videos(5, 100) == []


def test_counts(writer: WritableCatalogue) -> None:
    one, two = put(writer, "a", frames=3), put(writer, "b", frames=2)
    writer.put_file(FileRow("/copy", "", 1, 1, "indexed", "", one))
    writer.put_file(FileRow("/skipped", "", 1, 1, "skipped", "is no video"))
    assert writer.count_frames() == writer.count_frames([two, one]) == 5
    assert writer.count_frames([one, one, 999]) == 3 and writer.count_frames([]) == 0
    assert writer.count_frames(range(100_000)) == 5, "a list may be long"
    assert writer.totals() == {
        "files_indexed": 3,
        "files_skipped": 1,
        "videos": 2,
        "frames": 5,
        "hours": pytest.approx(20 / 3600),
    }


def test_facts(writer: WritableCatalogue) -> None:
    assert writer.get_meta("x") is None
    for value in ("", "y", "\U0001f3ac\n'\"\\%", "z" * 1_000_000):
        writer.set_meta("x", value)
        assert writer.get_meta("x") == value
    assert writer.get_meta("X") is None
    writer.drop_meta("x")
    writer.drop_meta("x")
    assert writer.get_meta("x") is None


def test_vectors_of_another_profile_are_refused(writer: WritableCatalogue) -> None:
    cells, tokens = np.asarray([9], np.uint8), np.zeros((1, DIM), np.int8)
    row = FrameRow(0, 0.5, False, np.full(DIM, 1, np.int8), cells, tokens)
    video = put(writer, "a", [row])
    writer.expect(DIM, 10)
    assert len(writer.frames_of(video, *ALL)) == len(writer.frames_between(video, *ALL)[0]) == 1
    writer.expect(DIM + 1, 10)
    for read in (writer.frames_of, writer.frames_between):
        with pytest.raises(LibraryError, match="vector of"):
            read(video, *ALL)
    writer.expect(DIM, 9)
    with pytest.raises(LibraryError, match="cells of"):
        writer.frames_of(video, *ALL)


@pytest.mark.parametrize("kind", KEEPERS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paths=st.sets(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        max_size=8,
    ),
    under=st.text(st.sampled_from("/ab%_Z\u00e9"), max_size=3),
)
def test_what_is_under_a_path_is_what_python_says(
    kind: str, tmp_path_factory: pytest.TempPathFactory, paths: set[str], under: str
) -> None:
    names = {f"/{path}" for path in paths} | {"/a/b", "/a/Z", "/ab", "/%/a", "/_/b"}
    folder = tmp_path_factory.mktemp("kept")
    with KEEPERS[kind](folder).store().writer() as writer:
        with writer.transaction():
            for name in names:
                writer.put_file(FileRow(name, "", 1, 1, "skipped", "is no video"))
        place = Path(f"/{under}".rstrip("/") or "/")
        top = str(place).rstrip("/")
        expected = {name for name in names if name == top or name.startswith(f"{top}/")}
        assert set(writer.files(place)) == expected
        assert [row.path for row in writer.each_file(place)] == sorted(expected)
        inside = {name for name in expected if name.startswith(f"{top}/")}
        ends = {name: name.find("/", len(top) + 2) for name in inside}
        rows, folders = writer.listing(str(place))
        assert [row.path for row in rows] == sorted(name for name in inside if ends[name] < 0)
        deeper = {name[: ends[name]] for name in inside if ends[name] >= 0}
        assert folders == sorted(deeper, key=lambda folder: f"{folder}/")
