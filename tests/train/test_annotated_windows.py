"""Annotated videos of a library: examples to learn from, and questions to be measured by."""

from __future__ import annotations

import gzip
import json
import math
import shutil
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from videos import make_video, motion, texture

pytest.importorskip("torch")


from tempo_edge import Library
from tempo_edge.train.data.annotation_tables import layout_of
from tempo_edge.train.data.annotations import Annotation, read_annotations
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.annotated_windows import (
    AnnotatedWindows,
    indexed_annotations,
    whole_video,
)
from tempo_edge.train.grounder.evaluate import (
    Asked,
    EvaluateSettings,
    ask,
    clip_scores,
    evaluate,
    figures,
    questions,
)
from tempo_edge.train.grounder.prompt_builder import target_tokens
from tempo_edge.train.grounder.synthetic.mix import Mix


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(("AB12C", "v_xyz")):
        shots = [(texture(10 + seed), 3), (motion(20 + seed), 4), (texture(30 + seed), 3)]
        make_video(folder / f"{name}.mp4", shots=shots, size=(160, 120), rate=Fraction(25))
    return folder


@pytest.fixture(scope="module")
def library_path(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "library.db"
    with Library.open(path) as library:
        assert library.index(videos).indexed == 2
    return path


def test_a_table_is_read_as_people_write_it(tmp_path: Path) -> None:
    rows = [
        Annotation("trip/a.mp4", "a dog, wet", ((62.5, 70.0), (80.0, 81.0))),
        Annotation("b", "a boat", ((0.0, 3.5),)),
    ]
    lines = (
        *("path,start,end,sentence", 'trip/a.mp4,1:02.5,70,"a dog, wet"'),
        *('trip/a.mp4,80,81,"a dog, wet"', "", "b, 0, 3.5 , a boat"),
    )
    path = tmp_path / "own.csv"
    path.write_text("\ufeff" + "\r\n".join(lines))
    assert read_annotations(path) == rows
    path.write_text("\n".join(lines[1:]))
    assert read_annotations(path, "csv") == rows
    path.write_text("trip/a.mp4;0:01:02.5;70;a dog, wet\ntrip/a.mp4;80;81;a dog, wet\n")
    assert read_annotations(path) == rows[:1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "a.mp4,0,1,dog\na.mp4,x,1,dog\n",
            "own.csv:2: start 'x' must be seconds, as 62.5 or 1:02.5",
        ),
        ("a.mp4,0,-1,dog", "own.csv:1: end '-1' must be seconds"),
        ("a.mp4,0,nan,dog", "own.csv:1: end 'nan' must be seconds"),
        ("a.mp4,5,3,dog", "own.csv:1: end '3' must be after start '5'"),
        ("a.mp4,5,6,a dog, wet", "own.csv:1: 5 columns must be 4: path, start, end, sentence"),
        (",5,6,a dog", "own.csv:1: path must not be empty"),
        ("a.mp4,5,6,", "own.csv:1: sentence must not be empty"),
        ("", "own.csv must hold annotations: it is empty"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(DataError) as raised:
        read_annotations(path)
    assert complaint in str(raised.value) and "\n" not in str(raised.value)


def test_published_layouts_are_told_apart(tmp_path: Path) -> None:
    for name, text, kind in (
        (
            "qv",
            '{"qid": 1, "query": "q", "vid": "x", "relevant_windows": [[0, 2]]}',
            "qvhighlights",
        ),
        ("an", '{"v_x": {"duration": 3.0, "timestamps": [], "sentences": []}}', "activitynet"),
        ("ch", "AB 3.0 7.0##a person, seated", "charades-sta"),
        ("own", "a,0,1,dog", "csv"),
    ):
        (tmp_path / name).write_text(text)
        assert layout_of(tmp_path / name) == kind
        read_annotations(tmp_path / name)


def test_a_video_is_found_by_as_much_of_its_path_as_is_given(tmp_path: Path, videos: Path) -> None:
    for folder, name in (("one", "AB12C"), ("two", "v_xyz")):
        (tmp_path / folder).mkdir()
        shutil.copy(videos / f"{name}.mp4", tmp_path / folder / "film.mp4")
    with Library.open(tmp_path / "library.db") as library:
        library.index(tmp_path)
        for said in ("one/film.mp4", "one/film", str(tmp_path / "one" / "film.mp4")):
            ((_, row),) = indexed_annotations(library, [Annotation(said, "q", ((0.0, 1.0),))])
            assert Path(row.path).parent.name == "one"
        for said in ("film", "film.mp4"):
            with pytest.raises(DataError, match=r"is of several files, .* give more of its path"):
                indexed_annotations(library, [Annotation(said, "q", ((0.0, 1.0),))])


ANNOTATIONS = [
    Annotation("AB12C", "a man rides a horse", ((3.0, 7.0),)),
    Annotation("v_xyz", "two dogs run", ((0.0, 3.0), (7.0, 10.0))),
    Annotation("elsewhere", "a boat", ((0.0, 3.0),)),
]


def _windows(library: Library, annotations: list[Annotation], mix: Mix) -> AnnotatedWindows:
    return AnnotatedWindows(library, indexed_annotations(library, annotations), mix)


def test_every_data_set_is_read_as_published(tmp_path: Path) -> None:
    rows = [{"qid": 1, "query": "two dogs", "duration": 150, "vid": "x_0_150",
             "relevant_windows": [[0, 4], [8, 10]]}]  # fmt: skip
    with gzip.open(tmp_path / "qv.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "charades.txt").write_text("AB12C 3.0 7.0##person rides a horse.\n")
    captions = {"v_xyz": {"duration": 10.0, "timestamps": [[0, 3.0]], "sentences": [" Dogs run."]}}
    (tmp_path / "an.json").write_text(json.dumps(captions))
    assert read_annotations(tmp_path / "qv.jsonl.gz", "qvhighlights") == [
        Annotation("x_0_150", "two dogs", ((0.0, 4.0), (8.0, 10.0)))
    ]
    assert read_annotations(tmp_path / "charades.txt", "charades-sta") == [
        Annotation("AB12C", "person rides a horse.", ((3.0, 7.0),))
    ]
    assert read_annotations(tmp_path / "an.json", "activitynet") == [
        Annotation("v_xyz", "Dogs run.", ((0.0, 3.0),))
    ]
    for path, kind, complaint in (
        ("none.txt", "charades-sta", r"none\.txt is missing"),
        ("an.json", "charades-sta", r"must be 'ID start end'"),
        ("an.json", "lsmdc", "annotations 'lsmdc' must be one of qvhighlights"),
    ):
        with pytest.raises(DataError, match=complaint):
            read_annotations(tmp_path / path, kind)


def test_examples_show_what_the_library_holds_at_its_own_times(library_path: Path) -> None:
    with Library.open(library_path) as library:
        annotated = indexed_annotations(library, ANNOTATIONS)
        assert len(annotated) == len(ANNOTATIONS) - 1
        source = AnnotatedWindows(library, annotated, Mix(absent=0.0))
        rng = np.random.default_rng(0)
        for _ in range(12):
            example = source.draw(rng)
            known = {a.query: a for a in ANNOTATIONS}[example.query]
            # Ten seconds fit into one window, which begins with the video.
            assert example.looks[0].seconds == 0
            assert [(round(a, 2), round(b, 2)) for a, b in example.spans] == list(known.spans)
            said = example.boundaries.nearest(example.spans)
            assert len(said) == len(known.spans)
            assert len(target_tokens(example)) == 6 * len(said)


def test_absent_sentences_are_of_other_videos_or_nearly_true(library_path: Path) -> None:
    with Library.open(library_path) as library:
        source = _windows(library, ANNOTATIONS, Mix(absent=1.0, hard=0.5))
        rng = np.random.default_rng(1)
        drawn = [source.draw(rng) for _ in range(20)]
    assert {example.kind for example in drawn} == {"easy", "swap"}
    assert all(example.spans == () for example in drawn)
    true = {annotation.query for annotation in ANNOTATIONS}
    assert all(example.query not in true for example in drawn if example.kind == "swap")
    # What is asked in vain of one video is true of the other.
    own = {"a man rides a horse": "AB12C", "two dogs run": "v_xyz"}
    for example in drawn:
        if example.kind == "easy":
            assert example.query in own and example.about > example.shown


def test_no_sentence_is_asked_in_vain_more_often_than_others(library_path: Path) -> None:
    """One without a word to swap is asked of another video instead: its wording tells nothing."""
    annotations = [
        Annotation("AB12C", "a man sings", ((3.0, 7.0),)),
        Annotation("v_xyz", "fireworks", ((0.0, 3.0),)),
    ]
    rng, asked = np.random.default_rng(2), Counter[tuple[str, bool]]()
    with Library.open(library_path) as library:
        source = _windows(library, annotations, Mix(absent=0.5, hard=0.5))
        for _ in range(300):
            example = source.draw(rng)
            asked["fireworks" in example.query, example.kind == "present"] += 1
    for silent in (True, False):
        assert 0.4 < asked[silent, True] / (asked[silent, True] + asked[silent, False]) < 0.6


def test_a_swap_is_not_what_is_said_of_its_video_elsewhere(library_path: Path) -> None:
    annotations = [
        Annotation("AB12C", "a red car", ((3.0, 7.0),)),
        Annotation("AB12C", "the car is blue or green", ((0.0, 3.0),)),
    ]
    rng = np.random.default_rng(2)
    with Library.open(library_path) as library:
        source = _windows(library, annotations, Mix(absent=1.0, hard=1.0))
        drawn = {source.draw(rng).query for _ in range(40)}
        assert "a black car" in drawn and not {"a blue car", "a green car"} & drawn
        fog = [Annotation("AB12C", "fog", ((0.0, 3.0),))]
        nothing = _windows(library, fog, Mix(absent=1.0))
        with pytest.raises(DataError, match="1 annotations give no question where absent is 1"):
            nothing.draw(rng)


def test_a_library_without_the_videos_is_named(library_path: Path) -> None:
    with Library.open(library_path) as library:
        with pytest.raises(DataError, match="holds none of the 1 annotated videos, such as 'boat'"):
            _windows(library, [Annotation("boat", "a boat", ((0.0, 1.0),))], Mix())
        with pytest.raises(DataError, match="holds none of the 1 annotated videos"):
            ask(library, [Annotation("boat", "a boat", ((0.0, 1.0),))], EvaluateSettings())


def test_what_is_asked_repeats_under_one_seed() -> None:
    things = ("red car", "blue boat", "dog", "cat", "kitchen", "violin", "bridge", "tower")
    many = [Annotation(f"v{i}", f"a {things[i % 8]} by {i}", ((0.0, 1.0),)) for i in range(80)]
    settings = EvaluateSettings(most=40, absent=0.5, hard=0.5)
    rows = questions(many, settings)
    assert rows == questions(many, settings)
    kinds = [kind for kind, _ in rows]
    assert kinds.count("present") == 40 and kinds.count("swap") + kinds.count("easy") == 20
    assert 4 <= kinds.count("swap") <= 10
    assert all(bool(asked.spans) == (kind == "present") for kind, asked in rows)
    said = {each.video: each.query for each in many}
    for kind, asked in rows:
        assert (said[asked.video] == asked.query) == (kind == "present")
        assert (asked.query in said.values()) == (kind != "swap")
    bare = questions([many[0]], EvaluateSettings(absent=1.0, hard=0.0))
    assert bare == [("present", many[0])]  # there is no other video


def test_figures_of_answers_known_by_heart() -> None:
    true = ((0.0, 10.0),)
    rows = [
        Asked("present", true, ((0.0, 10.0, 0.9),)),
        Asked("present", true, ((0.0, 6.0, 0.8),)),
        Asked("present", true, ((20.0, 30.0, 0.2),)),
        Asked("swap", (), ((0.0, 5.0, 0.6),)),
        Asked("swap", (), ((0.0, 5.0, 0.1),)),
        Asked("easy", (), ()),
    ]
    found = figures(rows)
    assert found["r1_at_0.5"] == found["r1_at_0.3"] == 66.67
    assert found["r1_at_0.7"] == 33.33
    assert found["mean_iou"] == 53.33
    assert found["answered"] == 66.67
    assert (found["false_alarms_swap"], found["false_alarms_easy"]) == (50.0, 0.0)
    assert found["reject_f1"] == pytest.approx(2 * 2 / (2 + 1 + 3) * 100, abs=0.01)
    assert math.isnan(found["map_middle"]) and found["map_short"] > 0


def test_a_folder_is_measured_from_its_yaml(
    videos: Path, library_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "truth.txt").write_text(
        "AB12C 3.0 7.0##person rides a horse.\nv_xyz 0.0 3.0##two dogs run.\n"
    )
    settings = EvaluateSettings(
        videos=str(videos), annotations="truth.txt", kind="charades-sta", grounder="curve"
    )
    told = evaluate(settings, tmp_path, library_path, "nano", print)
    assert told["asked"]["present"] == 2
    assert {"r1_at_0.7", "map_at_0.75", "reject_f1", "calibration_error"} <= set(told["figures"])


def test_highlights_are_measured_where_annotators_valued_clips(
    videos: Path, library_path: Path, tmp_path: Path
) -> None:
    line = {"qid": 1, "vid": "AB12C", "query": "a person rides a horse", "duration": 8}
    line |= {"relevant_windows": [[2, 6]], "relevant_clip_ids": [1, 2]}
    line |= {"saliency_scores": [[4, 4, 4], [4, 4, 4]]}
    (tmp_path / "truth.jsonl").write_text(json.dumps(line) + "\n")
    settings = EvaluateSettings(
        videos=str(videos), annotations="truth.jsonl", grounder="curve", absent=0.0
    )
    found = evaluate(settings, tmp_path, library_path, "nano", print)["figures"]
    names = {f"hl_{what}_{at}" for what in ("map", "hit1") for at in ("fair", "good", "verygood")}
    assert names <= set(found)
    assert 0.0 < found["hl_map_fair"] <= 100.0 and found["hl_hit1_fair"] in (0.0, 100.0)


def test_clips_in_a_span_come_before_those_that_only_look_alike(library_path: Path) -> None:
    with Library.open(library_path) as library:
        row = next(row for row in library.files() if Path(row.path).stem == "AB12C")
        assert row.video_id is not None
        vector = library.profile.text_tower.encode(["a horse"])[0]
        window = whole_video(library, row.video_id, vector)
    bare = clip_scores(window, (), 4)
    assert max(bare) <= 1.0
    found = clip_scores(window, ((2.0, 4.0, 0.3), (6.0, 8.0, 0.2)), 4)
    assert sorted(range(4), key=lambda clip: -found[clip])[:2] == [1, 3]
    assert (found[0], found[2]) == (bare[0], bare[2])


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [({"kind": "lsmdc"}, "kind 'lsmdc'"), ({"hard": 2.0}, r"hard 2\.0"), ({"most": -1}, "most -1")],
)
def test_impossible_settings_are_named(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        EvaluateSettings(**wrong)  # type: ignore[arg-type]
