"""Searches by example through the service: by an indexed moment, and by the bytes of a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from door import Reply
from inside import Receive, ask, get, stays
from starlette.types import ASGIApp

from tempo_edge.example import LARGEST_SENT
from tempo_edge.media import jpeg
from tempo_edge.media.stills import stills_within
from tempo_edge.service.handle import Models
from tempo_edge.service.http.app import App
from tempo_edge.service.http.events import Events
from tempo_edge.service.http.search_queue import SearchQueue
from tempo_edge.service.jobs.index_supervisor import Indexing
from tempo_edge.service.transport.guard import Guard


@pytest.fixture(scope="module")
def door(built: Path) -> Iterator[ASGIApp]:
    """The guarded door of a service over the three films, which nothing is written to."""
    models, events = Models(), Events()
    searches = SearchQueue(built, models)
    app = App(
        built, searches, models, Indexing(built, [], None, lambda name, facts: None), events, None
    )
    yield Guard(app.asgi)
    app.close()
    searches.close()


def find(door: ASGIApp, **asked: str) -> Reply:
    return get(door, "/v1/find", urlencode(asked))


def post(door: ASGIApp, body: bytes, **asked: str) -> Reply:
    """A picture sent in pieces."""
    size = 64 << 10
    pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]

    async def send() -> Reply:
        async def receive() -> dict[str, Any]:
            if not pieces:
                return await stays()
            part = pieces.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(pieces)}

        reading: Receive = receive
        return await ask(door, "/v1/find", urlencode(asked), receive=reading, method="POST")

    return asyncio.run(send())


def test_a_moment_that_was_found_asks_for_more(door: ASGIApp, originals: Path) -> None:
    like = f"{originals / 'street.mkv'}@0.2-0.8"
    found = find(door, like=like, min_confidence="0").json
    assert (found["query"], found["like"], found["left_out"]) == ("", like, True)
    assert found["grounder"] == "curve" and found["moments"]
    listed = {each["path"]: each["id"] for each in get(door, "/v1/videos").json}
    assert found["like_video"] == listed[str(originals / "street.mkv")]
    for moment in found["moments"]:
        same = moment["path"] == str(originals / "street.mkv")
        assert not (same and moment["start_seconds"] < 0.8)
    one = found["moments"][0]
    again = find(door, like=f"{one['video']}@{one['start_seconds']}-{one['end_seconds']}")
    assert again.status == 200


def test_a_picture_is_asked_for_by_its_bytes(door: ASGIApp, originals: Path) -> None:
    (frame,) = stills_within(originals / "garden.mp4", 1.0, None, 96)
    found = post(door, jpeg.encode(np.ascontiguousarray(frame)), min_confidence="0", limit="1").json
    assert found["moments"][0]["path"] == str(originals / "garden.mp4")
    assert (found["like"], found["left_out"]) == ("the picture", False)
    assert found["like_video"] is None


def test_no_file_is_read_by_its_name(door: ASGIApp, tmp_path: Path, originals: Path) -> None:
    (tmp_path / "a.mp4").write_bytes((originals / "garden.mp4").read_bytes())
    refused = find(door, like=f"{tmp_path / 'a.mp4'}@0:01")
    assert (refused.status, "the library holds no such video" in refused.error) == (400, True)
    gone = find(door, like=f"{tmp_path / 'b.mp4'}@0:01")
    assert gone.error.replace("b.mp4", "a.mp4") == refused.error, "nor does it tell what is there"
    assert find(door, like="/etc/passwd").status == 400


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        (b"", 400, "the body must be a picture's file"),
        (b"#EXTM3U\n/etc/passwd", 400, "is no picture: it must be JPEG"),
        (b"\xff\xd8\xff" + bytes(LARGEST_SENT), 413, f"at most {LARGEST_SENT} bytes"),
    ],
)
def test_what_is_no_picture(door: ASGIApp, body: bytes, status: int, complaint: str) -> None:
    refused = post(door, body)
    assert refused.status == status and complaint in refused.error


def test_a_claim_of_more_is_refused_before_it_is_read(door: ASGIApp) -> None:
    told = get(door, "/v1/find", "q=a", content_length=str(LARGEST_SENT + 1))
    assert told.status == 413
    assert get(door, "/v1/status", content_length=str(LARGEST_SENT)).status == 413
