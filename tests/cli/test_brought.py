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

DOOR = """
import typer
from tempo_edge import Library
from tempo_edge.query import Query
door = typer.Typer(add_completion=False)

@door.command()
def first(words: list[str], library: str) -> None:
    "Say where something is seen best."
    query = Query(" ".join(words), limit=1, min_confidence=0.0)
    with Library.open(library) as opened:
        answer = opened.ask(query)
    for moment in answer:
        print(moment.path.name, moment.span.duration_seconds > 0)
"""


@pytest.fixture
def installed(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment in which a package brings commands: two that work, and three that don't."""
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "door.py").write_text(DOOR)
    about = tmp_path / "toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[tempo_edge.commands]\n"
        "hello = toy:hello\nfirst = door:door\nstatus = toy:hello\n"
        "broken = not_there:app\nodd = toy:typer\n"
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


def test_a_new_door_makes_a_query_and_prints_an_answer(
    installed: dict[str, str], built: Path
) -> None:
    """It says what is wrong with a query as every door does, in no words of its own."""
    said = run(installed, "first", "stripes", str(built))
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.endswith(".mp4 True\n") and said.stdout.count("\n") == 1
    refused = run(installed, "first", " ", str(built))
    error = "tempo-edge: error: query ' ' is empty: say what to look for\n"
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", error)


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
