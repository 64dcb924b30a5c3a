"""What the export's tests share."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def labelled(originals: Path, tmp_path: Path) -> Path:
    """Three videos, what is true of each, and what is true of none."""
    folder = tmp_path / "videos"
    shutil.copytree(originals, folder)
    rows = [
        {"query": f"{word} {kind}", "file": file, "spans": [[0.0, 2.0]]}
        for word in ("a dog", "two women", "the red car")
        for kind, file in (("jumps", "beach.mp4"), ("runs", "street.mkv"), ("sits", "garden.mp4"))
    ]
    rows += [{"query": f"{word} in a boat", "file": None, "spans": []} for word in "abcdef"]
    (folder / "truth.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 pictures of a few colours each, in folders as people keep them, and one that is broken."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number in range(40):
        small = rng.integers(0, 256, (5, 4, 3), dtype=np.uint8)
        path = folder / f"year {number % 3}" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(small).resize((60, 80)).save(path)
    (folder / "broken.jpg").write_bytes(b"not a picture")
    return folder
