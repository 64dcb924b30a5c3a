"""The files of a vector cache: one saver at a time, and nothing that is not whole is taken."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up import Films

from tempo_edge.store.embedded import vector_files as module
from tempo_edge.store.embedded.vector_files import CacheOrigin, VectorFiles
from tempo_edge.store.embedded.vectors import FaissVectors, load_faiss

SAMPLE = np.zeros((3, 4), np.float32)


def origin(count: int) -> CacheOrigin:
    return CacheOrigin("library", count, count, "contents", count)


def index(count: int) -> Any:
    made = load_faiss().IndexFlatIP(4)
    made.add(np.ones((count, 4), np.float32))
    return made


def saved(folder: Path) -> tuple[CacheOrigin, int] | None:
    """(what the cache in a folder was built from, vectors in its index)."""
    found = VectorFiles(folder, load_faiss()).read(lambda of: True)
    return None if found is None else (found[0], found[1].ntotal)


@pytest.mark.parametrize("at", ["index", "sample"])
def test_of_two_that_save_at_once_one_does(
    tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one leaves all to it; what it has built it still has."""
    faiss = load_faiss()
    write_index, save = faiss.write_index, np.save
    second = VectorFiles(tmp_path, faiss)

    def meanwhile() -> None:
        before = sorted(tmp_path.iterdir())
        second.write(origin(7), index(7), SAMPLE)
        assert sorted(tmp_path.iterdir()) == before

    def slow_index(what: Any, path: str) -> None:
        write_index(what, path)
        meanwhile()

    def slow_save(*arguments: Any) -> None:
        save(*arguments)
        meanwhile()

    slow = faiss
    if at == "index":
        slow = SimpleNamespace(write_index=slow_index)
    else:
        # Once only: the second saver must not come to where it saves a sample.
        monkeypatch.setattr(module.np, "save", slow_save)
    VectorFiles(tmp_path, slow).write(origin(5), index(5), SAMPLE)
    monkeypatch.undo()
    assert saved(tmp_path) == (origin(5), 5)
    second.write(origin(7), index(7), SAMPLE)
    assert saved(tmp_path) == (origin(7), 7), "the lock goes with who held it"


@pytest.mark.parametrize("suffix", [".faiss", ".npy"])
def test_a_file_that_is_torn_at_its_end_is_not_taken(
    films: Films, builds: list[int], suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a file may be as long and as old as it should be, and end in zeros."""
    monkeypatch.setattr(module, "_CHECKED_BYTES", 1000)
    vectors = films.add("a", 400)
    films.cache()
    torn = films.saved().with_suffix(suffix)
    facts = torn.stat()
    assert facts.st_size > 3000
    with torn.open("r+b") as file:
        file.seek(facts.st_size - 500)
        file.write(bytes(500))
    os.utime(torn, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    builds.clear()
    cache = films.cache()
    assert builds == [1]
    assert cache.search(vectors[399], 1).ids.tolist() == [400]
    assert len(cache.sample()) == 400


def test_files_are_on_the_disk_before_the_one_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, done = tmp_path / "vectors", list[str]()
    sync = os.fsync

    def synced(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_file():
            sizes = [each.stat().st_size for each in folder.glob("*.faiss")]
            done.append(f"{path.name.split('.')[-3]} {bool(sizes)}")
            assert path.stat().st_size > 0, "there is something to be brought there"
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    VectorFiles(folder, load_faiss()).write(origin(5), index(5), SAMPLE)
    assert done == ["faiss False", "npy True", "json True"]
    about = json.loads((folder / "current.json").read_text())
    assert about["count"] == 5 and len(about["files"]) == 2


def test_a_cache_that_another_is_just_saving_is_used_all_the_same(films: Films) -> None:
    """A search that built it for itself has it, though it lies nowhere."""
    vectors = films.add("a", 300)
    films.folder.mkdir()
    with module._alone(films.folder) as alone:
        assert alone
        cache = FaissVectors(films.folder, films.catalogue)
        cache.refresh(must_save=True)
        assert cache.search(vectors[7], 1).ids.tolist() == [8]
        assert [path.name for path in films.folder.iterdir()] == ["lock"]


def test_what_others_put_beside_a_cache_stays(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"a film")
    (tmp_path / "films").mkdir()
    files = VectorFiles(tmp_path, load_faiss())
    for count in (2, 3):
        files.write(origin(count), index(count), SAMPLE)
    assert saved(tmp_path) == (origin(3), 3)
    assert (tmp_path / "film.mp4").read_bytes() == b"a film" and (tmp_path / "films").is_dir()
    assert len([*tmp_path.glob("vectors-*")]) == 2, "the cache before is gone"
