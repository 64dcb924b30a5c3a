"""Captions of Flickr30k's train split: text without pictures, five sentences for each of 29,000.

Flickr8k's pictures are among Flickr30k's, so the list holds captions of pictures that measure the
result. Every picture with even one caption of Flickr8k dev or test is left out with all of its
sentences.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

from tempo_edge.train.data.archives import DataError

FILE = "text/flickr30k_train_captions.txt.gz"
_PER_PICTURE = 5


def plain(sentence: str) -> str:
    """Letters and digits alone, lower case: what two copies of a caption share."""
    return re.sub(r"[^a-z0-9]", "", sentence.lower())


def read_captions(data: Path, held_out: Iterable[str]) -> list[tuple[str, ...]]:
    """Five captions for each picture that shares none with the sentences `held_out`.

    The list's line `i` belongs to picture `i` modulo a fifth of its length. Raises DataError if
    the file is missing, unreadable or of another shape.
    """
    path = data / FILE
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not readable gzip text: {error}") from error
    if not lines or len(lines) % _PER_PICTURE:
        raise DataError(f"{path} has {len(lines)} lines, expected a multiple of {_PER_PICTURE}")
    pictures = len(lines) // _PER_PICTURE
    known = {plain(sentence) for sentence in held_out}
    groups = [tuple(lines[picture::pictures]) for picture in range(pictures)]
    return [group for group in groups if not any(plain(each) in known for each in group)]
