"""A library is read again with another profile, and searched with the old one until then."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said
from postgres_server import server

from tempo_edge import LibraryError
from tempo_edge.library import Library
from tempo_edge.models import load_profile
from tempo_edge.query import Query
from tempo_edge.rereading import (
    is_of_another_profile,
    outdated_profile,
    reread,
    reread_outdated,
)
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch
from tempo_edge.store.embedded import replacing
from tempo_edge.volume_names import VolumeNames

Tempo = Callable[..., Said]


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The built-in profile under another name, which makes another one of it."""
    folder = tmp_path / "profiles" / "other"
    shutil.copytree(load_profile("nano").folder, folder)
    about = json.loads((folder / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**about, "name": "other"}))
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "profiles"))
    return "other"


@pytest.fixture
def films(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals, tmp_path / "films"))


@pytest.fixture
def library(films: Path, tmp_path: Path, other: str) -> Path:
    """A library of three films, read with the built-in profile."""
    path = tmp_path / "library" / "library.db"
    with Library.open(path, profile="nano") as made:
        made.index(films)
    return path


def profile_of(path: Path) -> str:
    with Library.open(path) as library:
        assert len(library.files()) == 3
        return library.profile.name


def beside(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def test_the_new_one_takes_the_place_of_the_old_one(library: Path, films: Path) -> None:
    assert is_of_another_profile(library, "other") and not is_of_another_profile(library, "nano")
    found = reread(library, "other", [films])
    assert found.is_whole and found.report.indexed == 3
    assert profile_of(library) == "other"
    with Library.open(library) as opened:
        answer = opened.find("a beach", min_confidence=0.0)
        assert answer.moments and answer.moments[0].profile == "other"
    assert beside(library) <= {"library.db", "library.lock", "library.vectors"}
    assert not is_of_another_profile(library, "other")


def test_a_library_read_half_way_is_searched_with_the_old_one(library: Path, films: Path) -> None:
    seen: list[str] = []
    found = reread(
        library,
        "other",
        [films],
        on_event=lambda event: seen.append(event.kind),
        stopping=lambda: "indexed" in seen,
    )
    assert found.report.stopped and not found.is_whole and len(found.lacking) == 2
    assert profile_of(library) == "nano"
    with Library.open(library) as opened:
        assert opened.find("a beach", min_confidence=0.0).moments[0].profile == "nano"
        opened.index(films)  # and kept up to date
    found = reread(library, "other", [films])
    assert found.is_whole and (found.report.indexed, found.report.unchanged) == (2, 1)
    assert profile_of(library) == "other"


def test_everything_is_read_again_whatever_is_named(library: Path, films: Path) -> None:
    assert reread(library, "other", [films / "beach.mp4"]).is_whole
    assert profile_of(library) == "other"


def test_nothing_is_lost_that_is_out_of_reach(library: Path, films: Path, tmp_path: Path) -> None:
    away = (films / "street.mkv").rename(tmp_path / "street.mkv")
    found = reread(library, "other", [films])
    assert found.lacking == (str(films / "street.mkv"),) and not found.is_whole
    assert profile_of(library) == "nano"
    away.rename(films / "street.mkv")
    assert reread(library, "other", [films]).is_whole
    assert profile_of(library) == "other"


def test_what_came_meanwhile_counts(library: Path, films: Path) -> None:
    late = films / "late.mp4"

    def told(event: object) -> None:
        if not late.exists():
            shutil.copy(films / "garden.mp4", late)
            with Library.open(library) as opened:
                opened.index(late)

    found = reread(library, "other", [films / "beach.mp4"], on_event=told)
    assert found.lacking == (str(late),)
    assert reread(library, "other", [films]).is_whole


def test_who_has_the_old_one_open_finds_another_in_its_place(library: Path, films: Path) -> None:
    with Library.open(library) as opened:
        before = opened.find("a beach", min_confidence=0.0)
        assert before.moments
        assert reread(library, "other", [films]).is_whole
        with pytest.raises(LibraryError, match="is another library now"):
            opened.find("a beach")
        assert opened.is_replaced
    assert profile_of(library) == "other"


def test_a_library_on_a_server_is_read_again_in_its_place(films: Path, other: str) -> None:
    path = Path(server().name(server().new_database()))
    with Library.open(path, profile="nano") as made:
        made.index(films)
        VolumeNames(made.store).add(films, name="nas")
        made.save(SavedSearch("sea", SavedQuery(Query("a beach"), {})))
        away = (films / "street.mkv").rename(films.parent / "street.mkv")
        assert reread(path, other, [films]).lacking == (str(films / "street.mkv"),)
        assert profile_of(path) == "nano"
        away.rename(films / "street.mkv")
        found = reread(path, other, [films])
        assert found.is_whole and (found.report.indexed, found.report.unchanged) == (1, 2)
        with pytest.raises(LibraryError, match="is another library now"):
            made.find("a beach")
    assert profile_of(path) == "other"
    with Library.open(path) as opened:
        assert opened.find("a beach", min_confidence=0.0).moments[0].profile == "other"
        assert [kept.name for kept, _ in opened.searches()] == ["sea"]
        with opened.catalogue.snapshot():
            assert opened.catalogue.kept_path(str(films / "beach.mp4")) == "nas/beach.mp4"
            assert opened.catalogue.count_files() == {"nas": 3}


def test_an_end_at_the_last_moment_leaves_the_old_one(
    library: Path, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(replacing, "publish", full)
        with pytest.raises(LibraryError, match="can't be replaced"):
            reread(library, "other", [films])
    assert profile_of(library) == "nano"
    assert reread(library, "other", [films]).report.unchanged == 3
    assert profile_of(library) == "other"


def test_another_writer_is_waited_for_by_nobody(library: Path, films: Path) -> None:
    with (
        Library.open(library) as opened,
        opened.store.lock(),
        pytest.raises(LibraryError, match="is writing to"),
    ):
        reread(library, "other", [films])
    assert profile_of(library) == "nano"
    assert reread(library, "other", [films]).is_whole


@pytest.mark.usefixtures("other")
def test_what_a_person_sees(films: Path, tempo: Tempo, tmp_path: Path) -> None:
    assert tempo("index", films, "-q").status == 0
    away = (films / "street.mkv").rename(tmp_path / "street.mkv")
    said = tempo("index", films, "--profile", "other")
    assert said.status == 2
    assert f"searched as before, for {films / 'street.mkv'} (1 in all)" in said.err
    away.rename(films / "street.mkv")
    said = tempo("index", films, "--profile", "other")
    assert said.status == 0, said.err
    assert said.err.endswith("from now on the library is searched with other\n")
    assert json.loads(tempo("status", "--json").out)["profile"] == "other"
    said = tempo("index", films, "--profile", "other")
    assert said.status == 0 and "from now on" not in said.err


def test_digests_of_whole_files_outlive_the_profile(library: Path, films: Path) -> None:
    film = films / "beach.mp4"
    with Library.open(library) as opened:
        assert opened.index(films, verify=True).verified == 3
    times = film.stat()
    content = bytearray(film.read_bytes())
    content[-1] ^= 1
    film.write_bytes(content)
    os.utime(film, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert reread(library, "other", [films]).is_whole
    with Library.open(library) as opened:
        report = opened.index(films, verify=True)
    assert (report.verified, report.changed) == (2, 1)


def test_a_library_is_not_verified_while_it_is_read_again(
    tempo: Tempo, library: Path, films: Path
) -> None:
    said = tempo("index", films, "--library", library, "--profile", "other", "--verify")
    assert said.error.startswith("--verify is for a library that stays with its profile: ")
    assert profile_of(library) == "nano"


def read_by_an_older_version(path: Path) -> None:
    """Have a library say that it was read by a version of its profile that is gone."""
    rows = sqlite3.connect(path)
    with rows:
        rows.execute("UPDATE meta SET value='nano-0123456789abcdef' WHERE key='profile'")
    rows.close()


def test_a_new_version_of_the_profile_reads_everything_again(library: Path, films: Path) -> None:
    assert outdated_profile(library) is None
    assert reread_outdated(library, [films]) is None
    read_by_an_older_version(library)
    assert outdated_profile(library) == "nano"
    away = (films / "street.mkv").rename(films.parent / "street.mkv")
    found = reread_outdated(library, [films / "beach.mp4"])
    assert found is not None and found.is_whole and found.report.indexed == 2
    assert found.lacking == (str(films / "street.mkv"),)
    assert outdated_profile(library) is None
    away.rename(films / "street.mkv")
    with Library.open(library) as opened:
        assert opened.index(films).indexed == 1
    assert profile_of(library) == "nano"


@pytest.mark.usefixtures("other")
def test_a_library_of_a_profile_that_is_gone_is_not_outdated(
    library: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert reread(library, "other", []).is_whole
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path / "none"))
    assert outdated_profile(library) is None
    assert outdated_profile(tmp_path / "no library") is None


def test_what_a_person_sees_after_an_update(
    films: Path, library: Path, tempo: Tempo, tmp_path: Path
) -> None:
    read_by_an_older_version(library)
    error = tempo("find", "a beach", "--library", library).error
    assert error.endswith("tempo-edge index DIR, with any of its folders, reads all of it again")
    said = tempo("index", films, "--library", library, "--verify")
    assert said.error.startswith("--verify is for a library that stays with its profile: let nano")
    away = (films / "street.mkv").rename(tmp_path / "street.mkv")
    said = tempo("index", films, "--library", library)
    assert said.status == 0, said.err
    assert "this library was read with another version of nano: it is read again" in said.err
    assert f"{films / 'street.mkv'} (1 in all) can't be read now and is left out" in said.err
    assert said.err.endswith("from now on the library is searched with nano\n")
    away.rename(films / "street.mkv")
    said = tempo("index", films, "--library", library)
    assert said.status == 0 and "again" not in said.err
    assert tempo("find", "a beach", "--library", library, "--min-confidence", "0").status == 0
