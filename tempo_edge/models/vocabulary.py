"""A vocabulary that loads as much as a sentence needs.

A tokenizer of a quarter of a million pieces takes a second to read, nearly all of it spent on
tables of pieces and merges that one query never touches. What byte pair encoding makes of a text
depends on the pieces that the text holds, and on the merges of these: they are looked up in an
indexed file, and the ``tokenizers`` library encodes with them as with the whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tempo_edge.errors import ProfileError
from tempo_edge.models.tokenizer import plain_tokenizer

__all__ = ["LARGE_BYTES", "Vocabulary", "write_vocabulary"]

#: A tokenizer's file from which on this is worth its while: it takes a tenth of a second to read.
LARGE_BYTES = 4 << 20

_SCHEMA = (
    "CREATE TABLE frame (json TEXT NOT NULL)",
    "CREATE TABLE merges (piece INTEGER NOT NULL, rank INTEGER NOT NULL, cut INTEGER NOT NULL, "
    "PRIMARY KEY (piece, rank)) WITHOUT ROWID",
    "CREATE TABLE pieces (piece TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID",
)

# Settings of the model by which its pieces would not be stretches of the text.
_SETTINGS = ("end_of_word_suffix", "continuing_subword_prefix", "ignore_merges", "dropout")

# Texts that are encoded either way before a vocabulary is believed.
_SAMPLES = (
    "a dog jumps over a fence",
    "",
    "  two   spaces, a line\nand a tab\t.",
    "Ein Hund springt über den Zaun",
    "一只狗跳过栅栏 犬がフェンスを飛び越える",
    "собака прыгает через забор 🐕‍🦺 <eos> <unused7> ▁▁ \x07",
)

# Values that one statement of SQLite may have.
_AT_ONCE = 500

# Characters of the longest text that is looked up; of a longer one towers read the beginning only.
_LONGEST_TEXT = 4000

# Steps before the model that hand it nothing but stretches of the text, letter for letter alike.
_NORMALIZERS, _PRE_TOKENIZERS = (None, "Replace", "Lowercase"), (None, "Split")


class Vocabulary:
    """The pieces of a tokenizer in a file that :func:`write_vocabulary` wrote.

    Raises:
        ProfileError: the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            self._file = sqlite3.connect(uri, uri=True, check_same_thread=False)
            schema = [row[0] for row in self._file.execute("SELECT sql FROM sqlite_schema")]
            # Only tables of these very words: a view could be anything.
            if sorted(filter(None, schema)) != sorted(_SCHEMA):
                raise ProfileError(f"{path} is no vocabulary")
            ((frame,),) = self._file.execute("SELECT json FROM frame")
            self._frame: dict[str, Any] = json.loads(frame)
            self._always: dict[str, int] = self._frame["model"]["vocab"]
            self._longest = int(self._frame.pop("longest"))
            self._normalizer = plain_tokenizer(json.dumps(self._frame), path).normalizer
        except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProfileError(f"{path} can't be read as a vocabulary: {error}") from error

    def tokenizer(self, text: str) -> Any:
        """A tokenizer that reads this text as the whole one does."""
        text = text[:_LONGEST_TEXT]
        plain = text if self._normalizer is None else self._normalizer.normalize_str(text)
        length = self._longest
        held = {
            plain[first:last]
            for first in range(len(plain))
            for last in range(first + 1, min(first + length, len(plain)) + 1)
        }
        try:
            found = dict(self._rows("SELECT piece, id FROM pieces WHERE piece IN", held))
            names = {number: piece for piece, number in found.items()}
            rows = sorted(
                (rank, names[number], cut)
                for number, rank, cut in self._rows(
                    "SELECT piece, rank, cut FROM merges WHERE piece IN", names
                )
            )
            merges = [[piece[:cut], piece[cut:]] for _, piece, cut in rows]
        except (sqlite3.Error, TypeError) as error:
            raise ProfileError(f"{self._path} can't be read as a vocabulary: {error}") from error
        model = {**self._frame["model"], "vocab": {**self._always, **found}, "merges": merges}
        return plain_tokenizer(json.dumps({**self._frame, "model": model}), self._path)

    def _rows(self, select: str, values: Iterable[object]) -> Iterator[tuple[Any, ...]]:
        waiting = list(values)
        for first in range(0, len(waiting), _AT_ONCE):
            part = waiting[first : first + _AT_ONCE]
            yield from self._file.execute(f"{select} ({','.join('?' * len(part))})", part)


def write_vocabulary(tokenizer: Path, path: Path) -> bool:
    """Write the pieces of a tokenizer's file into ``path``, if they can be looked up one by one.

    Gives whether they can: a tokenizer of another kind, or one that read samples otherwise than
    the whole, is left as it is, and nothing is written.
    """
    frame = json.loads(tokenizer.read_text(encoding="utf-8"))
    model = frame["model"]
    if model.get("type") != "BPE" or any(model.get(name) for name in _SETTINGS):
        return False
    if _kind(frame, "normalizer") not in _NORMALIZERS:
        return False
    if _kind(frame, "pre_tokenizer") not in _PRE_TOKENIZERS:
        return False
    vocab: dict[str, int] = model["vocab"]
    added = [each["content"] for each in frame.get("added_tokens", ())]
    always = [*added, model.get("unk_token"), *(f"<0x{byte:02X}>" for byte in range(256))]
    model["vocab"] = {piece: vocab[piece] for piece in always if piece in vocab}
    pairs = [each.split(" ") if isinstance(each, str) else each for each in model["merges"]]
    needed = {*added, *(left + right for left, right in pairs)}
    if not model["vocab"] or not needed <= vocab.keys():
        return False
    model["merges"] = []
    frame["longest"] = max(map(len, vocab))
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode = OFF")
        file.execute("BEGIN")
        for table in _SCHEMA:
            file.execute(table)
        file.execute("INSERT INTO frame VALUES (?)", (json.dumps(frame),))
        file.executemany("INSERT INTO pieces VALUES (?, ?)", vocab.items())
        file.executemany(
            "INSERT INTO merges VALUES (?, ?, ?)",
            ((vocab[left + right], rank, len(left)) for rank, (left, right) in enumerate(pairs)),
        )
        file.execute("COMMIT")
    whole = plain_tokenizer(tokenizer.read_text(encoding="utf-8"), tokenizer)
    part = Vocabulary(path)
    if all(_ids(whole, text) == _ids(part.tokenizer(text), text) for text in _SAMPLES):
        return True
    path.unlink()
    return False


def _kind(frame: dict[str, Any], step: str) -> str | None:
    """The kind of a step that a tokenizer's file describes."""
    described = frame.get(step)
    return None if described is None else described["type"]


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids
