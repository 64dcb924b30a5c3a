"""A Ray cluster that indexes a library on a server, while nodes die and lines are cut.

``python -m benchmarks.team_cluster`` starts a PostgreSQL of its own and a cluster of two simulated
nodes (extras ``test`` and ``ray``), draws the films of ``benchmarks.team_workers`` and has
``index --executor ray`` read them. Nodes are killed and others added, the server restarts, all
connections are cut now and then; what is left is judged as there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import tempo_edge
from benchmarks._team_server import Cutter, started_server
from benchmarks.machine import describe
from benchmarks.team_workers import draw_films, judged, state_of
from tempo_edge import cluster
from tempo_edge.indexing.report import IndexReport
from tempo_edge.store.queue import QueueState

__all__ = ["main"]

_NODES, _CORES, _STORE_BYTES = 2, 2, 80 << 20

# Shares of the files that wait still when a node is killed, and when the server is stopped.
_KILLS, _RESTARTS = (0.8, 0.5), (0.65, 0.3)

# The share of the files that has been put in before anything goes wrong.
_PUT = 0.9

# Seconds that the server is away, and between two looks.
_AWAY_SECONDS, _LOOK_SECONDS = 1.0, 0.2


@contextmanager
def _nodes() -> Iterator[Any]:
    """A cluster of a head that reads nothing and nodes with room for one worker each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Ray makes workers nicer than whatever else runs here, which may leave them nothing.
    os.environ.setdefault("RAY_worker_niceness", "0")
    ray, utils = import_module("ray"), import_module("ray.cluster_utils")
    small = {"object_store_memory": _STORE_BYTES, "include_dashboard": False}
    made = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    try:
        for _ in range(_NODES):
            _add(made)
        ray.init(made.address, log_to_driver=False, logging_level="error")
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def _add(nodes: Any) -> None:
    nodes.add_node(num_cpus=_CORES, object_store_memory=_STORE_BYTES)


class _Harm:
    """What goes wrong while a library is indexed, once a worker is at a film.

    Ray adds nodes from the main thread alone, so this is there, and whoever indexes is not.

    Attributes:
        killed, restarts: how many nodes, and how often the server.
    """

    def __init__(self, server: Any, nodes: Any, cutter: Cutter, files: int, every: float) -> None:
        self._server, self._nodes, self._cutter = server, nodes, cutter
        self._files, self._every = files, every
        self._cut, self._most = time.monotonic(), 0
        self._drawn = random.Random(0)
        self.killed = self.restarts = 0

    def look(self, state: QueueState) -> None:
        """Do harm by how much is left."""
        if not any(worker.task for worker in state.workers):
            return
        waiting = sum(state.waiting.values())
        self._most = max(self._most, waiting)
        if self._most < _PUT * self._files:  # they are still being put in
            return
        left = waiting / self._files
        if self.killed < len(_KILLS) and left < _KILLS[self.killed]:
            node = self._drawn.choice(sorted(self._nodes.worker_nodes, key=str))
            self._nodes.remove_node(node, allow_graceful=False)
            _add(self._nodes)
            self.killed += 1
        if self.restarts < len(_RESTARTS) and left < _RESTARTS[self.restarts]:
            self._server.stop()
            time.sleep(_AWAY_SECONDS)
            self._server.start()
            self.restarts += 1
        if time.monotonic() > self._cut + self._every:
            self._cutter.cut()
            self._cut = time.monotonic()


def hurt(server: Any, nodes: Any, folder: Path, every: float) -> dict[str, Any]:
    """What is left of films that a cluster indexes while everything goes wrong.

    Args:
        server: one that can be stopped and started.
        nodes: the cluster, which this process is connected to.
        folder: the films.
        every: seconds between two times at which all connections are cut.
    """
    name = server.name(server.new_database())
    files = len(list(folder.iterdir()))
    cutter = Cutter(server.folder)
    harm = _Harm(server, nodes, cutter, files, every)
    began = time.monotonic()
    told: list[str] = []

    def read() -> IndexReport:
        with tempo_edge.Library.open(cutter.name(name, server.folder)) as library:
            return cluster.index(library, folder, on_event=lambda event: told.append(event.kind))

    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read)
        while not reading.done():
            time.sleep(_LOOK_SECONDS)
            state = None if not told else state_of(name)
            if state is not None:
                harm.look(state)
        report = reading.result()
    cutter.close()
    return {
        "films": files,
        "nodes": _NODES,
        "nodes killed": harm.killed,
        "server restarted": harm.restarts,
        "connections cut": cutter.cuts,
        "seconds": round(time.monotonic() - began),
        "reported": {"indexed": report.indexed, "reused": report.reused},
        "told": {kind: told.count(kind) for kind in ("indexed", "reused")},
        **judged(name, folder),
    }


def main() -> None:
    """Draw, index, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=300)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two cuts")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    server = started_server()
    with tempfile.TemporaryDirectory() as place, _nodes() as nodes:
        folder = Path(place)
        draw_films(folder, given.films, given.seed)
        told = hurt(server, nodes, folder, given.every)
    print(json.dumps({**describe(), "seed": given.seed, **told}, indent=1))


if __name__ == "__main__":
    main()
