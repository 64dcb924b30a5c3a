"""Asks the service over its Unix socket or, when there is none, the library in this process.

Only the standard library is loaded to ask the service.
"""

from __future__ import annotations

import http.client
import json
import math
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tempo_edge.errors import LibraryError, QueryError, TempoEdgeError
from tempo_edge.service.transport.places import socket_path
from tempo_edge.service.transport.unix_http import UnixConnection

if TYPE_CHECKING:
    from tempo_edge import Library, Moment

__all__ = ["Answer", "Client", "Found", "SupersededError", "search", "socket_path"]

# A search that reads may take seconds; one that takes longer than this is lost.
_PATIENCE_SECONDS = 30.0

# Larger answers are no answers: the service's are a few kilobytes, a picture some hundred.
_MOST_BYTES = 8 << 20


class SupersededError(TempoEdgeError):
    """A newer query of the same client ended this one."""


@dataclass(frozen=True)
class Found:
    """A moment that was found.

    Attributes:
        path: the video's absolute path, exactly as the library holds it.
        start_seconds, end_seconds: the half-open span, from the start of the container.
        score: standard deviations above chance; ``confidence``: probability in [0, 1].
        online: False when the file's volume is not there.
        video: the service's number for the video; None when the library was asked here.

    Raises:
        ValueError: the path is not absolute, or the span is empty or not finite.
    """

    path: str
    start_seconds: float
    end_seconds: float
    score: float
    confidence: float
    online: bool = True
    video: int | None = None

    def __post_init__(self) -> None:
        if not Path(self.path).is_absolute() or "\0" in self.path:
            raise ValueError(f"path {self.path!r} must be absolute")
        if not (math.isfinite(self.end_seconds) and 0 <= self.start_seconds < self.end_seconds):
            raise ValueError(f"span [{self.start_seconds}, {self.end_seconds}) must not be empty")

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return Path(self.path).name

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as :meth:`from_dict` takes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Any) -> Found:
        """The moment again, from what :meth:`as_dict` or the service gave.

        Raises:
            ValueError: something is missing or of another kind.
        """
        try:
            video = facts.get("video")
            return cls(
                path=str(facts["path"]),
                start_seconds=float(facts["start_seconds"]),
                end_seconds=float(facts["end_seconds"]),
                score=float(facts["score"]),
                confidence=float(facts["confidence"]),
                online=bool(facts.get("online", True)),
                video=None if video is None else int(video),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{facts!r} is not a moment") from error


@dataclass(frozen=True)
class Answer:
    """What a query gave: the moments, best first; the nearest that was held back; how many were."""

    moments: tuple[Found, ...]
    nearest: Found | None
    held_back: int


class Client:
    """One asker. Threads may share it.

    Args:
        socket: the service's socket; by default :func:`socket_path`.
        library: the library to ask when there is no service; by default the user's.
        name: tells this asker's queries from others': a newer one ends an older one.
    """

    def __init__(
        self, socket: Path | None = None, library: Path | None = None, name: str | None = None
    ) -> None:
        self._socket = socket
        self._path = library
        self._name = name
        self._library: Library | None = None
        self._turn = RLock()

    def find(
        self,
        query: str,
        limit: int = 10,
        *,
        retrieval: bool = False,
        min_confidence: float | None = None,
        within: str | Sequence[str] | None = None,
    ) -> Answer:
        """Moments that match a sentence, or the nearest that was held back.

        Args:
            query: what to look for; at most 1000 characters.
            limit: most moments to give, 1 to 100.
            retrieval: candidates only, without reading: fast enough to ask while typing.
            min_confidence: moments from this probability on; by default calibrated.
            within: only at or under this path, or these.

        Raises:
            QueryError: it can't be searched for that.
            SupersededError: a newer query of this client came in between.
            TempoEdgeError: the service answers nothing sensible, or there is no library.
        """
        _check(query, limit, min_confidence)
        wanted: dict[str, Any] = {"q": query, "limit": limit}
        if retrieval:
            wanted["retrieval"] = 1
        if min_confidence is not None:
            wanted["min_confidence"] = min_confidence
        scopes = None if within is None else _scopes(within)
        if scopes is not None:
            wanted["within"] = scopes
        if self._name is not None:
            wanted["client"] = self._name
        answer = self._get_json("/v1/find", wanted)
        if answer is not None:
            return _from_service(answer)
        return self._find_here(query, limit, retrieval, min_confidence, scopes)

    def describe(self) -> dict[str, Any]:
        """What the library holds: ``library``, ``profile``, ``videos``, ``hours``, ``frames``,
        ``skipped``, and ``indexing`` (None when no service runs).

        Raises:
            TempoEdgeError: the service answers nothing sensible, or there is no library.
        """
        answer = self._get_json("/v1/status", {})
        if answer is not None:
            kept = ("library", "profile", "videos", "hours", "frames", "skipped", "indexing")
            return {name: answer.get(name) for name in kept}
        library = self._opened()
        totals = library.totals()
        skipped = sum(row.state == "skipped" for row in library.files())
        return {
            "library": str(library.path),
            "profile": library.profile.name,
            "videos": int(totals["videos"]),
            "hours": float(totals["hours"]),
            "frames": int(totals["frames"]),
            "skipped": skipped,
            "indexing": None,
        }

    def picture(self, moment: Found, seconds: float, width: int) -> bytes | None:
        """A JPEG of what a moment's video shows at a time, from the service; None without one.

        Raises:
            TempoEdgeError: the service can't give it.
        """
        if moment.video is None:
            return None
        wanted = {"t": f"{seconds:.3f}", "width": width}
        return self._get(f"/v1/videos/{quote(str(moment.video))}/frame", wanted)

    def _get_json(self, target: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
        content = self._get(target, wanted)
        if content is None:
            return None
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TempoEdgeError(f"the service answered {target} with something that is no JSON")
        return answer

    def _get(self, target: str, wanted: dict[str, Any]) -> bytes | None:
        """The body of an answer with status 200; None when no service listens."""
        place = self._socket or socket_path()
        connection = _Connection(place, _PATIENCE_SECONDS)
        try:
            if not connection.reach():
                return None
            connection.request(
                "GET", f"{target}?{urlencode(wanted, doseq=True)}" if wanted else target
            )
            response = connection.getresponse()
            content = response.read(_MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
            raise TempoEdgeError(f"the service at {place} gave no answer: {why}") from error
        finally:
            connection.close()
        if len(content) > _MOST_BYTES:
            raise TempoEdgeError(f"the service at {place} answered more than {_MOST_BYTES} bytes")
        if response.status != 200:
            raise _refusal(response.status, content)
        return content

    def _find_here(
        self,
        query: str,
        limit: int,
        retrieval: bool,
        min_confidence: float | None,
        within: list[str] | None,
    ) -> Answer:
        answer = self._opened().find(
            query,
            limit=limit,
            min_confidence=min_confidence,
            within=within,
            retrieval=retrieval,
        )
        rejected = answer.best_rejected
        return Answer(
            tuple(_from_moment(moment) for moment in answer),
            None if rejected is None else _from_moment(rejected),
            answer.rejected_count,
        )

    def _opened(self) -> Library:
        """The library, kept open: to load its models takes longer than a search."""
        with self._turn:
            if self._library is None:
                from tempo_edge import Library

                library = Library.open(self._path)
                library.totals()  # raises if there is none yet; it may be there the next time
                self._library = library
            return self._library


def search(query: str, limit: int = 10, retrieval: bool = False) -> list[Found]:
    """Moments that match ``query``, best first.

    Args and errors are those of :meth:`Client.find`.
    """
    return list(_client().find(query, limit, retrieval=retrieval).moments)


_shared: list[Client] = []


def _client() -> Client:
    """One client for the process, so that the library is loaded once."""
    if not _shared:
        _shared.append(Client())
    return _shared[0]


class _Connection(UnixConnection):
    """A service that may not be there."""

    def reach(self) -> bool:
        """Connect; False when nothing listens there."""
        if not hasattr(socket, "AF_UNIX"):
            return False
        try:
            self.connect()
        except TimeoutError:
            raise
        except OSError:  # not there, refused, not ours, or a name too long to listen at
            return False
        return True


def _scopes(within: str | Sequence[str]) -> list[str]:
    """From the root, what a search is kept to."""
    named = [within] if isinstance(within, str) else list(within)
    if not named:
        raise QueryError("within names no path: name one, or leave it out")
    return [str(Path(each).expanduser().absolute()) for each in named]


def _check(query: str, limit: int, min_confidence: float | None) -> None:
    """Refuse here what the service and the library would refuse in words of their own."""
    try:
        query.encode()
    except UnicodeEncodeError:
        raise QueryError(f"query {query!r} is not valid UTF-8: say it in Unicode") from None
    if not query.strip():
        raise QueryError("query is empty: say what to look for")
    if len(query) > 1000:
        raise QueryError(f"query of {len(query)} characters must have at most 1000")
    if not 1 <= limit <= 100:
        raise QueryError(f"limit {limit} must be within 1 to 100")
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise QueryError(f"min_confidence {min_confidence} must be within [0, 1]")


def _refusal(status: int, content: bytes) -> TempoEdgeError:
    """The error that the service told, as the library would have raised it."""
    try:
        text = str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        text = "it did not say why"
    kinds: dict[int, type[TempoEdgeError]] = {
        400: QueryError,
        404: LibraryError,
        409: SupersededError,
    }
    line = " ".join(text.splitlines())
    if status in kinds:
        return kinds[status](line)
    return TempoEdgeError(f"the service answered with status {status}: {line}")


def _from_service(answer: dict[str, Any]) -> Answer:
    try:
        moments = tuple(Found.from_dict(each) for each in answer["moments"])
        near = [Found.from_dict(each) for each in answer.get("near") or ()]
        return Answer(moments, near[0] if near else None, int(answer.get("held_back") or 0))
    except (KeyError, TypeError, ValueError) as error:
        raise TempoEdgeError(f"the service answered with no list of moments: {error}") from error


def _from_moment(moment: Moment) -> Found:
    return Found(
        path=str(moment.path),
        start_seconds=round(moment.start_seconds, 3),
        end_seconds=round(moment.end_seconds, 3),
        score=round(moment.score, 4),
        confidence=round(moment.confidence, 4),
        online=not moment.offline,
    )
