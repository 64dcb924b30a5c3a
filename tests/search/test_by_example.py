"""Searches by example over real films: by a picture, by a moment, and with words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from harness import Said
from videos import make_video, texture

from tempo_edge import Library, QueryError
from tempo_edge.example import Example
from tempo_edge.media import jpeg
from tempo_edge.media.stills import stills_within
from tempo_edge.moment import Moment
from tempo_edge.query import Query
from tempo_edge.search.by_example import without
from tempo_edge.search.likeness import ExampleJudge
from tempo_edge.search.retrieve import retrieve


def sea(width: int, height: int, index: int) -> np.ndarray:
    """A light sky over dark water with white lines."""
    picture = np.full((height, width, 3), (150, 200, 250), np.uint8)
    picture[height // 2 :] = (10, 40, 120)
    picture[height // 2 :: 9] = 250
    return picture


def board(width: int, height: int, index: int) -> np.ndarray:
    """Black and white squares."""
    rows, columns = np.indices((height, width)) // 15
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def lamp(width: int, height: int, index: int) -> np.ndarray:
    """A yellow disc in a red room."""
    rows, columns = np.indices((height, width))
    picture = np.full((height, width, 3), (120, 10, 10), np.uint8)
    picture[np.hypot(rows - height / 2, columns - width / 2) < height / 4] = (250, 230, 60)
    return picture


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One film shows the sea at 0-3 and 6-9, and other things; the other film does not show it."""
    folder = tmp_path_factory.mktemp("films")
    small = {"size": (160, 120), "rate": Fraction(10)}
    make_video(folder / "one.mp4", shots=[(sea, 3), (board, 3), (sea, 3), (lamp, 2)], **small)
    make_video(folder / "two.mp4", shots=[(texture(11), 2), (texture(12), 2)], **small)
    return folder


@pytest.fixture(scope="module")
def library(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("library") / "library.db") as opened:
        opened.index(films)
        yield opened


def first(library: Library, like: str | Path | Example, query: str = "") -> Moment:
    """The first moment, whether it is likely enough to be shown or not."""
    answer = library.find(query, like=like)
    return [*answer.moments, *answer.rejected][0]


def picture(path: Path, seconds: float) -> bytes:
    """A JPEG of what a film shows then, cut and mirrored."""
    (frame,) = stills_within(path, seconds, None, 120)
    return jpeg.encode(np.ascontiguousarray(frame[4:-4, 4:-4][:, ::-1]))


def test_a_picture_finds_what_it_shows(library: Library, films: Path, tmp_path: Path) -> None:
    file = tmp_path / "like.jpg"
    file.write_bytes(picture(films / "one.mp4", 4.0))
    found = first(library, file)
    assert found.path.name == "one.mp4"
    assert found.start_seconds == pytest.approx(3, abs=0.2)
    assert found.end_seconds == pytest.approx(6, abs=0.2)
    assert not library.find(like=file).left_out


@pytest.mark.parametrize("times", ["0:01", "0:01-0:02", "0-3", "0:02.5-0:02.6"])
def test_a_moment_finds_the_same_elsewhere_and_leaves_itself_out(
    library: Library, films: Path, times: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempo_edge.media.open_video", None)  # nothing is decoded
    answer = library.find(like=f"{films / 'one.mp4'}@{times}")
    found = [*answer.moments, *answer.rejected]
    assert answer.left_out and answer.grounder == "curve"
    assert found[0].path.name == "one.mp4"
    assert found[0].start_seconds == pytest.approx(6, abs=0.2)
    assert found[0].end_seconds == pytest.approx(9, abs=0.2)
    assert all(each.start_seconds >= 2.8 for each in found if each.path.name == "one.mp4")


def test_a_result_is_an_example_by_the_number_of_its_video(library: Library, films: Path) -> None:
    moment = first(library, f"{films / 'one.mp4'}@1")
    again = first(library, Example.moment(f"{moment.video}@{moment.start_seconds}-8.5"))
    assert again.path == moment.path and again.end_seconds <= 3.2


def test_a_film_that_is_not_indexed_is_decoded_there(
    library: Library, films: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.mp4"
    shutil.copy(films / "one.mp4", elsewhere)
    answer = library.find(like=f"{elsewhere}@0:04-0:05")
    found = [*answer.moments, *answer.rejected][0]
    assert (found.path.name, round(found.start_seconds), answer.left_out) == ("one.mp4", 3, False)
    with pytest.raises(QueryError, match=r"the library holds no such video"):
        library.ask(Query("", like=Example.moment(f"{elsewhere}@4", is_decoded=False)))


def test_words_and_example_must_both_be_there(library: Library, films: Path) -> None:
    like = f"{films / 'one.mp4'}@4"
    with_words = library.find("clouds", like=like, min_confidence=0.0)
    assert all(moment.found_by == ("picture",) for moment in with_words)
    alone = {(m.path, m.start_seconds): m for m in library.find(like=like, min_confidence=0.0)}
    assert with_words.moments and alone
    said = library.find("a name like one.mp4", like=like, min_confidence=0.0)
    assert all(moment.found_by == ("picture",) for moment in said), "names count for nothing here"


def test_boundaries_are_made_finer_by_the_example(library: Library, films: Path) -> None:
    found = library.find(like=f"{films / 'one.mp4'}@1", refine=True, min_confidence=0.0)
    assert found.moments[0].start_seconds == pytest.approx(6, abs=0.2)


@pytest.mark.parametrize(
    ("like", "complaint"),
    [
        ("{}/one.mp4@5:00", "the video ends at 00:11.0: name an earlier time"),
        ("{}/one.mp4@0:10-0:20", "the video ends at 00:11.0: name an earlier time"),
        ("{}/none.mp4@0:10", "is neither there nor indexed"),
        ("{}/one.mp4", "is no picture: it must be JPEG.*name a moment, as film.mp4@1:23"),
        ("7777@3", "the library lists no such video"),
    ],
)
def test_what_can_not_be_looked_for_is_told(
    library: Library, films: Path, like: str, complaint: str
) -> None:
    with pytest.raises(QueryError, match=complaint):
        library.find(like=like.format(films))


def test_a_grounder_that_reads_sentences_is_refused(library: Library, films: Path) -> None:
    with pytest.raises(QueryError, match="grounder 'mllm' reads sentences, no examples: use 'cur"):
        library.find(like=f"{films / 'one.mp4'}@1", grounder="mllm")


def test_the_command_line(
    library: Library, films: Path, tempo: Callable[..., Said], library_path: Path
) -> None:
    library_path.parent.mkdir()
    library.store.back_up(library_path)
    like = f"{films / 'one.mp4'}@0:01"
    told = tempo("find", "--like", like, "--json", "--min-confidence", "0", "--no-service")
    row = json.loads(told.out.splitlines()[0])
    assert (told.status, Path(row["path"]).name, round(row["start_seconds"])) == (0, "one.mp4", 6)
    told = tempo("find", "--like", like, "--min-confidence", "0", "--no-service")
    assert f"more like {films / 'one.mp4'} 00:01.0, which is left out itself" in told.err
    for wrong in (["--like", f"{films}/one.mp4@9:00"], ["--like", like, "--like", like], []):
        told = tempo("find", "--no-service", *wrong)
        assert (told.status, told.out, len(told.err.splitlines())) == (2, "", 1)


def test_what_is_left_of_a_window(library: Library, films: Path) -> None:
    sight = library.searcher.pictures.examples.sight(Example.moment(f"{films / 'one.mp4'}@3-6"))
    assert sight.span is not None and sight.video is not None
    with library.catalogue.snapshot():
        row = library.catalogue.video(sight.video)
        window = retrieve(sight.vector, library.catalogue, library.vectors, videos=[sight.video])[0]
    parts = without(window, sight.span)
    assert [round(part.edges[0]) for part in parts] == [0, 6]
    assert [round(part.edges[-1]) for part in parts] == [3, round(row.end_seconds)]
    assert sum(len(part.pts) for part in parts) < len(window.pts)


def test_the_judge_comes_with_the_program() -> None:
    judge = ExampleJudge.shipped()
    for each in (judge.alone, judge.words):
        assert 0 < each.threshold < 1 and (each.weights != 0).any()
    assert (judge.words.weights >= 0).all(), "more of either never speaks against a span"
