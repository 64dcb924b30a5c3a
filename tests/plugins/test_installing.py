"""`tempo-edge plugins`: what is written and removed is what it says, and nothing else."""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from doors import Bus, Notes, Service, moment
from harness import PATIENCE, Said
from tempo_plugins.desktop import parts
from tempo_plugins.desktop.entries import desktop_exec, ini, service_exec
from tempo_plugins.offered import PLUGINS, find

Tempo = Callable[..., Said]

INI = "gnome-shell/search-providers/org.tempoedge.SearchProvider.ini"
REAL_SYSTEM = parts.SYSTEM_DATA
GNOME_DATA = {
    "applications/org.tempoedge.SearchProvider.desktop",
    "dbus-1/services/org.tempoedge.SearchProvider.service",
    "icons/hicolor/256x256/apps/org.tempoedge.SearchProvider.png",
}
ALBERT = "albert/python/plugins/tempo_edge_moments"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def told(said: Said, verb: str) -> set[Path]:
    """The paths that it says it wrote or removed."""
    return {
        Path(line.removeprefix(f"{verb} "))
        for line in said.err.splitlines()
        if line.startswith(f"{verb} ")
    }


@pytest.mark.parametrize("name", ["gnome", "krunner", "ulauncher", "albert"])
def test_it_says_exactly_what_it_wrote_and_removed(tempo: Tempo, tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "theirs").touch()
    said = tempo("plugins", "install", name)
    assert (said.status, said.out) == (0, "")
    assert told(said, "wrote") == {data / each for each in files(data)} - {data / "theirs"}
    assert said.err.splitlines()[-1].startswith("then ")
    again = tempo("plugins", "install", name)
    assert again == said
    removed = tempo("plugins", "remove", name)
    assert told(removed, "removed") == told(said, "wrote") and removed.status == 0
    assert files(data) == {"theirs"}
    assert tempo("plugins", "remove", name).err == f"{name} is not installed\n"


def test_gnome_says_what_needs_root(tempo: Tempo, tmp_path: Path, system: Path) -> None:
    said = tempo("plugins", "install", "gnome")
    aside = tmp_path / "data/tempo-edge/plugins/gnome/org.tempoedge.SearchProvider.ini"
    (line,) = [line for line in said.err.splitlines() if line.startswith("needs root: ")]
    words = shlex.split(line.removeprefix("needs root: "))
    assert words == ["sudo", "install", "-D", "-m", "644", str(aside), str(system / INI)]
    assert files(tmp_path / "data") == GNOME_DATA | {str(aside.relative_to(tmp_path / "data"))}
    target = system / INI
    assert not target.exists()
    subprocess.run(words[1:], check=True)  # the very command
    assert target.read_text().splitlines() == [
        "[Shell Search Provider]",
        "DesktopId=org.tempoedge.SearchProvider.desktop",
        "BusName=org.tempoedge.SearchProvider",
        "ObjectPath=/org/tempoedge/SearchProvider",
        "Version=2",
    ]
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    listed = tempo("plugins", "list", "--json").out.splitlines()[0]
    assert json.loads(listed)["state"] == "installed"
    said = tempo("plugins", "remove", "gnome")
    assert f"needs root: sudo rm {target}\n" in said.err and target.exists()


def test_gnome_below_a_root(tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, place = tmp_path / "root", f"usr/local/share/{INI}"
    monkeypatch.setattr(parts, "SYSTEM_DATA", REAL_SYSTEM)
    said = tempo("plugins", "install", "gnome", "--root", root)
    assert files(root) == {place} and files(tmp_path / "data") == GNOME_DATA
    assert "needs root" not in said.err
    assert told(said, "wrote") == {root / place} | {tmp_path / "data" / e for e in GNOME_DATA}
    said = tempo("plugins", "remove", "gnome", "--root", root)
    assert root / place in told(said, "removed") and files(root) == set()


def test_the_entry_of_gnome_is_not_hidden(tempo: Tempo, tmp_path: Path) -> None:
    """The shell leaves out providers of hidden entries."""
    tempo("plugins", "install", "gnome")
    text = (tmp_path / "data/applications/org.tempoedge.SearchProvider.desktop").read_text()
    assert "NoDisplay" not in text and "Hidden" not in text and "OnlyShowIn" not in text
    lines = text.splitlines()
    assert lines[0] == "[Desktop Entry]" and "Type=Application" in lines


def test_krunner_finds_its_service(tempo: Tempo, tmp_path: Path) -> None:
    tempo("plugins", "install", "krunner")
    data = tmp_path / "data"
    text = (data / "krunner/dbusplugins/org.tempoedge.desktop").read_text()
    facts = dict(line.split("=", 1) for line in text.splitlines()[1:])
    assert facts["X-Plasma-API"] == "DBus" and facts["X-KDE-ServiceTypes"] == "Plasma/Runner"
    service = data / "dbus-1/services" / f"{facts['X-Plasma-DBusRunner-Service']}.service"
    assert f"Name={facts['X-Plasma-DBusRunner-Service']}\n" in service.read_text()


def test_a_list_of_plugins(tempo: Tempo, tmp_path: Path, system: Path) -> None:
    tempo("plugins", "install", "albert")
    tempo("plugins", "install", "gnome")
    tempo("plugins", "install", "ulauncher")
    (tmp_path / "data/ulauncher/extensions/tempo-edge/main.py").write_text("older")
    said = tempo("plugins", "list", "--json")
    states = {row["name"]: row["state"] for row in map(json.loads, said.out.splitlines())}
    desktop = ["gnome", "krunner", "ulauncher", "albert", "flow", "alfred", "raycast"]
    assert list(states) == [plugin.name for plugin in PLUGINS] == [*desktop, "mpv", "vlc"]
    assert states["albert"] == "installed" and states["krunner"] == "not installed"
    assert states["ulauncher"] == "outdated: install it again"
    assert states["gnome"] == f"incomplete: {system / INI} is not there"
    assert {states[each] for each in desktop[4:]} == {"not for this system"}
    lines = tempo("plugins", "list").out.splitlines()
    assert len(lines) == 9 and "KDE's KRunner" in lines[1]


def test_what_others_put_there_stays(tempo: Tempo, tmp_path: Path) -> None:
    tempo("plugins", "install", "albert")
    folder = tmp_path / "data" / ALBERT
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").touch()
    tempo("plugins", "install", "ulauncher")
    mine = tmp_path / "data/ulauncher/extensions/tempo-edge/mine.txt"
    mine.touch()
    tempo("plugins", "remove", "albert")
    tempo("plugins", "remove", "ulauncher")
    assert not folder.exists() and folder.parent.is_dir() and mine.exists()


def test_another_folder_and_flow_launcher(
    tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tempo("plugins", "install", "flow", "--into", tmp_path / "there")
    expected = {"plugin.json", "main.py", "icon.png", "tempo-edge.json"}
    assert files(tmp_path / "there" / "tempo-edge") == expected
    tempo("plugins", "remove", "flow", "--into", tmp_path / "there")
    assert not (tmp_path / "there" / "tempo-edge").exists()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv("APPDATA", raising=False)
    assert "APPDATA is unset: use --into" in tempo("plugins", "install", "flow").error
    monkeypatch.setenv("APPDATA", str(tmp_path / "settings"))
    tempo("plugins", "install", "flow")
    assert files(tmp_path / "settings/FlowLauncher/Plugins/tempo-edge") == expected


@pytest.mark.parametrize(
    ("name", "system"), [("flow", "Windows"), ("alfred", "macOS"), ("raycast", "macOS")]
)
def test_what_is_for_another_system_is_written_where_it_is_told(
    tempo: Tempo, tmp_path: Path, name: str, system: str
) -> None:
    for command in ("install", "remove"):
        said = tempo("plugins", command, name)
        way = "name the folder that it is to be written to with --into"
        assert said.error == f"plugin {name} is for {system}, and this is {sys.platform}: {way}"
        assert said.status == 2
    there = tmp_path / "there"
    there.mkdir()
    (there / "theirs").touch()
    wrote = tempo("plugins", "install", name, "--into", there)
    assert told(wrote, "wrote") == {there / each for each in files(there) - {"theirs"}} != set()
    gone = tempo("plugins", "remove", name, "--into", there)
    assert told(gone, "removed") == told(wrote, "wrote")
    assert [each.name for each in there.iterdir()] == ["theirs"]


@pytest.mark.parametrize("settings", [None, "{", "[]", '{"current": 3}', '{"current": "a/b"}'])
def test_alfred_where_it_always_is(
    tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str | None
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path))
    support = tmp_path / "Library/Application Support/Alfred"
    if settings is not None:
        support.mkdir(parents=True)
        (support / "prefs.json").write_text(settings)
    wrote = told(tempo("plugins", "install", "alfred"), "wrote")
    workflows = support / "Alfred.alfredpreferences/workflows"
    assert {path.parent.parent for path in wrote} == {workflows}
    tempo("plugins", "remove", "alfred")
    assert list(workflows.iterdir()) == []


def test_alfred_where_its_settings_are_synchronised_to(
    tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path))
    support = tmp_path / "Library/Application Support/Alfred"
    support.mkdir(parents=True)
    (support / "prefs.json").write_text('{"current": "~/Sync/Alfred.alfredpreferences"}')
    wrote = told(tempo("plugins", "install", "alfred"), "wrote")
    place = tmp_path / "Sync/Alfred.alfredpreferences/workflows"
    assert {path.parent.parent for path in wrote} == {place}


def test_mistakes_are_one_line(tempo: Tempo, tmp_path: Path) -> None:
    assert (
        "plugin 'cosmic' must be one of gnome, krunner"
        in tempo("plugins", "install", "cosmic").error
    )
    (tmp_path / "data").write_text("a file")
    assert "can't be written: Not a directory" in tempo("plugins", "install", "albert").error


def test_nothing_half_written_stays(
    tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    assert "No space left" in tempo("plugins", "install", "albert").error
    assert files(tmp_path / "data") == set()


@pytest.fixture
def odd_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This Python, at a path that wants quoting in each of the formats."""
    path = tmp_path / "py th'on \"$HOME`\\n \\ %f 100%" / "python"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def test_the_bus_starts_a_python_at_any_path(
    odd_python: Path, tempo: Tempo, bus: Bus, service: Service
) -> None:
    tempo("plugins", "install", "krunner")
    service.found(moment("/v/a.mp4"))
    place = ("org.tempoedge.KRunner", "/org/tempoedge/KRunner", "org.kde.krunner1")
    assert len(bus.call(*place, "Match", "s", "a dog")) == 1


@pytest.mark.skipif(shutil.which("gio") is None, reason="gio is not installed")
def test_desktops_start_a_program_at_any_path(tmp_path: Path, own_home: dict[str, str]) -> None:
    """By GLib's own reading of a desktop entry, which looks for a program of per cent signs as it
    is written, doubled."""
    notes = Notes(tmp_path / "py th'on \"$HOME`\\n \\")
    notes.add("python")
    entry = tmp_path / "x.desktop"
    command = [str(notes.folder / "python"), "-m", '50% "off" $x `y` \\ z', ""]
    values = {"Type": "Application", "Name": "x", "Exec": desktop_exec(command)}
    entry.write_bytes(ini("Desktop Entry", values))
    subprocess.run(["gio", "launch", str(entry)], env=own_home, check=True, timeout=PATIENCE)
    assert notes.taken("python") == command[1:]


def test_files_of_one_line_a_value() -> None:
    with pytest.raises(ValueError, match="Exec 'a\\\\nb' must be one line"):
        ini("Desktop Entry", {"Exec": "a\nb"})
    assert service_exec(["/a b", "c'd"]) == "'/a b' 'c'\\\\''d'"


def test_every_plugin_has_a_line_of_its_own_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert (
        all(f"| `{name}` |" in text for name in (plugin.name for plugin in PLUGINS))
        and "tempo-edge mcp" in text
    )
    assert find("gnome").program in text


@pytest.mark.parametrize("name", ["gnome", "krunner"])
def test_what_could_not_run_is_not_installed(
    tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda module: None if module == "dbus_fast" else there(module)
    )
    said = tempo("plugins", "install", name)
    mend = 'dbus-fast is not installed: pip install ".[desktop]"'
    assert said.error == f"plugin {name} can't run: {mend}"
    assert said.status == 2 and files(tmp_path) == set()
    assert tempo("plugins", "install", "albert").status == 0
    assert tempo("plugins", "remove", name).status == 0
