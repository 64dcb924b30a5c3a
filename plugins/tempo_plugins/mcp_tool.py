"""One tool of an assistant: how it describes itself, what it takes, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tempo_edge.errors import TempoEdgeError
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["READS_ONLY", "Arguments", "AssistantTool"]

#: By name, the types that an argument may be of, and what they are called.
Arguments = dict[str, tuple[tuple[type, ...], str]]

#: The annotations of a tool that changes nothing.
READS_ONLY = {
    "readOnlyHint": True,
    "destructiveHint": False,
    "idempotentHint": True,
    "openWorldHint": False,
}


@dataclass(frozen=True)
class AssistantTool:
    """A tool.

    Attributes:
        facts: its name, title, description and schemas, as ``tools/list`` gives them.
        arguments: what it may be given.
        act: gives its result, from arguments that were checked.
    """

    facts: dict[str, Any]
    arguments: Arguments
    act: Callable[[ServiceOrLibrary, Mapping[str, Any]], dict[str, Any]]

    @property
    def name(self) -> str:
        """What it is called by."""
        return str(self.facts["name"])

    def call(self, client: ServiceOrLibrary, given: Mapping[str, Any]) -> dict[str, Any]:
        """Its result.

        Raises:
            TempoEdgeError: an argument is of another name or kind, or it can't be done.
        """
        self._check(given)
        return self.act(client, given)

    def _check(self, given: Mapping[str, Any]) -> None:
        """Refuse arguments of another name or another kind.

        Raises:
            TempoEdgeError: it names the first of them.
        """
        for name, value in given.items():
            if name not in self.arguments:
                raise TempoEdgeError(
                    f"argument {name!r} must be one of {', '.join(self.arguments) or 'none at all'}"
                )
            kinds, word = self.arguments[name]
            # True and False are whole numbers to Python, and to nobody who says them.
            is_of_kind = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
            if value is not None and not is_of_kind:
                raise TempoEdgeError(f"{name} {value!r} must be {word}")
            if isinstance(value, list) and not all(isinstance(each, str) for each in value):
                raise TempoEdgeError(f"{name} {value!r} must be {word}")
