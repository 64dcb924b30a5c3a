"""Launchers: the program that their plugins start, and the plugins themselves as installed.

No launcher runs here. Ulauncher's and Albert's plugins are loaded against stand-ins for the modules
that the launchers bring, with the names and parameters of their published interfaces.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doors import AWKWARD, Notes, Service, moment
from harness import PATIENCE, Said
from processes import answered
from tempo_plugins.desktop import flow, rows
from tempo_plugins.desktop.pictures import Pictures
from tempo_plugins.service_or_library import ServiceOrLibrary

from tempo_edge._console.text import printable

Install = Callable[[str], Said]

PROGRAM = "from tempo_plugins.desktop.rows import main; raise SystemExit(main())"


@pytest.fixture
def asked(own_home: dict[str, str]) -> Callable[[bytes], tuple[int, Any]]:
    """Asks the program; that it is started as its plugin starts it, the installed ones show."""

    def ask(request: bytes) -> tuple[int, Any]:
        status, out, err = answered(request, [], own_home, PROGRAM)
        assert err == b""
        return status, json.loads(out)

    return ask


def test_rows_for_a_query(service: Service, asked: Callable[..., Any], tmp_path: Path) -> None:
    facts = moment(tmp_path / "a.mp4", online=False)
    service.found(facts)
    status, told = asked(b'{"query": "a dog", "limit": 3}')
    assert status == 0
    (row,) = told["rows"]
    assert row["title"] == "a.mp4" and row["icon"] == ""
    assert row["subtitle"] == f"00:01.2–00:03.5 · 75% · {tmp_path} · offline"
    untold = dict.fromkeys(("taken_at", "taken_from", "latitude", "longitude"))
    whole = {**facts, "copies": [], "found_by": ["picture"], "text": "", **untold}
    whole |= {"cue_seconds": facts["start_seconds"], "place": "", "camera": ""}
    assert row["moment"] == whole
    assert service.asked[0][1]["limit"] == "3" and service.asked[0][1]["retrieval"] == "1"
    assert asked(b'{"query": " a"}') == (0, {"rows": []})
    service.found(facts, rivals=4)
    (row,) = asked(b'{"query": "a dog"}')[1]["rows"]
    assert row["subtitle"] == f"00:01.2–00:03.5 · 75%, unsure · {tmp_path} · offline"


def test_a_newer_query_shows_nothing_of_the_older(
    service: Service, asked: Callable[..., Any]
) -> None:
    service.says("/v1/find", {"error": "superseded"}, 409)
    assert asked(b'{"query": "a dog"}') == (0, {"rows": []})


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (b"", "must be a JSON object"),
        (b"[]", "must be a JSON object"),
        (b"\xff", "must be a JSON object"),
        (b"{}", "must have a query"),
        (b'{"query": 3}', "must have a query"),
        (b'{"query": "a dog", "limit": true}', "must have a query"),
        (b'{"query": "a dog", "limit": 1000}', "limit 1000 must be at most 100"),
        (b'{"play": {}}', "is not a moment"),
        (b'{"play": {"path": "http://x/a.mp4"}}', "is not a moment"),
        (b'{"query": "a dog"}', "there is no library at"),
    ],
)
def test_what_can_not_be_asked(asked: Callable[..., Any], request_: bytes, text: str) -> None:
    status, told = asked(request_)
    assert status == 1 and set(told) == {"error"} and text in told["error"]
    assert "\n" not in told["error"]


@pytest.mark.parametrize("name", AWKWARD)
def test_names_pass_through_the_program(
    service: Service, asked: Callable[..., Any], notes: Notes, tmp_path: Path, name: str
) -> None:
    path = tmp_path / f"{name} folder" / name
    path.parent.mkdir()
    path.touch()
    service.found(moment(path))
    _, told = asked(json.dumps({"query": "a dog"}).encode())
    (row,) = told["rows"]
    assert row["title"] == printable(name) and row["moment"]["path"] == str(path)
    assert asked(json.dumps({"play": row["moment"]}).encode()) == (0, {})
    assert notes.taken("mpv")[-2:] == ["--", str(path)]
    assert asked(json.dumps({"folder": row["moment"]}).encode()) == (0, {})
    assert notes.taken("xdg-open") == [str(path.parent)]


@pytest.mark.parametrize("there", ["xdg-open", "neither"])
def test_without_mpv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: Notes, there: str
) -> None:
    only = Notes(tmp_path / "only")
    only.folder.mkdir()
    if there == "xdg-open":
        only.add("xdg-open")
    monkeypatch.setenv("PATH", str(only.folder))
    path = tmp_path / AWKWARD[1]
    path.touch()
    client = ServiceOrLibrary()
    told = rows.answer({"play": moment(path)}, client, Pictures(client))
    if there == "xdg-open":
        assert told == {} and only.taken("xdg-open") == [str(path)]
    else:
        assert told == {"error": "neither mpv nor xdg-open is installed: install mpv"}


def _load(path: Path, name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Result:
    """Ulauncher's ``Result``: keywords only, and those that it documents."""

    def __init__(self, **facts: Any) -> None:
        known = {"name", "description", "icon", "on_enter", "on_alt_enter", "compact"}
        assert set(facts) <= known
        self.__dict__.update(facts)


@pytest.fixture
def ulauncher(
    installed: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    players_here: Notes,
) -> Any:
    """The installed extension, loaded as Ulauncher's own process would."""
    modules = {
        "ulauncher": {},
        "ulauncher.api": {"Extension": type("Extension", (), {}), "Result": _Result},
        "ulauncher.api.shared": {},
        "ulauncher.api.shared.action": {},
        "ulauncher.api.shared.action.ExtensionCustomAction": {
            "ExtensionCustomAction": lambda data, keep_app_open=False: data
        },
    }
    for name, members in modules.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    installed("ulauncher")
    folder = tmp_path / "data" / "ulauncher" / "extensions" / "tempo-edge"
    return _load(folder / "main.py", "ulauncher_main").Moments()


def test_ulauncher_shows_and_plays(ulauncher: Any, service: Service, tmp_path: Path) -> None:
    service.found(moment("/v/gone.mp4"))
    (shown,) = ulauncher.on_input("a dog", "moments")
    assert (shown.name, shown.icon) == ("gone.mp4", "images/icon.png")
    (told,) = ulauncher.on_item_enter(shown.on_enter)
    assert "/v/gone.mp4 is offline" in told.description


@pytest.mark.parametrize("name", AWKWARD)
def test_names_pass_through_ulauncher(
    ulauncher: Any, service: Service, players_here: Notes, tmp_path: Path, name: str
) -> None:
    path = tmp_path / f"{name} folder" / name
    path.parent.mkdir()
    path.touch()
    service.found(moment(path))
    (shown,) = ulauncher.on_input("a dog", "moments")
    # The launcher keeps what it was given as JSON.
    assert ulauncher.on_item_enter(json.loads(json.dumps(shown.on_enter))) is None
    assert players_here.taken("mpv")[-1] == str(path)
    assert ulauncher.on_item_enter(shown.on_alt_enter) is None
    assert players_here.taken("xdg-open") == [str(path.parent)]


def test_ulauncher_reads_the_manifest(ulauncher: Any, tmp_path: Path) -> None:
    """What Ulauncher's own validation requires of a manifest for its interface 3."""
    folder = tmp_path / "data" / "ulauncher" / "extensions" / "tempo-edge"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert all(manifest[each] for each in ("authors", "name", "icon", "triggers"))
    assert manifest["api_version"] == "3"
    assert all(each["name"] and each["keyword"] for each in manifest["triggers"].values())
    assert (folder / manifest["icon"]).read_bytes().startswith(b"\x89PNG")


def test_a_plugin_whose_tempo_edge_has_gone(
    ulauncher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"command": ["/nowhere/python"], "environment": {}}
    monkeypatch.setitem(type(ulauncher).on_input.__globals__, "TOLD", told)
    (shown,) = ulauncher.on_input("a dog", "moments")
    assert shown.name == "tempo-edge" and "can't be asked" in shown.description


@pytest.mark.parametrize("plugin", ["ulauncher", "albert", "flow"])
def test_the_modules_of_a_launcher_are_not_those_of_tempo_edge(
    tempo: Callable[..., Said],
    own_home: dict[str, str],
    service: Service,
    tmp_path: Path,
    plugin: str,
) -> None:
    """Launchers name the folder of their own modules, where others of the same names may lie."""
    service.found(moment("/v/a.mp4"))
    assert tempo("plugins", "install", plugin, "--into", tmp_path / "there").status == 0
    (place,) = (each for each in (tmp_path / "there").iterdir())
    astray = tmp_path / "astray"
    for name in ("tempo_edge", "tempo_plugins"):
        (astray / name).mkdir(parents=True)
        (astray / name / "__init__.py").write_text("raise SystemExit('astray')")
    # As if it had been installed where no such folder is named: one that is passed on is obeyed.
    facts = json.loads((place / "tempo-edge.json").read_text())
    own = facts["environment"].pop("PYTHONPATH", "")
    start = tmp_path / "start"
    start.write_text(f'#!/bin/sh\nPYTHONPATH="${{PYTHONPATH-{own}}}" exec "$@"\n')
    start.chmod(0o755)
    facts["command"].insert(0, str(start))
    (place / "tempo-edge.json").write_text(json.dumps(facts))
    program = place / ("__init__.py" if plugin == "albert" else "main.py")
    command = [sys.executable, str(program), '{"method": "query", "parameters": ["a dog"]}']
    if plugin != "flow":
        stubs = tmp_path / "stubs.py"
        stubs.write_text(
            "import sys, types, runpy\n"
            "class Any:\n"
            "    def __init__(self, *_, **__): pass\n"
            "for name in ('albert', 'ulauncher', 'ulauncher.api', 'ulauncher.api.shared',\n"
            "        'ulauncher.api.shared.action',\n"
            "        'ulauncher.api.shared.action.ExtensionCustomAction'):\n"
            "    module = sys.modules[name] = types.ModuleType(name)\n"
            "    for member in ('Extension Result ExtensionCustomAction Action StandardItem '\n"
            "            'GeneratorQueryHandler PluginInstance makeImageIcon').split():\n"
            "        setattr(module, member, type(member, (Any,), {}))\n"
            "print(runpy.run_path(sys.argv[1])['ask']({'query': 'a dog'}))\n"
        )
        command = [sys.executable, str(stubs), str(program)]
    home = {**own_home, "PYTHONPATH": str(astray)}
    told = subprocess.run(command, env=home, capture_output=True, text=True, timeout=PATIENCE)
    assert "/v/a.mp4" in told.stdout, told.stderr


class _Item:
    """Albert's ``StandardItem``, with the parameters of interface 5."""

    def __init__(
        self,
        id: str | None = None,
        text: str | None = None,
        subtext: str | None = None,
        icon_factory: Callable[[], Any] | None = None,
        actions: list[Any] | None = None,
        input_action_text: str | None = None,
    ) -> None:
        self.id, self.text, self.subtext = id, text, subtext
        self.icon, self.actions = icon_factory, actions or []


class _Action:
    def __init__(self, id: str, text: str, callable: Callable[[], Any]) -> None:
        self.id, self.text, self.callable = id, text, callable


class _Context:
    def __init__(self, query: str, valid: bool = True) -> None:
        self.query, self.isValid, self.trigger = query, valid, "v "


@pytest.fixture
def albert(
    installed: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, players_here: Notes
) -> Any:
    """The installed plugin, loaded as Albert would."""
    module = types.ModuleType("albert")
    module.__dict__.update(
        Action=_Action,
        GeneratorQueryHandler=type("GeneratorQueryHandler", (), {}),
        PluginInstance=type("PluginInstance", (), {}),
        StandardItem=_Item,
        makeImageIcon=lambda path: ("icon", Path(path).read_bytes()[:4]),
    )
    monkeypatch.setitem(sys.modules, "albert", module)
    installed("albert")
    place = tmp_path / "data/albert/python/plugins/tempo_edge_moments/__init__.py"
    return _load(place, "albert.tempo_edge_moments")


def test_albert_reads_the_metadata(albert: Any) -> None:
    assert albert.md_iid == "5.0"
    assert all(isinstance(getattr(albert, f"md_{n}"), str) for n in ("version", "name"))
    assert albert.Plugin().defaultTrigger() == "v " and albert.Plugin().synopsis("") != ""


def test_albert_shows_what_went_wrong(albert: Any) -> None:
    ((shown,),) = albert.Plugin().items(_Context("a dog"))
    assert "there is no library at" in shown.subtext and shown.icon() == ("icon", b"\x89PNG")


def test_albert_drops_a_query_that_was_cancelled(albert: Any, service: Service) -> None:
    service.found(moment("/v/a.mp4"))
    assert list(albert.Plugin().items(_Context("a dog", valid=False))) == []


@pytest.mark.parametrize("name", AWKWARD)
def test_names_pass_through_albert(
    albert: Any, service: Service, players_here: Notes, tmp_path: Path, name: str
) -> None:
    path = tmp_path / f"{name} folder" / name
    path.parent.mkdir()
    path.touch()
    other = moment(tmp_path / "other.mp4", start_seconds=0.5)
    service.found(moment(path), other)
    ((shown, second),) = albert.Plugin().items(_Context("a dog"))
    assert shown.text == printable(name) and shown.id != second.id
    play, folder = shown.actions
    play.callable()
    assert players_here.taken("mpv")[-1] == str(path)
    folder.callable()
    assert players_here.taken("xdg-open") == [str(path.parent)]


@pytest.fixture
def flow_launcher(
    tempo: Callable[..., Said], tmp_path: Path, own_home: dict[str, str]
) -> Callable[..., Any]:
    """Runs the installed plugin as Flow Launcher does: a process, a request as its argument."""
    assert tempo("plugins", "install", "flow", "--into", tmp_path / "Plugins").status == 0
    program = tmp_path / "Plugins" / "tempo-edge" / "main.py"

    def ask(method: str, *parameters: Any) -> list[dict[str, Any]]:
        request = json.dumps({"method": method, "parameters": parameters, "settings": None})
        told = subprocess.run(
            [sys.executable, "-B", str(program), request],
            env=own_home,
            capture_output=True,
            timeout=PATIENCE,
        )
        assert (told.returncode, told.stderr) == (0, b"")
        results: list[dict[str, Any]] = json.loads(told.stdout)["result"]
        return results

    return ask


@pytest.mark.parametrize("name", AWKWARD)
def test_names_pass_through_flow_launcher(
    flow_launcher: Callable[..., Any], service: Service, notes: Notes, tmp_path: Path, name: str
) -> None:
    path = tmp_path / f"{name} folder" / name
    path.parent.mkdir()
    path.touch()
    service.found(moment(path))
    (shown,) = flow_launcher("query", "a dog")
    assert shown["Title"] == printable(name) and shown["IcoPath"] == "icon.png"
    action = shown["JsonRPCAction"]
    assert flow_launcher(action["method"], *action["parameters"]) == []
    assert notes.taken("mpv")[-1] == str(path)
    (more,) = flow_launcher("context_menu", shown["ContextData"])
    action = more["JsonRPCAction"]
    assert flow_launcher(action["method"], *action["parameters"]) == []
    assert notes.taken("xdg-open") == [str(path.parent)]


def test_flow_launcher_is_told_that_nothing_matches(
    flow_launcher: Callable[..., Any], service: Service
) -> None:
    service.found(near=[moment("/v/a.mp4", confidence=0.2)], held_back=1)
    (shown,) = flow_launcher("query", "a dog")
    assert shown["Title"] == "Nothing matches" and "JsonRPCAction" not in shown
    assert shown["SubTitle"].startswith("Closest: a.mp4, 00:01.2")


def test_flow_launcher_is_told_what_is_wrong(flow_launcher: Callable[..., Any]) -> None:
    (shown,) = flow_launcher("query", "a dog")
    assert "there is no library at" in shown["SubTitle"] and "JsonRPCAction" not in shown
    assert flow_launcher("query", "") == []
    (shown,) = flow_launcher("reload")
    assert "method 'reload' must be" in shown["SubTitle"]
    (shown,) = flow_launcher("play", "{}")
    assert "is not a moment" in shown["SubTitle"]


@pytest.mark.parametrize("request_", [None, 3, {}, {"method": "query"}, "{", []])
def test_flow_launcher_requests_that_are_none(request_: object) -> None:
    client = ServiceOrLibrary()
    (shown,) = flow.answer(request_, client, Pictures(client))["result"]
    assert "can't read this request" in shown["Title"]


def test_flow_launcher_reads_the_metadata(
    flow_launcher: Callable[..., Any], tmp_path: Path
) -> None:
    """What the schema that Flow Launcher publishes for plugin.json requires."""
    import re

    folder = tmp_path / "Plugins" / "tempo-edge"
    facts = json.loads((folder / "plugin.json").read_text())
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", facts["ID"])
    assert facts["Language"] == "python" and facts["ExecuteFileName"] == "main.py"
    assert facts["Website"].startswith("https://") and facts["Name"] and facts["Author"]
    assert (folder / facts["IcoPath"]).read_bytes().startswith(b"\x89PNG")
