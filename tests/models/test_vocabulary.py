"""A vocabulary looked up piece by piece reads as the whole tokenizer does, or is not written."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest
from encoders import clip_tokenizer, siglip2_tokenizer
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from tempo_edge import ProfileError
from tempo_edge.models.tokenizer import plain_tokenizer
from tempo_edge.models.vocabulary import Vocabulary, write_vocabulary

LETTERS = "abde ▁\n狗é"


def grown(seed: int) -> Tokenizer:
    """A tokenizer of bytes and letters, and of four hundred merges drawn at random."""
    draw = random.Random(seed)
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *"abde▁狗"]
    ids = {piece: place for place, piece in enumerate(pieces)}
    merges = []
    for _ in range(2000):
        left, right = draw.choices(list(ids)[257:], k=2)
        if len(left + right) < 9 and (left, right) not in merges and len(merges) < 400:
            ids.setdefault(left + right, len(ids))
            merges.append((left, right))
    tokenizer = Tokenizer(
        models.BPE(vocab=ids, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.enable_truncation(3)
    return tokenizer


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, Vocabulary]:
    folder = tmp_path_factory.mktemp("vocabulary")
    path = folder / "tokenizer.json"
    grown(1).save(str(path))
    assert write_vocabulary(path, folder / "vocabulary.db")
    return plain_tokenizer(path.read_text(), path), Vocabulary(folder / "vocabulary.db")


@given(text=st.text(LETTERS, max_size=60) | st.text(max_size=20))
def test_every_text_is_read_as_by_the_whole(both: tuple[Tokenizer, Vocabulary], text: str) -> None:
    whole, pieces = both
    assert pieces.tokenizer(text).encode(text).ids == whole.encode(text).ids


def test_merges_have_their_ranks(both: tuple[Tokenizer, Vocabulary]) -> None:
    """What is loaded of it is little, and joins letters to pieces."""
    whole, pieces = both
    part = pieces.tokenizer("a bead")
    assert part.get_vocab_size() < whole.get_vocab_size()
    assert len(part.encode("a bead").ids) < len("a bead")


@pytest.mark.parametrize("kind", ["clip", "words", "unigram", "lacking"])
def test_a_tokenizer_of_another_kind_is_left_alone(tmp_path: Path, kind: str) -> None:
    if kind == "clip":
        tokenizer = clip_tokenizer()
    elif kind == "unigram":
        tokenizer = Tokenizer(models.Unigram([("a", -1.0), ("b", -2.0)]))
    else:
        tokenizer = siglip2_tokenizer()
    if kind == "words":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    facts = json.loads(tokenizer.to_str())
    if kind == "lacking":
        facts["added_tokens"].append({**facts["added_tokens"][0], "content": "<none>", "id": 999})
    (tmp_path / "tokenizer.json").write_text(json.dumps(facts))
    assert not write_vocabulary(tmp_path / "tokenizer.json", tmp_path / "vocabulary.db")
    assert not (tmp_path / "vocabulary.db").exists()


@pytest.mark.parametrize("contents", [b"", b"SQLite format 3\0" + bytes(90), b"{}" * 100])
def test_a_file_that_is_no_vocabulary_is_named(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "vocabulary.db"
    path.write_bytes(contents)
    with pytest.raises(ProfileError, match=r"vocabulary\.db (is no|can't be read as a) vocabulary"):
        Vocabulary(path)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE frame",
        "CREATE TABLE more (a)",
        "DROP TABLE pieces; CREATE VIEW pieces AS WITH RECURSIVE n(piece, id) AS "
        "(SELECT 'a', 1 UNION ALL SELECT piece, id + 1 FROM n) SELECT * FROM n",
        "UPDATE frame SET json = '[]'",
        'UPDATE frame SET json = \'{"model": {"vocab": {}}}\'',
        "UPDATE frame SET json = X'00'",
        "DELETE FROM frame",
    ],
)
def test_a_vocabulary_that_was_made_up_is_refused(tmp_path: Path, change: str) -> None:
    siglip2_tokenizer().save(str(tmp_path / "tokenizer.json"))
    path = tmp_path / "vocabulary.db"
    assert write_vocabulary(tmp_path / "tokenizer.json", path)
    with sqlite3.connect(path) as file:
        file.executescript(change)
    file.close()
    with pytest.raises(ProfileError, match=r"vocabulary\.db (is no|can't be read as a) "):
        Vocabulary(path)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE merges SET cut = -1",
        "UPDATE merges SET cut = 99",
        "UPDATE merges SET rank = 'a' || rank WHERE rank > 2",
        "UPDATE pieces SET id = 'x' || id",
        "UPDATE pieces SET id = -5 WHERE piece = 'd'",
        "DELETE FROM pieces WHERE piece = 'og'",
    ],
)
def test_rows_that_were_made_up_end_in_one_line_at_most(tmp_path: Path, change: str) -> None:
    siglip2_tokenizer().save(str(tmp_path / "tokenizer.json"))
    path = tmp_path / "vocabulary.db"
    assert write_vocabulary(tmp_path / "tokenizer.json", path)
    with sqlite3.connect(path) as file:
        file.execute(change)
    file.close()
    try:
        Vocabulary(path).tokenizer("dog jumps").encode("dog jumps")
    except ProfileError as error:
        assert "vocabulary.db" in str(error) and "\n" not in str(error)
