"""Certificates: those that are shown, those that are refused, and those that are renewed."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme
from colleagues import Pair, issued
from door import UNIX

from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.transport.certificate import Certificate
from tempo_edge.service.transport.endpoints import open_doors
from tempo_edge.service.transport.listening import listening_of

NOW = datetime.now(timezone.utc)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def pair(authority: trustme.CA, tmp_path: Path) -> Pair:
    return issued(authority, tmp_path / "tls", "films.example", "*.team.example", "::1")


def refusal(pair: Pair) -> str:
    with pytest.raises(TempoEdgeError) as error:
        Certificate(pair.certificate, pair.key)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_it_is_for(pair: Pair) -> None:
    certificate = Certificate(pair.certificate, pair.key)
    assert sorted(certificate.hosts) == ["*.team.example", "::1", "films.example"]
    there = ("films.example", "a.team.example", "::1", "0:0:0:0:0:0:0:1")
    assert all(map(certificate.is_for, there))
    for host in (
        "",
        "team.example",
        "a.b.team.example",
        "example",
        "*.team.example.x",
        "127.0.0.1",
    ):
        assert not certificate.is_for(host), host


def test_one_that_nobody_would_take(authority: trustme.CA, tmp_path: Path) -> None:
    day = timedelta(days=1)
    old = issued(
        authority, tmp_path / "a", "a.example", not_before=NOW - 9 * day, not_after=NOW - day
    )
    assert refusal(old) == f"certificate {old.certificate} has expired: give one that is valid"
    new = issued(authority, tmp_path / "b", "b.example", not_before=NOW + day)
    assert "is not valid yet" in refusal(new)
    nobody = issued(authority, tmp_path / "c", "ann@c.example")
    assert "names no host" in refusal(nobody)


def test_a_key_that_is_anothers(authority: trustme.CA, pair: Pair, tmp_path: Path) -> None:
    other = issued(authority, tmp_path / "other", "films.example")
    assert "is not that of certificate" in refusal(Pair(pair.certificate, other.key))
    rsa = issued(authority, tmp_path / "rsa", "films.example", key_type=trustme.KeyType.RSA)
    assert "is not that of certificate" in refusal(Pair(pair.certificate, rsa.key))


def test_files_that_are_none(pair: Pair, tmp_path: Path) -> None:
    missing, text, folder = tmp_path / "none", tmp_path / "text", tmp_path / "folder"
    text.write_text("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    folder.mkdir()
    assert (
        refusal(Pair(missing, pair.key)) == f"certificate {missing} is not a file: name one as PEM"
    )
    assert f"key {folder} is not a file" in refusal(Pair(pair.certificate, folder))
    assert f"{text} holds no key" in refusal(Pair(pair.certificate, text))
    assert "can't be used" in refusal(Pair(text, pair.key))
    # The two confused.
    assert f"{pair.key} holds no certificate" in refusal(Pair(pair.key, pair.certificate))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_key_with_a_password_is_not_asked_for(pair: Pair, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", pair.key, "-aes256", "-passout", "pass:word"]
    subprocess.run([*command, "-out", locked], check=True, capture_output=True)
    assert "has a password: give one without" in refusal(Pair(pair.certificate, locked))


def test_one_that_ends_soon_is_told_of(
    authority: trustme.CA, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soon = issued(authority, tmp_path, "a.example", not_after=NOW + timedelta(days=3))
    Certificate(soon.certificate, soon.key)
    said = capsys.readouterr().err
    assert said == f"certificate {soon.certificate} expires within 3 days: renew it in its place\n"


def test_a_key_that_others_may_read_is_told_of(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    pair.key.chmod(0o640)
    Certificate(pair.certificate, pair.key)
    assert capsys.readouterr().err == f"key {pair.key} is open to others: chmod 600 it\n"


def test_it_is_renewed_in_its_place(
    authority: trustme.CA, pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = Certificate(pair.certificate, pair.key)
    context = certificate.context
    certificate.renew()
    assert certificate.context is context and capsys.readouterr().err == ""
    key = pair.key.read_bytes()
    issued(authority, pair.key.parent, "new.example")
    new = pair.key.read_bytes()
    pair.key.write_bytes(key)  # one file is new, the other is not yet
    certificate.renew()
    assert certificate.context is context and not certificate.is_for("new.example")
    assert capsys.readouterr().err.startswith("the former certificate stays: key ")
    pair.key.write_bytes(new + b"\n")
    certificate.renew()
    assert certificate.context is not context and certificate.is_for("new.example")
    assert capsys.readouterr().err == f"certificate {pair.certificate} was renewed\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.0.0.0", "0.0.0.0:8443"),
        ("192.168.1.5:443", "192.168.1.5:443"),
        ("::", "[::]:8443"),
        ("[::1]:0", "[::1]:0"),
        ("[2001:db8::1]", "[2001:db8::1]:8443"),
    ],
)
def test_where_to_listen(text: str, shown: str) -> None:
    there = Path("/c"), Path("/k")
    assert str(listening_of(text, *there)) == shown
    with pytest.raises(TempoEdgeError, match="needs TLS: add --certificate FILE --key FILE"):
        listening_of(text, None, None)
    with pytest.raises(TempoEdgeError, match="needs TLS: add --key FILE"):
        listening_of(text, there[0], None)


@pytest.mark.parametrize(
    "text",
    ["", ":8443", "films.example", "localhost:1", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1",
     "1.2.3.4:8e3", "1.2.3", "[::1", "[::1]x", "fe80::1%eth0", "224.0.0.1", "1.2.3.4:1:2"],
)  # fmt: skip
def test_where_nobody_can_listen(text: str) -> None:
    with pytest.raises(TempoEdgeError, match="must be an address of this machine and a port, as"):
        listening_of(text, Path("/c"), Path("/k"))


def test_all_of_the_machine_and_an_address_that_is_not_its_own(pair: Pair) -> None:
    there = pair.certificate, pair.key
    for text in ("0.0.0.0:0", "[::]:0"):
        with listening_of(text, *there).bound() as bound:
            assert bound.getsockname()[1]
    with pytest.raises(TempoEdgeError, match="can't be listened on"):
        listening_of("192.0.2.1:0", *there).bound()


@UNIX
def test_a_door_has_a_certificate_or_is_none(pair: Pair, tmp_path: Path) -> None:
    listening = listening_of("0.0.0.0:0", pair.certificate, pair.key)
    with ExitStack() as stack:
        team, unix = open_doors(tmp_path / "s", None, stack, listening)
        assert team.certificate is not None and not team.is_unix and team.token is None
        assert team.name.startswith("https://0.0.0.0:") and not team.name.endswith(":0/")
        assert unix.is_unix
    pair.key.unlink()
    with ExitStack() as stack, pytest.raises(TempoEdgeError, match="is not a file"):
        open_doors(tmp_path / "s", None, stack, listening)
