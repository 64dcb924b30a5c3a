"""Pictures on a card: those of the processor, at its times, whatever goes wrong on the card.

No machine that runs these tests has one. Numba's simulator plays the card in a process of its own,
and the processor NVIDIA's library; packets, filters, runs, kernels and thumbnails are real.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from tempo_kernels.picture import Colours, Window
from tempo_kernels.reference import rgb_thumbnail
from videos import make_video, motion

from tempo_edge.media import DecodeRange, nvdec_session
from tempo_edge.media._frame import grid_of, shrink
from tempo_edge.media.nvdec import NvdecVideo

PLAYED = """
import sys
import pytest
sys.exit(pytest.main(["-n0", "-q", "-p", "no:cacheprovider", sys.argv[1]]))
"""


def test_surfaces_are_the_processors_pictures_in_the_simulator() -> None:
    """All of ``surfaces_in_simulator.py``."""
    here = Path(__file__)
    done = subprocess.run(
        [sys.executable, "-c", PLAYED, str(here.with_name("surfaces_in_simulator.py"))],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        cwd=here.parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(nvdec_session.is_installed(), reason="it is installed")
def test_without_nvidias_library_the_processor_decodes(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(motion(1), 1)], size=(64, 48))
    with NvdecVideo(truth.path) as video:
        assert video.trouble == 'PyNvVideoCodec is not installed: pip install ".[nvdec]"'
        pts = video.packets().pts.tolist()
        found = [frame.pts for frame in video.frames(DecodeRange(pts[0], pts[-1]))]
        assert found == pts and len(pts) == 25


@pytest.mark.parametrize("shape", [(32, 16), (160, 96), (320, 240)])
def test_a_thumbnail_of_the_kernels_is_that_of_ffmpegs_scaler(shape: tuple[int, int]) -> None:
    """Squeezed and cropped, as much as decoders may differ; the scaler rounds down."""
    width, height = shape
    drawn = np.ascontiguousarray(motion(3)(width, height, 0)).astype(np.uint8)
    frame = VideoFrame.from_ndarray(drawn, format="rgb24").reformat(format="yuv420p")
    planes = frame.to_ndarray()
    chroma = planes[height:].reshape(2, height // 2, width // 2).transpose(1, 2, 0)
    luma, chroma = planes[:height], chroma.reshape(height // 2, width)
    colours, exact = Colours.of("smpte170m", full_range=False), 0
    for size, crop in product((8, 16, 48, 224), (False, True)):
        columns, rows, left, top = grid_of(width, height, size, crop=crop)
        if rows > height or columns > width:
            continue
        window = Window(rows, columns, top, left, size)
        found = rgb_thumbnail(luma, chroma, 8, window, colours).astype(int)
        apart = found - shrink(frame, size, VideoReformatter(), crop=crop)
        assert np.abs(apart).mean() < (0.1 if columns % 2 else 3), (size, crop)
        exact += columns % 2
    assert exact or shape == (32, 16)
