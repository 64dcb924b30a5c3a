"""A real mpv, without a window or sound, over its socket: the script, and films of moments."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, wait_until
from subtitled import srt
from tempo_plugins import players
from videos import make_video, numbered, read_number, texture

import tempo_edge
from tempo_edge import player
from tempo_edge.moment import Span

MPV = shutil.which("mpv")
pytestmark = pytest.mark.skipif(MPV is None, reason="mpv is not installed")

SCRIPT = Path(players.__file__).parents[1] / "mpv" / "tempo-edge.lua"
HEADLESS = ("--no-config", "--load-scripts=no", "--vo=null", "--ao=null", "--idle", "--pause")


class Mpv:
    """A running player."""

    def __init__(self, stream: socket.socket, log: Path) -> None:
        self._file = stream.makefile("rw", encoding="utf-8", errors="surrogateescape")
        self._count = 0
        self._log = log

    def ask(self, *command: object) -> dict[str, Any]:
        self._count += 1
        request = {"command": command, "request_id": self._count}
        self._file.write(json.dumps(request, ensure_ascii=False) + "\n")
        self._file.flush()
        for line in self._file:
            answer: dict[str, Any] = json.loads(line)
            if answer.get("request_id") == self._count and "error" in answer:
                return answer
        raise AssertionError("mpv has gone")

    def get(self, name: str) -> Any:
        return self.ask("get_property", name).get("data")

    def wait_for(self, *lines: str) -> None:
        """Wait until the script has said these lines."""

        def heard() -> bool:
            said = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
            told = [line.partition("[tempo_edge] ")[2].rstrip() for line in said]
            return all(line in told for line in lines)

        wait_until(heard)

    def seek(self, seconds: float) -> None:
        """Go there, once the first picture is up: until then a seek may be lost."""
        wait_until(lambda: self.get("time-pos") is not None and not self.get("seeking"))
        assert self.ask("seek", seconds, "absolute+exact")["error"] == "success"
        wait_until(lambda: self.near(seconds))

    def near(self, seconds: float) -> bool:
        at = self.get("time-pos")
        return at is not None and abs(at - seconds) < 0.06 and not self.get("seeking")


@contextmanager
def running(*arguments: str, **more: Any) -> Iterator[Mpv]:
    assert MPV is not None
    # Not in pytest's folder: the name of a socket must be short.
    with tempfile.TemporaryDirectory() as folder:
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        place = Path(folder) / "s"
        log = Path(folder) / "log"
        command = [MPV, *HEADLESS, f"--input-ipc-server={place}", f"--log-file={log}", *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
        )
        try:
            wait_until(place.exists)
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(PATIENCE)
                wait_until(lambda: stream.connect_ex(str(place)) == 0)
                yield Mpv(stream, log)
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def search(programs: Path, film: Path, environment: dict[str, str]) -> Callable[..., Any]:
    """A player with the script, and the film in it."""

    def start(*arguments: str, path: Path = film) -> Any:
        return running(
            f"--script={SCRIPT}",
            "--script-opts=tempo-edge-min_confidence=0",
            *arguments,
            "--",
            str(path),
            cwd=programs,
            env={**environment, "PATH": f"{programs}:{environment['PATH']}"},
        )

    return start


@pytest.fixture
def truth(programs: Path, film: Path) -> list[dict[str, Any]]:
    """What the command line finds for the same words."""
    run = subprocess.run(
        [programs / "tempo-edge", "find", "clouds", "--json", "--min-confidence", "0"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert rows and {row["path"] for row in rows} == {str(film)}
    return rows


def has_input() -> bool:
    """Whether this mpv can ask: from 0.38 on."""
    assert MPV is not None
    shown = subprocess.run([MPV, "--version"], capture_output=True, text=True, check=True).stdout
    words = shown.split()[1].removeprefix("v").split(".")
    return (int(words[0]), int(words[1])) >= (0, 38)


def test_a_search_jumps_to_the_best_moment(search: Any, truth: list[dict[str, Any]]) -> None:
    with search() as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.seek(11.5)
        mpv.ask("script-message", "tempo-edge-find", "clouds")
        wait_until(lambda: mpv.near(truth[0]["start_seconds"]))
        assert mpv.get("ab-loop-a") == "no"
        mpv.ask("script-binding", "tempo_edge/loop")
        wait_until(lambda: mpv.get("ab-loop-b") != "no")
        assert mpv.get("ab-loop-a") == pytest.approx(truth[0]["start_seconds"])
        assert mpv.get("ab-loop-b") == pytest.approx(truth[0]["end_seconds"])
        for _ in truth:  # once around, the loop follows
            mpv.ask("script-binding", "tempo_edge/next")
        mpv.ask("script-message", "tempo-edge-jump", str(len(truth)))
        wait_until(lambda: mpv.near(truth[-1]["start_seconds"]))
        assert mpv.get("ab-loop-b") == pytest.approx(truth[-1]["end_seconds"])
        mpv.ask("script-binding", "tempo_edge/next")
        wait_until(lambda: mpv.near(truth[0]["start_seconds"]))
        mpv.ask("script-binding", "tempo_edge/loop")
        wait_until(lambda: mpv.get("ab-loop-a") == "no")


def test_nothing_of_a_name_or_query_is_run(search: Any, programs: Path, film: Path) -> None:
    with search() as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.seek(11.5)
        mpv.ask("script-message", "tempo-edge-find", "--help $(touch y) '; touch z")
        wait_until(lambda: not mpv.near(11.5))
    assert [path.name for path in programs.iterdir()] == ["tempo-edge"]
    assert {path.name for path in film.parent.iterdir()} >= {film.name}
    assert not any((film.parent / name).exists() for name in "xyz")


def test_another_library(search: Any, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.mkv"
    shots = [(texture(1), 2), (texture(2), 2)]
    make_video(path, shots=shots, size=(96, 64), rate=Fraction(10))
    path.with_suffix(".srt").write_text(srt([(2.0, 3.0, "I'm so sorry")]), encoding="utf-8")
    with tempo_edge.Library.open(tmp_path / "library.db") as library:
        library.index(path)
        best = library.find("so sorry", min_confidence=0).moments[0]
    assert (best.start_seconds, best.cue_seconds) == (2.0, 1.5)
    option = f"--script-opts-append=tempo-edge-library={tmp_path / 'library.db'}"
    with search(option, path=path) as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.seek(3.5)
        mpv.ask("script-message", "tempo-edge-find", "so sorry")
        wait_until(lambda: mpv.near(best.cue_seconds))
        mpv.ask("script-binding", "tempo_edge/loop")
        wait_until(lambda: mpv.get("ab-loop-b") != "no")
        assert mpv.get("ab-loop-a") == pytest.approx(best.cue_seconds, abs=0.001)
        assert mpv.get("ab-loop-b") == pytest.approx(best.end_seconds, abs=0.001)


def is_asking(mpv: Mpv) -> bool:
    """Whether the keys that are pressed next are all the console's."""
    bound = {b["key"] for b in mpv.get("input-bindings") if "console" in b["cmd"]}
    return {"ENTER", "DOWN", "ANY_UNICODE"} <= bound


def state(mpv: Mpv) -> Any:
    return (mpv.get("user-data/tempo-edge") or {}).get("state")


@pytest.mark.skipif(MPV is not None and not has_input(), reason="this mpv is older than 0.38")
def test_the_key_asks_lists_and_jumps(search: Any, truth: list[dict[str, Any]]) -> None:
    with search() as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.seek(11.5)
        mpv.ask("keypress", "Ctrl+f")
        wait_until(lambda: is_asking(mpv))
        for letter in "clouds":
            mpv.ask("keypress", letter)
        mpv.ask("keypress", "ENTER")
        wait_until(lambda: not is_asking(mpv))
        wait_until(lambda: state(mpv) == "found")
        wait_until(lambda: mpv.near(truth[0]["start_seconds"]))
        found = mpv.get("user-data/tempo-edge/moments")
        assert [row["start_seconds"] for row in found] == [row["start_seconds"] for row in truth]
        if len(truth) > 1:
            wait_until(lambda: is_asking(mpv))
            mpv.ask("keypress", "DOWN")
            mpv.ask("keypress", "ENTER")
            wait_until(lambda: mpv.near(truth[1]["start_seconds"]))


# What mpv calls its console from 0.38 on, by messages to the script instead of keys.
CONSOLE = """
local mp, msg = require "mp", require "mp.msg"
package.preload["mp.input"] = function()
    return {
        get = function(asked)
            msg.info("asks: " .. asked.prompt)
            mp.register_script_message("typed", asked.submit)
        end,
        select = function(asked)
            msg.info("lists: " .. #asked.items .. " from " .. asked.default_item)
            mp.register_script_message("chosen", function(text) asked.submit(tonumber(text)) end)
        end,
        terminate = function() msg.info("asks no more") end,
    }
end
dofile("{script}")
"""


def test_with_a_console_it_asks_lists_and_jumps(
    search: Any, truth: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped = tmp_path / "tempo-edge.lua"
    wrapped.write_text(CONSOLE.replace("{script}", str(SCRIPT)))
    monkeypatch.setattr(sys.modules[__name__], "SCRIPT", wrapped)
    with search() as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.seek(11.5)
        mpv.ask("keypress", "Ctrl+f")
        mpv.wait_for("asks: Find in this file:")
        mpv.ask("script-message", "typed", "clouds")
        mpv.wait_for("asks no more", "looking for clouds", f"lists: {len(truth)} from 1")
        wait_until(lambda: mpv.near(truth[0]["start_seconds"]))
        mpv.ask("script-message", "chosen", str(len(truth)))
        wait_until(lambda: mpv.near(truth[-1]["start_seconds"]))
        mpv.ask("keypress", "Alt+f")
        mpv.wait_for(f"lists: {len(truth)} from {len(truth)}")


@pytest.mark.skipif(MPV is not None and has_input(), reason="this mpv has a console, from 0.38 on")
def test_without_a_console_the_key_says_what_to_type(search: Any) -> None:
    with search() as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.ask("keypress", "Ctrl+f")
        mpv.wait_for(
            "needs mpv 0.38: or type `script-message tempo-edge-find WORDS` in the console"
        )


def test_what_goes_wrong_is_told(search: Any, tmp_path: Path) -> None:
    with search("--script-opts-append=tempo-edge-min_confidence=1") as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.ask("script-message", "tempo-edge-find", "clouds")
        mpv.wait_for("nothing matches")
    with search("--script-opts-append=tempo-edge-command=/nowhere/tempo-edge") as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.ask("script-message", "tempo-edge-find", "clouds")
        mpv.wait_for("tempo-edge can't be started: is /nowhere/tempo-edge in your PATH?")
    other = make_video(tmp_path / "not indexed.mp4", size=(64, 48))
    with search(path=other.path) as mpv:
        wait_until(lambda: mpv.get("duration"))
        mpv.ask("script-message", "tempo-edge-find", "clouds")
        where = f"at or under {other.path}: index it, or name another path"
        mpv.wait_for(f"tempo-edge: the library holds no footage {where}")
        mpv.ask("stop")
        wait_until(lambda: mpv.get("path") is None)
        mpv.ask("script-message", "tempo-edge-find", "clouds")
        mpv.wait_for("tempo-edge: nothing is open")


# -- a film of moments -------------------------------------------------------------------------

NAMES = [
    "line\nend.mp4",
    "a,b;c%3%.mp4",
    "-dash #!.mp4",
    "שלום \u202e.mp4",
    os.fsdecode(b"\xff.mp4"),
]


def test_moments_are_one_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for name in NAMES:
        truth = make_video(tmp_path / "a.mp4", shots=[(numbered(), 3)], size=(192, 108), gop=25)
        paths.append(truth.path.rename(tmp_path / name))
    starts = [0.4, 1.0, 2.0, 0.0, 1.2]
    moments = [(path, Span(s, s + 0.8)) for path, s in zip(paths, starts, strict=True)]
    commands: list[tuple[list[str], bytes]] = []

    def caught(command: list[str], *, stdin: int, **how: Any) -> None:
        with os.fdopen(os.dup(stdin), "rb") as listed:
            commands.append((command, listed.read()))

    with monkeypatch.context() as patch:
        patch.setattr(player.subprocess, "Popen", caught)  # type: ignore[attr-defined]
        player.play_all(moments)
    ((command, listed),) = commands
    assert command == [MPV, "--really-quiet", "--", "-"]
    assert listed == player.edit_list(moments)
    with tempfile.TemporaryFile() as stdin:
        stdin.write(listed)
        stdin.seek(0)
        with running("--screenshot-format=png", "--", "-", stdin=stdin) as mpv:
            wait_until(lambda: mpv.get("duration"))
            assert mpv.get("duration") == pytest.approx(4.0, abs=0.01)
            wait_until(lambda: len(mpv.get("chapter-list")) == len(moments))
            chapters = mpv.get("chapter-list")
            assert [chapter["time"] for chapter in chapters] == pytest.approx(
                [0, 0.8, 1.6, 2.4, 3.2]
            )
            assert [chapter["title"] for chapter in chapters][:4] == NAMES[:4]
            for at, start in enumerate(starts):
                mpv.seek(0.8 * at + 0.2)
                shot = tmp_path / f"{at}.png"
                mpv.ask("screenshot-to-file", str(shot), "video")
                assert shown(shot) == round((start + 0.2) * 25)


def shown(picture: Path) -> int:
    import av

    with av.open(str(picture)) as container:
        return read_number(next(container.decode(video=0)).reformat(format="gray").to_ndarray())


def test_one_moment_is_a_film_too(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", rate=Fraction(25), size=(64, 48))
    listed = player.edit_list([(truth.path, Span(0.2, 0.5))]).decode()
    name = str(truth.path)
    assert listed == (
        f"# mpv EDL v0\n%{len(name)}%{name},start=0.200000,length=0.300000,title=%5%a.mp4\n"
    )
