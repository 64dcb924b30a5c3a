"""What a walk leaves out, and that a watcher judges each path as a walk does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tempo_edge._files.signatures import VIDEO_SUFFIXES
from tempo_edge.indexing.exclusion import Exclusion
from tempo_edge.indexing.selection import LEFT_OUT, PARTIAL, Selection
from tempo_edge.indexing.walk import find_footage

# Bytes of a transport stream's packet: its head, and a payload that says nothing.
PACKET = b"\x47\x40\x11\x10\x00" + bytes(range(183))

TYPESCRIPT = b"export const caf\xc3\xa9 = (n: number): number => n + 1;\n" * 40


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def taken(root: Path, *patterns: str) -> set[str]:
    """What a walk finds; checked against what a watcher says of every path on its own."""
    walked = find_footage(root, Selection(str(root), Exclusion(patterns)))
    found = {os.path.relpath(each.path, root) for each in walked}
    judged = Selection(str(root), Exclusion(patterns))
    for folder, folders, files in os.walk(root):
        for name in files:
            path = f"{folder}/{name}"
            reached = judged.reaches(path, folder=False)
            assert reached == (os.path.relpath(path, root) in found), path
        for name in folders:
            path = f"{folder}/{name}"
            inside = os.path.relpath(path, root) + "/"
            if any(each.startswith(inside) for each in found):
                assert judged.reaches(path, folder=True), path
    return found


def example(name: str) -> str:
    return name.replace("*", "1000")


@pytest.mark.parametrize("letters", [str, str.upper, str.lower, str.title])
@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_was_thrown_away_is_left_out(tmp_path: Path, name: str, letters: type[str]) -> None:
    folder = letters(example(name))
    path = touch(tmp_path / "in" / folder / "deep" / "a.mp4")
    touch(tmp_path / "in" / "kept.mp4")
    assert taken(tmp_path) == {"in/kept.mp4"}
    assert taken(tmp_path / "in" / folder) == {"deep/a.mp4"}, "asked for by name, it is walked"
    assert [f.path for f in find_footage(path, Selection(str(path), Exclusion()))] == [str(path)]


@pytest.mark.parametrize("name", [".trashed-1712345678-clip.mp4", ".PENDING-1712345678-clip.mp4"])
def test_phones_throw_away_by_name(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "DCIM" / name)
    assert taken(tmp_path) == set()


def test_the_trash_of_a_desktop(tmp_path: Path) -> None:
    touch(tmp_path / ".local/share/Trash/files/a.mp4")
    touch(tmp_path / "data/Trash/files/b.mp4")
    (tmp_path / "data/Trash/info").mkdir()
    touch(tmp_path / "films/Trash/c.mp4")
    assert taken(tmp_path) == {"films/Trash/c.mp4"}, "a folder of one's own may have that name"
    assert taken(tmp_path / ".local") == set()
    assert taken(tmp_path / ".local/share") == set()
    assert taken(tmp_path / "data") == set()
    assert taken(tmp_path / ".local/share/Trash") == {"files/a.mp4"}


def test_a_link_to_what_was_thrown_away(tmp_path: Path) -> None:
    thrown = touch(tmp_path / "home/.local/share/Trash/files/trip/a.mp4")
    hidden = touch(tmp_path / "home/.store/b.mp4")
    root = tmp_path / "home/films"
    root.mkdir()
    (root / "trip").symlink_to(thrown.parent)
    (root / "a.mp4").symlink_to(thrown)
    (root / "store").symlink_to(hidden.parent)
    assert taken(root) == {"store/b.mp4"}


def test_a_link_within_a_snapshot_that_was_named(tmp_path: Path) -> None:
    touch(tmp_path / ".snapshots/1/films/a.mp4")
    (tmp_path / ".snapshots/1/films/b.mp4").symlink_to("a.mp4")
    assert taken(tmp_path / ".snapshots/1/films") == {"a.mp4", "b.mp4"}


def test_what_is_hidden_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    root = tmp_path / ".mine" / ".films"
    touch(root / "a.mp4")
    touch(root / ".secret" / "b.mp4")
    touch(root / "deep" / ".c.mp4")
    touch(root / "._a.mp4")
    assert taken(root) == {"a.mp4", "._a.mp4"}, "a resource fork is reported"
    assert taken(root / ".secret") == {"b.mp4"}


@pytest.mark.parametrize(
    ("unfinished", "beside"),
    [
        ("film.mp4", "film.mp4.aria2"),
        ("film.mp4", "film.mp4.st"),
        ("film.f137.mp4", "film.f140.m4a.part"),
        ("film.f137.mp4", "film.temp.mp4"),
        ("film.fhls-1080.mp4", "film.f140.m4a.ytdl"),
        ("film.temp.mp4", "other.txt"),
        ("film.mp4.download/film.mp4", "film.mp4.download/Info.plist"),
        *((f"film.mp4{ending}", "other.txt") for ending in PARTIAL),
        ("Unconfirmed 1234.crdownload", "other.txt"),
    ],
)
def test_a_download_that_is_not_whole_is_left_out(
    tmp_path: Path, unfinished: str, beside: str
) -> None:
    touch(tmp_path / "whole.mp4")
    touch(tmp_path / unfinished)
    touch(tmp_path / beside)
    assert taken(tmp_path) == {"whole.mp4"}


@pytest.mark.parametrize("ending", PARTIAL)
def test_a_name_that_a_download_keeps_free_is_left_out(tmp_path: Path, ending: str) -> None:
    touch(tmp_path / "film.mp4", b"")
    assert taken(tmp_path) == {"film.mp4"}, "reported as empty"
    touch(tmp_path / f"film.mp4{ending}")
    assert taken(tmp_path) == set()


def test_names_that_only_look_like_those_of_a_download(tmp_path: Path) -> None:
    whole = {"film.f137.mp4", "beach.final.mp4", "High.Temp.mkv", "Room.temp.2.mp4", "a.part.mp4"}
    for name in whole:
        touch(tmp_path / name)
    touch(tmp_path / "again.mp4")
    touch(tmp_path / "again.mp4.part")
    assert taken(tmp_path) == whole | {"again.mp4"}


# -- suffixes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "suffix", [".3gpp", ".dav", ".dvr-ms", ".360", ".h264", ".264", ".h265", ".265", ".hevc"]
)
def test_suffixes_that_cameras_and_recorders_give(tmp_path: Path, suffix: str) -> None:
    touch(tmp_path / f"a{suffix.upper()}")
    assert taken(tmp_path) == {f"a{suffix.upper()}"}


def test_low_resolution_copies_and_pictures_of_cameras_are_no_films_of_their_own() -> None:
    assert not VIDEO_SUFFIXES & {".lrv", ".thm", ".m4s", ".jpg"}


@pytest.mark.parametrize("suffix", [".ts", ".mts", ".TS"])
@pytest.mark.parametrize(
    "text",
    [
        TYPESCRIPT,
        b"#!/usr/bin/env node\r\n",
        b'<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS version="2.1"></TS>\n',
        "// \u30a4\u30f3\u30c7\u30c3\u30af\u30b9\n".encode() * 90,
        "// r\xe9sum\xe9 d'une classe qui ne fait rien\n".encode("latin-1"),
        b"G" * 5000,
    ],
)
def test_text_under_a_suffix_of_transport_streams_is_left_out_in_silence(
    tmp_path: Path, suffix: str, text: bytes
) -> None:
    named = touch(tmp_path / f"index{suffix}", text)
    assert taken(tmp_path) == set()
    assert list(find_footage(named, Selection(str(named), Exclusion()))), "unless it is named"


@pytest.mark.parametrize(
    "stream",
    [
        PACKET * 20,
        b"".join(b"\x00\x00\x12\x34" + PACKET for _ in range(20)),
        b"".join(PACKET + bytes(16) for _ in range(20)),
        b"\xff" * 4096,
        b"\x00" * 4096,
        os.urandom(2048),
        PACKET[100:] + PACKET * 3,
        b"G",
        b"",
    ],
    ids=["188", "192", "204", "ones", "zeros", "noise", "torn", "one byte", "empty"],
)
def test_a_transport_stream_is_taken_however_damaged(tmp_path: Path, stream: bytes) -> None:
    touch(tmp_path / "a.ts", stream)
    assert taken(tmp_path) == {"a.ts"}


@pytest.mark.parametrize("call", ["open", "read"])
def test_what_can_not_be_looked_into_is_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """It is found, and skipped with its reason: left out in silence it would be missed."""
    touch(tmp_path / "a.ts", TYPESCRIPT)

    def refuse(*given: object, **named: object) -> int:
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(os, call, refuse)
    assert taken(tmp_path) == {"a.ts"}


def test_a_pipe_with_the_suffix_of_a_stream_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.ts")
    (found,) = find_footage(tmp_path, Selection(str(tmp_path), Exclusion()))
    assert found.problem == "is not a regular file"


# -- patterns --------------------------------------------------------------------------------------

TREE = (
    *("a.mp4", "b.avi", "raw/a.mp4", "raw/keep/b.mp4", "deep/raw/c.mp4", "deep/d.mp4"),
    *("deep/er/e.mp4", "#odd/f.mp4"),
)


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["raw"], {"raw/a.mp4", "raw/keep/b.mp4", "deep/raw/c.mp4"}),
        (["raw/"], {"raw/a.mp4", "raw/keep/b.mp4", "deep/raw/c.mp4"}),
        (["/raw/"], {"raw/a.mp4", "raw/keep/b.mp4"}),
        (["*.avi", "deep/d*"], {"b.avi", "deep/d.mp4"}),
        (["deep/**/*.mp4"], {"deep/raw/c.mp4", "deep/d.mp4", "deep/er/e.mp4"}),
        (["/*", "!/raw/"], {"a.mp4", "b.avi", *(n for n in TREE if n[0] in "d#")}),
        (["raw/*", "!raw/keep/"], {"raw/a.mp4"}),
        (["raw", "!raw/keep"], {"raw/a.mp4", "raw/keep/b.mp4", "deep/raw/c.mp4"}),
        (["/**/raw"], {"raw/a.mp4", "raw/keep/b.mp4", "deep/raw/c.mp4"}),
        (["*.mp4", "!/**/d.mp4"], set(TREE) - {"b.avi", "deep/d.mp4"}),
        (["**/er"], {"deep/er/e.mp4"}),
        (["a.mp4/"], set()),
        (["\\#odd"], {"#odd/f.mp4"}),
        (["RAW", "[ab].avi"], {"b.avi"}),
    ],
)
def test_patterns_are_those_of_gitignore(
    tmp_path: Path, patterns: list[str], left: set[str]
) -> None:
    for name in TREE:
        touch(tmp_path / name)
    assert taken(tmp_path, *patterns) == set(TREE) - left


# -- what the documentation says -------------------------------------------------------------------


def test_the_documentation_lists_what_the_code_does() -> None:
    page = Path(__file__).parents[2] / "docs" / "indexing.md"
    said = page.read_text(encoding="utf-8")

    def listed(heading: str) -> set[str]:
        part = re.split(r"^## ", said.split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
        points = re.findall(r"^- .*(?:\n  .*)*", part, re.M)
        return {name for point in points for name in re.findall(r"`([^`]+)`", point)}

    assert listed("What counts as a video") == VIDEO_SUFFIXES
    assert listed("What is left out") == {*LEFT_OUT, *(f"*{ending}" for ending in PARTIAL)}


def test_a_star_stands_at_an_end() -> None:
    """Where alone a walk looks for it."""
    assert [name for name in LEFT_OUT if name.count("*") > 1 or "*" in name[1:-1]] == []
    assert not any(letter in name for name in LEFT_OUT for letter in "?[]")
