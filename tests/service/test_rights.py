"""Every address needs a right, and refuses whoever has less."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from colleagues import Team, team_of
from inside import ask
from starlette.routing import Route

from tempo_edge.service.access.right import OWNER, Caller, Right, caller_of, enter
from tempo_edge.service.http.guarded_route import GuardedRoute
from tempo_edge.service.http.openapi import document

RIGHTS = {"reader": Right.READ, "indexer": Right.INDEX, "admin": Right.ADMIN}


@pytest.fixture(scope="module")
def team(built: Path, originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with team_of(built, originals, tmp_path_factory.mktemp("team")) as made:
        yield made


def routes(team: Team) -> list[GuardedRoute]:
    found = team.app.asgi.routes
    assert all(isinstance(route, GuardedRoute) for route in found), "one has no right"
    return [route for route in found if isinstance(route, GuardedRoute)]


def status(team: Team, user: str, method: str, path: str) -> int:
    """The status of a request that is refused, or of one that would change nothing."""
    headers = {"host": "films.example", "authorization": f"Bearer {team.tokens[user]}"}
    return asyncio.run(ask(team.guard, path, headers=headers, method=method)).status


def test_every_address_refuses_a_right_that_is_too_little(team: Team) -> None:
    tried = set()
    for route in routes(team):
        assert set(route.rights) == route.methods
        for method, right in route.rights.items():
            path = route.path.replace("{id}", "999").replace("{name}", "none")
            for user, has in RIGHTS.items():
                if has < right or route.only_here:
                    assert status(team, user, method, path) == 403, (method, path, user)
                    tried.add((method, path))
    assert tried == {
        ("POST", "/v1/index"),
        ("POST", "/v1/pause"),
        ("POST", "/v1/resume"),
        ("POST", "/v1/saved"),
        ("DELETE", "/v1/saved"),
        ("POST", "/v1/videos/999/play"),
    }


def test_what_changes_anything_needs_more_than_reading(team: Team) -> None:
    """A picture that is searched by is sent, and changes nothing."""
    for route in routes(team):
        for method, right in route.rights.items():
            if method not in ("GET", "HEAD") and route.path != "/v1/find":
                assert right > Right.READ, route.path


def test_what_is_described_is_what_there_is(team: Team) -> None:
    described = {
        (method.upper(), path) for path, calls in document()["paths"].items() for method in calls
    }
    there = {
        (method, route.path)
        for route in routes(team)
        for method in route.rights
        if route.path.startswith("/v1/") and method != "HEAD"
    }
    assert described == there


def test_rights_that_suffice(team: Team) -> None:
    for user in RIGHTS:
        assert status(team, user, "GET", "/v1/saved") == 200
        assert status(team, user, "HEAD", "/v1/events") == 200
    assert status(team, "indexer", "POST", "/v1/resume") == 200
    # Past the right, to what is wrong with it.
    assert status(team, "indexer", "DELETE", "/v1/saved") == 400
    assert status(team, "reader", "PUT", "/v1/saved") == 405
    assert status(team, "reader", "GET", "/v1/pause") == 405


def test_whoever_came_by_no_guard_is_not_answered(team: Team) -> None:
    scope = {"type": "http", "method": "GET", "path": "/v1/status", "headers": []}
    with pytest.raises(KeyError):
        caller_of(scope)
    assert caller_of(enter(scope, OWNER)).is_here
    assert not Caller("ann", Right.ADMIN).is_here


def test_a_route_without_a_right_would_be_seen(team: Team) -> None:
    async def answer(request: object) -> None:
        return None

    team.app.asgi.routes.append(Route("/v1/new", answer))
    try:
        with pytest.raises(AssertionError, match="one has no right"):
            routes(team)
    finally:
        team.app.asgi.routes.pop()
