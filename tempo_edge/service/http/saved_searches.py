"""Saved searches over HTTP: what is listed of them, and what may be saved from there.

Who may ask may not have programs run: a command to be run where a search matches is added at the
command line alone, and only that there is one is told here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tempo_edge.errors import MissingExtraError, NoLibraryError, QueryError, ServiceError
from tempo_edge.filters import EVERYTHING
from tempo_edge.library import Library
from tempo_edge.query import Query
from tempo_edge.saved.deeds import Deeds
from tempo_edge.saved.keeping import put_search
from tempo_edge.saved.notification import check_desktop
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch
from tempo_edge.service.access.right import Caller
from tempo_edge.service.http.find_request import FindRequest
from tempo_edge.service.http.parameters import Parameters
from tempo_edge.service.http.scope_request import where_of
from tempo_edge.store.opening import open_store

__all__ = ["check_deeds", "keep", "listed", "query_of", "removed", "search_in"]

_WANTED = (
    'the body must be JSON as {"name": "dogs", "find": {"q": "a dog jumps"}}, with "notify" and '
    '"webhook" besides'
)


def listed(library: Library, caller: Caller) -> list[dict[str, Any]]:
    """The saved searches, by name, with what each has told.

    A webhook is an address of the service's machine, and may hold a secret: it is told there.
    """
    try:
        searches = library.searches()
    except NoLibraryError:
        return []
    return [
        {
            "name": search.name,
            "query": search.asked.title,
            "find": _find(search.asked),
            "notify": search.deeds.notification,
            "webhook": search.deeds.webhook if caller.is_here else "",
            "runs_command": bool(search.deeds.command),
            "own": search.is_own,
            "told": told,
        }
        for search, told in searches
    ]


def _find(asked: SavedQuery) -> dict[str, str | list[str]] | None:
    """The parameters of a search that asks the same, times and places as they were said.

    None where no parameters say it: with a picture, or where boundaries are refined.
    """
    request = FindRequest(asked.query)
    try:
        said = request.parameters()
    except QueryError:
        return None
    return None if request.picture else {**said, **{n: str(v) for n, v in asked.where.items()}}


def search_in(body: bytes) -> SavedSearch:
    """The search that the body of a request wants to be saved.

    Raises:
        ServiceError: it is none, or may not be saved from there; status 400.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ServiceError(400, _WANTED) from None
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        raise ServiceError(400, _WANTED)
    if "run" in said:
        raise ServiceError(
            400,
            f"a command is added at the command line: tempo-edge saved add {said['name']} --run",
        )
    if unknown := sorted(set(said) - {"name", "find", "notify", "webhook"}):
        raise ServiceError(400, f"{unknown[0]} is nothing that is saved: {_WANTED}")
    is_shown, webhook = said.get("notify", False), said.get("webhook", "")
    if not isinstance(is_shown, bool) or not isinstance(webhook, str):
        raise ServiceError(400, _WANTED)
    try:
        if is_shown:
            check_desktop()
        deeds = Deeds(notification=is_shown, webhook=webhook)
        return SavedSearch(said["name"], _asked(said.get("find")), deeds)
    except (QueryError, MissingExtraError) as error:
        raise ServiceError(400, str(error)) from error


def check_deeds(search: SavedSearch, caller: Caller) -> None:
    """Refuse a search that would act on the service's machine, to whoever sits at another.

    Raises:
        ServiceError: it would; status 403.
    """
    if not caller.is_here and (search.deeds.notification or search.deeds.webhook):
        raise ServiceError(
            403, "notify and webhook act on the service's own machine: add them there"
        )


def _asked(find: Any) -> SavedQuery:
    """The query of a search's parameters.

    Raises:
        QueryError: it can't be kept.
        ServiceError: one is not what it must be, or there is none of its name; status 400.
    """
    if not isinstance(find, dict) or not all(map(_is_text_or_texts, find.values())):
        raise ServiceError(400, _WANTED)
    given = Parameters({n: [v] if isinstance(v, str) else v for n, v in find.items()})
    query = FindRequest.of(given).query
    where = where_of(given)
    if given.unread:
        raise ServiceError(400, f"{given.unread[0]} is no parameter of /v1/find")
    return SavedQuery(replace(query, filters=EVERYTHING), where)


def _is_text_or_texts(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str)


def keep(library: Path, search: SavedSearch) -> Mapping[str, str]:
    """Save a search; gives its name.

    Raises:
        QueryError: there is one of this name, or there are too many.
        LibraryError: there is no library, or it can't be written.
    """
    store = open_store(library)
    if store.identity() is None:
        raise ServiceError(404, "there is no library yet: index something first")
    put_search(store, search)
    return {"name": search.name}


def removed(library: Library, name: str) -> Mapping[str, str]:
    """Take a search out; gives its name.

    Raises:
        ServiceError: there is none of this name; status 404.
    """
    _named(library, name)
    library.drop_search(name)
    return {"name": name}


def query_of(library: Library, name: str) -> Query:
    """What a saved search asks now. Of an example no file is opened that is not indexed.

    Raises:
        ServiceError: there is none of this name (status 404), or a service is not to be asked for
            that (400).
    """
    search = _named(library, name)
    try:
        query = search.asked.now()
        if query.like is not None:
            query = replace(query, like=replace(query.like, is_decoded=False))
        FindRequest(query).check()
    except (QueryError, MissingExtraError) as error:
        raise ServiceError(400, str(error)) from error
    return query


def _named(library: Library, name: str) -> SavedSearch:
    try:
        there = {search.name: search for search, _ in library.searches()}
    except NoLibraryError:
        there = {}
    if name not in there:
        raise ServiceError(404, f"there is no saved search {name!r}")
    return there[name]
