"""A running `tempo-edge serve` of the tests' own."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import Page
from harness import PATIENCE, wait_until
from processes import Forked

__all__ = ["HOSTILE", "HOSTILE_LINE", "SEEN", "SETTLED", "Service", "answer_with"]

#: A name that is markup, an escape, a line break and text from right to left at once.
HOSTILE = "<img src=x onerror=alert(1)> & \"50%\" 'b'\nحفل.mp4"

#: A line of words that is markup, an escape, a bell and an override of the direction at once.
HOSTILE_LINE = (
    "<img src=y onerror=alert(2)> & <b>boat gangway</b> \x1b[31m\x07 \u202eevil &lt;i&gt;"
)

#: True once every picture that is in sight, of a file that is there, has been loaded.
SEEN = (
    "[...document.querySelectorAll('.frame:not(.gone) .picture, .chip-still[src]')]"
    ".every((e) => e.naturalWidth > 0 || !e.checkVisibility()"
    " || e.getBoundingClientRect().top > innerHeight)"
)

#: True once a thorough answer is shown.
SETTLED = (
    "document.querySelector('#results').getAttribute('aria-busy') === 'false' && "
    "/found|No moment/.test(document.querySelector('#count').textContent) && "
    "!document.querySelector('#count').textContent.includes('quick')"
)


class Service:
    """A running `tempo-edge serve`, and what it answers."""

    def __init__(self, library: Path, *arguments: str, **environment: str) -> None:
        self.library = library
        self._arguments = arguments
        self._environment = environment
        # Not below pytest's folder: a socket's path may be no longer than some hundred bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="tempo-edge-page-"))
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it; a second time on the port that it had."""
        home = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "data")}
        home |= {"XDG_CACHE_HOME": str(self.folder / "cache"), "PYTHONUNBUFFERED": "1"}
        home |= self._environment
        words = ["serve", "--always", "--library", self.library, "--port", str(self.port)]
        words += ["--socket", self.folder / "s.sock", *self._arguments]
        self.said = self.folder / "said"
        with self.said.open("wb") as said:
            there = said.fileno()
            self.process = Forked(words, {**os.environ, **home}, stdout=there, stderr=there)
        wait_until(lambda: self._address() is not None or self.process.poll() is not None)
        assert self.process.poll() is None, self.said.read_text()
        self.address = self._address() or ""
        self.port = int(self.address.rpartition(":")[2].rstrip("/"))
        self.token = (self.folder / "data" / "tempo-edge" / "token").read_text().strip()
        wait_until(self._answers)

    def _address(self) -> str | None:
        found = re.search(r"http://[\w.]+:\d+/", self.said.read_text())
        return None if found is None else found[0]

    def _answers(self) -> bool:
        try:
            self.ask("v1/status")
        except OSError:
            return False
        return True

    @property
    def door(self) -> str:
        """The address that signs a browser in."""
        return f"{self.address}?token={self.token}"

    def ask(self, path: str, **parameters: str) -> Any:
        """An answer of the service, without the page."""
        query = urllib.parse.urlencode(parameters)
        request = urllib.request.Request(
            f"{self.address}{path}?{query}", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def close(self) -> None:
        """End it and take its folder away."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


def answer_with(page: Page, status: int, body: Any, act: Callable[[], None]) -> None:
    """Let the next search be answered by a status of our choice."""
    page.call("Fetch.enable", patterns=[{"urlPattern": "*/v1/find?*"}])
    before = len(page.events("Fetch.requestPaused"))
    act()
    wait_until(lambda: len(page.events("Fetch.requestPaused")) > before)
    page.call(
        "Fetch.fulfillRequest",
        requestId=page.events("Fetch.requestPaused")[before]["requestId"],
        responseCode=status,
        responseHeaders=[{"name": "Content-Type", "value": "application/json"}],
        body=base64.b64encode(json.dumps(body).encode()).decode(),
    )
    page.call("Fetch.disable")
