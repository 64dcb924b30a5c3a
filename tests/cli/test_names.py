"""Names that terminals would obey are spelled out wherever one may be shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from harness import Said, each_on_terminal, on_terminal
from hypothesis import given
from hypothesis import strategies as st
from videos import make_video, texture

import tempo_edge
from tempo_edge._console.text import json_line, printable

Tempo = Callable[..., Said]

# A line end, colours and a title (ESC), C1's CSI, DEL, text turned around, a line separator.
NAME = "a\nb\x1b[31m\x1b]0;t\x07\x9b2J\x7f\u202egpj.\u2066\u2028\u200b"
SPELLED = r"a\nb\x1b[31m\x1b]0;t\x07\x9b2J\x7f\u202egpj.\u2066\u2028\u200b"


def clean(text: str) -> str:
    """The text, of which every line keeps to itself."""
    assert all(c.isprintable() or c == "\n" for c in text), ascii(text)
    return text


def named(where: Path) -> Path:
    """A folder, a video and a file that is none, of that name."""
    where /= f"folder {NAME}"
    where.mkdir()
    make_video(where / f"{NAME}.mp4", shots=[(texture(1), 2)], size=(96, 64), rate=Fraction(10))
    (where / f"bad {NAME}.mp4").write_bytes(b"bad")
    return where


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return named(tmp_path)


def test_every_command_spells_them_out(tempo: Tempo, folder: Path, tmp_path: Path) -> None:
    said = tempo("index", folder)
    assert clean(said.err).count(SPELLED) == 2 and "1 indexed, 1 skipped" in said.err
    for arguments in ((), ("--json",)):
        told = tempo("status", *arguments)
        assert clean(told.out + told.err) and told.status == 0
    assert clean(tempo("status").out).count(SPELLED) == 2
    everything = ("find", "clouds", "--min-confidence", "0")
    assert clean(tempo(*everything).out).count(SPELLED) == 2
    assert clean(tempo(*everything, "--clip", tmp_path / NAME).err).count(SPELLED) >= 1
    refused = ("find", "clouds", "--min-confidence", "1")
    assert clean(tempo(*refused).err).count(SPELLED) == 2
    (row,) = clean(tempo(*everything, "--json").out).splitlines()
    assert json.loads(row)["path"] == str(folder / f"{NAME}.mp4")
    refusal = json.loads(clean(tempo(*refused, "--json").err))
    assert refusal["best_rejected"]["path"] == str(folder / f"{NAME}.mp4")
    written = tempo(*everything, "--export", "csv", "--output", tmp_path / f"{NAME}.csv")
    assert SPELLED in clean(written.err)
    (folder / f"{NAME}.mp4").unlink()
    gone = tempo(*everything, "--play")
    assert SPELLED in clean(gone.err)


@pytest.mark.parametrize(
    "arguments",
    [
        ("find", "x", f"--{NAME}"),
        ("find", "x", "--in", NAME),
        ("find", "x", "--grounder", NAME),
        ("find", "x", "--profile", NAME),
        ("find", "x", "--limit", NAME),
        ("find", "x", "--export", NAME),
        ("find", "x", "--library", f"/nowhere/{NAME}"),
        ("index", f"/nowhere/{NAME}"),
        ("watch", f"/nowhere/{NAME}"),
        ("forget", NAME),
        (NAME,),
        ("export", NAME),
        ("export", "nano", "--to", NAME),
        ("models", "verify", NAME),
        ("models", "import-bundle", NAME),
        ("models", "pull", NAME),
        ("plugins", "install", NAME),
        ("serve", "--port", NAME),
        ("train", "sft", NAME, "--data", NAME, "--work", NAME, "--out", NAME),
    ],
    ids=lambda arguments: " ".join(arguments[:2]).replace(NAME, "NAME"),
)
def test_errors_spell_them_out(
    tempo: Tempo, built: Path, library_path: Path, arguments: tuple[str, ...]
) -> None:
    library_path.parent.mkdir(exist_ok=True)
    shutil.copy(built, library_path)
    said = tempo(*arguments)
    assert said.status == 2
    clean(said.error)


FORMS = [
    *(("--export", name) for name in ("csv", "edl", "fcpxml", "json", "llc", "m3u")),
    ("-0",),
    ("--json",),
    (),
]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(the folder, a library of it), to be read only."""
    folder = named(tmp_path_factory.mktemp("names"))
    path = folder.parent / "library.db"
    with tempo_edge.Library.open(path) as library:
        library.index(folder)
    return folder, path


@pytest.fixture(scope="module")
def on_screen(
    indexed: tuple[Path, Path], shared_environment: dict[str, str]
) -> dict[tuple[str, ...], tuple[int, str]]:
    """(status, what a terminal is shown) for each form of an answer."""
    asked = ("find", "clouds", "--min-confidence", "0", "--library", str(indexed[1]))
    plain = {"NO_COLOR": "1"}
    told = each_on_terminal([(plain, (*asked, *form)) for form in FORMS], shared_environment)
    return dict(zip(FORMS, told, strict=True))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(form) or "text")
def test_a_terminal_gets_no_format_to_the_byte(
    on_screen: dict[tuple[str, ...], tuple[int, str]], form: tuple[str, ...]
) -> None:
    status, shown = on_screen[form]
    assert status == 0 and clean(shown) and "mp4" in shown


@pytest.mark.parametrize("form", [("--export", "csv"), ("-0",)], ids=" ".join)
def test_programs_get_the_name_itself(
    tempo: Tempo, indexed: tuple[Path, Path], form: tuple[str, ...]
) -> None:
    folder, path = indexed
    piped = tempo("find", "clouds", "--min-confidence", "0", "--library", path, *form).out
    assert str(folder / f"{NAME}.mp4") in piped


def test_a_bar_spells_them_out(
    command: Callable[..., list[str]], environment: dict[str, str], folder: Path
) -> None:
    status, shown = on_terminal(command("index", folder), {**environment, "NO_COLOR": "1"})
    assert status == 0 and SPELLED in shown
    for harm in ("\x1b[31m", "\x1b]0;", "\x9b", "\x7f", "\u202e", "\u2028", "\x07"):
        assert harm not in shown


@given(st.text())
def test_json_is_the_same_however_it_is_spelled(name: str) -> None:
    line = json_line({"path": name})
    assert clean(line).count("\n") == 1 and line.endswith("\n")
    assert json.loads(line) == {"path": name}


@given(st.text())
def test_what_is_spelled_out_stays_so(name: str) -> None:
    assert printable(name).isprintable()
    assert printable(printable(name)) == printable(name)
    assert printable(name) == name or not name.isprintable()
