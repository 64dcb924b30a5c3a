"""The method's own question: do partially irrelevant queries teach to refuse, and at what price?

    python -m benchmarks.pir_grpo --data DIR --work DIR [--seeds 0 1 2] [--row NAME ...] \
        [--sft-steps N] [--steps N] [--prompts N] [--one-start] [--unchosen] \
        [--checkpoint NAME=FILE ...]

Decoders are taught with and without questions about what is absent, by SFT, then by GRPO, all on
the same windows for the same numbers of steps. Each is chosen on one half of dev's pictures, or the
last of its run, and reported on the other half. Finished runs are kept in the work folder, and a
run that was killed goes on. The whole table takes days of a core: fewer steps and prompts, and one
SFT for all seeds, give a smaller one of the same question.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.named_checkpoint import named_checkpoint
from tempo_edge._console.text import note
from tempo_edge._files import atomic_write
from tempo_edge.errors import TempoEdgeError
from tempo_edge.models import Profile, load_profile
from tempo_edge.train.grounder import training
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings
from tempo_edge.train.grounder.held_out_windows import HeldOutWindows
from tempo_edge.train.grounder.model.checkpoint_files import load_grounder
from tempo_edge.train.grounder.prompt_builder import PromptBuilder
from tempo_edge.train.grounder.run_length import shortened
from tempo_edge.train.grounder.sft import SftSettings
from tempo_edge.train.progress_log import ProgressLog, Say
from tempo_edge.train.settings import read_settings

__all__ = ["COLUMNS", "ROWS", "SIMILARITY", "Bench", "Row", "main", "table"]

_RECIPES = Path(training.__file__).parent
SIMILARITY = "the bare similarity, at its best threshold"


@dataclass(frozen=True)
class Row:
    """A decoder of the table: the recipe that it is taught by first, and the one it goes on by."""

    sft: str
    grpo: str | None = None


#: The taught rows by what each is called; recipes are named as their files.
ROWS: dict[str, Row] = {
    "SFT, relevant only": Row("sft_relevant"),
    "then GRPO, relevant only": Row("sft_relevant", "pir_grpo_relevant"),
    "then PIR-GRPO, easy": Row("sft_relevant", "pir_grpo_easy"),
    "then PIR-GRPO, hard": Row("sft_relevant", "pir_grpo"),
    "SFT with refusals": Row("sft"),
    "SFT with refusals, then PIR-GRPO, hard": Row("sft", "pir_grpo"),
}

#: The figures by what each is called: where 85 % of the present questions are answered, then where
#: the decoder itself says ``none``, then in whatever order it puts questions.
COLUMNS: dict[str, str] = {
    "r1_at_0.5_at_85": "R1@0.5",
    "r1_at_0.7_at_85": "R1@0.7",
    "mean_iou_at_85": "mIoU",
    "false_alarms_easy_at_85": "false alarms easy",
    "false_alarms_lookalike_at_85": "look-alike",
    "false_alarms_swap_at_85": "swap",
    "reject_f1_at_85": "reject-F1",
    "answered": "answered by itself",
    "r1_at_0.7": "R1@0.7 then",
    "reject_f1": "reject-F1 then",
    "auroc_hard": "AUROC hard, seeing",
    "auroc_hard_blind": "blind",
}

#: What partially irrelevant queries are to bring, by the row that is to be beaten.
_WITHOUT, _WITH = "then GRPO, relevant only", "then PIR-GRPO, hard"


@dataclass(frozen=True)
class Bench:
    """All that the rows share.

    Attributes:
        places: the folders of data and of kept work; its ``out`` is where runs lie.
        profile: the profile whose towers are read with.
        recipes: the settings by name, of SFT and of PIR-GRPO.
        windows: how many a decoder is chosen on, and as many it is reported on.
        one_start: whether all seeds of GRPO go on from one SFT, that of seed 0.
        chosen: whether the checkpoint counts that is best on the first half, or the last one.
    """

    places: training.Places
    profile: Profile
    recipes: Mapping[str, SftSettings | GrpoSettings]
    windows: int
    one_start: bool
    chosen: bool
    device: str
    say: Say

    @cached_property
    def prompt_builder(self) -> PromptBuilder:
        return PromptBuilder(self.profile)

    def _windows(self, *, reported: bool) -> HeldOutWindows:
        mix = self.recipes["sft"].mix
        return training.dev_windows(
            mix,
            self.places,
            self.profile,
            self.prompt_builder,
            self.windows,
            self.say,
            reported=reported,
        )

    @cached_property
    def reported(self) -> HeldOutWindows:
        """The windows of dev's other half."""
        return self._windows(reported=True)

    def similarity(self) -> dict[str, float]:
        """The figures of no decoder at all, at the threshold that is best on the first half."""
        threshold, _ = self._windows(reported=False).best_threshold()
        return self.reported.by_similarity(threshold)

    def taught(self, row: Row, seed: int) -> dict[str, float]:
        """The figures of a row's decoder, taught now or kept from a finished run."""
        last = row.sft if row.grpo is None else f"{row.sft}-{row.grpo}"
        folder = self.places.out / f"seed-{seed}" / last
        about = {
            "windows": self.windows,
            "chosen": self.chosen,
            "recipe": self._about(row, seed),
        }
        kept = folder / "reported.json"
        if kept.exists():
            found = json.loads(kept.read_text(encoding="utf-8"))
            if found["about"] == json.loads(json.dumps(about)):
                kept_figures: dict[str, float] = found["figures"]
                return kept_figures
        figures = self.reported(load_grounder(self._teach(row, seed)))
        report = {"about": about, "figures": figures, **describe()}
        with atomic_write(kept) as draft:
            draft.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        return figures

    def given(self, checkpoint: Path) -> dict[str, float]:
        """The figures of a decoder that was taught elsewhere."""
        figures = self.reported(load_grounder(checkpoint))
        self.say(f"{checkpoint.parent.name}: {json.dumps(figures)}")
        return figures

    def is_shared(self, row: Row) -> bool:
        """Whether a row is the same decoder whatever the seed."""
        return self.one_start and row.grpo is None

    def _about(self, row: Row, seed: int) -> list[dict[str, object]]:
        seeds = {row.sft: self._start_seed(seed), **({row.grpo: seed} if row.grpo else {})}
        return [asdict(replace(self.recipes[name], seed=each)) for name, each in seeds.items()]

    def _start_seed(self, seed: int) -> int:
        return 0 if self.one_start else seed

    def _teach(self, row: Row, seed: int) -> Path:
        """The best checkpoint of a row's last stage."""
        folder = self.places.out / f"seed-{seed}"
        first = self._start_seed(seed)
        start = self._by_sft(row.sft, first, self.places.out / f"seed-{first}" / row.sft)
        if row.grpo is None:
            return start
        settings = replace(self.recipes[row.grpo], seed=seed)
        assert isinstance(settings, GrpoSettings)
        self.say(f"== seed {seed}: {row.sft}, then {row.grpo}")
        return training.pir_grpo(
            settings,
            start,
            replace(self.places, out=folder / f"{row.sft}-{row.grpo}"),
            self.profile,
            device=self.device,
            trials=self._trials,
            say=self.say,
        )

    def _by_sft(self, name: str, seed: int, folder: Path) -> Path:
        """The best checkpoint of an SFT, which several rows begin with."""
        if folder not in self._begun:
            settings = replace(self.recipes[name], seed=seed)
            assert isinstance(settings, SftSettings)
            self.say(f"== seed {seed}: {name}")
            self._begun[folder] = training.sft(
                settings,
                replace(self.places, out=folder),
                self.profile,
                device=self.device,
                trials=self._trials,
                say=self.say,
            )
        return self._begun[folder]

    @property
    def _trials(self) -> int:
        """How many windows a checkpoint is chosen on; none for the last one."""
        return self.windows if self.chosen else 0

    @cached_property
    def _begun(self) -> dict[Path, Path]:
        """The best checkpoint of each SFT that was taken up so far, by its folder."""
        return {}


def spread(values: Sequence[float]) -> str:
    """The mean of seeds, and their standard deviation if there are several."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.1f}"
    return f"{mean:.1f} ± {float(np.std(values, ddof=1)):.1f}"


def table(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A GitHub table, a row of each with its seeds' figures, in percent."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---|" + "---:|" * len(COLUMNS)]
    for name, seeds in rows.items():
        cells = (spread([figures[column] for figures in seeds]) for column in COLUMNS)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gain(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str | None:
    """What hard absents bring over none, seed by seed; None without both rows."""
    if _WITH not in rows or _WITHOUT not in rows:
        return None
    told = []
    for column in ("reject_f1", "reject_f1_at_85", "r1_at_0.7", "r1_at_0.7_at_85"):
        pairs = zip(rows[_WITH], rows[_WITHOUT], strict=True)
        apart = [with_[column] - without[column] for with_, without in pairs]
        told.append(f"{column} {', '.join(f'{each:+.1f}' for each in apart)}")
    return f"hard absents against none, by seed: {'; '.join(told)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pir_grpo", description="SFT, GRPO and PIR-GRPO in one table."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures and runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--row",
        action="append",
        choices=[SIMILARITY, *ROWS],
        metavar="NAME",
        help="repeat for more rows; all of them without",
    )
    parser.add_argument(
        "--checkpoint",
        type=named_checkpoint,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a row for a decoder that was taught elsewhere; may be repeated",
    )
    parser.add_argument("--sft-steps", type=int, metavar="N", help="by default the recipe's")
    parser.add_argument("--steps", type=int, metavar="N", help="of GRPO; by default the recipe's")
    parser.add_argument("--prompts", type=int, metavar="N", help="of a step of GRPO; as above")
    parser.add_argument(
        "--one-start", action="store_true", help="let all seeds of GRPO go on from one SFT"
    )
    parser.add_argument(
        "--unchosen", action="store_true", help="let the last checkpoint of each run count"
    )
    parser.add_argument("--profile", default="nano", help="default %(default)s")
    parser.add_argument("--windows", type=int, default=2000, help="default %(default)s")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, default %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default %(default)s")
    return parser


def recipes(
    sft_steps: int | None = None, steps: int | None = None, prompts: int | None = None
) -> dict[str, SftSettings | GrpoSettings]:
    """The settings of the rows' recipes by name, as they lie beside the trainings, or shorter.

    A shorter training is looked at as often as the whole one, and warms up for the same share.
    """
    found: dict[str, SftSettings | GrpoSettings] = {}
    for row in ROWS.values():
        sft = read_settings(_RECIPES / f"{row.sft}.yaml", SftSettings)
        found[row.sft] = sft if sft_steps is None else shortened(sft, sft_steps)
        if row.grpo is not None:
            grpo = read_settings(_RECIPES / f"{row.grpo}.yaml", GrpoSettings)
            grpo = grpo if steps is None else shortened(grpo, steps)
            found[row.grpo] = grpo if prompts is None else replace(grpo, prompts=prompts)
    return found


def measure(
    bench: Bench, names: Sequence[str], seeds: Sequence[int]
) -> dict[str, list[dict[str, float]]]:
    """The figures of rows, a list of seeds each; seed by seed, so that early ones can be read."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    if SIMILARITY in rows:
        rows[SIMILARITY].append(bench.similarity())
    for seed in seeds:
        for name in names:
            if name != SIMILARITY and not (rows[name] and bench.is_shared(ROWS[name])):
                rows[name].append(bench.taught(ROWS[name], seed))
                bench.say(f"{name}, seed {seed}: {json.dumps(rows[name][-1])}")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        import torch

        torch.set_num_threads(options.threads)
        profile = load_profile(options.profile)
        # Runs on other towers are other runs.
        runs = options.work / "pir_grpo" / profile.fingerprint[:12]
        bench = Bench(
            training.Places(options.data, options.work, runs),
            profile,
            recipes(options.sft_steps, options.steps, options.prompts),
            options.windows,
            options.one_start,
            not options.unchosen,
            options.device,
            ProgressLog(partial(print, flush=True)),
        )
        names = options.row or ([] if options.checkpoint else [SIMILARITY, *ROWS])
        rows = measure(bench, list(dict.fromkeys(names)), options.seeds)
        rows |= {name: [bench.given(path)] for name, path in options.checkpoint}
    except (TempoEdgeError, ValueError) as error:
        note(f"error: {error}")
        return 2
    print(table(rows))
    told = gain(rows)
    if told is not None:
        print(f"\n{told}")
    asked = ("windows", "seeds", "sft_steps", "steps", "prompts", "one_start", "unchosen")
    print(json.dumps({**describe(), **{name: getattr(options, name) for name in asked}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
