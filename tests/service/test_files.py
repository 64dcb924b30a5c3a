"""A listed file is served whole or in part, and nothing else ever is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from door import Service, running
from harness import wait_until
from inside import get
from shown import Footage

from tempo_edge.errors import ServiceError
from tempo_edge.service.http.files import OpenFile, chosen_range, open_listed
from tempo_edge.store.rows import FileRow

SECRET = b"not for anyone's eyes"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-99999", (90, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)),
        ("BYTES=5-6", (5, 7)),
        ("bytes= 5-6 ", (5, 7)),
        # Malformed, of another unit, or several: the whole is sent.
        ("bytes=6-5", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=0-1,4-5", None),
        ("bytes=0x0-0x5", None),
        ("bytes=+1-5", None),
        ("bytes=1-2-3", None),
        ("bytes=--5", None),
        ("items=0-5", None),
        ("bytes 0-5", None),
        ("bytes=١-٢", None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("0-5", None),
    ],
)
def test_ranges(header: str | None, chosen: tuple[int, int] | None) -> None:
    assert chosen_range(header, 100) == chosen


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999-"])
def test_ranges_beyond_the_end(header: str) -> None:
    with pytest.raises(ServiceError, match="outside the file's 100 bytes") as refused:
        chosen_range(header, 100)
    assert refused.value.status == 416


@pytest.fixture
def film(service: Service, named: Footage) -> tuple[str, bytes]:
    """The address of a file, and its bytes."""
    (video,) = (v for v in service.get("/v1/videos").json if v["name"] == "plain.mp4")
    return f"/v1/videos/{video['id']}/file", (named.folder / "plain.mp4").read_bytes()


def test_parts(service: Service, film: tuple[str, bytes]) -> None:
    address, whole = film
    size = len(whole)
    for header, start, end in (
        ("bytes=0-0", 0, 1),
        (f"bytes=10-{size + 5}", 10, size),
        ("bytes=-7", size - 7, size),
    ):
        reply = service.get(address, headers={"Range": header})
        assert (reply.status, reply.body) == (206, whole[start:end])
        assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert reply.headers["content-length"] == str(end - start)
    reply = service.get(address, headers={"Range": "bytes=0-1,4-5"})
    assert (reply.status, reply.body) == (200, whole)
    reply = service.get(address, headers={"Range": f"bytes={size}-"})
    assert reply.status == 416 and reply.error
    assert reply.headers["content-range"] == f"bytes */{size}"


def test_what_was_seen_before(service: Service, film: tuple[str, bytes]) -> None:
    address, whole = film
    tag = service.get(address).headers["etag"]
    part = {"Range": "bytes=0-3"}
    assert service.get(address, headers={**part, "If-Range": tag}).status == 206
    for other in ('"other"', f"W/{tag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        reply = service.get(address, headers={**part, "If-Range": other})
        assert (reply.status, reply.body) == (200, whole)
    for known in (tag, f"W/{tag}", f'"a", {tag}', "*"):
        reply = service.get(address, headers={"If-None-Match": known})
        assert (reply.status, reply.body) == (304, b"")
    assert service.get(address, headers={"If-None-Match": '"other"'}).status == 200


def test_heads(service: Service, film: tuple[str, bytes]) -> None:
    address, whole = film
    head = service.ask("HEAD", address)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole))
    assert head.headers["accept-ranges"] == "bytes"
    part = service.ask("HEAD", address, headers={"Range": "bytes=0-4"})
    assert (part.status, part.headers["content-length"]) == (206, "5")


def test_many_at_once_leave_nothing_open(service: Service, film: tuple[str, bytes]) -> None:
    address, _ = film
    folder = Path(f"/proc/{service.process.pid}/fd")

    def films() -> list[Path]:
        found = []
        for entry in folder.iterdir():
            with suppress(FileNotFoundError):
                found.append(entry.readlink())
        return [path for path in found if path.name == "plain.mp4"]

    for headers in ({}, {"Range": "bytes=0-3"}, {"Range": "bytes=99999999-"}) * 10:
        service.get(address, headers=headers)
        # Someone who goes away in the middle.
        connection = service.connection()
        connection.request("GET", address, headers=headers)
        connection.close()
    wait_until(lambda: films() == [])


# -- what tells one state of a file from another -------------------------------------------------


def listed(path: Path) -> FileRow:
    """The row of a file as it is now."""
    facts = path.stat()
    return FileRow(str(path), "", facts.st_size, facts.st_mtime_ns, "indexed", "", 1)


def written(path: Path, contents: bytes, seconds: int) -> FileRow:
    """The row of a file that was last changed at some second."""
    path.write_bytes(contents)
    os.utime(path, (seconds, seconds))
    return listed(path)


def sent(opened: OpenFile, **headers: str) -> tuple[int, bytes]:
    """Status and body for a request with these headers."""
    try:
        opened.choose({name.replace("_", "-"): text for name, text in headers.items()})
    except BaseException:
        opened.close()
        raise
    reply = get(opened, "/")
    return reply.status, reply.body


def test_a_file_is_opened_only_as_it_was_indexed(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    row = written(path, b"as it was", 1000)
    open_listed([row]).close()
    for other, seconds in ((b"as it is!", 1001), (b"as it is now", 1000)):
        written(path, other, seconds)
        with pytest.raises(ServiceError, match="not the file that was indexed") as refused:
            open_listed([row])
        assert refused.value.status == 403


def test_of_copies_the_first_that_is_as_it_was_is_opened(tmp_path: Path) -> None:
    gone, changed, kept = (tmp_path / name for name in ("gone.mp4", "changed.mp4", "kept.mp4"))
    rows = [written(path, b"the same", 1000) for path in (gone, changed, kept)]
    gone.unlink()
    written(changed, b"no more!", 1001)
    with pytest.raises(ServiceError):
        open_listed(rows[:2])
    opened = open_listed(rows)
    assert (opened.path, sent(opened)) == (kept, (200, b"the same"))


@pytest.mark.parametrize(("contents", "seconds"), [(b"as it is!", 1001), (b"as it is now", 1000)])
def test_another_state_of_a_file_has_another_tag(
    tmp_path: Path, contents: bytes, seconds: int
) -> None:
    """Or a browser would be told that it has it already, or mix the parts of two."""
    path = tmp_path / "a.mp4"
    opened = open_listed([written(path, b"as it was", 1000)])
    tag = opened.etag
    assert sent(opened, if_none_match=tag) == (304, b"")
    row = written(path, contents, seconds)
    assert sent(open_listed([row]), if_none_match=tag) == (200, contents)
    assert sent(open_listed([row]), range="bytes=0-1", if_range=tag) == (200, contents)


# -- swapped after indexing ----------------------------------------------------------------------


@pytest.fixture
def swapped(own: Footage, environment: dict[str, str]) -> Iterator[tuple[Service, str, Path]]:
    """A service, the address of a video, and the path that something else is put at."""
    with running(own.library, environment) as service:
        (video,) = (v for v in service.get("/v1/videos").json if v["name"] == "plain.mp4")
        address = f"/v1/videos/{video['id']}"
        assert service.get(f"{address}/file").status == 200
        yield service, address, own.folder / "plain.mp4"


def refused(service: Service, address: str) -> int:
    """The status for a file and a picture of it; neither must hold a byte of what lies there."""
    replies = [service.get(f"{address}/file"), service.get(f"{address}/frame?t=1")]
    for reply in replies:
        assert SECRET not in reply.body and reply.error
    (status,) = {reply.status for reply in replies}
    return status


def test_a_link_to_a_secret(swapped: tuple[Service, str, Path], tmp_path: Path) -> None:
    service, address, path = swapped
    secret = tmp_path / "secret"
    # As like the video as can be: in size and time of change.
    secret.write_bytes(SECRET.ljust(path.stat().st_size))
    shutil.copystat(path, secret)
    path.unlink()
    path.symlink_to(secret)
    assert refused(service, address) == 403


def test_a_link_in_place_of_its_folder(swapped: tuple[Service, str, Path], tmp_path: Path) -> None:
    service, address, path = swapped
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / path.name).write_bytes(SECRET.ljust(path.stat().st_size))
    path.parent.rename(tmp_path / "moved")
    path.parent.symlink_to(elsewhere)
    assert refused(service, address) == 403


def test_other_contents(swapped: tuple[Service, str, Path]) -> None:
    """As long as what was there, or shorter."""
    service, address, path = swapped
    for other in (SECRET.ljust(path.stat().st_size), SECRET):
        path.write_bytes(other)
        assert refused(service, address) == 403


def test_no_file_at_all(swapped: tuple[Service, str, Path]) -> None:
    service, address, path = swapped
    path.unlink()
    assert refused(service, address) == 404
    path.mkdir()
    assert refused(service, address) == 403
    path.rmdir()
    os.mkfifo(path)
    assert refused(service, address) == 403, "and it waits for nobody to write into it"


def test_its_folder_is_a_file(swapped: tuple[Service, str, Path], tmp_path: Path) -> None:
    service, address, path = swapped
    path.parent.rename(tmp_path / "moved")
    path.parent.write_bytes(SECRET)
    assert refused(service, address) == 404
