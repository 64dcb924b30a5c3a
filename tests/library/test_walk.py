"""Which files a walk finds, and what it says of those that can't be footage."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tempo_edge.indexing import walk
from tempo_edge.indexing.exclusion import Exclusion
from tempo_edge.indexing.selection import Selection
from tempo_edge.indexing.walk import FoundFile
from tempo_edge.volumes import mounts
from tempo_edge.volumes.mounts import is_mounted, volume_of


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def find_footage(root: Path, *patterns: str) -> list[FoundFile]:
    selection = Selection(str(root), Exclusion(patterns))
    return list(walk.find_footage(root, selection))


def names(root: Path, *patterns: str) -> list[str]:
    return [os.path.relpath(found.path, root) for found in find_footage(root, *patterns)]


def problems(root: Path) -> dict[str, str]:
    return {
        os.path.relpath(found.path, root): found.problem
        for found in find_footage(root)
        if found.problem
    }


def test_videos_of_a_folder_come_before_those_of_the_folders_in_it(tmp_path: Path) -> None:
    for name in ("b/2.MP4", "b/1.mov", "z.mkv", "a/deep/3.webm", "a/0.ts", "notes.txt", "b/x.jpg"):
        touch(tmp_path / name)
    assert names(tmp_path) == ["z.mkv", "a/0.ts", "a/deep/3.webm", "b/1.mov", "b/2.MP4"]


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    path = touch(tmp_path / "a.mp4", b"12345")
    os.utime(path, ns=(1, 123_456_789_123_456_789))
    (found,) = find_footage(tmp_path)
    assert (found.size, found.mtime_ns) == (5, 123_456_789_123_456_789)


def test_a_file_given_by_name_may_have_any_suffix(tmp_path: Path) -> None:
    path = touch(tmp_path / "film")
    assert [found.path for found in find_footage(path)] == [str(path)]


def test_what_is_not_there_gives_nothing(tmp_path: Path) -> None:
    assert find_footage(tmp_path / "gone") == []


def test_a_folder_that_two_links_lead_to_is_walked_once_under_its_own_name(tmp_path: Path) -> None:
    touch(tmp_path / "z" / "a.mp4")
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "b").symlink_to("z")
    assert names(tmp_path) == ["z/a.mp4"]


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "a.mp4")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "root") == ["link/a.mp4"]


def test_a_root_that_is_a_link_keeps_its_name(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "a.mp4")
    (tmp_path / "root").symlink_to("real")
    assert [found.path for found in find_footage(tmp_path / "root")] == [
        str(tmp_path / "root" / "a.mp4")
    ]


def test_a_loop_of_folders_ends_and_is_reported(tmp_path: Path) -> None:
    touch(tmp_path / "one" / "a.mp4")
    (tmp_path / "one" / "back").symlink_to(tmp_path)
    assert names(tmp_path) == ["one/a.mp4", "one/back"]
    assert problems(tmp_path) == {"one/back": "is a link back to a folder that it lies in"}


def test_two_links_into_one_another_end(tmp_path: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        touch(tmp_path / name / f"{name}.mp4")
        (tmp_path / name / "across").symlink_to(tmp_path / other)
    assert names(tmp_path / "one") == ["one.mp4", "across/two.mp4", "across/across"]


def test_folders_nested_deeper_than_python_calls(tmp_path: Path) -> None:
    # As deep as the kernel allows a path to be, give or take.
    root = tmp_path / "root"
    root.mkdir()
    depth = min(1900, (os.pathconf("/", "PC_PATH_MAX") - len(str(root)) - 20) // 2)
    assert depth > sys.getrecursionlimit()
    here = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("a.mp4", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    try:
        assert [found.path[-6:] for found in find_footage(root)] == ["/a.mp4"]
    finally:
        subprocess.run(["rm", "-r", str(root)], check=True)  # shutil.rmtree calls itself as well


def test_files_that_can_be_no_footage_are_told_without_opening_them(tmp_path: Path) -> None:
    touch(tmp_path / "empty.mp4", b"")
    touch(tmp_path / "._junk.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "dangling.mp4").symlink_to("nowhere")
    (tmp_path / "circle.mp4").symlink_to("circle.mp4")
    touch(tmp_path / "folder.mp4" / "inside.mp4")
    assert problems(tmp_path) == {
        "._junk.mp4": "is a macOS resource fork, not a video",
        "circle.mp4": "can't be read: too many levels of symbolic links",
        "dangling.mp4": "can't be read: no such file or directory",
        "empty.mp4": "is empty (0 bytes)",
        "pipe.mp4": "is not a regular file",
    }
    assert "folder.mp4/inside.mp4" in names(tmp_path)


def test_names_that_are_not_utf8_are_spelled_out(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path)
    (tmp_path / "plain").mkdir()
    for name in (b"/caf\xe9.mp4", b"/plain/\xff"):
        if name.endswith(b".mp4"):
            Path(os.fsdecode(raw + name)).write_bytes(b"x")
        else:
            Path(os.fsdecode(raw + name)).mkdir()
            Path(os.fsdecode(raw + name + b"/a.mp4")).write_bytes(b"x")
    reason = "its name is not valid UTF-8: rename it to index it"
    assert problems(tmp_path) == {"caf\\xe9.mp4": reason, "plain/\\xff/a.mp4": reason}


def test_a_folder_that_can_not_be_listed_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "secret" / "a.mp4")
    touch(tmp_path / "open" / "b.mp4")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    # Root may list everything, so the kernel can't be made to refuse.
    monkeypatch.setattr(os, "scandir", refuse)
    found = {os.path.relpath(f.path, tmp_path): f for f in find_footage(tmp_path)}
    assert found["secret"].problem == "can't be listed: permission denied"
    assert found["secret"].folder and found["secret"].passing
    assert "open/b.mp4" in found


def test_a_volume_is_mounted_as_long_as_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "stick"
    (stick / "trip").mkdir(parents=True)
    mounted = {str(stick), "/"}
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) in mounted)
    volume = volume_of(str(stick / "trip"))
    identity, _, mount_point = volume.partition(":")
    assert identity and mount_point == str(stick)
    assert is_mounted(volume)
    assert not is_mounted(f"0{identity}:{stick}"), "another disk in the same place"
    assert not is_mounted(f"{identity}:{stick}/trip"), "a folder of it"
    assert not is_mounted(f"{identity}:{tmp_path}/gone")
    mounted.remove(str(stick))
    assert not is_mounted(volume)
    assert volume_of(str(stick / "trip")).endswith(":/")


def test_the_root_is_always_mounted() -> None:
    assert is_mounted("whatever:/")


def test_a_volume_is_known_by_the_uuid_of_its_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount_point = volume_of(str(tmp_path)).partition(":")[2]
    device = Path(mount_point).stat().st_dev
    monkeypatch.setattr(mounts, "_BY_UUID", str(tmp_path))
    (tmp_path / "dangling").symlink_to("nowhere")
    try:
        os.mknod(tmp_path / "ABCD-1234", 0o60600, device)
    except PermissionError:
        pytest.skip("only root may make a device node")
    assert volume_of(str(tmp_path)) == f"ABCD-1234:{mount_point}"
