"""The picture that a video shows at an instant, as JPEG."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock

import av

from tempo_edge.errors import MediaError, ServiceError
from tempo_edge.media import jpeg
from tempo_edge.media.instant import picture_at

__all__ = ["PictureCache", "jpeg_at"]

# Pictures kept, and their bytes together.
_KEPT, _KEPT_BYTES = 512, 16 << 20


class PictureCache:
    """The pictures that were asked for lately; threads may share one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, float, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def at(self, path: Path, etag: str, seconds: float, width: int) -> bytes:
        """See :func:`jpeg_at`; ``etag`` tells one state of a file from another."""
        key = (str(path), etag, seconds, width)
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        made = jpeg_at(path, seconds, width)
        with self._lock:
            self._bytes += len(made) - len(self._kept.pop(key, b""))
            self._kept[key] = made
            while len(self._kept) > _KEPT or self._bytes > _KEPT_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return made


def jpeg_at(path: Path, seconds: float, width: int) -> bytes:
    """The JPEG file of what a video shows ``seconds`` after its start, at most ``width`` wide.

    Raises:
        ServiceError: there is no picture at all, or it can't be decoded; status 404.
    """
    try:
        return jpeg.encode(picture_at(path, seconds, width))
    except (MediaError, av.error.FFmpegError, ValueError, OSError) as error:
        text = error if isinstance(error, MediaError) else f"can't be decoded: {error}"
        raise ServiceError(404, f"{path} {text}") from error
