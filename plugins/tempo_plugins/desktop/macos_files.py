"""Which files the plugins of macOS' launchers are made of, and where these look for them."""

from __future__ import annotations

import json
import os
import plistlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tempo_edge._version import __version__
from tempo_plugins.installing import File

__all__ = ["alfred_files", "alfred_workflows", "raycast_files"]

# How Alfred calls things: a script that is a file, a query that is an argument of it, the key ⌘.
_EXTERNAL, _AS_ARGUMENT, _COMMAND = 8, 1, 1 << 20
# What was typed before is not looked for any more; a word is to be typed; and there is no delay.
_END_FORMER, _REQUIRED = 2, 0

# Objects of the workflow, by names of our own.
_FIND = "5D5A3E0B-94C5-4F0E-9E4C-0B6C3C9A5E11"
_DO = "A0B7D6B4-6C2B-4B55-8F53-3C0D6F7D1E22"
_TELL = "E2C9F1A8-2F7A-4D39-A6D1-7B0E5C4F8A33"
_FOLDER = "user.workflow.1F6C2A94-7D0B-4E83-9C55-60D3B8E7A044"


def alfred_workflows(home: Path) -> Path:
    """The folder of Alfred's workflows, wherever its settings are synchronised to."""
    support = home / "Library" / "Application Support" / "Alfred"
    settings: Any = None
    with suppress(OSError, ValueError, AttributeError):  # it may not have been started yet
        settings = json.loads((support / "prefs.json").read_bytes()).get("current")
    place = Path(settings).expanduser() if isinstance(settings, str) and settings else None
    if place is None or not place.is_absolute():
        place = support / "Alfred.alfredpreferences"
    return place / "workflows"


def alfred_files(into: Path, icon: bytes) -> list[File]:
    """The workflow's files, below the folder of all workflows."""
    folder = into / _FOLDER
    return [
        File(folder / "info.plist", plistlib.dumps(_workflow()), own=folder),
        File(folder / "find", _script("alfred", "find"), own=folder, is_program=True),
        File(folder / "do", _script("alfred", "do"), own=folder, is_program=True),
        File(folder / "icon.png", icon, own=folder),
    ]


def raycast_files(into: Path, icon: bytes, *, own: bool) -> list[File]:
    """Two script commands, in a folder of them.

    Args:
        own: the folder is this plugin's alone.
    """
    folder = into if own else None
    sentence = {"type": "text", "placeholder": "a dog jumps"}
    number = {"type": "text", "placeholder": "which: 1", "optional": True}
    find = _metadata("Find a Moment in Your Videos", "fullOutput", sentence)
    play = _metadata("Play a Moment of Your Videos", "silent", sentence, number)
    return [
        File(
            into / f"tempo-edge-{name}.sh",
            _script("raycast", name, comments=comments),
            own=folder,
            is_program=True,
        )
        for name, comments in (("find", find), ("play", play))
    ] + [File(into / "tempo-edge.png", icon, own=folder)]


def _script(module: str, command: str, *, comments: Sequence[str] = ()) -> bytes:
    """A program that runs a module with this very Python, and passes its arguments on.

    What leads a launcher's own Python to its modules would lead this one's astray.
    """
    path = os.environ.get("PYTHONPATH")
    own = f"export PYTHONPATH={shlex.quote(path)}" if path else "unset PYTHONPATH"
    words = [sys.executable, "-m", f"tempo_plugins.desktop.{module}", command]
    lines = ["#!/bin/sh", *comments, "unset PYTHONHOME", own, f'exec {shlex.join(words)} "$@"']
    return "".join(f"{line}\n" for line in lines).encode()


def _metadata(title: str, mode: str, *arguments: Mapping[str, Any]) -> list[str]:
    """The comments by which Raycast knows a script command."""
    facts = {
        "schemaVersion": "1",
        "title": title,
        "mode": mode,
        "packageName": "tempo-edge",
        "icon": "tempo-edge.png",
        "description": "Find the second where something happens.",
    }
    for position, argument in enumerate(arguments, start=1):
        facts[f"argument{position}"] = json.dumps(argument)
    return [f"# @raycast.{name} {value}" for name, value in facts.items()]


def _workflow() -> dict[str, Any]:
    """Alfred's description of a workflow: what is typed, what an item does, what is told of it."""
    script = {"type": _EXTERNAL, "script": "", "scriptargtype": _AS_ARGUMENT, "escaping": 0}
    find = {
        **script,
        "scriptfile": "find",
        "keyword": "v",
        "withspace": True,
        "argumenttype": _REQUIRED,
        "title": "Moments in your videos",
        "subtext": "Find the second where something happens",
        "runningsubtext": "Searching…",
        "alfredfiltersresults": False,
        "queuemode": _END_FORMER,
        "queuedelaymode": 0,
        "queuedelayimmediatelyinitially": True,
    }
    do = {**script, "scriptfile": "do", "concurrently": True}
    tell = {"title": "tempo-edge", "text": "{query}", "onlyshowifquerypopulated": True}
    return {
        "bundleid": "org.tempoedge.alfred",
        "name": "Moments in your videos",
        "description": "Find the second where something happens",
        "createdby": "tempo-edge",
        "version": __version__,
        "webaddress": "https://pypi.org/project/tempo-edge/",
        "readme": "Type v and what happens. Enter plays the moment, Command and Enter its folder.",
        "disabled": False,
        "objects": [
            _object(_FIND, "input.scriptfilter", 3, find),
            _object(_DO, "action.script", 2, do),
            _object(_TELL, "output.notification", 1, tell),
        ],
        "connections": {
            _FIND: [_connection(_DO), _connection(_DO, _COMMAND, "Show the folder")],
            _DO: [_connection(_TELL)],
            _TELL: [],
        },
        "uidata": {
            each: {"xpos": 40.0 + 200.0 * position, "ypos": 40.0}
            for position, each in enumerate((_FIND, _DO, _TELL))
        },
    }


def _object(uid: str, kind: str, version: int, config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uid": uid,
        "type": f"alfred.workflow.{kind}",
        "version": version,
        "config": dict(config),
    }


def _connection(to: str, keys: int = 0, about: str = "") -> dict[str, Any]:
    return {
        "destinationuid": to,
        "modifiers": keys,
        "modifiersubtext": about,
        "vitoclose": False,
    }
