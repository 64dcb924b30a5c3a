"""VLC's extension: its quoting through a real shell, and its search inside a real VLC."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tempo_plugins import players

LUA = shutil.which("lua5.1")
CVLC = shutil.which("cvlc")
EXTENSION = Path(players.__file__).parents[1] / "vlc" / "tempo-edge.lua"

needs_lua = pytest.mark.skipif(LUA is None, reason="lua5.1 is not installed")
needs_vlc = pytest.mark.skipif(CVLC is None, reason="VLC is not installed")

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]

HOSTILE = [
    b"it's", b"''", b"'", b"$(touch x)", b"`touch x`", b"a\nb", b"\n", b"", b"-rf", b"--", b"~",
    b"%s%n", b"a;b|c&d>e<f", b"\\", b"\\'", b'"', b"!!", b"*?[a]", b"{a,b}", b"#x", b"$HOME",
    b"\xff\xfe", b"\x01\x7f", b"\r\n", "שלום \u202e".encode(), b"' ; touch x ; '",
]  # fmt: skip

QUOTE = """
dofile(arg[1])
io.write(quote(arg[2]))
"""

READ = """
dofile(arg[1])
local found, why = read_answer(io.read("*a"))
if found then
    for _, m in ipairs(found) do print(m.first, m.after, m.likely, m.cue) end
else
    print(why)
end
"""


def lua(program: str, *arguments: bytes, said: bytes = b"") -> bytes:
    assert LUA is not None
    command = [os.fsencode(LUA), b"-", os.fsencode(EXTENSION), *arguments]
    if said:  # the interpreter's own input is taken by what is to be read
        command[1:2] = [b"-e", f"arg = {{[1] = {json.dumps(str(EXTENSION))}}}{program}".encode()]
        command = command[:3]
    run = subprocess.run(command, input=said or program.encode(), capture_output=True, check=True)
    return run.stdout


def words(shell: str, quoted: bytes) -> list[bytes]:
    """What a program is given for a line of the shell's."""
    line = b"printf '%s\\0' begin " + quoted + b" end"
    run = subprocess.run([shell, "-c", line], capture_output=True, check=True)
    assert run.stderr == b""
    return run.stdout.split(b"\0")[1:-2]


@needs_lua
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("word", HOSTILE, ids=repr)
def test_a_quoted_word_is_one_word(shell: str, word: bytes) -> None:
    assert words(shell, lua(QUOTE, word)) == [word]


@needs_lua
@settings(max_examples=60)
@given(st.binary(max_size=40).map(lambda word: word.replace(b"\0", b"'")))
@example(b"'" * 40)
def test_any_bytes_are_one_word(word: bytes) -> None:
    assert words("sh", lua(QUOTE, word)) == [word]


@needs_lua
def test_a_nul_is_refused() -> None:
    """It would end the line."""
    program = "dofile(arg[1]) print(pcall(quote, 'a\\0b'))"
    said = lua(program)
    assert said.startswith(b"false") and b"can't hold a NUL byte" in said


ROW = {"path": 'a"start_seconds": 9, "end_seconds": 9.mp4', "start_seconds": 1.5}
ROW |= {"end_seconds": 62.25, "score": 1.0, "confidence": 0.75, "profile": "nano"}


@needs_lua
@pytest.mark.parametrize(
    ("output", "said"),
    [
        (json.dumps({**ROW, "cue_seconds": 1.25}) + "\n"
         + json.dumps({**ROW, "start_seconds": 0}) + "\n\n0\n",
         "1.5\t62.25\t0.75\t1.25\n0\t62.25\t0.75\tnil\n"),
        ('{"best_rejected": null}\n\n1\n', "Nothing matches.\n"),
        ("sh: 1: tempo-edge: not found\n\n127\n", "tempo-edge is not in your PATH.\n"),
        ("tempo-edge: error: the library holds no footage at or under /a\n\n2\n",
         "the library holds no footage at or under /a\n"),
        ("\n137\n", "tempo-edge could not be run.\n"),
    ],
)  # fmt: skip
def test_answers_are_read(output: str, said: str) -> None:
    assert lua(READ, said=output.encode()).decode() == said


@needs_lua
def test_it_compiles_and_says_what_it_is() -> None:
    said = lua("dofile(arg[1]) local d = descriptor() print(d.title, #d.capabilities)")
    assert said == b"tempo-edge\t0\n"


# As an interface, because VLC starts extensions from its menus alone; the functions and the Lua
# that they run in are the same.
DRIVER = """
dofile(os.getenv("EXTENSION"))
local function wait(true_now, seconds)
    local ends = vlc.misc.mdate() + seconds * 1000000
    while not true_now() do
        if vlc.misc.mdate() > ends then return end
        vlc.misc.mwait(vlc.misc.mdate() + 50000)
    end
end
local function playing() return vlc.input.is_playing() and vlc.object.input() end
local out = io.open(os.getenv("SAID"), "w")
wait(playing, 20)
out:write(tostring(open_file()), "\\0")
local found, why = find("clouds '$(touch x)'")
out:write(why or "", "\\0")
found = found or {}
found[#found + 1] = { first = 6 } -- whatever was found, one that is not the beginning
for _, moment in ipairs(found) do
    vlc.var.set(vlc.object.input(), "time", 11000000)
    jump(moment)
    local function there()
        local at = vlc.var.get(vlc.object.input(), "time") / 1000000
        return at >= moment.first - 0.2 and at < moment.first + 2
    end
    wait(there, 4) -- less than it takes to play from the beginning to there
    out:write(string.format("%s %s\\0", moment.first, tostring(there())))
end
out:close()
vlc.misc.quit()
"""


@needs_vlc
def test_inside_a_real_vlc(
    tmp_path_factory: pytest.TempPathFactory, film: Path, programs: Path
) -> None:
    folder = tmp_path_factory.mktemp("vlc")
    place = folder / "vlc" / "lua" / "intf" / "driver.lua"
    place.parent.mkdir(parents=True)
    place.write_text(DRIVER)
    program = folder / "tempo-edge"
    program.write_text(
        f'#!/bin/sh\nshift\nexec {programs}/tempo-edge find --min-confidence 0 "$@"\n'
    )
    program.chmod(0o755)
    said = folder / "said"
    names = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "EXTENSION": str(EXTENSION),
        "SAID": str(said),
    }
    command = ["-I", "luaintf", "--lua-intf", "driver", "--no-audio", "--vout", "dummy"]
    run = subprocess.run(
        [runnable(folder), *command, "--repeat", film.as_uri()],
        env=names,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.exists(), run.stderr
    path, why, *jumps, _ = said.read_bytes().split(b"\0")
    assert os.fsdecode(path) == str(film)
    assert why == b""
    found = subprocess.run(
        [program, "find", "--json", "clouds '$(touch x)'"], capture_output=True, check=True
    ).stdout.splitlines()
    starts = [json.loads(line)["start_seconds"] for line in found]
    assert starts and [float(jump.split()[0]) for jump in jumps] == [*starts, 6]
    assert all(jump.endswith(b" true") for jump in jumps), jumps
    assert not (folder / "x").exists()


def runnable(folder: Path) -> str:
    """VLC itself; for root, which it does not run for, a copy that asks another question."""
    assert CVLC is not None
    vlc = Path(CVLC).with_name("vlc")
    if os.geteuid() != 0:
        return str(vlc)
    copy = folder / "vlc-for-root"
    copy.write_bytes(vlc.read_bytes().replace(b"geteuid", b"getppid"))
    copy.chmod(0o755)
    return str(copy)
