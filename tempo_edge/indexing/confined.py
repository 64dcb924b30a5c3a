"""Reading a file in a process of its own, with little memory: one that may die of it.

The child is told on its standard input what to read, file by file, and ends with it. It tells how
far it is on its standard output, one line of JSON at a time, and leaves the footage in a file. One
that died, or that could not read a file, reads no other.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue
from threading import Thread, Timer
from typing import Any

import numpy as np

from tempo_edge._system.signals import ENDING, end_at_once
from tempo_edge.errors import MediaError
from tempo_edge.indexing.confinement import limit_growth
from tempo_edge.indexing.footage import Footage, FootageReader, Sampling
from tempo_edge.models import Profile
from tempo_edge.saa import SamplingBudget
from tempo_edge.store.rows import FrameRow, VideoRow

__all__ = ["ConfinedReader", "load_footage", "main", "save_footage"]

# Memory for one file, beside that of the models.
_ROOM_BYTES = 768 << 20

# A child that tells nothing for this long, in seconds, won't tell anything any more.
_SILENCE_SECONDS = 300.0


class ConfinedReader:
    """Reads videos as :class:`FootageReader` does, in a child process with limited memory.

    Args:
        profile: the models to read with.
        sampling: which frames to look at.
        decoder: one of :data:`tempo_edge.media.DECODERS`.
        room_bytes: memory that a child may take beside that of the models.
    """

    def __init__(
        self,
        profile: Profile,
        sampling: Sampling,
        decoder: str = "pyav",
        room_bytes: int = _ROOM_BYTES,
    ) -> None:
        self._order = {
            "profile": str(profile.folder),
            "policy": asdict(sampling.policy),
            "frames_per_second": sampling.frames_per_second,
            "decoder": decoder,
            "room_bytes": room_bytes,
        }
        self._child: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with child:  # what is written to it or read from it is closed
                child.wait()

    def read(
        self,
        path: Path,
        on_progress: Callable[[float, float], None] | None = None,
        checkpoint: Callable[[], None] = lambda: None,
        on_decoded: Callable[[], None] = lambda: None,
    ) -> Footage:
        """Decode, measure and encode one file, wherever that may lead.

        Args:
            path: a video file.
            on_progress: called with (seconds done, seconds in all) now and then.
            checkpoint: called at the beginning; whatever it raises ends the reading.
            on_decoded: called at the end.

        Raises:
            MediaError: the file can't be used, or the child died of it; the text says why.
            RuntimeError: the child failed in a way that nobody foresaw.
        """
        checkpoint()
        with tempfile.TemporaryDirectory(prefix="tempo-edge-") as folder:
            result = Path(folder) / "footage.npz"
            order = {**self._order, "path": str(path), "result": str(result)}
            child = self._living()
            said = None
            try:
                said = _follow(child, order, on_progress or (lambda done, total: None))
            finally:
                if said is None or "read" not in said:
                    self.close()
            if said is None and child.returncode < 0:
                raise MediaError(
                    f"killed the indexer twice, at last by {_name(-child.returncode)}: "
                    "it is tried again when it changes"
                )
            if said is None:
                raise RuntimeError(f"a process for it ended with status {child.returncode}")
            if "unusable" in said:
                raise MediaError(said["unusable"])
            if "failed" in said:
                raise RuntimeError(said["failed"])
            on_decoded()
            return load_footage(result)

    def _living(self) -> subprocess.Popen[bytes]:
        """The child that read the file before, or a new one."""
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "tempo_edge.indexing.confined"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._child


def _follow(
    child: subprocess.Popen[bytes],
    order: dict[str, Any],
    on_progress: Callable[[float, float], None],
) -> dict[str, Any] | None:
    """The child's last word, or None if it died without one."""
    assert child.stdin is not None and child.stdout is not None
    with suppress(BrokenPipeError):
        child.stdin.write(json.dumps(order).encode() + b"\n")
        child.stdin.flush()
    while True:
        alarm = Timer(_SILENCE_SECONDS, child.kill)
        alarm.start()
        try:
            line = child.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            child.wait()
            return None
        said: dict[str, Any] = json.loads(line)
        if "progress" not in said:
            return said
        on_progress(*said["progress"])


def _name(number: int) -> str:
    """A signal's name."""
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


# -- footage in a file ---------------------------------------------------------------------------


def save_footage(footage: Footage, path: Path) -> None:
    """Write footage to a file of NumPy's, for :func:`load_footage`."""
    frames = footage.frames
    facts = {
        "video": {
            each.name: _plain(getattr(footage.video, each.name)) for each in fields(VideoRow)
        },
        "remarks": list(footage.remarks),
    }
    np.savez(
        path,
        facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
        curve=footage.curve,
        pts=np.asarray([frame.pts for frame in frames], np.int64),
        variation=np.asarray([frame.variation for frame in frames], np.float64),
        cut=np.asarray([frame.cut for frame in frames], np.bool_),
        counts=np.asarray([len(frame.cells) for frame in frames], np.int64),
        vectors=np.stack([frame.vector for frame in frames]),
        cells=np.concatenate([frame.cells for frame in frames]),
        tokens=np.concatenate([frame.tokens for frame in frames]),
    )


def load_footage(path: Path) -> Footage:
    """The footage that :func:`save_footage` wrote.

    Raises:
        OSError, ValueError, KeyError: it is not there, or not whole.
    """
    with np.load(path, allow_pickle=False) as kept:
        facts = json.loads(kept["facts"].tobytes())
        ends = np.cumsum(kept["counts"])[:-1]
        rows = zip(
            *(kept["pts"].tolist(), kept["variation"].tolist(), kept["cut"].tolist()),
            *(kept["vectors"], np.split(kept["cells"], ends), np.split(kept["tokens"], ends)),
            strict=True,
        )
        video = VideoRow(**{name: _lively(value) for name, value in facts["video"].items()})
        frames = [FrameRow(*row) for row in rows]
        return Footage(video, frames, kept["curve"], tuple(facts["remarks"]))


def _plain(value: Any) -> Any:
    """A field of a row as JSON can hold it."""
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _lively(value: Any) -> Any:
    """The field that :func:`_plain` was given."""
    if isinstance(value, dict):
        return Fraction(value["fraction"])
    return tuple(_lively(each) for each in value) if isinstance(value, list) else value


# -- the child -----------------------------------------------------------------------------------


def main() -> None:
    """``python -m tempo_edge.indexing.confined``, as :class:`ConfinedReader` starts it."""
    # Whoever ends the indexer ends its input, and with that this process: dying of anything else
    # is the file's fault.
    for name in ENDING:
        signal.signal(name, signal.SIG_IGN)
    orders: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_take_orders, args=(orders,), daemon=True).start()
    order = orders.get()
    try:
        profile = _profile(order)
        while True:
            _tell(_read(profile, order))
            order = orders.get()
    except MediaError as error:
        _tell({"unusable": str(error)})
    except MemoryError:
        _tell({"unusable": "takes more memory than a single file may"})
    except Exception as error:
        _tell({"failed": f"{type(error).__name__}: {error}"})


def _take_orders(orders: SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    end_at_once()


def _profile(order: dict[str, Any]) -> Profile:
    """The models, with all that is loaded before memory is limited."""
    from tempo_edge.models.registry import read_profile

    profile = read_profile(Path(order["profile"]))
    _warm_up(profile)
    limit_growth(order["room_bytes"])
    return profile


def _read(profile: Profile, order: dict[str, Any]) -> dict[str, Any]:
    """Do as told; gives the last word."""
    sampling = Sampling(SamplingBudget(**order["policy"]), order["frames_per_second"])
    reader = FootageReader(profile, sampling, order["decoder"], workers=1)
    try:
        footage = reader.read(
            Path(order["path"]), lambda done, total: _tell({"progress": [done, total]})
        )
        save_footage(footage, Path(order["result"]))
    finally:
        reader.close()
    return {"read": order["path"]}


def _warm_up(profile: Profile) -> None:
    """Load models and kernels before memory is counted: a compiler without any runs in circles."""
    from tempo_kernels import load_fastest

    profile.image_tower.encode(np.zeros((1, profile.image_size, profile.image_size, 3), np.uint8))
    load_fastest()


def _tell(facts: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
