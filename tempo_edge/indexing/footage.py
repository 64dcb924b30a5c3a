"""A video file to its frames: the bounded pipeline of the indexer.

Demux, plan, then decode and measure on worker threads, each with a decoder of its own, while the
calling thread shares out tokens and runs the image tower. Several threads may read a file each:
they share workers and memory, and the file that was begun first has the first claim on both. About
a minute of thumbnails is held of each, so memory grows neither with a film's length nor with the
number of films.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Lock, Thread

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.indexing.decode_pool import DecodePool, MemoryBudget
from tempo_edge.indexing.looks import Damage, IndexContradictedError, Look, LookTaker, RunLooks
from tempo_edge.media import DecodeRange, Frame, PacketTable, Video, VideoInfo, open_video
from tempo_edge.media.surface_frame import together
from tempo_edge.models import Profile
from tempo_edge.models.towers import ImageTower
from tempo_edge.quantization import quantize
from tempo_edge.saa import SamplingBudget, SamplingPlan, allocate, plan, uniform_plan
from tempo_edge.store.rows import FrameRow, VideoRow

__all__ = ["Footage", "FootageReader", "Sampling"]

# Frames encoded at once: large enough to be fast, small enough to overlap with decoding. Never of
# several files: a picture takes as long among four as among sixteen, and not every graph gives the
# same vector whatever pictures it is given beside.
_BATCH = 16

# Looks that may wait for their tokens: about 40 MB of thumbnails.
_CHUNK_LOOKS = 256
_CHUNK_SECONDS = 60.0

# Decoded pictures that may be held by runs of all files that wait for their turn.
_HELD_BYTES = 150e6

# What open decoders of all files may hold: so much, or more where there are many workers.
_DECODER_BYTES = 512e6
_WORKER_BYTES = 64e6

# Pictures alive in a decoder at work: those it leans on, and those that are compared.
_DECODER_PICTURES = 8

# Runs in flight for each worker: of large pictures, and of any.
_LEAST_AHEAD, _MOST_AHEAD = 2, 12


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


@dataclass(frozen=True)
class _Course:
    """The course of reading a file: its turn among others, and whom to tell how far it is."""

    turn: int
    on_progress: Callable[[float, float], None] | None
    checkpoint: Callable[[], None]
    on_decoded: Callable[[], None]


@dataclass(frozen=True)
class _Source:
    """A file under several decoders: those that are idle, and how another one is opened."""

    another: Callable[[], Video]
    handles: LifoQueue[Video]

    def take(self) -> Video:
        try:
            return self.handles.get_nowait()
        except Empty:
            return self.another()

    def close(self) -> None:
        while not self.handles.empty():
            self.handles.get_nowait().close()


class FootageReader:
    """Reads videos with one profile, one sampling and one decoder; keeps its threads.

    Several threads may read a file each. What is found in one does not depend on the others.
    """

    def __init__(
        self, profile: Profile, sampling: Sampling, decoder: str = "pyav", workers: int = 2
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers {workers} must be at least 1")
        self._profile = profile
        self._sampling = sampling
        self._decoder = decoder
        self._workers = workers
        self._pool = DecodePool(workers)
        self._taker = LookTaker(profile, sampling.policy)
        self._held = MemoryBudget(_HELD_BYTES, _LEAST_AHEAD * workers)
        self._decoders = MemoryBudget(max(_DECODER_BYTES, _WORKER_BYTES * workers))
        # A batch takes memory as well, so few are encoded at a time.
        self._encoding = BoundedSemaphore(max(1, workers // 4))
        self._loading = Lock()
        self._loader = Thread(target=self._load_ahead, name="tempo-load", daemon=True)
        self._turns = count()

    def close(self) -> None:
        """End the worker threads, and wait for a model that is being loaded.

        An interpreter that ends below a runtime's constructor takes the whole process down.
        """
        self._pool.close()
        if self._loader.ident is not None:
            self._loader.join()

    def read(
        self,
        path: Path,
        on_progress: Callable[[float, float], None] | None = None,
        checkpoint: Callable[[], None] = lambda: None,
        on_decoded: Callable[[], None] = lambda: None,
    ) -> Footage:
        """Decode, measure and encode one file.

        Args:
            path: a video file.
            on_progress: called with (seconds done, seconds in all) now and then.
            checkpoint: called often; whatever it raises ends the reading.
            on_decoded: called once nothing more is read from the file.

        Raises:
            MediaError: the file can't be used; the text says why.
        """
        turn = next(self._turns)
        if not turn:  # while the first file is planned
            self._loader.start()
        course = _Course(turn, on_progress, checkpoint, on_decoded)
        try:
            return self._read(path, course, whole=False)
        except IndexContradictedError:  # what was planned by it is worth nothing
            return self._read(path, course, whole=True)

    def _read(self, path: Path, course: _Course, *, whole: bool) -> Footage:
        """Decode, measure and encode one file, planned by its index or by all of its packets."""
        with open_video(path, self._decoder, whole=whole, unseen=not whole) as video:
            info, table = video.info, video.packets()
            if len(table) < 2:
                raise MediaError("holds a single picture, not a video")
            if not table.keys.any():
                raise MediaError("holds no key frame to start decoding from")
            decoder, unfit = self._fitting(video)
            course.checkpoint()
            # The first to decode is who listed the packets: many files are opened by decoding.
            handles: LifoQueue[Video] = LifoQueue()
            if decoder == self._decoder:
                handles.put(video)
            source = _Source(partial(open_video, path, decoder, table, unseen=True), handles)
            chosen = self._sampling.plan(table, info)
            damage = Damage()
            # Closed here, not by whoever forgets it: others wait for the memory that it holds.
            with closing(self._looks(course, source, chosen, info, table, damage)) as looks:
                length, rows, curve = self._frames(looks, chosen, info, table, course)
        if not rows:
            raise MediaError("no picture of it can be decoded")
        facts = VideoRow(
            info.codec,
            info.width,
            info.height,
            length,
            info.rate,
            info.time_base,
            info.start_time,
            table.holes,
        )
        # Each once, in order.
        remarks = tuple(dict.fromkeys(info.remarks + table.remarks + unfit + damage.remarks()))
        return Footage(facts, rows, np.asarray(curve, dtype=np.float32).reshape(-1, 2), remarks)

    def _frames(
        self,
        looks: Iterator[Look],
        chosen: SamplingPlan,
        info: VideoInfo,
        table: PacketTable,
        course: _Course,
    ) -> tuple[float, list[FrameRow], list[tuple[float, float]]]:
        """(seconds of the film, its frames, its variation curve) of its looks."""
        interval = float(np.median(np.diff(table.pts)) * info.time_base)

        def shown_by(pts: int) -> float:
            """Seconds of footage that are shown before a time stamp."""
            return float(info.time_of(table.shown_until(pts)))

        total = shown_by(int(table.pts[-1]) if table.end is None else table.end)
        rows: list[FrameRow] = []
        curve: list[tuple[float, float]] = []
        chunk: list[Look] = []
        opened = shown_by(int(chosen.runs[0].key))
        for look in looks:
            chunk.append(look)
            now = shown_by(look.pts)
            curve.append((float(info.time_of(look.pts)), look.variation))
            if now - opened >= _CHUNK_SECONDS or len(chunk) >= _CHUNK_LOOKS:
                rows += self._encode(chunk, max(now - opened, interval), chosen.measured)
                chunk, opened = [], now
                if course.on_progress is not None:
                    course.on_progress(now, total)
        course.on_decoded()
        rows += self._encode(chunk, max(total - opened, interval), chosen.measured)
        return total, rows, curve

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
        course: _Course,
        source: _Source,
        chosen: SamplingPlan,
        info: VideoInfo,
        table: PacketTable,
        damage: Damage,
    ) -> Generator[Look, None, None]:
        """Every look of the file in time order, decoded a few runs ahead of the caller."""
        picture = info.picture_bytes or 2 * info.width * info.height
        decoders = min(self._decoders_for(picture), len(chosen.runs))
        thumbnails = min(len(chosen.wanted), _CHUNK_LOOKS) * 3 * self._profile.image_size**2
        reference: Frame | None = None
        with (
            self._decoders.lent(course.turn, decoders * _DECODER_PICTURES * picture + thumbnails),
            closing(self._measured(course.turn, source, chosen, picture)) as runs,
        ):
            for found in runs:
                course.checkpoint()
                damage.add(found)
                if chosen.measured and found.looks and found.first is not None:
                    if found.first.pts in table.breaks:  # it goes on with nothing before it
                        found.looks[0].cut = True
                    else:
                        self._taker.tie(found, reference, chosen)
                if found.last is not None:
                    reference = found.last
                yield from found.looks

    def _decoders_for(self, picture: int) -> int:
        """How many decoders may work on a file with pictures of so many bytes."""
        return max(1, min(self._workers, int(_DECODER_BYTES / (_DECODER_PICTURES * picture))))

    def _runs_ahead(self, picture: int) -> int:
        """Runs in flight: their lengths differ a hundredfold, so a few would leave cores idle.

        Each finished one holds two pictures until its turn comes, so large pictures allow fewer,
        and very large ones no two decoders at once.
        """
        decoders = self._decoders_for(picture)
        if decoders < self._workers:
            return decoders
        fitting = int(_HELD_BYTES / (2 * picture))
        most = min(_MOST_AHEAD * self._workers, fitting)
        return max(_LEAST_AHEAD * self._workers, most)

    def _measured(
        self, turn: int, source: _Source, chosen: SamplingPlan, picture: int
    ) -> Generator[RunLooks, None, None]:
        """Every run of the file in time order, decoded a few ahead of the caller."""
        pending: deque[Future[RunLooks]] = deque()
        runs = deque(chosen.runs)
        ahead, cost, taken = self._runs_ahead(picture), 2 * picture, 0
        try:
            while runs or pending:
                while runs and len(pending) < ahead:
                    if not self._held.try_take(cost):
                        if pending:
                            break
                        self._held.take(turn, cost)
                    taken += cost
                    work = partial(self._look, source, runs.popleft(), chosen)
                    pending.append(self._pool.submit(turn, work))
                yield pending.popleft().result()
                self._held.give_back(cost)
                taken -= cost
        finally:
            for future in pending:
                future.cancel()
            for future in pending:
                if not future.cancelled():
                    future.exception()  # wait: the handle it holds must come back to be closed
            self._held.give_back(taken)
            source.close()

    def _look(self, source: _Source, run: DecodeRange, chosen: SamplingPlan) -> RunLooks:
        """Worker: decode one run and look at it."""
        video = source.take()
        try:
            return self._taker.look(video, run, chosen)
        finally:
            source.handles.put(video)

    # -- tokens and vectors --------------------------------------------------------------------

    def _tower(self) -> ImageTower:
        """The image tower, which is loaded once."""
        with self._loading:
            return self._profile.image_tower

    def _load_ahead(self) -> None:
        with suppress(Exception):  # whoever encodes meets it again
            self._tower()

    def _encode(self, chunk: list[Look], seconds: float, measured: bool) -> list[FrameRow]:
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
            pictures = together([look.thumbnail for look, _ in part])
            tower = self._tower()
            with self._encoding:
                vectors, tokens = tower.encode(pictures)
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
