"""A notification on the desktop, by ``org.freedesktop.Notifications`` on the session bus."""

from __future__ import annotations

import asyncio
from pathlib import Path
from xml.sax.saxutils import escape

from tempo_edge._console.text import printable
from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError
from tempo_edge.saved.told_moment import ToldMoment

__all__ = ["check_desktop", "notify"]

_NAME = "org.freedesktop.Notifications"
_LIMIT_SECONDS = 5.0


def check_desktop() -> None:
    """Refuse what nothing here can do.

    Raises:
        MissingExtraError: dbus-fast is not installed.
    """
    try:
        import dbus_fast  # noqa: F401 - whether it is here
    except ImportError:
        raise MissingExtraError(lacking("dbus_fast")) from None


def notify(told: ToldMoment, limit_seconds: float = _LIMIT_SECONDS) -> str:
    """Show a moment; gives nothing, or what went wrong."""
    try:
        check_desktop()
        return asyncio.run(asyncio.wait_for(_notify(told), limit_seconds))
    except asyncio.TimeoutError:
        return f"the desktop took longer than {limit_seconds:g} s to show a notification"
    except MissingExtraError as error:
        return str(error)


async def _notify(told: ToldMoment) -> str:
    from dbus_fast import Message, MessageType, Variant
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusFastError

    try:
        bus = await MessageBus().connect()
    except (OSError, EOFError, ValueError, DBusFastError) as error:
        return f"there is no session bus for a notification: {error}"
    facts = told.facts
    # Servers read the body as markup; its lines are ours, and what footage says is escaped.
    said = f"\n{facts['text']}" if facts["text"] else ""
    body = escape(printable(Path(facts["path"]).name) + told.line.removeprefix(facts["path"]))
    call = Message(
        destination=_NAME,
        path="/org/freedesktop/Notifications",
        interface=_NAME,
        member="Notify",
        signature="susssasa{sv}i",
        body=[
            *("tempo-edge", 0, "video-x-generic", printable(facts["search"])),
            *(body + escape(said), [], {"x-tempo-edge-id": Variant("s", facts["id"])}, -1),
        ],
    )
    try:
        reply = await bus.call(call)
    finally:
        bus.disconnect()
    if reply is not None and reply.message_type is MessageType.ERROR:
        return f"the desktop shows no notification: {' '.join(map(str, reply.body))}"
    return ""
