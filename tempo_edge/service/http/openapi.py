"""The service's description of itself: an OpenAPI 3.1 document."""

from __future__ import annotations

from typing import Any

from tempo_edge import __version__
from tempo_edge.capture.facts import SOURCES
from tempo_edge.example import LARGEST_SENT
from tempo_edge.expression import MOST_TERMS, ROLES
from tempo_edge.moment import EVIDENCE_KINDS
from tempo_edge.query import ORDERS
from tempo_edge.service.http.clip_download import LONGEST_CLIP_SECONDS
from tempo_edge.service.http.find_request import (
    LONGEST_CLIENT,
    LONGEST_TEXT,
    LONGEST_WHERE,
    MOST_MOMENTS,
    MOST_PLACES,
)
from tempo_edge.service.http.parameters import LATEST_SECONDS
from tempo_edge.service.transport.guard import LARGEST_BODY

__all__ = ["document"]

_Facts = dict[str, Any]

_STRING: _Facts = {"type": "string"}
_NUMBER: _Facts = {"type": "number"}
_COUNT: _Facts = {"type": "integer", "minimum": 0}
_FLAG: _Facts = {"type": "string", "enum": ["0", "1"]}
_DAY: _Facts = {"type": "string", "format": "date"}


def _object(**properties: _Facts) -> _Facts:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _with(described: _Facts, **optional: _Facts) -> _Facts:
    """An object that may have more than it must."""
    return {**described, "properties": {**described["properties"], **optional}}


def _list(items: _Facts) -> _Facts:
    return {"type": "array", "items": items}


def _ref(name: str) -> _Facts:
    return {"$ref": f"#/components/schemas/{name}"}


def _nullable(kind: str) -> _Facts:
    return {"type": [kind, "null"]}


_SCHEMAS: _Facts = {
    "Error": _object(error=_STRING),
    "Indexing": _object(
        state={"type": "string", "enum": ["idle", "running", "paused"]},
        reason=_nullable("string"),
        doing=_nullable("string"),
        file=_nullable("string"),
        done_seconds=_NUMBER,
        total_seconds=_NUMBER,
        remaining_seconds=_nullable("number"),
    ),
    "Status": _object(
        version=_STRING,
        library=_STRING,
        profile=_STRING,
        videos=_COUNT,
        hours=_NUMBER,
        frames=_COUNT,
        skipped=_COUNT,
        address=_nullable("string"),
        player={"type": "boolean"},
        indexing=_ref("Indexing"),
    ),
    "Address": _object(address=_nullable("string"), library=_STRING),
    "Copy": _object(
        path=_STRING, start_seconds=_NUMBER, end_seconds=_NUMBER, online={"type": "boolean"}
    ),
    "Term": _object(text=_STRING, role={"enum": list(ROLES)}, rest=_nullable("string")),
    "Part": _object(
        text=_STRING,
        role={"enum": list(ROLES)},
        start_seconds=_NUMBER,
        end_seconds=_NUMBER,
        confidence={"type": "number", "minimum": 0, "maximum": 1},
    ),
    "Moment": _with(
        _object(
            video=_COUNT,
            path=_STRING,
            name=_STRING,
            start_seconds=_NUMBER,
            end_seconds=_NUMBER,
            cue_seconds=_NUMBER,
            score=_NUMBER,
            confidence={"type": "number", "minimum": 0, "maximum": 1},
            online={"type": "boolean"},
            copies=_list(_ref("Copy")),
            found_by={**_list({"enum": list(EVIDENCE_KINDS)}), "minItems": 1},
            text=_STRING,
            taken_at=_nullable("string"),
            taken_from={"enum": [*SOURCES, None]},
            latitude=_nullable("number"),
            longitude=_nullable("number"),
            place=_STRING,
            camera=_STRING,
        ),
        parts=_list(_ref("Part")),
        drive_away={"type": "boolean"},
    ),
    "Found": _with(
        _object(
            query=_STRING,
            like=_nullable("string"),
            like_video=_nullable("integer"),
            took_ms=_NUMBER,
            grounder=_STRING,
            moments=_list(_ref("Moment")),
            near=_list(_ref("Moment")),
            held_back=_COUNT,
            rivals=_COUNT,
            unsure={"type": "boolean"},
            left_out={"type": "boolean"},
            unknown_count=_COUNT,
        ),
        understood=_list(_ref("Term")),
        missing=_list(_STRING),
    ),
    "Video": _object(
        id=_COUNT,
        path=_STRING,
        name=_STRING,
        duration_seconds=_NUMBER,
        modified=_nullable("string"),
        online={"type": "boolean"},
        remark=_STRING,
    ),
    "Skipped": _object(path=_STRING, reason=_STRING),
    "Curve": _object(edges=_list(_NUMBER), variation=_list(_NUMBER), similarity=_list(_NUMBER)),
    "Paths": _object(paths={**_list(_STRING), "minItems": 1, "maxItems": 100}),
}


def _parameter(name: str, schema: _Facts, about: str, **more: Any) -> _Facts:
    return {"name": name, "in": "query", "schema": schema, "description": about, **more}


_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}

_TERMS = {"type": "array", "items": _TEXT, "maxItems": MOST_TERMS}
_SECONDS = {"type": "number", "minimum": 0}
_WHEN = {"type": "string", "maxLength": LONGEST_WHERE}

_FILTERS = [
    _parameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MOST_MOMENTS}, "most moments; 10"
    ),
    _parameter(
        "min_confidence",
        {"type": "number", "minimum": 0, "maximum": 1},
        "show moments from this probability on; by default the one that was calibrated",
    ),
    _parameter(
        "within",
        {"type": "array", "items": _STRING, "maxItems": MOST_PLACES},
        "search only at or under this path, from / or ~; given again, under any of them",
    ),
    _parameter("grounder", _STRING, "mllm reads frames, curve is quick"),
    _parameter("retrieval", _FLAG, "1: candidates only, without reading"),
    _parameter("parts", _FLAG, "1: don't join neighbouring stretches into one moment"),
    _parameter(
        "client", {"type": "string", "maxLength": LONGEST_CLIENT}, "its newer query ends its older"
    ),
    _parameter("after", _DAY, "the file was last changed on this day or later"),
    _parameter("before", _DAY, "the file was last changed earlier than this day"),
    _parameter("min_seconds", {"type": "number", "minimum": 0}, "shortest video"),
    _parameter("max_seconds", {"type": "number", "minimum": 0}, "longest video"),
    _parameter("offline", _FLAG, "0: leave out videos on volumes that are not there"),
    _parameter("said", _FLAG, "1: what is said counts; without said, shown and seen all does"),
    _parameter("shown", _FLAG, "1: words on the screen count"),
    _parameter("seen", _FLAG, "1: pictures count"),
    _parameter("also", _TERMS, "what else is there at the same time"),
    _parameter("without", _TERMS, "what is not there"),
    _parameter("then", _TERMS, "what comes next"),
    _parameter("near_seconds", _SECONDS, "how far apart that may lie in a film; 0: at once"),
    _parameter("then_seconds", _SECONDS, "the longest time before what comes next; 60"),
    _parameter("plain", _FLAG, "1: AND, NOT and THEN in q are words like others"),
    _parameter("since", _WHEN, "taken then or later: 2024, 2024-01-31, yesterday, last summer"),
    _parameter("until", _WHEN, "taken then or earlier, a day included, an instant not"),
    _parameter("on", _WHEN, "taken on that day, or in that month or year"),
    _parameter("around", _WHEN, "latitude,longitude,kilometres: taken within"),
    _parameter("place", _WHEN, "a town: taken within 25 km of it"),
    _parameter("camera", _WHEN, "words of the camera's make and model"),
    _parameter("size", _WHEN, "least picture: 1080p, 4k, 1920x1080"),
    _parameter("sort", {"type": "string", "enum": list(ORDERS)}, "order of the best; score"),
]

_VIDEO = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}

_BINARY: _Facts = {"type": "string", "format": "binary"}


def _answer(about: str, kind: str, schema: _Facts) -> _Facts:
    return {"description": about, "content": {kind: {"schema": schema}}}


def _json(about: str, schema: _Facts) -> _Facts:
    return _answer(about, "application/json", schema)


def _call(
    about: str, answers: _Facts, refusals: tuple[int, ...], parameters: list[_Facts] | None = None
) -> _Facts:
    """An operation; every one may be refused for who asks, or for how much is asked."""
    refused = _json("refused, in one line", _ref("Error"))
    codes = sorted({400, 401, 403, 413, 429, 503, *refusals})
    return {
        "summary": about,
        "parameters": parameters or [],
        "responses": {**answers, **{str(code): refused for code in codes}},
    }


def _one_video() -> _Facts:
    """What is asked of one video."""
    optional = _parameter("q", _TEXT, "what to compare with")
    instant = {"type": "number", "minimum": -LATEST_SECONDS, "maximum": LATEST_SECONDS}
    at = _parameter("t", instant, "seconds; before the first picture it is that", required=True)
    width = _parameter("width", {"type": "integer", "minimum": 16, "maximum": 1280}, "pixels; 320")
    file = {
        "200": _answer("the file itself", "video/*", _BINARY),
        "206": _answer("a part of it", "video/*", _BINARY),
        "304": {"description": "unchanged since the given ETag"},
    }
    picture = {"200": _answer("the picture", "image/jpeg", _BINARY)}
    second = {"type": "number", "minimum": 0, "maximum": LATEST_SECONDS}
    start = _parameter("start", second, "seconds", required=True)
    end = _parameter("end", second, f"at most {LONGEST_CLIP_SECONDS} s later", required=True)
    begin = _parameter("t", second, "seconds; 0")
    clip = {"200": _answer("an MP4 to be saved", "video/mp4", _BINARY)}
    played = {"202": _json("it was opened", _object(path=_STRING))}
    curve = {"200": _json("one value a kept frame", _ref("Curve"))}
    return {
        "/v1/videos/{id}/file": {"get": _call("A video's file", file, (404, 416), [_VIDEO])},
        "/v1/videos/{id}/frame": {
            "get": _call("What it shows at t", picture, (404,), [_VIDEO, at, width])
        },
        "/v1/videos/{id}/curve": {
            "get": _call("How it changes, and how like a query", curve, (404,), [_VIDEO, optional])
        },
        "/v1/videos/{id}/clip": {"get": _call("Cut", clip, (404, 409), [_VIDEO, start, end])},
        "/v1/videos/{id}/play": {
            "post": _call("Open it in mpv on this machine", played, (404, 501), [_VIDEO, begin])
        },
    }


def _indexing() -> _Facts:
    """What concerns indexing."""
    now = _json("how indexing stands now", _ref("Indexing"))
    add = _call("Index files and folders", {"202": now}, (404,))
    add["requestBody"] = {
        "required": True,
        "description": f"at most {LARGEST_BODY} bytes",
        "content": {"application/json": {"schema": _ref("Paths")}},
    }
    skipped = _json("with the reason for each", _list(_ref("Skipped")))
    stream = _answer("progress, indexed and skipped, as they come", "text/event-stream", _STRING)
    return {
        "/v1/skipped": {"get": _call("Files that can't be used", {"200": skipped}, ())},
        "/v1/index": {"post": add},
        "/v1/pause": {"post": _call("Hold indexing back", {"200": now}, ())},
        "/v1/resume": {"post": _call("Let indexing go on", {"200": now}, ())},
        "/v1/events": {"get": _call("Listen", {"200": stream}, ())},
    }


def _library() -> _Facts:
    """What is asked of the whole library."""
    page = [
        _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "most videos; 100"),
        _parameter("offset", _COUNT, "videos to pass over"),
    ]
    query = _parameter("q", _TEXT, "what to look for; needed without an example")
    form = _parameter(
        "format",
        {"type": "string", "enum": ["edl", "fcpxml", "otio", "csv", "m3u", "json", "llc"]},
        "of the file",
        required=True,
    )
    moment = _parameter("moment", _list(_STRING), "ID:START-END in seconds, in place of a query")
    example = _parameter(
        "like", _STRING, "more like this moment, which is left out: PATH@START-END or ID@START-END"
    )
    chosen = [form, moment, query, example, *_FILTERS]
    shown: _Facts = {
        "requestBody": {
            "required": True,
            "description": f"a picture of at most {LARGEST_SENT} bytes",
            "content": {"image/*": {"schema": _BINARY}},
        }
    }
    status = {"200": _json("as it is now", _ref("Status"))}
    where = {"200": _json("without its token; null where there is no port", _ref("Address"))}
    found = {"200": _json("moments, best first; none when nothing matches", _ref("Found"))}
    listed = {"200": _json("in the order of their ids", _list(_ref("Video")))}
    made = {"200": _answer("for an editor or a player", "application/octet-stream", _BINARY)}
    made["200"]["headers"] = {
        "Tempo-Edge-Remarks": {
            "description": "a JSON list of what may surprise: moments left out, a grid of frames",
            "schema": _STRING,
        }
    }
    this = {"200": _json("OpenAPI 3.1", {"type": "object"})}
    return {
        "/v1/status": {"get": _call("What the library holds", status, ())},
        "/v1/address": {"get": _call("Where the page is", {"200": where}, ())},
        "/v1/find": {
            "get": _call("Search", found, (409,), [query, example, *_FILTERS]),
            "post": {**_call("Search by a picture", found, (409,), [query, *_FILTERS]), **shown},
        },
        "/v1/videos": {"get": _call("List videos", listed, (), page)},
        "/v1/export": {"get": _call("Moments as a file", made, (404, 409), chosen)},
        "/v1/openapi.json": {"get": _call("This document", this, ())},
    }


def document() -> _Facts:
    """The document, as plain values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tempo-edge",
            "version": __version__,
            "description": "Offline search over your own videos: footage in, moments out. "
            "Over TCP every request names the per-user token.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"cookie": []}, {}],
        "paths": {**_library(), **_one_video(), **_indexing()},
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "tempo_edge_token"},
            },
        },
    }
