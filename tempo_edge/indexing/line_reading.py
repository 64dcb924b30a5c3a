"""Sentence vectors for lines of words that are stored already: the last thing that a run does.

It can end at any time, and goes on where it stopped: lines are read in the order of their ids, a
few hundred of them in a transaction. No file is opened for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tempo_edge.models import Profile
from tempo_edge.models.line_encoder import LineEncoder, is_readable
from tempo_edge.quantization import quantize
from tempo_edge.store.interface import WritableCatalogue

__all__ = ["read_lines"]

# Lines of one transaction: a second or two of work.
_AT_ONCE = 256


def read_lines(
    catalogue: WritableCatalogue,
    profile: Profile,
    stopping: Callable[[], bool],
    told: Callable[[str], None] = lambda path: None,
) -> int:
    """Give sentence vectors to all lines that lack one; gives how many lines were read.

    Lines whose script the model doesn't know get none, and are found by their letters alone. Where
    another model made the vectors that there are, all are made anew.

    Args:
        profile: the library's.
        stopping: asked before each few hundred lines whether to end early.
        told: told of a file whose lines come next, now and then.

    Raises:
        LibraryError: the library can't be written.
        ProfileError: the model can't be run.
    """
    encoder = LineEncoder(profile)
    if catalogue.line_model():
        catalogue.begin_line_vectors(encoder.digest)
    if not catalogue.lines_to_read(1):
        return 0
    catalogue.begin_line_vectors(encoder.digest)
    count = 0
    while not stopping() and (hits := catalogue.lines_to_read(_AT_ONCE)):
        files = catalogue.files_of(hits[0].video)
        if count:  # most runs are over by then
            told(files[0].path if files else "")
        lines = [(hit.id, hit.line.text) for hit in hits if is_readable(hit.line.text)]
        texts = sorted({text for _, text in lines})
        vectors = dict(zip(texts, quantize(encoder.encode(texts)), strict=True)) if texts else {}
        packed = np.asarray([vectors[text] for _, text in lines], dtype=np.int8)
        catalogue.put_line_vectors(hits[-1].id, [line for line, _ in lines], packed)
        count += len(hits)
    return count
