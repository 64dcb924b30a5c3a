"""What files lie on, told by a made-up ``/sys``: partitions, mapped, joined and looped disks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tempo_edge.indexing.medium import Media, Medium, Mount, mounts

SPINNING, FLASH = Medium("spinning", ("sda",)), Medium("flash", ("nvme0n1",))


class Kernel:
    """A ``/sys`` with disks in it, and what is mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.numbers: dict[str, int] = {}

    def block(self, name: str, number: str, parent: str = "", **files: str) -> Path:
        """A block device: its folder, and links to it by its name and its number."""
        place = self.folder / "devices" / parent / name
        place.mkdir(parents=True)
        for file, text in files.items():
            path = place / file.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{text}\n", encoding="utf-8")
        for link in (f"class/block/{name}", f"dev/block/{number}"):
            at = self.folder / link
            at.parent.mkdir(parents=True, exist_ok=True)
            at.symlink_to(place)
        return place

    def above(self, place: Path, *names: str) -> None:
        """Say which disks lie below a device."""
        for name in names:
            (place / "slaves").mkdir(exist_ok=True)
            (place / "slaves" / name).symlink_to(self.folder / "class/block" / name)

    def mount(self, number: str, point: str, file_system: str, source: str) -> None:
        self.lines.append(
            f"36 25 {number} / {point} rw,noatime shared:1 - {file_system} {source} rw"
        )

    def stat(self, path: str, number: str) -> None:
        major, minor = map(int, number.split(":"))
        self.numbers[path] = os.makedev(major, minor)

    def media(self) -> Media:
        return Media(self.folder, "\n".join(self.lines), self._device_of)

    def _device_of(self, path: str) -> int:
        if path not in self.numbers:
            raise FileNotFoundError(path)
        return self.numbers[path]


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """A machine with a disk that spins, in two parts, and one of flash."""
    made = Kernel(tmp_path / "sys")
    made.block("sda", "8:0", queue__rotational="1")
    made.block("sda1", "8:1", "sda", partition="1")
    made.block("sda2", "8:2", "sda", partition="2")
    made.block("sdb", "8:16", queue__rotational="1")
    made.block("nvme0n1", "259:0", queue__rotational="0")
    made.block("nvme0n1p1", "259:1", "nvme0n1", partition="1")
    return made


FILM = "/films/a film.mp4"


def test_a_partition_is_of_its_disk(kernel: Kernel) -> None:
    for number, medium in {"8:0": SPINNING, "8:2": SPINNING, "259:1": FLASH}.items():
        kernel.stat(FILM, number)
        assert kernel.media().of(FILM) == medium
    assert (SPINNING.at_once, FLASH.at_once) == (1, None)


@pytest.mark.parametrize(
    ("below", "medium"),
    [
        (["sda1"], SPINNING),
        (["nvme0n1p1"], FLASH),
        (["sda1", "nvme0n1p1"], SPINNING),  # a cache before a disk, or half of a RAID
        (["sda2", "sdb"], Medium("spinning", ("sda", "sdb"))),
    ],
)
def test_what_is_mapped_or_joined_is_the_disks_below(
    kernel: Kernel, below: list[str], medium: Medium
) -> None:
    """LVM on a RAID on partitions, say; by its own number, and by the name that is mounted."""
    kernel.above(kernel.block("md0", "9:0", queue__rotational="1"), *below)
    mapped = kernel.block("dm-3", "253:3", queue__rotational="0", dm__name="group-films")
    kernel.above(mapped, "md0")
    kernel.mount("253:3", "/films", "ext4", "/dev/mapper/group-films")
    kernel.stat(FILM, "253:3")
    media = kernel.media()
    assert media.of(FILM) == media.of_mount(media.mounts[0]) == medium


def test_a_loop_is_the_disk_that_its_file_is_on(kernel: Kernel) -> None:
    kernel.block("loop0", "7:0", queue__rotational="0", loop__backing_file="/images/disk.img")
    kernel.stat(FILM, "7:0")
    assert kernel.media().of(FILM) == Medium("unknown"), "its file can't be looked at"
    kernel.stat("/images/disk.img", "8:1")
    assert kernel.media().of(FILM) == SPINNING


def test_a_circle_has_an_end(kernel: Kernel) -> None:
    kernel.block("loop0", "7:0", loop__backing_file="/images/disk.img")
    for path in (FILM, "/images/disk.img"):
        kernel.stat(path, "7:0")
    assert kernel.media().of(FILM) == Medium("unknown")


def test_btrfs_is_all_of_its_disks(kernel: Kernel) -> None:
    """Its files have a number that is no disk's, another one for each subvolume."""
    for name in ("nvme0n1p1", "sda2"):
        (kernel.folder / "fs/btrfs/6f0c/devices" / name).mkdir(parents=True)
    kernel.mount("0:40", "/", "btrfs", "/dev/nvme0n1p1")
    kernel.mount("0:50", "/other", "tmpfs", "tmpfs")
    for number in ("0:40", "0:47"):
        kernel.stat(FILM, number)
        assert kernel.media().of(FILM) == SPINNING


@pytest.mark.parametrize(
    ("file_system", "source", "kind"),
    [
        ("nfs4", "nas:/films", "network"),
        ("cifs", "//nas/films", "network"),
        ("fuse.sshfs", "host:", "network"),
        ("fuseblk", "/dev/sda1", "spinning"),
        ("tmpfs", "tmpfs", "memory"),
        ("zfs", "pool/films", "unknown"),
        ("overlay", "overlay", "unknown"),
        ("ext4", "/dev/gone", "unknown"),
    ],
)
def test_what_is_no_disk_is_told_by_its_file_system(
    kernel: Kernel, file_system: str, source: str, kind: str
) -> None:
    kernel.mount("0:40", "/", "ext4", "/dev/sda1")
    kernel.mount("0:60", r"/my\040films", file_system, source)
    kernel.stat("/my films/film.mp4", "0:60")
    medium = kernel.media().of("/my films/film.mp4")
    assert (medium.kind, medium.at_once) == (kind, 1 if kind == "spinning" else None)


@pytest.mark.parametrize(
    ("name", "files"),
    [("vda", {}), ("xvdb", {}), ("sdz", {"device__vendor": "QEMU"}), ("nbd1", {})],
)
def test_a_disk_of_a_virtual_machine_says_nothing_by_saying_that_it_spins(
    kernel: Kernel, name: str, files: Mapping[str, str]
) -> None:
    kernel.block(name, "254:0", queue__rotational="1", **files)
    kernel.stat(FILM, "254:0")
    medium = kernel.media().of(FILM)
    assert medium == Medium("unknown", (name,)) and medium.at_once is None


def test_a_machine_that_tells_nothing_reads_several(tmp_path: Path) -> None:
    media = Media(tmp_path / "nothing", "", lambda path: 1)
    assert media.of(FILM).at_once is None


def test_lines_that_are_no_mounts_are_passed_by() -> None:
    told = (
        "\n36 25 8:1 / / rw - ext4 /dev/sda1 rw\n36 25 8:1 / /x rw\n- ext4\n1 2 - ext4 /dev/sda\n"
    )
    assert mounts(told) == [Mount("8:1", "/", "ext4", "/dev/sda1")]


def test_this_machine_is_looked_at(tmp_path: Path) -> None:
    assert Media().of(str(tmp_path)).kind in ("spinning", "flash", "network", "memory", "unknown")
    assert Media().of(str(tmp_path / "gone")) == Medium("unknown")
