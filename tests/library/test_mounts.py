"""Mounts as the kernel lists them, and volumes found among them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tempo_edge.volumes.marker import MARKER, Marker, read_marker, write_marker
from tempo_edge.volumes.mounts import Mount, mounts_in

TABLE = r"""
22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
40 22 0:50 / /mnt/the\040films rw,relatime shared:9 - nfs4 server:/films rw,vers=4.2
41 22 259:2 /srv/raw /media/raw ro,relatime - ext4 /dev/nvme0n1p2 rw
42 22 0:60 / /net rw,relatime - autofs /etc/auto.net rw,fd=6
43 22 8:17 / /media/stick rw - vfat /dev/sdb1 rw
44 22 8:33 / /media/stick rw - exfat /dev/sdc1 rw
nonsense
"""


def test_mounts_are_those_that_may_hold_footage() -> None:
    assert mounts_in(TABLE) == [
        Mount("/", "/", "ext4"),
        Mount("/media/raw", "/srv/raw", "ext4"),
        Mount("/media/stick", "/", "exfat"),
        Mount("/mnt/the films", "/", "nfs4"),
    ]
    assert mounts_in("") == []


@pytest.mark.parametrize(
    ("mount", "outside", "inside"),
    [
        (Mount("/", "/", "ext4"), "/srv/raw/a", "/srv/raw/a"),
        (Mount("/media/raw", "/srv/raw", "ext4"), "/media/raw/a", "/srv/raw/a"),
        (Mount("/media/raw", "/srv/raw", "ext4"), "/media/raw", "/srv/raw"),
        (Mount("/mnt/n", "/", "nfs4"), "/mnt/n/a", "/a"),
        (Mount("/mnt/n", "/", "nfs4"), "/mnt/n", "/"),
    ],
)
def test_a_path_is_known_to_its_file_system(mount: Mount, outside: str, inside: str) -> None:
    assert mount.inside(outside) == inside and mount.outside(inside) == outside


def test_what_a_mount_does_not_have_is_nowhere() -> None:
    assert Mount("/media/raw", "/srv/raw", "ext4").outside("/srv/rawer/a") is None


def test_a_marker_is_written_once_and_read_again(tmp_path: Path) -> None:
    marker = Marker("0123456789abcdef" * 2, "Film 1 – ü")
    write_marker(str(tmp_path), marker)
    assert read_marker(str(tmp_path)) == marker
    with pytest.raises(FileExistsError):
        write_marker(str(tmp_path), Marker("f" * 32, "other"))
    assert read_marker(str(tmp_path)) == marker
    assert [each.name for each in tmp_path.iterdir()] == [MARKER]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"volume": 7}',
        '{"volume": "x"}',
        "[" * 5000,
        '{"volume": "' + "a" * 9999,
    ],
)
def test_what_is_no_marker_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER).write_text(text)
    assert read_marker(str(tmp_path)) is None


def test_a_marker_is_a_file_and_no_link(tmp_path: Path) -> None:
    write_marker(str(tmp_path), Marker("f" * 32, "there"))
    link, folder, pipe = (tmp_path / name / MARKER for name in ("link", "folder", "pipe"))
    for each in (link, folder, pipe):
        each.parent.mkdir()
    link.symlink_to(tmp_path / MARKER)
    folder.mkdir()
    os.mkfifo(pipe)
    assert [read_marker(str(each.parent)) for each in (link, folder, pipe)] == [None] * 3
