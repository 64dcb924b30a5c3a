"""Errors about training data name the archive and what is wrong with it."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL")

import archives
from PIL import Image

from tempo_edge.train.data import held_out
from tempo_edge.train.data.archives import ARCHIVES, SOURCES, Archive, DataError, Record, squash
from tempo_edge.train.data.augmentation import view
from tempo_edge.train.data.held_out import (
    animals_split,
    clips_split,
    imagenet_classes,
    measured_on,
    trained_on,
)


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
        ("[" * 100_000, "line 1 is not an object"),
        ('{"file": "a.jpg", "captions": ["x"]}', "not under one of train, dev, test"),
        ('{"file": "train/a.jpg"}', r"line 1: 'train/a\.jpg' has no captions"),
        ('{"file": "train/a.jpg", "captions": [" "]}', "has no captions"),
        ('{"file": "train/a.jpg", "label": "archery"}', "has no captions"),
        ('{"file": "train/a.jpg", "captions": "a dog"}', "must be a list of strings"),
        ('{"file": 7, "captions": ["a dog"]}', "not an object with a 'file'"),
        ("", r"index\.jsonl is empty"),
    ],
)
def test_bad_index_lines_are_named(tmp_path: Path, line: str, complaint: str) -> None:
    folder = _folder(tmp_path, [ROW])
    (folder / "index.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"'flickr8k'.*{complaint}"):
        Archive(tmp_path, "flickr8k")


@pytest.mark.parametrize(
    ("name", "row", "complaint"),
    [
        ("sports100", {"captions": ["people row"]}, "has no label"),
        ("sports100", {"label": ["rowing"]}, "as its label, which must be a string"),
        ("imagenet_samples", {"label": "tench"}, "has no wnid"),
        ("places100", {"objects": ["bed"]}, "has no label"),
        ("places100", {"label": "bedroom", "objects": {"bed": 1}}, "must be a list of strings"),
        ("action_frames", {"label": "push-ups"}, "has no clip"),
        ("action_frames", {"clip": "train/a.mp4"}, "neither a label nor captions"),
        ("animals", {"label": "a dog"}, "has no objects that are counted"),
        ("animals", {"label": "a dog", "objects": {"dog": 0}}, "numbers of at least 1"),
        ("animals", {"label": "a dog", "objects": {"dog": "1"}}, "numbers of at least 1"),
        ("animals", {"label": "a dog", "objects": ["dog"]}, "numbers of at least 1"),
    ],
)
def test_what_an_archive_of_a_kind_must_have_is_asked_of_every_line(
    tmp_path: Path, name: str, row: dict[str, Any], complaint: str
) -> None:
    good = {
        "label": "bedroom",
        "wnid": "n01440764",
        "clip": "train/a.mp4",
        "objects": {"dog": 1} if name == "animals" else [],
    }
    lines = [{"file": "train/a.jpg"} | good, {"file": "train/b.jpg"} | row]
    _folder(tmp_path, lines, name)
    with pytest.raises(DataError, match=rf"'{name}'.*line 2: 'train/b\.jpg'.*{complaint}"):
        Archive(tmp_path, name)


def test_an_archive_that_nobody_declared_is_refused(tmp_path: Path) -> None:
    _folder(tmp_path, [ROW], "flickr9k")
    with pytest.raises(DataError, match="'flickr9k' must be one of flickr8k, coco_thumbs, "):
        Archive(tmp_path, "flickr9k")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Archive]]:
    data = archives.write(tmp_path_factory.mktemp("archives"), classes=120)
    with ExitStack() as stack:
        yield {name: stack.enter_context(Archive(data, name)) for name in ARCHIVES}


def test_a_record_has_what_its_archive_says_of_pictures(opened: dict[str, Archive]) -> None:
    bedroom = opened["places100"].split("train")[1]
    assert (bedroom.label, bedroom.objects) == ("bedroom", ("bed", "wall", "window"))
    pair = opened["animals"].records[1]
    assert (pair.label, dict(pair.counts), pair.objects) == ("two dogs", {"dog": 2}, ())
    with pytest.raises(TypeError):
        pair.counts["dog"] = 3  # type: ignore[index]
    frame, talk = opened["action_frames"].records[0], opened["action_frames"].records[-1]
    assert (frame.label, frame.clip) == ("push-ups", "train/push-ups_a_c01.mp4")
    assert frame.captions == ("people do push-ups",)
    assert (talk.label, talk.captions) == ("", ("a man gives a talk",))
    assert len({*opened["animals"].records}) == 20
    for name, archive in opened.items():
        labelled = [bool(record.label) for record in archive.records]
        assert any(labelled) == (SOURCES[name].said == "label")


def test_a_label_in_an_archive_of_captions_is_no_label(tmp_path: Path) -> None:
    _folder(tmp_path, [ROW | {"label": "archery"}])
    with Archive(tmp_path, "flickr8k") as archive:
        assert archive.records[0].label == ""


def test_a_fifth_of_the_animals_measures_whatever_their_order() -> None:
    records = [Record("animals", f"train/{i}.jpg", label="a dog") for i in range(1000)]
    train, measured = animals_split(records)
    assert (len(train), len(measured)) == (800, 200)
    assert {r.file for r in train}.isdisjoint(r.file for r in measured)
    assert {r.file for r in animals_split(records[::-1])[1]} == {r.file for r in measured}


def test_clips_of_one_film_are_on_one_side_with_all_their_frames() -> None:
    records = [
        Record("action_frames", f"train/{n}_{i}.jpg", label=label, clip=f"train/{n}.mp4")
        for label in ("push-ups", "boxing")
        for n in (f"{label}_g{film:02}_c{cut:02}" for film in range(20) for cut in (1, 2, 3))
        for i in (1, 5)
    ]
    talk = Record("action_frames", "train/talk.jpg", ("a man talks",), clip="train/talk.mp4")
    train, measured = clips_split([*records, talk])
    assert talk in train
    assert Counter(r.label for r in measured) == {"push-ups": 24, "boxing": 24}
    films = [{r.clip.rpartition("_")[0] for r in side} for side in (train, measured)]
    assert films[0].isdisjoint(films[1])
    assert {*train, *measured} == {*records, talk}
    assert clips_split([talk, *records[::-1]])[1] == measured[::-1]


def test_a_label_of_one_film_is_trained_on_alone() -> None:
    one = Record("action_frames", "train/a.jpg", label="a wave", clip="train/a_c01.mp4")
    assert clips_split([one]) == ([one], [])


def test_nothing_that_measures_is_trained_on(
    opened: dict[str, Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_out, "CLASSES", 120)
    train = trained_on(opened, ARCHIVES)
    assert list(train) == list(ARCHIVES)
    assert {record.split for some in train.values() for record in some} == {"train"}
    for name, split in (("animals", animals_split), ("action_frames", clips_split)):
        kept, measured = split(opened[name].split("train"))
        assert train[name] == kept
        assert measured and not {r.file for r in measured} & {r.file for r in train[name]}
    assert len(train["imagenet_samples"]) == 20
    assert trained_on(opened, ("places100",)) == {"places100": opened["places100"].split("train")}
    measuring = measured_on(opened, ARCHIVES)
    for name, records in measuring.items():
        kept = {r.file for r in opened[name].records if r.split != "test"}
        assert kept == {r.file for r in records} | {r.file for r in train[name]}
        assert len(records) + len(train[name]) == len(kept) and "test" not in {
            r.split for r in records
        }
    assert measuring["flickr8k"] == opened["flickr8k"].split("dev")


def test_an_index_that_is_no_text_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path, [ROW])
    (folder / "index.jsonl").write_bytes(b'{"file": "train/\xff.jpg"}')
    with pytest.raises(DataError, match=r"'flickr8k': index\.jsonl is not UTF-8 text"):
        Archive(tmp_path, "flickr8k")


def test_a_caption_may_hold_what_other_programs_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    folder = _folder(tmp_path, [ROW])
    row = {"file": "train/a.jpg", "captions": ["a dog\u2028runs\x85"]}
    (folder / "index.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    with Archive(tmp_path, "flickr8k") as archive:
        assert archive.records[0].captions == ("a dog\u2028runs",)


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
