"""What is read of words on the screen, and what that costs.

``python -m benchmarks.screen_words`` draws known words into the frames of a film, in five sizes and
three scripts, a shot for each, encodes it, indexes it and reads it, as ``index --words screen``
does. A shot's words are found if a line that is there for half of the shot or more holds all their
letters; a line is wrong if it is no shot's words. With ``--films DIR`` the films of a folder are
read too: what an hour of them costs, and what was read.

The letters come from matplotlib's DejaVu Sans and from IPAexGothic (``matplotlib-fontja``): the
extra ``bench``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.usage import of_children
from tempo_edge.library import Library
from tempo_edge.screen.following import letters_of
from tempo_edge.words.line import Line

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from tempo_edge.indexing.report import IndexEvent

__all__ = ["Read", "Shot", "main", "read", "scores", "shots_of", "write_film"]

#: Heights of letters, as shares of a picture's height.
SIZES = (0.03, 0.04, 0.06, 0.09, 0.14)

#: Words of each script; what is drawn is two of them, or one.
WORDS = {
    "Latin": (
        *("HARBOUR", "Weather", "Zürich", "Flughafen", "Market", "Élysée", "MORNING", "Election"),
        *("Budget", "São", "Orchestra", "Museum", "Olympic", "Railway", "Señor", "Council"),
        *("Breaking", "Kitchen", "Mountain", "Łódź", "Garden", "Finale"),
    ),
    "Chinese": (
        *("天氣預報", "世界新聞", "北京大學", "體育中心", "國家公園", "人民日報", "上海機場"),
        *("春季音樂會", "地鐵路線", "歷史博物館", "金融市場", "健康生活", "交通安全"),
        "文化之旅",
    ),
    "Japanese": (
        *("ニュース速報", "おはようございます", "スポーツ", "東京タワー", "天気は晴れ"),
        *("コーヒーの作り方", "いただきます", "バスケットボール", "ありがとう", "新幹線のりば"),
        *("カメラ", "しずかな海", "オリンピック", "まもなく出発"),
    ),
}

_SIZE = 1280, 720
# Few pictures a second, so that the budget of sampling has room for a look at each shot.
_RATE, _SHOT_SECONDS = 5, 4


@dataclass(frozen=True)
class Shot:
    """A shot of the film: the words in it, their script, and their height in shares of its own."""

    text: str
    script: str
    size: float


def shots_of(count: int, seed: int) -> list[Shot]:
    """Shots with words of all scripts and sizes in turn; which words, the seed says."""
    draw = np.random.default_rng(seed)
    cells = [(script, size) for size in SIZES for script in WORDS]
    shots = []
    for number in range(count):
        script, size = cells[number % len(cells)]
        words = draw.choice(
            WORDS[script], 2 if script == "Latin" and size < SIZES[-1] else 1, False
        )
        shots.append(Shot(" ".join(str(word) for word in words), script, size))
    return shots


def _font(script: str, pixels: int) -> FreeTypeFont:
    from PIL.ImageFont import truetype

    if script == "Latin":
        from matplotlib.font_manager import findfont

        return truetype(findfont("DejaVu Sans"), pixels)
    import matplotlib_fontja

    folder = Path(matplotlib_fontja.__file__).parent / "fonts"
    return truetype(folder / "ipaexg.ttf", pixels)


def _ground(draw: np.random.Generator) -> NDArray[np.uint8]:
    """A picture with soft forms and some grain, as footage has behind its titles."""
    from PIL.Image import Resampling, fromarray

    coarse = draw.integers(0, 256, (6, 10, 3), dtype=np.uint8)
    soft = np.asarray(fromarray(coarse).resize(_SIZE, Resampling.BICUBIC), np.float32)
    grain = draw.normal(0, 6, (*soft.shape[:2], 1))
    return np.clip(soft * 0.8 + grain, 0, 255).astype(np.uint8)


def _drawn(shot: Shot, draw: np.random.Generator) -> NDArray[np.uint8]:
    """The picture of a shot: words in white on a dark bar, in black on a light one, or outlined."""
    from PIL.Image import fromarray
    from PIL.ImageDraw import Draw

    picture = fromarray(_ground(draw))
    font = _font(shot.script, round(shot.size * _SIZE[1]))
    pen = Draw(picture)
    left, top, right, bottom = pen.textbbox((0, 0), shot.text, font)
    x = float(draw.uniform(20, max(21, _SIZE[0] - right - 20)))
    y = float(draw.uniform(20, _SIZE[1] - bottom - 20))
    style = draw.integers(3)
    if style < 2:
        margin = shot.size * _SIZE[1] * 0.3
        box = x + left - margin, y + top - margin, x + right + margin, y + bottom + margin
        pen.rectangle(box, fill=(20, 30, 60) if style else (235, 235, 225))
    ink = (10, 10, 10) if style == 0 else (250, 250, 250)
    outline = 2 if style == 2 else 0
    pen.text((x, y), shot.text, ink, font, stroke_width=outline, stroke_fill=(0, 0, 0))
    return np.asarray(picture, np.uint8)


def write_film(path: Path, shots: Sequence[Shot], seed: int) -> None:
    """Encode the shots, one after the other, as H.264."""
    import av
    from av.video.frame import VideoFrame

    draw = np.random.default_rng(seed + 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"preset": "veryfast"})
        stream.width, stream.height = _SIZE
        stream.pix_fmt = "yuv420p"
        for shot in shots:
            frame = VideoFrame.from_ndarray(_drawn(shot, draw), format="rgb24")
            for _ in range(_RATE * _SHOT_SECONDS):
                frame.pts = None
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@dataclass(frozen=True)
class Scores:
    """Found and drawn words by (script, size), and the lines that are wrong."""

    found: dict[tuple[str, float], int]
    drawn: dict[tuple[str, float], int]
    missed: tuple[Shot, ...]
    wrong: tuple[Line, ...]


def scores(shots: Sequence[Shot], lines: Sequence[Line]) -> Scores:
    """Hold lines against the shots of a film, each :data:`_SHOT_SECONDS` long."""
    found: dict[tuple[str, float], int] = defaultdict(int)
    drawn: dict[tuple[str, float], int] = defaultdict(int)
    missed, right = [], set()
    for number, shot in enumerate(shots):
        start, end = number * _SHOT_SECONDS, (number + 1) * _SHOT_SECONDS
        wanted = letters_of(shot.text)
        hits = {
            place
            for place, line in enumerate(lines)
            if min(line.end_seconds, end) - max(line.start_seconds, start) >= _SHOT_SECONDS / 2
            and wanted == letters_of(line.text)
        }
        right |= hits
        drawn[shot.script, shot.size] += 1
        found[shot.script, shot.size] += bool(hits)
        if not hits:
            missed.append(shot)
    wrong = tuple(line for place, line in enumerate(lines) if place not in right)
    return Scores(dict(found), dict(drawn), tuple(missed), wrong)


@dataclass(frozen=True)
class Read:
    """A film that was read: its seconds, the seconds that took, and the lines on its screen."""

    path: Path
    footage_seconds: float
    took_seconds: float
    lines: tuple[Line, ...]


def read(films: Sequence[Path], folder: Path) -> list[Read]:
    """Index films into a library in a folder, and read what is on their screens."""
    with Library.open(folder / "library.db") as library:
        library.index(films, words="none")
        began: dict[str, float] = {}
        took: dict[str, tuple[float, float]] = {}

        def note(event: IndexEvent) -> None:
            now = time.perf_counter()
            if event.kind == "scanning":
                began.setdefault(event.path, now)
            elif event.kind == "scanned":
                took[event.path] = event.total_seconds, now - began[event.path]

        library.index(films, words="screen", on_event=note)
        with library.catalogue.snapshot():
            return [
                Read(Path(path), *took[path], _on_screen(library, row.video_id))
                for path, row in sorted(library.catalogue.files().items())
                if path in took and row.video_id is not None
            ]


def _on_screen(library: Library, video_id: int) -> tuple[Line, ...]:
    return tuple(line for line in library.catalogue.lines(video_id) if line.kind == "screen")


def _report(result: Scores) -> None:
    print(f"| letters, of the picture's height | {' | '.join(WORDS)} |")
    print(f"|---|{'---:|' * len(WORDS)}")
    for size in SIZES:
        cells = [
            f"{result.found.get((script, size), 0)} of {result.drawn.get((script, size), 0)}"
            for script in WORDS
        ]
        print(f"| {size:.0%} | {' | '.join(cells)} |")
    print(f"found {sum(result.found.values())} of {sum(result.drawn.values())}")
    print(f"wrong {len(result.wrong)}")
    for shot in result.missed:
        print(f"  missed: {shot.text} ({shot.size:.0%})")
    for line in result.wrong:
        print(f"  wrong: {line.start_seconds:.1f} to {line.end_seconds:.1f}: {line.text}")


def main() -> None:
    """Draw, index, read, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--films", type=Path, help="a folder of films: what an hour of them costs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shots = shots_of(asked.frames, asked.seed)
        film = folder / "drawn.mp4"
        write_film(film, shots, asked.seed)
        (drawn,) = read([film], folder)
        _report(scores(shots, drawn.lines))
        processor = _processor_seconds()
        _say_cost(drawn.footage_seconds, drawn.took_seconds, processor)
        if asked.films is not None:
            films = sorted(path for path in asked.films.iterdir() if path.is_file())
            found = [each for each in read(films, folder) if each.path != film]
            _cost(found, _processor_seconds() - processor)


def _cost(films: Sequence[Read], processor: float) -> None:
    """Say what an hour of films costs, and what stands in them."""
    for each in films:
        print(
            f"{each.path.name}: {each.footage_seconds:.0f} s in {each.took_seconds:.1f} s, "
            f"{len(each.lines)} lines"
        )
        for line in each.lines:
            span = f"{line.start_seconds:.1f} to {line.end_seconds:.1f}"
            print(f"  {span} ({line.confidence:.2f}): {line.text}")
    footage = sum(each.footage_seconds for each in films)
    if footage:
        _say_cost(footage, sum(each.took_seconds for each in films), processor)


def _say_cost(footage: float, spent: float, processor: float) -> None:
    print(
        f"{footage:.0f} s of footage in {spent:.0f} s, {processor:.0f} s of processor: an hour in "
        f"{spent / footage * 60:.1f} min, {processor / footage * 60:.1f} min of processor"
    )


def _processor_seconds() -> float:
    """What processes that this one has started have spent: nothing but reading has any."""
    return of_children().cpu_seconds


if __name__ == "__main__":
    main()
