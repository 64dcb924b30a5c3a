"""Opening a container, the same way with every release of PyAV that is supported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

__all__ = ["open_container", "reason"]

# Tags that are not UTF-8 must not keep a film from being read. From 19 on, PyAV sees to that itself
# and no longer takes the argument.
_LENIENT: dict[str, Any] = (
    {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
)


def open_container(path: Path, options: dict[str, str] | None = None) -> InputContainer:
    """Open a file for reading.

    Args:
        path: the file.
        options: FFmpeg's options for the demuxer.

    Raises:
        av.FFmpegError, OSError, ValueError: FFmpeg can't make anything of it.
    """
    # Absolute, because FFmpeg takes what stands before a colon for a protocol.
    container = av.open(str(path.absolute()), mode="r", options=options or {}, **_LENIENT)
    assert isinstance(container, InputContainer)
    return container


def reason(error: BaseException) -> str:
    """FFmpeg's own words without the error number and the path that PyAV puts around them."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:]
