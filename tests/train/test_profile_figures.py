"""What is measured of a profile: names, counts, and queries as people type them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("onnxruntime")


from tempo_edge.train.data.archives import Record
from tempo_edge.train.towers.counting import Counting
from tempo_edge.train.towers.gallery import Gallery
from tempo_edge.train.towers.pair_preferences import pairs
from tempo_edge.train.towers.profile_sessions import ProfileSessions
from tempo_edge.train.towers.retrieval import Floats, ranking, top1, top_k
from tempo_edge.train.towers.typed_queries import name_queries, questions, short_queries
from tempo_edge.train.towers.zero_shot import named

WORDS = ("beach", "dog", "jump", "judo", "sand", "bar")


class Bag(ProfileSessions):
    """A profile whose vector of a sentence says which of a few words it holds."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def sentences(self, sentences: Sequence[str]) -> tuple[Floats, float]:
        self.heard += sentences
        return _vectors(sentences), 1.0


def _vectors(sentences: Sequence[str]) -> Floats:
    rows = [[word in sentence for word in WORDS] for sentence in sentences]
    held = np.array(rows, np.float32) + np.float32(1e-3)
    return np.asarray(held / np.linalg.norm(held, axis=1, keepdims=True), np.float32)


def _gallery(records: Sequence[Record], seen: Sequence[str]) -> Gallery:
    labels = sorted({record.label for record in records if record.label})
    return Gallery(list(records), labels, _vectors(seen), 1.0)


def test_the_right_name_is_among_the_nearest_only_where_fewer_are_as_near() -> None:
    pictures = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
    names = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [0.0, 1.0]], np.float32)
    right = [0, 3]  # the second picture's own name ties with another, behind a third
    assert top1(pictures, names, right) == 50.0
    assert [top_k(pictures, names, right, k) for k in (1, 2, 3)] == [50.0, 50.0, 100.0]


def test_a_query_ranks_what_is_right_and_wrong_for_it_and_nothing_else() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.6], [0.1, 0.9, 0.2, 0.3]], np.float32)
    right = np.array([[False, True, False, True], [False] * 4])
    assert ranking(scores, right) == {"mean_ap": 50.0, "first_right": 0.0, "queries": 1}
    unsure = np.array([[True, False, True, True], [False] * 4])
    # What is right stays right, whatever else is said of it.
    assert ranking(scores, right, unsure) == {
        "mean_ap": 100.0,
        "first_right": 100.0,
        "queries": 1,
    }


def _animal(number: int, label: str, **counts: int) -> Record:
    return Record("animals", f"train/{number}.png", label=label, counts=counts)


ANIMALS = [
    _animal(0, "a dog", dog=1),
    _animal(1, "two dogs", dog=2),
    _animal(2, "several dogs", dog=3),
    _animal(3, "a cat", cat=1),
    _animal(4, "two cats", cat=2),
    _animal(5, "a dog and a cat", dog=1, cat=1),
    _animal(6, "several dogs", dog=7),
]


def test_animals_are_counted_among_their_own_species() -> None:
    counting = Counting(ANIMALS, [ANIMALS[at] for at in (0, 1, 5, 6, 3)])
    assert counting.labels == ["a cat", "a dog", "several dogs", "two cats", "two dogs"]
    names = np.eye(5, dtype=np.float32)
    # What the dog, the two dogs, the mixed picture, the seven dogs and the cat look like.
    seen = np.array([1, 2, 0, 2, 0])
    pictures = names[seen] + np.float32(0.1) * names[[0, 4, 1, 1, 1]]
    assert counting.shares(pictures, names) == {
        "right": 75.0,
        "balanced": 66.7,
        "majority": 50.0,
        "pictures": 4,
    }


def test_pictures_are_named_by_what_is_asked_for_and_by_the_bare_name() -> None:
    profile = Bag()
    records = [Record("sports100", f"dev/{i}.png", label=WORDS[i]) for i in (2, 3)]
    found = named(profile, _gallery(records, ["jump", "a judo fight"]), "sport")
    assert found == {"top1": 100.0, "top5": 100.0, "bare": 100.0}
    assert "judo" in profile.heard and len(profile.heard) > 4


def test_a_bare_name_seeks_its_pictures_among_those_of_other_archives() -> None:
    games = [Record("sports100", "dev/0.png", label="judo")]
    places = [Record("places100", f"dev/{i}.png", label=WORDS[i]) for i in (0, 5)]
    photographs = [
        Record("flickr8k", "dev/0.png", captions=("Sand.", "A dog runs on a beach .")),
        Record("flickr8k", "dev/1.png", captions=("A dog jumps .",)),
    ]
    seen = _gallery(photographs, ["beach", "bar"])
    labelled = [_gallery(games, ["judo"]), _gallery(places, ["sand beach", "sand bar"])]
    found = name_queries(Bag(), labelled, seen)
    # The photograph of a beach counts neither way; what looks like a bar and is none does.
    assert found == {"mean_ap": 83.3, "first_right": 66.7, "queries": 3}


def test_a_question_is_searched_for_what_it_seeks() -> None:
    profile = Bag()
    records = [
        Record("flickr8k", "dev/0.png", captions=("A dog jumps over sand .",)),
        Record("flickr8k", "dev/1.png", captions=("Sand .", "A beach .")),
    ]
    gallery = _gallery(records, ["dog jump sand", "beach"])
    found = questions(profile, gallery)
    assert profile.heard[0] == "where does a dog jump over sand?"
    assert profile.heard[3] == "a dog jump over sand"
    assert found["stripped"]["r1"] == 66.7


def test_a_pair_knows_its_caption_among_those_of_all_pictures() -> None:
    said = [["Nothing here .", "A dog runs ."], [], ["Two men sit ."]]
    sentences = [sentence for each in said for sentence in each]
    asked = pairs(said)
    assert {pair.picture for pair in asked} == {0, 2}
    for pair in asked:
        own, changed = sentences[pair.caption].split(), pair.changed.sentence.split()
        assert sum(a != b for a, b in zip(own, changed, strict=True)) == 1


def test_a_few_words_seek_every_picture_whose_captions_hold_them() -> None:
    profile = Bag()
    said = ["A dog jumps .", "The jumping dogs .", "A beach ."]
    records = [Record("flickr8k", f"dev/{i}.png", captions=(each,)) for i, each in enumerate(said)]
    found = short_queries(profile, _gallery(records, ["dog jump", "dog jump", "beach"]))
    assert found["mean_ap"] == found["first_right"] == 100.0
    assert 2 <= found["queries"] <= 3
    assert all(len(query.split()) <= 3 for query in profile.heard)
