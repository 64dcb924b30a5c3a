"""What a name may stand for: nothing yet, a library, something else, another one than before."""

from __future__ import annotations

from pathlib import Path

import pytest
from films import ALL, put
from keepers import Keeper

from tempo_edge.errors import FootageError, LibraryError, NoLibraryError
from tempo_edge.store.interface import WritableCatalogue


def test_where_nothing_is_there_is_nothing_to_read(keeper: Keeper) -> None:
    store = keeper.store()
    assert store.identity() is None
    for _ in range(2):  # who looks leaves nothing behind
        with pytest.raises(NoLibraryError, match="run `tempo-edge index PATH` first") as refused:
            store.reader()
        assert keeper.name in str(refused.value)
    assert store.identity() is None
    assert list(keeper.folder.iterdir()) == []


def test_a_library_is_made_by_who_writes_it(keeper: Keeper) -> None:
    keeper.store().writer().close()
    with keeper.store().reader() as reader:
        assert reader.name == keeper.name and not reader.is_replaced
        assert (reader.files(), reader.videos(), reader.count_frames()) == ({}, [], 0)
        assert reader.totals()["videos"] == 0 and reader.get_meta("profile") is None


def test_it_stays_the_same_library_whatever_is_written(keeper: Keeper) -> None:
    keeper.store().writer().close()
    before = keeper.store().identity()
    assert before is not None
    with keeper.store().writer() as writer:
        put(writer, "a")
    assert keeper.store().identity() == before
    with keeper.store().reader() as reader:
        assert list(reader.files()) == ["/a"]


def test_what_is_no_library_is_refused_and_stays_as_it_is(keeper: Keeper) -> None:
    keeper.put_something_else()
    before = keeper.contents()
    store = keeper.store()
    for use in (store.reader, store.writer, store.lock().__enter__):
        with pytest.raises(LibraryError, match="not a library") as refused:
            use()
        assert not isinstance(refused.value, NoLibraryError)
        assert keeper.name in str(refused.value) and "\n" not in str(refused.value)
    assert keeper.contents() == before


def test_a_newer_library_is_refused_and_stays_as_it_is(keeper: Keeper) -> None:
    keeper.store().writer().close()
    keeper.make_newer()
    before = keeper.contents()
    store = keeper.store()
    for use in (store.reader, store.writer, store.lock().__enter__):
        with pytest.raises(LibraryError, match="upgrade tempo-edge") as refused:
            use()
        assert keeper.name in str(refused.value)
    assert keeper.contents() == before


def test_another_library_in_its_place_is_told(keeper: Keeper) -> None:
    with keeper.store().writer() as writer:
        put(writer, "a")
    before = keeper.store().identity()
    with keeper.store().reader() as reader:
        with reader.snapshot():
            assert list(reader.files()) == ["/a"]
        keeper.remove()
        with keeper.store().writer() as other:
            put(other, "b")
        assert keeper.store().identity() != before
        for _ in range(2):
            with pytest.raises(LibraryError, match="another library"), reader.snapshot():
                reader.files()
        assert reader.is_replaced


def test_a_library_that_is_gone_is_told(keeper: Keeper, writer: WritableCatalogue) -> None:
    put(writer, "a")
    with keeper.store().reader() as reader:
        keeper.remove()
        with pytest.raises(LibraryError, match="gone"), reader.snapshot():
            reader.files()
        assert keeper.store().identity() is None


def test_a_backup_is_of_one_instant(
    keeper: Keeper, writer: WritableCatalogue, tmp_path: Path
) -> None:
    video = put(writer, "a", frames=3, remark="a remark")
    writer.set_meta("profile", "nano-1")
    target = tmp_path / "backup"
    with writer.transaction():
        writer.drop_files(["/a"])
        writer.prune()
        backup = keeper.store().back_up(target)
    assert (backup.size, backup.fault) == (target.stat().st_size, "") and backup.size > 0
    assert target.stat().st_mode & 0o777 == 0o600
    with keeper.restored(target).reader() as copy:
        assert list(copy.files()) == ["/a"] and copy.get_meta("profile") == "nano-1"
        assert len(copy.frames_of(video, *ALL)) == 3 and copy.remark(video) == "a remark"


def test_a_backup_takes_the_place_of_no_footage(
    keeper: Keeper, writer: WritableCatalogue, tmp_path: Path
) -> None:
    film = tmp_path / "film"
    film.write_bytes(b"\0\0\0\x20ftypisom")
    with pytest.raises(FootageError):
        keeper.store().back_up(film)
    assert film.stat().st_size == 12


def test_there_is_no_backup_of_nothing(keeper: Keeper, tmp_path: Path) -> None:
    with pytest.raises(NoLibraryError):
        keeper.store().back_up(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_sizes_are_told_of_what_is_there(keeper: Keeper) -> None:
    assert (keeper.store().sizes().database, keeper.store().sizes().cache) == (0, 0)
    with keeper.store().writer() as writer:
        put(writer, "a", frames=1000)
    assert keeper.store().sizes().database >= 1000 * 8


def test_what_goes_with_a_library_has_a_place_of_its_own(keeper: Keeper) -> None:
    store = keeper.store()
    jobs, other = store.companion(".jobs"), store.companion(".other")
    assert jobs != other and store.companion(".jobs") == jobs
    jobs.parent.mkdir(parents=True, exist_ok=True)
    jobs.write_text("x")
    with store.lock(), store.writer() as writer:
        put(writer, "a")
        vectors = store.vectors(writer)
        vectors.refresh(writing=True)
    assert jobs.read_text() == "x" and not other.exists()
