"""Scripts for players, put in their place and taken away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tempo_plugins import players
from tempo_plugins.installing import install, remove, state
from tempo_plugins.offered import find

from tempo_edge.errors import TempoEdgeError

SCRIPTS = Path(players.__file__).parents[1]
NAMES = [plugin.name for plugin in players.PLAYER_PLUGINS]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MPV_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("mpv", ".config/mpv/scripts/tempo-edge.lua"),
        ("vlc", ".local/share/vlc/lua/extensions/tempo-edge.lua"),
    ],
)
def test_a_script_comes_and_goes(home: Path, name: str, place: str) -> None:
    plugin = find(name)
    assert state(plugin) == "not installed"
    assert install(plugin).files == (home / place,)
    assert (home / place).read_bytes() == (SCRIPTS / name / "tempo-edge.lua").read_bytes()
    assert [path.name for path in (home / place).parent.iterdir()] == ["tempo-edge.lua"]
    assert state(plugin) == "installed"
    (home / place).write_text("-- tempo-edge: an older one")
    assert state(plugin).startswith("outdated")
    install(plugin)
    assert (home / place).read_bytes() == (SCRIPTS / name / "tempo-edge.lua").read_bytes()
    assert remove(plugin).files == (home / place,)
    assert remove(plugin).files == ()


def test_folders_that_are_named_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def placed(name: str) -> Path:
        (path,) = install(find(name)).files
        return path

    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "conf"))
    monkeypatch.setenv("XDG_DATA_HOME", "relative, so left out")
    assert placed("mpv") == home / "conf/mpv/scripts/tempo-edge.lua"
    assert placed("vlc") == home / ".local/share/vlc/lua/extensions/tempo-edge.lua"
    monkeypatch.setenv("MPV_HOME", str(home / "mine"))
    assert placed("mpv") == home / "mine/scripts/tempo-edge.lua"
    assert install(find("mpv"), into=home / "there").files == (home / "there/tempo-edge.lua",)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_not_ours_is_left_alone(home: Path, name: str) -> None:
    (place,) = install(find(name)).files
    place.write_text("-- mine")
    for change in (install, remove):
        with pytest.raises(TempoEdgeError) as caught:
            change(find(name))
        assert str(caught.value) == f"{place} is not tempo-edge's: move it away first"
    assert place.read_text() == "-- mine"


def test_failures_are_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".config").touch()
    with pytest.raises(TempoEdgeError, match=r"tempo-edge\.lua can't be read: Not a directory$"):
        install(find("mpv"))


def test_scripts_say_nothing_of_this_machine() -> None:
    for name in NAMES:
        text = (SCRIPTS / name / "tempo-edge.lua").read_text(encoding="utf-8")
        assert os.sep + "home" not in text and os.sep + "work" not in text
