"""A library that is spoilt under a running service: out of use for as long as it is."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from door import Service, running
from shown import Footage

import tempo_edge

ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/find", {"q": "a beach", "min_confidence": 0, "grounder": "curve"}),
    ("/v1/find", {"q": "a beach", "min_confidence": 0, "grounder": "mllm"}),
    ("/v1/videos", {}),
    ("/v1/status", {}),
    ("/v1/skipped", {}),
    ("/v1/videos/1/curve", {"q": "a beach"}),
    ("/v1/videos/1/frame", {"t": 1}),
)


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def garble(path: Path) -> None:
    """Other bytes in the same file, from its middle on."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size - size // 2))


def scribble(path: Path) -> None:
    path.write_bytes(b"not a library at all\n" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def newer(path: Path) -> None:
    draft = path.with_name("newer.db")
    shutil.copy(path, draft)
    with sqlite3.connect(draft) as database:
        database.execute("PRAGMA user_version = 9999")
    database.close()
    draft.replace(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def state(service: Service) -> list[Any]:
    """What it answers, without what differs from time to time."""
    said = []
    for path, parameters in ASKED:
        reply = service.get(path, **parameters)
        assert reply.status == 200, (path, reply)
        is_json = reply.headers["content-type"] == "application/json"
        facts = reply.json if is_json else len(reply.body)
        if isinstance(facts, dict):
            facts.pop("took_ms", None)
        said.append(facts)
    return said


def settle(service: Service) -> None:
    """Ask until it answers; whoever is the first to find another library may be put off."""
    for path, parameters in ASKED:
        for _ in range(3):
            reply = service.get(path, **parameters)
            if reply.status != 503:
                break
            assert reply.error and reply.headers["retry-after"]
        assert reply.status in (200, 404), (path, reply)


def put_back(path: Path, kept: Path) -> None:
    if path.is_dir():
        path.rmdir()
    draft = path.with_name("draft.db")
    shutil.copy2(kept, draft)
    draft.replace(path)


def test_a_spoilt_library_is_unavailable_until_it_is_mended(
    own: Footage, environment: dict[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "sound.db"
    shutil.copy2(own.library, kept)
    with running(own.library, environment) as service:
        before = state(service)
        for spoil in (truncate, garble, scribble, empty, newer, folder):
            spoil(own.library)
            replies = [(path, service.get(path, **parameters)) for path, parameters in ASKED]
            for path, reply in replies:
                assert reply.status in (200, 404, 503), (spoil, path, reply)
                if reply.status == 503:
                    assert reply.error and reply.headers["retry-after"]
            assert [reply.status for _, reply in replies].count(503) >= 3, (spoil, replies)
            assert service.get("/v1/address").json["library"] == str(own.library)
            put_back(own.library, kept)
            settle(service)
            assert state(service) == before, spoil


def test_spoilt_vectors_cost_nothing(own: Footage, environment: dict[str, str]) -> None:
    """They are a cache, which is mapped into memory while it is cut short."""
    with running(own.library, environment) as service:
        before = state(service)
        for spoil in (truncate, scribble, Path.unlink):
            files = list(own.library.with_suffix(".vectors").glob("vectors-*"))
            assert len(files) == 2
            for file in files:
                spoil(file)
            settle(service)
            assert state(service) == before, spoil


def test_another_library_in_the_same_file(own: Footage, environment: dict[str, str]) -> None:
    """Written over in place, as `cp` does, and not replaced."""
    other = own.library.with_name("other.db")
    with tempo_edge.Library.open(other) as library:
        library.index(own.folder / "plain.mp4")
    with running(own.library, environment) as service:
        whole = state(service)
        kept = own.library.read_bytes()
        own.library.write_bytes(other.read_bytes())
        settle(service)
        said = service.find().json["moments"]
        assert {moment["name"] for moment in said} == {"plain.mp4"}
        assert service.get("/v1/status").json["videos"] == 1
        own.library.write_bytes(kept)
        settle(service)
        assert state(service) == whole
