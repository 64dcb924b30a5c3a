"""Saved searches: whether each planted moment is told once, and how many false ones there are.

``python -m benchmarks.saved --footage DIR [--footage DIR]``

1. 24 videos of one hour, made of vectors that are unrelated to what is asked, with moments planted
   that show it. ``tempo-edge saved run --tell`` is killed with SIGKILL at moments drawn by chance,
   while it tells them by a command and a webhook, until one run ends by itself.
2. Composites (``benchmarks.composites``) as footage: sentences that their truth says are in none of
   them are saved, and what they tell is false; what is told of others is right where it lies in
   their spans. Hours are scaled to a day.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.query import QUERIES, fill
from tempo_edge._system.groups import KILLED
from tempo_edge.library import Library
from tempo_edge.quantization import quantize
from tempo_edge.query import Query
from tempo_edge.saved.command import command_of
from tempo_edge.saved.deeds import Deeds
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow
from tempo_edge.store.saved import Claim

__all__ = ["main"]

_HOURS = 24
_FRAMES_PLANTED = 6
_PLANTED_IN_EACH = 2

# What a planted moment surely is, and hardly anything else.
_SURE = 0.9

# Searches of the first part; the rest of the sentences would tell the same.
_SEARCHES = QUERIES[:4]


class _Posts(ThreadingHTTPServer):
    """Counts what webhooks send, by id."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ids: Counter[str] = Counter()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, _Posts)
        self.server.ids[told["id"]] += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _posts() -> Iterator[_Posts]:
    with _Posts() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def _plant(library: Path, seed: int) -> list[tuple[str, str, float, float]]:
    """Add videos of an hour that show what is asked for, twice each.

    Gives (name of the search, path, first second, last second) of each moment.
    """
    generator = np.random.default_rng(seed)
    with Library.open(library) as opened:
        profile = opened.profile
        vectors = profile.text_tower.encode(list(_SEARCHES))
        known = opened.catalogue.videos()[-1][0]
        video = opened.catalogue.video(known)
        _, _, hour = opened.catalogue.frames_between(known, -(2**63), 2**63 - 1)
    tokens = np.zeros((1, profile.dim), np.int8)
    planted = []
    with open_store(library).writer() as catalogue:
        for number in range(_HOURS):
            packed, path = hour.copy(), f"/planted/{number:04d}.mp4"
            seconds = 3600.0 / len(packed)
            wanted = number % len(_SEARCHES)
            places = np.linspace(0.2, 0.7, _PLANTED_IN_EACH)
            for place in places:
                start = int((place + 0.1 * generator.random()) * len(packed))
                packed[start : start + _FRAMES_PLANTED] = quantize(vectors[wanted][None])
                end = start + _FRAMES_PLANTED - 1
                planted.append((f"search {wanted}", path, start * seconds, end * seconds))
            step = seconds / float(video.time_base)
            nothing = np.zeros(1, np.uint8), tokens
            frames = [
                FrameRow(int(i * step), 0.5, bool(i % 7 == 0), packed[i], *nothing)
                for i in range(len(packed))
            ]
            with catalogue.transaction():
                key = b"planted" + number.to_bytes(25, "big")
                held = catalogue.put_video(key, video, frames, np.zeros((0, 2), np.float32))
                catalogue.put_file(FileRow(path, "", 1, 1, "indexed", "", held))
    return planted


def _once(seed_library: Path, work: Path, seed: int, kills: int) -> None:
    """The first part."""
    library, fired = work / "day.db", work / "fired"
    fired.mkdir()
    fill(seed_library, library, 1, seed)
    with _posts() as posts, Library.open(library) as opened:
        command = command_of(f"mktemp {fired}/{{id}}.XXXXXXXX")
        webhook = f"http://127.0.0.1:{posts.server_address[1]}/"
        for number, text in enumerate(_SEARCHES):
            asked = SavedQuery(Query(text, grounder="curve", min_confidence=_SURE), {})
            opened.save(SavedSearch(f"search {number}", asked, Deeds(command, False, webhook)))
        planted = _plant(library, seed)
        done, seconds = _killed(library, fired, np.random.default_rng(seed), kills)
        told: list[Claim] = [
            claim
            for row in opened.catalogue.saved()
            for claim in opened.catalogue.claims(row.number)
        ]
        runs = Counter(path.name.partition(".")[0] for path in fired.iterdir())
        hit = [sum(_covers(claim, *moment) for claim in told) for moment in planted]
        print(f"planted {len(planted)} moments in {_HOURS} hours; {done} runs killed")
        print(f"{hit.count(1)} told once, {sum(n > 1 for n in hit)} more than once, ", end="")
        print(f"{hit.count(0)} never; {len(told) - sum(hit)} others told")
        print(f"nothing left to be done: {all(claim.is_told for claim in told)}")
        for name, counts in (("command", runs), ("webhook", posts.ids)):
            once = sum(counts[claim.id] == 1 for claim in told)
            more = sum(counts[claim.id] > 1 for claim in told)
            never = sum(counts[claim.id] == 0 for claim in told)
            print(f"{name}: {once} once, {more} more than once, {never} never")
        print(f"the last run, which told what was left, took {seconds:.1f} s")


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _covers(claim: Claim, search: str, path: str, start: float, end: float) -> bool:
    told = json.loads(claim.moment)
    is_of_it = told["search"] == search and told["path"] == path
    return is_of_it and claim.start_seconds < end and claim.end_seconds > start


def _killed(
    library: Path, fired: Path, generator: np.random.Generator, kills: int
) -> tuple[int, float]:
    """Tell, and kill while it tells; gives how often, and how long the last run took."""
    line = [sys.executable, "-m", "tempo_edge.cli", "saved", "run", "--tell"]
    environment = {**os.environ, "TEMPO_EDGE_LIBRARY": str(library)}
    for done in range(kills + 1):
        began, had = time.perf_counter(), _count(fired)
        with subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL) as run:
            goal = had + int(generator.integers(1, 4))
            while done < kills and run.poll() is None and _count(fired) < goal:
                time.sleep(0.001)
            if done < kills and run.poll() is None:
                time.sleep(float(generator.random()) * 0.05)
                run.kill()
            run.wait()
        if run.returncode != KILLED:
            return done, time.perf_counter() - began
    return kills, 0.0


def _asked(footage: Sequence[Path], count: int, seed: int) -> list[dict[str, Any]]:
    """Rows of the composites' truth: so many of what is there, and so many of what is not."""
    rows = []
    for folder in footage:
        for row in map(json.loads, (folder / "truth.jsonl").read_text("utf-8").splitlines()):
            rows.append({**row, "path": str(folder / row["file"]) if row["present"] else ""})
    generator = np.random.default_rng(seed)
    drawn = []
    for present in (True, False):
        some = [row for row in rows if row["present"] is present]
        drawn += [some[number] for number in sorted(generator.permutation(len(some))[:count])]
    return drawn


def _is_right(told: dict[str, Any], row: dict[str, Any]) -> bool:
    return told["path"] == row["path"] and any(
        told["start_seconds"] < end and told["end_seconds"] > start for start, end in row["spans"]
    )


def _false(library: Path, footage: Sequence[Path], count: int, seed: int) -> None:
    """The second part."""
    asked = _asked(footage, count, seed)
    with Library.open(library) as opened:
        hours, videos = opened.totals()["hours"], opened.totals()["videos"]
        for number, row in enumerate(asked):
            search = SavedSearch(f"{number:04d}", SavedQuery(Query(row["query"]), {}))
            opened.save(search, everything=True)
        began = time.perf_counter()
        opened.tell()
        seconds = time.perf_counter() - began
        told = {
            row.name: [json.loads(claim.moment) for claim in opened.catalogue.claims(row.number)]
            for row in opened.catalogue.saved()
            if row.name.isdigit()
        }
    print(f"{count} sentences of what is there and {count} of what is not, ", end="")
    print(f"over {hours:.2f} hours of {videos:.0f} videos")
    print(f"{1000 * seconds / len(asked) / videos:.1f} ms a search and video")
    for least in (0.0, 0.6, 0.7, 0.8, 0.9):
        sure = [
            [each for each in told[f"{number:04d}"] if each["confidence"] >= least]
            for number in range(len(asked))
        ]
        false = sum(len(some) for some, row in zip(sure, asked, strict=True) if not row["present"])
        right = sum(
            any(_is_right(each, row) for each in some)
            for some, row in zip(sure, asked, strict=True)
            if row["present"]
        )
        name = f"from {least}" if least else "default threshold"
        days = count * hours / 24
        print(f"{name}: {false} false moments, {false / days:.2f} a search and day; ", end="")
        print(f"{100 * right / count:.0f} % of what is there is told")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, action="append", required=True)
    parser.add_argument("--library", type=Path, help="one of that footage that was indexed already")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--sentences", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        os.environ["XDG_DATA_HOME"] = str(work / "data")
        library = work / "footage.db"
        if options.library is not None:
            shutil.copy(options.library, library)
        else:
            with Library.open(library) as opened:
                opened.index(options.footage)
        _once(library, work, options.seed, options.kills)
        _false(library, options.footage, options.sentences, options.seed)


if __name__ == "__main__":
    main()
