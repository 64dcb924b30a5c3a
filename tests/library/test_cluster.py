"""A cluster of two simulated nodes indexes a library on a server, and loses one of them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from harness import Said
from postgres_server import server
from videos import make_not_a_video, make_video, motion

import tempo_edge
from tempo_edge import cluster
from tempo_edge.errors import LibraryError
from tempo_edge.store.opening import open_store

Tempo = Callable[..., Said]

ray = pytest.importorskip("ray")

pytestmark = pytest.mark.slow

# How long nobody is let in: as long as Ray takes to start a worker anew, and more.
_AWAY_SECONDS = 8.0


@pytest.fixture(scope="module")
def name() -> str:
    return server().name(schema=server().new_schema())


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six films of a second, a copy, and a file that is no film."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(6):
        path = folder / f"{number}.mp4"
        make_video(path, shots=[(motion(number), 1)], size=(64, 48), rate=Fraction(5))
    shutil.copy2(folder / "0.mp4", folder / "copy.mp4")
    make_not_a_video(folder / "bad.mp4")
    return folder


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster of a node that does nothing and one with room for one worker."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    made.add_node(num_cpus=2, object_store_memory=80 << 20)
    ray.init(made.address, log_to_driver=False, logging_level="error")
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_node_that_dies_loses_nothing(nodes: Any, name: str, films: Path) -> None:
    (first,) = nodes.worker_nodes
    told: list[str] = []

    def tell(event: Any) -> None:
        if not told:
            nodes.remove_node(first, allow_graceful=False)
            nodes.add_node(num_cpus=2, object_store_memory=80 << 20)
        told.append(event.kind)

    with tempo_edge.Library.open(name) as library:
        report = cluster.index(library, films, on_event=tell)
        # What the worker did that died is counted as well.
        done = report.indexed, report.reused, report.skipped
        assert done == tuple(told.count(kind) for kind in ("indexed", "reused", "skipped"))
        assert report.footage_seconds == pytest.approx(report.indexed, abs=0.01)
        rows = {Path(row.path).name: row for row in library.files()}
        assert {each for each, row in rows.items() if row.state == "indexed"} == {
            *(f"{number}.mp4" for number in range(6)),
            "copy.mp4",
        }
        assert rows["bad.mp4"].state == "skipped"
        assert len({row.video_id for row in rows.values() if row.video_id is not None}) == 6
        state = library.store.queue_state()
        assert state is not None and not state.waiting
        assert library.find("something", min_confidence=0.0).moments
        again = cluster.index(library, films)
        assert (again.indexed, again.unchanged) == (0, 8)


def test_a_worker_that_begins_while_the_server_is_away_is_followed_by_another(
    nodes: Any, films: Path
) -> None:
    """The first one dies at a film, and who comes after it finds no server for a while."""
    database = server().new_database()
    name, told, notices = server().name(database), [], []
    lets_in = f"ALTER DATABASE {database} ALLOW_CONNECTIONS"
    back = Timer(_AWAY_SECONDS, lambda: server().run(f"{lets_in} true"))

    def tell(event: Any) -> None:
        if not told:
            state = open_store(name).queue_state()
            server().run(
                f"{lets_in} false",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname='{database}'",
            )
            for worker in state.workers if state is not None else ():
                os.kill(worker.process, signal.SIGKILL)
            back.start()
        told.append(event.kind)

    with tempo_edge.Library.open(name) as library:
        cluster.index(library, films, on_event=tell, on_notice=notices.append)
    back.join()
    with tempo_edge.Library.open(name) as library:
        states = sorted(row.state for row in library.files())
    assert states == ["indexed"] * 7 + ["skipped"]
    assert any("can't be opened" in line or "can't be reached" in line for line in notices)


def test_what_it_is_not_for(films: Path, tmp_path: Path, tempo: Tempo, name: str) -> None:
    said = tempo("index", "--executor", "ray", "--library", tmp_path / "library.db", films)
    assert said.status == 2 and "postgresql://" in said.error
    said = tempo("index", "--executor", "elsewhere", films)
    assert said.error == "executor 'elsewhere' must be one of local, ray"
    said = tempo("index", "--executor", "ray", "--verify", "--library", name, films)
    assert "--executor ray" in said.error and "--verify" in said.error


def test_a_cluster_that_is_away_is_named(
    films: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray-is-not-there")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with (
        tempo_edge.Library.open(name) as library,
        pytest.raises(LibraryError, match=r"cluster at ray-is-not-there can't be reached"),
    ):
        cluster.index(library, films)
