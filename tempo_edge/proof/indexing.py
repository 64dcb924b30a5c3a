"""Indexing, end to end, in whole ``index`` processes: as is chosen here, and by the CPU alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tempo_edge.models.providers import VARIABLE, standings
from tempo_edge.proof.clip import clip_of
from tempo_edge.proof.part import Budget, Figure, Part, Row, not_run, verdict

__all__ = ["Indexing", "IndexingError", "Measurement", "TooSlowError", "measure", "repeat_film"]

# Seconds of footage that are indexed first, to learn how much there is time for; and at most.
_FIRST_SECONDS, _MOST_SECONDS = 60.0, 600.0

# Whatever profile new libraries have here.
_PROFILE = ("--profile", "nano")

# How far the footage that was found may be off, and the frames from one decoder to another.
_FOOTAGE, _FRAMES = 0.01, 0.1


class IndexingError(RuntimeError):
    """An ``index`` process did not end as it should; the text says how."""


class TooSlowError(IndexingError):
    """An ``index`` process was ended because it had not ended by itself in time."""


@dataclass(frozen=True)
class Measurement:
    """One ``index`` run.

    Attributes:
        cpu_seconds, peak_megabytes: 0 where the system does not tell.
        megabytes_an_hour: of the database and the vector cache.
    """

    name: str
    footage_seconds: float
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    frames: int
    megabytes_an_hour: float

    @property
    def times_real_time(self) -> float:
        """Seconds of footage a second."""
        return self.footage_seconds / self.wall_seconds


def repeat_film(source: Path, target: Path, hours: float) -> float:
    """Copy a film's packets again and again into one file; gives its length in seconds."""
    import av

    with av.open(str(source)) as reader:
        stream = reader.streams.video[0]
        assert stream.time_base is not None and stream.duration is not None
        length = stream.duration * stream.time_base
        packets = [p for p in reader.demux(stream) if p.pts is not None and p.size]
        loops = max(1, round(hours * 3600 / float(length)))
        with av.open(str(target), "w") as writer:
            out = writer.add_stream_from_template(stream)
            for loop in range(loops):
                shift = loop * stream.duration
                for packet in packets:
                    copy = av.Packet(bytes(packet))
                    copy.pts, copy.dts = packet.pts + shift, packet.dts + shift
                    copy.duration, copy.time_base = packet.duration, packet.time_base
                    copy.is_keyframe = packet.is_keyframe
                    copy.stream = out
                    writer.mux(copy)
        return float(Fraction(loops) * length)


def measure(
    name: str,
    film: Path,
    scratch: Path,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    most_seconds: float | None = None,
) -> Measurement:
    """Index a film into a new library in a process of its own.

    Args:
        environment: variables that it has besides.
        most_seconds: after which it is ended; None for never.

    Raises:
        IndexingError: it has not ended well.
        TooSlowError: it has not ended in time.
    """
    library = scratch / f"{name.replace(' ', '-')}.db"
    tempo = [sys.executable, "-m", "tempo_edge.cli"]
    command = [*tempo, "index", "--library", str(library), "-q", *options, str(film)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})})
    timer = threading.Timer(
        threading.TIMEOUT_MAX if most_seconds is None else most_seconds, process.kill
    )
    timer.daemon = True
    timer.start()
    cpu_seconds, peak_megabytes = _waited(process)
    timer.cancel()
    wall = time.perf_counter() - began
    if process.returncode:
        if most_seconds is not None and wall >= most_seconds:
            raise TooSlowError(f"{film.name} was not indexed within {most_seconds:.0f} s")
        raise IndexingError(f"index of {film.name} ended with status {process.returncode}")
    ask = [*tempo, "status", "--json", "--library", str(library)]
    facts = json.loads(subprocess.run(ask, check=True, capture_output=True).stdout)
    stored = (facts["database_bytes"] + facts["cache_bytes"]) / 1e6
    return Measurement(
        name,
        facts["hours"] * 3600,
        wall,
        cpu_seconds,
        peak_megabytes,
        facts["frames"],
        stored / max(facts["hours"], 1e-9),
    )


def _waited(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Wait for a process; gives its seconds on the processor and its largest size in megabytes."""
    if not hasattr(os, "wait4"):
        process.wait()
        return 0.0, 0.0
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Indexing(Part):
    """The sample clip, repeated, into a new library."""

    name = "indexing"
    what = "indexing on the CPU"
    against = "the footage there is"
    needs = "the sample clip, FAISS and ONNX Runtime"
    budget_seconds = 45.0

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        try:
            yield from self._rows(budget, scratch)
        except TooSlowError as error:
            yield not_run(self.what, self.against, str(error))

    def _rows(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        clip, film = clip_of(scratch), scratch / "film.mp4"
        on_cpu = [*_PROFILE, "--decoder", "pyav"], {VARIABLE: "cpu"}
        length = repeat_film(clip, film, _FIRST_SECONDS / 3600)
        first = measure("first", film, scratch, *on_cpu, most_seconds=budget.left)
        # What it takes to start is counted as if it were footage: so there will be time enough.
        room = 0.35 * budget.left * first.times_real_time
        length = repeat_film(clip, film, min(_MOST_SECONDS, max(length, room)) / 3600)
        cpu = measure("cpu", film, scratch, *on_cpu, most_seconds=budget.left)
        yield verdict(self.what, self.against, _lost(cpu, length), *_figures(cpu))
        provider, decoder = _chosen()
        what = f"indexing with {provider} and the {decoder} decoder"
        if provider == "cpu" and decoder == "pyav":
            why = "the CPU is what this machine would choose"
            yield not_run("indexing with what is chosen", "the CPU", why)
            return
        chosen = measure(
            "chosen",
            film,
            scratch,
            [*_PROFILE, "--decoder", decoder],
            most_seconds=budget.left + 10,
        )
        why = _lost(chosen, length)
        if not why and abs(chosen.frames - cpu.frames) > _FRAMES * cpu.frames:
            why = f"it stored {chosen.frames} frames, on the CPU {cpu.frames}"
        gain = Figure("of the CPU's rate", chosen.times_real_time / cpu.times_real_time, "x")
        yield verdict(what, "the CPU", why, *_figures(chosen), gain)


def _chosen() -> tuple[str, str]:
    """The provider that a session with the image tower is opened with, and the faster decoder."""
    from tempo_edge.media.devices import faster_device

    usable = [each.name for each in standings() if not each.trouble]
    return usable[0], "pyav" if faster_device() is None else "hardware"


def _lost(found: Measurement, length: float) -> str:
    if abs(found.footage_seconds - length) > _FOOTAGE * length:
        return f"{found.footage_seconds:.1f} s were indexed of {length:.1f} s"
    return "" if found.frames else "no frame was stored"


def _figures(found: Measurement) -> list[Figure]:
    figures = [
        Figure("footage", round(found.footage_seconds, 1), "s"),
        Figure("indexed in", round(found.wall_seconds, 2), "s"),
        Figure("that is", round(found.times_real_time, 1), "x real time"),
        Figure("frames", found.frames),
    ]
    if found.cpu_seconds:
        figures.append(Figure("processor", round(found.cpu_seconds, 1), "s"))
        figures.append(Figure("peak memory", round(found.peak_megabytes), "MB"))
    return figures
