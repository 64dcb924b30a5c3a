"""Batches of the towers: who meets, what is said of them, and what nobody may call wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")


from tempo_edge.train.data.archives import DataError, Record
from tempo_edge.train.towers.batches import (
    BatchSampler,
    TowerBatch,
    drawn_times,
    root_shares,
)
from tempo_edge.train.towers.corpus import Corpus, Labels, Pictures
from tempo_edge.train.towers.feature_cache import ViewFeatures
from tempo_edge.train.towers.recipe import TowerRecipe

RECIPE = TowerRecipe(
    batch=8, labelled_batch=8, neighbours=1, short=1.0, swapped=0.0, composed=1.0, epochs=1
)


def _pictures(records: Sequence[Sequence[Record]], labels: Labels | None = None) -> Pictures:
    """Pictures of archives whose every frame is filled with the number of its row."""
    found = Pictures([], np.empty(0, np.int64), [], [], np.empty(0, np.int64))
    archive, label = [], []
    for number, some in enumerate(records):
        count = 2 * len(some)
        maps = np.broadcast_to(np.arange(count)[:, None, None, None], (count, 24, 24, 1))
        found.views.append(
            [ViewFeatures(maps.astype(np.float16), np.zeros((count, 4), np.float16))]
        )
        for row, record in enumerate(some):
            archive.append(number)
            found.frames.append((2 * row, 2 * row + 1) if record.clip else (2 * row,))
            found.records.append(record)
            label.append(-1 if labels is None else labels.row(record))
    found.archive, found.label = np.array(archive), np.array(label, np.int64)
    return found


def _captioned(*captions: str, archive: str = "flickr8k") -> list[Record]:
    return [
        Record(archive=archive, file=f"train/{i}.jpg", captions=(said,))
        for i, said in enumerate(captions)
    ]


def _labels(*names: str, group: Sequence[int], pool: Sequence[int]) -> Labels:
    prompts = [[name.split(": ")[-1]] for name in names]
    rows = np.empty(0, np.int64)
    return Labels(list(names), prompts, rows, np.array(group), np.array(pool))


def _batch(
    captioned: Sequence[Sequence[Record]],
    labelled: Sequence[Sequence[Record]],
    labels: Labels,
    recipe: TowerRecipe = RECIPE,
) -> TowerBatch:
    corpus = Corpus(_pictures(captioned), _pictures(labelled, labels), labels)
    return next(BatchSampler(corpus, recipe).epoch())


NOTHING = _labels(group=[], pool=[])


def test_pictures_with_the_same_caption_are_both_right() -> None:
    said = _captioned("Two boxers punch.", "two boxers  punch", "a dog sleeps", "a cat sleeps")
    batch = _batch([said], [], NOTHING)
    boxing = ["boxers" in caption for caption in batch.captions]
    assert np.array_equal(batch.said[:, boxing], np.repeat(np.array(boxing)[:, None], 2, axis=1))
    assert batch.said.sum() == 2 * 2 + 2


def test_a_short_query_is_right_for_every_picture_whose_caption_holds_its_words() -> None:
    said = _captioned("a brown dog jumps", "the brown dog jumps over a log", "a man reads")
    batch = _batch([said], [], NOTHING)
    assert batch.short
    for query, meant in zip(batch.short, batch.meant, strict=True):
        of_dogs = ["dog" in caption for caption in batch.captions]
        assert meant.tolist() == (
            of_dogs
            if "reads" not in query and "man" not in query
            else [not each for each in of_dogs]
        )


def test_every_picture_must_prefer_its_sentence_to_one_with_a_word_changed() -> None:
    animals = ("dog", "cat", "horse", "cow")
    said = _captioned(*[f"a {animal} sleeps" for animal in animals], "nothing changes here")
    batch = _batch([said], [], NOTHING)
    assert batch.margins
    assert len(batch.margins) < 5
    for place, right, wrong in batch.margins:
        assert batch.captions[place] == right
        assert len(set(right.split()) ^ set(wrong.split())) == 2
    assert not batch.wrong
    none = _batch([said], [], NOTHING, dataclasses.replace(RECIPE, swap_weight=0.0))
    assert not none.margins


def test_labels_of_one_name_are_one_and_other_pools_say_nothing() -> None:
    labels = _labels("n1", "place: church", "place: lobby", group=[0, 0, 2], pool=[0, 1, 1])
    object_church = Record("imagenet_samples", "train/a.jpg", label="church", wnid="n1")
    places = [Record("places100", f"train/{name}.jpg", label=name) for name in ("church", "lobby")]
    batch = _batch([_captioned("a dog")], [[object_church], places], labels)
    kind = batch.label[1:]
    for i, one in enumerate(kind):
        for j, other in enumerate(kind):
            assert batch.named[i, j] == (labels.group[one] == labels.group[other])
            if not batch.named[i, j]:
                assert batch.told[i, j] == (labels.pool[one] == labels.pool[other])


def test_of_another_kitchen_nobody_knows_what_stands_in_it() -> None:
    labels = _labels("place: kitchen", "place: lobby", group=[0, 1], pool=[1, 1])
    kitchen = Record("places100", "train/k.jpg", label="kitchen", objects=("stove", "lamp"))
    other = Record("places100", "train/l.jpg", label="kitchen")
    lobby = Record("places100", "train/m.jpg", label="lobby")
    batch = _batch([_captioned("a dog")], [[kitchen, other, lobby]], labels)
    composed = [any(thing in each for thing in ("stove", "lamp")) for each in batch.prompts]
    assert any(composed)
    for i, mine in enumerate(batch.label[1:]):
        for j, its in enumerate(batch.label[1:]):
            if i != j and composed[j] and mine == its:
                assert not batch.named[i, j] and not batch.told[i, j]
            elif mine != its:
                assert batch.told[i, j] and not batch.named[i, j]


def test_animals_must_prefer_their_own_number() -> None:
    labels = _labels("count: two dogs", group=[0], pool=[3])
    dogs = Record("animals", "train/d.jpg", label="two dogs", counts={"dog": 2})
    batch = _batch([_captioned("a tree")], [[dogs]], labels)
    assert batch.margins
    for picture, right, wrong in batch.margins:
        assert batch.label[picture] == 0
        assert right == "two dogs"
        assert "dog" in wrong and wrong != right


def test_frames_of_a_clip_are_views_of_one_picture() -> None:
    labels = _labels("action: push-ups", group=[0], pool=[2])
    clip = Record("action_frames", "train/p_1.jpg", label="push-ups", clip="train/p.mp4")
    corpus = Corpus(_pictures([_captioned("a tree")]), _pictures([[clip]], labels), labels)
    sampler = BatchSampler(corpus, RECIPE)
    seen = {float(row[0, 0, 0]) for _ in range(20) for b in sampler.epoch() for row in b.maps[1:]}
    assert seen == {0.0, 1.0}


def test_a_small_archive_is_drawn_more_often_than_its_size() -> None:
    large, small = _captioned(*["a dog"] * 64), _captioned(*["a cat"] * 16, archive="coco_thumbs")
    tiny = _captioned("a cow", archive="coco_sentences")
    corpus = Corpus(_pictures([large, small, tiny]), _pictures([], NOTHING), NOTHING)
    said = [s for b in BatchSampler(corpus, RECIPE).epoch() for s in b.captions]
    # 64 pictures once, 16 twice, and one eight times if the recipe did not say: at most twice.
    assert len(said) == 96
    assert abs(said.count("a cat") - 32) <= 2
    assert said.count("a cow") <= 2


def test_a_label_that_training_does_not_know_is_refused() -> None:
    labels = _labels("place: kitchen", group=[0], pool=[1])
    with pytest.raises(DataError, match="has the label 'attic', which is held out or unknown"):
        labels.row(Record("places100", "train/x.jpg", label="attic"))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200))
def test_shares_are_by_the_square_root(archive: list[int]) -> None:
    shares = root_shares(np.array(archive))
    assert sum(shares.values()) == pytest.approx(1.0)
    for one in shares:
        for other in shares:
            ratio = archive.count(one) / archive.count(other)
            assert shares[one] / shares[other] == pytest.approx(ratio**0.5)


@given(
    st.lists(st.floats(0.1, 10.0), min_size=1, max_size=50),
    st.floats(0.0, 500.0),
    st.integers(0, 2**32 - 1),
)
def test_draws_are_in_proportion_to_the_nearest_whole(
    weights: list[float], count: float, seed: int
) -> None:
    wanted = np.array(weights) / sum(weights) * count
    times = drawn_times(np.array(weights), count, np.random.default_rng(seed))
    assert np.all(np.abs(times - wanted) < 1.0 + 1e-9)
