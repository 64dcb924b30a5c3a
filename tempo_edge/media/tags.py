"""The tags of a container and of its streams, as they are written there. Nothing is decoded."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import av

from tempo_edge.errors import MediaError
from tempo_edge.media._blocks import BlockFile
from tempo_edge.media.container import open_container, reason

__all__ = ["ContainerTags", "tags_of_container"]

# All that is asked of a film lies in its head and its index.
_HEAD_ONLY = {"probesize": "32", "analyzeduration": "1", "fpsprobesize": "0"}

# Tags, and letters of one, that are read.
_MOST_TAGS, _MOST_LETTERS = 200, 500


@dataclass(frozen=True)
class ContainerTags:
    """What tags say.

    Attributes:
        whole: those of the container, by their names in small letters.
        handlers: the names that streams were given by what wrote them.
    """

    whole: dict[str, str]
    handlers: tuple[str, ...]


def tags_of_container(path: Path) -> ContainerTags:
    """The tags of a media file.

    Raises:
        MediaError: it can't be opened.
    """
    try:
        with ExitStack() as stack:
            file = BlockFile(path)
            stack.callback(file.close)
            container = open_container(path, _HEAD_ONLY, file, decodes=False)
            stack.callback(container.close)
            whole = dict(list(container.metadata.items())[:_MOST_TAGS])
            streams = tuple(container.streams)[:_MOST_TAGS]
            handlers = [stream.metadata.get("handler_name", "") for stream in streams]
            return ContainerTags(
                {name.lower(): value[:_MOST_LETTERS] for name, value in whole.items()},
                tuple(each[:_MOST_LETTERS] for each in handlers),
            )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"its tags can't be read: {reason(error)}") from error
