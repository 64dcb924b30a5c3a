"""A file may claim what one of its size can hold, and pictures that memory has room for."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from av.video.frame import VideoFrame
from bombs import make_table, png
from videos import make_video, motion

from tempo_edge.errors import MediaError
from tempo_edge.media import Run, open_video


def test_pictures_that_unpack_to_half_a_gigabyte_are_refused(tmp_path: Path) -> None:
    picture = png(8192)
    path = make_table(
        tmp_path / "a.mov", picture, size=len(picture), chunks=8, codec=b"png ", shape=(8192, 8192)
    )
    with pytest.raises(MediaError) as caught:
        open_video(path)
    assert str(caught.value) == (
        "holds pictures of 8192x8192 that take 537 MB each, at most 210 MB are decoded"
    )


def test_pictures_too_large_to_be_looked_at_are_not_decoded_at_all(tmp_path: Path) -> None:
    picture = png(16384, depth=8)
    path = make_table(
        tmp_path / "a.mov", picture, size=len(picture), codec=b"png ", shape=(16384, 16384)
    )
    with pytest.raises(MediaError, match="codec or size is unknown, or too large"):
        open_video(path)


def test_no_picture_outlives_its_use(tmp_path: Path) -> None:
    """Decoded pictures are large: they go at once, not when Python looks for circles."""
    truth = make_video(tmp_path / "a.mp4", shots=[(motion(1), 2)], size=(64, 48))
    gc.disable()
    try:
        with open_video(truth.path) as video:
            table = video.packets()
            before = sum(isinstance(each, VideoFrame) for each in gc.get_objects())
            for frame in video.frames(Run(int(table.pts[0]), int(table.pts[-1]))):
                frame.luma()
                frame.thumbnail(32)
                alive = sum(isinstance(each, VideoFrame) for each in gc.get_objects()) - before
                assert alive <= 8, "this one, and those that came with it"
    finally:
        gc.enable()
