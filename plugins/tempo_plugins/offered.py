"""Every plugin there is: one line each in the modules of their kind."""

from __future__ import annotations

from tempo_edge.errors import TempoEdgeError
from tempo_plugins.desktop.parts import DESKTOP_PLUGINS
from tempo_plugins.installing import Plugin
from tempo_plugins.players import PLAYER_PLUGINS

__all__ = ["PLUGINS", "find"]

#: In the order in which they are listed.
PLUGINS: tuple[Plugin, ...] = (*DESKTOP_PLUGINS, *PLAYER_PLUGINS)


def find(name: str) -> Plugin:
    """The plugin of that name.

    Raises:
        TempoEdgeError: there is none.
    """
    for plugin in PLUGINS:
        if plugin.name == name:
            return plugin
    names = ", ".join(plugin.name for plugin in PLUGINS)
    raise TempoEdgeError(f"plugin {name!r} must be one of {names}")
