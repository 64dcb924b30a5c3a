"""A library that is opened with a profile itself, wherever that lies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tempo_edge import Library, LibraryError
from tempo_edge.models import Profile, load_profile
from tempo_edge.models.registry import profile_names, read_profile


@pytest.fixture
def draft(tmp_path: Path) -> Profile:
    """A profile whose folder has another name, in a place where nobody looks for profiles."""
    folder = tmp_path / ".draft"
    shutil.copytree(load_profile("nano").folder, folder)
    about = json.loads((folder / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**about, "name": "other"}))
    return read_profile(folder)


def test_a_profile_is_used_as_it_is(draft: Profile, originals: Path, tmp_path: Path) -> None:
    assert draft.name not in profile_names()
    path = tmp_path / "library.db"
    with Library.open(path, profile=draft) as library:
        assert library.profile is draft
        library.index([originals])
        assert library.catalogue.get_meta("profile") == draft.fingerprint
        assert library.find("a dog", min_confidence=0.0).moments
    with Library.open(path, profile=draft) as library:
        assert library.profile is draft
        assert library.find("a dog", min_confidence=0.0).moments


def test_another_profile_than_the_recorded_is_refused(
    draft: Profile, originals: Path, tmp_path: Path
) -> None:
    path = tmp_path / "library.db"
    with Library.open(path, profile=load_profile("nano")) as library:
        library.index([originals / "garden.mp4"])
    with pytest.raises(LibraryError, match="was built with profile 'nano', not 'other'"):
        Library.open(path, profile=draft)


def test_another_version_of_the_recorded_profile_is_refused(
    draft: Profile, originals: Path, tmp_path: Path
) -> None:
    path = tmp_path / "library.db"
    with Library.open(path, profile=draft) as library:
        library.index([originals / "garden.mp4"])
    files = {**draft.files, "tokenizer.json": "0" * 64}
    about = json.loads((draft.folder / "profile.json").read_text())
    about["files"]["tokenizer.json"]["sha256"] = "0" * 64
    (draft.folder / "profile.json").write_text(json.dumps(about))
    changed = read_profile(draft.folder)
    assert changed.files == files
    with pytest.raises(LibraryError, match="was built with another version of profile 'other'"):
        Library.open(path, profile=changed)
