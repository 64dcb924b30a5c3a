"""The body of a request, read up to a length: the paths that it names, or a picture."""

from __future__ import annotations

import json

from starlette.requests import Request

from tempo_edge.errors import NoLibraryError, ServiceError
from tempo_edge.example import LARGEST_SENT
from tempo_edge.library import Library
from tempo_edge.service.http.paths import is_there, path_from
from tempo_edge.service.transport.denial import DRAINED
from tempo_edge.service.transport.guard import LARGEST_BODY

__all__ = ["body", "check_known", "named_paths", "picture"]

# Paths in one request.
_MOST_PATHS = 100


async def named_paths(request: Request) -> list[str]:
    """The paths that a body names, from the root.

    Raises:
        ServiceError: it is too long (status 413), or names no paths (400).
    """
    wanted = (
        f'the body must be JSON as {{"paths": ["/home/me/film.mp4"]}}, 1 to {_MOST_PATHS} paths'
    )
    try:
        said = json.loads(await body(request))
    except (ValueError, RecursionError):
        raise ServiceError(400, wanted) from None
    paths = said.get("paths") if isinstance(said, dict) else None
    if not isinstance(paths, list) or not 1 <= len(paths) <= _MOST_PATHS:
        raise ServiceError(400, wanted)
    if not all(isinstance(path, str) for path in paths):
        raise ServiceError(400, wanted)
    return [str(path_from(path, "path")) for path in paths]


async def picture(request: Request) -> bytes:
    """The bytes of a picture's file; what they are, a decoder says later.

    Raises:
        ServiceError: there are too many (status 413), or none (400).
    """
    sent = await body(request, LARGEST_SENT)
    if not sent:
        raise ServiceError(400, "the body must be a picture's file, as a JPEG")
    return sent


async def body(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The bytes that were sent.

    Raises:
        ServiceError: there are more than ``most``; status 413.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= most:
            parts.append(part)
        elif size > most + DRAINED:
            break
    if size > most:
        raise ServiceError(413, f"the body must have at most {most} bytes")
    return b"".join(parts)


def check_known(library: Library, paths: list[str]) -> None:
    """Refuse a path that is mistyped.

    Raises:
        ServiceError: nothing is there and nothing ever was; status 404.
    """
    for path in paths:
        if is_there(path):
            continue
        try:
            known = bool(library.files(path))
        except NoLibraryError:
            known = False
        if not known:
            raise ServiceError(404, f"there is no file or folder {path}")
