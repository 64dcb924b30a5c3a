"""What each kind of decoded picture buys: the plan with each kind left out, in one run.

``python -m benchmarks.decoded_gops --films DEV`` indexes composites made by
``benchmarks.composites`` as they are planned, once with each reason to look left out, and once with
key frames alone. The composites are so small that the pixel budget is everything there; they are
indexed once more with a budget that is to them what the real one is to 1080p. For each plan it
prints what was decoded and stored, how well the whole library and each film alone are searched, and
how far the boundaries that a moment can have lie from the true ones. Differences are paired with
the whole plan, query by query and boundary by boundary, with bootstrap 95 % intervals.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.composites import CompositeSet, load_composites
from benchmarks.grounding import ask
from benchmarks.machine import describe
from benchmarks.scoring import bootstrap_ci, top_iou
from benchmarks.stages import Stopwatch
from tempo_edge import Library
from tempo_edge._files import atomic_write
from tempo_edge.indexing.footage import Sampling
from tempo_edge.media import PacketTable, VideoInfo, pyav
from tempo_edge.models.registry import Profile, load_profile
from tempo_edge.saa import Reason, SamplingBudget, SamplingPlan
from tempo_edge.search.window import open_window

__all__ = ["PLANS", "Outcome", "main", "measure", "table"]

_BOUGHT = frozenset({Reason.GAP, Reason.SPIKE, Reason.REFRESH, Reason.PASSED})

#: Reasons left out of each plan, by the name of what is left.
PLANS: Mapping[str, frozenset[Reason]] = {
    "whole plan": frozenset(),
    **{f"no {r.value}": frozenset({r}) for r in Reason if r is not Reason.DISTANCE},
    "key frames alone": _BOUGHT,
}

# A look this much before a boundary, in seconds, is at it: containers round their times.
_ROUNDED = 0.01


@dataclass(frozen=True)
class PartialSampling(Sampling):
    """SAA without some reasons, and with the pixel budget that pictures of another size have.

    Attributes:
        left_out: reasons that nothing is looked at for.
        as_large: width and height that the budget is meant for; None for the film's own.
    """

    left_out: frozenset[Reason] = frozenset()
    as_large: tuple[int, int] | None = None

    def plan(self, table: PacketTable, info: VideoInfo) -> SamplingPlan:
        """The plan of SAA, without what is left out."""
        policy = self.policy
        if self.as_large is not None:
            share = info.width * info.height / (self.as_large[0] * self.as_large[1])
            policy = replace(
                policy,
                dense_pixels_per_second=share * policy.dense_pixels_per_second,
                refresh_pixels=share * policy.refresh_pixels,
            )
        return Sampling(policy).plan(table, info).without(self.left_out)


@dataclass(frozen=True)
class Outcome:
    """What one plan cost and gave.

    Attributes:
        decoded: pictures decoded.
        cpu_seconds: processor seconds of decoding them, reading included.
        frames: frames stored.
        hits: per present query, the tIoU of the first moment, 0 for a miss; whole library.
        alone: the same, searched in the one film that shows it, whatever the confidence.
        errors: per true boundary in seconds, by kind of transition and GOP.
    """

    decoded: int
    cpu_seconds: float
    frames: int
    hits: Sequence[float]
    alone: Sequence[float]
    errors: Mapping[str, Sequence[float]]


class _Decoding:
    """Counts what decoders give, and the processor time that they take."""

    def __init__(self) -> None:
        self.pictures = 0
        self.watch = Stopwatch()

    @contextmanager
    def watched(self) -> Iterator[None]:
        frames = self.watch.along("decode", pyav.PyAVVideo.frames)

        def counted(*args: Any) -> Iterator[Any]:
            for frame in frames(*args):
                self.pictures += 1
                yield frame
                del frame

        with mock.patch.object(pyav.PyAVVideo, "frames", counted):
            yield


def measure(
    films: CompositeSet, sampling: Sampling, scratch: Path, videos: int, profile: Profile
) -> Outcome:
    """Index the first so many films of a set with a sampling, and search them."""
    shown = films.manifest["videos"][:videos]
    names = {video["file"] for video in shown}
    queries = [q for q in films.queries if not q["present"] or q["file"] in names]
    decoding = _Decoding()
    with Library.open(scratch, profile=profile) as library:
        with decoding.watched():
            library.index([films.folder / name for name in sorted(names)], sampling=sampling)
        found = ask(library, queries, "curve")
        alone = [
            (library.find(q["query"], within=films.folder / q["file"], min_confidence=0.0), q)
            for q in queries
            if q["file"] is not None
        ]
        return Outcome(
            decoding.pictures,
            decoding.watch.seconds["decode"],
            int(library.totals()["frames"]),
            [top_iou(p, q) for p, q in zip(found, queries, strict=True) if q["present"]],
            [top_iou({"moments": _told(answer)}, q) for answer, q in alone],
            _boundary_errors(library, films.folder, shown),
        )


def _told(answer: Any) -> list[Any]:
    return [
        {
            "file": str(moment.path),
            "start_seconds": moment.start_seconds,
            "end_seconds": moment.end_seconds,
        }
        for moment in answer.moments[:1]
    ]


def _boundary_errors(
    library: Library, folder: Path, shown: Sequence[Mapping[str, Any]]
) -> dict[str, list[float]]:
    """Distances of true boundaries from where a moment can end between the looks around them."""
    errors: dict[str, list[float]] = {}
    files = library.catalogue.files()
    nothing = np.zeros(library.profile.dim, np.float32)
    for video in shown:
        row = files[str((folder / video["file"]).resolve())]
        assert row.video_id is not None
        facts = library.catalogue.video(row.video_id)
        window = open_window(nothing, library.catalogue, row.video_id, facts, -(2**62), 2**62)
        times = facts.seconds(window.pts)
        gops = "free GOPs" if video["gop_seconds"] is None else "fixed GOPs"
        for shot in video["shots"][1:]:
            start = shot["span"][0]
            edge = window.edges[np.searchsorted(times, start - _ROUNDED)]
            kind = f"{shot['transition']}, {gops}"
            errors.setdefault(kind, []).append(abs(float(edge) - start))
    return errors


def _merged(errors: Mapping[str, Sequence[float]], kind: str) -> list[float]:
    return [e for name, found in sorted(errors.items()) if name.startswith(kind) for e in found]


def _interval(values: Sequence[float], scale: float = 1.0) -> str:
    if not values:
        return "n/a"
    low, high = bootstrap_ci(values)
    return f"{scale * float(np.mean(values)):+.2f} ({scale * low:+.2f} to {scale * high:+.2f})"


def table(outcomes: Mapping[str, Outcome]) -> str:
    """GitHub markdown: what each plan cost and gave, then differences from the first one."""
    kinds = ["cut, free", "cut, fixed", "crossfade"]
    heads = ["plan", "decoded", "CPU s", "stored", "R1@0.5", "R1@0.7", "alone R1@0.5", "R1@0.7"]
    lines = [
        "| " + " | ".join([*heads, *(f"{kind}: median, p90" for kind in kinds)]) + " |",
        "|---|" + "---:|" * (len(heads) + len(kinds) - 1),
    ]
    for name, o in outcomes.items():
        cells = [str(o.decoded), f"{o.cpu_seconds:.1f}", str(o.frames)]
        for ious in (o.hits, o.alone):
            cells += [f"{100 * np.mean(np.asarray(ious) >= at):.1f}" for at in (0.5, 0.7)]
        for kind in kinds:
            errors = _merged(o.errors, kind) or [float("nan")]
            cells.append("{:.3f}, {:.2f}".format(*np.quantile(errors, [0.5, 0.9])))
        lines.append("| " + " | ".join([name, *cells]) + " |")
    whole, *others = outcomes.items()
    lines += [
        "",
        f"| less the {whole[0]} | R1@0.5 | alone R1@0.5 | alone mIoU | "
        + " | ".join(f"{kind}, mean s" for kind in kinds)
        + " |",
        "|---|" + "---:|" * (3 + len(kinds)),
    ]
    for name, o in others:
        cells = [
            _interval((1.0 * (np.asarray(a) >= at) - (np.asarray(b) >= at)).tolist(), 100)
            for a, b, at in ((o.hits, whole[1].hits, 0.5), (o.alone, whole[1].alone, 0.5))
        ]
        cells.append(_interval(np.subtract(o.alone, whole[1].alone).tolist(), 100))
        for kind in kinds:
            pair = _merged(o.errors, kind), _merged(whole[1].errors, kind)
            cells.append(_interval(np.subtract(*pair).tolist()))
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def _size(text: str) -> tuple[int, int] | None:
    if text == "own":
        return None
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} must be own or a size such as 1920x1080")
    return int(width), int(height)


def _policy(text: str) -> tuple[str, SamplingBudget]:
    kinds = {name: type(value) for name, value in asdict(SamplingBudget()).items()}
    changes: dict[str, Any] = {}
    for change in text.split(","):
        name, _, value = change.partition("=")
        if name not in kinds:
            raise argparse.ArgumentTypeError(f"{name!r} must be one of {', '.join(kinds)}")
        changes[name] = kinds[name](value)
    return text, SamplingBudget(**changes)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--films", type=Path, required=True, help="composites, never the test set")
    parser.add_argument("--videos", type=int, default=1000, help="only the first so many of them")
    parser.add_argument(
        "--as-large",
        type=_size,
        nargs="+",
        default=[(1920, 1080), None],
        help="sizes of picture that the pixel budget is scaled from; own: not scaled",
    )
    parser.add_argument(
        "--plans", nargs="+", choices=list(PLANS), default=list(PLANS), help="the first is whole"
    )
    parser.add_argument(
        "--try",
        dest="tries",
        type=_policy,
        nargs="+",
        default=[],
        metavar="LIMIT=VALUE",
        help="one more plan each, with another limit (or more, by commas) of SamplingBudget",
    )
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args(arguments)
    films, profile = load_composites(options.films), load_profile("nano")
    results: dict[str, dict[str, Outcome]] = {}
    about = describe()
    print(json.dumps(about))
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate(options.as_large):
            budget = "own size" if size is None else "as {}x{}".format(*size)
            found = results.setdefault(budget, {})
            plans = {name: PartialSampling(left_out=PLANS[name]) for name in options.plans}
            plans |= {str(changes): PartialSampling(policy) for changes, policy in options.tries}
            for name, sampling in plans.items():
                began = time.perf_counter()
                sampling = replace(sampling, as_large=size)
                scratch = Path(folder) / f"{number}-{len(found)}.db"
                found[name] = measure(films, sampling, scratch, options.videos, profile)
                took = time.perf_counter() - began
                print(f"{budget}, {name}: {took:.0f} s", file=sys.stderr, flush=True)
            print(f"\nPixel budget {budget}:\n\n{table(found)}", flush=True)
    if options.json is not None:
        told = {b: {n: vars(o) for n, o in found.items()} for b, found in results.items()}
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps({**about, "results": told}) + "\n")


if __name__ == "__main__":
    main()
