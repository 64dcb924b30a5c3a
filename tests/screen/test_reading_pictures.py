"""The real graphs find and read what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from written import written

from tempo_edge.errors import MissingExtraError
from tempo_edge.screen import models
from tempo_edge.screen.film import Look, ScreenReader, ScreenWords, is_still
from tempo_edge.screen.models import check_is_here, find_models


@pytest.fixture(scope="module")
def reader() -> ScreenReader:
    return ScreenReader(find_models(), 1)


def test_what_is_written_is_read_where_it_stands(reader: ScreenReader) -> None:
    picture = written({(60, 40): "Harbour weather", (200, 280): "Hole: 64 yards"})
    rows = reader.rows(picture)
    assert [row.text for row in rows] == ["Harbour weather", "Hole: 64 yards"]
    assert all(row.confidence > 0.9 for row in rows)
    box = rows[0].box
    assert 0.1 < box.left < 60 / 360 and 0.05 < box.top < 60 / 360
    assert 60 / 360 < box.bottom < 0.25


def test_a_part_of_a_picture_leaves_out_what_it_cuts_through(reader: ScreenReader) -> None:
    picture = written({(60, 40): "Harbour weather", (200, 280): "Second row"})
    assert [row.text for row in reader.rows(picture, (0.6, 1.0))] == ["Second row"]
    assert reader.rows(picture, (0.15, 0.6)) == []


def test_what_is_turned_is_read(reader: ScreenReader) -> None:
    from PIL import Image

    level = Image.fromarray(written({(150, 160): "Mountain railway"}, letters=36))
    turned = level.rotate(12, fillcolor=(30, 60, 90))
    assert [row.text for row in reader.rows(np.asarray(turned))] == ["Mountain railway"]


def test_a_glance_sees_small_letters_and_nothing_where_nothing_is(reader: ScreenReader) -> None:
    from PIL import Image

    picture = Image.fromarray(written({(300, 500): "small letters"}, (1280, 720), letters=28))
    small = np.asarray(picture.resize((448, 252)))
    (box,) = reader.glance(small)
    assert box.left < 300 / 720 + 0.03 and box.top < 510 / 720 < box.bottom
    assert reader.glance(written({}, (448, 252))) == []


class Drawn:
    """A picture of a film, as large as it was drawn, or its glance."""

    size = (640, 360)

    def __init__(self, x: int, text: str) -> None:
        self.picture = written({(x, 150): text})

    def rgb(self, longest: int) -> NDArray[np.uint8]:
        from PIL import Image

        share = min(1.0, longest / 640)
        return np.asarray(
            Image.fromarray(self.picture).resize((round(640 * share), round(360 * share)))
        )


def test_what_comes_after_words_that_are_known_is_read(reader: ScreenReader) -> None:
    words = ScreenWords(reader)
    shown = [(40, "Harbour weather"), (300, "Harbour weather"), (40, "Election night")]
    for place, (x, text) in enumerate(shown):
        words.take(Look(place, 3.0 * place, 3.0 * place + 3, False), Drawn(x, text))
    lines = words.lines("test", 9.0, is_over=True)
    assert [(line.start_seconds, line.end_seconds, line.text) for line in lines] == [
        (0.0, 6.0, "Harbour weather"),
        (6.0, 9.0, "Election night"),
    ]


def test_a_picture_is_still_until_a_letter_changes() -> None:
    before = written({(60, 40): "word"}, (448, 252), letters=14).mean(2).astype(np.uint8)
    after = written({(60, 40): "wore"}, (448, 252), letters=14).mean(2).astype(np.uint8)
    grain = np.random.default_rng(0).integers(0, 6, before.shape, dtype=np.uint8)
    assert is_still(before, np.maximum(before, 5) - grain)
    assert not is_still(before, after)
    assert not is_still(before, before[:, :-1])


def test_another_version_of_the_graphs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PACKAGE", "numpy")
    for look in (check_is_here, find_models):
        with pytest.raises(MissingExtraError, match=r"another version of numpy.*pip install"):
            look()
    monkeypatch.setattr(models, "PACKAGE", "no_such_package")
    for look in (check_is_here, find_models):
        with pytest.raises(MissingExtraError, match="no_such_package is not installed"):
            look()
