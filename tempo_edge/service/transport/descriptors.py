"""File descriptors: how many the process may have, and how many of them connections may take."""

from __future__ import annotations

import errno

from tempo_edge._system.limits import raise_descriptors

__all__ = ["SHORTAGES", "connections_per_socket", "raise_limit"]

#: What `accept` and `open` fail with where descriptors or memory are short, which passes.
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

# As many as are of use here. Where the hard limit is a billion, programs that the service starts
# and that look at every descriptor take minutes over it.
_ENOUGH = 1 << 16

# Connections to one socket at once.
_CONNECTIONS = 256

# For the database, the vectors, the models, pictures and the indexer.
_RESERVED = 128

# A connection's own, and that of the file which it is sent.
_PER_CONNECTION = 2


def raise_limit() -> int:
    """Raise the soft limit on descriptors to the hard one, as far as is of use; gives the limit."""
    return raise_descriptors(_ENOUGH)


def connections_per_socket(limit: int, sockets: int) -> int:
    """How many connections each of some sockets may have, so that none takes another's share.

    Args:
        limit: descriptors that the process may have.
        sockets: how many sockets it listens on.
    """
    left = limit - min(_RESERVED, limit // 2)
    return max(1, min(_CONNECTIONS, left // (_PER_CONNECTION * sockets)))
