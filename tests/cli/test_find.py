"""What `find` prints, where, and with which exit status."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from harness import Said, each_on_terminal, wait_until
from snapshots import check
from videos import make_video, texture

import tempo_edge
from tempo_edge import cli
from tempo_edge.answer import Answer
from tempo_edge.cli import entry
from tempo_edge.cli.answers import show
from tempo_edge.media import DECODERS
from tempo_edge.moment import Moment
from tempo_edge.search.grounders import GROUNDERS

Tempo = Callable[..., Said]

ALL = ("--min-confidence", "0")
NONE = ("--min-confidence", "1")

# Still pictures: whatever a model thinks of them, each is one moment from end to end.
FILMS = {"a.mp4": 2, "two words.mkv": 3, "née.mp4": 4, "短片.mp4": 2, "line\nend.mp4": 2}


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stills")
    for seed, (name, seconds) in enumerate(FILMS.items()):
        make_video(
            folder / name, shots=[(texture(seed), seconds)], size=(96, 64), rate=Fraction(10)
        )
    with tempo_edge.Library.open(folder / "library.db") as library:
        library.index(folder)
    return folder


@pytest.fixture
def library_path(stills: Path, tmp_path: Path) -> Path:
    """The library of stills takes the place of the test's own empty one."""
    return Path(shutil.copy(stills / "library.db", tmp_path / "library.db"))


def by_line(said: Said) -> Said:
    """The same in the order of the alphabet: which is likelier is up to the model."""
    return Said(said.status, "".join(sorted(said.out.splitlines(keepends=True))), said.err)


def test_a_line_a_moment_in_columns(tempo: Tempo, stills: Path) -> None:
    check("find", by_line(tempo("find", "clouds", *ALL)), films=stills)


def test_json_is_one_object_a_line(tempo: Tempo, stills: Path) -> None:
    said = tempo("find", "clouds", *ALL, "--json")
    check("find-json", by_line(said), films=stills)
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert {Path(row["path"]).name for row in rows} == set(FILMS)
    assert all(
        list(row) == [
            *("path", "start_seconds", "end_seconds", "cue_seconds", "score", "confidence"),
            *("profile", "offline"),
            *("copies", "found_by", "text", "taken_at", "taken_from", "latitude", "longitude"),
            *("place", "camera", "rivals", "unsure", "unknown_count"),
        ]
        for row in rows
    )  # fmt: skip
    assert [row["confidence"] for row in rows] == sorted(
        (row["confidence"] for row in rows), reverse=True
    )


def test_paths_ended_by_nul(tempo: Tempo, stills: Path) -> None:
    said = tempo("find", "clouds", *ALL, "-0")
    assert said.status == 0 and said.err == ""
    assert sorted(said.out.split("\0")) == sorted(["", *(str(stills / name) for name in FILMS)])


def test_nothing_matches(tempo: Tempo, stills: Path) -> None:
    said = tempo("find", "clouds", *NONE, "--in", stills / "a.mp4")
    check("find-nothing", said, films=stills)
    assert said.status == 1


def test_nothing_matches_as_json(tempo: Tempo, stills: Path) -> None:
    said = tempo("find", "clouds", *NONE, "--json", "--in", stills / "a.mp4")
    check("find-nothing-json", said, films=stills)
    refusal = json.loads(said.err)
    assert set(refusal) == {"best_rejected", "closest", "filtered_count", "unknown_count"}
    assert refusal["best_rejected"]["path"] == str(stills / "a.mp4")
    assert refusal["filtered_count"] == 1


def test_nothing_matches_in_an_empty_library(tempo: Tempo, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    place = ("--library", tmp_path / "empty.db")
    tempo("index", "-q", tmp_path / "empty", *place)
    assert tempo("find", "clouds", *place) == Said(1, "", "nothing matches\n")
    assert json.loads(tempo("find", "clouds", "--json", *place).err) == {
        "best_rejected": None,
        "closest": [],
        "filtered_count": 0,
        "unknown_count": 0,
    }


def test_a_refusal_names_the_three_closest_and_how_to_see_them(tempo: Tempo) -> None:
    shown = tempo("find", "clouds", *ALL).out.splitlines()
    said = tempo("find", "clouds", *NONE)
    assert (said.status, said.out) == (1, "")
    first, *closest, last = said.err.splitlines()
    assert first == "nothing matches"
    assert all(each.startswith("unsure: ") for each in closest)
    told = [re.split(" {2,}", each.removeprefix("unsure: ")) for each in closest]
    assert told == [re.split(" {2,}", each) for each in shown[:3]]
    assert last == f"{len(FILMS)} held back: to see more, add --min-confidence 0"
    option = re.findall(r"--min-confidence 0", last)[0].split()
    assert len(tempo("find", "clouds", *option).out.splitlines()) == len(FILMS)
    refusal = json.loads(tempo("find", "clouds", *NONE, "--json").err)
    rows = tempo("find", "clouds", *ALL, "--json").out.splitlines()
    whole = {"rivals", "unsure", "unknown_count"}
    found = [{k: v for k, v in json.loads(row).items() if k not in whole} for row in rows]
    assert refusal["closest"] == found[:3]
    assert refusal["best_rejected"] == refusal["closest"][0]


@pytest.mark.parametrize(("rivals", "said"), [(3, ""), (7, "unsure: 7 other videos have a")])
def test_an_answer_that_stands_out_of_nothing_says_so(
    rivals: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = Moment(Path("/v/a.mp4"), 0.0, 1.0, score=2.0, confidence=0.6, profile="nano")
    answer = Answer((moment,), (), 0, "curve", rivals)
    show(answer, as_json=False, null=False)
    out, err = capsys.readouterr()
    assert out.startswith("/v/a.mp4") and err.startswith(said) and bool(err) == bool(said)
    show(answer, as_json=True, null=False)
    out, err = capsys.readouterr()
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert (row["rivals"], row["unsure"]) == (rivals, bool(said)) and err == ""


def test_words_need_no_quotes(tempo: Tempo) -> None:
    quoted = tempo("find", "clouds over a field", *ALL)
    assert quoted.status == 0
    assert tempo("find", "clouds", "over", "a", "field", *ALL) == quoted
    assert tempo("find", *ALL, "clouds", "over", "a field") == quoted
    assert tempo("find", *ALL).error.startswith("Missing argument 'QUERY...'")


def test_scopes_add_up(tempo: Tempo, stills: Path) -> None:
    scopes = [stills / "a.mp4", stills / "née.mp4"]
    asked = ("--in", scopes[0], "--in", scopes[1])
    said = tempo("find", "clouds", *ALL, *asked, "-0")
    assert sorted(said.out.split("\0")[:-1]) == sorted(map(str, scopes))
    nothing = tempo("find", "clouds", *ALL, *asked, "--in", stills / "none.mp4")
    assert nothing.error.startswith(
        f"the library holds no footage at or under {stills / 'none.mp4'}: index it"
    )
    with tempo_edge.Library.open(stills / "library.db") as library:
        alone = library.find("clouds", min_confidence=0.0, within=str(scopes[0]))
        both = library.find("clouds", min_confidence=0.0, within=iter(scopes))
        assert [moment.path for moment in alone] == [scopes[0]]
        assert {moment.path for moment in both} == set(scopes)
        with pytest.raises(tempo_edge.QueryError, match="within names no path"):
            library.find("clouds", within=[])


def test_the_calibrated_threshold_is_the_default(tempo: Tempo) -> None:
    said = tempo("find", "clouds")
    shown = said.out.count("\n")
    assert said.status == (0 if shown else 1)
    assert shown <= tempo("find", "clouds", *ALL).out.count("\n")


@pytest.mark.parametrize("option", ["--limit", "-n"])
def test_limit(tempo: Tempo, option: str) -> None:
    best = tempo("find", "clouds", *ALL).out.splitlines()[:2]
    said = tempo("find", "clouds", *ALL, option, "2").out.splitlines()
    assert [line.split()[0] for line in said] == [line.split()[0] for line in best]


@pytest.mark.parametrize("name", FILMS)
def test_in_a_file(tempo: Tempo, stills: Path, name: str) -> None:
    said = tempo("find", "clouds", *ALL, "--in", stills / name, "-0")
    assert said.out == f"{stills / name}\0"


def test_in_a_folder(tempo: Tempo, stills: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = by_line(tempo("find", "clouds", *ALL, "--in", stills, "-0")).out
    monkeypatch.chdir(stills)
    assert by_line(tempo("find", "clouds", *ALL, "--in", ".", "-0")).out == whole
    monkeypatch.setenv("HOME", str(stills.parent))
    assert by_line(tempo("find", "clouds", *ALL, "--in", f"~/{stills.name}", "-0")).out == whole


def test_moments_are_cut_out(tempo: Tempo, stills: Path, tmp_path: Path) -> None:
    said = tempo("find", "clouds", *ALL, "--in", stills / "née.mp4", "--clip", tmp_path / "cut")
    (path,) = (tmp_path / "cut").iterdir()
    assert said.status == 0
    assert said.err == f"wrote {path} (copied as it is)\n"
    assert said.out.startswith(str(stills / "née.mp4")), "the results are shown as well"
    with av.open(str(path)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 40


def test_the_best_moment_is_played(
    command: Callable[..., list[str]], environment: dict[str, str], stills: Path, tmp_path: Path
) -> None:
    player = tmp_path / "bin" / "mpv"
    player.parent.mkdir()
    player.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" > "$PLAYED.part"; mv "$PLAYED.part" "$PLAYED"\n'
    )
    player.chmod(0o755)
    more = {"PATH": f"{player.parent}:{environment['PATH']}", "PLAYED": str(tmp_path / "played")}
    run = subprocess.run(
        command("find", "clouds", *ALL, "--in", stills / "a.mp4", "--play"),
        env={**environment, **more, "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    wait_until((tmp_path / "played").exists)
    words = (tmp_path / "played").read_text().splitlines()
    assert words[-3:] == ["--start=0.000", "--", str(stills / "a.mp4")]


def test_without_a_player(tempo: Tempo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = tempo("find", "clouds", *ALL, "--play")
    assert said.status == 2
    assert said.err == "tempo-edge: error: mpv is not installed: install it, or leave out --play\n"


# -- terminals, pipes and files ------------------------------------------------------------------


def test_a_terminal_gets_colours_unless_told_otherwise(
    library_path: Path, environment: dict[str, str], stills: Path
) -> None:
    asked = ("find", "clouds", *ALL, "--in", str(stills / "a.mp4"), "--library", str(library_path))
    choices = [{"TERM": "xterm"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": ""}]
    told = each_on_terminal([({"TERM": "xterm"} | each, asked) for each in choices], environment)
    assert [status for status, _ in told] == [0] * 4
    assert ["\x1b[" in shown for _, shown in told] == [True, False, False, True]
    check("find-colours", Said(0, told[0][1], ""), films=stills)


def test_a_pipe_gets_no_colours(tempo: Tempo) -> None:
    assert "\x1b" not in tempo("find", "clouds", *ALL).out


@pytest.mark.parametrize("form", ["", "--json", "-0"])
def test_a_reader_that_has_seen_enough_is_no_error(
    command: Callable[..., list[str]], environment: dict[str, str], form: str
) -> None:
    run = subprocess.Popen(
        command("find", "clouds", *ALL, *form.split()),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout is not None and run.stderr is not None
        run.stdout.close()
        said = run.stderr.read()
    assert (run.returncode, said) == (0, "")


def test_a_file_without_room_is_one_line(
    command: Callable[..., list[str]], environment: dict[str, str]
) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            command("find", "clouds", *ALL),
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert run.stderr == (
        "tempo-edge: error: results can't be written to stdout: No space left on device\n"
    )


def test_an_encoding_that_lacks_a_letter_is_no_error(
    command: Callable[..., list[str]], environment: dict[str, str], stills: Path
) -> None:
    run = subprocess.run(
        command("find", "clouds", *ALL, "--in", stills / "短片.mp4"),
        env={**environment, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert b"\\u77ed\\u7247.mp4  00:00.0\\u201300:02.0" in run.stdout


_NOWHERE = "at or under /nowhere: index it, or name another path"

# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["find", ""], "query '' is empty: say what to look for"),
        (["find", "  "], "query '  ' is empty: say what to look for"),
        (["find", "x", "--limit", "0"], "--limit 0 must be at least 1"),
        (["find", "x", "--limit", "-3"], "--limit -3 must be at least 1"),
        (["find", "x", "--limit", "many"], "--limit 'many' must be a whole number, at least 1"),
        (["find", "x", "--limit", "1.5"], "--limit '1.5' must be a whole number, at least 1"),
        (["find", "x", "--min-confidence", "1.1"], "--min-confidence 1.1 must be within [0, 1]"),
        (["find", "x", "--min-confidence", "-1"], "--min-confidence -1.0 must be within [0, 1]"),
        (["find", "x", "--min-confidence", "nan"], "--min-confidence nan must be within [0, 1]"),
        (["find", "x", "--min-confidence", "0,5"], "--min-confidence '0,5' must be a number, suc"),
        (["find", "x", "--in", "/nowhere"], f"the library holds no footage {_NOWHERE}"),
        (["find", "x", "--profile", "giga"], "profile 'giga' must be one of ['nano']"),
        (["find", "x", "--json", "-0"], "--json and --null exclude each other: choose one"),
        (["find", "\udcff"], "query '\\udcff' is not valid UTF-8: say it in Unicode"),
        (["index", "/no"], "there is no file or folder /no, and the library holds nothing of it"),
        (["index", "--decoder", "vlc", "/"], f"decoder 'vlc' must be one of {', '.join(DECODERS)}"),
        (["index", "--uniform", "0", "/"], "frames_per_second 0.0 must be a positive number"),
        (["index", "--uniform", "inf", "/"], "frames_per_second inf must be a positive number"),
        (["index", "--profile", "giga", "/"], "profile 'giga' must be one of ['nano']"),
        (["watch", "/nowhere"], "/nowhere is not a folder that can be watched"),
        (["forget", "/nowhere"], f"the library holds nothing {_NOWHERE}"),
        (["find"], "Missing argument 'QUERY...': see tempo-edge find --help"),
        (["xyzzy"], "No such command 'xyzzy': see tempo-edge --help"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_that_says_what_would_be_right(
    tempo: Tempo, arguments: list[str], error: str
) -> None:
    assert tempo(*arguments).error.startswith(error)


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "", "/nowhere"],
        ["index", ".", "--library", ""],
        ["watch", "", "/nowhere"],
        ["status", ""],
        ["forget", ""],
        ["demo", "--library", ""],
        ["serve", "--watch", "", "--port", "x"],
        ["serve", "--socket", "", "--port", "x"],
        *(["find", "x", option, ""] for option in ("--in", "--clip", "--explain", "--library")),
        ["find", "x", "--export", "csv", "--output", ""],
        ["models", "export-bundle", "nano", ""],
        ["models", "import-bundle", ""],
        ["models", "pull", "x", "--from", ""],
    ],
)
def test_what_a_script_left_empty_is_not_the_folder_one_is_in(
    tempo: Tempo, arguments: list[str]
) -> None:
    error = tempo(*arguments).error
    assert error.endswith(" '' is empty: name a file or a folder")
    name = error.removesuffix(" '' is empty: name a file or a folder")
    assert name in arguments or name in ("PATH", "DIR", "FILE")


@pytest.mark.parametrize(
    "arguments", [["find", "x", "--nope"], ["index"], ["status", "x", "y"], ["status", "--json=1"]]
)
def test_a_wrong_command_line_is_one_line(tempo: Tempo, arguments: list[str]) -> None:
    error = tempo(*arguments).error
    assert error.endswith(f": see tempo-edge {arguments[0]} --help") or "--json" in error


@pytest.mark.parametrize("arguments", [["find", "x"], ["status"], ["forget", "/"]])
def test_a_missing_library(tempo: Tempo, tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "none.db"
    assert tempo(*arguments, "--library", path).error == (
        f"there is no library at {path}: run `tempo-edge index PATH` first"
    )
    assert not path.exists()


def test_a_mistyped_path_makes_no_library(tempo: Tempo, tmp_path: Path) -> None:
    assert tempo("index", tmp_path / "gone", "--library", tmp_path / "new" / "none.db").error
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments", [["find", "x"], ["status"], ["index", "/tmp"], ["watch", "/"]]
)
def test_a_file_that_is_no_library(tempo: Tempo, tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("notes " * 500)
    assert tempo(*arguments, "--library", path).error == (
        f"{path} can't be used as a library (file is not a database): choose another --library"
    )
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("notes")] == ["notes.txt"]


def test_a_library_of_another_profile(
    tempo: Tempo, library_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    rows = sqlite3.connect(library_path)
    with rows:
        rows.execute("UPDATE meta SET value='nano-0123456789abcdef' WHERE key='profile'")
    for arguments in (["find", "x"], ["status"]):
        error = tempo(*arguments).error
        assert "was built with another version of profile 'nano' (nano-0123456789abcdef" in error
        assert error.endswith("reads all of it again")
    with rows:
        rows.execute("UPDATE meta SET value='giga-0123456789abcdef' WHERE key='profile'")
    rows.close()
    error = tempo("find", "x", "--profile", "nano").error
    assert "was built with profile 'giga', not 'nano'" in error


def test_an_error_in_a_pipe_is_still_an_error(
    command: Callable[..., list[str]], environment: dict[str, str]
) -> None:
    run = subprocess.run(
        command("find", ""), env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "tempo-edge: error: query '' is empty: say what to look for\n"


def test_the_module_and_the_script_are_the_same_program() -> None:
    script = Path(sys.executable).with_name("tempo-edge")
    if not script.exists():
        pytest.skip("tempo-edge is not installed as a script here")
    shown = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"tempo-edge {tempo_edge.__version__}\n"
    assert cli.main is entry.main


def test_a_page_explains_what_was_found(tempo: Tempo, tmp_path: Path, library_path: Path) -> None:
    page = tmp_path / "why & how.html"
    said = tempo("find", "clouds <b>", *ALL, "--explain", str(page))
    assert said.status == 0
    text = page.read_text(encoding="utf-8")
    assert "<h1>clouds &lt;b&gt;</h1>" in text
    assert text.count("<section>") == len(FILMS)
    assert text.count("<svg") == len(FILMS)
    pictures = re.findall(r"base64,([^']+)'", text)
    assert len(pictures) >= len(FILMS)
    with av.open(io.BytesIO(base64.b64decode(pictures[0]))) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (144, 144)
    assert not list(tmp_path.glob("*.partial"))


def test_a_page_explains_a_refusal(tempo: Tempo, tmp_path: Path, library_path: Path) -> None:
    page = tmp_path / "why.html"
    assert tempo("find", "clouds", *NONE, "--explain", str(page)).status == 1
    text = page.read_text(encoding="utf-8")
    assert "nothing matches" in text and "held back: " in text


def test_a_page_that_can_not_be_written_is_named(
    tempo: Tempo, tmp_path: Path, library_path: Path
) -> None:
    said = tempo("find", "clouds", *ALL, "--explain", str(tmp_path / "no" / "why.html"))
    assert said.status == 2
    assert f"why.html can't be written: there is no folder {tmp_path / 'no'}: make it" in said.err


@pytest.mark.parametrize("place", [".", "/"])
def test_a_folder_is_no_place_for_a_page(tempo: Tempo, library_path: Path, place: str) -> None:
    said = tempo("find", "clouds", "--explain", place)
    assert said.error == f"--explain {place} is a folder: name a file in it"


def test_a_page_without_its_video_says_so(
    tempo: Tempo, tmp_path: Path, stills: Path, library_path: Path
) -> None:
    """Of a drive that is not there, all but the pictures is known."""
    hidden = stills.with_name("elsewhere")
    stills.rename(hidden)
    try:
        page = tmp_path / "why.html"
        tempo("find", "clouds", *ALL, "--explain", str(page))
    finally:
        hidden.rename(stills)
    assert "<svg" in page.read_text(encoding="utf-8")


def test_the_quick_grounder_can_be_asked_for(tempo: Tempo, library_path: Path) -> None:
    assert tempo("find", "clouds", *ALL, "--grounder", "curve").status == 0
    said = tempo("find", "clouds", "--grounder", "guess")
    allowed = ", ".join(GROUNDERS)
    assert said.error == f"--grounder 'guess' must be one of {allowed}"
