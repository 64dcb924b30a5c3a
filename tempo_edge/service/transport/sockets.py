"""The sockets that the service listens on: of its own making, or handed over by systemd."""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
from contextlib import ExitStack, suppress
from pathlib import Path

from tempo_edge._files import make_private
from tempo_edge._system import unix_sockets
from tempo_edge._system.ports import hold_alone
from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.transport.name_lock import locked
from tempo_edge.service.transport.port_note import port_in

__all__ = ["TakenError", "UnixListener", "activated", "check_free", "held", "is_loopback", "tcp"]

# Longest name of a Unix socket that Linux takes, in bytes, without the NUL at its end.
_LONGEST_NAME = 107

# What systemd hands over begins here; see sd_listen_fds(3).
_FIRST_DESCRIPTOR = 3


class TakenError(TempoEdgeError):
    """A service listens at a socket's ``path`` already."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"a service listens at {path} already: use another --socket")


class UnixListener:
    """A Unix socket that only its user can connect to; its name goes when it is closed.

    Args:
        path: the socket's name. Its folder is made if need be, closed to others.

    Raises:
        TakenError: a service listens there already.
        TempoEdgeError: it can't be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        draft = path.with_name(f".{os.getpid()}.sock")
        for name in (path, draft):
            if len(os.fsencode(name)) > _LONGEST_NAME:
                raise TempoEdgeError(
                    f"socket {name} has a name of {len(os.fsencode(name))} bytes, "
                    f"{_LONGEST_NAME} are allowed: use another --socket"
                )
        with ExitStack() as undoing:
            try:
                make_private(path.parent)
                self._lock = held(path)
                undoing.callback(os.close, self._lock)
                check_free(path)
                self.socket = undoing.enter_context(unix_sockets.make())
                # Never reachable by others, not even for a moment: it is closed before it is named.
                draft.unlink(missing_ok=True)
                self.socket.bind(str(draft))
                draft.chmod(0o600)
                draft.replace(path)
                self._inode = path.lstat().st_ino
            except OSError as error:
                raise TempoEdgeError(
                    f"socket {path} can't be made ({error.strerror or error}): use another --socket"
                ) from error
            undoing.pop_all()

    def close(self) -> None:
        """Stop listening, and take the name away if it is still this socket's."""
        self.socket.close()
        with suppress(OSError):
            if self.path.lstat().st_ino == self._inode:
                self.path.unlink()
        os.close(self._lock)


def held(path: Path) -> int:
    """The lock of a socket's name.

    Raises:
        TakenError: a service has it.
    """
    try:
        return locked(path)
    except BlockingIOError as error:
        raise TakenError(path) from error


def check_free(path: Path) -> None:
    """Refuse a name at which something answers, or that is not a socket's; its lock is held.

    Raises:
        TakenError: a service listens there.
        TempoEdgeError: something else is there.
        OSError: it can't be told.
    """
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if port_in(path) is not None:
        return  # of one that is dead: it would hold the lock
    if not stat.S_ISSOCK(facts.st_mode):
        raise TempoEdgeError(f"{path} is there and is no socket: use another --socket")
    with unix_sockets.make() as probe:
        probe.settimeout(0.5)
        with suppress(ConnectionRefusedError, FileNotFoundError):
            probe.connect(str(path))
            raise TakenError(path)


def tcp(port: int) -> socket.socket:
    """A socket on the loopback address.

    Raises:
        TempoEdgeError: the port is out of range, or taken.
    """
    if not 0 <= port <= 65535:
        raise TempoEdgeError(f"port {port} must be within 0 and 65535; 0 takes any that is free")
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        hold_alone(made)
        made.bind(("127.0.0.1", port))
    except OSError as error:
        made.close()
        raise TempoEdgeError(
            f"port {port} can't be listened on ({error.strerror}): use another --port"
        ) from error
    return made


def activated() -> list[socket.socket]:
    """Sockets that systemd opened and handed over; none where it did not start this process.

    Raises:
        TempoEdgeError: one of them is reachable from other machines, or no stream of a known kind.
    """
    mine = os.environ.pop("LISTEN_PID", "") == str(os.getpid())
    count = os.environ.pop("LISTEN_FDS", "0")
    os.environ.pop("LISTEN_FDNAMES", None)
    if not mine or not count.isdecimal():
        return []
    with ExitStack() as undoing:
        given = []
        for descriptor in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(count)):
            os.set_inheritable(descriptor, False)
            each = undoing.enter_context(socket.socket(fileno=descriptor))
            local = unix_sockets.is_one(each) or is_loopback(each)
            if each.type != socket.SOCK_STREAM or not local:
                raise TempoEdgeError(
                    f"socket {each.getsockname()} must be a Unix socket or on the loopback address"
                )
            given.append(each)
        undoing.pop_all()
        return given


def is_loopback(listening: socket.socket) -> bool:
    """Whether a TCP socket can be reached from this machine only."""
    if listening.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    return ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback
