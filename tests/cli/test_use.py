"""``tempo-edge models use``: from a hub to answers, without torch, and back again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import PATIENCE, Said, on_terminal

onnx = pytest.importorskip("onnx")
constants = pytest.importorskip("huggingface_hub.constants")

# ruff: noqa: E402 - the imports below need onnx
from hub import Hub, running
from published_encoders import tiny

from tempo_edge.models.published import ENCODERS
from tempo_edge.models.registry import installed_profiles, load_profile
from tempo_edge.models.stored_vectors import sentences_path
from tempo_edge.preferences import Preferences, preferences_path

Tempo = Callable[..., Said]

# A process of its own knows the tiny files by these pins, and has neither torch nor onnx.
PINNED = """
import json, sys
sys.modules.update(dict.fromkeys(("torch", "transformers", "onnx", "PIL")))
from dataclasses import replace
from tempo_edge import cli
from tempo_edge.models.published import ENCODERS, PinnedFile
for name, parts in json.loads(sys.argv.pop(1)).items():
    pinned = {part: tuple(PinnedFile(*each) for each in files) for part, files in parts.items()}
    ENCODERS[name] = replace(ENCODERS[name], **pinned)
cli.main()
"""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of SigLIP 2 in small, which this process takes for the published ones."""
    encoder, files = tiny("siglip2")
    monkeypatch.setitem(ENCODERS, "siglip2", encoder)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return files


@pytest.fixture
def copy(served: dict[str, bytes], tmp_path: Path) -> Path:
    """A folder with them, in place of a hub."""
    for name, data in served.items():
        path = tmp_path / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "copy"


def pins(*names: str) -> str:
    """What :data:`PINNED` reads of encoders."""
    facts = {}
    for name in names:
        encoder = ENCODERS[name]
        parts = {"image": encoder.image, "text": encoder.text, "beside": encoder.beside}
        facts[name] = {
            part: [(each.name, each.bytes, each.sha256) for each in files]
            for part, files in parts.items()
        }
    return json.dumps(facts)


def test_from_a_hub_to_a_library(
    served: dict[str, bytes],
    tempo: Tempo,
    originals: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository, revision = ENCODERS["siglip2"].repository, ENCODERS["siglip2"].revision
    with running(Hub({repository: served}, revision)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        said = tempo("models", "use", "siglip2", "--quiet")
    assert said.status == 0 and said.out == "", said.err
    lines = said.err.splitlines()
    assert lines[0].startswith(f"siglip2: 0 MB from {repository} at {revision[:12]}, Apache-2.0")
    assert lines[1].startswith("onnx/vision_model_int8.onnx takes ")
    assert lines[2].endswith(" ms a sentence here")
    assert lines[3].startswith("reading generic sentences with siglip2, once")
    assert lines[4].startswith("installed siglip2 ") and lines[4].endswith(" ms a picture here")
    assert lines[5:] == ["new libraries are indexed with siglip2"]
    monkeypatch.delenv("HF_ENDPOINT")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    said = tempo("index", originals, "-q")
    assert said.status == 0, said.err
    assert json.loads(tempo("status", "--json").out)["profile"] == "siglip2"
    said = tempo("find", "a beach", "--min-confidence", "0", "--json")
    assert said.status == 0 and json.loads(said.out.splitlines()[0])["profile"] == "siglip2"
    assert tempo("find", "a beach", "--min-confidence", "1").status == 1
    rows = json.loads(tempo("models", "list", "--json").out)
    row = next(each for each in rows if each["name"] == "siglip2")
    assert row["is_default"] and row["speaks"] == "many languages"
    assert row["milliseconds_a_picture"] >= 0 and row["memory_bytes"] > row["bytes"]

    # Another library was built with nano, and stays so.
    other = tmp_path / "other.db"
    assert tempo("index", originals, "--library", other, "--profile", "nano", "-q").status == 0
    assert json.loads(tempo("status", "--json", "--library", other).out)["profile"] == "nano"
    said = tempo("find", "beach", "--library", other, "--min-confidence", "0", "--json")
    assert said.status == 0, said.err

    said = tempo("models", "use", "nano")
    assert said.status == 0 and said.err == "new libraries are indexed with nano\n"
    third = tmp_path / "third.db"
    assert tempo("index", originals, "--library", third, "-q").status == 0
    assert json.loads(tempo("status", "--json", "--library", third).out)["profile"] == "nano"


def test_a_copy_takes_the_place_of_a_hub(copy: Path, tempo: Tempo, tmp_path: Path) -> None:
    said = tempo("models", "use", "siglip2", "--from", copy)
    assert said.status == 0, said.err
    said = tempo("models", "export-bundle", "siglip2", tmp_path / "siglip2.tar")
    assert said.status == 0, said.err
    said = tempo("models", "remove", "siglip2")
    assert "new libraries are indexed with nano" in said.err
    assert Preferences.read().profile == "nano"
    said = tempo("models", "import-bundle", tmp_path / "siglip2.tar")
    assert said.status == 0, said.err
    said = tempo("models", "use", "siglip2")  # which is here already: nobody is asked
    assert said.status == 0 and Preferences.read().profile == "siglip2"


def test_a_precision_is_fetched_where_it_can_be_had(copy: Path, tempo: Tempo) -> None:
    said = tempo("models", "use", "siglip2", "--from", copy, "--precision", "half")
    assert "precision 'half' of 'siglip2' must be one of ['int8', 'uint8'" in said.error
    said = tempo("models", "use", "siglip2", "--from", copy, "--precision", "fp16")
    assert said.status == 0 and "onnx/vision_model_fp16.onnx takes " in said.err, said.err
    said = tempo("models", "use", "siglip2", "--from", copy, "--precision", "int8")
    assert "'siglip2' is here already" in said.error and "models remove siglip2" in said.error


def test_an_imported_bundle_can_be_searched_at_once(
    copy: Path, tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generic sentences are read when it is imported, not by the first search."""
    assert tempo("models", "use", "siglip2", "--from", copy).status == 0
    assert tempo("models", "export-bundle", "siglip2", tmp_path / "siglip2.tar").status == 0
    line = "reading generic sentences with siglip2, once"
    # Another machine.
    for variable in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "other" / variable))
    said = tempo("models", "import-bundle", tmp_path / "siglip2.tar")
    assert said.status == 0 and said.err.splitlines()[-1].startswith(line), said.err
    assert sentences_path(load_profile("siglip2").fingerprint).exists()
    said = tempo("models", "import-bundle", tmp_path / "siglip2.tar", "--replace")
    assert said.status == 0 and line not in said.err
    # One that brings them needs not read them.
    assert tempo("models", "export-bundle", "nano", tmp_path / "nano.tar").status == 0
    said = tempo("models", "import-bundle", tmp_path / "nano.tar")
    assert said.status == 0 and "generic sentences" not in said.err


def test_offline_means_offline(
    served: dict[str, bytes], tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in tempo("models", "use", "siglip2").err
    assert Preferences.read().profile == "nano"


def test_what_is_no_profile_is_named_with_those_there_are(tempo: Tempo) -> None:
    said = tempo("models", "use", "giant")
    assert "profile 'giant' must be one of ['clip', 'nano', 'siglip2'" in said.error
    said = tempo("index", ".", "--profile", "tinyclip")
    assert (
        said.error == "profile 'tinyclip' must be one of ['nano']: tempo-edge models use tinyclip"
    )
    said = tempo("models", "pull", "siglip2")
    assert said.error.endswith("searches as it was published: tempo-edge models use siglip2")


def test_a_person_at_a_terminal_is_asked(
    copy: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with running(Hub({ENCODERS["siglip2"].repository: {}}, "")) as hub:
        told = {**environment, "HF_ENDPOINT": hub.url}
        line = [sys.executable, "-c", PINNED, pins("siglip2"), "models", "use", "siglip2"]
        process = subprocess.run(
            [sys.executable, "-c", ASKED, *line],
            env={**told, "TERM": "xterm"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert "Fetch it? [Y/n]" in process.stdout, process.stderr
        assert "status 1" in process.stdout
        assert hub.asked == []  # nothing is fetched unless asked for


# A terminal whose user says no.
ASKED = """
import os, pty, sys
def typed(fd):
    data = os.read(fd, 1024)
    if b"Fetch it?" in data:
        os.write(fd, b"n\\n")
    return data
print("status", os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], typed)))
"""


def test_a_run_that_is_killed_at_any_moment_goes_on(
    served: dict[str, bytes], environment: dict[str, str], originals: Path
) -> None:
    """Real processes without torch: `kill -9` at one moment after another, and then the end."""
    served["onnx/text_model_int8.onnx"] += b"\x9a\x06" + varint(40_000_000) + bytes(40_000_000)
    encoder, _ = tiny("siglip2", served)
    ENCODERS["siglip2"] = encoder  # which the fixture puts back
    home = Path(environment["HOME"])
    store = home / ".local/share/tempo-edge/profiles"
    partial = store / ".siglip2.partial"
    moments: dict[str, Callable[[], bool]] = {
        "it had begun": partial.exists,
        "a graph came": lambda: any(partial.glob("**/*.incomplete")),
        "graphs were tried": (partial / "onnx/text_model_int8.onnx").exists,
        "the profile was written": lambda: any(
            each != partial for each in (store.glob(".siglip2*") if store.exists() else ())
        ),
        "it had its place": (store / "siglip2").exists,
    }
    with running(Hub({encoder.repository: served}, encoder.revision)) as hub:
        told = {**environment, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"}
        start = [sys.executable, "-c", PINNED, pins("siglip2")]
        use = [*start, "models", "use", "siglip2", "-q"]
        killed = [moment for moment, is_now in moments.items() if killed_at(use, told, is_now)]
        assert killed  # all five, unless the machine is too quick
        ended = subprocess.run(use, env=told, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    assert "new libraries are indexed with siglip2" in ended.stderr
    assert sorted(path.name for path in store.iterdir()) == ["siglip2"]
    assert any((home / ".cache/tempo-edge/sentences").glob("*.npy")), killed
    find = ["find", "a beach", "--no-service", "--min-confidence", "0", "--json"]
    for arguments in (["index", str(originals), "-q"], find):
        said = subprocess.run(
            [*start, *arguments], env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout.splitlines()[0])["profile"] == "siglip2"


def killed_at(line: list[str], told: dict[str, str], is_now: Callable[[], bool]) -> bool:
    """Whether a process could be killed at a moment, before it had ended."""
    process = subprocess.Popen(line, env=told, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while not is_now() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def varint(number: int) -> bytes:
    """A whole number as protocol buffers write it."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def test_a_library_of_another_profile_is_offered_to_be_read_again(
    originals: Path, environment: dict[str, str], command: Callable[..., list[str]]
) -> None:
    def shown(*arguments: object) -> str:
        return on_terminal(command(*map(str, arguments)), environment)[1]

    shown("index", originals)
    path = Path(environment["HOME"]) / ".config/tempo-edge/preferences.json"
    Preferences(profile="siglip2").write(path)
    assert "index --profile siglip2 reads all of it again" in shown("index", originals)
    assert "--profile siglip2" not in shown("index", originals, "-q")
    path.write_text("{")
    assert "preferences" not in shown("index", originals)


def test_what_would_understand_more_is_said_once(
    originals: Path, environment: dict[str, str], command: Callable[..., list[str]]
) -> None:
    def shown(*arguments: object) -> str:
        return on_terminal(command(*map(str, arguments)), environment)[1]

    assert "models use" not in shown("index", originals, "-q")
    assert "models use" not in shown("find", "beach", "--json")
    (line,) = [each for each in shown("find", "beach").splitlines() if "models use" in each]
    assert line.startswith("nano is small and understands little")
    assert "models use" not in shown("find", "beach")
    assert "models use" not in shown("index", originals)


@pytest.mark.parametrize("text", ["{", '{"profile": 3}', "[]", '{"told": [1]}', '{"told": 3}'])
def test_preferences_that_nobody_can_read_are_named(tempo: Tempo, text: str) -> None:
    path = preferences_path()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    said = tempo("models", "use", "nano")
    assert f"preferences {path} can't be read" in said.error
    path.unlink()
    assert tempo("models", "use", "nano").status == 0
    assert json.loads(path.read_text()) == {"profile": "nano", "speech": "whisper-base", "told": []}


def test_every_encoder_can_be_used(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in sorted(ENCODERS):
        encoder, files = tiny(name)
        monkeypatch.setitem(ENCODERS, name, encoder)
        for file, data in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        said = tempo("models", "use", name, "--from", tmp_path / name)
        assert said.status == 0, said.err
        assert load_profile(name).folder == installed_profiles() / name
    assert "siglip2" in tempo("models", "verify").out
