"""Pictures that stay on the card, decoded, compared, shrunk and encoded, against the host's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tempo_kernels import conformance

from tempo_edge.errors import MediaError
from tempo_edge.media import Frame, Video, open_video
from tempo_edge.media.nvdec import NvdecVideo
from tempo_edge.media.nvdec_session import why_none
from tempo_edge.media.surface_frame import SurfaceFrame, together
from tempo_edge.models import load_profile
from tempo_edge.models.running import DeviceArray
from tempo_edge.models.sessions import open_on_cpu
from tempo_edge.models.shapes import PICTURES
from tempo_edge.proof.attempt import attempt
from tempo_edge.proof.clip import clip_of
from tempo_edge.proof.decoding import Decoded, held, whole
from tempo_edge.proof.kernels import DEFINITION
from tempo_edge.proof.part import AbsentError, Budget, Figure, Part, Row, verdict
from tempo_edge.proof.providers import nearness

__all__ = ["Surfaces"]

# Cases that the kernels are given, and the longest side of their surfaces.
_CASES, _LARGEST = 40, 160

# The cosine that vectors have to have with those of the processor's pictures on the CPU, and with
# those of the very same pictures that were handed over by way of the host.
_LEAST, _SAME = 0.99, 0.9999

# Rounds of which the best counts.
_ROUNDS = 10


class Surfaces(Part):
    """NVDEC's surfaces, from the packet to the vector."""

    name = "surfaces"
    what = "pictures that stay on the card"
    against = "the pyav decoder"
    needs = "an NVIDIA card with its driver, PyNvVideoCodec and Numba's CUDA"
    budget_seconds = 45.0
    on_card = True

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        if why := why_none():
            raise AbsentError(why)
        yield attempt("kernels for surfaces", DEFINITION, partial(_kernels, budget))
        path = clip_of(scratch)
        yield attempt(self.what, self.against, lambda: self._decoded(path, budget))
        what = "vectors of pictures that stay on the card"
        yield attempt(what, "the CPU", lambda: _vectors(path, what))

    def _decoded(self, path: Path, budget: Budget) -> Row:
        with NvdecVideo(path) as video, open_video(path) as plain:
            row = held(self, video, Decoded(plain), budget)
            why = f"the card was left: {video.trouble}" if video.trouble else row.why
        return verdict(row.what, row.against, why, *row.figures, cut_short=row.cut_short)


def _kernels(budget: Budget) -> Row:
    done, why = 0, ""
    for case in conformance.surface_cases(_CASES, _LARGEST):
        if why or (done and budget.is_over(0.3)):
            break
        why = conformance.surface_disagreement(case)
        done += 1
    cut = "" if why or done == _CASES else f"{done} cases, then the time was over"
    return verdict("kernels for surfaces", DEFINITION, why, Figure("cases", done), cut_short=cut)


def _vectors(path: Path, what: str) -> Row:
    """The row of a batch of the clip's pictures, by both ways into the image tower."""
    profile = load_profile("nano")
    tower = profile.image_tower
    with NvdecVideo(path) as video, open_video(path) as plain:
        size = profile.image_size
        wanted = np.stack([frame.thumbnail(size) for frame in _some(plain)])
        pictures: list[DeviceArray] = []
        for frame in _some(video):
            shown = frame.picture(size) if isinstance(frame, SurfaceFrame) else wanted
            if isinstance(shown, np.ndarray):
                raise MediaError(f"a thumbnail was made by the host: {video.trouble}")
            pictures.append(shown)
    batch = together(pictures)
    assert not isinstance(batch, np.ndarray)
    there, took = _timed(partial(tower.encode, batch))
    by_host, took_by_host = _timed(lambda: tower.encode(batch.copy_to_host()))
    right = replace(profile, opener=open_on_cpu).image_tower.encode(wanted)[0]
    same, near = nearness(there, by_host), nearness(there, right)
    why = ""
    if same < _SAME:
        why = f"a cosine with those by way of the host is {same:.5f}, wanted is {_SAME}"
    elif near < _LEAST:
        why = f"a cosine is {near:.4f}, wanted is {_LEAST}"
    return verdict(
        what,
        "the CPU",
        why,
        Figure("lowest cosine", round(near, 6)),
        Figure("with those by way of the host", round(same, 6)),
        Figure(f"a batch of {PICTURES}", round(took, 2), "ms"),
        Figure("by way of the host", round(took_by_host, 2), "ms"),
    )


def _some(video: Video) -> Iterator[Frame]:
    """As many pictures of a film as go in a batch, from its beginning."""
    return islice(video.frames(whole(video)), PICTURES)


def _timed(
    work: Callable[[], tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], float]:
    """The vectors of a batch, and the milliseconds: the best of a few rounds, once it is warm."""
    work()
    times, vectors = [], np.zeros((0, 0), np.float32)
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        vectors = work()[0]
        times.append(time.perf_counter() - began)
    return vectors, 1e3 * min(times)
