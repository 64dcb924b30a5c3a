"""A route with rights: an address, and what its caller has to be allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tempo_edge.errors import ServiceError
from tempo_edge.service.access.right import Right, caller_of

__all__ = ["GuardedRoute"]


class GuardedRoute(Route):
    """A route that nobody passes without the right to it.

    Args:
        path: the address, as Starlette writes it.
        endpoint: answers.
        rights: the right that each method needs; HEAD needs that of GET.
        only_here: it acts on the service's own machine, so that only its owner there may ask.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Any]],
        rights: Mapping[str, Right],
        *,
        only_here: bool = False,
    ) -> None:
        super().__init__(path, endpoint, methods=list(rights))
        self.rights = dict(rights)
        self.only_here = only_here
        if "GET" in rights:
            self.rights["HEAD"] = rights["GET"]

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer.

        Raises:
            ServiceError: the caller may not ask for that; status 403.
        """
        needed = self.rights.get(scope["method"])
        if needed is not None:  # else it is not allowed to anybody, which is said behind
            caller = caller_of(scope)
            if caller.right < needed:
                raise ServiceError(
                    403,
                    f"{caller.name} has the right {caller.right.word}: "
                    f"this needs {needed.word}, which the owner of the service gives",
                )
            if self.only_here and not caller.is_here:
                raise ServiceError(
                    403, "this acts on the service's own machine: it is done there, by its owner"
                )
        await super().handle(scope, receive, send)
