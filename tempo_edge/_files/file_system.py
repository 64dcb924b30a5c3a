"""Facts of the file system that a folder is on, as far as a system tells them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["device_number", "is_readonly", "longest_name", "number_of", "spelled"]

if sys.platform == "win32":

    def is_readonly(folder: Path) -> bool:
        """False: it is found out by writing."""
        return False

    def number_of(folder: str) -> int:
        """The serial number of the volume that holds a folder, which goes where the disk goes.

        Raises:
            OSError: it can't be told.
        """
        return os.stat(folder).st_dev  # noqa: PTH116

    def longest_name(folder: Path) -> int:
        """The longest name in UTF-8 that every volume of Windows takes: 255 letters have as many.

        Raises:
            OSError: never.
        """
        return 255

    def device_number(path: str) -> int:
        """Devices have no numbers here.

        Raises:
            OSError: always.
        """
        raise OSError(f"{path} has no number")

    def spelled(device: int) -> str:
        """The number of a volume."""
        return str(device)

else:

    def is_readonly(folder: Path) -> bool:
        """Whether nothing can be written there.

        Raises:
            OSError: it can't be told.
        """
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)

    def number_of(folder: str) -> int:
        """What the file system says of itself: a number, 0 where it has none.

        Raises:
            OSError: it can't be told.
        """
        return os.statvfs(folder).f_fsid

    def longest_name(folder: Path) -> int:
        """The longest name in bytes.

        Raises:
            OSError, ValueError: it can't be told.
        """
        return os.pathconf(folder, "PC_NAME_MAX")

    def device_number(path: str) -> int:
        """The number of a device by its name.

        Raises:
            OSError: it is not there.
        """
        return os.stat(path).st_rdev  # noqa: PTH116

    def spelled(device: int) -> str:
        """The number of a device as Linux writes it: ``8:1``."""
        return f"{os.major(device)}:{os.minor(device)}"
