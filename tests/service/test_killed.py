"""`kill -9` of the service or its indexer: the library is whole, and the work goes on."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from door import Service, is_alive, running, wait_long
from harness import PATIENCE
from shown import films

from tempo_edge.service.jobs import index_supervisor


def whole(library: Path) -> dict[str, int]:
    """Frames of every file, after a look at the health of the whole database."""
    rows = sqlite3.connect(library)
    try:
        assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
        short = (
            "SELECT id FROM videos WHERE frame_count != "
            "(SELECT count(*) FROM frames WHERE video_id=videos.id)"
        )
        assert rows.execute(short).fetchall() == []
        sql = "SELECT path, frame_count FROM files JOIN videos ON videos.id=video_id"
        return dict(rows.execute(sql))
    finally:
        rows.close()


def test_the_indexer_is_killed(empty: Service, long_film: Path, tmp_path: Path) -> None:
    films(tmp_path / "reel", long_film, 2)
    empty.post("/v1/index", {"paths": [str(tmp_path / "reel")]})
    for _ in range(2):
        wait_long(lambda: empty.get("/v1/status").json["indexing"]["file"] is not None)
        (child,) = empty.children()
        os.kill(child, signal.SIGKILL)
        wait_long(lambda child=child: child not in empty.children())  # type: ignore[misc]
        assert empty.find().status in (200, 503), "the service itself is well"
    empty.settle(2)
    assert len(whole(empty.library)) == 2


def test_the_service_is_killed(
    long_film: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    library = tmp_path / "kept" / "library.db"
    films(tmp_path / "reel", long_film, 3)
    with running(library, environment) as service:
        service.post("/v1/index", {"paths": [str(tmp_path / "reel")]})
        wait_long(lambda: service.get("/v1/status").json["videos"] >= 1)
        children = service.children()
        connection = service.connection()
        connection.request("GET", "/v1/find?q=a+beach&grounder=mllm&min_confidence=0")
        service.kill()
        with pytest.raises((http.client.HTTPException, OSError)):
            connection.getresponse()
        wait_long(lambda: not any(is_alive(child) for child in children))
        kept = whole(library)
        assert len(kept) >= 1
        with running(library, environment, folder=service.folder) as again:
            again.settle(3)
        after = whole(library)
        assert len(after) == 3 and kept.items() <= after.items()


def test_it_gives_up_what_kills_its_indexer(
    empty: Service, long_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: a child that dies at once, again and again."""
    monkeypatch.setattr(index_supervisor, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(index_supervisor.sys, "executable", shutil.which("false"))
    told: list[tuple[str, dict[str, Any]]] = []

    async def run() -> None:
        kept = index_supervisor.Indexing(
            tmp_path / "l.db", [], None, lambda name, facts: told.append((name, facts))
        )
        task = asyncio.create_task(kept.run())
        kept.add(["/poison.mp4"])
        ends = time.monotonic() + PATIENCE
        while kept.facts()["state"] != "idle" and time.monotonic() < ends:
            await asyncio.sleep(0.02)
        await kept.close()
        await task

    asyncio.run(run())
    (skipped,) = (facts for name, facts in told if name == "skipped")
    assert skipped["path"] == "/poison.mp4" and "5 times" in skipped["reason"]
    assert not (tmp_path / "l.jobs").exists()
