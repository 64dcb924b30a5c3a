"""Opening a container, the same way with every release of PyAV that is supported."""

from __future__ import annotations

import errno
import stat
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from tempo_edge.media._blocks import BlockFile
from tempo_edge.media._bounds import MOST_PIXELS, most_packets
from tempo_edge.media._promises import promised_samples

__all__ = ["demux", "discard_all_but", "open_container", "reason"]

# Tags that are not UTF-8 must not keep a film from being read. From 19 on, PyAV sees to that itself
# and no longer takes the argument.
_LENIENT: dict[str, Any] = (
    {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
)


# Demuxers of lists and scripts, which open whatever files, addresses and devices these name, and of
# formats that look for further parts beside the file.
_REFERENCES = frozenset(
    {
        *("avisynth", "vapoursynth", "concat", "dash", "hls", "applehttp", "imf", "lavfi"),
        *("image2pipe", "mlv", "rtp", "rtsp", "sap", "sdp", "vobsub", "webm_dash_manifest"),
        *("alsa", "android_camera", "avfoundation", "bktr", "decklink", "dshow", "fbdev"),
        *("gdigrab", "iec61883", "jack", "kmsgrab", "libcdio", "libdc1394", "openal", "oss"),
        *("pulse", "sndio", "v4l2", "vfwcap", "video4linux2", "x11grab"),
    }
)

# How far to look for the next packet of a transport stream behind a stretch that was lost.
_SEARCH_BYTES = (1 << 31) - 1

# How far into a file to look whether it is text.
_HEAD_BYTES = 4096


def open_container(
    path: Path,
    options: dict[str, str] | None = None,
    file: BlockFile | None = None,
    accel: HWAccel | None = None,
    *,
    decodes: bool = True,
) -> InputContainer:
    """Open a file for reading: the one door through which any media comes.

    FFmpeg opens this very file and nothing else: what refers to others is refused by its demuxer,
    whatever its name, before a line of it is followed.

    Args:
        path: the file.
        options: FFmpeg's options for the demuxer.
        file: the same file, where FFmpeg is to read it through a file object; it stays open.
        accel: the device that decodes it, in place of the processor.
        decodes: whether FFmpeg decodes the first pictures to learn what the container doesn't say
            of them, as their pixel format: a large one takes tens of milliseconds.

    Raises:
        av.FFmpegError, OSError, ValueError: FFmpeg can't make anything of it, or must not.
    """
    _check(path)
    bounds = {
        "format_whitelist": _own_formats(),
        "protocol_whitelist": "file",
        "max_pixels": str(MOST_PIXELS),  # FFmpeg decodes a picture to find out what it is
        "pattern_type": "none",  # a picture's name may hold a percent sign
        "resync_size": str(_SEARCH_BYTES),
        **({} if decodes else {"codec_whitelist": "none"}),
    }
    try:
        # Absolute, because FFmpeg takes what stands before a colon for a protocol.
        container = av.open(
            file or str(path.absolute()),
            mode="r",
            options={**(options or {}), **bounds},
            hwaccel=accel,
            **_LENIENT,
        )
    except av.error.ArgumentError as error:
        if _is_text(path):
            text = "it is a list or a script that names other files"
            raise OSError(errno.EINVAL, text) from error
        raise
    assert isinstance(container, InputContainer)
    return container


def _check(path: Path) -> None:
    """Refuse what can't be opened without harm.

    Raises:
        OSError: there is nothing, or not a file, or one that promises more than it can hold.
    """
    facts = path.stat()
    if stat.S_ISDIR(facts.st_mode):
        return  # FFmpeg says what it is
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")  # a pipe would wait for its writer
    promised = promised_samples(path)
    if promised > most_packets(facts.st_size):
        raise OSError(
            errno.EINVAL,
            f"its tables promise {promised} pictures and sounds, "
            f"more than its {facts.st_size} bytes can hold",
        )


@cache
def _own_formats() -> str:
    """The demuxers, by FFmpeg's names, that read the file they are given and no other."""
    return ",".join(sorted(av.formats_available - _REFERENCES))


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    try:
        getincrementaldecoder("utf-8")().decode(head)  # its last character may be cut in two
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def demux(container: InputContainer, *streams: Stream) -> Iterator[Packet[Any]]:
    """Packets of some streams, from where the container stands.

    Raises:
        av.FFmpegError: FFmpeg can't go on.
    """
    # After the last packet PyAV looks for streams that appeared on the way, and doesn't find them.
    with suppress(IndexError):
        yield from container.demux(*streams)


def discard_all_but(container: InputContainer, *streams: Stream) -> None:
    """Have a demuxer pass over the packets of all other streams: most need not read them then."""
    wanted = {stream.index for stream in streams}
    for other in container.streams:
        if other.index not in wanted and hasattr(other, "discard"):  # PyAV before 18 has none
            other.discard = av.stream.Discard.all


def reason(error: BaseException) -> str:
    """FFmpeg's own words without the error number and the path that PyAV puts around them."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:]
