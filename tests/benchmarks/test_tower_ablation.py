"""The table of what each choice of a recipe buys: what is changed, and what is kept of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")


from benchmarks import tower_ablation
from tempo_edge.models.registry import BUILT_IN
from tempo_edge.train.towers.recipe import RECIPES, TowerRecipe


@pytest.mark.parametrize("name", tower_ablation.CHANGES)
def test_every_row_changes_something_that_a_recipe_has(name: str) -> None:
    full = RECIPES["full"]
    change = tower_ablation.CHANGES[name]
    recipe = tower_ablation.changed(full, change)
    assert (recipe == full) == (name == "full")
    left_out = change.get("without", ())
    assert isinstance(left_out, tuple) and set(left_out) <= set(full.archives)
    assert not set(left_out) & set(recipe.archives)


def test_a_finished_row_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[TowerRecipe] = []

    def train(data: Path, recipe: TowerRecipe, work: Path, **_: Any) -> SimpleNamespace:
        ran.append(recipe)
        first = {"epoch": 1.0, "loss": 2.0}
        figures = dict.fromkeys(tower_ablation.COLUMNS, 10.0 * len(ran))
        return SimpleNamespace(curves=[first, first | figures])

    monkeypatch.setattr(tower_ablation, "train", train)
    common = ["--data", str(tmp_path), "--work", str(tmp_path), "--seed", "3"]
    assert tower_ablation.main([*common, "--only", "full"]) == 0
    assert tower_ablation.main([*common, "--only", "full", "--only", "no anchor"]) == 0
    assert ran == [
        dataclasses.replace(RECIPES["full"], seed=3, epochs=2),
        dataclasses.replace(RECIPES["full"], seed=3, epochs=2, anchor_weight=0.0),
    ]
    rows = capsys.readouterr().out.splitlines()[-2:]
    assert [row.split(" | ")[:2] for row in rows] == [["| full", "10.0"], ["| no anchor", "20.0"]]
    assert tower_ablation.main([*common, "--epochs", "4", "--only", "full"]) == 0
    assert ran[2].epochs == 4
    onward = ["--recipe", "onward", "--start", str(BUILT_IN / "nano"), "--only", "full"]
    assert tower_ablation.main([*common, *onward]) == 0
    assert ran[3] == dataclasses.replace(RECIPES["onward"], seed=3, epochs=2)
    assert tower_ablation.main([*common, *onward[:2], "--only", "full"]) == 0
    assert len(ran) == 5, "the same recipe from another beginning is another run"
