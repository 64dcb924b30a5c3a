"""The rights that a caller of the service may have, and who a caller is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

__all__ = ["OWNER", "Caller", "Right", "caller_of", "enter"]

# Where a request's scope holds its caller.
_KEY = "tempo_edge.caller"


class Right(IntEnum):
    """What a caller may do; each right has those below it.

    Attributes:
        READ: search, look, play in the browser, download.
        INDEX: have folders that the service follows indexed, pause, save searches.
        ADMIN: whatever its owner may, but for what acts on the service's own machine.
    """

    READ = 1
    INDEX = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The name of it as it is typed."""
        return self.name.lower()


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request.

    Attributes:
        name: a colleague's; empty for the owner of the service.
        right: the highest one.
        is_here: on the machine of the service, by its socket or the loopback address, as its owner.
    """

    name: str
    right: Right
    is_here: bool = False

    @property
    def may_index_anything(self) -> bool:
        """Whether any path is as good as one under a folder that the service follows."""
        return self.right is Right.ADMIN


#: Who may open the service's Unix socket, or has the token of its owner.
OWNER = Caller("", Right.ADMIN, is_here=True)


def enter(scope: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """A request's scope with its caller in it."""
    return {**scope, _KEY: caller}


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """The caller of a request that a guard let pass.

    Raises:
        KeyError: no guard did.
    """
    caller: Caller = scope[_KEY]
    return caller
