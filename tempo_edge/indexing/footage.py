"""One video file to its frames: the bounded pipeline of the indexer.

Demux, plan, then decode and measure on worker threads, each with a decoder of its own, while the
calling thread shares out tokens and runs the image tower. A few runs are in flight at a time and
about a minute of thumbnails is held, so memory does not grow with the film's length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, LifoQueue

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.indexing.frame_change import cell_means, frame_change
from tempo_edge.media import DecodeRange, Frame, PacketTable, Video, VideoInfo, open_video
from tempo_edge.models import Profile
from tempo_edge.quantization import quantize
from tempo_edge.saa import SamplingBudget, SamplingPlan, allocate, plan, uniform_plan
from tempo_edge.store.rows import FrameRow, VideoRow

__all__ = ["Footage", "FootageReader", "Sampling"]

# Frames encoded at once: large enough to be fast, small enough to overlap with decoding.
_BATCH = 16

# Looks that may wait for their tokens: about 40 MB of thumbnails.
_CHUNK_LOOKS = 256
_CHUNK_SECONDS = 60.0

# Decoded pictures that may be held by runs that wait for their turn, and by decoders at work.
_HELD_BYTES = 150e6
_DECODER_BYTES = 512e6

# Pictures alive in a decoder at work: those it leans on, and those that are compared.
_DECODER_PICTURES = 8

# A picture that differs this much from the one right before it, and three times as much as pictures
# did lately, is the first one after a cut.
_CUT = 0.15

# A key frame in the encoder's rhythm must differ by this much from the look before it, seconds ago,
# to count as the first picture of a new scene.
_FRESH = 0.5


@dataclass(frozen=True)
class Sampling:
    """Which frames are looked at: SAA, or equal distances as a baseline.

    Attributes:
        policy: SAA's budgets.
        frames_per_second: when given, SAA is off and frames are taken at this rate.
    """

    policy: SamplingBudget = field(default_factory=SamplingBudget)
    frames_per_second: float | None = None

    def plan(self, table: PacketTable, info: VideoInfo) -> SamplingPlan:
        """Choose what to decode and look at."""
        if self.frames_per_second is not None:
            return uniform_plan(table, info, self.frames_per_second)
        return plan(table, info, self.policy)


@dataclass(frozen=True)
class Footage:
    """A video as it is indexed: facts, frames in time order, variation curve ``[n, 2]``.

    ``remarks`` are what the owner of the file should know of it, one short clause each.
    """

    video: VideoRow
    frames: list[FrameRow]
    curve: NDArray[np.float32]
    remarks: tuple[str, ...] = ()


@dataclass
class _Look:
    """A frame looked at. ``changes`` is its 3x3 (say) map of how much each part changed."""

    pts: int
    thumbnail: NDArray[np.uint8]
    variation: float
    cut: bool
    changes: NDArray[np.float32]


@dataclass
class _RunLooks:
    """The looks of a run, the two pictures that tie it to its neighbours, and what was damaged."""

    looks: list[_Look]
    first: Frame | None = None
    last: Frame | None = None
    decoded: int = 0
    damaged: int = 0


@dataclass
class _Damage:
    """How many pictures of a film were decoded, and how many of them were not whole."""

    decoded: int = 0
    damaged: int = 0

    def add(self, found: _RunLooks) -> None:
        self.decoded += found.decoded
        self.damaged += found.damaged

    def remarks(self) -> tuple[str, ...]:
        if not self.damaged:
            return ()
        one = "is" if self.damaged == 1 else "are"
        return (f"damaged: {self.damaged} of {self.decoded} decoded pictures {one} not whole",)


class _IndexContradictedError(Exception):
    """Packets are not what the container's index says: the file has to be read as a whole."""


class FootageReader:
    """Reads videos with one profile, one sampling and one decoder; keeps its threads."""

    def __init__(
        self, profile: Profile, sampling: Sampling, decoder: str = "pyav", workers: int = 2
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers {workers} must be at least 1")
        self._profile = profile
        self._sampling = sampling
        self._decoder = decoder
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="tempo-decode")
        self._grid = round(profile.tokens_per_frame**0.5)

    def close(self) -> None:
        """End the worker threads."""
        self._pool.shutdown(cancel_futures=True)

    def read(
        self, path: Path, on_progress: Callable[[float, float], None] | None = None
    ) -> Footage:
        """Decode, measure and encode one file.

        Args:
            path: a video file.
            on_progress: called with (seconds done, seconds in all) now and then.

        Raises:
            MediaError: the file can't be used; the text says why.
        """
        try:
            return self._read(path, on_progress, whole=False)
        except _IndexContradictedError:  # what was planned by it is worth nothing
            return self._read(path, on_progress, whole=True)

    def _read(
        self, path: Path, on_progress: Callable[[float, float], None] | None, *, whole: bool
    ) -> Footage:
        """Decode, measure and encode one file, planned by its index or by all of its packets."""
        with open_video(path, self._decoder, whole=whole) as video:
            info, table = video.info, video.packets()
            if len(table) < 2:
                raise MediaError("holds a single picture, not a video")
            if not table.keys.any():
                raise MediaError("holds no key frame to start decoding from")
            decoder, unfit = self._fitting(video)
        another = partial(open_video, path, decoder, table)
        chosen = self._sampling.plan(table, info)
        interval = float(np.median(np.diff(table.pts)) * info.time_base)

        def shown_by(pts: int) -> float:
            """Seconds of footage that are shown before a time stamp."""
            return float(info.time_of(table.shown_until(pts)))

        total = shown_by(int(table.pts[-1]) if table.end is None else table.end)
        rows: list[FrameRow] = []
        curve: list[tuple[float, float]] = []
        chunk: list[_Look] = []
        opened = shown_by(int(chosen.runs[0].key))
        damage = _Damage()
        for look in self._looks(another, chosen, info, table, damage):
            chunk.append(look)
            now = shown_by(look.pts)
            curve.append((float(info.time_of(look.pts)), look.variation))
            if now - opened >= _CHUNK_SECONDS or len(chunk) >= _CHUNK_LOOKS:
                rows += self._encode(chunk, max(now - opened, interval), chosen.measured)
                chunk, opened = [], now
                if on_progress is not None:
                    on_progress(now, total)
        rows += self._encode(chunk, max(total - opened, interval), chosen.measured)
        if not rows:
            raise MediaError("no picture of it can be decoded")
        facts = VideoRow(
            info.codec,
            info.width,
            info.height,
            total,
            info.rate,
            info.time_base,
            info.start_time,
            table.holes,
        )
        # Each once, in order.
        remarks = tuple(dict.fromkeys(info.remarks + table.remarks + unfit + damage.remarks()))
        return Footage(facts, rows, np.asarray(curve, dtype=np.float32).reshape(-1, 2), remarks)

    # -- decoding and measuring ----------------------------------------------------------------

    def _fitting(self, video: Video) -> tuple[str, tuple[str, ...]]:
        """(the decoder for a file, a remark if it is not the one that was asked for)."""
        try:
            video.check()
        except MediaError as error:
            return "pyav", (str(error).replace(": use pyav", ": pyav was used"),)
        return self._decoder, ()

    def _looks(
        self,
        another: Callable[[], Video],
        chosen: SamplingPlan,
        info: VideoInfo,
        table: PacketTable,
        damage: _Damage,
    ) -> Iterator[_Look]:
        """Every look of the file in time order, decoded a few runs ahead of the caller."""
        handles: LifoQueue[Video] = LifoQueue()
        pending: deque[Future[_RunLooks]] = deque()
        runs = iter(chosen.runs)
        reference: Frame | None = None
        ahead, breaks = self._runs_ahead(info), table.breaks
        try:
            while True:
                while len(pending) < ahead:
                    run = next(runs, None)
                    if run is None:
                        break
                    pending.append(self._pool.submit(self._look, another, handles, run, chosen))
                if not pending:
                    break
                found = pending.popleft().result()
                damage.add(found)
                if chosen.measured and found.looks and found.first is not None:
                    if found.first.pts in breaks:  # whatever it looks like, it goes on with nothing
                        found.looks[0].cut = True
                    else:
                        self._tie(found, reference, chosen)
                if found.last is not None:
                    reference = found.last
                yield from found.looks
        finally:
            for future in pending:
                future.cancel()
            for future in pending:
                if not future.cancelled():
                    future.exception()  # wait: the handle it holds must come back to be closed
            while not handles.empty():
                handles.get_nowait().close()

    def _runs_ahead(self, info: VideoInfo) -> int:
        """Runs in flight: their lengths differ a hundredfold, so a few would leave cores idle.

        Each finished one holds two pictures until its turn comes, so large pictures allow fewer,
        and very large ones no two decoders at once.
        """
        picture = info.picture_bytes or 2 * info.width * info.height
        decoders = max(1, int(_DECODER_BYTES / (_DECODER_PICTURES * picture)))
        if decoders < self._workers:
            return decoders
        fitting = int(_HELD_BYTES / (2 * picture))
        return max(2 * self._workers, min(12 * self._workers, fitting))

    def _look(
        self,
        another: Callable[[], Video],
        handles: LifoQueue[Video],
        run: DecodeRange,
        chosen: SamplingPlan,
    ) -> _RunLooks:
        """Worker: decode one run and look at what is wanted or turns out to be a cut."""
        try:
            video = handles.get_nowait()
        except Empty:
            video = another()
        try:
            low, high = np.searchsorted(chosen.wanted, [run.key, run.last + 1])
            wanted = deque(chosen.wanted[low:high].tolist())
            before, found = video.damaged, _RunLooks([])
            try:
                self._measure(video.frames(run), wanted, chosen, found)
            except MediaError as error:
                if isinstance(error.__cause__, MemoryError):
                    raise error.__cause__ from None  # no fault of the footage
                found.damaged = 1  # a stretch at least; the rest of the file is still footage
            if video.contradicted:
                raise _IndexContradictedError
            found.damaged = max(found.damaged, video.damaged - before)
            found.decoded = max(found.decoded, found.damaged)
            return found
        finally:
            handles.put(video)

    def _measure(
        self, frames: Iterator[Frame], wanted: deque[int], chosen: SamplingPlan, found: _RunLooks
    ) -> None:
        before: Frame | None = None
        lately = 0.0
        for frame in frames:
            if before is not None and frame.pts <= before.pts:
                continue  # two pictures of one instant: the first is the one that stays
            found.decoded += 1
            jump = False
            if chosen.measured and before is not None:
                step = frame_change(before, frame)[0]
                jump = step >= _CUT and step >= 3 * lately
                lately = 0.7 * lately + 0.3 * step if lately else step
            # Where a wanted picture was lost to damage, the next one stands in for it.
            due = bool(wanted) and frame.pts >= wanted[0]
            if due or (jump and chosen.finds_cuts):
                while wanted and wanted[0] <= frame.pts:
                    wanted.popleft()
                found.looks.append(self._take(frame, found.last, jump, chosen.measured))
                if found.first is None:
                    found.first = frame
                if found.last is None or found.looks[-1].variation > self._sampling.policy.still:
                    found.last = frame
            frame.release()
            before = frame

    def _take(self, frame: Frame, reference: Frame | None, jump: bool, measured: bool) -> _Look:
        profile = self._profile
        change = np.ones((1, 1), np.float32)
        amount = 1.0
        if measured and reference is not None:
            amount, change = frame_change(reference, frame)
        return _Look(
            frame.pts,
            frame.thumbnail(profile.image_size, profile.interpolation, crop=profile.crop),
            amount,
            jump,
            cell_means(frame.upright(change), self._grid),
        )

    def _tie(self, found: _RunLooks, reference: Frame | None, chosen: SamplingPlan) -> None:
        """Measure a run's first look against the last one of the runs before it."""
        head, first = found.looks[0], found.first
        if reference is None or first is None:
            return
        head.variation, change = frame_change(reference, first)
        head.changes = cell_means(first.upright(change), self._grid)
        head.cut = (head.pts in chosen.scene_keys and head.variation >= _CUT / 2) or (
            head.pts in chosen.calm_keys and head.variation >= _FRESH
        )

    # -- tokens and vectors --------------------------------------------------------------------

    def _encode(self, chunk: list[_Look], seconds: float, measured: bool) -> list[FrameRow]:
        """Share out tokens over a stretch and run the image tower on the frames that got any."""
        if not chunk:
            return []
        policy = self._sampling.policy
        if measured:
            budget = max(1, round(policy.tokens_per_second * seconds))
            shares = allocate(np.asarray([look.variation for look in chunk]), budget, policy)
        else:
            shares = np.ones(len(chunk), dtype=np.int64)
        kept = [(look, int(n)) for look, n in zip(chunk, shares, strict=True) if n]
        rows: list[FrameRow] = []
        for start in range(0, len(kept), _BATCH):
            part = kept[start : start + _BATCH]
            vectors, tokens = self._profile.image_tower.encode(
                np.stack([look.thumbnail for look, _ in part])
            )
            packed, packed_tokens = quantize(vectors), quantize(tokens)
            for i, (look, share) in enumerate(part):
                cells = np.sort(np.argsort(-look.changes.ravel(), kind="stable")[:share])
                rows.append(
                    FrameRow(
                        look.pts,
                        look.variation,
                        look.cut,
                        packed[i],
                        cells.astype(np.uint8),
                        packed_tokens[i, cells],
                    )
                )
        return rows
