"""A file is known by a mebibyte of it at most, spread over all of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.indexing.digests import SAMPLE_BYTES, FileDigests, key_of, sample_blocks
from tempo_edge.indexing.problems import PassingError
from tempo_edge.indexing.walk import FoundFile, examine
from tempo_edge.store.rows import Contents

MIB = 1 << 20

sizes = st.one_of(
    st.integers(0, 4 * MIB), st.integers(0, 2**63 - 1), st.integers(MIB - 70000, MIB + 70000)
)


def digests(check_stop: Callable[[], None] = lambda: None) -> FileDigests:
    return FileDigests(check_stop)


@given(sizes)
def test_blocks_lie_within_the_file_in_its_order_and_apart(size: int) -> None:
    end = 0
    for start, length in sample_blocks(size):
        assert start >= end and length > 0
        end = start + length
    assert end == size, "the tail is among them"


@given(sizes)
def test_blocks_are_a_mebibyte_or_all_of_a_small_file(size: int) -> None:
    assert sum(length for _, length in sample_blocks(size)) == min(size, SAMPLE_BYTES)


@given(st.integers(2 * MIB, 2**63 - 1))
def test_blocks_are_spread_evenly(size: int) -> None:
    blocks = sample_blocks(size)
    gaps = [after - start - length for (start, length), (after, _) in pairwise(blocks)]
    inner = gaps[1:-1]
    assert max(inner) - min(inner) <= 4096 + 1
    assert abs(gaps[0] - inner[0] / 2) <= 8192 and abs(gaps[-1] - inner[0] / 2) <= 8192


def sparse(path: Path, size: int) -> FoundFile:
    with path.open("wb") as file:
        file.truncate(size)
    return examine(str(path))


def read_so_far() -> int:
    """Bytes that this process has read, by the kernel's account."""
    with open("/proc/self/io", encoding="ascii") as counts:  # noqa: PTH123
        return int(counts.readline().split()[1])


@pytest.mark.parametrize("size", [SAMPLE_BYTES - 1, SAMPLE_BYTES, SAMPLE_BYTES + 1, 3 << 40])
def test_no_more_is_read_than_a_mebibyte(tmp_path: Path, size: int) -> None:
    found = sparse(tmp_path / "film.mp4", size)
    before = read_so_far()
    own = read_so_far() - before  # to look is to read
    before = read_so_far()
    digests().sample(found)
    assert read_so_far() - before - own == min(size, SAMPLE_BYTES)


def test_every_byte_of_a_block_counts_and_no_other(tmp_path: Path) -> None:
    size = 5 * MIB + 12345
    path = tmp_path / "film.mp4"
    plain = digests().sample(sparse(path, size))
    places = {0, size - 1}
    for start, length in sample_blocks(size):
        places |= {start - 1, start, start + length // 2, start + length - 1, start + length}
    inside = {p for p in places for s, n in sample_blocks(size) if s <= p < s + n}
    assert len(inside) < len(places & set(range(size)))
    for place in sorted(places & set(range(size))):
        sparse(path, size)
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\1")
        assert (digests().sample(examine(str(path))) != plain) == (place in inside), place


def test_the_size_counts(tmp_path: Path) -> None:
    told = {digests().sample(sparse(tmp_path / "film.mp4", MIB + more)) for more in range(3)}
    assert len(told) == 3


def test_a_digest_says_how_it_was_made(tmp_path: Path) -> None:
    found = sparse(tmp_path / "film.mp4", 100)
    sample, whole = digests().sample(found), digests().whole(found)
    assert sample.startswith(b"sample1:") and len(sample) == 8 + 32
    assert len(whole) == 32, "as libraries of before have it"
    assert key_of(Contents(100, sample)).startswith(b"contents1:")


def test_what_is_known_makes_the_key() -> None:
    known = [
        Contents(1, b"a"),
        Contents(1, b"a", b"b"),
        Contents(1, b"a", None, b"b"),
        Contents(1, b"a", b"b", b"c"),
        Contents(1, b"a", b"bc"),
        Contents(1, b"a", b"b+c"),
    ]
    assert len({key_of(each) for each in known}) == len(known)


def test_a_whole_film_is_read_block_by_block(tmp_path: Path) -> None:
    found = sparse(tmp_path / "film.mp4", 5 * MIB)
    told: list[int] = []
    digests().whole(found, told.append)
    assert told[-1] == found.size and len(told) == 5


class EnoughError(Exception):
    """Somebody wants an end."""


@pytest.mark.parametrize("which", ["sample", "whole"])
def test_nobody_waits_for_the_end(tmp_path: Path, which: str) -> None:
    found = sparse(tmp_path / "film.mp4", 5 * MIB)
    asked: list[int] = []

    def stop() -> None:
        asked.append(1)
        if len(asked) > 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        getattr(digests(stop), which)(found)


@pytest.mark.parametrize("which", ["sample", "whole"])
@pytest.mark.parametrize("size", [5 * MIB - 1, 5 * MIB + 1, 0])
def test_a_file_that_is_not_as_it_was_found(tmp_path: Path, which: str, size: int) -> None:
    found = sparse(tmp_path / "film.mp4", 5 * MIB)
    sparse(tmp_path / "film.mp4", size)
    with pytest.raises(PassingError, match="changed while it was read"):
        getattr(digests(), which)(found)


@pytest.mark.parametrize("which", ["sample", "whole"])
def test_a_file_that_changes_under_the_reader(tmp_path: Path, which: str) -> None:
    found = sparse(tmp_path / "film.mp4", 5 * MIB)
    with pytest.raises(PassingError, match="changed while it was read"):
        getattr(digests(lambda: os.utime(found.path, (1, 1))), which)(found)


@pytest.mark.parametrize("which", ["sample", "whole"])
def test_a_disk_that_fails_in_the_middle(
    tmp_path: Path, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sparse(tmp_path / "film.mp4", 5 * MIB)
    read = os.pread

    def stumble(file: int, length: int, place: int) -> bytes:
        if place > 2 * MIB:
            raise OSError(5, "Input/output error")
        return read(file, length, place)

    monkeypatch.setattr(os, "pread", stumble)
    with pytest.raises(PassingError, match=r"^can't be read: input/output error$"):
        getattr(digests(), which)(found)


def test_a_file_that_vanished(tmp_path: Path) -> None:
    found = sparse(tmp_path / "film.mp4", 10)
    (tmp_path / "film.mp4").unlink()
    with pytest.raises(PassingError, match=r"^vanished before it was read$"):
        digests().sample(found)
