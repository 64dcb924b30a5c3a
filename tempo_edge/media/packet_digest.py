"""The digest of the packet table that a container's own index holds; the film is not read.

An index names the place and the size of packets. MP4, MOV and AVI name every packet,
Matroska and WebM each key frame. What has no index, as a transport stream, has no such digest.
"""

from __future__ import annotations

import errno
import hashlib
import struct
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer

from tempo_edge.media.container import open_container

__all__ = ["packet_digest"]

# Names the scheme: a digest that is made in another way begins otherwise.
_SCHEME = b"packets1:"

# Demuxers whose index is in the file. Those of others note what they happen to have passed.
_INDEXED = frozenset({"mov", "avi", "matroska"})

# Demuxers that read their index only where something is sought.
_ASKED = frozenset({"matroska"})

# The index is in the head: nothing of the pictures is to be looked at.
_HEAD_ONLY = {"probesize": "32", "analyzeduration": "1", "fpsprobesize": "0"}

# Entries that count, of one stream: about two days of pictures.
_MOST_ENTRIES = 10_000_000

# Times and flags are FFmpeg's own reading of the index, which another version may read otherwise.
_ENTRY = struct.Struct("<qq")


def packet_digest(path: Path) -> bytes | None:
    """SHA-256 of every stream's index, with the scheme's name before it; None if there is none.

    Raises:
        OSError: the disk fails.
    """
    try:
        with open_container(path, _HEAD_ONLY, decodes=False) as container:
            names = set(container.format.name.split(","))
            if not names & _INDEXED:
                return None
            if names & _ASKED:
                container.seek(0)
            return _digest(container)
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.EIO:
            raise OSError(errno.EIO, "Input/output error") from error
        return None  # whoever reads the film says what is wrong with it


def _digest(container: InputContainer) -> bytes | None:
    digest = hashlib.sha256(_SCHEME)
    found = False
    for stream in container.streams:
        digest.update(struct.pack("<q", stream.index))
        for entry in islice(stream.index_entries, _MOST_ENTRIES):
            found = True
            digest.update(_ENTRY.pack(entry.pos, entry.size))
    return _SCHEME + digest.digest() if found else None
