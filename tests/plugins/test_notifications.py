"""A saved search shows a moment on the desktop, on a real session bus."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from doors import Bus
from harness import PATIENCE, wait_until

pytest.importorskip("dbus_fast")

from tempo_plugins.desktop.bus import BusObject, Method, serve

from tempo_edge.saved.notification import notify
from tempo_edge.saved.told_moment import ToldMoment

NAME = "org.freedesktop.Notifications"
TOLD = ToldMoment(
    {
        "id": "7",
        "search": "dogs",
        "query": "a dog",
        "path": "/films/<b>\n.mp4",
        "start_seconds": 61.0,
        "end_seconds": 62.5,
        "confidence": 0.75,
        "text": "a & b",
    }
)


def test_a_moment_is_shown(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.environment["DBUS_SESSION_BUS_ADDRESS"])
    assert notify(TOLD).startswith("the desktop shows no notification: ")  # nobody is there yet
    shown: list[tuple[Any, ...]] = []

    def take(*given: Any) -> int:
        shown.append(given)
        return 1

    takes = ("s", "u", "s", "s", "s", "as", "a{sv}", "i")
    methods = {"Notify": Method(takes, "u", take)}
    desktop = BusObject(NAME, "/org/freedesktop/Notifications", NAME, methods)
    serving = Thread(target=serve, args=(desktop, 3.0), daemon=True)
    serving.start()
    wait_until(lambda: bus.has(NAME))
    assert notify(TOLD) == ""
    ((name, replaced, icon, title, body, actions, hints, _),) = shown
    assert (name, replaced, icon, title, actions) == (
        *("tempo-edge", 0, "video-x-generic", "dogs"),
        [],
    )
    assert body == "&lt;b&gt;\\n.mp4  01:01.0–01:02.5  0.75\na &amp; b"
    assert hints["x-tempo-edge-id"].value == "7"
    serving.join(PATIENCE)


def test_without_a_bus_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
    assert notify(TOLD).startswith("there is no session bus for a notification: ")
