"""The systemd unit: what it runs, what it lets it write, and what systemd thinks of it."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import check
from harness import PATIENCE, next_line

from tempo_edge.models import registry
from tempo_edge.store.place import default_library_path

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "tempo-edge-watch.service"

# In tenths: what `systemd-analyze security` may find exposed. Over 5.0 is what it calls medium.
EXPOSED = 20


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.M)


def expanded(text: str, home: Path) -> str:
    """With the specifiers of a user's manager in place."""
    return text.replace("%h", str(home)).replace("%C", str(home / ".cache"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which everything lies where docs/deploy.md puts it."""
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


def analyze(*arguments: str, unit: Path = UNIT) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze") or pytest.skip("systemd is not installed")
    return subprocess.run([tool, *arguments, str(unit)], capture_output=True, text=True)


def test_what_it_runs_exists(home: Path) -> None:
    (line,) = values("ExecStart")
    program, *arguments = line.split()
    assert os.access(expanded(program, home), os.X_OK)
    assert check(arguments) == "watch"


def test_systemd_understands_every_line(home: Path) -> None:
    done = analyze("verify", "--user")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_page_turns_it_into_a_unit_of_the_system(home: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (script,) = re.findall(r'sed "(.*?)" ', page)
    script = script.replace("$HOME", str(home)).replace("$USER", getpass.getuser())
    done = subprocess.run(["sed", script, UNIT], check=True, capture_output=True, text=True)
    text = done.stdout
    assert "%h" not in text and f"User={getpass.getuser()}\n" in text
    assert "WantedBy=multi-user.target" in text and "%t" not in text
    made = tmp_path / UNIT.name
    made.write_text(text, encoding="utf-8")
    done = analyze("verify", unit=made)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_little_is_exposed(home: Path) -> None:
    done = analyze("security", "--user", "--offline=true", f"--threshold={EXPOSED}", "--no-pager")
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd can't judge a file")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_more_than_data_and_cache_may_be_written(home: Path) -> None:
    assert values("ProtectSystem") == ["strict"] and values("ProtectHome") == ["read-only"]
    (data,) = values("ReadWritePaths")
    assert default_library_path().parent == Path(expanded(data, home))
    assert registry.installed_profiles().parent == Path(expanded(data, home))
    assert values("CacheDirectory") == ["tempo-edge"]
    assert "NUMBA_CACHE_DIR=%C/tempo-edge" in values("Environment")[0].split()


def test_no_program_outside_can_be_asked_for_favours() -> None:
    """A socket of the user's own systemd would be a way out."""
    (hidden,) = values("InaccessiblePaths")
    assert {"-%t", "-/run/dbus", "-%h/.ssh"} <= set(hidden.split())
    assert values("PrivateNetwork") == ["yes"] and values("PrivateTmp") == ["yes"]


def test_watching_needs_no_network_and_writes_nothing_else(
    home: Path, originals: Path, environment: dict[str, str]
) -> None:
    """With the unit's own environment, in a namespace where no network is."""
    apart = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"]).returncode:
        pytest.skip("namespaces are not permitted here")
    shutil.copy(originals / "beach.mp4", home / "Videos")
    there = set(home.rglob("*"))
    (line,) = values("Environment")
    given = dict(pair.split("=", 1) for pair in expanded(line, home).split())
    # Nothing but what the unit sets may keep it from writing elsewhere.
    kept = {key: text for key, text in environment.items() if key != "NUMBA_CACHE_DIR"}
    started = [*apart, sys.executable, "-m", "tempo_edge.cli", "watch", str(home / "Videos")]
    run = subprocess.Popen(
        started, env={**kept, "HOME": str(home), **given}, stderr=subprocess.PIPE, text=True
    )
    with run:
        try:
            assert run.stderr is not None
            assert next_line(run.stderr).startswith(f"watching {home / 'Videos'} ")
            assert next_line(run.stderr) == f"indexed {home / 'Videos' / 'beach.mp4'}\n"
            run.send_signal(signal.SIGTERM)
            _, said = run.communicate(timeout=PATIENCE)
        finally:
            run.kill()
    assert (run.returncode, said) == (0, "")
    made = {path.relative_to(home) for path in set(home.rglob("*")) - there if path.is_file()}
    allowed = (".local/share/tempo-edge", ".cache/tempo-edge")
    assert Path(".local/share/tempo-edge/library.db") in made
    assert {path for path in made if not any(map(path.is_relative_to, allowed))} == set()
