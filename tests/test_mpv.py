"""Where mpv is looked for beside the path, on systems that these tests don't run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tempo_edge._system.mpv import find_mpv, has_screen, usual_places


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_it_is_found_at_a_usual_place(tmp_path: Path, platform: str) -> None:
    there = {"HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "PATH": str(tmp_path / "bin")}
    own = [each for each in usual_places(platform, there) if each.is_relative_to(tmp_path)]
    assert own and find_mpv(platform, there) is None
    for place in reversed(own):
        place.parent.mkdir(parents=True)
        place.write_text("#!/bin/sh\n")
        assert find_mpv(platform, there) != str(place), "it can't be run"
        place.chmod(0o755)
        assert find_mpv(platform, there) == str(place)
    (tmp_path / "bin").mkdir()
    first = tmp_path / "bin" / "mpv"
    first.write_text("#!/bin/sh\n")
    first.chmod(0o755)
    assert find_mpv(platform, there) == str(first), "what is on the path is meant"


def test_on_linux_there_is_the_path_alone() -> None:
    assert usual_places("linux", {"HOME": "/"}) == []


def test_a_screen() -> None:
    assert has_screen("darwin", {}) and has_screen("win32", {})
    assert not has_screen("linux", {"DISPLAY": ""})
    assert has_screen("linux", {"DISPLAY": ":0"}) and has_screen("linux", {"WAYLAND_DISPLAY": "w"})
