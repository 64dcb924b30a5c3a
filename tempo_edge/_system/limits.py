"""Limits of a process: of descriptors, and of memory for data.

Windows has none that a process could give itself, and macOS keeps none of memory.
"""

from __future__ import annotations

import sys

__all__ = ["limit_data", "raise_descriptors"]

if sys.platform == "win32":
    # What one process may have of descriptors: the most of Windows' own C library.
    _DESCRIPTORS = 8192

    def raise_descriptors(enough: int) -> int:
        """How many descriptors there may be: a number that doesn't change here."""
        return min(enough, _DESCRIPTORS)

    def limit_data(most_bytes: int) -> None:
        """Nothing: there is no such limit here."""

else:
    import resource

    def raise_descriptors(enough: int) -> int:
        """Raise the soft limit on descriptors to the hard one, as far as is of use.

        Args:
            enough: more are of no use.

        Returns:
            How many there may be.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            except (OSError, ValueError):
                return soft
            return wanted
        return wanted if soft == resource.RLIM_INFINITY else soft

    if sys.platform == "darwin":

        def limit_data(most_bytes: int) -> None:
            """Nothing: there is a limit of that name, which the system does not keep."""

    else:

        def limit_data(most_bytes: int) -> None:
            """Take no more memory for data than this, or than is allowed anyway.

            Raises:
                OSError, ValueError: the system refuses.
            """
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
