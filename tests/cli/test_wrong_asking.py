"""What is asked wrongly: refused in one line, in the names that were typed, before a search."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from harness import Said

from tempo_edge import cli, explain
from tempo_edge.answer import Answer
from tempo_edge.cli.query_options import OPTION_NAMES
from tempo_edge.errors import FootageError

Tempo = Callable[..., Said]

ALL = ("find", "stripes", "--min-confidence", "0")


@pytest.fixture
def library_path(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / "library.db"))


def test_every_name_is_that_of_an_option() -> None:
    root = typer.main.get_command(cli.app)
    commands = [
        root.commands["find"],  # type: ignore[attr-defined]
        root.commands["saved"].commands["add"],  # type: ignore[attr-defined]
        root.commands["list"],  # type: ignore[attr-defined]
    ]
    there = {name for command in commands for each in command.params for name in each.opts}
    assert set(OPTION_NAMES.values()) <= there


@pytest.mark.parametrize(
    ("options", "error"),
    [
        # What changes nothing.
        (["--near", "30s"], "--near is for things that are near each other: name another by AND "),
        (
            ["--then-within", "60"],
            "--then-within is for what comes next: say it by THEN or --then,",
        ),
        (["--said", "--grounder", "curve"], "--grounder is for pictures, which --said leaves out"),
        (["--shown", "--parts"], "--parts is for pictures, which --shown leaves out: add --seen"),
        (["--said", "--refine"], "--refine is for pictures, which --said leaves out: add --seen"),
        (["--sheet", "x.gif"], "--sheet 'x.gif' must end in .jpg, .jpeg, .png, .html"),
        (["--output", "x.csv"], "--output needs --export FORMAT: say what to write"),
        # In the names that were typed.
        (["--and", ""], "--and '' is empty: name something, or leave it out"),
        (["--not", " "], "--not ' ' is empty: name something, or leave it out"),
        (["--near", "abc", "--and", "x"], "--near 'abc' must be a time, such as 30s, 1m30s or 1:"),
        (["--near", "1:75", "--and", "x"], "--near '1:75' has 60 or more where 59 is the last"),
        (["--near", "", "--and", "x"], "--near '' must be a time, "),
        (["--then-within", "nan", "--then", "x"], "--then-within 'nan' must be a time"),
        (["--min-length", "-1"], "--min-length '-1' must be a time"),
        (["--min-length", "1:20", "--max-length", "1m"], "--min-length 80 must be at most --max-l"),
        (["-n", "x"], "--limit 'x' must be a whole number, at least 1"),
        (["--since", "2025", "--until", "2024"], "--since '2025' must be before --until '2024'"),
        (["--since", "01/02/2024"], "--since '01/02/2024' may be read in two ways: say 2024-01-02"),
        (["--on", "2024", "--until", "2024"], "--on and --until exclude each other: choose one"),
        (["--around", "1,2,0"], "--around 0 km must be more than 0"),
        (["--around", "91,2,3"], "--around '91,2,3': latitude 91.0 must be within [-90, 90]"),
        (["--size", "big"], "--size 'big' must be as 720p, 1080p, 4k or 1920x1080"),
        (["--camera", ""], "--camera '' is empty: say something, or leave it out"),
        (["--sort", "age"], "--sort 'age' must be one of score, time, name"),
        (["--refine", "--and", "x"], "--refine knows one term: leave it out"),
        (["--like", "1@0:00", "--said"], "--like and --said exclude each other"),
        (["--like", "1@0:00", "--and", "x"], "--like knows one term: leave out --and, --not and"),
        (["--like", ".@0:00-"], "--like '.@0:00-' has no time that can be read: name a moment"),
        (["--like", "99@0:00"], "--like '99@0:00': the library lists no such video"),
        (["--like", "1@9:00"], "--like '1@9:00': the video ends at "),
        (["--like", "/"], "--like '/' is not a file: name a picture, or a moment"),
        (["--like", "/dev/null"], "--like '/dev/null' is not a file"),
    ],
)
def test_a_line_says_what_was_typed(tempo: Tempo, options: list[str], error: str) -> None:
    assert tempo("find", "stripes", *options).error.startswith(error)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (
            "a OR b",
            "query 'a OR b': OR at column 3 is not known: search for one, then for the other",
        ),
        ("(a AND b)", "query '(a AND b)': ( at column 1 groups terms, which is not known"),
        (
            "AND",
            "query 'AND': AND at column 1 has nothing before it: say first what is to be there",
        ),
        ('""', "query '\"\"' has nothing in its quotes: say what stands there, or leave them out"),
        ("a NOT a", "query wants 'a' there and not there: leave one out"),
    ],
)
def test_a_query_that_can_not_be_read(tempo: Tempo, query: str, error: str) -> None:
    told = tempo("find", query).error
    assert told.startswith(error)
    assert ("column" not in told) or told.endswith("with --plain")
    assert tempo("saved", "add", "x", query).error == told


def test_a_time_may_be_said_in_any_way(tempo: Tempo) -> None:
    asked = ("find", "stripes", "--and", "colours", "--min-confidence", "0")
    ways = [tempo(*asked, "--near", near) for near in ("80", "80s", "1m20s", "1:20")]
    assert ways[0].status == 0 and ways == ways[:1] * 4


def test_a_video_by_its_number_is_named(tempo: Tempo) -> None:
    said = tempo("find", "--like", "1@0:00", "--min-confidence", "0")
    assert "more like video 1 00:00.0, which is left out itself\n" in said.err


# -- files that are written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [["--sheet", "x.html"], ["--explain", "x.html"], ["--export", "csv", "--output", "x.csv"]],
)
def test_where_it_is_to_lie_is_looked_at_before_the_search(
    tempo: Tempo, tmp_path: Path, options: list[str]
) -> None:
    *before, name = options
    option = before[-1]
    said = tempo(*ALL, *before, tmp_path / "none" / name)
    assert said.error.startswith(f"{option} {tmp_path / 'none' / name} can't be written: there is ")
    (tmp_path / name).mkdir()
    said = tempo(*ALL, *before, tmp_path / name)
    assert said.error == f"{option} {tmp_path / name} is a folder: name a file in it"


def test_one_file_is_not_two_things(tempo: Tempo, tmp_path: Path) -> None:
    place = tmp_path / "x.html"
    (tmp_path / "link.html").symlink_to(place)
    for other in (place, tmp_path / "link.html"):
        said = tempo(*ALL, "--sheet", other, "--explain", place)
        assert said.error == f"--explain and --sheet name the same file {other}: name two"
    said = tempo(*ALL, "--sheet", place, "--export", "csv", "--output", place)
    assert said.error == f"--output and --sheet name the same file {place}: name two"
    assert not place.exists()


@pytest.mark.parametrize("option", ["--sheet", "--explain"])
def test_a_page_takes_the_place_of_no_other_file(tempo: Tempo, tmp_path: Path, option: str) -> None:
    place = tmp_path / "x.html"
    place.write_text("<!doctype html><title>mine</title>")
    said = tempo(*ALL, option, place)
    assert said.error == (
        f"{place} is no page that was written here and is not replaced: name another file"
    )
    assert said.out == "" and place.read_text() == "<!doctype html><title>mine</title>"
    place.write_text("")
    for other in ("--sheet", "--explain", option):  # whatever was written here may be
        assert tempo(*ALL, other, place).err.endswith(f"wrote {place}\n")
    assert place.read_text().count("<h1>stripes</h1>") == 1


def test_python_writes_over_no_other_page_either(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("mine")
    with pytest.raises(FootageError, match="is no page that was written here"):
        explain.write(tmp_path / "x.html", "a", Answer((), (), 0, "curve"))
    assert (tmp_path / "x.html").read_text() == "mine"


def test_a_file_is_no_folder_for_clips(tempo: Tempo, tmp_path: Path) -> None:
    (tmp_path / "clips").write_text("mine")
    said = tempo(*ALL, "--clip", tmp_path / "clips")
    assert said.error == f"--clip {tmp_path / 'clips'} is a file: name a folder"


def test_a_sheet_of_an_example_is_called_by_it(tempo: Tempo, tmp_path: Path) -> None:
    place = tmp_path / "x.html"
    tempo("find", "--like", "1@0:00", "--min-confidence", "0", "--sheet", place)
    assert "<h1>like 1@0:00</h1>" in place.read_text()


@pytest.mark.parametrize(
    "options",
    [["--sheet"], ["--explain"], ["--export", "csv", "--output"], ["--clip"], ["--library"]],
)
def test_a_name_that_no_file_may_have_is_one_line(tempo: Tempo, options: list[str]) -> None:
    name = "a" * 300 + ".html"
    assert tempo(*ALL, *options, name).error == f"{name} can't be used: File name too long"
    like = tempo("find", "--like", f"{name}@0:01")
    assert like.error.startswith(f"--like '{name}@0:01': ")
    assert like.error.endswith("is neither there nor indexed: name one that is")
