"""The service's door: what is asked for under which address, and how it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tempo_edge.errors import ServiceError
from tempo_edge.library import Library
from tempo_edge.moment import Span
from tempo_edge.saved.search import LONGEST_NAME
from tempo_edge.service.access.audit import add_to_entry
from tempo_edge.service.access.right import Right, caller_of
from tempo_edge.service.handle import Handle, Models
from tempo_edge.service.http import listing
from tempo_edge.service.http import saved_searches as saved
from tempo_edge.service.http import time_line_download as download
from tempo_edge.service.http.body import body, check_known, named_paths, picture
from tempo_edge.service.http.clip_download import LONGEST_CLIP_SECONDS, Clips
from tempo_edge.service.http.events import Events
from tempo_edge.service.http.files import open_listed
from tempo_edge.service.http.find_request import LONGEST_CLIENT, LONGEST_TEXT, FindRequest
from tempo_edge.service.http.frames import PictureCache
from tempo_edge.service.http.guarded_route import GuardedRoute
from tempo_edge.service.http.openapi import document
from tempo_edge.service.http.parameters import LATEST_SECONDS, Parameters
from tempo_edge.service.http.paths import check_within
from tempo_edge.service.http.playing import can_play, play
from tempo_edge.service.http.refusals import REFUSALS, refusal
from tempo_edge.service.http.scope_request import scope_of
from tempo_edge.service.http.search_queue import SearchQueue, TimedAnswer
from tempo_edge.service.http.static import Page
from tempo_edge.service.jobs.index_supervisor import Indexing
from tempo_edge.service.jobs.worker_pool import Work, WorkerPool
from tempo_edge.store.rows import FileRow

__all__ = ["App"]

T = TypeVar("T")

# Lookups, and pictures, that may wait.
_LOOKUPS, _PICTURES = 256, 64


class App:
    """Answers requests. Lives on the event loop; whatever may take time is done in worker pools.

    Args:
        library: the database file.
        searches: the queue of searches; ``models``: what it shares.
        indexing: indexes; ``events``: tells.
        address: where a browser finds the page; None where there is none.
        watched: the folders that the service follows.
    """

    def __init__(
        self,
        library: Path,
        searches: SearchQueue,
        models: Models,
        indexing: Indexing,
        events: Events,
        address: str | None,
        watched: Sequence[Path] = (),
    ) -> None:
        self._library = library
        self._where = {"address": address, "library": str(library)}
        self._watched = watched
        self._searches = searches
        self._indexing = indexing
        self._events = events
        self._handle = Handle(library, models)
        self._lookups = WorkerPool("library", _LOOKUPS, ended=self._handle.close)
        self._media = WorkerPool("decoder", _PICTURES, threads=2)
        self._pictures = PictureCache()
        self._clips = Clips()
        self._page = Page()
        self._document = document()
        self.asgi = Starlette(
            routes=self._routes(),
            exception_handlers=dict(REFUSALS),
        )

    def close(self) -> None:
        """Take no more requests."""
        self._lookups.close()
        self._media.close()

    def _routes(self) -> list[GuardedRoute]:
        read = {
            "/": self.index_page,
            "/favicon.ico": self.icon,
            "/static/{name}": self.static,
            "/v1/status": self.status,
            "/v1/address": self.address,
            "/v1/videos": self.videos,
            "/v1/months": self.months,
            "/v1/videos/{id}/file": self.file,
            "/v1/videos/{id}/frame": self.frame,
            "/v1/videos/{id}/curve": self.curve,
            "/v1/videos/{id}/clip": self.clip,
            "/v1/saved/run": self.run_saved,
            "/v1/skipped": self.skipped,
            "/v1/events": self.events,
            "/v1/export": self.export,
            "/v1/openapi.json": self.openapi,
        }
        write = {"/v1/index": self.index, "/v1/pause": self.pause, "/v1/resume": self.resume}
        saving = {"GET": Right.READ, "POST": Right.INDEX, "DELETE": Right.INDEX}
        playing = {"POST": Right.ADMIN}
        return [
            GuardedRoute("/v1/find", self.find, {"GET": Right.READ, "POST": Right.READ}),
            GuardedRoute("/v1/saved", self.saved, saving),
            GuardedRoute("/v1/videos/{id}/play", self.play, playing, only_here=True),
            *(GuardedRoute(path, call, {"GET": Right.READ}) for path, call in read.items()),
            *(GuardedRoute(path, call, {"POST": Right.INDEX}) for path, call in write.items()),
        ]

    # -- the library -----------------------------------------------------------------------------

    async def status(self, request: Request) -> Response:
        caller = caller_of(request.scope)
        facts = {**await self._look(listing.totals), **self._whereabouts(request)}
        # A window on the service's machine is of no use to who sits at another.
        facts |= {"player": caller.is_here and can_play(), "right": caller.right.word}
        return JSONResponse({**facts, "indexing": self._indexing.facts()})

    async def address(self, request: Request) -> Response:
        return JSONResponse(self._whereabouts(request))

    def _whereabouts(self, request: Request) -> dict[str, str | None]:
        """Where the page is, for who can reach it there: at the loopback address."""
        is_here = caller_of(request.scope).is_here
        return self._where if is_here else {**self._where, "address": None}

    async def videos(self, request: Request) -> Response:
        given = _parameters(request)
        limit = given.whole("limit", 1, 1000) or 100
        offset = given.whole("offset", 0, 10**12) or 0
        scope, sort = scope_of(given), given.text("sort", 32) or "score"
        told, counted = await self._look(
            lambda library: listing.videos(library, scope, sort, limit, offset)
        )
        return JSONResponse(told, headers=counted)

    async def months(self, request: Request) -> Response:
        scope = scope_of(_parameters(request))
        return JSONResponse(await self._look(lambda library: listing.months(library, scope)))

    async def skipped(self, request: Request) -> Response:
        return JSONResponse(await self._look(listing.skipped))

    async def curve(self, request: Request) -> Response:
        video, query = _video(request), _parameters(request).text("q", LONGEST_TEXT)
        return JSONResponse(
            await self._look(lambda library: listing.curve(library, video, query or None))
        )

    # -- searching -------------------------------------------------------------------------------

    async def find(self, request: Request) -> Response:
        found = await self._found(request)
        return JSONResponse(found.as_dict())

    async def _found(self, request: Request) -> TimedAnswer:
        shown = await picture(request) if request.method == "POST" else b""
        return await self._answer(request, FindRequest.of(_parameters(request), shown))

    async def _answer(self, request: Request, asked: FindRequest) -> TimedAnswer:
        caller = caller_of(request.scope)
        if caller.name and asked.client is not None:
            # Nobody ends the search of somebody else.
            asked = replace(asked, client=f"{caller.name} {asked.client}")
        work = self._searches.find(asked)
        try:
            return await _while_connected(request, _result(work))
        finally:
            self._searches.forget(asked, work)

    async def saved(self, request: Request) -> Response:
        if request.method == "POST":
            search = saved.search_in(await body(request))
            add_to_entry(request.scope, save=search.name)
            saved.check_deeds(search, caller_of(request.scope))
            return JSONResponse(await self._decode(lambda: saved.keep(self._library, search)), 201)
        if request.method == "DELETE":
            name = _name(request)
            return JSONResponse(await self._look(lambda library: saved.removed(library, name)))
        # In ASCII: what was typed of a filter need not be Unicode.
        caller = caller_of(request.scope)
        told = json.dumps(await self._look(lambda library: saved.listed(library, caller)))
        return Response(told, media_type="application/json")

    async def run_saved(self, request: Request) -> Response:
        name, client = _name(request), _parameters(request).text("client", LONGEST_CLIENT) or None
        query = await self._look(lambda library: saved.query_of(library, name))
        return JSONResponse((await self._answer(request, FindRequest(query, client))).as_dict())

    async def export(self, request: Request) -> Response:
        given = _parameters(request)
        form = given.text("format", 16)
        if not form:
            raise ServiceError(400, "format is missing: name one, as edl")
        named = given.texts("moment", download.MOST)
        if named:
            moments = await self._look(lambda library: download.moments_named(library, named))
        else:
            moments = list((await self._found(request)).answer)
        file, remarks = await self._decode(lambda: download.write(moments, form))
        headers = {"content-disposition": f'attachment; filename="moments.{form}"'}
        if remarks:
            headers["tempo-edge-remarks"] = download.header(remarks)
        return Response(file, media_type=download.content_type(form), headers=headers)

    # -- a video ---------------------------------------------------------------------------------

    async def file(self, request: Request) -> _Sending:
        rows = await self._rows(_video(request))
        opened = await self._decode(lambda: open_listed(rows))
        try:
            opened.choose(request.headers)
        except ServiceError as error:
            opened.close()
            return refusal(416, str(error), {"content-range": f"bytes */{opened.size}"})
        return opened

    async def frame(self, request: Request) -> Response:
        given = _parameters(request)
        seconds = given.number("t", -LATEST_SECONDS, LATEST_SECONDS)
        if seconds is None:
            raise ServiceError(400, "t is missing: name an instant in seconds")
        width = given.whole("width", 16, 1280) or 320
        rows = await self._rows(_video(request))

        def draw() -> bytes:
            opened = open_listed(rows)  # a look at whether it still is what was indexed
            opened.close()
            return self._pictures.at(opened.path, opened.etag, seconds, width)

        headers = {"cache-control": "private, max-age=600"}
        return Response(await self._decode(draw), media_type="image/jpeg", headers=headers)

    async def clip(self, request: Request) -> Response | _Sending:
        given = _parameters(request)
        span = _span(given.instant("start"), given.instant("end"))
        source = await self._source(request)
        if request.method == "HEAD":
            return Response(media_type="video/mp4")
        return await _while_connected(request, self._clips.cut(source, span))

    async def play(self, request: Request) -> Response:
        seconds = _parameters(request).instant("t") or 0.0
        source = await self._source(request)
        await self._decode(lambda: play(source, seconds))
        return JSONResponse({"path": str(source)}, 202)

    async def _source(self, request: Request) -> Path:
        """The file of a video that is there and is still the one that was indexed."""
        rows = await self._rows(_video(request))

        def look() -> Path:
            opened = open_listed(rows)
            opened.close()
            return opened.path

        return await self._decode(look)

    async def _rows(self, video: int) -> list[FileRow]:
        return await self._look(lambda library: listing.files_of(library, video))

    # -- indexing --------------------------------------------------------------------------------

    async def index(self, request: Request) -> Response:
        paths = await named_paths(request)
        add_to_entry(request.scope, paths=paths)
        if not caller_of(request.scope).may_index_anything:
            await self._decode(lambda: check_within(paths, self._watched))
        await self._look(lambda library: check_known(library, paths))
        self._indexing.add(paths)
        return JSONResponse(self._indexing.facts(), 202)

    async def pause(self, request: Request) -> Response:
        self._indexing.pause(True)
        return JSONResponse(self._indexing.facts())

    async def resume(self, request: Request) -> Response:
        self._indexing.pause(False)
        return JSONResponse(self._indexing.facts())

    async def events(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return self._events.listen("progress", self._indexing.facts())

    # -- the page, and what describes all of this ------------------------------------------------

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(self._document)

    async def index_page(self, request: Request) -> Response:
        return self._page.answer("index.html")

    async def icon(self, request: Request) -> Response:
        """What a browser asks for of itself, beside whatever it shows of this service."""
        return self._page.answer("icon.svg")

    async def static(self, request: Request) -> Response:
        return self._page.answer(request.path_params["name"])

    # -- worker pools ------------------------------------------------------------------------------

    async def _look(self, call: Callable[[Library], T]) -> T:
        """Ask the library, on the thread that may."""
        work = self._lookups.submit(lambda _: call(self._handle.open()))
        return await asyncio.wrap_future(work.future)

    async def _decode(self, call: Callable[[], T]) -> T:
        """Do something with a video's file."""
        work = self._media.submit(lambda _: call())
        return await asyncio.wrap_future(work.future)


_Sending = Callable[[Scope, Receive, Send], Awaitable[None]]


def _parameters(request: Request) -> Parameters:
    values: dict[str, list[str]] = {}
    for name, text in request.query_params.multi_items():
        values.setdefault(name, []).append(text)
    return Parameters(values)


def _name(request: Request) -> str:
    name = _parameters(request).text("name", LONGEST_NAME)
    if not name:
        raise ServiceError(400, "name is missing: name a saved search")
    return name


def _span(start: float | None, end: float | None) -> Span:
    """A span that may be cut out."""
    if start is None or end is None:
        raise ServiceError(400, "start or end is missing: name both, in seconds")
    if not start < end <= start + LONGEST_CLIP_SECONDS:
        raise ServiceError(
            400, f"end {end:g} must be after start {start:g}, by {LONGEST_CLIP_SECONDS} s at most"
        )
    return Span(start, end)


def _video(request: Request) -> int:
    text = request.path_params["id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ServiceError(404, f"video {text!r} must be a number: see /v1/videos")
    return int(text)


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is given up when whoever asked for it is gone."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(request))
    either: set[asyncio.Future[Any]] = {task, gone}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ServiceError(409, "whoever asked is gone")
        return await task
    finally:
        task.cancel()
        gone.cancel()


async def _result(work: Work[T]) -> T:
    """The result of work in a worker pool, which is given up where this is cancelled."""
    try:
        return await asyncio.wrap_future(work.future)
    except asyncio.CancelledError:
        work.end(ServiceError(409, "whoever asked is gone"))
        raise


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
