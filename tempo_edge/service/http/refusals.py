"""Refusals as answers: one line of JSON, whatever went wrong."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tempo_edge.errors import LibraryError, ProfileError, ServiceError, TempoEdgeError

__all__ = ["REFUSALS", "refusal"]


def refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that refuses, with a text."""
    again = {"retry-after": "1"} if status in (429, 503) else {}
    return JSONResponse({"error": " ".join(text.split())}, status, {**again, **(headers or {})})


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, ServiceError):
        return refusal(error.status, str(error))
    unavailable = isinstance(error, (LibraryError, ProfileError))
    return refusal(503 if unavailable else 400, str(error))


async def _unanswered(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = {404: "there is nothing at this address", 405: "this method is not allowed here"}
    answer = refusal(error.status_code, text.get(error.status_code, error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _failed(request: Request, error: Exception) -> Response:
    traceback.print_exception(error)
    return refusal(500, "the service failed at this; its log says how")


#: What answers each kind of error.
REFUSALS: Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _unanswered,
    TempoEdgeError: _refused,
    Exception: _failed,
}
