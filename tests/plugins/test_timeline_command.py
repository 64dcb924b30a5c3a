"""`find --export`, `--play-all` and `--clip`, as they are typed."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from harness import PATIENCE, Said, wait_until
from videos import make_not_a_video, make_video, texture

Tempo = Callable[..., Said]

ALL = ("find", "clouds", "--min-confidence", "0")


@pytest.fixture
def library_path(shelf_of_stills: Path, tmp_path: Path) -> Path:
    """The library of one film of stills takes the place of the test's own empty one."""
    return Path(shutil.copy(shelf_of_stills / "library.db", tmp_path / "library.db"))


def test_a_time_line_goes_to_stdout_and_nothing_else(tempo: Tempo, film: Path) -> None:
    rows = [json.loads(line) for line in tempo(*ALL, "--json").out.splitlines()]
    said = tempo(*ALL, "--export", "json")
    assert (said.status, said.err) == (0, "")
    found = json.loads(said.out)["moments"]
    assert [(row["path"], row["start_frame"], row["end_frame"]) for row in found] == [
        (str(film), round(row["start_seconds"] * 10), round(row["end_seconds"] * 10))
        for row in rows
    ]


@pytest.mark.parametrize("format", ["edl", "fcpxml", "otio", "csv", "m3u", "json", "llc"])
def test_a_time_line_goes_to_a_file(tempo: Tempo, tmp_path: Path, format: str) -> None:
    place = tmp_path / f"-odd {format}.x"
    place.write_text("an older one")
    said = tempo(*ALL, "--export", format, "--output", place)
    assert said.status == 0
    assert said.out == tempo(*ALL).out, "the results are shown as well"
    assert said.err.splitlines()[-1] == f"wrote {place}"
    assert place.read_bytes().decode() == tempo(*ALL, "--export", format).out
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith((".", "-"))] == [place.name]


def test_a_pipe_is_written_to_and_not_replaced(tempo: Tempo, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    tempo(*ALL, "--export", "csv", "--output", pipe)
    reader.join(PATIENCE)
    assert read and read[0].startswith("path,")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_names_that_are_no_text_reach_stdout_whole(
    command: Callable[..., list[str]], environment: dict[str, str], film: Path
) -> None:
    """Bytes, whatever the terminal's encoding is."""
    run = subprocess.run(
        command(*ALL, "--export", "csv"),
        env={**environment, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert os.fsencode(film.name).replace(b'"', b'""') in run.stdout


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            ["--export", "xml"],
            "--export 'xml' must be one of edl, fcpxml, otio, csv, m3u, json, llc, zip",
        ),
        (["--export", "edl", "--json"], "--json and --export exclude each other: choose one"),
        (["--export", "edl", "-0"], "--null and --export exclude each other: choose one"),
        (["--json", "-0"], "--json and --null exclude each other: choose one"),
        (["--play", "--play-all"], "--play and --play-all exclude each other: choose one"),
        (["--output", "x"], "--output needs --export FORMAT: say what to write"),
    ],
)
def test_options_that_can_not_be_had(tempo: Tempo, options: list[str], error: str) -> None:
    assert tempo(*ALL, *options).error == error


def test_a_file_that_can_not_be_written_is_one_line(tempo: Tempo, tmp_path: Path) -> None:
    said = tempo(*ALL, "--export", "edl", "--output", tmp_path / "none" / "x.edl")
    assert said.status == 2
    assert said.error == (
        f"--output {tmp_path}/none/x.edl can't be written: there is no folder {tmp_path}/none: "
        "make it, or name another file"
    )


def test_nothing_matches_writes_nothing(tempo: Tempo, tmp_path: Path) -> None:
    place = tmp_path / "x.edl"
    words = ("find", "clouds", "--min-confidence", "1", "--export", "edl", "--output", place)
    assert tempo(*words).status == 1
    assert not place.exists()


def test_files_that_are_not_there_are_left_out(tempo: Tempo, film: Path, tmp_path: Path) -> None:
    hidden = film.rename(tmp_path / "hidden")
    ways = (["--export", "edl"], ["--play"], ["--play-all"], ["--clip", str(tmp_path / "cut")])
    try:
        said = [tempo(*ALL, *way) for way in ways]
    finally:
        hidden.rename(film)
    for each in said:
        assert each.status == 2
        *skipped, last = each.err.splitlines()
        assert skipped and all(line.endswith(": it is offline") for line in skipped)
        assert last == (
            "tempo-edge: error: all of the files are offline: plug in the drive that holds them"
        )


def test_all_moments_are_played_as_one_film(
    command: Callable[..., list[str]],
    environment: dict[str, str],
    film: Path,
    tmp_path: Path,
) -> None:
    player = tmp_path / "bin" / "mpv"
    player.parent.mkdir()
    player.write_text(
        '#!/bin/sh\n{ printf "%s\\n" "$@"; cat; } > "$PLAYED.part"; mv "$PLAYED.part" "$PLAYED"\n'
    )
    player.chmod(0o755)
    more = {"PATH": f"{player.parent}:{environment['PATH']}", "PLAYED": str(tmp_path / "played")}
    subprocess.run(
        command(*ALL, "--play-all"),
        env={**environment, **more, "PYTHONWARNINGS": ""},
        capture_output=True,
        check=True,
    )
    wait_until((tmp_path / "played").exists)
    played = (tmp_path / "played").read_bytes()
    name = os.fsencode(film)
    assert played.startswith(b"--really-quiet\n--\n-\n# mpv EDL v0\n%" + b"%d%%" % len(name) + name)
    shown = subprocess.run(command(*ALL), env=environment, capture_output=True, check=True).stdout
    assert played.count(b",start=") == shown.count(b"\n")


@pytest.mark.parametrize("kind", ["pipe", "text", "cut short", "gone"])
def test_one_clip_that_fails_does_not_stop_the_others(
    tempo: Tempo, tmp_path: Path, kind: str
) -> None:
    paths = [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")]
    for seed, path in enumerate(paths):
        make_video(path, shots=[(texture(seed), 4)], size=(96, 64), rate=Fraction(10))
    own = ("--library", tmp_path / "own.db")  # the other one's film is everybody's
    assert tempo("index", *paths, *own).status == 0
    rows = [json.loads(line) for line in tempo(*ALL, *own, "--json").out.splitlines()]
    assert len({row["path"] for row in rows}) == 3
    bad = Path(rows[0]["path"])
    whole = bad.read_bytes()
    bad.unlink()
    if kind == "pipe":
        os.mkfifo(bad)
    elif kind == "text":
        make_not_a_video(bad)
    elif kind == "cut short":
        bad.write_bytes(whole[:100])
    said = tempo(*ALL, *own, "--json", "--clip", tmp_path / "clips")
    found = [Path(json.loads(line)["path"]) for line in said.out.splitlines()]
    assert sorted(found) == sorted(Path(row["path"]) for row in rows), "told all the same"
    lines = said.err.splitlines()
    wrote = [line for line in lines if line.startswith("wrote ")]
    failures = [line for line in lines if line.startswith("skipping ")]
    assert len(wrote) == len(list((tmp_path / "clips").iterdir())) == len(found) - found.count(bad)
    if kind == "gone":
        assert (said.status, failures) == (0, [f"skipping {bad}: it is offline"])
        assert len(lines) == len(wrote) + 1
        return
    assert len(failures) == found.count(bad)
    assert all(line.startswith(f"skipping a clip: {bad} ") for line in failures)
    assert said.status == 2
    told = f"{len(failures)} of {len(found)} clips can't be cut: each line says why"
    assert lines[-1] == f"tempo-edge: error: {told}"


def test_clips_say_how_they_were_made(tempo: Tempo, tmp_path: Path) -> None:
    said = tempo(*ALL, "--clip", tmp_path / "clips")
    lines = said.err.splitlines()
    assert lines and all(
        line.endswith((" (copied as it is)", " (encoded again)")) for line in lines
    )
    assert len(list((tmp_path / "clips").iterdir())) == len(lines) == said.out.count("\n")
