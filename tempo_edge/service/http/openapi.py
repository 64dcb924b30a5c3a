"""The service's description of itself: an OpenAPI 3.1 document."""

from __future__ import annotations

from tempo_edge import __version__
from tempo_edge.capture.facts import SOURCES
from tempo_edge.example import LARGEST_SENT
from tempo_edge.expression import MOST_TERMS, ROLES
from tempo_edge.moment import EVIDENCE_KINDS
from tempo_edge.query import ORDERS
from tempo_edge.service.access.right import Right
from tempo_edge.service.http.clip_download import LONGEST_CLIP_SECONDS
from tempo_edge.service.http.find_request import (
    LONGEST_CLIENT,
    LONGEST_TEXT,
    MOST_MOMENTS,
)
from tempo_edge.service.http.openapi_saved import SAVED_SCHEMAS, saved_calls
from tempo_edge.service.http.openapi_words import (
    BINARY,
    COUNT,
    DAY,
    FLAG,
    NUMBER,
    STRING,
    Facts,
    answer,
    call,
    json_answer,
    list_of,
    nullable,
    object_of,
    parameter,
    ref,
    with_optional,
)
from tempo_edge.service.http.parameters import LATEST_SECONDS
from tempo_edge.service.http.scope_request import LONGEST_WHERE, MOST_PLACES
from tempo_edge.service.transport.guard import LARGEST_BODY

__all__ = ["document"]

_CAPTURE: Facts = {
    "taken_at": nullable("string"),
    "taken_from": {"enum": [*SOURCES, None]},
    "latitude": nullable("number"),
    "longitude": nullable("number"),
    "place": STRING,
    "camera": STRING,
}

_SCHEMAS: Facts = {
    "Error": object_of(error=STRING),
    "Indexing": object_of(
        state={"type": "string", "enum": ["idle", "running", "paused"]},
        reason=nullable("string"),
        doing=nullable("string"),
        file=nullable("string"),
        done_seconds=NUMBER,
        total_seconds=NUMBER,
        remaining_seconds=nullable("number"),
    ),
    "Status": object_of(
        version=STRING,
        library=STRING,
        profile=STRING,
        videos=COUNT,
        hours=NUMBER,
        frames=COUNT,
        skipped=COUNT,
        address=nullable("string"),
        player={"type": "boolean"},
        right={"enum": [right.word for right in Right]},
        indexing=ref("Indexing"),
    ),
    "Address": object_of(address=nullable("string"), library=STRING),
    "Copy": object_of(
        path=STRING, start_seconds=NUMBER, end_seconds=NUMBER, online={"type": "boolean"}
    ),
    "Term": object_of(text=STRING, role={"enum": list(ROLES)}, rest=nullable("string")),
    "Part": object_of(
        text=STRING,
        role={"enum": list(ROLES)},
        start_seconds=NUMBER,
        end_seconds=NUMBER,
        confidence={"type": "number", "minimum": 0, "maximum": 1},
    ),
    "Moment": with_optional(
        object_of(
            video=COUNT,
            path=STRING,
            name=STRING,
            start_seconds=NUMBER,
            end_seconds=NUMBER,
            cue_seconds=NUMBER,
            score=NUMBER,
            confidence={"type": "number", "minimum": 0, "maximum": 1},
            online={"type": "boolean"},
            copies=list_of(ref("Copy")),
            found_by={**list_of({"enum": list(EVIDENCE_KINDS)}), "minItems": 1},
            text=STRING,
            **_CAPTURE,
        ),
        parts=list_of(ref("Part")),
        drive_away={"type": "boolean"},
    ),
    "Found": with_optional(
        object_of(
            query=STRING,
            like=nullable("string"),
            like_video=nullable("integer"),
            took_ms=NUMBER,
            grounder=STRING,
            moments=list_of(ref("Moment")),
            near=list_of(ref("Moment")),
            held_back=COUNT,
            rivals=COUNT,
            unsure={"type": "boolean"},
            left_out={"type": "boolean"},
            unknown_count=COUNT,
        ),
        understood=list_of(ref("Term")),
        missing=list_of(STRING),
    ),
    "Video": object_of(
        id=COUNT,
        path=STRING,
        name=STRING,
        duration_seconds=NUMBER,
        modified=nullable("string"),
        online={"type": "boolean"},
        remark=STRING,
        **_CAPTURE,
    ),
    "Amount": object_of(videos=COUNT, seconds=NUMBER),
    "Month": object_of(
        month={"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
        videos=COUNT,
        seconds=NUMBER,
        by_file=ref("Amount"),
    ),
    "Months": object_of(months=list_of(ref("Month")), unknown=ref("Amount")),
    "Skipped": object_of(path=STRING, reason=STRING),
    "Curve": object_of(
        edges=list_of(NUMBER), variation=list_of(NUMBER), similarity=list_of(NUMBER)
    ),
    "Paths": object_of(paths={**list_of(STRING), "minItems": 1, "maxItems": 100}),
}


_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}

_TERMS = {"type": "array", "items": _TEXT, "maxItems": MOST_TERMS}
_SECONDS = {"type": "number", "minimum": 0}
_WHEN = {"type": "string", "maxLength": LONGEST_WHERE}

# Which videos count.
_SCOPE = [
    parameter(
        "within",
        {"type": "array", "items": STRING, "maxItems": MOST_PLACES},
        "search only at or under this path, from / or ~; given again, under any of them",
    ),
    parameter("after", DAY, "the file was last changed on this day or later"),
    parameter("before", DAY, "the file was last changed earlier than this day"),
    parameter("min_seconds", {"type": "number", "minimum": 0}, "shortest video"),
    parameter("max_seconds", {"type": "number", "minimum": 0}, "longest video"),
    parameter("offline", FLAG, "0: leave out videos on volumes that are not there"),
    parameter("since", _WHEN, "taken then or later: 2024, 2024-01-31, yesterday, last summer"),
    parameter("until", _WHEN, "taken then or earlier, a day included, an instant not"),
    parameter("on", _WHEN, "taken on that day, or in that month or year"),
    parameter("around", _WHEN, "latitude,longitude,kilometres: taken within"),
    parameter("place", _WHEN, "a town: taken within 25 km of it"),
    parameter("camera", _WHEN, "words of the camera's make and model"),
    parameter("size", _WHEN, "least picture: 1080p, 4k, 1920x1080"),
]

# What else a search may say beside what it looks for.
_FILTERS = [
    parameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MOST_MOMENTS}, "most moments; 10"
    ),
    parameter(
        "min_confidence",
        {"type": "number", "minimum": 0, "maximum": 1},
        "show moments from this probability on; by default the one that was calibrated",
    ),
    parameter("grounder", STRING, "mllm reads frames, curve is quick"),
    parameter("retrieval", FLAG, "1: candidates only, without reading"),
    parameter("parts", FLAG, "1: don't join neighbouring stretches into one moment"),
    parameter(
        "client", {"type": "string", "maxLength": LONGEST_CLIENT}, "its newer query ends its older"
    ),
    parameter("said", FLAG, "1: what is said counts; without said, shown and seen all does"),
    parameter("shown", FLAG, "1: words on the screen count"),
    parameter("seen", FLAG, "1: pictures count"),
    parameter("also", _TERMS, "what else is there at the same time"),
    parameter("without", _TERMS, "what is not there"),
    parameter("then", _TERMS, "what comes next"),
    parameter("near_seconds", _SECONDS, "how far apart that may lie in a film; 0: at once"),
    parameter("then_seconds", _SECONDS, "the longest time before what comes next; 60"),
    parameter("plain", FLAG, "1: AND, NOT and THEN in q are words like others"),
    *_SCOPE,
    parameter("sort", {"type": "string", "enum": list(ORDERS)}, "order of the best; score"),
]

_QUERY = parameter("q", _TEXT, "what to look for; needed without an example")
_EXAMPLE = parameter(
    "like", STRING, "more like this moment, which is left out: PATH@START-END or ID@START-END"
)

_VIDEO = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}


def _one_video() -> Facts:
    """What is asked of one video."""
    optional = parameter("q", _TEXT, "what to compare with")
    instant = {"type": "number", "minimum": -LATEST_SECONDS, "maximum": LATEST_SECONDS}
    at = parameter("t", instant, "seconds; before the first picture it is that", required=True)
    width = parameter("width", {"type": "integer", "minimum": 16, "maximum": 1280}, "pixels; 320")
    file = {
        "200": answer("the file itself", "video/*", BINARY),
        "206": answer("a part of it", "video/*", BINARY),
        "304": {"description": "unchanged since the given ETag"},
    }
    picture = {"200": answer("the picture", "image/jpeg", BINARY)}
    second = {"type": "number", "minimum": 0, "maximum": LATEST_SECONDS}
    start = parameter("start", second, "seconds", required=True)
    end = parameter("end", second, f"at most {LONGEST_CLIP_SECONDS} s later", required=True)
    begin = parameter("t", second, "seconds; 0")
    clip = {"200": answer("an MP4 to be saved", "video/mp4", BINARY)}
    played = {"202": json_answer("it was opened", object_of(path=STRING))}
    curve = {"200": json_answer("one value a kept frame", ref("Curve"))}
    return {
        "/v1/videos/{id}/file": {"get": call("A video's file", file, (404, 416), [_VIDEO])},
        "/v1/videos/{id}/frame": {
            "get": call("What it shows at t", picture, (404,), [_VIDEO, at, width])
        },
        "/v1/videos/{id}/curve": {
            "get": call("How it changes, and how like a query", curve, (404,), [_VIDEO, optional])
        },
        "/v1/videos/{id}/clip": {"get": call("Cut", clip, (404, 409), [_VIDEO, start, end])},
        "/v1/videos/{id}/play": {
            "post": call("Open it in mpv on this machine", played, (404, 501), [_VIDEO, begin])
        },
    }


def _indexing() -> Facts:
    """What concerns indexing."""
    now = json_answer("how indexing stands now", ref("Indexing"))
    add = call("Index files and folders", {"202": now}, (404,))
    add["requestBody"] = {
        "required": True,
        "description": f"at most {LARGEST_BODY} bytes",
        "content": {"application/json": {"schema": ref("Paths")}},
    }
    skipped = json_answer("with the reason for each", list_of(ref("Skipped")))
    stream = answer("progress, indexed and skipped, as they come", "text/event-stream", STRING)
    return {
        "/v1/skipped": {"get": call("Files that can't be used", {"200": skipped}, ())},
        "/v1/index": {"post": add},
        "/v1/pause": {"post": call("Hold indexing back", {"200": now}, ())},
        "/v1/resume": {"post": call("Let indexing go on", {"200": now}, ())},
        "/v1/events": {"get": call("Listen", {"200": stream}, ())},
    }


def _library() -> Facts:
    """What is asked of the whole library."""
    by = {"type": "string", "enum": list(ORDERS)}
    page = [
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "most videos; 100"),
        parameter("offset", COUNT, "videos to pass over"),
        *_SCOPE,
        parameter("sort", by, "score: by their ids; time: when they were taken; name: by path"),
    ]
    shown: Facts = {
        "requestBody": {
            "required": True,
            "description": f"a picture of at most {LARGEST_SENT} bytes",
            "content": {"image/*": {"schema": BINARY}},
        }
    }
    status = {"200": json_answer("as it is now", ref("Status"))}
    where = {"200": json_answer("without its token; null where there is no port", ref("Address"))}
    found = {"200": json_answer("moments, best first; none when nothing matches", ref("Found"))}
    listed = {"200": json_answer("in the order that is asked for", list_of(ref("Video")))}
    listed["200"]["headers"] = {
        "Tempo-Edge-Count": {
            "description": "how many videos there are in all that were asked for",
            "schema": COUNT,
        },
        "Tempo-Edge-Unknown-Count": {
            "description": "how many are left out for want of knowing when or where, or by what",
            "schema": COUNT,
        },
    }
    months = {"200": json_answer("in their order, those in which something was", ref("Months"))}
    this = {"200": json_answer("OpenAPI 3.1", {"type": "object"})}
    return {
        "/v1/status": {"get": call("What the library holds", status, ())},
        "/v1/address": {"get": call("Where the page is", {"200": where}, ())},
        "/v1/find": {
            "get": call("Search", found, (409,), [_QUERY, _EXAMPLE, *_FILTERS]),
            "post": {**call("Search by a picture", found, (409,), [_QUERY, *_FILTERS]), **shown},
        },
        "/v1/videos": {"get": call("List videos", listed, (), page)},
        "/v1/months": {"get": call("How much was taken in each month", months, (), _SCOPE)},
        "/v1/openapi.json": {"get": call("This document", this, ())},
    }


def _export() -> Facts:
    """What is asked of moments for other programs."""
    form = parameter(
        "format",
        {"type": "string", "enum": ["edl", "fcpxml", "otio", "csv", "m3u", "json", "llc", "zip"]},
        "of the file",
        required=True,
    )
    moment = parameter("moment", list_of(STRING), "ID:START-END in seconds, in place of a query")
    chosen = [form, moment, _QUERY, _EXAMPLE, *_FILTERS]
    made = {"200": answer("for an editor or a player", "application/octet-stream", BINARY)}
    made["200"]["headers"] = {
        "Tempo-Edge-Remarks": {
            "description": "a JSON list of what may surprise: moments left out, a grid of frames",
            "schema": STRING,
        }
    }
    return {"/v1/export": {"get": call("Moments as a file", made, (404, 409), chosen)}}


def document() -> Facts:
    """The document, as plain values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tempo-edge",
            "version": __version__,
            "description": "Offline search over your own videos: footage in, moments out. "
            "Over TCP every request names a token: the owner's, or over TLS that of a colleague, "
            "whose right has to suffice (403).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"cookie": []}, {}],
        "paths": {**_library(), **_export(), **_one_video(), **saved_calls(), **_indexing()},
        "components": {
            "schemas": {**_SCHEMAS, **SAVED_SCHEMAS},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "tempo_edge_token"},
            },
        },
    }
