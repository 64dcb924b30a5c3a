"""Saved searches over HTTP: listed, saved, asked and removed."""

from __future__ import annotations

import json

from door import running
from shown import Footage

import tempo_edge
from tempo_edge.query import Query
from tempo_edge.saved.deeds import Deeds
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch


def test_a_search_is_saved_asked_again_and_removed(
    own: Footage, environment: dict[str, str]
) -> None:
    """What has a program run is saved by none but the command line."""
    with tempo_edge.Library.open(own.library) as library:
        asked = SavedQuery(
            Query("a beach", min_confidence=0.0), {"until": "last year", "camera": "\udcff"}
        )
        library.save(SavedSearch("typed", asked, Deeds(command=("/bin/true", "{path}"))))
    with running(own.library, environment) as service:
        film = str(own.folder / "plain.mp4")
        find = {"q": "a beach", "min_confidence": "0", "within": film}
        save = {"name": "sea/side ?", "find": {**find, "since": "1990", "also": []}}
        reply = service.post("/v1/saved", {**save, "webhook": "http://127.0.0.1:9/found"})
        assert (reply.status, reply.json) == (201, {"name": "sea/side ?"})
        mine, typed = service.get("/v1/saved").json
        usual = {"min_confidence": "0.0", "limit": "10", "since": "1990"}
        assert mine.pop("find") == {**find, **usual, "within": [film]}
        assert mine == {
            "name": "sea/side ?",
            "query": f"a beach, since 1990, in {film}, min confidence 0",
            "notify": False,
            "webhook": "http://127.0.0.1:9/found",
            "runs_command": False,
            "own": True,
            "told": 0,
        }
        assert typed["runs_command"] and "/bin/true" not in json.dumps(typed)
        assert typed["find"]["until"] == "last year", "as it was said"
        found = service.get("/v1/saved/run", name="sea/side ?").json
        assert {moment["name"] for moment in found["moments"]} == {"plain.mp4"}
        assert service.get("/v1/saved/run", name="typed").status == 400, "there is no such camera"

        for wrong, status, words in (
            ({**save, "run": "touch /tmp/x"}, 400, "at the command line"),
            ({**save, "deeds": 1}, 400, "deeds"),
            ({**save, "webhook": "http://example.org/"}, 400, "example.org"),
            ({**save, "find": {}}, 400, "q is missing"),
            ({**save, "find": {"q": "a", "sinse": "2020"}}, 400, "sinse is no parameter"),
            ({**save, "find": {"q": "a", "since": "1/2/24"}}, 400, "1/2/24"),
            ({**save, "find": {"q": "a", "retrieval": "1"}}, 400, "glances"),
            ({**save, "name": "two\nlines"}, 400, "on one line"),
            (save, 400, "there is a saved search"),
            ([], 400, "the body must be JSON"),
        ):
            reply = service.post("/v1/saved", wrong)
            assert (reply.status, words in reply.error) == (status, True), reply.error

        assert service.ask("DELETE", "/v1/saved?name=none").status == 404
        assert service.get("/v1/saved/run", name="none").status == 404
        assert service.get("/v1/saved/run").status == 400
        assert service.ask("DELETE", "/v1/saved?name=sea%2Fside%20%3F").status == 200
        assert [each["name"] for each in service.get("/v1/saved").json] == ["typed"]
