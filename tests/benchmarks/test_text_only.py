"""Readers who see nothing: what sentences alone tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import archives

from benchmarks.text_only import by_vectors, by_words, drawn, main, plain
from tempo_edge.evaluation.metrics import auroc
from tempo_edge.train.grounder.synthetic import feature_bank

FOLDS = np.arange(200) % 5


def test_readers_find_what_is_told_and_nothing_else() -> None:
    present = np.arange(200) < 100
    told = [
        f"a dog runs by house {i % 7}" if i < 100 else f"a dog drives by house {i % 7}"
        for i in range(200)
    ]
    silent = [f"a dog runs by house {(i * 37) % 11}" for i in range(200)]
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 16)).astype(np.float32)
    clear = noise + 2.0 * present[:, None].astype(np.float32)

    def area(odds: np.ndarray) -> float:
        return auroc(odds[present].tolist(), odds[~present].tolist())

    assert area(by_words(told, present, FOLDS)) > 0.95
    assert area(by_vectors(clear, present, FOLDS)) > 0.95
    for odds in (by_words(silent, present, FOLDS), by_vectors(noise, present, FOLDS)):
        assert 0.3 < area(odds) < 0.7


def test_sentences_are_as_windows_ask_them() -> None:
    said = [
        (f"a {c} ball number {i} on the {p}",)
        for c in archives.COLOURS
        for p in archives.PLACES
        for i in range(9)
    ]
    bank = feature_bank.of_captions(said)
    for kind in ("present", "lookalike"):
        assert all((query,) == bank.captions[at] for query, at in drawn(bank, kind, 8, 0))  # type: ignore[arg-type]
    for query, at in drawn(bank, "swap", 8, 0):
        own = bank.captions[at][0].split()
        assert sum(a != b for a, b in zip(query.split(), own, strict=True)) == 1
    assert {query for query, _ in plain(said, None, 40, 0)} <= {each[0] for each in said}


def test_the_table_has_a_row_for_each_way_of_drawing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for i in range(160):
        colour, place = (
            str(rng.choice(list(names))) for names in (archives.COLOURS, archives.PLACES)
        )
        said = f"a {colour} ball number {i} on the {place} by house {rng.integers(9)}"
        rows.append({"file": f"train/{i}.jpg", "captions": [said]})
    (tmp_path / "flickr8k").mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "flickr8k" / "index.jsonl").write_text(lines)
    main(["--data", str(tmp_path), "--count", "6"])
    out = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert out[2:] == [
        "| swaps, uniform",
        "| swaps, by word frequency",
        "| swaps, balanced",
        "| look-alikes",
        "| easy",
    ]
