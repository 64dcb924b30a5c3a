"""The time of each stage of indexing.

``python -m benchmarks.stages --film FILE`` indexes a film, repeated so that start-up doesn't count,
and the same film enlarged to 4K into new libraries, and adds up the processor time of every stage:
reading packets, decoding, comparing pictures, shrinking those that are looked at, encoding them,
storing. Stages are timed where they are entered, a stage within a stage counts for itself only, and
what is left of the process's time is *else*. ``--picture FILE`` draws them as stacked bars and
needs Matplotlib.
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import av

from benchmarks.machine import describe
from tempo_edge import Library
from tempo_edge.evaluation import plots
from tempo_edge.indexing import looks
from tempo_edge.indexing.frame_change import frame_change
from tempo_edge.indexing.indexer import Indexer
from tempo_edge.media import _frame, pyav
from tempo_edge.models.registry import load_profile
from tempo_edge.proof.indexing import repeat_film

__all__ = ["STAGES", "Stopwatch", "main", "measure"]

STAGES = ("demux", "decode", "compare", "shrink", "encode", "store", "else")


class Stopwatch:
    """Processor seconds of each stage over all threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._within = threading.local()

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Count what this thread does in here for a stage, but for the stages within."""
        outer: list[float] = getattr(self._within, "spent", None) or [0.0]
        self._within.spent = inner = [0.0]
        began = time.thread_time()
        try:
            yield
        finally:
            took = time.thread_time() - began
            outer[0] += took
            self._within.spent = outer
            with self._lock:
                self.seconds[stage] += took - inner[0]

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.time(stage):
                return function(*args, **kwargs)

        return timed

    def along(self, stage: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Any]:
        """The generator function, each step of it timed."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Iterator[Any]:
            steps, end = function(*args, **kwargs), object()
            while True:
                with self.time(stage):
                    step = next(steps, end)
                if step is end:
                    return
                yield step

        return timed


@contextmanager
def watched(watch: Stopwatch) -> Iterator[None]:
    """Time the parts of the indexer where they are."""
    video, tower = pyav.PyAVVideo, type(load_profile("nano").image_tower)
    parts: list[tuple[Any, str, Callable[..., Any]]] = [
        (video, "packets", watch.around("demux", video.packets)),
        (video, "_packets_from", watch.along("demux", video._packets_from)),
        (video, "_decode", watch.along("decode", video._decode)),
        (looks, "frame_change", watch.around("compare", frame_change)),
        (_frame.PyAVFrame, "thumbnail", watch.around("shrink", _frame.PyAVFrame.thumbnail)),
        (tower, "encode", watch.around("encode", tower.encode)),
        (Indexer, "_store", watch.around("store", Indexer._store)),
    ]
    patches = [mock.patch.object(where, name, timed) for where, name, timed in parts]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def measure(film: Path, rounds: int) -> dict[str, float]:
    """Processor milliseconds a second of footage by stage, the best of some rounds each."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        watch = Stopwatch()
        with tempfile.TemporaryDirectory() as scratch, Library.open(Path(scratch) / "l.db") as made:
            began = time.process_time()
            with watched(watch):
                made.index([film])
            whole = time.process_time() - began
            seconds = made.totals()["hours"] * 3600
        watch.seconds["else"] = max(0.0, whole - sum(watch.seconds.values()))
        for stage in STAGES:
            took = 1e3 * watch.seconds[stage] / seconds
            best[stage] = min(best.get(stage, took), took)
    return best


def enlarge(source: Path, target: Path, seconds: float) -> None:
    """The first seconds of a film in 4K, H.264, a key frame where the encoder sees a cut."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = reader.streams.video[0]
        options = {"preset": "veryfast", "crf": "20"}
        out = writer.add_stream("libx264", rate=stream.average_rate, options=options)
        out.width, out.height, out.pix_fmt = 3840, 2160, "yuv420p"
        for frame in reader.decode(stream):
            if frame.time is not None and frame.time >= seconds:
                break
            large = frame.reformat(out.width, out.height, interpolation="BICUBIC")
            writer.mux(out.encode(large))
        writer.mux(out.encode())


def table(rows: dict[str, dict[str, float]]) -> str:
    """GitHub markdown."""
    lines = ["| film | " + " | ".join(STAGES) + " | sum |", "|---|" + "---:|" * (len(STAGES) + 1)]
    for name, row in rows.items():
        told = [row[stage] for stage in STAGES]
        lines.append(f"| {name} | " + " | ".join(f"{t:.2f}" for t in (*told, sum(told))) + " |")
    return "\n".join(lines)


def draw(path: Path, rows: dict[str, dict[str, float]]) -> None:
    """A bar for each film, as long as a second of it takes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.6 * len(rows)), layout="constrained")
    names = list(rows)[::-1]
    left = [0.0] * len(names)
    for stage in STAGES:
        widths = [rows[name][stage] for name in names]
        axes.barh(names, widths, left=left, label=stage, height=0.6)
        left = [at + width for at, width in zip(left, widths, strict=True)]
    axes.set_xlabel("processor milliseconds a second of footage")
    axes.legend(fontsize=8, ncols=len(STAGES), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes.spines[["top", "right"]].set_visible(False)
    plots.save(figure, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--film", type=Path, required=True, help="a 1080p film")
    parser.add_argument("--hours", type=float, default=0.25, help="it is repeated to this length")
    parser.add_argument("--seconds", type=float, default=20.0, help="of it are enlarged to 4K")
    parser.add_argument("--rounds", type=int, default=2, help="the best of these counts")
    parser.add_argument("--picture", type=Path, help="draw the bars here")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        films = {name: Path(folder) / f"{name}.mp4" for name in ("1080p", "4K")}
        enlarge(options.film, Path(folder) / "large.mp4", options.seconds)
        repeat_film(Path(folder) / "large.mp4", films["4K"], options.hours)
        repeat_film(options.film, films["1080p"], options.hours)
        rows = {name: measure(film, options.rounds) for name, film in films.items()}
    print(json.dumps(describe()))
    print(table(rows))
    if options.picture is not None:
        draw(options.picture, rows)


if __name__ == "__main__":
    main()
