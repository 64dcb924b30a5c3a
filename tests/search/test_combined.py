"""And, not, then over a real library whose films are made up: each look has chosen likenesses.

All else is the real search. Terms are sentences that the profile tells apart well.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from harness import Said
from numpy.typing import NDArray

from tempo_edge import Library
from tempo_edge.answer import Answer
from tempo_edge.moment import Span
from tempo_edge.quantization import quantize
from tempo_edge.query import Query
from tempo_edge.search.combined import Combiner
from tempo_edge.search.meeting import distinct
from tempo_edge.search.reels import Reels
from tempo_edge.search.search_space import SearchSpace
from tempo_edge.search.searcher import Searcher
from tempo_edge.search.window import Looks
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow
from tempo_edge.store.vectors import Hits, Vectors
from tempo_edge.words.line import Line

DRUMS, SNOW, HORSE = "a man plays the drums", "snow on a mountain", "a horse jumps over a fence"
ABSENT = "an octopus under water"
TERMS = (DRUMS, SNOW, HORSE)

# What each shot of six seconds shows.
FILMS: dict[str, Sequence[tuple[str, ...]]] = {
    "mixed.mp4": [(DRUMS,), (), (DRUMS, SNOW), (), (SNOW,), (), (DRUMS, SNOW, HORSE), ()],
    "order.mp4": [(SNOW,), (), (HORSE,), (), (), ()],
    "apart.mp4": [(), (HORSE,), *[()] * 12, (SNOW,), ()],
}


def put(path: Path, films: dict[str, Sequence[tuple[str, ...]]]) -> None:
    """Put films whose looks, of two seconds each, show some of the terms."""
    with Library.open(path) as library:
        words = library.profile.text_tower.encode(list(TERMS)).astype(np.float64)
        pictures = library.profile.background.astype(np.float64)
        unrelated = pictures[np.argsort((pictures @ words.T).max(1))[: len(pictures) // 4]]
    rng = np.random.default_rng(5)
    with open_store(path).writer() as writer, writer.transaction():
        for name, shots in films.items():
            rows = []
            for number, shown in enumerate(shots):
                # An unrelated picture, but for how near it is to what the shot shows.
                other = unrelated[rng.integers(len(unrelated))]
                near = [
                    0.42 if term in shown else float(own)
                    for term, own in zip(TERMS, words @ other, strict=True)
                ]
                about = np.linalg.pinv(words) @ np.asarray(near)
                other = other - np.linalg.pinv(words) @ (words @ other)
                other *= np.sqrt(1 - about @ about) / np.linalg.norm(other)
                packed = quantize((about + other).astype(np.float32))
                nothing = np.zeros(0, np.uint8), np.zeros((0, len(packed)), np.int8)
                for look in range(3):
                    pts = 6000 * number + 2000 * look
                    rows.append(FrameRow(pts, 0.5, look == 0, packed, *nothing))
            length = 6.0 * len(shots)
            video = VideoRow("h264", 64, 48, length, None, Fraction(1, 1000), Fraction(0))
            curve = np.zeros((0, 2), np.float32)
            row = writer.put_video(name.encode(), video, rows, curve)
            writer.put_file(FileRow(f"/films/{name}", "", 1, 1, "indexed", "", row))
        writer.prune()


@pytest.fixture(scope="module")
def films(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(built, tmp_path_factory.mktemp("combined") / "library.db"))
    put(path, FILMS)
    return path


@pytest.fixture
def library_path(films: Path) -> Path:
    return films


@pytest.fixture
def library(films: Path) -> Library:
    with Library.open(films) as opened:
        yield opened


def places(answer: Answer) -> list[tuple[str, float, float]]:
    return [(m.path.name, m.start_seconds, m.end_seconds) for m in answer]


MIXED, ALL_THREE = ("mixed.mp4", 12.0, 18.0), ("mixed.mp4", 36.0, 42.0)


def test_and_is_where_both_are(library: Library) -> None:
    found = library.find(f"{DRUMS} AND {SNOW}")
    assert sorted(places(found)) == [MIXED, ALL_THREE]
    assert library.find(DRUMS, also=[SNOW]) == found, "an option says the same"
    for moment in found:
        one, other = moment.parts
        assert (one.text, one.role, other.text, other.role) == (DRUMS, "find", SNOW, "and")
        assert moment.confidence == pytest.approx(one.confidence * other.confidence)
        assert moment.span == one.span == other.span
    assert places(library.find(f"{DRUMS} AND {SNOW} AND {HORSE}")) == [ALL_THREE]


def test_not_takes_away_what_shows_it_though_its_search_did_not_give_that(
    library: Library,
) -> None:
    everywhere = {("mixed.mp4", 0.0, 6.0), MIXED, ALL_THREE}
    assert set(places(library.find(DRUMS))) == everywhere
    assert set(places(library.find(f"{DRUMS} NOT {HORSE}"))) == everywhere - {ALL_THREE}
    assert places(library.find(f"{DRUMS} AND {SNOW} NOT {HORSE}")) == [MIXED]
    assert places(library.find(f"{DRUMS} AND {SNOW}", without=[HORSE])) == [MIXED]
    # Soft: what is likely there takes most of the probability, and is told of.
    (held,) = (m for m in library.find(f"{DRUMS} NOT {HORSE}").rejected if m.start_seconds == 36)
    wanted, unwanted = held.parts
    assert (unwanted.role, unwanted.span) == ("not", wanted.span)
    assert held.confidence == pytest.approx(wanted.confidence * (1 - unwanted.confidence))
    assert wanted.confidence > 0.43 > held.confidence


def test_of_one_thing_that_is_there_its_own_search_knows_how_likely(library: Library) -> None:
    alone = {(m.path, m.span): m.confidence for m in library.find(DRUMS)}
    for moment in library.find(f"{DRUMS} NOT {ABSENT}"):
        assert moment.parts[0].confidence == alone[moment.path, moment.span]


def test_then_is_in_order_and_within_its_time(library: Library) -> None:
    forward = library.find(f"{SNOW} THEN {HORSE}")
    assert ("order.mp4", 0.0, 18.0) in places(forward)
    assert ("mixed.mp4", 24.0, 42.0) in places(forward)
    parts = next(m.parts for m in forward if m.path.name == "order.mp4")
    assert [(p.role, p.start_seconds, p.end_seconds) for p in parts] == [
        ("find", 0.0, 6.0),
        ("then", 12.0, 18.0),
    ]
    backward = places(library.find(f"{HORSE} THEN {SNOW}"))
    assert not [each for each in backward if each[0] == "order.mp4"]
    # In another film there are 72 seconds in between.
    assert not [each for each in backward if each[0] == "apart.mp4"]
    longer = library.find(HORSE, then=[SNOW], then_seconds=80)
    assert ("apart.mp4", 6.0, 90.0) in places(longer)


def test_one_moment_does_not_come_after_itself(library: Library) -> None:
    found = [m for m in library.find(f"{SNOW} THEN {SNOW}", min_confidence=0.0) if m.parts]
    assert ("mixed.mp4", 12.0, 30.0) in places(library.find(f"{SNOW} THEN {SNOW}"))
    for first, then in (moment.parts for moment in found):
        shorter = min(p.end_seconds - p.start_seconds for p in (first, then))
        assert first.end_seconds - then.start_seconds <= 0.25 * shorter


def test_near_is_in_either_order(library: Library) -> None:
    assert places(library.find(f"{HORSE} AND {SNOW}")) == [ALL_THREE]
    near = places(library.find(f"{HORSE} AND {SNOW}", near_seconds=10))
    assert ("order.mp4", 0.0, 18.0) in near and not [each for each in near if each[0][0] == "a"]
    assert [
        e for e in places(library.find(f"{HORSE} AND {SNOW}", near_seconds=75)) if e[0][0] == "a"
    ]


def test_an_order_may_have_scenes_of_several_things(library: Library) -> None:
    found = library.find(f"{DRUMS} NOT {SNOW} THEN {DRUMS} AND {SNOW} NOT {HORSE}")
    assert places(found) == [("mixed.mp4", 0.0, 18.0)]
    assert [p.role for p in found.moments[0].parts] == ["find", "not", "then", "and", "not"]


def test_where_one_is_nowhere_nothing_matches_and_it_is_named(
    library: Library, tempo: Callable[..., Said]
) -> None:
    answer = library.find(f"{DRUMS} AND {ABSENT}")
    assert not answer and answer.missing == (ABSENT,)
    assert not library.find(f"{DRUMS} AND {HORSE} NOT {SNOW}")
    # What is not to be there may be nowhere.
    assert places(library.find(f"{DRUMS} AND {SNOW} NOT {ABSENT}")) == places(
        library.find(f"{DRUMS} AND {SNOW}")
    )
    said = tempo("find", DRUMS, "--and", ABSENT)
    assert said.status == 1 and said.out == ""
    assert said.err.splitlines()[:2] == [
        "nothing matches",
        f'nothing matches "{ABSENT}", and without that nothing matches the whole',
    ]


def test_a_query_of_one_term_is_what_it_was(library: Library) -> None:
    one = library.find(DRUMS)
    assert one.understood is None and one == library.searcher.find(Query(DRUMS))
    assert "understood" not in one.as_dict() and "parts" not in one.rows()[0]
    assert library.find(f"{DRUMS} AND", retrieval=True) == library.find(DRUMS, retrieval=True)
    plain = library.find(f"{DRUMS} AND {SNOW}", plain=True, min_confidence=0.0)
    assert plain.understood is None and not plain.moments[0].parts


def test_k_terms_are_k_searches(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    search = Searcher.term

    def counting(self: Searcher, query: Query, *rest: object, **how: bool) -> object:
        asked.append(query.text)
        return search(self, query, *rest, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Searcher, "term", counting)
    library.find(f"{DRUMS} AND {SNOW} THEN {DRUMS} NOT {HORSE}")
    assert sorted(asked) == sorted(TERMS)


def test_words_and_pictures_meet(library: Library, tmp_path: Path) -> None:
    """One term is found by a subtitle, the other by pictures, at the same time."""
    path = Path(shutil.copy(library.path, tmp_path / "spoken.db"))
    with open_store(path).writer() as writer:
        row = writer.file("/films/mixed.mp4")
        assert row is not None and row.video_id is not None
        lines = [Line(13.0, 16.0, "subtitle", "and so the treaty of Westphalia")]
        with writer.transaction():
            writer.put_lines(row.video_id, ["subtitle"], lines)
        writer.begin_line_vectors("a model that is not this one")
    with Library.open(path) as spoken:
        found = spoken.find(f"{DRUMS} AND Westphalia")
        moment = found.moments[0]
        assert moment.path.name == "mixed.mp4"
        assert (moment.start_seconds, moment.end_seconds) == (13.0, 16.0)
        assert set(moment.found_by) == {"subtitle", "picture"}
        assert moment.text == "and so the treaty of Westphalia"
        # Words to the letter are in no picture, whatever it looks like.
        assert not spoken.find(f'{DRUMS} AND "snow on a mountain"')
        assert spoken.find(f'{DRUMS} AND "treaty of Westphalia"')


def test_every_door_says_what_was_understood(library: Library, tempo: Callable[..., Said]) -> None:
    text = f"{DRUMS} AND {SNOW} NOT {HORSE}"
    terms = [
        {"text": DRUMS, "role": "find"},
        {"text": SNOW, "role": "and"},
        {"text": HORSE, "role": "not"},
    ]
    answer = library.find(text)
    assert answer.as_dict()["understood"] == terms
    assert Answer.from_dict(json.loads(json.dumps(answer.as_dict())), "nano") == answer
    (row,) = map(json.loads, tempo("find", text, "--json").out.splitlines())
    assert row["understood"] == terms
    assert [part["role"] for part in row["parts"]] == ["find", "and", "not"]
    options = tempo("find", DRUMS, "--and", SNOW, "--not", HORSE, "--json")
    assert json.loads(options.out) == row
    then = tempo("find", SNOW, "--then", HORSE, "--then-within", "1m")
    assert then.status == 0 and "order.mp4" in then.out
    wrong = tempo("find", "dog", "AND")
    assert wrong.status == 2 and "AND at column 5 has nothing behind it" in wrong.err
    late = tempo("find", SNOW, "--then", HORSE, "--then-within", "soon")
    assert late.status == 2 and "--then-within 'soon' must be a time, such as 30s" in late.err


def test_meetings_that_lie_over_each_other_are_one(library: Library) -> None:
    with library.catalogue.snapshot():
        met = Combiner(library.searcher).find(Query(f"{DRUMS} AND {SNOW}", 99, 0.0))
    spans: dict[Path, list[Span]] = {}
    for moment in met:
        assert all(moment.span.iou(other) < 0.3 for other in spans.get(moment.path, []))
        spans.setdefault(moment.path, []).append(moment.span)
    assert distinct([]) == []


# Their looks are the same, and so is whatever is said of them: whichever is first must stay so.
TWINS = {"twin.mp4": FILMS["mixed.mp4"], "another.mp4": [*FILMS["order.mp4"], (DRUMS, HORSE)]}

EXPRESSIONS = (
    f"{DRUMS} AND {SNOW}",
    f"{DRUMS} NOT {HORSE}",
    f"{SNOW} THEN {HORSE}",
    f"{DRUMS} AND {SNOW} NOT {HORSE}",
    f"{DRUMS} AND {SNOW} THEN {HORSE}",
    f"{SNOW} NOT {DRUMS} THEN {HORSE} AND {DRUMS}",
)


@pytest.mark.parametrize("near", [0.0, 10.0])
def test_what_terms_share_changes_no_bit_of_an_answer(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, near: float
) -> None:
    path = Path(shutil.copy(films, tmp_path / "library.db"))
    put(path, TWINS)
    asked = [Query(each, 100, 0.0, near_seconds=near) for each in EXPRESSIONS]
    with Library.open(path) as library:
        shared = [library.ask(each) for each in asked]
        assert all(len(answer) > 2 for answer in shared)

        def alone(
            self: Searcher, query: Query, space: SearchSpace, *rest: object, **_: bool
        ) -> object:
            return term(self, query, self.space(query), *rest)  # type: ignore[arg-type]

        def afresh(self: Reels, video: int, low: int, high: int) -> Looks:
            return Looks.read(library.catalogue, video, library.catalogue.video(video), low, high)

        term = Searcher.term
        monkeypatch.setattr(Searcher, "term", alone)
        monkeypatch.setattr(Reels, "_looks", afresh)
        for answer, query in zip(shared, asked, strict=True):
            assert library.ask(query) == answer


def test_what_is_not_to_be_there_is_not_searched_for(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []
    search = type(library.vectors).search

    def noted(self: Vectors, query: NDArray[np.float32], k: int, *rest: object) -> Hits:
        searched.append(k)
        return search(self, query, k, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(type(library.vectors), "search", noted)
    assert library.find(f"{DRUMS} AND {SNOW} NOT {HORSE}")
    assert len(searched) == 2
