"""A real browser without a window, driven over its DevTools protocol through a pair of pipes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Condition, Thread
from typing import Any

from harness import PATIENCE

__all__ = ["Browser", "NavigatedError", "Page", "browser_program"]

# The names of Chromium and what is built from it; `npx playwright install chromium` gives one too.
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# The browser reads commands from descriptor 3 and answers on 4. They are put there by a process in
# between, because whoever forks with threads about may do next to nothing before it executes.
_PLUG = (
    "import os, sys; a, b = int(sys.argv[1]), int(sys.argv[2]); "
    "a, b = os.dup(a), os.dup(b); import fcntl; "
    "a, b = fcntl.fcntl(a, fcntl.F_DUPFD, 10), fcntl.fcntl(b, fcntl.F_DUPFD, 10); "
    "os.dup2(a, 3); os.dup2(b, 4); os.execv(sys.argv[3], sys.argv[3:])"
)

_KEYS = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, ""),
    "Backspace": (8, ""),
    "Delete": (46, ""),
    " ": (32, " "),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
}
_MODIFIERS = {"Shift": 8}

# What the browser says when a page makes way for another one while a script is at work there.
_LEFT = ("navigated or closed", "context was destroyed", "Cannot find context")


class NavigatedError(AssertionError):
    """A page was left before it could answer."""


def browser_program() -> str | None:
    """The browser to test with: ``$TEMPO_EDGE_BROWSER``, or one on the path; None without any."""
    named = os.environ.get("TEMPO_EDGE_BROWSER")
    found = (shutil.which(name) for name in ([named] if named else _PROGRAMS))
    return next((path for path in found if path), None)


class Browser:
    """A browser process with a profile of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        down, self._commands = os.pipe()
        self._answers, up = os.pipe()
        options = [
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
            "--no-sandbox",  # the tests may run as root, which its sandbox refuses
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            # A mouse, which a machine without a screen seldom has.
            "--blink-settings=primaryHoverType=2,availableHoverTypes=2,"
            "primaryPointerType=4,availablePointerTypes=4",
            "--lang=en",
            "about:blank",
        ]
        plug = [sys.executable, "-c", _PLUG, str(down), str(up), program, *options]
        with Path(folder.parent / "browser.log").open("wb") as log:
            self._process = subprocess.Popen(plug, pass_fds=(down, up), stdout=log, stderr=log)
        os.close(down)
        os.close(up)
        self._told = Condition()
        self._replies: dict[int, dict[str, Any]] = {}
        self._events: list[dict[str, Any]] = []
        self._last = 0
        self._ended = False
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        held = b""
        while chunk := os.read(self._answers, 1 << 20):
            *whole, held = (held + chunk).split(b"\0")
            with self._told:
                for text in whole:
                    said = json.loads(text)
                    if "id" in said:
                        self._replies[said["id"]] = said
                    else:
                        self._events.append(said)
                self._told.notify_all()
        with self._told:
            self._ended = True
            self._told.notify_all()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer.

        Raises:
            NavigatedError: the page left for another one before it could answer.
            AssertionError: the browser refused it, did not answer, or is gone.
        """
        self._last += 1
        number = self._last
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        with self._told:
            self._told.wait_for(lambda: number in self._replies or self._ended, timeout=PATIENCE)
            assert number in self._replies, f"{method}: no answer from the browser"
            reply = self._replies.pop(number)
        if "error" in reply:
            said = f"{method}: {reply['error']}"
            left = any(words in said for words in _LEFT)
            raise NavigatedError(said) if left else AssertionError(said)
        result: dict[str, Any] = reply["result"]
        return result

    def events(self, session: str, method: str) -> list[dict[str, Any]]:
        """What was told so far of one kind, in order."""
        with self._told:
            said = [e for e in self._events if e["method"] == method]
        return [e["params"] for e in said if e.get("sessionId") == session]

    @contextmanager
    def page(self, *, width: int = 1280, height: int = 800) -> Iterator[Page]:
        """A page in a context of its own: no cookie, nothing kept."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"], context)
        page.resize(width, height)
        try:
            yield page
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=context)

    def close(self) -> None:
        """End the browser."""
        self.call("Browser.close")
        self._process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        os.close(self._commands)
        os.close(self._answers)


class Page:
    """One page: what a person sees of it and does to it."""

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser, self._session, self.context = browser, session, context
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command to this page's session."""
        return self._browser.call(method, self._session, **parameters)

    def events(self, method: str) -> list[dict[str, Any]]:
        """What this page told so far of one kind."""
        return self._browser.events(self._session, method)

    def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        """Give the view a size in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )

    def prefer(self, **features: str) -> None:
        """Set what the system prefers: ``prefer(prefers_color_scheme="dark")``."""
        told = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.call("Emulation.setEmulatedMedia", features=told)
        # Style follows at once, but scripts are told only before the next picture is painted.
        self.look("new Promise((painted) => requestAnimationFrame(painted))")

    def open(self, url: str) -> None:
        """Load an address, from nothing and not from a step on the same page; wait until it is."""
        for each in ("about:blank", url):
            before = len(self.events("Page.loadEventFired"))
            said = self.call("Page.navigate", url=each)
            assert "errorText" not in said, said
            self._until(partial(self._loaded, before), f"load of {each}")

    def _loaded(self, before: int) -> bool:
        return len(self.events("Page.loadEventFired")) > before

    def look(self, script: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        said = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def until(self, script: str) -> Any:
        """Look until an expression is true, on whichever page a step leads to; its value.

        Raises:
            AssertionError: it never became so.
        """

        def value() -> Any:
            with suppress(NavigatedError):
                return self.look(script)

        return self._until(value, script)

    def _until(self, true: Callable[[], Any], what: str) -> Any:
        ends = time.monotonic() + PATIENCE
        while not (value := true()):
            assert time.monotonic() < ends, f"waited in vain for: {what}"
            time.sleep(0.02)
        return value

    def text(self, selector: str) -> str:
        """The visible text of the first element that matches."""
        found = self.look(f"document.querySelector({json.dumps(selector)}).innerText")
        assert isinstance(found, str)
        return found

    def type(self, text: str, pause_seconds: float = 0.0) -> None:
        """Type into what has the focus, key by key."""
        for character in text:
            time.sleep(pause_seconds)
            self.call("Input.dispatchKeyEvent", type="char", text=character)

    def press(self, *keys: str) -> None:
        """Press keys one after another; ``"Shift+Tab"`` holds one meanwhile."""
        for each in keys:
            *held, key = each.split("+") if each != "+" else [each]
            code, text = _KEYS.get(key, (ord(key[0].upper()), key))
            told: dict[str, Any] = {
                "key": key,
                "code": "Space" if key == " " else key if len(key) > 1 else "",
                "windowsVirtualKeyCode": code,
                "modifiers": sum(_MODIFIERS[name] for name in held),
            }
            down = {**told, "text": text} if text else told
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
            self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def place(self, selector: str, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
        """A point in the first element that matches, scrolled into view; in CSS pixels."""
        box = self.look(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()"
        )
        return box[0] + across * box[2], box[1] + down * box[3]

    def hover(self, selector: str, across: float = 0.5) -> None:
        """Move the mouse onto an element."""
        x, y = self.place(selector, across)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector: str, across: float = 0.5) -> None:
        """Click an element with the mouse."""
        x, y = self.place(selector, across)
        told = {"x": x, "y": y, "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", **told)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **told)

    def errors(self) -> list[str]:
        """What the console holds of errors and warnings, and what scripts threw."""
        log = [e["entry"] for e in self.events("Log.entryAdded")]
        said = [
            f"{e['text']} {e.get('url', '')}" for e in log if e["level"] in ("error", "warning")
        ]
        thrown = [e["exceptionDetails"] for e in self.events("Runtime.exceptionThrown")]
        said += [e.get("exception", {}).get("description", e["text"]) for e in thrown]
        return said

    def screenshot(self, path: Path) -> None:
        """Save what is seen as a PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))
