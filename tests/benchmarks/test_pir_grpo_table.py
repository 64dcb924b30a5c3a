"""The table of SFT, GRPO and PIR-GRPO: what its rows are, and what is kept of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import archives

from benchmarks import pir_grpo
from benchmarks.pir_grpo import (
    COLUMNS,
    ROWS,
    SIMILARITY,
    Bench,
    gain,
    measure,
    recipes,
    spread,
    table,
)
from tempo_edge.models import load_profile
from tempo_edge.train.grounder import training
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings
from tempo_edge.train.grounder.model.network import DecoderShape
from tempo_edge.train.grounder.sft import SftSettings
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.settings import read_settings

_RECIPES = Path(training.__file__).parent
MIX = Mix(shots=(2, 3), looks=24)
SFT = SftSettings(
    steps=4,
    batch=2,
    every=4,
    warmup=1,
    bfloat16=False,
    archives=("flickr8k",),
    shape=DecoderShape(hidden=32, layers=2, heads=2, inner=48),
    mix=dataclasses.replace(MIX, absent=0.0),
)
GRPO = GrpoSettings(
    steps=1, every=1, prompts=4, group=2, bfloat16=False, archives=("flickr8k",), mix=MIX
)


def test_recipes_differ_only_in_what_is_asked() -> None:
    sft = [
        read_settings(_RECIPES / f"{name}.yaml", SftSettings) for name in ("sft", "sft_relevant")
    ]
    assert dataclasses.replace(sft[1], mix=sft[0].mix) == sft[0]
    assert [each.mix.absent for each in sft] == [0.45, 0.0]
    hard, easy, relevant = (
        read_settings(_RECIPES / f"{name}.yaml", GrpoSettings)
        for name in ("pir_grpo", "pir_grpo_easy", "pir_grpo_relevant")
    )
    assert dataclasses.replace(easy, mix=hard.mix) == hard
    assert dataclasses.replace(relevant, mix=hard.mix) == hard
    asked = [(each.mix.absent, each.mix.absent * each.mix.hard) for each in (hard, easy, relevant)]
    assert asked == [(0.5, 0.425), (0.5, 0.0), (0.0, 0.0)]
    assert (hard.prompts, hard.group, hard.steps, hard.learning_rate) == (48, 6, 200, 2e-5)
    assert (hard.kl, hard.rewards.answer_above) == (0.05, 0.5)


def test_a_shorter_training_is_the_same_in_fewer_steps() -> None:
    short = recipes(sft_steps=800, steps=50, prompts=16)
    sft, hard = short["sft_relevant"], short["pir_grpo"]
    assert (sft.steps, sft.every, sft.warmup) == (800, 100, 38)
    assert isinstance(hard, GrpoSettings)
    assert (hard.steps, hard.every, hard.warmup, hard.prompts) == (50, 8, 2, 16)
    whole = recipes()["pir_grpo"]
    assert dataclasses.replace(hard, steps=200, every=25, warmup=10, prompts=48) == whole
    assert recipes(sft_steps=1000)["sft"].every == 124  # whole draws of batches


def test_a_finished_run_is_not_taught_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = archives.write(tmp_path / "data", classes=1)
    places = training.Places(data, tmp_path / "work", tmp_path / "runs")
    few = {"sft": SFT, "sft_relevant": SFT, "pir_grpo": GRPO}
    bench = Bench(places, load_profile("nano"), few, 12, True, True, "cpu", print)
    names = ["SFT, relevant only", "then PIR-GRPO, hard", SIMILARITY]
    rows = measure(bench, names, [0])
    assert set(COLUMNS) <= set(rows[SIMILARITY][0])
    assert set(COLUMNS) <= set(rows["then PIR-GRPO, hard"][0])
    last = tmp_path / "runs/seed-0/sft_relevant/last.pt"
    assert str(bench.given(last)) == str(rows["SFT, relevant only"][0])
    written = json.loads((tmp_path / "runs/seed-0/sft_relevant/reported.json").read_text())
    assert written["about"]["recipe"][0]["steps"] == 4 and "machine" in written

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("taught again")

    monkeypatch.setattr(pir_grpo.training, "sft", refuse)
    assert str(measure(bench, names, [0])) == str(rows)
    one = [name for name in names if name != "then PIR-GRPO, hard"]
    assert str(measure(bench, one, [0, 1])) == str({name: rows[name] for name in one})
    for other in (
        dataclasses.replace(bench, windows=13),
        dataclasses.replace(bench, chosen=False),
    ):
        with pytest.raises(AssertionError, match="taught again"):
            measure(other, names[:1], [0])


def test_the_last_checkpoint_counts_where_none_is_chosen(tmp_path: Path) -> None:
    data = archives.write(tmp_path / "data", classes=1)
    places = training.Places(data, tmp_path / "work", tmp_path / "runs")
    bench = Bench(places, load_profile("nano"), {"sft": SFT}, 12, True, False, "cpu", print)
    (figures,) = measure(bench, ["SFT with refusals"], [0])["SFT with refusals"]
    assert set(COLUMNS) <= set(figures)
    folder = tmp_path / "runs/seed-0/sft"
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == SFT.steps and not any("auroc" in row for row in rows)
    assert (folder / "best.pt").exists()


def test_the_table_gives_means_and_spreads() -> None:
    assert spread([4.0]) == "4.0"
    assert spread([1.0, 2.0, 3.0]) == "2.0 ± 1.0"
    seeds = [dict.fromkeys(COLUMNS, value) for value in (10.0, 12.0)]
    drawn = table({"one": seeds}).splitlines()
    assert len(drawn) == 3 and drawn[2].startswith("| one | 11.0 ± 1.4 | ")
    assert len({line.count("|") for line in drawn}) == 1
    rows = {"then GRPO, relevant only": seeds[:1], "then PIR-GRPO, hard": seeds[1:]}
    told = gain(rows)
    assert told is not None and "reject_f1 +2.0;" in told
    assert gain({"one": seeds}) is None
    assert {name for row in ROWS.values() for name in (row.sft, row.grpo)} - {None} == set(
        recipes()
    )
