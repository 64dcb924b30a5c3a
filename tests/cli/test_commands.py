"""The other commands: whole outputs, and what goes where."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said, each_without, on_terminal, wait_until
from processes import Forked
from shelves import put_offline
from snapshots import check, masked

import tempo_edge
from tempo_edge.cli import demo
from tempo_edge.media.devices import why_off

Tempo = Callable[..., Said]
Commands = Callable[..., list[str]]


def test_index_tells_what_it_did(tempo: Tempo, footage: Path) -> None:
    shutil.copy(footage / "garden.mp4", footage / "garden copy.mp4")
    (footage / "bad\nfile.mp4").write_bytes(b"bad")
    first = tempo("index", footage)
    (footage / "beach.mp4").unlink()
    (footage / "garden.mp4").rename(footage / "orchard.mp4")
    second = tempo("index", footage)
    check("index", first, footage=footage)
    check("index-again", second, footage=footage)


def test_quiet_tells_only_what_was_skipped(tempo: Tempo, footage: Path) -> None:
    (footage / "bad.mp4").write_bytes(b"bad")
    said = tempo("index", "-q", footage)
    assert (said.status, said.out) == (0, "")
    assert re.fullmatch(r"skipping .*/bad\.mp4: .*\n", said.err)
    assert tempo("index", "--quiet", footage) == Said(0, "", "")


def test_status(tempo: Tempo, footage: Path, library_path: Path) -> None:
    (footage / "bad.mp4").write_bytes(b"")
    tempo("index", "-q", footage)
    (footage / "street.mkv").unlink()
    put_offline(library_path, footage / "garden.mp4")
    places = {"footage": footage, "library": library_path}
    check("status", tempo("status"), **places)
    check("status-json", tempo("status", "--json"), **places)
    check("status-of-a-file", tempo("status", footage / "bad.mp4"), **places)
    facts = json.loads(tempo("status", "--json").out)
    assert facts["database_bytes"] > 10_000 and facts["cache_bytes"] > 1000
    assert facts["hours"] == pytest.approx(9 / 3600, rel=0.05)


def test_forget(tempo: Tempo, footage: Path) -> None:
    tempo("index", "-q", footage)
    assert tempo("forget", footage / "beach.mp4") == Said(0, "", "forgot 1 file\n")
    assert (footage / "beach.mp4").exists()
    assert "2 indexed" in tempo("status").out
    assert tempo("forget", footage) == Said(0, "", "forgot 2 files\n")
    assert tempo("find", "anything", "--min-confidence", "0").status == 1
    assert "holds nothing at or under" in tempo("forget", footage).error
    assert tempo("index", "-q", footage).status == 0, "it may be indexed again"
    assert "3 indexed" in tempo("status").out


def test_a_library_where_everything_was_forgotten_takes_another_profile(
    tempo: Tempo, footage: Path, library_path: Path
) -> None:
    tempo("index", "-q", footage)
    rows = sqlite3.connect(library_path)
    with rows:
        rows.execute("UPDATE meta SET value='giga-0123456789abcdef' WHERE key='profile'")
    rows.close()
    assert "was built with profile 'giga'" in tempo("find", "--profile", "nano", "a dog").error
    rows = sqlite3.connect(library_path)
    with rows:
        rows.execute("DELETE FROM files")
        rows.execute("DELETE FROM frames")
        rows.execute("DELETE FROM videos")
    rows.close()
    assert tempo("index", "-q", "--profile", "nano", footage).status == 0
    assert tempo("find", "anything", "--min-confidence", "0").status == 0


def test_watch_tells_file_by_file(
    command: Commands, environment: dict[str, str], footage: Path, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    with said.open("wb") as stderr:
        run = subprocess.Popen(
            command("watch", footage), env=environment, stdout=subprocess.PIPE, stderr=stderr
        )
        with run:
            wait_until(lambda: said.read_text().count("\n") == 4)
            run.terminate()
            out, _ = run.communicate()
    assert (run.returncode, out) == (0, b"")
    first, *lines = said.read_text().splitlines()
    assert first == f"watching {footage} as the kernel tells of it"
    assert sorted(lines) == sorted(f"indexed {path}" for path in footage.iterdir())


def test_uniform_is_the_plain_baseline(tempo: Tempo, footage: Path) -> None:
    assert tempo("index", "-q", "--uniform", "2", footage).status == 0
    assert json.loads(tempo("status", "--json").out)["frames"] == 18


def test_the_other_decoder(tempo: Tempo, footage: Path) -> None:
    pytest.importorskip("decord")
    said = tempo("index", "--decoder", "decord", footage / "beach.mp4")
    assert (said.status, said.err.split(" (")[0]) == (0, "1 indexed")


def test_hardware_decoding_that_is_off_is_told_once(tempo: Tempo, footage: Path) -> None:
    if not why_off():
        pytest.skip("a device decodes faster here")
    said = tempo("index", "-q", "--decoder", "hardware", footage)
    assert said.status == 0
    assert re.fullmatch(
        r"hardware decoding is off: cuda .*; the processor decodes \d+ .*\n", said.err
    )
    facts = json.loads(tempo("status", "--json").out)
    assert facts["videos"] == 3 and not facts["remarks"]


def test_the_library_of_the_environment(
    tempo: Tempo, footage: Path, tmp_path: Path, library_path: Path
) -> None:
    named = tmp_path / "named.db"
    tempo("index", "-q", footage / "garden.mp4", "--library", named)
    assert not library_path.exists()
    assert "1 indexed" in tempo("status", "--library", named).out


def test_the_library_in_the_data_folder(
    footage: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    home = {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "data")}
    (tmp_path / "home" / "films").mkdir(parents=True)
    shutil.copy(footage / "garden.mp4", tmp_path / "home" / "films")
    assert Forked(["index", "-q", "~/films"], {**environment, **home}).wait() == 0
    assert (tmp_path / "data" / "tempo-edge" / "library.db").is_file()


def test_that_nobody_listens_is_no_reason_to_stop(
    command: Commands, environment: dict[str, str], footage: Path, library_path: Path
) -> None:
    (footage / "bad.mp4").write_bytes(b"bad")
    run = subprocess.Popen(command("index", footage), env=environment, stderr=subprocess.PIPE)
    assert run.stderr is not None
    run.stderr.close()
    assert run.wait() == 0
    with tempo_edge.Library.open(library_path) as library:
        assert len(library.files()) == 4


def test_without_any_streams(
    command: Commands, environment: dict[str, str], footage: Path, library_path: Path
) -> None:
    line = shlex.join(command("index", footage)) + " >&- 2>&-"
    assert subprocess.run(line, env=environment, shell=True, check=False).returncode == 0  # noqa: S602
    line = shlex.join(command("find", "x", "--min-confidence", "0")) + " >&- 2>&-"
    assert subprocess.run(line, env=environment, shell=True, check=False).returncode == 0  # noqa: S602


# -- the bar on a terminal -------------------------------------------------------------------------


@pytest.fixture
def feature(footage: Path, long_film: Path) -> Path:
    """A film that takes a while, beside the short ones and a bad one."""
    shutil.copy(long_film, footage / "feature.mp4")
    (footage / "bad [bold].mp4").write_bytes(b"bad")
    return footage


def test_a_terminal_gets_a_bar(
    command: Commands, environment: dict[str, str], feature: Path
) -> None:
    wide = {**environment, "COLUMNS": "100"}
    status, shown = on_terminal(command("index", feature), wide, stdout=subprocess.DEVNULL)
    assert status == 0
    assert "feature.mp4" in shown
    assert "━" in shown
    assert re.search(r"[1-5]/5 +\d+x", shown), "which file of how many, and how fast"
    assert re.search(r"\d:\d\d:\d\d", shown), "the time that remains"
    assert f"skipping {feature}/bad [bold].mp4: " in shown, "it is no markup"
    last = [line for line in shown.splitlines() if "indexed" in line][-1]
    assert masked(last).endswith("4 indexed, 1 skipped (0:02:39 of footage in # s)")


def test_a_quiet_terminal_gets_no_bar(
    command: Commands, environment: dict[str, str], footage: Path
) -> None:
    wide = {**environment, "COLUMNS": "100"}
    line = command("index", "-q", footage)
    assert on_terminal(line, wide, stdout=subprocess.DEVNULL) == (0, "")


def test_without_an_engine_every_command_says_what_to_install(environment: dict[str, str]) -> None:
    commands = (
        *(["index", "/tmp"], ["find", "x"], ["watch", "/tmp"], ["status"], ["forget", "/"]),
        ["demo"],
    )
    for said in each_without(["onnxruntime", "faiss"], *commands, environment=environment):
        assert said.error == (
            'onnxruntime and faiss are not installed: pip install ".[cpu]", '
            'or ".[gpu]" with an NVIDIA card'
        )


def test_with_half_an_engine(environment: dict[str, str]) -> None:
    (said,) = each_without(["faiss"], ["status"], environment=environment)
    assert said.error.startswith('faiss is not installed: pip install ".[cpu]"')


@pytest.mark.parametrize(
    ("lacking", "name", "extra", "arguments"),
    [
        ("PIL", "Pillow", "train", ("train", "evaluate", "a.yaml", "--library", "b.db")),
        ("torch", "torch", "train", ("train", "sft", "--data", "a", "--work", "b", "--out", "c")),
        ("PIL", "Pillow", "onnx", ("export", "nano", "--pictures", ".")),
    ],
)
def test_without_the_tools_of_training_the_extra_is_named(
    environment: dict[str, str], lacking: str, name: str, extra: str, arguments: tuple[str, ...]
) -> None:
    (said,) = each_without([lacking], arguments, environment=environment)
    assert said.error == f'{name} is not installed: pip install ".[{extra}]"'


def test_models_are_carried_without_an_engine(environment: dict[str, str], tmp_path: Path) -> None:
    commands = (
        ("models", "list", "--all"),
        ("models", "verify"),
        ("models", "export-bundle", "nano", tmp_path / "nano.tar"),
        ("models", "import-bundle", tmp_path / "nano.tar"),
        ("models", "remove", "nano"),
    )
    replies = each_without(["onnxruntime", "faiss"], *commands, environment=environment)
    for (_, name, *_), said in zip(commands, replies, strict=True):
        assert said.status == 0, said.err
        tried = "the models of nano can't be tried: ONNX Runtime is not installed" in said.err
        assert tried == (name == "import-bundle"), said.err


def test_demo(tempo: Tempo, monkeypatch: pytest.MonkeyPatch, originals: Path) -> None:
    """The command reaches the demo; its own clips and searches are tried elsewhere."""
    clips = [originals / "beach.mp4", originals / "garden.mp4"]
    monkeypatch.setattr(demo, "sample_clips", lambda: clips)
    said = tempo("demo")
    assert said.status == 0
    assert "2 indexed" in said.err
    assert said.out.count("$ tempo-edge find") >= 2
    assert tempo_edge.__version__
