"""Pictures at time stamps are those very pictures, and no others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from videos import make_not_a_video, make_video, numbered

from tempo_edge.errors import MediaError
from tempo_edge.media import open_video
from tempo_edge.media.stills import stills


def _number(picture: np.ndarray) -> int:
    """The index that `numbered` drew."""
    middles = ((np.arange(12) + 0.5) * picture.shape[1] / 12).astype(int)
    bits = np.median(picture[:, middles].mean(axis=-1), axis=0) > 127
    return int(sum(int(on) << (11 - place) for place, on in enumerate(bits)))


def test_each_is_the_picture_of_its_tick(tmp_path: Path) -> None:
    dropped = {3, 4, 17, 31}
    path = tmp_path / "a.mkv"
    options = {"size": (240, 96), "rate": Fraction(25), "gop": 10, "drop": dropped}
    make_video(path, shots=[(numbered(), 2)], start_seconds=3, **options)
    with open_video(path) as video:
        pts = video.packets().pts.tolist()
    order = [index for index in range(50) if index not in dropped]
    assert len(pts) == len(order)
    # Several of one key frame, one of another, out of order, and a tick between two pictures.
    wanted = [30, 2, 14, 15, 5, 0]
    found = stills(path, [*(pts[each] for each in wanted), pts[2] + 1], 48)
    assert sorted(found) == sorted(pts[each] for each in wanted)
    for each in wanted:
        picture = found[pts[each]]
        assert picture.shape == (48, 48, 3) and picture.dtype == np.uint8
        assert _number(picture) == order[each]


def test_a_tick_before_the_first_picture_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    make_video(path, shots=[(numbered(), 1)], size=(240, 96), rate=Fraction(10))
    assert stills(path, [-5], 48) == {}
    with pytest.raises(MediaError):
        stills(make_not_a_video(tmp_path / "b.mp4"), [0], 48)
