"""The parameters of a request that say which videos count, as a search and a list have them."""

from __future__ import annotations

from tempo_edge.errors import MissingExtraError, QueryError, ServiceError
from tempo_edge.filters import WHERE, Filters, Where
from tempo_edge.query import places
from tempo_edge.scope import Scope
from tempo_edge.service.http.parameters import Parameters

__all__ = ["LONGEST_WHERE", "MOST_PLACES", "scope_of", "where_of"]

#: Characters of a filter, and paths that a search is kept to.
LONGEST_WHERE, MOST_PLACES = 200, 32


def scope_of(given: Parameters) -> Scope:
    """Which videos count.

    Raises:
        ServiceError: a parameter is not what it must be; status 400.
    """
    try:
        return Scope(
            within=places(given.paths("within", MOST_PLACES)),
            after=given.day("after"),
            before=given.day("before"),
            min_seconds=given.instant("min_seconds"),
            max_seconds=given.instant("max_seconds"),
            offline=given.flag("offline") is not False,
            filters=Filters.of(where_of(given)),
        )
    except (QueryError, MissingExtraError) as error:
        raise ServiceError(400, str(error)) from error


def where_of(given: Parameters) -> Where:
    """What was sent of when and where, as it was said."""
    where = Where()
    for name in WHERE:
        said = given.text(name, LONGEST_WHERE)
        if said:
            where[name] = said  # type: ignore[literal-required]
    return where
