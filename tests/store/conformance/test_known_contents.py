"""What is known of the bytes of files comes back, is added to, and goes with the video."""

from __future__ import annotations

from dataclasses import replace

import pytest
from films import put

from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.rows import Contents

ALL_OF_IT = Contents(2**62, b"s\0", b"p\xff", bytes(32))


@pytest.mark.parametrize(
    "contents",
    [
        Contents(),
        Contents(0, b"s"),
        Contents(2**63 - 1, None, b"p"),
        Contents(None, None, None, b"w"),
        ALL_OF_IT,
    ],
)
def test_it_comes_back(writer: WritableCatalogue, contents: Contents) -> None:
    video = put(writer, "a")
    assert writer.contents(video) == Contents()
    writer.note_contents(video, contents)
    assert writer.contents(video) == contents
    writer.note_contents(video, Contents())
    assert writer.contents(video) == contents


def test_what_was_known_stays_and_what_was_not_is_added(writer: WritableCatalogue) -> None:
    video = put(writer, "a")
    writer.note_contents(video, Contents(7, b"s"))
    writer.note_contents(video, Contents(8, b"t", b"p"))
    writer.note_contents(video, Contents(9, b"u", b"q", b"w"))
    assert writer.contents(video) == Contents(7, b"s", b"p", b"w")


def test_several_videos_may_have_one_sample(writer: WritableCatalogue) -> None:
    videos = [put(writer, name) for name in "abc"]
    writer.note_contents(videos[2], Contents(7, b"s", b"p"))
    writer.note_contents(videos[0], Contents(7, b"s"))
    writer.note_contents(videos[1], Contents(7, b"t"))
    assert writer.videos_of_sample(b"s") == [
        (videos[0], Contents(7, b"s")),
        (videos[2], Contents(7, b"s", b"p")),
    ]
    assert writer.videos_of_sample(b"S") == []


def test_a_size_may_lack_its_samples(writer: WritableCatalogue) -> None:
    one, two = put(writer, "a"), put(writer, "b")
    assert not writer.lacks_samples(7)
    writer.note_contents(one, Contents(7, None, None, b"w"))
    writer.note_contents(two, Contents(8, b"s"))
    assert writer.lacks_samples(7)
    assert not writer.lacks_samples(8) and not writer.lacks_samples(9)
    writer.note_contents(one, Contents(7, b"t"))
    assert not writer.lacks_samples(7)


def test_a_video_of_unknown_size_may_be_of_any(writer: WritableCatalogue) -> None:
    writer.note_contents(put(writer, "a"), Contents(None, None, None, b"w"))
    assert writer.lacks_samples(1) and writer.lacks_samples(2**62)


def test_it_goes_with_its_video(writer: WritableCatalogue) -> None:
    gone, stays = put(writer, "a"), put(writer, "b")
    writer.note_contents(gone, Contents(7, b"s"))
    writer.note_contents(stays, Contents(8))
    with writer.transaction():
        writer.drop_files(["/a"])
    assert writer.contents(gone) == Contents(7, b"s"), "its frames are there until they are pruned"
    writer.prune()
    assert writer.contents(gone) == Contents() and writer.videos_of_sample(b"s") == []
    assert writer.contents(stays) == Contents(8)


def test_of_a_video_that_is_not_there_nothing_is_known(writer: WritableCatalogue) -> None:
    assert writer.contents(77) == Contents()


def test_a_file_is_verified_until_it_is_put_again_or_gone(writer: WritableCatalogue) -> None:
    for name in "ab":
        put(writer, name)
    assert writer.verified("/a") is None
    writer.note_verified("/a", 3)
    writer.note_verified("/b", 3)
    writer.note_verified("/a", 2**62)
    assert (writer.verified("/a"), writer.verified("/b")) == (2**62, 3)
    writer.put_file(replace(writer.files()["/a"], mtime_ns=2))
    writer.drop_files(["/b"])
    assert writer.verified("/a") is None and writer.verified("/b") is None
    put(writer, "b")
    assert writer.verified("/b") is None


def test_a_remark_takes_the_place_of_the_one_before(writer: WritableCatalogue) -> None:
    odd, plain = put(writer, "a", remark="is odd"), put(writer, "b")
    for video in (odd, plain):
        writer.note_remark(video, "is damaged")
        assert writer.remark(video) == "is damaged"
    with writer.transaction():
        writer.drop_files(["/a"])
        writer.prune()
    assert writer.remark(odd) == "" and writer.remark(plain) == "is damaged"
