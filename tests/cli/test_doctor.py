"""`tempo-edge doctor`: a line a group of what is right, and of what is not what mends it."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Said, each_without
from snapshots import check

from tempo_edge._extras import EXTRAS
from tempo_edge.cli import doctor
from tempo_edge.models import providers
from tempo_edge.models.providers import Standing, standings
from tempo_edge.service.transport.places import socket_path

Tempo = Callable[..., Said]
Check = dict[str, str]

GROUPS = (
    *("tempo-edge", "packages", "providers", "decoding", "kernels", "profiles"),
    *("disks", "player", "library", "service", "extras"),
)


def examined(tempo: Tempo) -> list[Check]:
    report = json.loads(tempo("doctor", "--json").out)
    assert set(report) == {"ok", "checks"}
    return list(report["checks"])


def test_what_is_right_is_one_line_a_group(tempo: Tempo, footage: Path) -> None:
    assert tempo("doctor").status == 0
    tempo("index", "-q", footage)
    said = tempo("doctor")
    assert (said.status, said.err) == (0, "")
    right = [line for line in said.out.splitlines() if line.startswith("ok")]
    groups = [line.split()[1] for line in right]
    assert len(groups) == len(set(groups)) and set(groups) <= set(GROUPS)
    rows = dict(zip(groups, right, strict=True))
    assert "av " in rows["packages"] and "onnxruntime " in rows["packages"]
    assert "CPUExecutionProvider" in rows["providers"]
    assert "numba-cpu runs, lanes runs, numpy runs" in rows["kernels"]
    assert "nano " in rows["profiles"] and "matches its checksums" in rows["profiles"]
    assert "file" in rows["disks"] and "at " in rows["disks"]
    assert "3 videos" in rows["library"]
    assert "cpu" in rows["extras"]


def test_json_is_one_object(tempo: Tempo) -> None:
    checks = examined(tempo)
    assert all(set(row) == {"group", "name", "state", "detail", "mend"} for row in checks)
    assert {row["state"] for row in checks} <= {"ok", "optional"}
    assert tuple(dict.fromkeys(row["group"] for row in checks)) == GROUPS
    # Nothing that could be installed brings a GPU.
    assert all(row["mend"] == "" for row in checks if "no GPU" in row["detail"])


def test_who_installs_by_pip_is_sent_to_no_compiler(tempo: Tempo) -> None:
    for row in examined(tempo):
        assert "cmake" not in row["mend"] + row["detail"]
        assert row["state"] == "ok" or row["group"] != "extras" or row["mend"].startswith("pip ")


def test_every_extra_is_told(tempo: Tempo, monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "dbus_fast" else there(name)
    )
    rows = {row["name"]: row for row in examined(tempo) if row["group"] == "extras"}
    assert list(rows) == [extra.name for extra in EXTRAS]
    assert rows["cpu"]["state"] == "ok" and rows["cpu"]["mend"] == ""
    assert rows["desktop"] == {
        "group": "extras",
        "name": "desktop",
        "state": "optional",
        "detail": "for the search of GNOME and KDE; dbus-fast is not installed",
        "mend": 'pip install ".[desktop]"',
    }
    (line,) = [each for each in tempo("doctor").out.splitlines() if "dbus-fast" in each]
    assert line.split(maxsplit=2) == [
        "absent",
        "extras",
        "desktop: for the search of GNOME and KDE; dbus-fast is not installed"
        '  -> pip install ".[desktop]"',
    ]


@pytest.mark.parametrize(("number", "extra"), [("1.26.0", "gpu-cu12"), ("1.31.1", "gpu")])
def test_a_runtime_for_cards_that_another_lies_over(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: str, extra: str
) -> None:
    def told() -> list[Check]:
        return [each for each in examined(tempo) if each["name"] == "onnxruntime-gpu"]

    assert told() == []
    facts = tmp_path / f"onnxruntime_gpu-{number}.dist-info" / "METADATA"
    facts.parent.mkdir()
    facts.write_text(f"Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: {number}\n")
    monkeypatch.syspath_prepend(tmp_path)
    (row,) = told()
    assert (row["group"], row["state"]) == ("packages", "optional")
    assert row["detail"].endswith("no card is used")
    again = 'pip uninstall -y onnxruntime onnxruntime-gpu && pip install ".[GPU]"'.replace(
        "GPU", extra
    )
    assert row["mend"] == again
    (line,) = [each for each in tempo("doctor").out.splitlines() if again in each]
    assert line.startswith("absent ")
    with monkeypatch.context() as patch:
        patch.setattr("onnxruntime.get_available_providers", lambda: ["CUDAExecutionProvider"])
        assert [doctor._overwritten()[0][each] for each in ("state", "mend")] == ["ok", ""]


@pytest.fixture
def answering() -> Callable[[dict[str, Any]], None]:
    """Lets something answer on the user's socket, once, as the service does."""

    def answer(status: dict[str, Any]) -> None:
        place = socket_path()
        place.parent.mkdir(parents=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(place))
        listener.listen(1)

        def run() -> None:
            with listener, listener.accept()[0] as caller:
                caller.recv(65536)
                body = json.dumps(status).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                caller.sendall(head.encode() + body)

        threading.Thread(target=run, daemon=True).start()

    return answer


def test_a_service_is_told_with_its_address(
    answering: Callable[[dict[str, Any]], None],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    absent = doctor._service()
    assert (absent["state"], absent["detail"]) == ("optional", "none runs")
    assert absent["mend"].startswith("tempo-edge serve")
    answering({"library": "/v/library.db", "address": "http://127.0.0.1:8017/"})
    told = doctor._service()
    assert (told["state"], told["mend"]) == ("ok", "")
    assert told["detail"] == "runs for /v/library.db at http://127.0.0.1:8017/"


def test_names_keep_to_their_line(tempo: Tempo, tmp_path: Path) -> None:
    report = {
        "ok": False,
        "checks": [
            doctor._check("library", "library", "missing", "/v/\x1b[31m\n\u202e.db is none", "x"),
            doctor._check("player", "mpv", "ok", "/a\nb"),
        ],
    }
    assert doctor.format_report(report) == (
        "MISSING  library  /v/\\x1b[31m\\n\\u202e.db is none  -> x\nok       player   mpv /a\\nb\n"
    )


def test_providers_are_named_in_the_order_of_trying(tempo: Tempo) -> None:
    """Those that can't be used stand below, each with its reason."""
    rows = [row for row in examined(tempo) if row["group"] == "providers"]
    usable = [each.provider for each in standings() if not each.trouble]
    assert [row["name"] for row in rows if row["state"] == "ok"] == usable
    assert usable[-1] == "CPUExecutionProvider"
    others = [row for row in rows if row["state"] != "ok"]
    assert [row["name"] for row in others] == [each.name for each in standings() if each.trouble]
    assert all(row["state"] == "optional" and row["detail"] for row in others)


def told_of_providers(said: Said) -> Said:
    lines = [line for line in said.out.splitlines() if line.split()[1] == "providers"]
    return dataclasses.replace(said, out="".join(f"{' '.join(line.split())}\n" for line in lines))


def test_where_the_environment_asks_for_what_there_is_not(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPO_EDGE_PROVIDERS", "azure")
    check("doctor, of a provider that nobody knows", told_of_providers(tempo("doctor")))


def test_what_was_asked_for_and_is_of_no_use(tempo: Tempo, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Standing("cuda", "libcudart.so.13 can't be loaded", "pip install it", asked=True),
        Standing("tensorrt", "no usable NVIDIA GPU: libcuda.so.1: cannot open"),
        Standing("cpu"),
    ]
    monkeypatch.setattr(providers, "standings", lambda wanted=None: found)
    check("doctor, of providers", told_of_providers(tempo("doctor")))


def test_a_library_that_is_none(tempo: Tempo, library_path: Path) -> None:
    library_path.parent.mkdir()
    library_path.write_text("notes " * 1000)
    said = tempo("doctor")
    assert said.status == 2
    assert "MISSING  library" in said.out
    assert "file is not a database" in said.out


def test_without_mpv(tempo: Tempo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "absent   player      mpv: find --play needs it" in tempo("doctor").out


def test_without_an_engine(environment: dict[str, str]) -> None:
    lacking = ["onnxruntime", "faiss", "decord", "numba"]
    (said,) = each_without(lacking, ["doctor"], environment=environment)
    assert (said.status, said.err) == (2, "")
    lines = said.out.splitlines()
    mend = '-> pip install ".[cpu]", or ".[gpu]" with an NVIDIA card'
    for name in ("onnxruntime", "faiss"):
        assert f"MISSING  packages    {name}: not installed  {mend}" in lines
    (line,) = [line for line in lines if "decord" in line]
    assert line.startswith("absent   extras      decord: for ")
    assert line.endswith('decord2 is not installed  -> pip install ".[decord]"')
    assert not any(line.split()[1] == "providers" for line in lines)
