"""Errors about training data name the archive and what is wrong with it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL")

from PIL import Image

from tempo_edge.train.data.archives import Archive, DataError, imagenet_classes, squash
from tempo_edge.train.data.augmentation import view


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), (200, 30, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


def _folder(root: Path, rows: list[dict[str, Any]], name: str = "flickr8k") -> Path:
    folder = root / name
    for row in rows:
        path = folder / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_jpeg())
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "index.jsonl").write_text(lines, encoding="utf-8")
    return folder


ROW = {"file": "train/a.jpg", "captions": ["a red square "]}


def test_folder_and_tar_read_alike(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "plain", [ROW])
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / "flickr8k.tar", "w") as tar:
        tar.add(folder, arcname="flickr8k")
    for data in (tmp_path / "plain", tmp_path / "packed"):
        with Archive(data, "flickr8k") as archive:
            (record,) = archive.split("train")
            assert record.captions == ("a red square",)
            assert archive.picture(record).size == (32, 24)


def test_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'sports100' is missing"):
        Archive(tmp_path, "sports100")


def test_file_that_is_no_tar_is_named(tmp_path: Path) -> None:
    (tmp_path / "flickr8k.tar").write_bytes(b"not a tar file" * 100)
    with pytest.raises(DataError, match=r"'flickr8k'.*not a plain tar"):
        Archive(tmp_path, "flickr8k")


def test_missing_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "flickr8k").mkdir()
    with pytest.raises(DataError, match=r"'flickr8k': no index\.jsonl"):
        Archive(tmp_path, "flickr8k")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[1, 2]", "line 1 is not an object"),
        ("{", "line 1 is not an object"),
        ('{"file": "a.jpg", "captions": ["x"]}', "not under one of train, dev, test"),
        ('{"file": "train/a.jpg"}', "neither captions nor a label"),
        ("", r"index\.jsonl is empty"),
    ],
)
def test_bad_index_lines_are_named(tmp_path: Path, line: str, complaint: str) -> None:
    folder = _folder(tmp_path, [ROW])
    (folder / "index.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"'flickr8k'.*{complaint}"):
        Archive(tmp_path, "flickr8k")


def test_broken_and_missing_pictures_are_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path, [ROW])
    with Archive(tmp_path, "flickr8k") as archive:
        (record,) = archive.split("train")
        (folder / record.file).write_bytes(b"\xff\xd8 cut short")
        with pytest.raises(DataError, match=r"'flickr8k': train/a\.jpg is not a readable picture"):
            archive.picture(record)
        (folder / record.file).unlink()
        with pytest.raises(DataError, match=r"'flickr8k': train/a\.jpg is missing"):
            archive.picture(record)


def test_paths_out_of_the_archive_are_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path, [ROW])
    (tmp_path / "secret.jpg").write_bytes(_jpeg())
    row = {"file": "train/../../secret.jpg", "captions": ["x"]}
    (folder / "index.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    with Archive(tmp_path, "flickr8k") as archive, pytest.raises(DataError, match="is missing"):
        archive.picture(archive.split("train")[0])


def test_empty_split_is_named(tmp_path: Path) -> None:
    _folder(tmp_path, [ROW])
    with Archive(tmp_path, "flickr8k") as archive, pytest.raises(DataError, match="no dev/ split"):
        archive.split("dev")


def test_incomplete_classes_are_refused(tmp_path: Path) -> None:
    row = {"file": "train/a.jpg", "label": "tench", "wnid": "n01440764"}
    _folder(tmp_path, [row], "imagenet_samples")
    with (
        Archive(tmp_path, "imagenet_samples") as archive,
        pytest.raises(DataError, match="names 1 classes, expected 1000"),
    ):
        imagenet_classes(archive.records)


def test_views_are_repeatable_and_square() -> None:
    picture = Image.effect_noise((64, 40), 60).convert("RGB")
    for index in range(6):
        first, second = (view(picture, (0, 7), index, 48) for _ in range(2))
        assert first.shape == (48, 48, 3)
        assert (first == second).all()
    assert (view(picture, (0, 7), 1, 48) == squash(picture, 48)[:, ::-1]).mean() > 0.9
    assert (view(picture, (0, 7), 2, 48) != view(picture, (0, 8), 2, 48)).any()
