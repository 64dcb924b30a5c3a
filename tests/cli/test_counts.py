"""`status` counts what `index` counts: the same files under the same words."""

from __future__ import annotations

import json
import os
import re
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said
from shelves import put_offline

from tempo_edge.cli.status import describe
from tempo_edge.library import Library
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow

Tempo = Callable[..., Said]


def summed(said: str) -> dict[str, int]:
    """What the last line of `index` says stands in the library, by the words of `status`."""
    line = said.splitlines()[-1].partition(" (")[0]
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", line)}
    indexed = sum(counts.pop(word, 0) for word in ("indexed", "reused", "unchanged"))
    counts.pop("dropped", 0)
    counts.pop("excluded", 0)
    return {"indexed": indexed, "skipped": counts.pop("skipped", 0), **counts}


def stated(tempo: Tempo) -> dict[str, int]:
    """What `status` counts, for people; checked against its JSON."""
    (line,) = [x for x in tempo("status").out.splitlines() if x.startswith("files ")]
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", line)}
    facts = json.loads(tempo("status", "--json").out)
    for word in ("indexed", "skipped", "offline", "gone"):
        assert facts[f"files_{word}"] == counts.get(word, 0)
        if word != "indexed":
            assert len(facts[word]) == facts[f"files_{word}"]
    return counts


def test_index_and_status_count_the_same(tempo: Tempo, footage: Path, library_path: Path) -> None:
    shutil.copy(footage / "beach.mp4", footage / "copy.mp4")
    (footage / "empty.mp4").write_bytes(b"")
    (footage / "bad.mp4").write_bytes(b"bad")
    (footage / "dangling.mp4").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(footage) + b"/caf\xe9.mp4")).write_bytes(b"x")
    first = summed(tempo("index", footage).err)
    assert first == {"indexed": 4, "skipped": 4} == stated(tempo)
    again = tempo("index", footage).err
    assert again.splitlines()[-1] == "0 indexed, 4 unchanged, 4 skipped"
    assert summed(again) == stated(tempo)

    (footage / "street.mkv").unlink()
    (footage / "empty.mp4").unlink()
    assert stated(tempo) == {"indexed": 3, "skipped": 3, "gone": 2}
    (footage / "stick").mkdir()
    for name in ("garden.mp4", "bad.mp4"):
        (footage / name).unlink()
        put_offline(library_path, footage / name, footage / "stick")
    assert stated(tempo) == {"indexed": 2, "skipped": 2, "offline": 2, "gone": 2}
    assert summed(tempo("index", footage).err) == stated(tempo)
    assert stated(tempo) == {"indexed": 2, "skipped": 2, "offline": 2}
    said = tempo("status").out
    for name in ("garden.mp4", "bad.mp4"):
        assert f"offline   {footage / 'stick' / name}: its volume is not there\n" in said


def test_a_link_to_a_drive_in_a_drawer_is_offline(tempo: Tempo, footage: Path) -> None:
    (footage / "beach.mp4").rename(footage.parent / "drive.mp4")
    (footage / "beach.mp4").symlink_to(footage.parent / "drive.mp4")
    tempo("index", "-q", footage)
    (footage.parent / "drive.mp4").rename(footage.parent / "drawer.mp4")
    assert stated(tempo) == {"indexed": 2, "skipped": 0, "offline": 1}
    found = tempo("find", "a beach", "--min-confidence", "0", "--json").out
    offline = {Path(m["path"]).name for m in map(json.loads, found.splitlines()) if m["offline"]}
    assert offline == {"beach.mp4"}


def test_a_folder_that_can_not_be_looked_into_ends_nothing(
    tempo: Tempo, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tempo("index", "-q", footage)
    lstat, stat = os.lstat, os.stat

    def refuse(path: object, **choices: object) -> os.stat_result:
        if str(path).endswith("beach.mp4"):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, **choices)  # type: ignore[arg-type]

    # Root may look anywhere, so the kernel can't be made to refuse.
    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(os, "lstat", lambda path, **c: refuse(path) and lstat(path, **c))
    assert stated(tempo) == {"indexed": 3, "skipped": 0}


def test_the_memory_of_status_does_not_grow_with_files_that_are_well(tmp_path: Path) -> None:
    def peak(files: int) -> int:
        folder, place = tmp_path / f"{files}", tmp_path / f"{files}.db"
        folder.mkdir()
        with open_store(place).writer() as catalogue, catalogue.transaction():
            for number in range(files):
                path = folder / f"clip {number}.mp4"
                path.touch()
                catalogue.put_file(FileRow(str(path), "", 0, 0, "indexed"))
        with Library.open(place) as library:
            describe(library, None)
            tracemalloc.start()
            try:
                facts = describe(library, None)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
                assert facts["files_indexed"] == files

    assert (peak(4000) - peak(200)) / 3800 < 20, "bytes a file"
