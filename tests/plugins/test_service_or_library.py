"""The client: the service if it is there, else the library; errors of one line."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from doors import AWKWARD, Service, moment
from tempo_plugins.service_or_library import ServiceOrLibrary
from videos import make_video, motion

import tempo_edge
from tempo_edge.answer import moment_as_dict, moment_from_dict
from tempo_edge.errors import LibraryError, QueryError, TempoEdgeError
from tempo_edge.moment import Moment
from tempo_edge.query import Query, places
from tempo_edge.service import client as client_module
from tempo_edge.service.client import SupersededError
from tempo_edge.service.transport.places import socket_path


def test_the_service_is_asked_with_what_was_meant(service: Service) -> None:
    service.found(moment("/videos/a.mp4"))
    asker = ServiceOrLibrary(name="test")
    within = places("/videos/50% off")
    asker.find(Query("a dog & a 100% cat?", 3, min_confidence=0.25, within=within))
    asker.find(Query("a dog", retrieval=True))
    assert service.asked == [
        (
            "/v1/find",
            {
                "q": "a dog & a 100% cat?",
                "limit": "3",
                "min_confidence": "0.25",
                "within": "/videos/50% off",
                "client": "test",
            },
        ),
        ("/v1/find", {"q": "a dog", "limit": "10", "retrieval": "1", "client": "test"}),
    ]


def test_the_service_is_asked_about_places_from_the_root(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in a folder of its own, and may have another home."""
    service.found()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    asker = ServiceOrLibrary()
    asker.find(Query("a dog", within=places("tapes")))
    asker.find(Query("a dog", within=places(["tapes/a.mp4", "~/b & c", "/d"])))
    assert service.scopes == [
        [f"{tmp_path}/tapes"],
        [f"{tmp_path}/tapes/a.mp4", "/home/somebody/b & c", "/d"],
    ]


def test_what_the_service_found(service: Service) -> None:
    service.found(moment("/v/a.mp4"), near=[moment("/v/b.mp4", confidence=0.1)], held_back=4)
    answer = ServiceOrLibrary().find(Query("a dog"))
    assert answer.moments == (Moment(Path("/v/a.mp4"), 1.25, 3.5, 2.5, 0.75, ""),)
    assert answer.moments[0].video == 7
    assert answer.best_rejected is not None and answer.best_rejected.path == Path("/v/b.mp4")
    assert answer.rejected_count == 4


@pytest.mark.parametrize("state", ["nothing there", "nobody listens", "name too long", "no folder"])
def test_without_a_service_the_library_is_asked(
    built: Path, tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "service.sock"
    if state == "nobody listens":
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(place))
    elif state == "name too long":
        place = tmp_path / ("x" * 120) / "service.sock"
    elif state == "no folder":
        place.write_text("a file")
        place = place / "service.sock"
    answer = ServiceOrLibrary(socket=place, library=built).find(Query("stripes", 2, retrieval=True))
    with tempo_edge.Library.open(built) as library:
        expected = library.find("stripes", limit=2, grounder="curve")
    assert answer == expected
    assert answer.moments and not answer.moments[0].offline and answer.moments[0].video is None


def test_a_refusal_of_the_library_names_the_nearest(built: Path) -> None:
    answer = ServiceOrLibrary(library=built).find(Query("a beach", min_confidence=1.0))
    assert answer.moments == () and answer.best_rejected is not None
    assert answer.rejected_count >= 1


def test_a_library_that_comes_later_is_found(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    open_library = tempo_edge.Library.open

    def counted(path: Path) -> tempo_edge.Library:
        opened.append(path.name)
        return open_library(path)

    monkeypatch.setattr(tempo_edge.Library, "open", counted)
    asker = ServiceOrLibrary(library=tmp_path / "library.db")
    with pytest.raises(LibraryError, match="there is no library at"):
        asker.find(Query("stripes"))
    (tmp_path / "library.db").write_bytes(built.read_bytes())
    assert asker.find(Query("stripes", min_confidence=0)).moments
    assert asker.find(Query("stripes", min_confidence=0)).moments
    assert len(opened) == 2, "what is not there yet has no profile, so it is opened anew; once"


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (400, QueryError, "query is odd"),
        (404, LibraryError, "query is odd"),
        (409, SupersededError, "query is odd"),
        (503, TempoEdgeError, "status 503: query is odd"),
    ],
)
def test_errors_of_the_service(
    service: Service, status: int, kind: type[Exception], text: str
) -> None:
    service.says("/v1/find", {"error": "query is odd"}, status)
    with pytest.raises(kind, match=text) as raised:
        ServiceOrLibrary().find(Query("a dog"))
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"moments": [{}]}',
        b'{"moments": [{"path": "a.mp4", "start_seconds": 0, "end_seconds": 1, "score": 1, '
        b'"confidence": 1}]}',
        b'{"moments": 3}',
    ],
)
def test_what_is_no_answer_is_an_error_of_one_line(service: Service, content: bytes) -> None:
    service.answers["/v1/find"] = 200, content
    with pytest.raises(TempoEdgeError, match="the service answered") as raised:
        ServiceOrLibrary().find(Query("a dog"))
    assert "\n" not in str(raised.value)


def test_an_answer_has_an_end(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers there may be anything, and may never stop."""
    asker, found = ServiceOrLibrary(), Moment(Path("/v/a.mp4"), 0, 1, 1.0, 0.5, "", video=7)
    service.answers["/v1/videos/7/frame"] = 200, bytes(100)
    monkeypatch.setattr(client_module, "_MOST_BYTES", 100)
    assert asker.picture(found, 0.5, 80) == bytes(100)
    service.answers["/v1/videos/7/frame"] = 200, bytes(101)
    with pytest.raises(TempoEdgeError, match=r"answered more than 100 bytes$"):
        asker.picture(found, 0.5, 80)
    service.found(moment("/v/a.mp4"))
    with pytest.raises(TempoEdgeError, match=r"answered more than 100 bytes$"):
        asker.find(Query("a dog"))


def test_a_service_that_breaks_off(tmp_path: Path) -> None:
    place = tmp_path / "service.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()
        import threading

        def hang_up() -> None:
            peer, _ = listening.accept()
            peer.recv(10)
            peer.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(TempoEdgeError, match="gave no answer"):
            ServiceOrLibrary(socket=place).find(Query("a dog"))
        thread.join()


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ({"text": " "}, "query ' ' is empty"),
        ({"text": "x" * 1001}, "1001 characters"),
        ({"text": "\udcff"}, "not valid UTF-8"),
        ({"limit": 0}, "limit 0 must be at least 1"),
        ({"limit": 101}, "limit 101 must be at most 100"),
        ({"min_confidence": 1.5}, "min_confidence 1.5"),
        ({"min_confidence": float("nan")}, "min_confidence nan"),
    ],
)
def test_nonsense_asks_nobody(service: Service, choices: dict[str, Any], text: str) -> None:
    with pytest.raises(QueryError, match=text):
        ServiceOrLibrary().find(Query(**{"text": "a dog", **choices}))
    assert service.asked == []


def test_where_the_service_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert socket_path() == tmp_path / "run" / "tempo-edge" / "service.sock"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert socket_path() == tmp_path / "cache" / "tempo-edge" / "service.sock"


def test_what_the_library_holds(built: Path, service: Service) -> None:
    here = ServiceOrLibrary(library=built, socket=Path("/nowhere")).describe()
    assert here["videos"] == 3 and here["skipped"] == 0 and here["indexing"] is None
    assert here["hours"] == pytest.approx(9 / 3600, rel=0.1)
    service.says("/v1/status", {**here, "videos": 5, "version": "9"})
    assert ServiceOrLibrary().describe() == {**here, "videos": 5}


@pytest.mark.parametrize("name", AWKWARD)
def test_names_pass_from_the_service_and_from_the_library(
    service: Service, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "footage" / name
    service.found(moment(path))
    assert [m.path for m in ServiceOrLibrary().find(Query("stripes"))] == [path]
    path.parent.mkdir()
    make_video(path, shots=[(motion(3), 1)], size=(64, 48))
    with tempo_edge.Library.open(tmp_path / "library.db") as library:
        library.index(path.parent)
    here = ServiceOrLibrary(socket=Path("/nowhere"), library=tmp_path / "library.db")
    (found,) = here.find(Query("stripes", 1, min_confidence=0.0, within=places(path)))
    assert found.path == path and path.exists()
    assert moment_from_dict(moment_as_dict(found), found.profile) == found


def test_to_ask_the_service_loads_little(service: Service, environment: dict[str, str]) -> None:
    service.found(moment("/v/a.mp4"))
    program = (
        "import sys; from pathlib import Path; from tempo_edge.query import Query\n"
        "from tempo_plugins.service_or_library import ServiceOrLibrary\n"
        "print(ServiceOrLibrary(socket=Path(sys.argv[1])).find(Query('a dog')).moments[0].path)\n"
        "print(*{n.split('.')[0] for n in sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(service.place)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    path, modules = told.stdout.splitlines()
    assert path == "/v/a.mp4"
    loaded = set(modules.split())
    assert not loaded & {"numpy", "onnxruntime", "faiss", "av", "tokenizers", "typer", "rich"}
