"""What the export's tests share."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest


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
