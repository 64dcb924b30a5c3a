"""A library on a server whose files are on volumes: every row by this machine's paths, in order."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import VIDEO
from postgres_server import server

from tempo_edge.capture.facts import Capture
from tempo_edge.errors import LibraryError
from tempo_edge.library_copy import copy_library
from tempo_edge.store.interface import Store, WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.passes import PassState
from tempo_edge.store.postgres.placed import PlacedCatalogue
from tempo_edge.store.rows import FileRow
from tempo_edge.volume_names import VolumeNames
from tempo_edge.volumes.mappings import Mapped, mappings_path, write_mapping
from tempo_edge.volumes.mounts import volume_of
from tempo_edge.volumes.volume import Volume
from tempo_edge.words.line import Line

CURVE = np.zeros((0, 2), np.float32)
LINE = Line(0.0, 1.0, "subtitle", "hello", "en", 1.0, "beside")


@pytest.fixture
def name() -> str:
    """What a library on a server is opened by, of which there is nothing yet."""
    return server().name(server().new_database())


@pytest.fixture
def store(name: str) -> Store:
    return open_store(name)


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """A folder with three files, one of them above the others in the order of letters."""
    folder = tmp_path / "mnt" / "nas"
    for name in ("b.mp4", "trip/a.mp4", "trip 2/c.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def put(writer: WritableCatalogue, path: str, *, length: float = 10.0) -> int:
    """Index a file, with everything that a library can know of one."""
    with writer.transaction():
        video = writer.put_video(path.encode(), replace(VIDEO, duration_seconds=length), [], CURVE)
        mount = volume_of(str(Path(path).parent))
        writer.put_file(FileRow(path, mount, 1, 1, "indexed", "", video))
        writer.note_words(path, f"words {path}", f"remark on {path}")
        writer.put_lines(video, ["subtitle"], [LINE], path)
        writer.note_capture(path, f"capture {path}", Capture())
        writer.note_verified(path, 7)
        writer.note_pass("speech", video, PassState("mark", remark=f"pass on {path}"))
    return video


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    """Paths on either side of the volume, in the order of letters, on no volume."""
    made = [str(tmp_path / "mnt" / name) for name in ("mine.mp4", "nas.mp4", "nasty.mp4")]
    for path in made:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(b"x")
    return made


@pytest.fixture
def writer(store: Store, nas: Path, own: list[str]) -> Iterator[WritableCatalogue]:
    """A library of all six, half of them on a volume by now."""
    with store.writer() as catalogue:
        for number, path in enumerate([*own, *_inside(nas)]):
            put(catalogue, path, length=float(number % 4))
    VolumeNames(store).add(nas, "films")
    with store.writer() as catalogue:
        yield catalogue


def _inside(root: Path | str) -> list[str]:
    return [f"{root}/{name}" for name in ("b.mp4", "trip 2/c.mp4", "trip/a.mp4")]


def test_every_method_that_takes_or_gives_paths_is_translated() -> None:
    kinds = {"path", "paths", "under", "folder", "row"}
    giving = {"files_of", "file", "listing", "each_file"}
    for name, method in inspect.getmembers(WritableCatalogue, inspect.isfunction):
        if kinds & set(inspect.signature(method).parameters) or name in giving:
            if name in ("files", "kept_path", "put_saved"):  # it goes by each_file; it is no file's
                continue
            assert name in vars(PlacedCatalogue) or name == "local_path", name


def test_what_is_kept_is_the_volume_and_what_is_inside(
    writer: WritableCatalogue, nas: Path, own: list[str], store: Store
) -> None:
    kept = [writer.kept_path(path) for path in (*own, *_inside(nas))]
    assert kept == [*own, "films/b.mp4", "films/trip 2/c.mp4", "films/trip/a.mp4"]
    assert [writer.local_path(path) for path in kept] == [*own, *_inside(nas)]
    assert writer.count_files() == {"": 3, "films": 3}


def _everything(catalogue: WritableCatalogue, under: Path | None) -> dict[str, list[str]]:
    """The paths of all that is listed at or under one."""
    with catalogue.snapshot():
        return {
            "files": [row.path for row in catalogue.each_file(under)],
            "videos": [each.file.path for each in catalogue.each_video(under)],
            "words": [path for path, _ in catalogue.word_remarks(under)],
            "passes": [path for path, _ in catalogue.pass_remarks(under)],
            "due": [row.path for row in catalogue.files_due("speech", "other", under or Path("/"))],
        }


@pytest.mark.parametrize("is_away", [False, True])
def test_all_that_is_known_goes_by_this_machines_paths(
    writer: WritableCatalogue, nas: Path, own: list[str], store: Store, is_away: bool
) -> None:
    root = str(nas)
    if is_away:
        nas.rename(nas.with_name("elsewhere"))
        mappings_path().unlink()
        root = "/not-mounted/films"
    films = _inside(root)
    everything = sorted([*own, *films])
    with store.reader() as reader:
        for under, expected in {
            None: everything,
            Path("/"): everything,
            Path(root): films,
            Path(root, "trip"): films[2:],
            Path(films[0]): films[:1],
            Path(own[1]): own[1:2],
            nas.parent: own if is_away else everything,
        }.items():
            for what, found in _everything(reader, under).items():
                assert found == expected, (under, what)
        with reader.snapshot():
            for path in everything:
                row = reader.file(path)
                assert row is not None and row.path == path and row.video_id is not None
                assert [each.path for each in reader.files_of(row.video_id)] == [path]
            assert {row.volume for row in reader.each_file(Path(root))} == (
                {f"{reader.volumes()[0].volume.id}:/not-mounted/films"}
                if is_away
                else {volume_of(root)}
            )
            was = [path.replace(root, str(nas)) for path in everything]
            known = {path: f"words {old}" for path, old in zip(everything, was, strict=True)}
            assert reader.word_marks(everything) == known
            assert set(reader.capture_marks(everything)) == set(everything)
            rows, folders = reader.listing(root)
            assert [row.path for row in rows] == films[:1]
            assert folders == [f"{root}/trip 2", f"{root}/trip"]
            for order in ("time", "length", "size"):
                listed = [each.file.path for each in reader.each_video(None, order, 4)]
                whole = [each.file.path for each in reader.each_video(None, order)]
                assert listed == whole[:4] and sorted(whole) == everything


def test_a_file_is_put_again_and_dropped_by_its_path_here(
    writer: WritableCatalogue, nas: Path
) -> None:
    path = f"{nas}/b.mp4"
    row = writer.file(path)
    assert row is not None and writer.verified(path) == 7
    writer.put_file(replace(row, mtime_ns=2))
    assert writer.verified(path) is None and writer.file(path) == replace(row, mtime_ns=2)
    writer.drop_files([path])
    assert writer.file(path) is None and writer.count_files()["films"] == 2


def test_taken_back_it_is_as_it_was(
    writer: WritableCatalogue, nas: Path, own: list[str], store: Store
) -> None:
    writer.close()
    count, marker = VolumeNames(store).forget("films")
    assert count == 3 and marker == f"{nas}/.tempo-edge-volume" and Path(marker).exists()
    with store.reader() as reader, reader.snapshot():
        rows = list(reader.each_file())
        assert [row.path for row in rows] == sorted([*own, *_inside(nas)])
        assert {row.volume for row in rows} == {volume_of(str(nas))}
        assert not reader.volumes() and set(reader.count_files()) == {""}
        assert len(reader.word_marks(_inside(nas))) == 3
    added = VolumeNames(store).add(nas)
    assert (added.name, added.files) == ("films", 3), "as its marker says"


def test_another_machines_files_below_a_volume_are_nobody_elses(store: Store, nas: Path) -> None:
    gone = f"{nas}/only there.mp4"
    with store.writer() as writer:
        put(writer, f"{nas}/b.mp4")
        with writer.transaction():
            writer.put_file(FileRow(gone, "77:/mnt/nas", 5, 1, "skipped", "empty"))
    added = VolumeNames(store).add(nas)
    assert (added.files, added.left) == (1, 1)
    with store.reader() as reader, reader.snapshot():
        there = {row.path: row for row in reader.each_file()}
        assert set(there) == {f"{nas}/b.mp4", f"/not-mounted/elsewhere{gone}"}
        assert reader.kept_path(f"/not-mounted/elsewhere{gone}") == gone
        assert not reader.is_here(gone)


def test_what_can_be_no_volume_is_refused(store: Store, nas: Path, tmp_path: Path) -> None:
    names = VolumeNames(store)
    names.add(nas, "films")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(LibraryError, match="is the volume films already"):
        names.add(nas, "films")
    with pytest.raises(LibraryError, match="has a volume 'films' already"):
        names.add(other, "films")
    with pytest.raises(LibraryError, match=r"is not the volume films, whose \.tempo-edge-volume"):
        names.map("films", other)
    with pytest.raises(LibraryError, match="has no volume 'nas': films"):
        names.map("nas", nas)
    assert not list(other.iterdir())
    nas.rename(nas.with_name("moved"))
    moved = nas.with_name("moved")
    with pytest.raises(LibraryError, match=f"{moved} is the volume films: .* map films {moved}"):
        names.add(moved)
    assert names.map("films", moved).path == str(moved)


def test_a_marker_that_was_lost_is_written_again_where_the_files_are(
    writer: WritableCatalogue, nas: Path, store: Store, tmp_path: Path
) -> None:
    writer.close()
    marker = nas / ".tempo-edge-volume"
    said = marker.read_text()
    marker.unlink()
    assert VolumeNames(store).all()[0][0].path is None
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    with pytest.raises(LibraryError, match=r"of its files, as b\.mp4, none is there"):
        VolumeNames(store).add(wrong, "films")
    VolumeNames(store).add(nas, "films")
    assert marker.read_text() == said and VolumeNames(store).all()[0][0].files == 3


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', '{"a": {"path": 1}}'])
def test_mappings_that_can_not_be_read_are_named(store: Store, nas: Path, text: str) -> None:
    VolumeNames(store).add(nas)
    mappings_path().write_text(text)
    with pytest.raises(LibraryError, match=r"volumes.json, can't be read: .*: delete it"):
        store.reader()


def test_a_mapping_is_kept_beside_others() -> None:
    write_mapping("a" * 32, Mapped("/a", "1:/a", "/"))
    write_mapping("b" * 32, Mapped("/b", "2:/b", "/"))
    write_mapping("a" * 32, None)
    assert "/b" in mappings_path().read_text() and "/a" not in mappings_path().read_text()


def test_a_copy_knows_volumes_by_name_and_a_file_leaves_out_what_is_away(
    name: str, store: Store, nas: Path, tmp_path: Path
) -> None:
    away = Volume("away", "id of away", False, "", "")
    with store.lock(), store.writer() as writer:
        put(writer, str(tmp_path / "home.mp4"))
        writer.put_volume(away)
        put(writer, "/not-mounted/away/film.mp4")
    VolumeNames(store).add(nas, "films", marked=False)
    with store.lock(), store.writer() as writer:
        put(writer, str(nas / "b.mp4"))
    named = server().name(server().new_database())
    assert copy_library(name, named).is_whole
    rows = []
    for each in (store, open_store(named)):
        with each.reader() as catalogue, catalogue.snapshot():
            files = [replace(row, video_id=None) for row in catalogue.each_file()]
            rows.append((catalogue.volumes(), files))
            kept = [catalogue.kept_path(row.path) for row in files]
    assert rows[0] == rows[1]
    assert "away/film.mp4" in kept and "films/b.mp4" in kept
    plain = tmp_path / "plain.db"
    report = copy_library(name, str(plain))
    assert report.away == ["/not-mounted/away/film.mp4"] and not report.is_whole
    with open_store(plain).reader() as catalogue, catalogue.snapshot():
        assert sorted(catalogue.files()) == sorted([str(tmp_path / "home.mp4"), str(nas / "b.mp4")])
