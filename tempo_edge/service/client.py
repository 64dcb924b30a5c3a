"""The command line's way to a service: ask it, or do without it. It imports nothing heavy.

Whatever may be wrong with a service is no reason for a search to fail: it is done here instead.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tempo_edge._version import __version__
from tempo_edge.moment import Copy, Moment
from tempo_edge.service.places import socket_path
from tempo_edge.service.unix import UnixConnection

__all__ = ["Reply", "ask_status", "find"]

# To get through, to hear how it is, and to have an answer read to the end.
_CONNECT_SECONDS, _STATUS_SECONDS, _ANSWER_SECONDS = 0.2, 1.0, 30.0

# Whatever may come in the place of an answer.
_TROUBLE = (OSError, http.client.HTTPException, ValueError, TypeError, RecursionError)

# Longest answer that is believed: a hundred moments are far less.
_LONGEST_ANSWER = 4 << 20


@dataclass(frozen=True)
class Reply:
    """A service's answer: what :class:`tempo_edge.search.searcher.Answer` says, without why."""

    moments: tuple[Moment, ...]
    misses: tuple[Moment, ...]
    filtered_count: int

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.moments)


class _Connection(UnixConnection):
    """A service, asked for plain values."""

    def ask(self, address: str, seconds: float) -> dict[str, Any]:
        """An answer as plain values.

        Raises:
            OSError, http.client.HTTPException, ValueError: there is none, or none that is one.
        """
        if self.sock is None:
            self.connect()
        self.sock.settimeout(seconds)
        self.request("GET", address)
        response = self.getresponse()
        body = response.read(_LONGEST_ANSWER)
        if response.status != 200:
            raise ValueError(response.status)
        return dict(json.loads(body))


def ask_status(socket: Path | None = None) -> dict[str, Any] | None:
    """What a service that runs says of itself, as ``/v1/status``; None if there is none."""
    connection = _Connection(socket or socket_path(), _CONNECT_SECONDS)
    try:
        return connection.ask("/v1/status", _STATUS_SECONDS)
    except _TROUBLE:
        return None
    finally:
        connection.close()


def ask_address(socket: Path | None = None) -> dict[str, Any] | None:
    """Where the page of a service that runs is, as ``/v1/address``; None if there is none."""
    connection = _Connection(socket or socket_path(), _CONNECT_SECONDS)
    try:
        said = connection.ask("/v1/address", _ANSWER_SECONDS)
        return {"address": said["address"], "library": str(said["library"])}
    except (*_TROUBLE, LookupError):
        return None
    finally:
        connection.close()


def find(
    library: Path,
    query: str,
    *,
    limit: int,
    min_confidence: float | None,
    within: Sequence[Path] | None,
    grounder: str | None,
    socket: Path | None = None,
) -> Reply | None:
    """A service's answer over this library; None if there is no service, or none for it."""
    connection = _Connection(socket or socket_path(), _CONNECT_SECONDS)
    asked: dict[str, str | int | list[str]] = {"q": query, "limit": limit}
    if min_confidence is not None:
        asked["min_confidence"] = repr(min_confidence)
    if within is not None:
        asked["within"] = [os.path.abspath(p.expanduser()) for p in within]  # noqa: PTH100 - links stay
    if grounder is not None:
        asked["grounder"] = grounder
    try:
        status = connection.ask("/v1/status", _STATUS_SECONDS)
        if status["version"] != __version__ or not is_same(library, status["library"]):
            return None
        said = connection.ask(f"/v1/find?{urlencode(asked, doseq=True)}", _ANSWER_SECONDS)
        near = tuple(_moment(each, status["profile"]) for each in said["near"])
        moments = tuple(_moment(each, status["profile"]) for each in said["moments"])
        return Reply(moments, near, int(said["held_back"]))
    except (*_TROUBLE, LookupError):
        return None
    finally:
        connection.close()


def is_same(library: Path, theirs: str) -> bool:
    """Whether a service's library is this one, by whatever path it is called."""
    return os.path.realpath(library) == os.path.realpath(theirs)


def _moment(said: dict[str, Any], profile: str) -> Moment:
    return Moment(
        path=Path(said["path"]),
        start_seconds=float(said["start_seconds"]),
        end_seconds=float(said["end_seconds"]),
        score=float(said["score"]),
        confidence=float(said["confidence"]),
        profile=profile,
        offline=not said["online"],
        copies=tuple(_copy(each) for each in said["copies"]),
    )


def _copy(said: dict[str, Any]) -> Copy:
    return Copy(
        path=Path(said["path"]),
        start_seconds=float(said["start_seconds"]),
        end_seconds=float(said["end_seconds"]),
        offline=not said["online"],
    )
