"""One object on the session bus: takes its name, answers calls one after another, ends when idle.

Started by D-Bus activation, so calls may arrive before the name is confirmed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from tempo_edge._console.text import printable
from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError, TempoEdgeError

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus
    from dbus_fast.service import ServiceInterface

__all__ = ["BusObject", "Method", "serve"]

# Without a call for this long the process ends; the next call starts another.
IDLE_SECONDS = 600.0

_ERROR = "org.tempoedge.Error"
_FAILED = "org.freedesktop.DBus.Error.Failed"


@dataclass(frozen=True)
class Method:
    """A method of an interface.

    Attributes:
        takes: D-Bus signature of each argument; ``gives``: that of the result, or nothing.
        call: takes the arguments as dbus-fast reads them, and gives the result as it writes it.
    """

    takes: tuple[str, ...]
    gives: str
    call: Callable[..., Any]


@dataclass(frozen=True)
class BusObject:
    """An object with one interface of its own, at a path of a bus name."""

    name: str
    path: str
    interface: str
    methods: Mapping[str, Method]


def serve(thing: BusObject, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer calls until there have been none for a while, or the bus is gone.

    Raises:
        MissingExtraError: dbus-fast is not installed.
        TempoEdgeError: there is no session bus, or another process has the name.
    """
    try:
        import dbus_fast  # noqa: F401 - here, so that one line says what is missing
    except ImportError:
        raise MissingExtraError(lacking("dbus_fast")) from None
    asyncio.run(_serve(thing, idle_seconds))


async def _serve(thing: BusObject, idle_seconds: float) -> None:
    bus = await _connected()
    gone = asyncio.ensure_future(bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
    now = asyncio.get_running_loop().time
    last = now()

    def called() -> None:
        nonlocal last
        last = now()

    try:
        bus.export(thing.path, _interface(thing, called))
        await _take_name(bus, thing.name)
        while not gone.done() and (left := last + idle_seconds - now()) > 0:
            await asyncio.wait({gone}, timeout=left)
        if not gone.done():
            await _leave(bus, thing.name)
    finally:
        bus.disconnect()
        await asyncio.wait({gone})
        gone.exception()  # however the session ended, it is no fault


async def _take_name(bus: MessageBus, name: str) -> None:
    """Own a name.

    Raises:
        TempoEdgeError: the bus refuses it, or another process has it.
    """
    from dbus_fast.constants import NameFlag, RequestNameReply
    from dbus_fast.errors import DBusFastError

    try:
        reply = await bus.request_name(name, NameFlag.DO_NOT_QUEUE)
    except DBusFastError as error:
        raise TempoEdgeError(f"the session bus refused the name {name}: {error}") from error
    if reply is not RequestNameReply.PRIMARY_OWNER:
        raise TempoEdgeError(f"another process has the name {name}")


async def _connected() -> MessageBus:
    """A connection to the session bus.

    Raises:
        TempoEdgeError: there is none.
    """
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusFastError

    try:
        return await MessageBus().connect()
    except (OSError, EOFError, ValueError, DBusFastError) as error:
        raise TempoEdgeError(f"there is no session bus: {error}") from error


async def _leave(bus: MessageBus, name: str) -> None:
    """Give the name back, and answer what came in until then."""
    from dbus_fast import Message

    await bus.release_name(name)
    daemon = "org.freedesktop.DBus"
    # Answers to the last calls may still wait to be written: what the bus answers came after them.
    await bus.call(
        Message(
            destination=daemon,
            path="/org/freedesktop/DBus",
            interface=f"{daemon}.Peer",
            member="Ping",
        )
    )


def _interface(thing: BusObject, called: Callable[[], None]) -> ServiceInterface:
    """The object's methods as dbus-fast takes them; ``called`` is told of every call."""
    from dbus_fast.service import ServiceInterface, method

    methods = {name: method(name)(_answering(each, called)) for name, each in thing.methods.items()}
    kind: type[ServiceInterface] = type("Interface", (ServiceInterface,), methods)
    return kind(thing.interface)


def _answering(method: Method, called: Callable[[], None]) -> Callable[..., Any]:
    """A function with a method's signatures, whose errors are the bus's."""
    from dbus_fast.errors import DBusError

    def answer(_: ServiceInterface, *given: Any) -> Any:
        called()
        try:
            return method.call(*given)
        except TempoEdgeError as error:
            raise DBusError(_ERROR, printable(str(error))) from error
        except Exception as error:
            # The process serves other calls too: it must outlive a defect in one of them.
            sys.excepthook(type(error), error, error.__traceback__)
            raise DBusError(_FAILED, repr(error)) from error

    # dbus-fast reads D-Bus signatures off a function's own.
    positional = Parameter.POSITIONAL_ONLY
    taken = [
        Parameter(f"argument_{n}", positional, annotation=each)
        for n, each in enumerate(method.takes)
    ]
    answer.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter("self", positional), *taken],
        return_annotation=method.gives or Signature.empty,
    )
    return answer
