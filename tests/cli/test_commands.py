"""The other commands: whole outputs, and what goes where."""

from __future__ import annotations

import dataclasses
import json
import os
import pty
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said, wait_until
from snapshots import check, masked

import tempo_edge
from tempo_edge import demo
from tempo_edge.models import providers
from tempo_edge.models.providers import Standing, standings

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


def make_offline(library_path: Path, name: str) -> None:
    """Let a file have been on a volume that is not mounted."""
    rows = sqlite3.connect(library_path)
    with rows:
        change = "UPDATE files SET volume='1234:/media/stick', path='/media/stick/'||? "
        rows.execute(f"{change} WHERE path LIKE '%/'||?", (name, name))
    rows.close()


def test_status(tempo: Tempo, footage: Path, library_path: Path) -> None:
    (footage / "bad.mp4").write_bytes(b"")
    tempo("index", "-q", footage)
    (footage / "street.mkv").unlink()
    make_offline(library_path, "garden.mp4")
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
    assert "was built with profile 'giga'" in tempo("index", "--profile", "nano", footage).error
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
            wait_until(lambda: said.read_text().count("\n") == 3)
            run.terminate()
            out, _ = run.communicate()
    assert (run.returncode, out) == (0, b"")
    assert sorted(said.read_text().splitlines()) == sorted(
        f"indexed {path}" for path in footage.iterdir()
    )


def test_uniform_is_the_plain_baseline(tempo: Tempo, footage: Path) -> None:
    assert tempo("index", "-q", "--uniform", "2", footage).status == 0
    assert json.loads(tempo("status", "--json").out)["frames"] == 18


def test_the_other_decoder(tempo: Tempo, footage: Path) -> None:
    pytest.importorskip("decord")
    said = tempo("index", "--decoder", "decord", footage / "beach.mp4")
    assert (said.status, said.err.split(" (")[0]) == (0, "1 indexed")


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
    line = [sys.executable, "-m", "tempo_edge.cli", "index", "-q", "~/films"]
    (tmp_path / "home" / "films").mkdir(parents=True)
    shutil.copy(footage / "garden.mp4", tmp_path / "home" / "films")
    subprocess.run(line, env={**environment, **home}, check=True)
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


def on_terminal(line: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """(status, what a process writes to a terminal that is its stderr)."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        line,
        env={**environment, "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    with run:
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            written += part
    os.close(ours)
    return run.returncode, written.decode().replace("\r\n", "\n")


@pytest.fixture
def feature(footage: Path, long_film: Path) -> Path:
    """A film that takes a while, beside the short ones and a bad one."""
    shutil.copy(long_film, footage / "feature.mp4")
    (footage / "bad [bold].mp4").write_bytes(b"bad")
    return footage


def test_a_terminal_gets_a_bar(
    command: Commands, environment: dict[str, str], feature: Path
) -> None:
    status, shown = on_terminal(command("index", feature), environment)
    assert status == 0
    assert "feature.mp4" in shown
    assert "━" in shown
    assert re.search(r"[1-5]/5 +\d+x", shown), "which file of how many, and how fast"
    assert re.search(r"\d:\d\d:\d\d", shown), "the time that remains"
    assert f"skipping {feature}/bad [bold].mp4: " in shown, "it is no markup"
    last = [line for line in shown.splitlines() if "indexed" in line][-1]
    assert masked(last).endswith("4 indexed, 1 skipped (0:02:39 of footage at #x real time)")


def test_a_quiet_terminal_gets_no_bar(
    command: Commands, environment: dict[str, str], footage: Path
) -> None:
    assert on_terminal(command("index", "-q", footage), environment) == (0, "")


# -- doctor and demo -------------------------------------------------------------------------------


def test_doctor(tempo: Tempo, footage: Path) -> None:
    assert tempo("doctor").status == 0
    tempo("index", "-q", footage)
    said = tempo("doctor")
    assert (said.status, said.err) == (0, "")
    rows = {line.split()[1]: line for line in said.out.splitlines()}
    for name in ("tempo-edge", "python", "av", "onnxruntime", "faiss", "providers", "kernel"):
        assert rows[name].startswith("ok     "), rows[name]
    assert "CPUExecutionProvider" in rows["providers"]
    assert "3 videos" in rows["library"]
    report = json.loads(tempo("doctor", "--json").out)
    assert [row["name"].split()[0] for row in report] == [
        line.split()[1] for line in said.out.splitlines()
    ]
    assert all(set(row) == {"name", "state", "detail", "mend"} for row in report)
    kernels = {row["name"]: row["detail"] for row in report if row["name"].startswith("kernel")}
    assert kernels["kernel numpy"] == kernels["kernel numba-cpu"] == "runs"
    # Nothing that could be installed brings a GPU.
    assert all(row["mend"] == "" for row in report if row["detail"] == "no GPU")
    profiles = {row["name"]: row["detail"] for row in report if row["name"].startswith("profile")}
    assert profiles["profile nano"].endswith("checksums match")


def test_doctor_names_the_providers_in_the_order_of_trying(tempo: Tempo) -> None:
    """Those that can't be used stand below, each with its reason."""
    report = json.loads(tempo("doctor", "--json").out)
    rows = {row["name"]: row for row in report if row["name"].startswith("provider")}
    tried = rows.pop("providers")
    usable = [each.provider for each in standings() if not each.trouble]
    assert tried == {
        "name": "providers",
        "state": "ok",
        "detail": ", ".join(usable),
        "mend": "",
    }
    assert usable[-1] == "CPUExecutionProvider"
    assert list(rows) == [f"provider {each.name}" for each in standings() if each.trouble]
    assert all(row["state"] == "optional" and row["detail"] for row in rows.values())


def test_doctor_where_the_environment_asks_for_what_there_is_not(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "azure")
    said = tempo("doctor")
    lines = [line for line in said.out.splitlines() if "provider" in line]
    said = dataclasses.replace(said, out="".join(f"{' '.join(line.split())}\n" for line in lines))
    check("doctor, of a provider that nobody knows", said)


def test_doctor_on_what_was_asked_for_and_is_of_no_use(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        Standing("cuda", "libcudart.so.13 can't be loaded", "pip install it", asked=True),
        Standing("tensorrt", "no usable NVIDIA GPU: libcuda.so.1: cannot open"),
        Standing("cpu"),
    ]
    monkeypatch.setattr(providers, "standings", lambda: found)
    said = tempo("doctor")
    lines = [line for line in said.out.splitlines() if "provider" in line]
    said = dataclasses.replace(said, out="".join(f"{' '.join(line.split())}\n" for line in lines))
    check("doctor, of providers", said)


def test_doctor_on_a_library_that_is_none(tempo: Tempo, library_path: Path) -> None:
    library_path.parent.mkdir()
    library_path.write_text("notes " * 1000)
    said = tempo("doctor")
    assert said.status == 2
    assert "MISSING  library" in said.out
    assert "file is not a database" in said.out


BLOCKED = """
import sys
for name in {names}:
    sys.modules[name] = None
from tempo_edge.cli import main
main()
"""


def without(names: list[str], *arguments: object, environment: dict[str, str]) -> Said:
    """Run a command where some packages are not installed."""
    run = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(names=names), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(run.returncode, run.stdout, run.stderr)


@pytest.mark.parametrize(
    "arguments",
    [["index", "/tmp"], ["find", "x"], ["watch", "/tmp"], ["status"], ["forget", "/"], ["demo"]],
    ids=lambda arguments: arguments[0],
)
def test_without_an_engine_every_command_says_what_to_install(
    environment: dict[str, str], arguments: list[str]
) -> None:
    said = without(["onnxruntime", "faiss"], *arguments, environment=environment)
    assert said.error == (
        'onnxruntime and faiss are not installed: pip install "tempo-edge[cpu]", '
        'or "tempo-edge[gpu]" with an NVIDIA card'
    )


def test_with_half_an_engine(environment: dict[str, str]) -> None:
    said = without(["faiss"], "status", environment=environment)
    assert said.error.startswith('faiss is not installed: pip install "tempo-edge[cpu]"')


@pytest.mark.parametrize(
    ("lacking", "line", "arguments"),
    [
        ("PIL", "Pillow is not installed", ("train", "evaluate", "a.yaml", "--library", "b.db")),
        ("torch", "torch is not installed", ("train", "evaluate", "a.yaml", "--library", "b.db")),
        ("onnx", "onnx is not installed", ("export", "nano", "--check")),
    ],
)
def test_without_the_tools_of_training_the_extra_is_named(
    environment: dict[str, str], lacking: str, line: str, arguments: tuple[str, ...]
) -> None:
    said = without([lacking], *arguments, environment=environment)
    assert said.error == f'{line}: pip install "tempo-edge[train]"'


def test_models_are_carried_without_an_engine(environment: dict[str, str], tmp_path: Path) -> None:
    for arguments in (
        ("list", "--all"),
        ("verify",),
        ("export-bundle", "nano", tmp_path / "nano.tar"),
        ("import-bundle", tmp_path / "nano.tar"),
        ("remove", "nano"),
    ):
        said = without(["onnxruntime", "faiss"], "models", *arguments, environment=environment)
        assert said.status == 0, said.err


def test_doctor_without_an_engine(environment: dict[str, str]) -> None:
    said = without(["onnxruntime", "faiss", "decord", "numba"], "doctor", environment=environment)
    assert (said.status, said.err) == (2, "")
    lines = said.out.splitlines()
    mend = '-> pip install "tempo-edge[cpu]"'
    for name in ("onnxruntime", "faiss"):
        (line,) = [line for line in lines if line.split()[1] == name]
        assert line.startswith("MISSING  ") and line.endswith(f"not installed  {mend}")
    (line,) = [line for line in lines if line.split()[1] == "decord"]
    assert line.startswith("absent   ")
    assert not any("providers" in line for line in lines)


def test_demo(tempo: Tempo, monkeypatch: pytest.MonkeyPatch, originals: Path) -> None:
    """The command reaches the demo; its own clips and searches are tried elsewhere."""
    clips = [originals / "beach.mp4", originals / "garden.mp4"]
    monkeypatch.setattr(demo, "demo_clips", lambda: clips)
    said = tempo("demo")
    assert said.status == 0
    assert "2 indexed" in said.err
    assert said.out.count("$ tempo-edge find") >= 2
    assert tempo_edge.__version__
