"""Lines of words among pictures: what is found of 300 subtitles, and how fast among millions.

``python -m benchmarks.words --clips DIR`` lays the 300 lines of ``benchmarks/said.tsv``, in nine
languages, over real clips as files of subtitles beside them, indexes all of it, and asks for each
line and for a paraphrase of it. What is absent is asked of a library that holds the other half of
the lines. ``python -m benchmarks.words --large LIBRARY --captions FILE`` fills a library that
``benchmarks.query --keep`` made with lines, and measures searches with and without words.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.query import QUERIES
from benchmarks.usage import of_children
from tempo_edge.answer import Answer
from tempo_edge.evaluation.line_fitting import fill, halves_of
from tempo_edge.library import Library
from tempo_edge.models.line_encoder import LineEncoder
from tempo_edge.models.registry import load_profile
from tempo_edge.quantization import quantize
from tempo_edge.store.opening import open_store
from tempo_edge.words.line import Line

__all__ = ["main"]

_TABLE = Path(__file__).with_name("said.tsv")

# A start this far from that of the line is right.
_CLOSE_SECONDS = 0.3

# Lines of a synthetic video, and sentences whose vectors are moved a little for each of them.
_LINES_OF_A_VIDEO, _SEEDS = 2000, 1000

_KINDS = ("subtitle",)


@dataclass(frozen=True)
class Placed:
    """A line of the table, and where it is said."""

    language: str
    text: str
    paraphrase: str
    file: str
    start: float


def lay(clips: Path, folder: Path) -> list[Placed]:
    """Copy clips into a folder, and write the table's lines beside them as subtitles."""
    rows = [row for half in halves_of(_TABLE) for row in half]
    files = sorted(path for path in clips.iterdir() if path.suffix in (".mp4", ".mov", ".webm"))
    with Library.open(folder.parent / "lengths.db") as library:
        library.index(files, words="none")
        catalogue = library.catalogue
        seconds = {
            Path(row.path).name: catalogue.video(row.video_id).duration_seconds
            for row in library.files()
            if row.video_id is not None
        }
    files = [path for path in files if path.name in seconds]
    whole, placed = sum(seconds.values()), []
    for number, file in enumerate(files):
        shutil.copy(file, folder / file.name)
        count = round(seconds[file.name] / whole * len(rows)) if number < len(files) - 1 else 10**6
        part, rows = rows[:count], rows[count:]
        step = seconds[file.name] / max(len(part), 1)
        blocks = []
        for at, (language, text, paraphrase) in enumerate(part):
            placed.append(Placed(language, text, paraphrase, file.name, step * at))
            times = f"{_clock(step * at)} --> {_clock(step * (at + 0.95))}"
            blocks.append(f"{at + 1}\n{times}\n{text}\n")
        (folder / file.name).with_suffix(".srt").write_text("\n".join(blocks), encoding="utf-8")
    return placed


def _clock(seconds: float) -> str:
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"00:{minutes:02d}:{milliseconds // 1000:02d},{milliseconds % 1000:03d}"


def _place_of(answer: Answer, line: Placed) -> int:
    """The place of a line in an answer, from 1 on; 0 where it isn't in it."""
    for place, moment in enumerate(answer, start=1):
        is_near = abs(moment.start_seconds - line.start) <= _CLOSE_SECONDS
        if moment.path.name == line.file and is_near:
            return place
    return 0


def found(library: Library, placed: Sequence[Placed]) -> list[str]:
    """Rows of the table: how often a line is first, and a paraphrase's among the first five."""
    held_out = {tuple(row) for row in halves_of(_TABLE)[1]}
    rows = []
    for name, of in (
        ("all", placed),
        ("held out", [p for p in placed if (p.language, p.text, p.paraphrase) in held_out]),
        ("English", [p for p in placed if p.language == "en"]),
        ("other languages", [p for p in placed if p.language != "en"]),
    ):
        exact = [_place_of(library.find(line.text), line) for line in of]
        near = [_place_of(library.find(line.paraphrase, min_confidence=0), line) for line in of]
        shown = [_place_of(library.find(line.paraphrase), line) for line in of]
        cells = [
            _share([place == 1 for place in exact]),
            *(_share([0 < place <= 5 for place in places]) for places in (near, shown)),
        ]
        rows.append(f"| {name} | {len(of)} | {' | '.join(cells)} |")
    return rows


def answered(scratch: Path) -> str:
    """The share of absent sentences, lines and paraphrases, that some line answers."""
    encoder, halves = LineEncoder(load_profile("nano")), halves_of(_TABLE)
    shares = []
    for number, (here, elsewhere) in enumerate((halves, halves[::-1])):
        path = scratch / f"half{number}.db"
        with Library.open(path) as empty, open_store(path).writer() as writer:
            writer.set_meta("profile", empty.profile.fingerprint)
            fill(writer, [row[1] for row in here], encoder)
        with Library.open(path) as library:
            asked = [text for row in elsewhere for text in row[1:]]
            shares.append([bool(library.find(text, said=True).moments) for text in asked])
    fitted, held_out = shares[1], shares[0]
    return f"{_share(fitted + held_out)} of {len(fitted + held_out)}; held out {_share(held_out)}"


def _share(of: Sequence[bool]) -> str:
    return f"{100 * float(np.mean(of)):.1f} %"


def fill_large(library: Path, captions: Path, count: int, seed: int) -> None:
    """Give every video of a library lines, each of parts of two captions, until there are so many.

    Their vectors are those of some such lines, each moved a little. A video's lines depend on the
    seed and on it alone, and one that has lines keeps them: a killed run goes on.
    """
    with gzip.open(captions, "rt", encoding="utf-8") as file:
        words = [line.split() for line in file]
    encoder = LineEncoder(load_profile("nano"))
    rng = random.Random(seed)
    seeds = encoder.encode([_spliced(words, rng) for _ in range(_SEEDS)])
    with open_store(library).writer() as catalogue:
        if catalogue.line_model() != encoder.digest:
            catalogue.begin_line_vectors(encoder.digest)
        for video, seconds in catalogue.videos()[: -(-count // _LINES_OF_A_VIDEO)]:
            if catalogue.lines(video):
                continue
            rng, generator = random.Random(f"{seed} {video}"), np.random.default_rng([seed, video])
            step = seconds / _LINES_OF_A_VIDEO
            spans = [(step * at, step * (at + 0.9)) for at in range(_LINES_OF_A_VIDEO)]
            lines = [Line(*span, "subtitle", _spliced(words, rng)) for span in spans]
            catalogue.put_lines(video, _KINDS, lines)
            hits = catalogue.lines_to_read(2 * _LINES_OF_A_VIDEO)
            drawn = generator.normal(0, 0.6 / seeds.shape[1] ** 0.5, (len(hits), seeds.shape[1]))
            moved = quantize(seeds[generator.integers(len(seeds), size=len(hits))] + drawn)
            catalogue.put_line_vectors(hits[-1].id, [hit.id for hit in hits], moved)


def _spliced(words: Sequence[Sequence[str]], rng: random.Random) -> str:
    """The beginning of one caption and the end of another."""
    first, second = rng.choice(words), rng.choice(words)
    return " ".join([*first[: rng.randint(2, 6)], *second[-rng.randint(2, 6) :]])[:200]


def speed(library: Path, runs: int) -> list[str]:
    """Rows of the table: searches by everything, by pictures and by what is said."""
    rows = []
    with Library.open(library) as opened:
        with opened.catalogue.snapshot():
            opened.store.line_vectors(opened.catalogue).refresh(writing=True)
        rows.append(_row("warm, everything", opened.find, runs))
        rows.append(_row("warm, `--seen`", lambda query: opened.find(query, seen=True), runs))
        rows.append(_row("warm, `--said`", lambda query: opened.find(query, said=True), runs))
    rows.append(_row("cold, everything", lambda query: _cold(library, query), 8))
    rows.append(_row("cold, `--seen`", lambda query: _cold(library, query, "--seen"), 8))
    return rows


def holds_lines(library: Path) -> bool:
    """Whether a library was given lines before."""
    with open_store(library).reader() as catalogue:
        return bool(catalogue.line_model())


def speed_without_lines(library: Path, runs: int) -> list[str]:
    """Rows of the table: searches of a library that holds no lines yet."""
    with Library.open(library) as opened:
        opened.vectors.refresh()
        warm = _row("warm, no lines in it", opened.find, runs)
    return [warm, _row("cold, no lines in it", lambda query: _cold(library, query), 8)]


def _cold(library: Path, query: str, *options: str) -> None:
    """Search in a process of its own."""
    command = [sys.executable, "-m", "tempo_edge.cli", "find", "--library", str(library)]
    done = subprocess.run([*command, *options, query], capture_output=True, check=False)
    if done.returncode == 2:
        raise SystemExit(done.stderr.decode())


def _row(name: str, ask: Callable[[str], object], runs: int) -> str:
    times = []
    for query in QUERIES:
        ask(query)
    for run in range(runs):
        wall, cpu = time.perf_counter(), _processor_seconds()
        ask(QUERIES[run % len(QUERIES)])
        times.append((time.perf_counter() - wall, _processor_seconds() - cpu))
    walls, cpus = np.asarray(times).T * 1e3
    figures = [np.median(walls), np.quantile(walls, 0.95), np.median(cpus)]
    return f"| {name} | {' | '.join(f'{figure:.0f} ms' for figure in figures)} |"


def _processor_seconds() -> float:
    """What this process and its children that ended have used of processors."""
    return time.process_time() + of_children().cpu_seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, help="a folder of real clips")
    parser.add_argument("--large", type=Path, help="a library that benchmarks.query made")
    parser.add_argument("--captions", type=Path, help="flickr30k_train_captions.txt.gz")
    parser.add_argument("--lines", type=int, default=2_000_000, help="in the large library")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(json.dumps(describe()))
    if options.clips is not None:
        with tempfile.TemporaryDirectory() as temporary:
            scratch = Path(temporary)
            folder = scratch / "clips"
            folder.mkdir()
            placed = lay(options.clips, folder)
            with Library.open(scratch / "library.db") as library:
                library.index([folder])
                print("| lines | number | exact: first | paraphrase: in five | shown in five |")
                print("|---|---:|---:|---:|---:|")
                print("\n".join(found(library, placed)))
            print(f"absent sentences answered: {answered(scratch)}")
    if options.large is not None:
        print("| find | median | 95th percentile | CPU |\n|---|---:|---:|---:|")
        if options.captions is not None:
            if not holds_lines(options.large):
                print("\n".join(speed_without_lines(options.large, options.runs)), flush=True)
            fill_large(options.large, options.captions, options.lines, options.seed)
        print("\n".join(speed(options.large, options.runs)))


if __name__ == "__main__":
    main()
