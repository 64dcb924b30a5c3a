"""What the service answers, address by address."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from door import Service, running
from harness import wait_until
from PIL import Image
from shown import NAMES, Footage

import tempo_edge
from tempo_edge import timeline
from tempo_edge.answer import Answer
from tempo_edge.capture.facts import Capture

INDEXING = [
    *("state", "reason", "doing", "file"),
    *("done_seconds", "total_seconds", "remaining_seconds"),
]


def ids(service: Service) -> dict[str, int]:
    """Ids of the videos, by name."""
    return {video["name"]: video["id"] for video in service.get("/v1/videos").json}


def test_status(service: Service, named: Footage) -> None:
    said = service.get("/v1/status").json
    indexing = said.pop("indexing")
    assert said == {
        "version": tempo_edge.__version__,
        "library": str(named.library),
        "profile": "nano",
        "videos": len(NAMES),
        "hours": pytest.approx(len(NAMES) * 4 / 3600),
        "frames": said["frames"],
        "skipped": 1,
        "address": f"http://127.0.0.1:{service.port}/",
        "player": False,
        "right": "admin",
    }
    where = {name: said[name] for name in ("address", "library")}
    assert service.get("/v1/address").json == where
    assert said["frames"] >= 2 * len(NAMES)
    assert list(indexing) == INDEXING
    assert (indexing["state"], indexing["reason"], indexing["file"]) == ("idle", None, None)


@pytest.mark.parametrize("grounder", ["curve", "mllm"])
def test_it_finds_what_the_library_finds(service: Service, named: Footage, grounder: str) -> None:
    said = service.find("a beach", grounder=grounder).json
    with tempo_edge.Library.open(named.library) as library:
        answer = library.find("a beach", min_confidence=0, limit=100, grounder=grounder)
    assert {Path(m["path"]).name for m in said["moments"]} <= set(NAMES)
    assert len(said["moments"]) == len(answer.moments) > 3
    videos = ids(service)
    for told, moment in zip(said["moments"], answer.moments, strict=True):
        assert told == {
            "video": videos[moment.path.name],
            "path": str(moment.path),
            "name": moment.path.name,
            "start_seconds": moment.start_seconds,
            "end_seconds": moment.end_seconds,
            "cue_seconds": moment.start_seconds,
            "score": pytest.approx(moment.score, abs=1e-6),
            "confidence": pytest.approx(moment.confidence, abs=1e-6),
            "online": True,
            "drive_away": False,
            "copies": [],
            "found_by": list(moment.found_by),
            "text": moment.text,
            **(moment.capture or Capture()).as_dict(),
        }
    assert (said["query"], said["grounder"], said["held_back"]) == ("a beach", grounder, 0)
    assert 0 < said["took_ms"] < 30_000


def test_retrieval_is_the_curve_alone(service: Service) -> None:
    quick = service.find(retrieval=1).json
    assert quick["grounder"] == "curve"
    assert quick["moments"] == service.find(grounder="curve").json["moments"]
    assert "exclude" in service.find(retrieval=1, grounder="mllm").error


def test_a_refusal_says_what_came_closest(service: Service) -> None:
    said = service.find(min_confidence=1).json
    assert said["moments"] == []
    assert said["held_back"] >= len(NAMES)
    likely = service.find(min_confidence=0).json["moments"]
    assert 1 < len(said["near"]) < said["held_back"]
    assert said["near"] == likely[: len(said["near"])]


def test_of_each_term_what_asks_for_the_others(service: Service) -> None:
    def rests(query: str, **asked: str) -> list[str | None]:
        found = service.get("/v1/find", q=query, **asked).json
        return [term["rest"] for term in found["understood"]]

    assert rests("a dog AND a beach NOT people") == [
        "a beach NOT people",
        "a dog NOT people",
        "a dog AND a beach",
    ]
    assert rests("a dog", without="people") == ["", "a dog"]
    assert "understood" not in service.get("/v1/find", q="a dog").json


def test_how_many_and_where(service: Service, named: Footage) -> None:
    assert len(service.find(limit=3).json["moments"]) == 3
    path = str(named.folder / "line\nend.mp4")
    inside = service.find(within=path).json["moments"]
    assert {moment["path"] for moment in inside} == {path}
    assert "holds no footage" in service.find(within="/nowhere").error


def test_under_any_of_several_paths(service: Service, named: Footage) -> None:
    paths = [str(named.folder / name) for name in ("line\nend.mp4", "-rf.mp4")]
    asked = urlencode({"q": "a", "min_confidence": 0, "within": paths}, doseq=True)
    moments = service.get(f"/v1/find?{asked}").json["moments"]
    assert {moment["path"] for moment in moments} == set(paths)
    asked = urlencode({"q": "a", "within": [paths[0], "/nowhere"]}, doseq=True)
    assert "no footage at or under /nowhere" in service.get(f"/v1/find?{asked}").error
    asked = urlencode({"q": "a", "within": ["/v"] * 33}, doseq=True)
    assert service.get(f"/v1/find?{asked}").error == "within is given 33 times: 32 are allowed"


def test_when_and_how_long(own: Footage, environment: dict[str, str]) -> None:
    days = {"plain.mp4": 19_000, "-rf.mp4": 19_001}
    for name in NAMES:
        seconds = days.get(name, 18_000) * 86_400 + 43_200
        os.utime(own.folder / name, (seconds, seconds))
    with tempo_edge.Library.open(own.library) as library:
        library.index(own.folder)
    day, next_day = (str(np.datetime64(each, "D")) for each in sorted(days.values()))
    with running(own.library, environment) as service:

        def found(**filters: Any) -> set[str]:
            return {m["name"] for m in service.find(**filters).json["moments"]}

        assert found(after=day) == set(days)
        assert found(after=day, before=next_day) == {"plain.mp4"}
        assert found(before=day) == set(NAMES) - set(days)
        assert found(min_seconds=3.9, max_seconds=4.1) == set(NAMES)
        assert found(min_seconds=4.5) == found(max_seconds=3.5) == set()
        assert found(after=day, max_seconds=3.5) == set()
        within = str(own.folder / "plain.mp4")
        assert found(after=day, within=within) == {"plain.mp4"}
        assert found(before=day, within=within) == set()
        leafed_through(service, days)


def leafed_through(service: Service, days: dict[str, int]) -> None:
    """The library is listed by the filters and in the orders of a search, and by month."""

    def listed(**asked: Any) -> tuple[list[str], int, int]:
        reply = service.get("/v1/videos", **asked)
        counts = (int(reply.headers[f"tempo-edge-{each}count"]) for each in ("", "unknown-"))
        return [video["name"] for video in reply.json], *counts

    january = {"since": "2022-01", "until": "2022-01"}
    assert listed(**january, sort="time") == (["plain.mp4", "-rf.mp4"], 2, 0)
    assert listed(**january, sort="name", limit=1) == (["-rf.mp4"], 2, 0)
    assert listed(**january, sort="name", limit=1, offset=1) == (["plain.mp4"], 2, 0)
    assert listed(**january, max_seconds=1)[:2] == ([], 0)
    assert listed(around="38.7,-9.1,20") == ([], 0, len(NAMES))
    everything, count, _ = listed(limit=len(NAMES))
    parts = [listed(sort="name", limit=2, offset=n)[0] for n in range(0, count, 2)]
    assert sorted(everything) == sorted(name for part in parts for name in part)
    for wrong in ({"sort": "size"}, {"since": "1/2/2024"}, {"camera": "none"}, {"size": "x"}):
        assert service.get("/v1/videos", **wrong).status == 400

    told = service.get("/v1/months").json
    assert [(each["month"], each["videos"]) for each in told["months"]] == [
        ("2019-04", len(NAMES) - 2),
        ("2022-01", 2),
    ]
    assert told["unknown"] == {"videos": 0, "seconds": 0}
    for each in told["months"]:  # of which nothing but the time of the file tells
        assert each["by_file"] == {"videos": each["videos"], "seconds": each["seconds"]}
        assert listed(since=each["month"], until=each["month"])[1] == each["videos"]
    assert service.get("/v1/months", since="2020").json["months"] == told["months"][1:]
    assert service.get("/v1/months", within="/nowhere").status == 400
    first = service.get("/v1/videos", limit=1, **january).json[0]
    assert first["name"] in days and first["taken_from"] == "file"


def test_videos_on_volumes_that_are_not_there(own: Footage, environment: dict[str, str]) -> None:
    with tempo_edge.Library.open(own.library) as library:
        rows = library.files()
    from dataclasses import replace

    from tempo_edge.store.opening import open_store

    catalogue = open_store(own.library).writer()
    (row,) = (row for row in rows if row.path.endswith("plain.mp4"))
    with catalogue.transaction():
        catalogue.put_file(replace(row, volume="f00d:/media/stick"))
    catalogue.close()
    (own.folder / "plain.mp4").unlink()
    with running(own.library, environment) as service:
        online = {m["name"]: m["online"] for m in service.find().json["moments"]}
        assert online.pop("plain.mp4") is False and all(online.values())
        away = {m["name"] for m in service.find().json["moments"] if m["drive_away"]}
        assert away == {"plain.mp4"}
        (own.folder / "-rf.mp4").rename(own.folder / "moved")
        moved = {m["name"]: m for m in service.find().json["moments"]}["-rf.mp4"]
        assert (moved["online"], moved["drive_away"]) == (False, False)
        (own.folder / "moved").rename(own.folder / "-rf.mp4")
        listed = {v["name"]: v["online"] for v in service.get("/v1/videos").json}
        assert listed["plain.mp4"] is False and listed["-rf.mp4"] is True
        assert {m["name"] for m in service.find(offline=0).json["moments"]} == set(online)
        assert {m["name"] for m in service.find(offline=1).json["moments"]} == {
            *online,
            "plain.mp4",
        }


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({}, "q is missing"),
        ({"q": " \n"}, "q is missing"),
        ({"q": "x" * 1001}, "1001 characters"),
        ({"q": ["a", "b"]}, "2 times"),
        ({"q": "a", "limit": 0}, "limit '0'"),
        ({"q": "a", "limit": 101}, "limit '101'"),
        ({"q": "a", "limit": "ten"}, "limit 'ten'"),
        ({"q": "a", "limit": "1" * 5000}, "5000 characters"),
        ({"q": "a", "min_confidence": "nan"}, "min_confidence 'nan'"),
        ({"q": "a", "min_confidence": "1.5"}, "min_confidence '1.5'"),
        ({"q": "a", "within": "films"}, "within 'films'"),
        ({"q": "a", "within": "~root"}, "within '~root'"),
        ({"q": "a", "within": "/a\0b"}, "within"),
        ({"q": "a", "grounder": "oracle"}, "grounder 'oracle'"),
        ({"q": "a", "retrieval": "yes"}, "retrieval 'yes'"),
        ({"q": "a", "parts": "2"}, "parts '2'"),
        ({"q": "a", "client": "c" * 201}, "201 characters"),
        ({"q": "a", "after": "yesterday"}, "after 'yesterday'"),
        ({"q": "a", "before": "2024-02-30"}, "before '2024-02-30'"),
        ({"q": "a", "after": "20240101"}, "after '20240101'"),
        ({"q": "a", "min_seconds": "-1"}, "min_seconds '-1'"),
        ({"q": "a", "max_seconds": "inf"}, "max_seconds 'inf'"),
        ({"q": "a", "offline": "2"}, "offline '2'"),
    ],
)  # fmt: skip
def test_bad_values_are_named(service: Service, parameters: dict[str, Any], wrong: str) -> None:
    reply = service.get("/v1/find", **parameters)
    assert reply.status == 400
    assert wrong in reply.error


def test_videos_are_listed_in_parts(service: Service, named: Footage) -> None:
    videos = service.get("/v1/videos").json
    assert {video["name"] for video in videos} == set(NAMES)
    first = videos[0]
    facts = ["id", "path", "name", "duration_seconds", "modified", "online", "remark"]
    assert list(first) == [*facts, *Capture().as_dict()] and first["remark"] == ""
    assert first["path"] == str(named.folder / first["name"])
    assert first["duration_seconds"] == pytest.approx(4, abs=0.2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", first["modified"])
    parts = [service.get("/v1/videos", limit=3, offset=n).json for n in (0, 3, 6, 9)]
    assert [video for part in parts for video in part] == videos
    assert service.get("/v1/videos", limit=0).status == 400
    assert service.get("/v1/videos", offset=-1).status == 400


@pytest.mark.parametrize("name", NAMES)
def test_every_file_comes_through(service: Service, named: Footage, name: str) -> None:
    video = ids(service)[name]
    reply = service.get(f"/v1/videos/{video}/file")
    assert (reply.status, reply.body) == (200, (named.folder / name).read_bytes())
    assert reply.headers["content-type"].startswith("video/")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "\n" not in reply.headers["content-disposition"]
    assert service.get(f"/v1/videos/{video}/frame", t=1).status == 200


def test_the_picture_that_is_shown_then(service: Service, named: Footage) -> None:
    video = ids(service)["plain.mp4"]

    def picture(**parameters: Any) -> Image.Image:
        reply = service.get(f"/v1/videos/{video}/frame", **parameters)
        assert (reply.status, reply.headers["content-type"]) == (200, "image/jpeg")
        return Image.open(io.BytesIO(reply.body)).convert("RGB")

    def pixels(image: Image.Image) -> Any:
        return np.asarray(image, dtype=float)

    from videos import texture

    early, late = (texture(seed)(96, 64, 0).astype(float) for seed in (0, 50))
    for seconds, shown, other in ((0, early, late), (1.95, early, late), (2.0, late, early)):
        image = picture(t=seconds, width=1280)
        assert image.size == (96, 64), "no larger than it is"
        assert np.abs(pixels(image) - shown).mean() < np.abs(pixels(image) - other).mean() / 2
    assert (pixels(picture(t=1e6)) == pixels(picture(t=3.9))).all(), "the last one stays"
    assert picture(t=1, width=48).size == (48, 32)
    assert (pixels(picture(t=-1)) == pixels(picture(t=0))).all(), "and so does the first"
    for wrong in ({}, {"t": "x"}, {"t": "nan"}, {"t": 1, "width": 1281}, {"t": 1, "width": 0}):
        assert service.get(f"/v1/videos/{video}/frame", **wrong).status == 400


def test_how_a_video_looks_over_time(service: Service, named: Footage) -> None:
    video = ids(service)["plain.mp4"]
    said = service.get(f"/v1/videos/{video}/curve", q="a beach").json
    assert said == service.get(f"/v1/videos/{video}/curve", q="where is a beach?").json
    count = len(said["variation"])
    assert count >= 2 and len(said["similarity"]) == count and len(said["edges"]) == count + 1
    assert said["edges"] == sorted(said["edges"])
    assert any(abs(edge - 2.0) < 0.05 for edge in said["edges"]), "a cut is an edge"
    assert all(0 <= each <= 1 for each in said["variation"])
    plain = service.get(f"/v1/videos/{video}/curve").json
    assert plain == {**said, "similarity": []}


@pytest.mark.parametrize("part", ["file", "frame?t=1", "curve"])
@pytest.mark.parametrize("video", ["999", "0", "x", "1e1", "-1", "9" * 19, "%2e%2e", "١"])
def test_what_the_library_does_not_list(service: Service, part: str, video: str) -> None:
    from urllib.parse import quote

    reply = service.ask("GET", f"/v1/videos/{quote(video, safe='%')}/{part}")
    assert reply.status == 404
    assert reply.error


def test_skipped(service: Service, named: Footage) -> None:
    (skipped,) = service.get("/v1/skipped").json
    assert skipped["path"] == str(named.folder / "bad\nnews.mp4")
    assert skipped["reason"]


def test_the_page_is_strict(service: Service) -> None:
    reply = service.get("/")
    assert reply.status == 200 and b"<" in reply.body
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers["content-security-policy"]
    for rule in (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "frame-ancestors 'none'",
    ):
        assert rule in policy.split("; ")
    assert service.get("/v1/status").headers["cache-control"] == "no-store"
    html = service.get("/static/index.html")
    assert html.body == reply.body


def test_the_icon_that_browsers_ask_for(service: Service) -> None:
    """A browser asks for it beside any answer that it shows: a clip, a picture, a document."""
    icon = service.get("/favicon.ico")
    assert (icon.status, icon.headers["content-type"]) == (200, "image/svg+xml")
    assert icon.body == service.get("/static/icon.svg").body
    assert b'href="/static/icon.svg"' in service.get("/").body


@pytest.mark.parametrize(
    "name",
    ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "....//app.py", "/etc/passwd", "%2fetc%2fpasswd",
     "..%5capp.py", "index.html%00.js", "", ".", "nothing.js", "%c0%ae%c0%ae/app.py"],
)  # fmt: skip
def test_nothing_but_the_page_is_static(service: Service, name: str) -> None:
    reply = service.ask("GET", f"/static/{name}")
    assert reply.status == 404
    assert b"import" not in reply.body and b"root:" not in reply.body


def test_methods(service: Service) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        assert service.ask(method, "/v1/status").status == 405
    assert service.post("/v1/status").status == 405
    assert service.get("/v1/index").status == 405
    assert service.get("/v1/nothing").error == "there is nothing at this address"
    head = service.ask("HEAD", "/v1/status")
    assert (head.status, head.body) == (200, b"")


def test_exporting(service: Service, named: Footage) -> None:
    video = ids(service)["plain.mp4"]
    reply = service.get("/v1/export", format="csv", moment=[f"{video}:0.5-1.5", f"{video}:2-3"])
    assert reply.status == 200
    assert "moments.csv" in reply.headers["content-disposition"]
    assert b"plain.mp4" in reply.body
    found = service.get("/v1/export", format="json", q="a beach", min_confidence=0)
    assert found.status == 200 and b".mp4" in found.body
    assert service.get("/v1/export", format="doc", moment=f"{video}:0-1").status == 400


def test_what_is_not_there_is_left_out_of_an_export(
    own: Footage, environment: dict[str, str]
) -> None:
    """As `find --export` does, and it is said."""
    with running(own.library, environment) as service:
        moments = [f"{video}:0.5-1.5" for video in sorted(ids(service).values())]
        gone = own.folder / "plain.mp4"
        gone.unlink()
        reply = service.get("/v1/export", format="json", moment=moments)
        assert reply.status == 200
        paths = {row["path"] for row in json.loads(reply.body)["moments"]}
        assert paths and str(gone) not in paths
        assert json.loads(reply.headers["tempo-edge-remarks"]) == [
            f"leaving out a moment: {gone} can't be opened: no such file or directory"
        ]
        for path in own.folder.iterdir():
            path.unlink()
        assert service.get("/v1/export", format="json", moment=moments).status == 404


def test_what_can_not_be_exported(service: Service) -> None:
    assert "format is missing" in service.get("/v1/export", q="a").error
    for moment in ("x", "1:2", "1:3-2", "1:-1-2", "1:0-inf", "1:2-2"):
        reply = service.get("/v1/export", format="csv", moment=moment)
        assert (reply.status, moment in reply.error) == (400, True)
    assert service.get("/v1/export", format="csv", moment="999:0-1").status == 404
    assert service.get("/v1/export", format="csv", moment=["1:0-1"] * 201).status == 400


def test_an_answer_survives_the_way(service: Service, named: Footage) -> None:
    """What the service says makes the very moments that it found."""
    said = Answer.from_dict(service.find(limit=2, grounder="curve").json, "nano")
    with tempo_edge.Library.open(named.library) as library:
        found = library.find("a beach", limit=2, min_confidence=0, grounder="curve")
    assert [moment.as_dict() for moment in said] == [moment.as_dict() for moment in found]
    assert [moment.video for moment in said] == [moment.video for moment in found]


def test_a_library_that_is_not_there_yet(
    tmp_path: Path, environment: dict[str, str], named: Footage
) -> None:
    library = tmp_path / "new" / "library.db"
    with running(library, environment) as service:
        assert service.get("/v1/status").json["videos"] == 0
        assert service.get("/v1/videos").json == service.get("/v1/skipped").json == []
        assert service.get("/v1/months").json["months"] == service.get("/v1/saved").json == []
        saved = {"name": "sea", "find": {"q": "the sea"}}
        assert service.post("/v1/saved", saved).status == 404
        reply = service.find()
        assert reply.status == 503 and "there is no library" in reply.error
        assert service.get("/v1/videos/1/file").status == 404
        assert service.get("/v1/videos/1/curve").status == 404
        path = named.folder / "plain.mp4"
        reply = service.post("/v1/index", {"paths": [str(path)]})
        assert reply.status == 202 and reply.json["state"] == "running"
        service.settle(1)
        assert [m["name"] for m in service.find().json["moments"]][:1] == ["plain.mp4"]


def test_a_library_that_is_replaced(own: Footage, environment: dict[str, str]) -> None:
    with running(own.library, environment) as service:
        assert len(service.find().json["moments"]) >= len(NAMES)
        for path in own.library.parent.glob("library.db*"):
            path.unlink()
        with tempo_edge.Library.open(own.library) as library:
            library.index(own.folder / "plain.mp4")
        wait_until(lambda: service.get("/v1/status").json["videos"] == 1)
        for grounder in ("curve", "mllm"):
            said = service.find(grounder=grounder).json["moments"]
            assert {moment["name"] for moment in said} == {"plain.mp4"}


def test_a_library_that_is_cut_short_is_unavailable_until_it_is_put_back(
    own: Footage, environment: dict[str, str]
) -> None:
    whole = own.library.read_bytes()
    with running(own.library, environment) as service:
        found = service.get("/v1/find", q="a beach", min_confidence=0).json["moments"]
        for left in (len(whole) // 2, 4096):
            os.truncate(own.library, left)
            for path, more in (
                ("/v1/find", {"q": "a beach"}),
                ("/v1/videos", {}),
                ("/v1/status", {}),
            ):
                reply = service.get(path, **more)
                assert reply.status == 503 and str(own.library) in reply.error
            own.library.write_bytes(whole)
            again = service.get("/v1/find", q="a beach", min_confidence=0).json["moments"]
            assert again == found
            assert service.get("/v1/status").json["videos"] == len(found)


def test_a_service_that_ended_leaves_one_file(own: Footage, environment: dict[str, str]) -> None:
    with running(own.library, environment) as service:
        for path, more in (("/v1/find", {"q": "a beach"}), ("/v1/videos", {})):
            assert service.get(path, **more).status == 200
    left = {file.name for file in own.library.parent.iterdir()}
    assert left == {"library.db", "library.lock", "library.vectors"}


def test_a_line_of_the_fuzzers_corpus_is_json(service: Service) -> None:
    """The document describes every address, and only those."""
    document = service.get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document)
    for name in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert name in document["components"]["schemas"]
    for path, calls in document["paths"].items():
        for method in calls:
            reply = service.ask("OPTIONS", path.replace("{id}", "1"))
            assert method.upper() in reply.headers["allow"]
    from tempo_edge.service.http.app import App

    routes = App._routes(App.__new__(App))
    served = {route.path for route in routes} - {"/", "/favicon.ico", "/static/{name}"}
    assert served == set(document["paths"])


def test_the_formats_described_are_those_written(service: Service) -> None:
    document = service.get("/v1/openapi.json").json
    parameters = document["paths"]["/v1/export"]["get"]["parameters"]
    form = next(each for each in parameters if each["name"] == "format")
    assert form["schema"]["enum"] == list(timeline.FORMATS)
