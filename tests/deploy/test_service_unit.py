"""The service's units: what they run, who may connect, what they may write, what systemd thinks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command_lines import check, of_markdown

from tempo_edge.service.transport import places

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "deploy" / "tempo-edge.service"
SOCKET = ROOT / "deploy" / "tempo-edge.socket"

# In tenths: what `systemd-analyze security` may find exposed, as for the unit that only watches.
EXPOSED = 20


def values(key: str, unit: Path = SERVICE) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(encoding="utf-8"), re.M)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which everything lies where docs/service.md puts it."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for folder in (".local/bin", ".local/share/tempo-edge", "Videos"):
        (home / folder).mkdir(parents=True)
    command = home / ".local" / "bin" / "tempo-edge"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    return home


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze") or pytest.skip("systemd is not installed")
    return subprocess.run([tool, *arguments], capture_output=True, text=True)


def test_what_it_runs_exists(home: Path) -> None:
    (line,) = values("ExecStart")
    program, *arguments = line.split()
    assert os.access(program.replace("%h", str(home)), os.X_OK)
    assert check(arguments) == "serve"


def test_systemd_understands_every_line(home: Path) -> None:
    done = analyze("verify", "--user", str(SERVICE), str(SOCKET))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_little_is_exposed(home: Path) -> None:
    done = analyze(
        *("security", "--user", "--offline=true", f"--threshold={EXPOSED}", "--no-pager"),
        str(SERVICE),
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd can't judge a file")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_socket_is_the_one_that_clients_ask(home: Path) -> None:
    (place,) = values("ListenStream", SOCKET)
    runtime = os.environ["XDG_RUNTIME_DIR"]
    assert Path(place.replace("%t", runtime)) == places.socket_path()
    assert values("SocketMode", SOCKET) == ["0600"] and values("DirectoryMode", SOCKET) == ["0700"]


def test_it_goes_after_everything_else() -> None:
    assert values("Nice") == ["19"] and values("IOSchedulingClass") == ["idle"]


def test_no_network_and_little_to_write(home: Path) -> None:
    assert values("PrivateNetwork") == ["yes"] and values("RestrictAddressFamilies") == ["AF_UNIX"]
    assert values("ProtectSystem") == ["strict"] and values("ProtectHome") == ["read-only"]
    (data,) = values("ReadWritePaths")
    assert places.token_path().parent == Path(data.replace("%h", str(home)))


def test_every_command_line_of_the_page_is_one() -> None:
    text = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    assert {"serve", "find"} <= {check(arguments) for arguments in of_markdown(text)}
    for name in (SERVICE.name, SOCKET.name):
        assert name in text


def test_every_address_of_the_service_is_on_the_page() -> None:
    from tempo_edge.service.http.openapi import document

    text = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    for path in document()["paths"]:
        assert path.replace("{id}", "ID") in text, path
