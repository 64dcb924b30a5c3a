"""Which footage is looked into: the most like the query, in the order of its best frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from invented import QUERY, Invented

from tempo_edge.search import retrieve as module
from tempo_edge.search.retrieve import WINDOWS, retrieve
from tempo_edge.search.window import Window


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Invented]:
    made = Invented(tmp_path)
    yield made
    made.catalogue.close()


def look_into(films: Invented, **choices: object) -> list[Window]:
    return retrieve(QUERY, films.catalogue, films.vectors(), **choices)  # type: ignore[arg-type]


def where(window: Window) -> tuple[int, float, float]:
    """A window's video, and its first and last look in seconds."""
    times = window.video.seconds(window.pts)
    return window.video_id, float(times[0]), float(times[-1])


@pytest.mark.parametrize("scoped", [False, True])
def test_of_sixty_films_the_best_are_looked_into(films: Invented, scoped: bool) -> None:
    order = np.random.default_rng(5).permutation(60)
    # The better a film is, the worse it begins.
    numbers = {rank: films.add([(0, 0.1 + rank / 200), (9, 0.9 - rank / 100)]) for rank in order}
    scope = list(numbers.values()) if scoped else None
    windows = look_into(films, videos=scope)
    assert [window.video_id for window in windows] == [numbers[r] for r in range(WINDOWS)]
    few = look_into(films, videos=scope, limit=3)
    assert [window.video_id for window in few] == [numbers[r] for r in range(3)]


def test_a_stretch_is_as_good_as_its_best_frame(films: Invented) -> None:
    """Not as its first, and not as its last."""
    rising = films.add([(0, 0.3), (10, 0.9)])
    falling = films.add([(0, 0.8), (10, 0.2)])
    steady = films.add([(0, 0.6), (10, 0.6)])
    assert [w.video_id for w in look_into(films)] == [rising, falling, steady]


def test_stretches_of_one_film_have_their_own_places(films: Invented) -> None:
    long = films.add([(0, 0.5), (1000, 0.2), (1010, 0.9), (2000, 0.7)])
    other = films.add([(0, 0.8)])
    assert [where(window) for window in look_into(films)] == [
        (long, 1000.0, 1010.0),
        (other, 0.0, 0.0),
        (long, 2000.0, 2000.0),
        (long, 0.0, 0.0),
    ]


def test_a_window_holds_a_minute_on_either_side_of_a_hit(
    films: Invented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HITS", 1)
    film = films.add([(at, 0.9 if at == 200 else 0.1) for at in range(0, 400, 20)])
    (window,) = look_into(films)
    assert where(window) == (film, 140.0, 260.0)
    assert window.edges.tolist() == [140.0, *range(150, 260, 20), 270.0], "halfway to the next"


def test_no_window_reaches_over_a_hole(films: Invented) -> None:
    """Two looks on either side of footage that is not there are no neighbours."""
    film = films.add([(0, 0.5), (10, 0.9), (50, 0.8), (60, 0.4)], holes=[(11, 50)])
    before, after = look_into(films)
    assert where(before) == (film, 0.0, 10.0) and where(after) == (film, 50.0, 60.0)
    assert before.edges.tolist() == [0.0, 5.0, 11.0], "and it ends where the hole begins"
    assert after.edges.tolist() == [50.0, 55.0, 61.0]


def test_a_last_look_at_the_very_end_stands_for_something(films: Invented) -> None:
    """The container may promise less than it shows: no frame stands for no time at all."""
    films.add([(0, 0.5), (10, 0.9)], seconds=10)
    (window,) = look_into(films)
    assert window.edges[-1] > window.edges[-2] and window.edges[-1] > 10


def test_a_window_ends_at_a_hole_behind_which_nothing_was_kept(films: Invented) -> None:
    """The one picture after a gap of days was damaged: no moment lasts until there."""
    film = films.add([(0, 0.5), (10, 0.9)], seconds=4_000_001, holes=[(11, 4_000_000)])
    (window,) = look_into(films)
    assert where(window) == (film, 0.0, 10.0)
    assert window.edges.tolist() == [0.0, 5.0, 11.0]
