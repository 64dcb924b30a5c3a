"""How tests share the processor: a worker a core, and in each worker one thread to a product.

A matrix product on two threads beside another worker's is no quicker and takes up to twice the
processor: a thread that is done with its half spins until the other one is. What reads it does so
when it is loaded, so this module is imported before anything that multiplies.
"""

from __future__ import annotations

import os

__all__ = ["workers"]

# Workers that gain something: each makes the session's fixtures for itself.
_MOST_WORKERS = 4

os.environ.setdefault("OMP_NUM_THREADS", "1")


def workers() -> int:
    """How many of them a run of whole folders has."""
    return min(os.cpu_count() or 1, _MOST_WORKERS)
