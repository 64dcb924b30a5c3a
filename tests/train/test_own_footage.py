"""A decoder learns on a person's own footage, and tells what that gained and lost."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

# ruff: noqa: E402 - the imports below need the train extra
from harness import Said
from videos import make_video, motion, texture

from tempo_edge import Library
from tempo_edge.store.rows import FileRow
from tempo_edge.train.data.annotations import Annotation
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder import own_footage
from tempo_edge.train.grounder.annotated_windows import AnnotatedWindows, indexed_annotations
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings
from tempo_edge.train.grounder.model.checkpoint_files import load_grounder
from tempo_edge.train.grounder.own_footage import (
    gives_absent,
    report,
    split_by_video,
    usable_annotations,
)
from tempo_edge.train.grounder.run_length import for_sentences
from tempo_edge.train.grounder.sft import SftSettings
from tempo_edge.train.grounder.synthetic.mix import Mix

SAID = ("a man rides a horse", "two dogs run", "a red car stops")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library of three videos, and a table of what they show."""
    folder = tmp_path_factory.mktemp("footage")
    rows = ["path,start,end,sentence"]
    for seed, said in enumerate(SAID):
        shots = [(texture(10 + seed), 2), (motion(20 + seed), 3), (texture(30 + seed), 2)]
        make_video(folder / f"film{seed}.mp4", shots=shots, size=(160, 120), rate=Fraction(25))
        rows += [f"film{seed}.mp4,2,5,{said}", f"film{seed}.mp4,0,2,{said} near a house"]
    (folder / "own.csv").write_text("\n".join(rows) + "\n")
    with Library.open(folder / "films.db") as library:
        assert library.index(folder).indexed == 3
    return folder


def _command(footage: Path, kind: str, *more: object) -> tuple[object, ...]:
    where = ("--library", footage / "films.db", "--annotations", footage / "own.csv")
    return ("train", kind, *where, "--threads", "1", *more)


def test_sft_goes_on_from_the_profiles_decoder_and_tells_what_it_gained(
    tempo: Callable[..., Said], footage: Path, tmp_path: Path
) -> None:
    (tmp_path / "few.yaml").write_text("{steps: 4, batch: 2, every: 4, warmup: 1, bfloat16: false}")
    out = tmp_path / "run"
    said = tempo(*_command(footage, "sft", tmp_path / "few.yaml", "--out", out))
    assert said.status == 0, said.err
    assert "6 of 6 annotations can be used: 2 videos to learn from, 1 to measure on" in said.err
    *lines, best = said.out.splitlines()
    assert best == str(out / "best.pt")
    assert load_grounder(out / "best.pt").shape.hidden == 320, "the profile's"
    assert lines[0].startswith("8 questions on held-out videos")
    names = [line[:24].strip() for line in lines[2:]]
    assert names == ["bare similarity", "decoder before", "decoder after", "less decoder before"]
    again = tempo(*_command(footage, "sft", tmp_path / "few.yaml", "--out", out))
    assert "going on after step 4" in again.err and again.out == said.out
    (footage / "more.csv").write_text((footage / "own.csv").read_text() + "film0.mp4,0,1,sand\n")
    where = ("--library", footage / "films.db", "--annotations", footage / "more.csv")
    other = tempo("train", "sft", tmp_path / "few.yaml", *where, "--out", out)
    assert other.status == 2
    assert "was written for other settings: choose another folder" in other.err


def test_pir_grpo_needs_no_settings_file_and_no_folder(
    tempo: Callable[..., Said], footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = GrpoSettings(steps=99, every=4, prompts=32, group=2, bfloat16=False, mix=Mix(absent=0.5))
    monkeypatch.setattr(own_footage, "GRPO", many)
    said = tempo(*_command(footage, "pir-grpo"))
    assert said.status == 0, said.err
    assert "1 of 99 steps are enough: each of 4 sentences is asked for about 4 times" in said.err
    assert said.out.splitlines()[-1] == str(footage / "films-pir-grpo" / "best.pt")
    rows = (footage / "films-pir-grpo" / "log.jsonl").read_text().splitlines()
    assert {"reward", "refused_absent"} <= set(json.loads(rows[-1]))


def test_few_sentences_take_few_steps_and_many_take_no_more_than_the_settings_say() -> None:
    whole = SftSettings(steps=1200, batch=8, every=120, warmup=60, mix=Mix(absent=0.5))
    few = for_sentences(whole, 100)
    assert (few.steps, few.every, few.warmup) == (100, 8, 5)
    assert for_sentences(whole, 1200) is whole and for_sentences(whole, 5000) is whole
    tuned = GrpoSettings(steps=120, prompts=24, every=20, mix=Mix(absent=0.5))
    assert for_sentences(tuned, 100).steps == 34
    nothing_is_there = dataclasses.replace(whole, mix=Mix(absent=1.0))
    assert for_sentences(nothing_is_there, 3) is nothing_is_there


@pytest.mark.parametrize(
    "options",
    [
        ("--library", "a.db"),
        ("--annotations", "a.csv"),
        ("--data", "d", "--work", "w"),
        ("--library", "a.db", "--annotations", "a.csv", "--data", "d"),
        (),
    ],
)
@pytest.mark.parametrize("kind", ["sft", "pir-grpo"])
def test_a_training_says_what_it_needs(
    tempo: Callable[..., Said], kind: str, options: tuple[str, ...]
) -> None:
    said = tempo("train", kind, *options)
    assert said.error == (
        "give --data, --work and --out for made-up windows, "
        "or --library and --annotations for footage of your own"
    )


def test_what_is_wrong_with_footage_is_named(
    tempo: Callable[..., Said], footage: Path, tmp_path: Path
) -> None:
    nowhere = ("--library", tmp_path / "no.db", "--annotations", footage / "own.csv")
    assert tempo("train", "sft", *nowhere).error == (
        f"{tmp_path / 'no.db'} is missing: index the annotated videos into it first"
    )
    wrong = tempo(*_command(footage, "sft", "--profile", "micro"))
    assert wrong.status == 2 and "'micro'" in wrong.error
    for text, complaint in (
        ("film0.mp4,2,x,dog\n", "own.csv:1: end 'x' must be seconds, as 62.5 or 1:02.5"),
        (
            "film0.mp4,2,5,dog\nfilm0,0,2,cat\n",
            "the annotations are of 1 video: at least 2 are needed",
        ),
        ("other.mp4,2,5,dog\n", "holds none of the 1 annotated videos, such as 'other.mp4'"),
    ):
        (tmp_path / "own.csv").write_text(text)
        where = ("--library", footage / "films.db", "--annotations", tmp_path / "own.csv")
        said = tempo("train", "sft", *where)
        assert said.status == 2 and complaint in said.err and said.out == ""


def test_what_can_not_be_used_is_told(footage: Path) -> None:
    """Times after a video's end would be drawn without end, and never found."""
    wanted = [
        Annotation("film0", "sand", ((1.0, 2.0), (7.5, 9.0))),
        Annotation("film0.mp4", "grass", ((0.0, 2.0), (3.0, 3.1))),
        Annotation("film1", "late", ((60.0, 62.0),)),
        Annotation("elsewhere", "a boat", ((0.0, 1.0),)),
    ]
    told: list[str] = []
    with Library.open(footage / "films.db") as library:
        kept = usable_annotations(library, wanted, told.append)
        with pytest.raises(DataError, match="no annotation is left"):
            usable_annotations(library, wanted[2:3], told.append)
    film = str(footage / "film0.mp4")
    assert [(each.video, each.query, each.spans) for each, _ in kept] == [
        (film, "sand", ((1.0, 2.0),)),
        (film, "grass", ((0.0, 2.0),)),
    ]
    ends = ", which ends at 7.0 s"
    assert told[:4] == [
        "left out: elsewhere: not in the library",
        f"left out: 'sand' at 7.5 to 9 s: less than 0.25 s of {film}{ends}",
        f"left out: 'grass' at 3 to 3.1 s: less than 0.25 s of {film}{ends}",
        f"left out: 'late' at 60 to 62 s: less than 0.25 s of {footage / 'film1.mp4'}{ends}",
    ]


def test_held_out_videos_are_others_than_those_learned_from() -> None:
    rows = [FileRow(f"/f/{n}.mp4", "", 0, 0, "indexed", video_id=n % 10) for n in range(30)]
    annotated = [(Annotation(f"{n}", "dog", ((0.0, 1.0),)), row) for n, row in enumerate(rows)]
    learned, measured = split_by_video(annotated, 0)
    assert len(learned) + len(measured) == 30 and len(measured) == 6
    videos = [{int(each.video) % 10 for each, _ in some} for some in (learned, measured)]
    assert not videos[0] & videos[1] and len(videos[1]) == 2
    assert split_by_video(annotated, 0) == (learned, measured)
    with pytest.raises(DataError, match="of 1 video"):
        split_by_video(annotated[:1], 0)


def test_where_nothing_can_be_asked_in_vain_nothing_is(footage: Path) -> None:
    """One sentence, said of every video, of which no word can be changed."""
    span = ((0.0, 2.0),)
    with Library.open(footage / "films.db") as library:
        for said, absent in ((("xyzzy", "xyzzy"), False), (("xyzzy", "two dogs run"), True)):
            rows = [Annotation(f"film{n}", each, span) for n, each in enumerate(said)]
            annotated = indexed_annotations(library, rows)
            source = AnnotatedWindows(library, annotated, Mix(absent=0.4))
            assert gives_absent(source) == absent


def test_the_report_tells_gain_and_loss() -> None:
    names = ("r1_at_0.5_at_85", "r1_at_0.7_at_85", "mean_iou_at_85", "false_alarms_easy_at_85")
    figures = dict.fromkeys((*names, "false_alarms_swap_at_85", "auroc"), 50.0)
    after = {
        **figures,
        "auroc": 62.5,
        "mean_iou_at_85": 49.0,
        "false_alarms_easy_at_85": float("nan"),
    }
    lines = report({"bare similarity": figures, "decoder before": figures}, after, 40).splitlines()
    assert lines[-1].split() == [
        "less",
        "decoder",
        "before",
        *("+0.0", "+0.0", "-1.0", "-", "+0.0", "+12.5"),
    ]
    assert len({len(line) for line in lines[1:]}) == 1
