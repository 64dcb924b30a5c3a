"""And, not, then: expressions against one sentence that says it all.

``python -m benchmarks.combined --data DATA --films DIR`` indexes a folder made by
``benchmarks.composites`` (or opens the library named by ``--library``) and asks for what can be
told of its pictures by their captions: what two or more of the five mention is there, what none
mentions is not, and of the rest nothing is known, so that it counts for nobody. Asked are two
things in one shot, two things that never share one, and one thing without another, all in a few
films; and one shot after another, in order and the other way round, in all of them; each as an
expression and as a sentence. Which films and which of all possible queries is drawn by a seed.

On development composites ``--fit`` prints what the log-odds of a span become at a place that is
named (``tempo_edge/search/glance.py``), and ``--sweep`` what other operating points would give
(``tempo_edge/search/meeting.py``). On test composites neither is asked for.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks._sources import Split, photographs, real_clips
from benchmarks.composites import load_composites
from benchmarks.machine import describe
from tempo_edge import Library, Moment
from tempo_edge.moment import Span
from tempo_edge.query import Query
from tempo_edge.search import combined, meeting
from tempo_edge.search.calibrate import fit_logistic, log_odds

__all__ = ["Asked", "Shot", "main", "queries"]

# What a caption mentions, by the term that asks for it.
THINGS = {
    "a dog": "dog dogs puppy puppies",
    "a man": "man men guy guys",
    "a woman": "woman women lady ladies",
    "a child": "child children kid kids boy boys girl girls toddler baby",
    "a ball": "ball balls football basketball baseball soccer volleyball tennis",
    "a bicycle": "bike bikes bicycle bicycles biker bicyclist cyclist cyclists",
    "a hat": "hat hats cap helmet helmets",
    "people": "person people man men woman women lady guy boy boys girl girls child children kid "
    "kids toddler baby crowd group couple player players skier snowboarder climber rider surfer "
    "hiker hikers skateboarder biker cyclist someone",
}
PLACES = {
    "snow": "snow snowy snowbank ski skier skiing snowboard snowboarder snowboarding",
    "a beach": "beach shore sand sandy",
    "water": "water pool ocean lake river sea wave waves stream surf surfer swimming splashing "
    "swims pond creek",
    "grass": "grass grassy lawn field yard meadow",
    "a street": "street road sidewalk city crosswalk pavement",
    "a mountain": "mountain mountains cliff rock rocks rocky hill climber climbing climbs",
}
_WITHIN = {
    "snow": "in the snow",
    "a beach": "on a beach",
    "water": "in the water",
    "grass": "on the grass",
    "a street": "on a street",
    "a mountain": "on a mountain",
}
_ALL = {**THINGS, **PLACES}

# Captions that mention a thing for it to be there.
_SURE = 2

# Groups of films that queries are drawn from, and films of a group.
_GROUPS, _FILMS = 12, 12

_LIMIT = 10


@dataclass(frozen=True)
class Shot:
    """A shot of a film: its file, its span, and how many captions mention each term.

    Attributes:
        caption: the first of its captions; ``is_told``: whether there are enough to tell of what
            is not there.
    """

    file: str
    start: float
    end: float
    mentions: dict[str, int]
    caption: str
    is_told: bool

    def has(self, term: str) -> bool | None:
        """Whether a term is there; None where that isn't known."""
        count = self.mentions[term]
        return True if count >= _SURE else None if count else False


@dataclass(frozen=True)
class Asked:
    """A query in both ways, and the shots that are right and wrong for it.

    Attributes:
        kind: ``and``, ``absent``, ``not``, ``then`` or ``shuffled``.
        right, wrong: shots; of an order the two that follow each other are the right ones.
        films: the files that are searched; None for all.
    """

    kind: str
    expression: str
    sentence: str
    right: tuple[Shot, ...]
    wrong: tuple[Shot, ...]
    films: frozenset[str] | None = None


def _mentions(captions: Sequence[str]) -> dict[str, int]:
    said = [set(re.findall("[a-z]+", caption.lower())) for caption in captions]
    return {
        term: sum(bool(words & set(listed.split())) for words in said)
        for term, listed in _ALL.items()
    }


def shots(data: Path, films: Path) -> list[Shot]:
    """The shots of a folder of composites whose pictures have five captions."""
    composites = load_composites(films)
    split: Split = composites.manifest["request"]["split"]
    captions = {item.file: item.captions for item in photographs(data, split, (1, 1))}
    if composites.manifest["request"]["clips"]:
        captions.update((item.file, item.captions) for item in real_clips(data, (1, 1)))
    found = []
    for video in composites.manifest["videos"]:
        for shot in video["shots"]:
            said = captions.get(shot["item"], ())
            if said:
                mentions = _mentions(said)
                is_told = len(said) >= 2 * _SURE
                if not is_told:  # a clip's one caption tells of nothing else that it has
                    mentions = {term: min(count + 1, 1) for term, count in mentions.items()}
                start, end = shot["span"]
                found.append(Shot(video["file"], start, end, mentions, said[0], is_told))
    return found


def queries(known: Sequence[Shot], seed: int, most: int) -> list[Asked]:
    """What is asked, by rule, drawn by a seed: of each kind so many at most."""
    generator = random.Random(seed)
    files = sorted({shot.file for shot in known})
    told = sorted(set(files) - {shot.file for shot in known if not shot.is_told})

    def groups(some: list[str]) -> list[list[str]]:
        return [generator.sample(some, min(_FILMS, len(some))) for _ in range(_GROUPS)]

    any_films, told_films = groups(files), groups(told)
    chosen: list[Asked] = []
    for kind in (_together, _apart, _without):
        every = [
            replace(asked, films=frozenset(group))
            for group in (told_films if kind is _apart else any_films)
            for asked in kind([shot for shot in known if shot.file in group])
        ]
        chosen += generator.sample(every, min(most, len(every)))
    return chosen + _orders(known, generator, most)


def _together(known: Sequence[Shot]) -> Iterator[Asked]:
    for thing, place in product(THINGS, PLACES):
        right = tuple(s for s in known if s.has(thing) and s.has(place))
        wrong = tuple(s for s in known if s.has(thing) is False or s.has(place) is False)
        if right:
            yield Asked("and", f"{thing} AND {place}", f"{thing} {_WITHIN[place]}", right, wrong)


def _apart(known: Sequence[Shot]) -> Iterator[Asked]:
    """Two things of which each is in the films, and never both in one shot."""
    for one, other in product(_ALL, _ALL):
        if one >= other or set(_ALL[one].split()) & set(_ALL[other].split()):
            continue
        each = [sum(bool(s.has(term)) for s in known) for term in (one, other)]
        if min(each) >= 2 and all(False in (s.has(one), s.has(other)) for s in known):
            within = _WITHIN.get(other, f"with {other}")
            yield Asked("absent", f"{one} AND {other}", f"{one} {within}", (), tuple(known))


def _without(known: Sequence[Shot]) -> Iterator[Asked]:
    for one, other in product(_ALL, _ALL):
        if one == other or set(_ALL[one].split()) <= set(_ALL[other].split()):
            continue
        right = tuple(s for s in known if s.has(one) and s.has(other) is False)
        wrong = tuple(s for s in known if s.has(one) is False or s.has(other))
        both = [s for s in known if s.has(one) and s.has(other)]
        if len(right) >= 2 and len(both) >= 2:
            yield Asked("not", f"{one} NOT {other}", f"{one} without {other}", right, wrong)


def _orders(known: Sequence[Shot], generator: random.Random, most: int) -> list[Asked]:
    """Two shots of a film, in order and the other way round."""
    films: dict[str, list[Shot]] = {}
    for shot in known:
        films.setdefault(shot.file, []).append(shot)
    pairs = [
        (first, second)
        for film in films.values()
        for first in film
        for second in film
        if first.end <= second.start <= first.end + 20 and first.caption != second.caption
    ]
    found = []
    for first, second in generator.sample(pairs, min(most, len(pairs))):
        a, b = (_plain(each.caption) for each in (first, second))
        found.append(Asked("then", f"{a} THEN {b}", f"{a}, then {b}", (first, second), ()))
        found.append(Asked("shuffled", f"{b} THEN {a}", f"{b}, then {a}", (), (first, second)))
    return found


def _plain(caption: str) -> str:
    return re.sub(r"\b(AND|NOT|THEN)\b", lambda word: word[0].lower(), caption).replace('"', "")


@dataclass(frozen=True)
class _Shown:
    """A moment: how likely, and of which shots most of it is: right ones, wrong ones, unknown."""

    confidence: float
    is_right: bool | None
    shots: frozenset[Shot] = frozenset()


def _judged(moment: Moment, asked: Asked) -> _Shown:
    def share(shot: Shot) -> float:
        if shot.file != moment.path.name:
            return 0.0
        return max(0.0, min(shot.end, moment.end_seconds) - max(shot.start, moment.start_seconds))

    if asked.kind in ("then", "shuffled"):
        places = [part.span for part in moment.parts if part.role != "not"] or [moment.span]
        is_right = bool(asked.right) and all(
            moment.path.name == shot.file
            and shot.start <= (part.start_seconds + part.end_seconds) / 2 < shot.end
            for part, shot in zip(places, asked.right, strict=False)
        )
        return _Shown(moment.confidence, is_right)
    length = moment.end_seconds - moment.start_seconds
    hit = frozenset(id(s) for s in asked.right if share(s) >= 0.5 * min(length, s.end - s.start))
    right, wrong = sum(map(share, asked.right)), sum(map(share, asked.wrong))
    label = True if right >= 0.5 * length else False if wrong >= 0.5 * length else None
    return _Shown(moment.confidence, label, hit if label else frozenset())  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Outcome:
    """What was shown for a query, the best first, and all that might have been."""

    asked: Asked
    shown: list[_Shown]
    every: list[_Shown]


def _videos(library: Library, asked: Asked) -> frozenset[int] | None:
    """The ids of the films that are searched; None for all."""
    if asked.films is None:
        return None
    rows = [row for row in library.files() if Path(row.path).name in asked.films]
    return frozenset(row.video_id for row in rows if row.video_id is not None)


def _ask(library: Library, asked: Asked, text: str, plain: bool, sweep: bool) -> _Outcome:
    videos = _videos(library, asked)

    def judged(least: float | None, limit: int) -> list[_Shown]:
        query = Query(text, limit, least, plain=plain, videos=videos)
        return [_judged(moment, asked) for moment in library.ask(query)]

    return _Outcome(asked, judged(None, _LIMIT), judged(0.0, 100) if sweep else [])


def _figures(outcomes: Sequence[_Outcome]) -> list[str]:
    """Answered, precision and recall of what is shown, average precision of the whole ranking."""
    answered = [o for o in outcomes if o.shown]
    right = sum(s.is_right is True for o in outcomes for s in o.shown)
    wrong = sum(s.is_right is False for o in outcomes for s in o.shown)
    cells = [f"{100 * len(answered) / max(1, len(outcomes)):.0f}"]
    if outcomes[0].asked.kind in ("then", "shuffled"):
        first = sum(bool(o.shown) and o.shown[0].is_right is True for o in outcomes)
        return [*cells, f"{100 * first / len(outcomes):.0f}" if outcomes[0].asked.right else "—"]
    recalls = [
        len(frozenset().union(*(s.shots for s in o.shown))) / min(_LIMIT, len(o.asked.right))
        for o in outcomes
        if o.asked.right
    ]
    precise = 100 * right / max(1, right + wrong)
    if not recalls:
        return [*cells, str(right + wrong), "—", "—", "—"]
    aps = [_average_precision(o) for o in outcomes if o.every] or [float("nan")]
    return [
        *cells,
        str(right + wrong),
        f"{precise:.1f}",
        f"{100 * float(np.mean(recalls)):.1f}",
        f"{100 * float(np.mean(aps)):.1f}",
    ]


def _average_precision(outcome: _Outcome) -> float:
    """The average precision of all moments in the order of their confidence."""
    seen: set[object] = set()
    total, rank = 0.0, 0
    for each in outcome.every:
        if each.is_right is None:
            continue
        rank += 1
        new = each.shots - seen
        if each.is_right and new:
            seen |= new
            total += len(new) * len(seen) / max(rank, len(seen))
    return total / len(outcome.asked.right)


def _tell(name: str, outcomes: Sequence[_Outcome]) -> None:
    if outcomes:
        print(f"| {name} | {len(outcomes)} | " + " | ".join(_figures(outcomes)) + " |")


def _removed(library: Library, asked: Sequence[Asked], known: Sequence[Shot]) -> None:
    """What of the moments of a term is removed at every level of what is not to be there."""
    right: list[float] = []
    wrong: list[float] = []
    for each in asked:
        if each.kind != "not":
            continue
        query = Query(each.expression, 100, 0.0, videos=_videos(library, each))
        unwanted = query.expression.terms[1].text
        for moment in library.ask(query):
            inside = [s for s in known if _most_of(moment, s)]
            has = inside[0].has(unwanted) if len(inside) == 1 else None
            wanted = inside[0].has(query.text.split(" NOT ")[0]) if len(inside) == 1 else None
            if wanted and has is not None:
                (wrong if has else right).append(moment.parts[1].confidence)
    print(f"moments that show the term: {len(right)} without the other, {len(wrong)} with it")
    print("| it is there from | right ones lost % | wrong ones removed % |")
    for level in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        lost, removed = (100 * float(np.mean(np.asarray(c) >= level)) for c in (right, wrong))
        print(f"| {level} | {lost:.1f} | {removed:.1f} |")


def _most_of(moment: Moment, shot: Shot) -> bool:
    """Whether most of a moment lies in a shot."""
    shared = min(shot.end, moment.end_seconds) - max(shot.start, moment.start_seconds)
    length = moment.end_seconds - moment.start_seconds
    return shot.file == moment.path.name and shared >= 0.5 * length


def _fit(library: Library, known: Sequence[Shot]) -> None:
    """Print slope and bias that log-odds at a shot take, shots with a term and without balanced."""
    rows = [row for row in library.files() if row.video_id is not None]
    ids = {Path(row.path).name: row.video_id for row in rows}
    odds: list[float] = []
    there: list[bool] = []
    with library.catalogue.snapshot():
        for term in _ALL:
            query = Query(term)
            glance = library.searcher.term(query, library.searcher.space(query)).glance
            for shot in known:
                has, video = shot.has(term), ids.get(shot.file)
                if glance is not None and has is not None and video is not None:
                    odds.append(log_odds(glance.likelihood(video, Span(shot.start, shot.end))))
                    there.append(has)
    slope, bias = fit_logistic(np.asarray(odds)[:, None], np.asarray(there))
    print(f"{len(odds)} shots and terms, {100 * np.mean(there):.0f} % there: ", end="")
    print(f"slope {float(slope[0]):.3f}, bias {bias:.3f}")


def _sweep(outcomes: dict[tuple[str, str], list[_Outcome]]) -> None:
    """What is shown at other operating points: of the product of all that is to be there."""
    for (kind, way), some in outcomes.items():
        for level in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.43, 0.5):
            at = [
                _Outcome(o.asked, [s for s in o.every if s.confidence >= level][:_LIMIT], o.every)
                for o in some
            ]
            _tell(f"{kind}, {way}, from {level}", at)


def measure(library: Library, asked: Sequence[Asked], sweep: bool) -> None:
    """Ask everything in both ways and print a table."""
    ways: dict[str, Callable[[Asked], str]] = {
        "expression": lambda each: each.expression,
        "sentence": lambda each: each.sentence,
        "first term": lambda each: re.split(" (?:AND|NOT|THEN) ", each.expression)[0],
    }
    outcomes: dict[tuple[str, str], list[_Outcome]] = {}
    for each in asked:
        for way, text in ways.items():
            if way == "first term" and each.kind != "not":
                continue
            found = _ask(library, each, text(each), plain=way != "expression", sweep=sweep)
            outcomes.setdefault((each.kind, way), []).append(found)
    print("| asked | queries | answered % | shown | precision | recall | average precision |")
    for (kind, way), some in outcomes.items():
        _tell(f"{kind}, {way}", some)
    if sweep:
        _sweep(outcomes)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives")
    parser.add_argument("--films", type=Path, required=True, help="composites")
    parser.add_argument("--library", type=Path, help="a library that holds them already")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=40, help="queries of each kind")
    parser.add_argument("--fit", action="store_true", help="slope and bias at a named place")
    parser.add_argument("--sweep", action="store_true", help="other operating points as well")
    chosen = parser.parse_args(arguments)
    print(describe())
    known = shots(chosen.data, chosen.films)
    asked = queries(known, chosen.seed, chosen.most)
    points = (
        *(meeting.EACH_FROM, meeting.SURE_FROM, meeting.ORDER_FROM),
        *(meeting.THERE_FROM, combined.NOTHING_BELOW),
    )
    print(f"seed {chosen.seed}, operating points {points}")
    with tempfile.TemporaryDirectory() as scratch:
        place = chosen.library or Path(scratch, "library.db")
        with Library.open(place) as library:
            if chosen.library is None:
                library.index(chosen.films)
            measure(library, asked, chosen.sweep)
            _removed(library, asked, known)
            if chosen.fit:
                _fit(library, known)


if __name__ == "__main__":
    main()
