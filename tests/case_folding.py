"""A folder that doesn't tell cases apart and keeps them, as those of macOS and Windows.

Where the kernel has such a file system it is ext4 in a file; else a folder is served with FUSE, by
this module as a program: ``python case_folding.py FOLDER MOUNT_POINT``.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["folding_folder"]

_STARTING_SECONDS = 60.0


@contextmanager
def folding_folder(scratch: Path) -> Iterator[Path]:
    """A mounted folder for as long as it is needed.

    Raises:
        LookupError: there can't be one; the text says why.
    """
    point = scratch / "folding"
    point.mkdir()
    reasons = []
    for mount in (_mount_image, _serve):
        try:
            end = mount(scratch, point)
        except LookupError as error:
            reasons.append(str(error))
            continue
        try:
            yield point / "in"
        finally:
            end()
        return
    raise LookupError("; ".join(reasons))


def _mount_image(scratch: Path, point: Path) -> Callable[[], None]:
    image = scratch / "folding.ext4"
    for command in (
        ["truncate", "-s", "64M", image],
        ["mkfs.ext4", "-q", "-O", "casefold", image],
        ["mount", "-o", "loop", image, point],
    ):
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            raise LookupError(f"no ext4 that folds cases can be had: {command[0]}") from None

    def end() -> None:
        subprocess.run(["umount", "-l", point], check=True)

    inside = point / "in"
    inside.mkdir()
    try:
        subprocess.run(["chattr", "+F", inside], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        end()
        raise LookupError("chattr +F fails") from None
    return end


def _serve(scratch: Path, point: Path) -> Callable[[], None]:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or shutil.which("fusermount3") is None:
        raise LookupError("there is no FUSE")
    served = scratch / "served"
    (served / "in").mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, __file__, str(served), str(point)], stderr=subprocess.PIPE, text=True
    )

    def end() -> None:
        subprocess.run(["fusermount3", "-u", "-z", point], check=False, capture_output=True)
        process.terminate()
        process.communicate()

    ends = time.monotonic() + _STARTING_SECONDS
    while not (point / "in").is_dir():
        if process.poll() is not None or time.monotonic() > ends:
            process.kill()
            raise LookupError(f"FUSE can't be used: {process.communicate()[1].strip()[-200:]}")
        time.sleep(0.02)
    return end


def _main(folder: str, point: str) -> None:
    import mfusepy

    class Folding(mfusepy.Operations):
        """What lies in a folder, by its names in any case of letters."""

        use_ns = True

        def _real(self, path: str) -> Path:
            real = Path(folder)
            for part in filter(None, path.split("/")):
                there = real / part
                if not os.path.lexists(there):
                    with suppress(OSError):
                        for other in real.iterdir():
                            if other.name.casefold() == part.casefold():
                                there = other
                real = there
            return real

        def _new(self, path: str) -> Path:
            """Where something comes to lie under a name, the folder of it being there."""
            above, _, name = path.rpartition("/")
            return self._real(above) / name

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            try:
                facts = self._real(path).lstat()
            except OSError as error:
                raise mfusepy.FuseOSError(error.errno) from error
            told = {
                name: getattr(facts, name)
                for name in ("st_mode", "st_size", "st_uid", "st_gid", "st_nlink", "st_ino")
            }
            return {**told, "st_mtime": facts.st_mtime_ns, "st_ctime": facts.st_ctime_ns}

        def readdir(self, path: str, fh: int) -> list[Any]:
            # One whose number is 0 is passed over by whoever reads the folder.
            with os.scandir(self._real(path)) as scan:
                return [
                    (each.name, {"st_ino": each.inode(), "st_mode": each.stat().st_mode}, 0)
                    for each in scan
                ]

        def open(self, path: str, flags: int) -> int:
            return os.open(self._real(path), flags)

        def create(self, path: str, mode: int, fi: Any = None) -> int:
            return os.open(self._real(path), os.O_RDWR | os.O_CREAT, mode)

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            return os.pread(fh, size, offset)

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            return os.pwrite(fh, data, offset)

        def truncate(self, path: str, length: int, fh: int | None = None) -> None:
            os.truncate(self._real(path), length)

        def release(self, path: str, fh: int) -> None:
            os.close(fh)

        def rename(self, old: str, new: str) -> None:
            one, there = self._real(old), self._real(new)
            # Another case of the same name is its name from then on; another file's stays.
            one.replace(self._new(new) if one == there else there)

        def unlink(self, path: str) -> None:
            self._real(path).unlink()

        def mkdir(self, path: str, mode: int) -> None:
            if os.path.lexists(self._real(path)):
                raise mfusepy.FuseOSError(errno.EEXIST)
            self._new(path).mkdir(mode)

        def rmdir(self, path: str) -> None:
            self._real(path).rmdir()

        def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
            os.utime(self._real(path), ns=times)

        def chmod(self, path: str, mode: int) -> None:
            self._real(path).chmod(mode)

        def chown(self, path: str, uid: int, gid: int) -> None:
            os.chown(self._real(path), uid, gid, follow_symlinks=False)

        def symlink(self, target: str, source: str) -> None:
            self._new(target).symlink_to(source)

        def readlink(self, path: str) -> str:
            return str(self._real(path).readlink())

        def link(self, target: str, source: str) -> None:
            self._new(target).hardlink_to(self._real(source))

        def mknod(self, path: str, mode: int, dev: int) -> None:
            os.mknod(self._new(path), mode, dev)

        def fsync(self, path: str, datasync: int, fh: int) -> None:
            os.fsync(fh)

        def statfs(self, path: str) -> dict[str, int]:
            facts = os.statvfs(folder)
            return {name: getattr(facts, name) for name in dir(facts) if name.startswith("f_")}

    mfusepy.FUSE(
        Folding(),
        point,
        foreground=True,
        nothreads=True,
        use_ino=True,
        attr_timeout=0,
        entry_timeout=0,
        negative_timeout=0,
    )


if __name__ == "__main__":
    _main(*sys.argv[1:])
