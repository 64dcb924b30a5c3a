"""Words of an OpenAPI document: kinds of values, parameters, answers and calls."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BINARY",
    "COUNT",
    "DAY",
    "FLAG",
    "NUMBER",
    "STRING",
    "Facts",
    "answer",
    "call",
    "json_answer",
    "list_of",
    "nullable",
    "object_of",
    "parameter",
    "ref",
    "with_optional",
]

Facts = dict[str, Any]

STRING: Facts = {"type": "string"}
NUMBER: Facts = {"type": "number"}
COUNT: Facts = {"type": "integer", "minimum": 0}
FLAG: Facts = {"type": "string", "enum": ["0", "1"]}
DAY: Facts = {"type": "string", "format": "date"}


def object_of(**properties: Facts) -> Facts:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def with_optional(described: Facts, **optional: Facts) -> Facts:
    """An object that may have more than it must."""
    return {**described, "properties": {**described["properties"], **optional}}


def list_of(items: Facts) -> Facts:
    """A list of things of one kind."""
    return {"type": "array", "items": items}


def ref(name: str) -> Facts:
    """A thing that the document describes by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(kind: str) -> Facts:
    """A value of a kind, or null."""
    return {"type": [kind, "null"]}


def parameter(name: str, schema: Facts, about: str, **more: Any) -> Facts:
    """A parameter of the query."""
    return {"name": name, "in": "query", "schema": schema, "description": about, **more}


BINARY: Facts = {"type": "string", "format": "binary"}


def answer(about: str, kind: str, schema: Facts) -> Facts:
    """An answer of a media type."""
    return {"description": about, "content": {kind: {"schema": schema}}}


def json_answer(about: str, schema: Facts) -> Facts:
    """An answer in JSON."""
    return answer(about, "application/json", schema)


def call(
    about: str, answers: Facts, refusals: tuple[int, ...], parameters: list[Facts] | None = None
) -> Facts:
    """An operation; every one may be refused for who asks, or for how much is asked."""
    refused = json_answer("refused, in one line", ref("Error"))
    codes = sorted({400, 401, 403, 413, 429, 503, *refusals})
    return {
        "summary": about,
        "parameters": parameters or [],
        "responses": {**answers, **{str(code): refused for code in codes}},
    }
