"""Small pictures of moments: JPEG files in the user's cache, and their pixels.

They come from the service or, without one, from the video itself.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from tempo_edge._files import atomic_write, make_private
from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.moment import Moment
from tempo_plugins.service_or_library import ServiceOrLibrary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Pictures", "Pixels", "decode", "pixels"]

# Files kept in the cache; each has some ten kilobytes.
_MOST_FILES = 1000

# How far from the time wanted a picture may lie.
_AROUND_SECONDS = 10


@dataclass(frozen=True)
class Pixels:
    """A picture as D-Bus takes it: ``rgb`` holds ``height`` rows of ``3 * width`` bytes."""

    width: int
    height: int
    rgb: bytes

    def icon_data(self) -> tuple[int, int, int, bool, int, int, bytes]:
        """``(iiibiiay)``: width, height, row stride, alpha, bits a sample, channels, samples."""
        return self.width, self.height, 3 * self.width, False, 8, 3, self.rgb


class Pictures:
    """Gets pictures in the background, a few at a time, and keeps them.

    Args:
        client: asked first.
        folder: where they are kept; only the user may read it.
        width: pixels.
    """

    def __init__(
        self, client: ServiceOrLibrary, folder: Path | None = None, width: int = 256
    ) -> None:
        if folder is None:
            from platformdirs import user_cache_path

            folder = user_cache_path("tempo-edge") / "pictures"
        self._client, self._folder, self._width = client, folder, width
        self._pool = ThreadPoolExecutor(max_workers=2)
        self._coming: dict[Path, Future[Path | None]] = {}
        self._failed: set[Path] = set()
        self._turn = Lock()

    def get(self, moments: Iterable[Moment], wait_seconds: float) -> dict[Moment, Path]:
        """The pictures that are there within some seconds; the others go on coming."""
        files = {moment: self.file(moment) for moment in moments}
        wanted = [
            self._begin(moment, file)
            for moment, file in files.items()
            if not file.exists() and file not in self._failed
        ]
        wait(wanted, timeout=wait_seconds)
        return {moment: file for moment, file in files.items() if file.exists()}

    def file(self, moment: Moment) -> Path:
        """Where a moment's picture is kept. Another version of the video has another place."""
        try:
            changed = moment.path.stat().st_mtime_ns
        except OSError:
            changed = 0
        facts = f"{changed} {_middle(moment):.3f} {self._width} {moment.path}"
        digest = hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / f"{digest[:40]}.jpg"

    def close(self) -> None:
        """Leave what has not begun; nothing is waited for but what is being decoded."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, moment: Moment, file: Path) -> Future[Path | None]:
        with self._turn:
            coming = self._coming.get(file)
            if coming is None:
                coming = self._coming[file] = self._pool.submit(self._make, moment, file)
            return coming

    def _make(self, moment: Moment, file: Path) -> Path | None:
        """Write a moment's picture; None where there is none to be had."""
        try:
            content = self._content(moment)
            make_private(self._folder)
            with atomic_write(file, mode=0o600, own=True) as draft:  # named by its digest
                draft.write_bytes(content)
            self._prune()
        except (TempoEdgeError, OSError):
            self._failed.add(file)  # else it was tried again with each letter that is typed
            return None
        else:
            return file
        finally:
            with self._turn:
                self._coming.pop(file, None)

    def _content(self, moment: Moment) -> bytes:
        at = _middle(moment)
        with suppress(TempoEdgeError):
            content = self._client.picture(moment, at, self._width)
            if content is not None:
                return content
        from tempo_edge.media import jpeg

        return jpeg.encode(decode(moment.path, at, self._width))

    def _prune(self) -> None:
        """Drop the oldest pictures once there are too many."""
        with suppress(OSError):
            files = sorted(self._folder.glob("*.jpg"), key=lambda file: file.stat().st_mtime)
            for file in files[:-_MOST_FILES]:
                file.unlink(missing_ok=True)


def _middle(moment: Moment) -> float:
    return (moment.start_seconds + moment.end_seconds) / 2


def decode(path: Path, seconds: float, width: int) -> NDArray[np.uint8]:
    """The upright picture that a video shows at a time: RGB ``[height, width, 3]``.

    Raises:
        MediaError: the video can't be read there.
    """
    import numpy as np

    from tempo_edge.media.orientation import Orientation
    from tempo_edge.media.pyav import PyAVVideo

    with PyAVVideo(path) as video:
        info = video.info
        at = Fraction(seconds).limit_denominator(1_000_000) + info.start_time
        tick, reach = at / info.time_base, _AROUND_SECONDS / info.time_base
        best = None
        for picture in video.pictures(math.floor(tick - reach), math.ceil(tick + reach)):
            if best is not None and picture.pts is not None and picture.pts > tick:
                break
            best = picture
        if best is None:
            raise MediaError(f"holds no picture near {seconds:.3f} seconds")
        orientation = Orientation.of(best)
        turned = orientation.transposed
        across, down = (best.height, best.width) if turned else (best.width, best.height)
        aspect = Fraction(across, down)
        if video.pixel_aspect:
            aspect *= 1 / video.pixel_aspect if turned else video.pixel_aspect
        height = max(1, round(width / aspect))
        size = (height, width) if turned else (width, height)
        small = best.reformat(size[0], size[1], "rgb24").to_ndarray()
        return np.ascontiguousarray(orientation.apply(small), dtype=np.uint8)


def pixels(jpeg: bytes) -> Pixels:
    """The pixels of a JPEG.

    Raises:
        MediaError: it is none.
    """
    import av

    try:
        with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as container:
            frame = next(container.decode(video=0))
    except (av.error.FFmpegError, StopIteration, ValueError, IndexError) as error:
        raise MediaError("is no JPEG picture") from error
    rgb = frame.reformat(format="rgb24").to_ndarray()
    return Pixels(frame.width, frame.height, rgb.tobytes())
