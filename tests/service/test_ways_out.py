"""A video's ways out of the service: a clip to save, and the person's own player."""

from __future__ import annotations

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import av
from door import Service, is_alive, running
from harness import wait_until
from shown import NAMES, Footage


def ids(service: Service) -> dict[str, int]:
    """Ids of the videos, by name."""
    return {video["name"]: video["id"] for video in service.get("/v1/videos").json}


def test_clips(named: Footage, tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    with running(named.library, {**environment, "TMPDIR": str(folder)}) as service:
        videos = ids(service)
        for name in NAMES:
            reply = service.get(f"/v1/videos/{videos[name]}/clip", start=1, end=2.5)
            assert (reply.status, reply.headers["content-type"]) == (200, "video/mp4")
            kind, _, coded = reply.headers["content-disposition"].partition("; filename*=UTF-8''")
            assert kind == "attachment"
            assert unquote(coded) == f"{name.rpartition('.')[0]}.1.00-2.50.mp4"
            with av.open(io.BytesIO(reply.body)) as container:
                assert len(list(container.decode(video=0))) == 15
            assert list(folder.iterdir()) == [], "nothing is left of it"


def test_what_can_not_be_cut(service: Service) -> None:
    address = f"/v1/videos/{ids(service)['plain.mp4']}/clip"
    for wrong in ({}, {"start": 1}, {"end": 1}, {"start": 2, "end": 1}, {"start": 0, "end": 601}):
        reply = service.get(address, **wrong)
        assert reply.status == 400 and reply.error
    reply = service.get(address, start=100, end=101)
    assert reply.status == 404 and "holds no picture" in reply.error
    assert service.get("/v1/videos/999/clip", start=0, end=1).status == 404
    assert service.ask("HEAD", f"{address}?start=0&end=1").body == b""


def test_a_clip_of_a_file_that_was_replaced(own: Footage, environment: dict[str, str]) -> None:
    with running(own.library, environment) as service:
        video = ids(service)["plain.mp4"]
        film = own.folder / "plain.mp4"
        film.write_bytes(bytes(film.stat().st_size))
        assert service.get(f"/v1/videos/{video}/clip", start=0, end=1).status == 403
        assert service.post(f"/v1/videos/{video}/play").status == 403


def test_one_clip_at_a_time(service: Service) -> None:
    address = f"/v1/videos/{ids(service)['plain.mp4']}/clip"
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda n: service.get(address, start=0, end=1 + n / 9), range(12)))
    statuses = [reply.status for reply in replies]
    assert set(statuses) == {200, 429} and statuses.count(200) >= 5
    assert service.get(address, start=0, end=1).status == 200


def test_a_clip_that_nobody_waits_for(
    own: Footage, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Its process ends with the request."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    with running(own.library, {**environment, "TMPDIR": str(folder)}) as service:
        video = ids(service)["plain.mp4"]
        connection = service.connection()
        connection.request("GET", f"/v1/videos/{video}/clip?start=0&end=3")
        wait_until(lambda: service.children() != [])
        (cutting,) = service.children()
        os.kill(cutting, signal.SIGSTOP)  # as if it took long
        connection.close()
        wait_until(lambda: not is_alive(cutting))
        wait_until(lambda: list(folder.iterdir()) == [])


def player(folder: Path, script: str) -> dict[str, str]:
    """An environment with an mpv that notes what it is asked for."""
    program = folder / "mpv"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "DISPLAY": ":99"}


def test_playing(named: Footage, environment: dict[str, str], tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    script = f'printf "%s\\n" "$@" > {noted}.part; mv {noted}.part {noted}; exec sleep 1'
    with running(named.library, {**environment, **player(tmp_path, script)}) as service:
        assert service.get("/v1/status").json["player"] is True
        for name in ("-rf.mp4", "line\nend.mp4"):
            reply = service.post(f"/v1/videos/{ids(service)[name]}/play?t=1.25")
            assert (reply.status, reply.json) == (202, {"path": str(named.folder / name)})
            wait_until(noted.exists)
            said = noted.read_text()
            assert said == f"--really-quiet\n--start=1.250\n--\n{named.folder / name}\n"
            noted.unlink()
        assert service.post("/v1/videos/999/play").status == 404
        assert service.get(f"/v1/videos/{ids(service)['plain.mp4']}/play").status == 405


def test_a_player_that_ends_at_once(
    named: Footage, environment: dict[str, str], tmp_path: Path
) -> None:
    with running(named.library, {**environment, **player(tmp_path, "exit 2")}) as service:
        reply = service.post(f"/v1/videos/{ids(service)['plain.mp4']}/play")
        assert reply.status == 501 and "status 2" in reply.error


def test_nothing_to_play_with(service: Service) -> None:
    assert service.get("/v1/status").json["player"] is False
    reply = service.post(f"/v1/videos/{ids(service)['plain.mp4']}/play")
    assert reply.status == 501 and "no screen" in reply.error
