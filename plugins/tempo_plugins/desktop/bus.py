"""One object on the session bus: takes its name, answers calls one after another, ends when idle.

Started by D-Bus activation, so calls may arrive before the name is confirmed.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from tempo_edge._extras import lacking
from tempo_edge._text import printable
from tempo_edge.errors import MissingExtraError, TempoEdgeError

__all__ = ["BusObject", "Method", "serve"]

# Without a call for this long the process ends; the next call starts another.
IDLE_SECONDS = 600.0

_ERROR = "org.tempoedge.Error"
_DBUS = "org.freedesktop.DBus"
_DO_NOT_QUEUE = 4
_IS_OWNER = 1


@dataclass(frozen=True)
class Method:
    """A method of an interface.

    Attributes:
        takes, gives: D-Bus signature of each argument and of each result.
        call: takes the arguments; gives the results as a tuple.
    """

    takes: tuple[str, ...]
    gives: tuple[str, ...]
    call: Callable[..., tuple[Any, ...]]


@dataclass(frozen=True)
class BusObject:
    """An object with one interface of its own, at a path of a bus name."""

    name: str
    path: str
    interface: str
    methods: Mapping[str, Method]

    def xml(self) -> str:
        """What introspection tells of it."""
        methods = "".join(
            f"<method name={quoteattr(name)}>"
            + "".join(f"<arg type={quoteattr(each)} direction='in'/>" for each in method.takes)
            + "".join(f"<arg type={quoteattr(each)} direction='out'/>" for each in method.gives)
            + "</method>"
            for name, method in self.methods.items()
        )
        return f"<node><interface name={quoteattr(self.interface)}>{methods}</interface></node>"

    def node_xml(self, path: str) -> str | None:
        """Introspection of a path at or above the object; None elsewhere."""
        if path == self.path:
            return self.xml()
        above = path.rstrip("/") + "/"
        if not self.path.startswith(above):
            return None
        child = self.path[len(above) :].split("/")[0]
        return f"<node><node name={quoteattr(child)}/></node>"


class _RefusedError(Exception):
    """A call that gets an error for an answer."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def serve(thing: BusObject, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer calls until there have been none for a while, or the bus is gone.

    Raises:
        MissingExtraError: jeepney is not installed.
        TempoEdgeError: there is no session bus, or another process has the name.
    """
    try:
        from jeepney.io.blocking import open_dbus_connection
    except ImportError:
        raise MissingExtraError(lacking("jeepney")) from None
    try:
        connection = open_dbus_connection(bus="SESSION")
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise TempoEdgeError(f"there is no session bus: {error}") from error
    with connection:
        early = _take_name(connection, thing.name)
        while early:
            _answer(connection, thing, early.popleft())
        until = time.monotonic() + idle_seconds
        while True:
            try:
                message = connection.receive(timeout=max(0.0, until - time.monotonic()))
            except TimeoutError:
                break
            except (EOFError, OSError):
                return
            if _answer(connection, thing, message):
                until = time.monotonic() + idle_seconds
        _leave(connection, thing)


def _take_name(connection: Any, name: str) -> deque[Any]:
    """Own the name; gives the calls that came in before that was confirmed."""
    from jeepney import HeaderFields, MessageType
    from jeepney.bus_messages import message_bus

    request = message_bus.RequestName(name, _DO_NOT_QUEUE)
    serial = next(connection.outgoing_serial)
    connection.send(request, serial=serial)
    early: deque[Any] = deque()
    while True:
        message = connection.receive()
        if message.header.fields.get(HeaderFields.reply_serial) != serial:
            early.append(message)
            continue
        if message.header.message_type is not MessageType.method_return:
            raise TempoEdgeError(f"the session bus refused the name {name}: {message.body}")
        if message.body[0] != _IS_OWNER:
            raise TempoEdgeError(f"another process has the name {name}")
        return early


def _leave(connection: Any, thing: BusObject) -> None:
    """Give the name back, and answer what came in until then."""
    from jeepney import HeaderFields
    from jeepney.bus_messages import message_bus

    serial = next(connection.outgoing_serial)
    connection.send(message_bus.ReleaseName(thing.name), serial=serial)
    while True:
        message = connection.receive()
        if message.header.fields.get(HeaderFields.reply_serial) == serial:
            return
        _answer(connection, thing, message)


def _answer(connection: Any, thing: BusObject, message: Any) -> bool:
    """Answer a call; False if the message was none."""
    from jeepney import MessageFlag, MessageType, new_error, new_method_return

    if message.header.message_type is not MessageType.method_call:
        return False
    try:
        signature, body = _result(thing, message)
        reply = new_method_return(message, signature or None, body)
    except _RefusedError as error:
        reply = new_error(message, error.name, "s", (str(error),))
    except TempoEdgeError as error:
        reply = new_error(message, _ERROR, "s", (printable(str(error)),))
    except Exception as error:
        # The process serves other calls too: it must outlive a defect in one of them.
        sys.excepthook(type(error), error, error.__traceback__)
        reply = new_error(message, f"{_DBUS}.Error.Failed", "s", (repr(error),))
    if MessageFlag.no_reply_expected not in message.header.flags:
        connection.send(reply)
    return True


def _result(thing: BusObject, message: Any) -> tuple[str, tuple[Any, ...]]:
    """Signature and values of the answer to a call."""
    from jeepney import HeaderFields

    fields = message.header.fields
    path, member = fields[HeaderFields.path], fields[HeaderFields.member]
    interface = fields.get(HeaderFields.interface, thing.interface)
    standard = _standard(thing, path, interface, member)
    if standard is not None:
        return standard
    if path != thing.path:
        raise _RefusedError(f"{_DBUS}.Error.UnknownObject", f"there is no object {path}")
    if interface != thing.interface or member not in thing.methods:
        raise _RefusedError(
            f"{_DBUS}.Error.UnknownMethod", f"there is no method {member} of {interface}"
        )
    method = thing.methods[member]
    given, wanted = fields.get(HeaderFields.signature, ""), "".join(method.takes)
    if given != wanted:
        raise _RefusedError(
            f"{_DBUS}.Error.InvalidArgs", f"{member} takes {wanted!r}, not {given!r}"
        )
    return "".join(method.gives), method.call(*message.body)


def _standard(
    thing: BusObject, path: str, interface: str, member: str
) -> tuple[str, tuple[Any, ...]] | None:
    """Answers that every object gives; None for calls to the interface of its own."""
    if (interface, member) == (f"{_DBUS}.Peer", "Ping"):
        return "", ()
    if (interface, member) == (f"{_DBUS}.Introspectable", "Introspect"):
        xml = thing.node_xml(path)
        if xml is None:
            raise _RefusedError(f"{_DBUS}.Error.UnknownObject", f"there is no object {path}")
        return "s", (xml,)
    if (interface, member) == (f"{_DBUS}.Properties", "GetAll"):
        return "a{sv}", ({},)
    return None
