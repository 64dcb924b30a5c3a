"""A moment's ways out of the page: a clip on disk, its path, and the person's own player."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from browser import Browser, Page
from harness import wait_until
from serving import Service

PLAYING = "document.querySelector('#video').currentTime > 0"


@pytest.fixture
def old(search: Callable[[str], None], page: Page, service: Service) -> dict[str, Any]:
    """A moment that the browser has no decoder for, opened."""
    search("a man in a suit")
    found = service.ask("v1/find", q="a man in a suit", limit="24")["moments"]
    moment: dict[str, Any] = next(m for m in found if m["name"] == "old.avi")
    span = f"{moment['start_seconds']:.3f}-{moment['end_seconds']:.3f}"
    page.click(f"[data-key='{moment['video']}:{span}'] .open")
    page.until("document.querySelector('#still').naturalWidth > 0")
    return moment


def test_a_clip_is_saved(page: Page, browser: Browser, old: dict[str, Any], tmp_path: Path) -> None:
    browser.call(
        "Browser.setDownloadBehavior",
        behavior="allow",
        downloadPath=str(tmp_path),
        browserContextId=page.context,
    )
    page.click("#way-clip")
    page.until("document.querySelector('#way-words').textContent === 'Clip saved'")
    start, end = old["start_seconds"], old["end_seconds"]
    clip = tmp_path / f"old.{start:.2f}-{end:.2f}.mp4"
    wait_until(clip.exists)
    with av.open(str(clip)) as container:
        count = len(list(container.decode(video=0)))
    assert count == pytest.approx((end - start) * 25, abs=1.5)


def test_the_path_is_copied(page: Page, browser: Browser, old: dict[str, Any]) -> None:
    browser.call(
        "Browser.grantPermissions",
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
        browserContextId=page.context,
    )
    page.click("#way-path")
    page.until("document.querySelector('#way-words').textContent === 'Path copied'")
    assert page.look("navigator.clipboard.readText()") == old["path"]


def test_no_player_here(page: Page, old: dict[str, Any]) -> None:
    assert not page.look("document.querySelector('#way-mpv').checkVisibility()")
    assert "mpv" not in page.text("#player-words")


@pytest.fixture
def screen(shown: Path, tmp_path: Path) -> Iterator[Service]:
    """A service on a machine with a screen and an mpv that notes what it is asked for."""
    noted = tmp_path / "noted"
    program = tmp_path / "mpv"
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {noted}.part; mv {noted}.part {noted}; exec sleep 1\n'
    )
    program.chmod(0o755)
    running = Service(shown, PATH=f"{tmp_path}:{os.environ['PATH']}", DISPLAY=":99")
    yield running
    running.close()


def test_it_is_opened_in_mpv(browser: Browser, screen: Service, tmp_path: Path) -> None:
    videos = {video["name"]: video for video in screen.ask("v1/videos")}
    with browser.page() as page:
        page.open(screen.door)
        page.until("document.querySelectorAll('.card').length > 0")
        page.until("!document.querySelector('#way-mpv').hidden")
        summer = videos["summer.mp4"]
        page.look(f"location.hash = 'play={summer['id']}:3-6'")
        page.until("document.querySelector('#player').open")
        page.until(PLAYING)
        page.click("#way-mpv")
        wait_until((tmp_path / "noted").exists)
        quiet, start, dashes, path = (tmp_path / "noted").read_text().splitlines()
        assert (quiet, dashes, path) == ("--really-quiet", "--", summer["path"])
        assert 3 <= float(start.removeprefix("--start=")) < 9
        page.until("document.querySelector('#way-words').textContent === 'Opened in mpv'")
        assert page.look("document.querySelector('#video').paused"), "not both at once"
        page.open(f"{screen.address}#play={videos['old.avi']['id']}:0-1")
        page.until("document.querySelector('#still').naturalWidth > 0")
        assert "or open it in mpv" in page.text("#player-words")
        assert page.errors() == []
