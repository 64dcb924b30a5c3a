"""Help texts, as they are checked in."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
import typer
from harness import Said
from helps import COMMANDS, help_texts
from tempo_plugins.cli import plugins

from tempo_edge import __version__, cli
from tempo_edge.cli.library import app as libraries
from tempo_edge.cli.models import app as models
from tempo_edge.cli.saved import app as saved
from tempo_edge.cli.train import app as training
from tempo_edge.cli.users import app as users
from tempo_edge.cli.volumes import app as volumes
from tempo_edge.cli.worker import app as queue

CHECKED_IN = Path(__file__).parents[2] / "docs" / "cli.txt"


def test_help_texts_are_those_of_the_documentation(
    monkeypatch: pytest.MonkeyPatch, tempo: Callable[..., Said]
) -> None:
    if version("typer").startswith("0.25."):
        pytest.skip("this typer loses the help of arguments")
    for name in ("COLUMNS", "argv"):
        monkeypatch.setenv(name, "80")
    monkeypatch.setattr("sys.argv", [])
    assert help_texts() == CHECKED_IN.read_text(encoding="utf-8"), (
        "python tests/cli/helps.py > docs/cli.txt"
    )


def test_every_command_is_documented() -> None:
    def names(app: typer.Typer) -> set[str]:
        called = (
            each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands
        )
        return set(called)

    inner = {f"train {name}" for name in names(training)}
    inner |= {f"saved {name}" for name in names(saved)}
    inner |= {f"volumes {name}" for name in names(volumes)}
    inner |= {f"library {name}" for name in names(libraries)}
    inner |= {f"models {name}" for name in names(models)}
    inner |= {f"users {name}" for name in names(users)}
    inner |= {f"queue {name}" for name in names(queue)}
    inner |= {f"plugins {name}" for name in names(plugins)}
    brought = {each.name for each in entry_points(group="tempo_edge.commands")}
    assert {"export", "mcp", "plugins"} <= brought
    groups = {"", "library", "models", "queue", "saved", "train", "users", "volumes"}
    assert names(cli.app) | brought | inner == set(COMMANDS) - groups


def test_no_line_is_longer_than_a_terminal() -> None:
    assert max(map(len, CHECKED_IN.read_text(encoding="utf-8").splitlines())) <= 80


def test_without_arguments_it_says_what_there_is(tempo: Callable[..., Said]) -> None:
    assert tempo() == tempo("--help") == tempo("-h")
    assert tempo().status == 0 and tempo().err == ""


def test_version(tempo: Callable[..., Said]) -> None:
    assert tempo("--version") == Said(0, f"tempo-edge {__version__}\n", "")
    assert tempo("-V") == tempo("--version")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(
    tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("_TEMPO_EDGE_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", "tempo-edge st")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "tempo-edge st")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    said = tempo()
    assert "status" in said.out
    assert "find" not in said.out
