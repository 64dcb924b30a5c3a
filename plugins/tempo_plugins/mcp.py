"""A Model Context Protocol server on stdin and stdout, by the protocol's own package.

It speaks every revision that the package does: https://modelcontextprotocol.io/specification
"""

from __future__ import annotations

from functools import partial

import anyio
from mcp.server import CacheHint, Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)

from tempo_edge._version import __version__
from tempo_plugins.mcp_tools import TOOLS, UnknownToolError, call
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["serve"]

_INSTRUCTIONS = (
    "Searches the user's own videos, offline. Times are seconds from a video's start; "
    "an empty answer means that nothing matches."
)

# The tools are the same for whoever asks, and for as long as the process lives.
_FOR_AN_HOUR = CacheHint(ttl_ms=3_600_000, scope="public")


def serve(client: ServiceOrLibrary) -> None:
    """Answer the peer at stdin and stdout until it closes its end.

    Whatever else is printed meanwhile goes to stderr: stdout carries messages only.
    """
    anyio.run(_serve, _server(client))


async def _serve(server: Server) -> None:
    async with stdio_server() as (requests, answers):
        await server.run(requests, answers, server.create_initialization_options())


def _server(client: ServiceOrLibrary) -> Server:
    """A server with our tools. One runs at a time, in a thread, so that no ping is kept waiting."""
    one_at_a_time = anyio.CapacityLimiter(1)

    async def tools(
        _: ServerRequestContext, asked: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=[Tool.model_validate(tool) for tool in TOOLS])

    async def called(_: ServerRequestContext, asked: CallToolRequestParams) -> CallToolResult:
        work = partial(call, client, asked.name, asked.arguments or {})
        try:
            told = await anyio.to_thread.run_sync(work, limiter=one_at_a_time)
        except UnknownToolError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        return CallToolResult.model_validate(told)

    return Server(
        "tempo-edge",
        version=__version__,
        title="Moments in your videos",
        instructions=_INSTRUCTIONS,
        cache_hints={"tools/list": _FOR_AN_HOUR, "server/discover": _FOR_AN_HOUR},
        on_list_tools=tools,
        on_call_tool=called,
    )
