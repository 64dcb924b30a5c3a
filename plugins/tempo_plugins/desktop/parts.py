"""Which files each desktop plugin is made of, and where its program looks for them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tempo_edge._version import __version__
from tempo_edge.errors import TempoEdgeError
from tempo_plugins.desktop.entries import desktop_exec, ini, service_exec
from tempo_plugins.desktop.macos_files import alfred_files, alfred_workflows, raycast_files
from tempo_plugins.installing import File, Plugin

__all__ = ["DESKTOP_PLUGINS", "SYSTEM_DATA"]

_FILES = Path(__file__).parent / "launcher-files"

# GNOME Shell reads providers from the system's data folders only; this is the one that belongs to
# the machine's owner and not to its package manager.
SYSTEM_DATA = Path("/usr/local/share")

_GNOME = "org.tempoedge.SearchProvider"
_GNOME_PATH = "/org/tempoedge/SearchProvider"
_KRUNNER = "org.tempoedge.KRunner"
_KRUNNER_PATH = "/org/tempoedge/KRunner"

_SYSTEMS = {"win32": "Windows", "darwin": "macOS"}


def _data() -> Path:
    from platformdirs import user_data_path

    return user_data_path()


def _run(module: str) -> list[str]:
    """Runs a module with this very Python."""
    return [sys.executable, "-m", f"tempo_plugins.desktop.{module}"]


def _icon() -> bytes:
    return (_FILES / "icon.png").read_bytes()


def _told(module: str) -> bytes:
    """What a plugin that runs in another Python must know: how this one is started."""
    path = os.environ.get("PYTHONPATH")
    facts = {"command": _run(module), "environment": {"PYTHONPATH": path} if path else {}}
    return json.dumps(facts, indent=1).encode() + b"\n"


def _gnome(into: Path | None) -> list[File]:
    data = into or _data()
    entry = {
        "Type": "Application",
        "Version": "1.5",
        "Name": "Moments in your videos",
        "Comment": "Find the second where something happens",
        "Icon": _GNOME,
        "Exec": desktop_exec(_run("page")),
        "Categories": "AudioVideo;Video;",
        "Keywords": "video;search;moment;",
        "StartupNotify": "false",
    }
    # The shell hides providers whose entry is hidden, so there is no NoDisplay here.
    provider = {
        "DesktopId": f"{_GNOME}.desktop",
        "BusName": _GNOME,
        "ObjectPath": _GNOME_PATH,
        "Version": "2",
    }
    return [
        File(data / "applications" / f"{_GNOME}.desktop", ini("Desktop Entry", entry)),
        _service(data, _GNOME, "gnome"),
        File(data / "icons/hicolor/256x256/apps" / f"{_GNOME}.png", _icon()),
        File(
            SYSTEM_DATA / "gnome-shell/search-providers" / f"{_GNOME}.ini",
            ini("Shell Search Provider", provider),
            needs_root=True,
        ),
    ]


def _krunner(into: Path | None) -> list[File]:
    data = into or _data()
    entry = {
        "Type": "Service",
        "Name": "Moments in your videos",
        "Comment": "Find the second where something happens",
        "Icon": "video-x-generic",
        "X-KDE-ServiceTypes": "Plasma/Runner",
        "X-KDE-PluginInfo-Name": "tempo-edge",
        "X-KDE-PluginInfo-Version": __version__,
        "X-KDE-PluginInfo-License": "Apache-2.0",
        "X-KDE-PluginInfo-EnabledByDefault": "true",
        "X-Plasma-API": "DBus",
        "X-Plasma-DBusRunner-Service": _KRUNNER,
        "X-Plasma-DBusRunner-Path": _KRUNNER_PATH,
        "X-Plasma-Request-Actions-Once": "true",
        "X-Plasma-Runner-Min-Letter-Count": "3",
        "X-Plasma-Runner-Syntaxes": ":q:",
        "X-Plasma-Runner-Syntax-Descriptions": "Moments in your videos where this is seen",
    }
    return [
        File(data / "krunner/dbusplugins/org.tempoedge.desktop", ini("Desktop Entry", entry)),
        _service(data, _KRUNNER, "krunner"),
    ]


def _service(data: Path, name: str, module: str) -> File:
    """Lets the session bus start a program when it is first called."""
    values = {"Name": name, "Exec": service_exec(_run(module))}
    return File(data / "dbus-1/services" / f"{name}.service", ini("D-BUS Service", values))


def _ulauncher(into: Path | None) -> list[File]:
    folder = (into or _data() / "ulauncher/extensions") / "tempo-edge"
    return [
        *_copied("ulauncher", folder, "manifest.json", "main.py"),
        File(folder / "images/icon.png", _icon(), own=folder),
        File(folder / "tempo-edge.json", _told("rows"), own=folder),
    ]


def _albert(into: Path | None) -> list[File]:
    folder = (into or _data() / "albert/python/plugins") / "tempo_edge_moments"
    return [
        *_copied("albert", folder, "__init__.py"),
        File(folder / "icon.png", _icon(), own=folder),
        File(folder / "tempo-edge.json", _told("rows"), own=folder),
    ]


def _flow(into: Path | None) -> list[File]:
    if into is None:
        _check_system("flow", "win32")
        settings = os.environ.get("APPDATA")
        if not settings:
            raise TempoEdgeError("plugin flow can't be placed, APPDATA is unset: use --into")
        into = Path(settings) / "FlowLauncher" / "Plugins"
    folder = into / "tempo-edge"
    return [
        *_copied("flow", folder, "plugin.json", "main.py"),
        File(folder / "icon.png", _icon(), own=folder),
        File(folder / "tempo-edge.json", _told("flow"), own=folder),
    ]


def _alfred(into: Path | None) -> list[File]:
    if into is None:
        _check_system("alfred", "darwin")
        into = alfred_workflows(Path.home())
    return alfred_files(into, _icon())


def _raycast(into: Path | None) -> list[File]:
    if into is not None:
        return raycast_files(into, _icon(), own=False)
    _check_system("raycast", "darwin")
    return raycast_files(_data() / "tempo-edge" / "raycast", _icon(), own=True)


def _check_system(plugin: str, platform: str) -> None:
    """Refuse to look for a program's folder where its system is another.

    Raises:
        TempoEdgeError: it is.
    """
    if sys.platform != platform:
        raise TempoEdgeError(
            f"plugin {plugin} is for {_SYSTEMS[platform]}, and this is {sys.platform}: "
            "name the folder that it is to be written to with --into"
        )


def _copied(name: str, folder: Path, *files: str) -> list[File]:
    return [File(folder / each, (_FILES / name / each).read_bytes(), own=folder) for each in files]


DESKTOP_PLUGINS = (
    Plugin("gnome", "GNOME Shell's search", _gnome, "log out and in again", "dbus_fast"),
    Plugin("krunner", "KDE's KRunner", _krunner, "run: kquitapp6 krunner", "dbus_fast"),
    Plugin("ulauncher", "Ulauncher 6", _ulauncher, "restart Ulauncher; its keyword is v"),
    Plugin("albert", "Albert 34 or later", _albert, "turn it on in Albert's settings, Plugins"),
    Plugin("flow", "Flow Launcher on Windows", _flow, "restart Flow Launcher; its keyword is v"),
    Plugin("alfred", "Alfred 5 on macOS", _alfred, "type v in Alfred, which wants its Powerpack"),
    Plugin(
        "raycast",
        "Raycast on macOS",
        _raycast,
        "in Raycast's settings, Extensions, Script Commands: add the folder of these files",
    ),
)
