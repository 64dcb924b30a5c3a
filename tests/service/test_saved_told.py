"""What indexes for the service tells what is new to saved searches, ordered or watched."""

from __future__ import annotations

import io
import json
from pathlib import Path
from threading import Thread

from harness import PATIENCE, wait_until

from tempo_edge.library import Library
from tempo_edge.query import Query
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch
from tempo_edge.service.jobs.index_worker import Worker


def test_what_is_ordered_is_told(library_path: Path, footage: Path) -> None:
    film = str(footage / "garden.mp4")
    asked = Query("a beach", min_confidence=0.0, grounder="curve", seen=True)
    with Library.open(library_path) as library:
        library.save(SavedSearch("any", SavedQuery(asked, {})))
    out = io.BytesIO()
    worker = Worker(library_path, [], out)
    working = Thread(target=worker.run, args=([],))
    working.start()

    def notices() -> list[str]:
        lines = out.getvalue().splitlines()
        return [each["notice"] for each in map(json.loads, lines) if "notice" in each]

    worker._put(1, [Path(film)])
    wait_until(notices)
    worker.control.end()
    working.join(PATIENCE)
    assert not working.is_alive()
    assert len(notices()) == 1 and notices()[0].startswith(f"saved any: {film}  00:00.0–")
