"""Adds the vectors of the generic sentences to a profile, so that its first search has them.

``python -m tempo_edge.evaluation.sentences --profile NAME`` writes ``sentences.npy``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from tempo_edge._console.text import note
from tempo_edge._files import atomic_write
from tempo_edge.errors import TempoEdgeError
from tempo_edge.models import Profile
from tempo_edge.models.profile_manifest import record_file
from tempo_edge.models.registry import load_profile
from tempo_edge.models.stored_vectors import encode_sentences

__all__ = ["add_sentences", "main"]

_FILE = "sentences.npy"


def add_sentences(profile: Profile) -> None:
    """Encode the generic sentences by a profile's text tower, and enter the file in its manifest.

    Raises:
        ProfileError: the text tower can't be run.
        OSError: the file can't be written.
    """
    packed = encode_sentences(profile.text_tower.encode)
    with atomic_write(profile.folder / _FILE) as draft, draft.open("wb") as file:
        np.save(file, packed)
    record_file(profile.folder, _FILE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--profile", default="nano")
    options = parser.parse_args(arguments)
    try:
        add_sentences(load_profile(options.profile))
    except (TempoEdgeError, OSError) as error:
        note(f"error: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
