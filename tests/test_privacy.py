"""Nothing is reported to anyone, and nothing is fetched."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def test_no_library_keeps_an_identifier(
    tmp_path: Path,
    footage: Path,
    command: Callable[..., list[str]],
    environment: dict[str, str],
) -> None:
    """Real processes, as they would run for a person with a home of their own."""
    home = tmp_path / "home"
    told = {**environment, "HOME": str(home), "XDG_DATA_HOME": str(tmp_path / "data")}
    for arguments in (("index", footage), ("find", "stripes", "--min-confidence", "0")):
        ended = subprocess.run(command(*arguments), env=told, capture_output=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
    reported = [path for path in home.rglob("*") if "Microsoft" in path.parts]
    assert reported == []


def test_what_libraries_are_told() -> None:
    import tempo_edge  # noqa: F401

    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_the_tests_reach_nobody() -> None:
    """What keeps the whole suite on this machine does keep it there."""
    with pytest.raises(OSError, match="no test may reach"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OSError, match="no test may reach"):
        socket.getaddrinfo("huggingface.co", 443)
