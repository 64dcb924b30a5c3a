"""The request for ``/v1/find``: a query as parameters; who asks writes them, the service reads."""

from __future__ import annotations

from dataclasses import dataclass

from tempo_edge._files.absolute import encodable
from tempo_edge._files.spelling import spelled
from tempo_edge.errors import QueryError, ServiceError
from tempo_edge.example import LARGEST_SENT, Example
from tempo_edge.expression import MOST_TERMS
from tempo_edge.query import DEFAULT_LIMIT, THEN_SECONDS, Query
from tempo_edge.service.http.parameters import Parameters
from tempo_edge.service.http.paths import path_from
from tempo_edge.service.http.scope_request import MOST_PLACES, scope_of

__all__ = ["LONGEST_CLIENT", "LONGEST_TEXT", "MOST_MOMENTS", "FindRequest"]

#: Characters of a query, and of the name of who asks.
LONGEST_TEXT, LONGEST_CLIENT = 1000, 200

#: Moments that a service gives.
MOST_MOMENTS = 100

# Characters of a moment's name: a path, and its times.
_LONGEST_EXAMPLE = 4200


@dataclass(frozen=True)
class FindRequest:
    """A query, and who asks.

    Attributes:
        query: what is asked for.
        client: who asks: a newer query ends an older one. None for someone who asks only once.
    """

    query: Query
    client: str | None = None

    @staticmethod
    def of(given: Parameters, picture: bytes = b"") -> FindRequest:
        """Read from the parameters of a request, and from the picture that its body is.

        Raises:
            ServiceError: a parameter is missing, or not what it must be; status 400.
        """
        from tempo_edge.search.fitted import is_quick  # loads what who only asks does without

        text = given.text("q", LONGEST_TEXT) or ""
        like = _example(given.text("like", _LONGEST_EXAMPLE), picture)
        if like is None and not text.strip():
            raise ServiceError(400, "q is missing or empty: say what to look for")
        grounder = given.text("grounder", 32)
        retrieval = given.flag("retrieval") or False
        if retrieval and grounder is not None and not is_quick(grounder):
            raise ServiceError(
                400, f"grounder {grounder!r} and retrieval=1 exclude each other: choose one"
            )
        try:
            query = Query(
                text,
                limit=given.whole("limit", 1, MOST_MOMENTS) or DEFAULT_LIMIT,
                min_confidence=given.number("min_confidence", 0.0, 1.0),
                grounder=grounder,
                retrieval=retrieval,
                parts=given.flag("parts") or False,
                said=given.flag("said") or False,
                shown=given.flag("shown") or False,
                seen=given.flag("seen") or False,
                like=like,
                also=_terms(given, "also"),
                without=_terms(given, "without"),
                then=_terms(given, "then"),
                near_seconds=given.instant("near_seconds") or 0.0,
                then_seconds=_or(given.instant("then_seconds"), THEN_SECONDS),
                plain=given.flag("plain") or False,
                sort=given.text("sort", 32) or "score",
                **vars(scope_of(given)),
            )
        except QueryError as error:
            raise ServiceError(400, str(error)) from error
        return FindRequest(query, given.text("client", LONGEST_CLIENT) or None)

    def parameters(self) -> dict[str, str | list[str]]:
        """The parameters that say this, but for those that say what is usual anyway.

        Raises:
            QueryError: a service is not to be asked for that.
        """
        self.check()
        query = self.query
        said: dict[str, object] = {
            "q": query.text or None,
            "limit": query.limit,
            "retrieval": 1 if query.retrieval else None,
            "parts": 1 if query.parts else None,
            "min_confidence": query.min_confidence,
            "within": None if query.within is None else [spelled(path) for path in query.within],
            "grounder": query.grounder,
            "after": query.after,
            "before": query.before,
            "min_seconds": query.min_seconds,
            "max_seconds": query.max_seconds,
            "offline": None if query.offline else 0,
            "said": 1 if query.said else None,
            "shown": 1 if query.shown else None,
            "seen": 1 if query.seen else None,
            "like": query.like.place if query.like is not None and query.like.is_moment else None,
            "also": list(query.also) or None,
            "without": list(query.without) or None,
            "then": list(query.then) or None,
            "near_seconds": query.near_seconds or None,
            "then_seconds": None if query.then_seconds == THEN_SECONDS else query.then_seconds,
            "plain": 1 if query.plain else None,
            **query.filters.as_where(),
            "sort": None if query.sort == "score" else query.sort,
            "client": self.client,
        }
        return {
            name: value if isinstance(value, list) else str(value)
            for name, value in said.items()
            if value is not None
        }

    @property
    def picture(self) -> bytes:
        """The picture that goes as the body of the request; empty where none does."""
        return b"" if self.query.like is None else self.query.like.picture

    def check(self) -> None:
        """Refuse what a service is not to be asked for.

        Raises:
            QueryError: it is such a query.
        """
        query = self.query
        if len(query.text) > LONGEST_TEXT:
            count = len(query.text)
            raise QueryError(f"query of {count} characters must have at most {LONGEST_TEXT}")
        for term in (*query.also, *query.without, *query.then):
            if len(term) > LONGEST_TEXT:
                count = len(term)
                raise QueryError(f"term of {count} characters must have at most {LONGEST_TEXT}")
        if query.limit > MOST_MOMENTS:
            raise QueryError.naming("{limit} {} must be at most {}", query.limit, MOST_MOMENTS)
        if query.within is not None and len(query.within) > MOST_PLACES:
            raise QueryError(f"within names {len(query.within)} paths: {MOST_PLACES} are allowed")
        if query.grounder is not None and encodable(query.grounder) != query.grounder:
            raise QueryError(f"grounder {query.grounder!r} is not valid UTF-8: say it in Unicode")
        if len(self.picture) > LARGEST_SENT:
            size = len(self.picture)
            raise QueryError(f"a picture of {size} bytes must have at most {LARGEST_SENT}")
        if query.refine or query.amid_all or query.videos is not None:
            raise QueryError("a service neither refines nor is told videos: ask the library")


def _example(moment: str | None, picture: bytes) -> Example | None:
    """The example of a request: a picture's bytes, or a moment of a video that is indexed.

    No other file is ever opened by its name: who may ask may not read whatever there is.

    Raises:
        ServiceError: it is both, or no moment; status 400.
    """
    if moment and picture:
        raise ServiceError(400, "like and a picture exclude each other: send one of them")
    try:
        if picture:
            return Example("the picture", picture=picture)
        if not moment:
            return None
        where = moment.rpartition("@")[0]
        if where and not where.isdecimal():
            path_from(where, "like")
        return Example.moment(moment, is_decoded=False)
    except QueryError as error:
        raise ServiceError(400, str(error)) from error


def _terms(given: Parameters, name: str) -> tuple[str, ...]:
    """The terms that were sent under a name.

    Raises:
        ServiceError: there are too many, or one is too long; status 400.
    """
    terms = given.texts(name, MOST_TERMS)
    for term in terms:
        if len(term) > LONGEST_TEXT:
            count = len(term)
            raise ServiceError(400, f"{name} has {count} characters: {LONGEST_TEXT} are allowed")
    return tuple(terms)


def _or(value: float | None, usual: float) -> float:
    return usual if value is None else value
