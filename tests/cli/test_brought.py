"""Commands that other packages bring to the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = """
import typer
hello = typer.Typer(add_completion=False)

@hello.command()
def greet(name: str = "you") -> None:
    "Greet somebody."
    print("hello", name)
"""


@pytest.fixture
def installed(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment in which a package brings commands: one that works, and three that don't."""
    (tmp_path / "toy.py").write_text(TOY)
    about = tmp_path / "toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[tempo_edge.commands]\n"
        "hello = toy:hello\nstatus = toy:hello\nbroken = not_there:app\nodd = toy:typer\n"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), environment.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tempo_edge.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_brings_a_command(installed: dict[str, str]) -> None:
    said = run(installed, "hello", "--name", "world")
    assert (said.returncode, said.stdout, said.stderr) == (0, "hello world\n", "")
    assert "  hello    Greet somebody.\n" in run(installed, "--help").stdout


def test_a_command_of_the_house_is_not_taken_away(installed: dict[str, str]) -> None:
    said = run(installed, "status", "--help")
    assert "Say what the library holds" in said.stdout


@pytest.mark.parametrize(("name", "why"), [("broken", "not_there"), ("odd", "no typer.Typer")])
def test_a_command_that_can_not_be_loaded_harms_no_other(
    installed: dict[str, str], name: str, why: str
) -> None:
    said = run(installed, name)
    assert said.returncode == 2 and said.stderr.count("\n") == 1
    assert f"tempo-edge: error: {name} of " in said.stderr and why in said.stderr
    told = run(installed, "--help")
    assert told.returncode == 0 and f"  {name}" in told.stdout and "  index" in told.stdout
