"""Where colleagues reach the service: an address beyond this machine, and only with TLS."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from tempo_edge._system.ports import hold_alone
from tempo_edge.errors import TempoEdgeError

__all__ = ["Listening", "listening_of"]

# Where no port is named.
_USUAL_PORT = 8443

_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True)
class Listening:
    """An address to listen at, with what TLS needs.

    Attributes:
        address: an IP address; ``0.0.0.0`` or ``::`` for all of this machine.
        port: 0 takes any free one.
        certificate: the file of the certificate and its chain; ``key``: of its private key.
    """

    address: str
    port: int
    certificate: Path
    key: Path

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    def bound(self) -> socket.socket:
        """A socket at the address.

        Raises:
            TempoEdgeError: it is taken, or none of this machine.
        """
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            hold_alone(made)
            if family == socket.AF_INET6:
                # All of this machine is that by IPv4, too; whatever the system's own default is.
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            made.bind((self.address, self.port))
        except OSError as error:
            made.close()
            raise TempoEdgeError(
                f"{self} can't be listened on ({error.strerror}): use another --listen"
            ) from error
        return made


def listening_of(text: str, certificate: Path | None, key: Path | None) -> Listening:
    """What ``ADDRESS[:PORT]`` and two files stand for.

    Raises:
        TempoEdgeError: it is no such address, or a file is not named.
    """
    host, port = _parted(text)
    try:
        address = ipaddress.ip_address(host)
        if address.is_multicast or "%" in host or not 0 <= int(port) <= 65535:
            raise ValueError
    except ValueError:
        raise TempoEdgeError(
            f"--listen {text!r} must be an address of this machine and a port, "
            "as 192.168.1.5:8443, 0.0.0.0:8443 or [::]:8443"
        ) from None
    missing = [
        f"{option} FILE"
        for option, file in (("--certificate", certificate), ("--key", key))
        if file is None
    ]
    if missing or certificate is None or key is None:
        local = ", or for this machine alone use --port N" if address.is_loopback else ""
        raise TempoEdgeError(f"--listen {text} needs TLS: add {' '.join(missing)}{local}")
    return Listening(str(address), int(port), certificate, key)


def _parted(text: str) -> tuple[str, str]:
    """The address and the port of a text; the port is no number where it is none."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return "", ""
        port = rest[1:] if rest else str(_USUAL_PORT)
    elif text.count(":") > 1:
        host, port = text, str(_USUAL_PORT)
    else:
        host, colon, port = text.partition(":")
        port = port if colon else str(_USUAL_PORT)
    return host, port if _PORT.fullmatch(port) else "-1"
