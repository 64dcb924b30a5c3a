"""A listed video's own bytes: opened with care, sent whole or in part (RFC 9110, section 14)."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
import stat
import weakref
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from tempo_edge._files.opening import open_carefully
from tempo_edge._files.reading_at import read_at
from tempo_edge.errors import ServiceError
from tempo_edge.indexing.presence import Presence
from tempo_edge.store.rows import FileRow

__all__ = ["OpenFile", "chosen_range", "open_listed"]

# Read and sent at once, in bytes.
_CHUNK = 256 << 10

# Longest position that a range may name: more digits are no file's.
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*\Z", re.IGNORECASE)

# Where a file is that can't be found.
_MISSING = {
    "here": "is not there",
    "offline": "is offline: its volume is not there",
    "gone": "is gone: index again to forget it",
}


def open_listed(rows: list[FileRow]) -> OpenFile:
    """Open the first of some files that is there and is still the one that was indexed.

    A file is what its row says it is: a regular file at its very path, no link, with the size and
    the time of change that it had. So nothing that was put in its place since is ever served.

    Raises:
        ServiceError: none is there (status 404), or none is what it was (status 403).
    """
    problem = ServiceError(404, f"{rows[0].path} {_MISSING[Presence().of(rows[0])]}")
    for row in rows:
        try:
            return _open(row)
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = ServiceError(403, f"{row.path} can't be opened: {error.strerror}")
        except ServiceError as error:
            problem = error
    raise problem


def _open(row: FileRow) -> OpenFile:
    try:
        descriptor = open_carefully(row.path, links=False, terminals=False)
    except NotADirectoryError as error:
        raise FileNotFoundError from error
    facts = os.fstat(descriptor)
    same = (facts.st_size, facts.st_mtime_ns) == (row.size, row.mtime_ns)
    if not stat.S_ISREG(facts.st_mode) or not same:
        os.close(descriptor)
        raise ServiceError(403, f"{row.path} is not the file that was indexed: index it again")
    return OpenFile(descriptor, Path(row.path), facts.st_size, facts.st_mtime_ns)


def chosen_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The half-open range of bytes that a header names; None where the whole is to be sent.

    What is malformed, in another unit, or names several ranges is passed over, as it may be.

    Raises:
        ServiceError: no byte of the file lies in it; status 416.
    """
    found = _RANGE.match(header or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, end = max(0, size - int(last)), size
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        end = min(size, int(last) + 1) if last else size
    if start >= end:
        raise ServiceError(416, f"range {header!r} lies outside the file's {size} bytes")
    return start, end


class OpenFile:
    """An open file as an HTTP answer.

    It is closed when it was sent, by :meth:`close`, or when nobody has a use for it any more.

    Args:
        attachment: whether a browser saves it, instead of showing it.
    """

    def __init__(
        self, descriptor: int, path: Path, size: int, mtime_ns: int, *, attachment: bool = False
    ) -> None:
        self._release = weakref.finalize(self, os.close, descriptor)
        self._disposition = "attachment" if attachment else "inline"
        self.descriptor = descriptor
        self.path = path
        self.size = size
        self.etag = f'"{size:x}-{mtime_ns:x}"'
        self._range: tuple[int, int] | None = None
        self._unchanged = False

    def choose(self, headers: Mapping[str, str]) -> None:
        """Take in what the request's headers ask for.

        Raises:
            ServiceError: the range can't be satisfied; status 416.
        """
        known = {
            tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")
        }
        self._unchanged = self.etag in known or "*" in known
        # A time of change is no validator that is strong enough, so If-Range must name the tag.
        if headers.get("if-range", self.etag) != self.etag:
            return
        self._range = chosen_range(headers.get("range"), self.size)

    def close(self) -> None:
        """Release the file."""
        self._release()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._send(scope["method"] == "HEAD", send)
        finally:
            self.close()

    async def _send(self, head: bool, send: Send) -> None:
        start, end = self._range or (0, self.size)
        status = 304 if self._unchanged else 206 if self._range else 200
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (name.encode(), value.encode("latin-1"))
                    for name, value in self._headers(status, start, end).items()
                ],
            }
        )
        while not head and status != 304 and start < end:
            part = await asyncio.to_thread(
                read_at, self.descriptor, min(_CHUNK, end - start), start
            )
            if not part:
                return  # it was cut short meanwhile: the connection ends without what is missing
            start += len(part)
            await send({"type": "http.response.body", "body": part, "more_body": start < end})
        if head or status == 304 or not self.size:
            await send({"type": "http.response.body", "body": b""})

    def _headers(self, status: int, start: int, end: int) -> dict[str, str]:
        kind, _ = mimetypes.guess_type(self.path.name)
        name = quote(self.path.name, safe="")
        headers = {
            "accept-ranges": "bytes",
            "etag": self.etag,
            "cache-control": "private, no-cache",
            "content-disposition": f"{self._disposition}; filename*=UTF-8''{name}",
        }
        if status != 304:
            is_video = kind is not None and kind.startswith("video/")
            headers["content-type"] = str(kind) if is_video else "application/octet-stream"
            headers["content-length"] = str(end - start)
        if status == 206:
            headers["content-range"] = f"bytes {start}-{end - 1}/{self.size}"
        return headers
