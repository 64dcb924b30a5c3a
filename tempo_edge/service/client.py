"""The way to a service that runs: the only one, whoever asks. It imports nothing heavy.

:class:`Client` tells in an error of one line what is wrong. The functions are for who can do
without a service: whatever may be wrong with one is no reason for a search to fail; they give None.
"""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tempo_edge._version import __version__
from tempo_edge.answer import Answer
from tempo_edge.errors import LibraryError, QueryError, TempoEdgeError
from tempo_edge.query import Query
from tempo_edge.service.http.find_request import FindRequest
from tempo_edge.service.transport.places import socket_path
from tempo_edge.service.transport.reaching import connection_to
from tempo_edge.store.opening import real_name

__all__ = [
    "Client",
    "NoServiceError",
    "SupersededError",
    "ask_address",
    "ask_status",
    "find",
    "is_same",
]

# For who can do without a service: to get through, to hear how it is, and for an answer.
_CONNECT_SECONDS, _STATUS_SECONDS, _ANSWER_SECONDS = 0.2, 1.0, 30.0

# Larger answers are no answers: a hundred moments are a few kilobytes, a picture some hundred.
_MOST_BYTES = 8 << 20


class NoServiceError(TempoEdgeError):
    """No service listens."""


class SupersededError(TempoEdgeError):
    """A newer query of the same client ended this one."""


class Client:
    """Asks a service, over a connection of its own for each question. Threads may share it.

    Every method raises :class:`NoServiceError` where none listens, and a
    :class:`~tempo_edge.errors.TempoEdgeError` where one gives no answer that can be used.

    Args:
        socket: where the service listens; by default where services do.
        name: tells this asker's queries from others': a newer one ends an older one.
        connect_seconds: how long to wait to get through, and ``answer_seconds`` for each part of
            an answer. A search that reads may take seconds.
    """

    def __init__(
        self,
        socket: Path | None = None,
        *,
        name: str | None = None,
        connect_seconds: float = 30.0,
        answer_seconds: float = 30.0,
    ) -> None:
        self._socket = socket
        self._name = name
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds

    def find(self, query: Query, profile: str = "") -> Answer:
        """The service's answer to a query.

        Args:
            query: what is asked for.
            profile: the name of the service's profile, for the moments to tell.

        Raises:
            QueryError: it can't be searched for that, or not by a service.
            SupersededError: a newer query of this client came in between.
            LibraryError: the service lacks what is asked for.
        """
        request = FindRequest(query, self._name)
        asked = urlencode(request.parameters(), doseq=True)
        return _answer(self._facts(f"/v1/find?{asked}", request.picture), profile)

    def searches(self) -> list[dict[str, Any]]:
        """The saved searches of the service's library, as ``/v1/saved``."""
        said = self._json("/v1/saved")
        if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
            raise TempoEdgeError("the service answered /v1/saved with no list of searches")
        return said

    def run_saved(self, name: str, profile: str = "") -> Answer:
        """The service's answer to a saved search as it is meant now.

        Args and errors are those of :meth:`find`.
        """
        asked = {"name": name, **({} if self._name is None else {"client": self._name})}
        return _answer(self._facts(f"/v1/saved/run?{urlencode(asked)}"), profile)

    def status(self) -> dict[str, Any]:
        """What the service says of itself and of its library, as ``/v1/status``."""
        return self._facts("/v1/status")

    def address(self) -> dict[str, Any]:
        """Where the service's page is, and of which library, as ``/v1/address``."""
        return self._facts("/v1/address")

    def picture(self, video: int, seconds: float, width: int) -> bytes:
        """A JPEG of what a video shows at a time, some pixels wide."""
        wanted = urlencode({"t": f"{seconds:.3f}", "width": width})
        return self._get(f"/v1/videos/{quote(str(video))}/frame?{wanted}")

    def _facts(self, target: str, body: bytes = b"") -> dict[str, Any]:
        answer = self._json(target, body)
        if not isinstance(answer, dict):
            place = target.partition("?")[0]
            raise TempoEdgeError(f"the service answered {place} with something that is no JSON")
        return answer

    def _json(self, target: str, body: bytes = b"") -> Any:
        """What a body says; None where it is no JSON."""
        content = self._get(target, body)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            return None

    def _get(self, target: str, body: bytes = b"") -> bytes:
        """The body of an answer with status 200, to a body that is sent, if any."""
        place = self._socket or socket_path()
        connection = connection_to(place, self._connect_seconds)
        try:
            self._reach(connection, place)
            connection.request("POST" if body else "GET", target, body or None)
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

    def _reach(self, connection: http.client.HTTPConnection, place: Path) -> None:
        """Get through.

        Raises:
            NoServiceError: nobody listens there.
            TimeoutError: somebody does, and is too busy.
        """
        none = NoServiceError(f"no service listens at {place}")
        try:
            connection.connect()
        except TimeoutError:
            raise
        except OSError:  # not there, refused, not ours, or a name too long to listen at
            raise none from None
        connection.sock.settimeout(self._answer_seconds)


def _answer(facts: dict[str, Any], profile: str) -> Answer:
    try:
        return Answer.from_dict(facts, profile)
    except ValueError as error:
        raise TempoEdgeError(f"the service answered with no list of moments: {error}") from None


def _refusal(status: int, content: bytes) -> TempoEdgeError:
    """The error that the service told, as the library would have raised it."""
    try:
        text = str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
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


def find(library: Path, query: Query, socket: Path | None = None) -> Answer | None:
    """A service's answer over this library; None if there is no service, or none for it."""
    status = ask_status(socket)
    if status is None or status.get("version") != __version__:
        return None
    theirs, profile = status.get("library"), status.get("profile")
    if not (isinstance(theirs, str) and isinstance(profile, str) and is_same(library, theirs)):
        return None
    try:
        return _hasty(socket, _ANSWER_SECONDS).find(query, profile)
    except TempoEdgeError:
        return None


def ask_status(socket: Path | None = None) -> dict[str, Any] | None:
    """What a service that runs says of itself, as ``/v1/status``; None if there is none."""
    try:
        return _hasty(socket, _STATUS_SECONDS).status()
    except TempoEdgeError:
        return None


def ask_address(socket: Path | None = None) -> dict[str, Any] | None:
    """Where the page of a service that runs is, as ``/v1/address``; None if there is none."""
    try:
        said = _hasty(socket, _ANSWER_SECONDS).address()
        return {"address": said["address"], "library": str(said["library"])}
    except (TempoEdgeError, KeyError):
        return None


def _hasty(socket: Path | None, answer_seconds: float) -> Client:
    """A client for who does without a service that lets itself be waited for."""
    return Client(socket, connect_seconds=_CONNECT_SECONDS, answer_seconds=answer_seconds)


def is_same(library: Path, theirs: str) -> bool:
    """Whether a service's library is this one, by whatever path it is called."""
    try:
        return real_name(library) == real_name(theirs)
    except ValueError:  # what they say is no path
        return False
