"""The certificate that the service shows: read, tried out, and read again when it is renewed."""

from __future__ import annotations

import ipaddress
import ssl
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError

__all__ = ["Certificate"]

# Largest file that is read, in bytes.
_LARGEST = 1 << 20

# Before its end somebody is told.
_SOON_DAYS = 14

# How often one side of a handshake with oneself may speak.
_MOST_TURNS = 20

# What OpenSSL says of a key that is another certificate's, of the same kind or of another.
_MISMATCHES = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")

# What OpenSSL finds: X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_NOT_YET, _EXPIRED = 9, 10


class Certificate:
    """A certificate with its key. It has been tried out: a handshake with it came to its end.

    Args:
        path: the certificate and those between it and its authority, as PEM.
        key: its private key, as PEM, without a password.

    Raises:
        TempoEdgeError: a file can't be read, the two don't fit each other, or the certificate has
            expired, is not valid yet, or names no host.
    """

    def __init__(self, path: Path, key: Path) -> None:
        self._path = path
        self._key = key
        self._seen = self._looks()
        self.context, self._hosts = _tried(path, key)

    @property
    def hosts(self) -> list[str]:
        """The names and addresses that it is for; a name may begin with ``*.``."""
        return list(self._hosts)

    def is_for(self, host: str) -> bool:
        """Whether it is for a host, named in lower case; an address without brackets."""
        with suppress(ValueError):
            return str(ipaddress.ip_address(host)) in self._hosts
        _, dot, above = host.partition(".")
        return host in self._hosts or (bool(dot) and f"*.{above}" in self._hosts)

    def renew(self) -> None:
        """Read it again if a file has changed; of one that is no good a line tells, and the
        former stays."""
        looks = self._looks()
        if looks == self._seen:
            return
        self._seen = looks
        try:
            self.context, self._hosts = _tried(self._path, self._key)
        except TempoEdgeError as error:
            note(f"the former certificate stays: {error}")
        else:
            note(f"certificate {self._path} was renewed")

    def _looks(self) -> list[object]:
        """What changes when a file is written again, or another takes its place."""
        seen: list[object] = []
        for path in (self._path, self._key):
            try:
                facts = path.stat()
                seen.append((facts.st_ino, facts.st_mtime_ns, facts.st_size))
            except OSError:
                seen.append(None)
        return seen


def _tried(path: Path, key: Path) -> tuple[ssl.SSLContext, frozenset[str]]:
    """A context that a handshake was made with, and the hosts that the certificate is for."""
    _check_file(path, "certificate", b"CERTIFICATE-----")
    _check_file(key, "key", b"PRIVATE KEY-----")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A handshake is dear; on one connection a client of TLS 1.2 could have any number of them.
    context.options |= ssl.OP_NO_RENEGOTIATION
    asked: list[bool] = []

    def password() -> str:
        asked.append(True)
        return ""

    try:
        context.load_cert_chain(path, key, password)
    except (ssl.SSLError, OSError, ValueError) as error:
        if asked:
            why = f"key {key} has a password: give one without, as openssl pkey writes it"
        elif getattr(error, "reason", None) in _MISMATCHES:
            why = f"key {key} is not that of certificate {path}: give the two that belong together"
        else:
            said = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            why = f"certificate {path} and key {key} can't be used ({said}): give others, as PEM"
        raise TempoEdgeError(why) from None
    if key.stat().st_mode & 0o077:
        note(f"key {key} is open to others: chmod 600 it")
    facts = _shown(context, path)
    _warn(path, str(facts.get("notAfter", "")))
    hosts = frozenset(
        _address(host) if kind == "IP Address" else host.lower()
        for kind, host in facts.get("subjectAltName", ())
        if kind in ("DNS", "IP Address")
    )
    if not hosts:
        raise TempoEdgeError(
            f"certificate {path} names no host: browsers want one as subjectAltName, "
            "as DNS:films.example"
        )
    return context, hosts


def _check_file(path: Path, what: str, mark: bytes) -> None:
    """Refuse a file that can't be what it is said to be.

    Raises:
        TempoEdgeError: it can't be read, or is no such thing.
    """
    try:
        if not path.is_file():
            raise TempoEdgeError(f"{what} {path} is not a file: name one as PEM")
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise TempoEdgeError(f"{what} {path} can't be read: {error.strerror}") from error
    if mark not in text or len(text) > _LARGEST:
        raise TempoEdgeError(f"{path} holds no {what}: give it as PEM (-----BEGIN …)")


def _shown(context: ssl.SSLContext, path: Path) -> dict[str, Any]:
    """What a client sees of a certificate: a handshake in memory, with a client that trusts it.

    Raises:
        TempoEdgeError: no client would take it.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        client.load_verify_locations(path)
        ours = context.wrap_bio(to_server, to_client, server_side=True)
        theirs = client.wrap_bio(to_client, to_server)
        for _ in range(_MOST_TURNS):
            waiting = 0
            for side in (theirs, ours):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    waiting += 1
            if not waiting:
                break
        return dict(theirs.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        told = {_EXPIRED: "has expired", _NOT_YET: "is not valid yet"}
        why = told.get(error.verify_code, f"would be refused ({error.verify_message})")
        raise TempoEdgeError(f"certificate {path} {why}: give one that is valid") from None
    except ssl.SSLError as error:
        raise TempoEdgeError(
            f"certificate {path} can't be used ({error.reason or error}): give it as PEM"
        ) from None


def _warn(path: Path, until: str) -> None:
    """Say where a certificate ends soon."""
    with suppress(ValueError):
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), timezone.utc)
        days = (ends - datetime.now(timezone.utc)).days
        if days < _SOON_DAYS:
            note(f"certificate {path} expires within {days + 1} days: renew it in its place")


def _address(text: str) -> str:
    with suppress(ValueError):
        return str(ipaddress.ip_address(text.strip()))
    return text.strip().lower()
