"""How well `copies` tells the same footage encoded again from other takes of the same scene.

Films are made of photographs: one or several, each under a slow camera, with hard cuts between
them. Each film is encoded again at other sizes, rates and by other codecs, and trimmed; and
there are other takes of it: the same photographs for the same times under another camera, some
in another light. All are indexed into one library, and `copies` is asked.

    python -m benchmarks.copies --data DATA --out OUT --split test --films 60 --seed 0
    python -m benchmarks.copies --out OUT --many 20000
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks._sources import open_archive
from benchmarks.large_library import fill
from tempo_edge import Library
from tempo_edge.holdings import Holdings

__all__ = ["main"]

_SIZE, _RATE = (320, 240), 10

Picture = NDArray[np.uint8]
View = tuple[float, float, float]

# What passes before a camera that stands still: from where to where, in shares of the picture.
Way = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shot:
    """A photograph by its number, shown for some frames from one view to another, in a light.

    Before a camera that stands still something passes, a ninth of the picture large.
    """

    photograph: int
    frames: int
    begin: View
    end: View
    gain: float = 1.0
    passer: Way | None = None


@dataclass(frozen=True)
class Version:
    """How a film is encoded: of its height, every so many frames, some frames cut off."""

    codec: str
    options: dict[str, str]
    height: int = _SIZE[1]
    step: int = 1
    trimmed: int = 0
    suffix: str = ".mp4"


_X264 = {"preset": "veryfast", "threads": "1"}
MASTER = Version("libx264", {**_X264, "crf": "18"})
#: What each kind of copy is; those that are trimmed are parts, which `copies` leaves alone.
COPIES = {
    "half the height": Version("libx264", {**_X264, "crf": "23"}, height=120),
    "a quarter": Version("libx264", {**_X264, "crf": "26"}, height=64),
    "few bits": Version("libx264", {**_X264, "crf": "36"}),
    "VP9": Version(
        "libvpx-vp9",
        {"deadline": "realtime", "cpu-used": "8", "crf": "34", "b": "0"},
        suffix=".webm",
    ),
    "HEVC, half the height": Version(
        "libx265",
        {"preset": "ultrafast", "crf": "28", "x265-params": "log-level=none:pools=1"},
        height=120,
        suffix=".mkv",
    ),
    "MPEG-4, half the rate": Version("mpeg4", {"qscale": "6"}, step=2, suffix=".avi"),
}
TRIMMED = {
    "2 s cut off the beginning": Version("libx264", {**_X264, "crf": "23"}, trimmed=20),
}


def _view(rng: random.Random) -> View:
    return rng.random(), rng.random(), rng.uniform(0.55, 0.95)


def _way(rng: random.Random) -> Way:
    return rng.random(), rng.random(), rng.random(), rng.random()


def _planned(rng: random.Random, photographs: int) -> list[Shot]:
    """A film: half of them are one scene, the others are cut of two to six."""
    count = 1 if rng.random() < 0.5 else rng.randint(2, 6)
    frames = rng.randint(5, 11) * _RATE + rng.randrange(_RATE)
    each = frames // count
    shots = []
    for _ in range(count):
        begin = _view(rng)
        stands = rng.random() < 0.4
        end, passer = (begin, _way(rng)) if stands else (_view(rng), None)
        shots.append(Shot(rng.randrange(photographs), each, begin, end, passer=passer))
    return shots


def _other_take(rng: random.Random, shots: Sequence[Shot], near: bool) -> list[Shot]:
    """The same scenes for the same times, nearly seen so, or from elsewhere in another light.

    A camera that stands still in the near take stands where it stood, and something else passes.
    """

    def moved(view: View) -> View:
        if not near:
            return _view(rng)
        x, y, scale = (each + rng.uniform(-0.12, 0.12) for each in view)
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0), min(max(scale, 0.4), 1.0)

    gain = 1.0 if near else rng.uniform(0.75, 1.2)
    takes = []
    for shot in shots:
        if shot.passer is not None:
            view = shot.begin if near else _view(rng)
            views, passer = (view, view), _way(rng)
        else:
            views, passer = (moved(shot.begin), moved(shot.end)), None
        takes.append(replace(shot, begin=views[0], end=views[1], gain=gain, passer=passer))
    return takes


def _frames(shots: Sequence[Shot], opened: Callable[[int], Picture]) -> Iterator[Picture]:
    """The pictures of a film, upscaled from its photographs."""
    from PIL import Image

    for shot in shots:
        source = Image.fromarray(opened(shot.photograph))
        for at in range(shot.frames):
            share = at / max(1, shot.frames - 1)
            x, y, scale = (a + (b - a) * share for a, b in zip(shot.begin, shot.end, strict=True))
            w, h = source.width * scale, source.height * scale
            left, top = (source.width - w) * x, (source.height - h) * y
            box = (left, top, left + w, top + h)
            picture = np.array(source.resize(_SIZE, Image.Resampling.BILINEAR, box), np.float32)
            if shot.passer is not None:
                _pass(picture, shot.passer, share)
            yield np.clip((picture - 110) * shot.gain + 110, 0, 255).astype(np.uint8)


def _pass(picture: NDArray[np.float32], way: Way, share: float) -> None:
    """Put a striped block into a picture, where it is by then."""
    x, y = (way[at] + (way[at + 2] - way[at]) * share for at in (0, 1))
    width, height = _SIZE[0] // 3, _SIZE[1] // 3
    left, top = round(x * (_SIZE[0] - width)), round(y * (_SIZE[1] - height))
    stripes = np.where(np.arange(width) // 8 % 2, 200.0, 60.0)
    picture[top : top + height, left : left + width] = stripes[None, :, None]


def _encode(path: Path, pictures: Sequence[Picture], version: Version) -> None:
    kept = pictures[version.trimmed :: version.step]
    width = _SIZE[0] * version.height // _SIZE[1] // 2 * 2
    with av.open(str(path), "w") as out:
        stream = out.add_stream(version.codec, Fraction(_RATE, version.step))
        stream.width, stream.height, stream.pix_fmt = width, version.height, "yuv420p"
        stream.options = version.options
        for picture in kept:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            out.mux(stream.encode(frame.reformat(width, version.height, "yuv420p")))
        out.mux(stream.encode(None))


def build(data: Path, out: Path, split: str, films: int, seed: int) -> None:
    """Draw and encode all versions and takes; what is there already stays."""
    from PIL import Image

    rng = random.Random(seed)
    footage = out / "footage"
    footage.mkdir(parents=True, exist_ok=True)
    archive = open_archive(data, "flickr8k")
    names = sorted(file for file, _ in archive.index if file.startswith(f"{split}/"))
    rng.shuffle(names)

    def opened(number: int) -> Picture:
        with Image.open(io.BytesIO(archive.read(names[number]))) as image:
            return np.asarray(image.convert("RGB").resize((512, 384), Image.Resampling.BICUBIC))

    for film in range(films):
        shots = _planned(rng, len(names))
        near, far = _other_take(rng, shots, True), _other_take(rng, shots, False)
        for take, planned in {"film": shots, "near": near, "far": far}.items():
            versions = {"master": MASTER, **(COPIES | TRIMMED if take == "film" else {})}
            places = {n: footage / f"{film:03} {take} {n}{v.suffix}" for n, v in versions.items()}
            if all(place.exists() for place in places.values()):
                continue
            pictures = list(_frames(planned, opened))
            for name, version in versions.items():
                _encode(places[name], pictures, version)


def measured(out: Path) -> dict[str, object]:
    """What `copies` finds in an indexed set, held against what is there."""
    began, spent = time.perf_counter(), time.process_time()
    with Holdings(out / "library.db") as held:
        names = {Path(each.file.path).stem for each in held.videos()}
        groups = held.copies(on_remark=print)
    took = time.perf_counter() - began, time.process_time() - spent
    found: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for group in groups:
        film, take, kept = Path(group.kept.listed.file.path).stem.split(" ", 2)
        for other in group.others:
            its_film, its_take, version = Path(other.listed.file.path).stem.split(" ", 2)
            right = (film, take) == (its_film, its_take) and version not in TRIMMED
            right = right and kept not in TRIMMED
            (found if right else wrong)[version if its_take == "film" else f"{its_take} take"] += 1
    there = Counter(name.split(" ", 2)[2] for name in names if " film " in name)
    takes = Counter(f"{name.split(' ', 2)[1]} take" for name in names if " film " not in name)
    others = {**takes, **{kind: there[kind] for kind in TRIMMED}}
    return {
        "videos": len(names),
        "copies found": {kind: f"{found[kind]} of {there[kind]}" for kind in COPIES},
        "taken for copies": {kind: f"{wrong[kind]} of {count}" for kind, count in others.items()},
        "wrong in all": sum(wrong.values()),
        "seconds": round(took[0], 1),
        "processor seconds": round(took[1], 1),
    }


def many(out: Path, files: int, seed: int) -> dict[str, object]:
    """What `list` and `copies` cost in a library of made-up clips, all of one length."""
    library = out / f"many {files}.db"
    if not library.exists():
        fill(out / f"many {files}", library, files, seed)
    costs = {}
    for command in ("list", "copies"):
        with tempfile.TemporaryFile() as told:
            line = [sys.executable, "-c", _PEAK, command, "--library", str(library)]
            began = time.perf_counter()
            done = subprocess.run(line, stdout=told, stderr=subprocess.PIPE, check=False)
            took = time.perf_counter() - began
        cpu, megabytes = done.stderr.split()[-2:]
        costs[command] = {
            "seconds": round(took, 1),
            "processor seconds": float(cpu),
            "megabytes": float(megabytes),
        }
    return {"files": files, **costs}


# The command line, and at its end what it cost on stderr.
_PEAK = """
import atexit, resource, sys
def leave():
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(round(used.ru_utime + used.ru_stime, 1), used.ru_maxrss // 1000, file=sys.stderr)
atexit.register(leave)
from tempo_edge.cli import main
main()
"""


def main() -> None:
    """Build the set, index it, and print what `copies` finds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with flickr8k.tar")
    parser.add_argument("--out", type=Path, required=True, help="where films and library go")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--films", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--many", type=int, help="measure cost alone, in so many made-up clips")
    asked = parser.parse_args()
    if asked.many:
        print(json.dumps(many(asked.out, asked.many, asked.seed), indent=1))
        return
    build(asked.data, asked.out, asked.split, asked.films, asked.seed)
    with Library.open(asked.out / "library.db") as library:
        library.index(asked.out / "footage")
    print(json.dumps(measured(asked.out), indent=1))


if __name__ == "__main__":
    main()
