"""Alfred's workflow and Raycast's script commands as installed: files, and processes.

Neither program runs here. Their descriptions are read back, and their scripts started as they would
be: with what was typed as an argument, in an environment that leads astray.
"""

from __future__ import annotations

import json
import os
import plistlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doors import AWKWARD, Notes, Service, moment
from harness import PATIENCE, Said
from tempo_plugins.desktop.alfred import do

from tempo_edge._console.text import printable

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _started(folder: Path, environment: dict[str, str]) -> Run:
    """Starts an installed program."""

    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(folder / name), *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture
def alfred_folder(tempo: Callable[..., Said], tmp_path: Path) -> Path:
    assert tempo("plugins", "install", "alfred", "--into", tmp_path / "workflows").status == 0
    (folder,) = (tmp_path / "workflows").iterdir()
    return folder


@pytest.fixture
def alfred(alfred_folder: Path, own_home: dict[str, str]) -> Run:
    return _started(alfred_folder, own_home)


@pytest.fixture
def raycast(tempo: Callable[..., Said], tmp_path: Path, own_home: dict[str, str]) -> Run:
    assert tempo("plugins", "install", "raycast", "--into", tmp_path / "scripts").status == 0
    return _started(tmp_path / "scripts", own_home)


def _items(alfred: Run, query: str) -> list[dict[str, Any]]:
    done = alfred("find", query)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["skipknowledge"] is True
    items: list[dict[str, Any]] = told["items"]
    return items


def test_alfred_reads_the_workflow(alfred_folder: Path) -> None:
    facts = plistlib.loads((alfred_folder / "info.plist").read_bytes())
    assert facts["bundleid"] and facts["name"] and not facts["disabled"]
    objects = {each["uid"]: each for each in facts["objects"]}
    assert len(objects) == 3 == len(facts["uidata"])
    for source, connections in facts["connections"].items():
        assert {source, *(each["destinationuid"] for each in connections)} <= set(objects)
    by_type = {each["type"]: each for each in objects.values()}
    find = by_type["alfred.workflow.input.scriptfilter"]
    do = by_type["alfred.workflow.action.script"]
    assert find["config"]["keyword"] == "v"
    for each in (find, do):
        # A file that is started with an argument, by no shell.
        config = each["config"]
        assert (config["type"], config["scriptargtype"], config["script"]) == (8, 1, "")
        assert os.access(alfred_folder / config["scriptfile"], os.X_OK)
    ways = facts["connections"][find["uid"]]
    assert [each["destinationuid"] for each in ways] == [do["uid"]] * 2
    assert [each["modifiers"] for each in ways] == [0, 1048576]
    assert (alfred_folder / "icon.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def awkward(service: Service, tmp_path: Path) -> list[Path]:
    """Films that a service finds, whose names any reading of them would trip over."""
    paths = [tmp_path / "films" / f"{name} folder" / name for name in AWKWARD]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.touch()
    service.found(*map(moment, paths), rivals=4)
    return paths


def test_names_pass_through_alfred(
    alfred: Run, service: Service, notes: Notes, tmp_path: Path, awkward: list[Path]
) -> None:
    items = _items(alfred, 'a "dog" $(touch pwned)')
    assert service.asked[0][1]["q"] == 'a "dog" $(touch pwned)'
    for path, item in zip(awkward, items, strict=True):
        assert item["title"] == printable(path.name) and item["icon"] == {"path": "icon.png"}
        assert alfred("do", item["arg"]).stdout == ""
        assert notes.taken("mpv")[-2:] == ["--", str(path)]
    assert alfred("do", item["mods"]["cmd"]["arg"]).stdout == ""
    assert notes.taken("xdg-open") == [str(path.parent)]
    assert not list(tmp_path.rglob("pwned"))


def test_alfred_is_told_that_nothing_matches(alfred: Run, service: Service) -> None:
    service.found(near=[moment("/v/a.mp4", confidence=0.2)], held_back=1)
    (item,) = _items(alfred, "a dog")
    assert item["title"] == "Nothing matches" and item["valid"] is False and "arg" not in item
    assert item["subtitle"].startswith("Closest: a.mp4, 00:01.2")
    service.found()
    (item,) = _items(alfred, "a dog")
    assert (item["title"], item["subtitle"]) == ("Nothing matches", "")
    assert _items(alfred, "a ") == []


def test_alfred_is_told_what_is_wrong(alfred: Run) -> None:
    (item,) = _items(alfred, "a dog")
    assert "there is no library at" in item["subtitle"] and item["valid"] is False
    gone = json.dumps({"play": moment("/v/gone.mp4")})
    assert alfred("do", gone).stdout == "/v/gone.mp4 is offline: is its volume mounted?"


@pytest.mark.parametrize(
    "request_", ["", "{", "[]", "3", '{"play": {}}', '{"rm": 1}', "{}", "[" * 10_000]
)
def test_alfred_asks_for_what_it_was_not_given(request_: str) -> None:
    said = do(request_)
    assert said and "\n" not in said


def test_a_real_library_is_searched(
    alfred: Run, raycast: Run, own_home: dict[str, str], film: Path, notes: Notes
) -> None:
    own_home["TEMPO_EDGE_LIBRARY"] = str(film.parent / "library.db")
    (item,) = _items(alfred, "שלום")
    assert json.loads(item["arg"])["play"]["path"] == str(film)
    alfred("do", item["arg"])
    assert notes.taken("mpv")[-1] == str(film)
    assert raycast("tempo-edge-find.sh", "שלום").stdout.startswith(f"1. {printable(film.name)}\n")
    assert raycast("tempo-edge-find.sh", "a zebra runs over a bridge").stdout.startswith(
        "Nothing matches"
    )


def test_raycast_reads_the_metadata(raycast: Run, tmp_path: Path) -> None:
    folder = tmp_path / "scripts"
    found = {}
    for name in ("find", "play"):
        path = folder / f"tempo-edge-{name}.sh"
        assert os.access(path, os.X_OK)
        text = path.read_text()
        assert text.startswith("#!/bin/sh\n")
        found[name] = dict(re.findall(r"^# @raycast\.(\w+) (.+)$", text, re.MULTILINE))
        assert found[name]["schemaVersion"] == "1" and found[name]["title"]
        assert (folder / found[name]["icon"]).read_bytes().startswith(b"\x89PNG")
    assert (found["find"]["mode"], found["play"]["mode"]) == ("fullOutput", "silent")
    arguments = [json.loads(found["play"][f"argument{each}"]) for each in (1, 2)]
    assert all(each["type"] == "text" and each["placeholder"] for each in arguments)
    assert [each.get("optional", False) for each in arguments] == [False, True]


def test_names_pass_through_raycast(
    raycast: Run, service: Service, notes: Notes, tmp_path: Path, awkward: list[Path]
) -> None:
    done = raycast("tempo-edge-find.sh", "$(touch pwned)")
    assert (done.returncode, done.stderr) == (0, "")
    doubt, *lines = done.stdout.splitlines()
    assert doubt.startswith("Unsure: 4 other videos")
    names = [f"{at}. {printable(path.name)}" for at, path in enumerate(awkward, start=1)]
    assert lines[::2] == names
    assert lines[1] == f"   00:01.2–00:03.5 · 75% · {printable(str(awkward[0].parent))}"
    # Whoever pressed Enter has said all: everything is judged, and not looked up alone.
    assert service.asked[0][1]["q"] == "$(touch pwned)" and "retrieval" not in service.asked[0][1]
    for number, path in enumerate(awkward, start=1):
        done = raycast("tempo-edge-play.sh", "a dog", str(number) if number > 1 else "")
        assert done.returncode == 0 and done.stdout.startswith(printable(path.name))
        assert len(done.stdout.splitlines()) == 1
        assert notes.taken("mpv")[-2:] == ["--", str(path)]
    assert not list(tmp_path.rglob("pwned"))


def test_raycast_is_told_that_nothing_matches(raycast: Run, service: Service, notes: Notes) -> None:
    service.found(near=[moment("/v/a.mp4", confidence=0.2)], held_back=1)
    for name, status in (("find", 0), ("play", 1)):
        done = raycast(f"tempo-edge-{name}.sh", "a dog")
        assert done.returncode == status
        assert done.stdout.startswith("Nothing matches. Closest: a.mp4, ")
        assert len(done.stdout.splitlines()) == 1
    assert notes.none("mpv")


def test_raycast_is_told_what_is_wrong(raycast: Run, tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        done = raycast(*arguments)
        assert (done.returncode, done.stderr) == (1, "")
        (line,) = done.stdout.splitlines()
        return line

    assert "there is no library at" in said("tempo-edge-find.sh", "a dog")
    with Service(tmp_path / "run" / "tempo-edge" / "service.sock").running() as service:
        service.found(moment("/v/gone.mp4"))
        assert "is empty" in said("tempo-edge-find.sh", "")
        assert "number '2' must be one of 1" in said("tempo-edge-play.sh", "a dog", "2")
        assert "/v/gone.mp4 is offline" in said("tempo-edge-play.sh", "a dog")


@pytest.mark.parametrize(
    ("plugin", "name"), [("alfred", "find"), ("raycast", "tempo-edge-find.sh")]
)
def test_any_python_is_started_and_no_other_modules(
    tempo: Callable[..., Said],
    own_home: dict[str, str],
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plugin: str,
    name: str,
) -> None:
    """A Python at a path that wants quoting; and the launcher's own modules lie elsewhere."""
    python = tmp_path / "py th'on \"$HOME`\\n \\ %f" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    astray = tmp_path / "astray"
    for module in ("tempo_edge", "tempo_plugins"):
        (astray / module).mkdir(parents=True)
        (astray / module / "__init__.py").write_text("raise SystemExit('astray')")
    monkeypatch.setattr(sys, "executable", str(python))
    tempo("plugins", "install", plugin, "--into", tmp_path / "there")
    service.found(moment("/v/a.mp4"))
    (script,) = (tmp_path / "there").rglob(name)
    home = {**own_home, "PYTHONPATH": str(astray), "PYTHONHOME": str(astray)}
    done = _started(script.parent, home)(name, "a dog")
    assert "a.mp4" in done.stdout, done.stderr
