"""A file object for FFmpeg gives the bytes of its file, and reads no more of them than it must."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.media._blocks import BlockFile
from tempo_edge.media._payload import HollowFile, Payload, WalkedPayload

CONTENT = random.Random(3).randbytes(700_000)
AT = st.integers(0, len(CONTENT) + 9)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blocks") / "a.bin"
    path.write_bytes(CONTENT)
    return path


def read(file: BlockFile, size: int) -> bytes:
    """As many bytes as FFmpeg gets that asks again for what lacks."""
    found = b""
    while len(found) < size and (more := file.read(size - len(found))):
        found += more
    return found


@given(
    steps=st.lists(st.tuples(AT, st.integers(1, 90_000)), max_size=12), expected=st.tuples(AT, AT)
)
def test_what_is_read_is_what_lies_there(
    path: Path, steps: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    with_close = BlockFile(path)
    with_close.expect(*expected)
    for at, size in steps:
        assert with_close.seek(at) == at
        assert read(with_close, size) == CONTENT[at : at + size]
        assert with_close.tell() == min(at + size, max(at, len(CONTENT)))
    with_close.close()


def test_it_is_sought_as_files_are(path: Path) -> None:
    file = BlockFile(path)
    assert file.seek(-10, os.SEEK_END) == len(CONTENT) - 10
    assert file.seek(4, os.SEEK_CUR) == len(CONTENT) - 6
    assert (read(file, 99), file.read(1)) == (CONTENT[-6:], b"")
    with pytest.raises(OSError, match="before its beginning"):
        file.seek(-1)
    file.close()
    file.close()


def test_a_stretch_that_is_expected_is_read_once_and_nothing_behind_it(path: Path) -> None:
    file = BlockFile(path)
    file.expect(100_000, 500_000)
    file.seek(100_000)
    assert read(file, 400_000) == CONTENT[100_000:500_000]
    assert file.bytes_read == 400_000
    file.close()


def test_elsewhere_a_page_is_read_first(path: Path) -> None:
    file = BlockFile(path)
    for at in (10, 200_000, 400_000):
        file.seek(at)
        assert len(file.read(32_768)) <= 4096 + 1024
    assert file.bytes_read <= 3 * 5120
    file.seek(0)
    read(file, len(CONTENT))
    assert file.bytes_read <= 3 * 5120 + len(CONTENT), "in a row each byte is read once"
    file.close()


BOUNDS = st.lists(st.integers(0, len(CONTENT) + 9), unique=True, max_size=12).map(
    lambda numbers: sorted(numbers)[: len(numbers) // 2 * 2]
)


@given(bounds=BOUNDS, at=AT, size=st.integers(1, 300_000))
def test_payload_is_zeros_and_is_not_read(
    path: Path, bounds: list[int], at: int, size: int
) -> None:
    hollow = bytearray(CONTENT)
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        hollow[start:end] = bytes(len(hollow[start:end]))
    file = HollowFile(path, Payload(bounds[::2], bounds[1::2]))
    file.seek(at)
    assert read(file, size) == hollow[at : at + size]
    file.close()


def test_no_byte_is_read_of_a_file_that_is_payload_throughout(path: Path) -> None:
    file = HollowFile(path, Payload([0], [len(CONTENT)]))
    assert read(file, len(CONTENT) + 1) == bytes(len(CONTENT))
    assert file.bytes_read == 0
    file.close()


@pytest.mark.parametrize(("starts", "ends"), [([5], [4]), ([0, 3], [4, 9]), ([9, 0], [12, 4])])
def test_payload_that_overlaps_or_falls_is_refused(starts: list[int], ends: list[int]) -> None:
    with pytest.raises(ValueError, match="must rise"):
        Payload(starts, ends)


def test_payload_that_is_walked_is_found_as_far_as_somebody_asks() -> None:
    walked: list[int] = []

    def walk() -> Iterator[tuple[int, int]]:
        for start in range(100, 5000, 1000):
            walked.append(start)
            yield start, start + 500

    payload = WalkedPayload(walk())
    assert payload.after(0) == (100, 600) and walked == [100]
    assert payload.after(599) == (100, 600) and payload.after(600) == (1100, 1600)
    assert payload.after(1 << 22) is None and walked == [100, 1100], "an index at the end, say"
    assert payload.after(150) == (100, 600), "and back again"
    assert payload.after(3000) == (3100, 3600)
    assert payload.after(4600) is None and len(walked) == 5


@pytest.mark.parametrize("second", [(500, 900), (700, 650), (50, 60)])
def test_a_walk_that_turns_back_is_refused(second: tuple[int, int]) -> None:
    payload = WalkedPayload(iter([(100, 600), second]))
    with pytest.raises(ValueError, match="must rise"):
        payload.after(600)
