"""What an OpenAPI document says of saved searches."""

from __future__ import annotations

from tempo_edge.saved.search import LONGEST_NAME
from tempo_edge.service.http.find_request import LONGEST_CLIENT
from tempo_edge.service.http.openapi_words import (
    COUNT,
    STRING,
    Facts,
    call,
    json_answer,
    list_of,
    object_of,
    parameter,
    ref,
    with_optional,
)

__all__ = ["SAVED_SCHEMAS", "saved_calls"]

_NAME: Facts = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_TEXTS: Facts = {"anyOf": [STRING, list_of(STRING)]}
_FIND: Facts = {"type": "object", "additionalProperties": _TEXTS}
_BOOLEAN: Facts = {"type": "boolean"}

SAVED_SCHEMAS: Facts = {
    "SavedSearch": object_of(
        name=STRING,
        query=STRING,
        find={"anyOf": [_FIND, {"type": "null"}]},
        notify=_BOOLEAN,
        webhook=STRING,
        runs_command=_BOOLEAN,
        own=_BOOLEAN,
        told=COUNT,
    ),
    "ToSave": {
        **with_optional(
            object_of(name=_NAME, find=_FIND),
            notify=_BOOLEAN,
            webhook={**STRING, "description": "an address on this machine"},
        ),
        "additionalProperties": False,
    },
    "SavedName": object_of(name=STRING),
}


def saved_calls() -> Facts:
    """What is asked of saved searches. Commands to be run are added at the command line alone."""
    there = {"200": json_answer("by name", list_of(ref("SavedSearch")))}
    kept = {"201": json_answer("it was saved", ref("SavedName"))}
    gone = {"200": json_answer("it was removed", ref("SavedName"))}
    found = {"200": json_answer("what matches now, as /v1/find", ref("Found"))}
    name = parameter("name", _NAME, "of a saved search", required=True)
    client = parameter(
        "client", {"type": "string", "maxLength": LONGEST_CLIENT}, "its newer query ends its older"
    )
    save = call("Save a search", kept, (404,))
    save["requestBody"] = {
        "required": True,
        "description": "its name, and the parameters of /v1/find that ask it",
        "content": {"application/json": {"schema": ref("ToSave")}},
    }
    return {
        "/v1/saved": {
            "get": call("List saved searches", there, ()),
            "post": save,
            "delete": call("Remove a saved search, and what it told", gone, (404,), [name]),
        },
        "/v1/saved/run": {"get": call("Ask it now", found, (404, 409), [name, client])},
    }
