"""A profile at another precision: written only if it does what the first one does.

Every graph is converted, timed and compared with the one that it came from on the same inputs; with
videos whose moments are known, so is the whole search. What lost more than is allowed is not kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge.errors import ExportError
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.registry import Profile
from tempo_edge.models.sessions import open_session
from tempo_edge.models.towers import ImageTower, TextTower
from tempo_export.drafts import drafted, finish
from tempo_export.files import write_whole
from tempo_export.graphs import read_graph, versions, write_graph
from tempo_export.judge import judge
from tempo_export.precision import Precision, expanded, halved, weights_int4, weights_int8
from tempo_export.request import Progress
from tempo_export.static import Quantized, quantize_tower

__all__ = ["Allowed", "convert"]

_SENTENCES = (
    "a dog jumps over a fence",
    "two people are talking",
    "a red car on a street at night",
    "someone plays the guitar",
    "waves",
    "a man in a suit",
    "children run across a field of grass",
    "a close-up of food on a plate",
)
_BATCH = 16
_REPEATS = 5


@dataclass(frozen=True)
class Allowed:
    """The loss that is allowed.

    Attributes:
        points: points of R1@0.7 that may be lost, where videos are given.
        cosine: least cosine of a vector to what it was.
    """

    points: float = 1.0
    cosine: float = 0.95


def convert(
    profile: Profile,
    destination: Path,
    wanted: Precision,
    *,
    pictures: NDArray[np.uint8] | None = None,
    videos: Path | None = None,
    allowed: Allowed | None = None,
    replace: bool = False,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Write a profile at another precision to the folder ``destination``; gives the report.

    Args:
        pictures: real ones, uint8 ``[n, s, s, 3]``: half of them set the ranges of activations,
            the other half is what both image towers are compared on.
        videos: a folder with a ``truth.jsonl`` (:func:`~tempo_export.judge.judge`).

    Raises:
        ExportError: there is something in ``destination``, pictures are needed, the profile was
            made smaller once or is not calibrated, or more was lost than ``allowed``.
    """
    allowed = allowed or Allowed()
    stored = _precision(profile)
    if stored in ("fp16", "int8", "int4"):
        raise ExportError(
            f"profile {profile.name!r} is at {stored} already: export the one that it was made from"
        )
    if videos is not None and "calibration.json" not in profile.files:
        raise ExportError(
            f"profile {profile.name!r} is not calibrated, so nothing can be searched for on "
            f"{videos}: leave out --videos, or export it from its model with them"
        )
    if pictures is None:
        raise ExportError(f"precision {wanted!r} needs pictures to compare both image towers on")
    with drafted(destination, replace=replace) as draft:
        graphs = {}
        for file in profile.files:
            # Of weights that lie beside a graph nothing but this is wanted: they come with it.
            source = profile.checked(file)
            if file.endswith(".onnx"):
                progress(f"{file}: {wanted}")
                graphs[file] = _convert_graph(
                    profile, source, draft / file, wanted, pictures, allowed
                )
            elif not file.endswith(".data"):
                shutil.copyfile(source, draft / file)
        _record_grounder(draft)
        report: dict[str, Any] = {"precision": wanted, "graphs": graphs}
        made = finish(draft, _manifest(profile, destination.name, report, pictures))
        if videos is not None:
            progress(f"searching {videos} with both")
            report["search"] = _compare_searches(profile, made, videos, allowed)
            finish(draft, _manifest(profile, destination.name, report, pictures))
    return report


def _precision(profile: Profile) -> str | None:
    """The precision that a profile's manifest states; the built-in one states none."""
    about = json.loads((profile.folder / "profile.json").read_text(encoding="utf-8"))
    told: str | None = about.get("precision")
    return told


def _record_grounder(folder: Path) -> None:
    """A hub model has a manifest of its own, which names what it consists of: write it anew."""
    path = folder / "grounder.json"
    if not path.exists():
        return
    about = json.loads(path.read_text(encoding="utf-8"))
    about["files"] = {
        each.name: {"sha256": sha256_of(each), "bytes": each.stat().st_size}
        for each in sorted(folder.glob("grounder-*"))
    }
    write_whole(path, (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode())


def _convert_graph(
    profile: Profile,
    source: Path,
    path: Path,
    wanted: Precision,
    pictures: NDArray[np.uint8],
    allowed: Allowed,
) -> dict[str, Any]:
    """Convert one graph; gives its part of the report."""
    file = source.name
    stored, rest = _at_precision(file, read_graph(source), wanted, pictures)
    write_graph(stored, path)
    facts: dict[str, Any] = {
        "precision": rest.pop("precision", wanted),
        "bytes": {"before": source.stat().st_size, "after": path.stat().st_size},
        **versions(path),
        **rest,
    }
    if file == "image.onnx":
        half = pictures[len(pictures) // 2 :]
        before, first = _encode_pictures(source, half)
        after, then = _encode_pictures(path, half)
    elif file == "text.onnx":
        before, first = _encode_sentences(profile, source)
        after, then = _encode_sentences(profile, path)
    else:
        return facts
    cosines = (before * after).sum(axis=-1)
    facts["milliseconds"] = {"before": first, "after": then}
    facts["cosine"] = {"least": float(cosines.min()), "mean": float(cosines.mean())}
    if not cosines.min() >= allowed.cosine:
        raise ExportError(
            f"{file} at {wanted}: a vector has a cosine of {cosines.min():.3f} to what it was, "
            f"at least {allowed.cosine} is asked for; nothing was written"
        )
    return facts


def _at_precision(
    file: str, model: Any, wanted: Precision, pictures: NDArray[np.uint8]
) -> tuple[Any, dict[str, Any]]:
    """A graph at a precision, and what there is to say of how it came to that."""
    if wanted == "fp32":
        return expanded(model), {}
    if wanted == "fp16":
        return halved(model), {}
    if file != "image.onnx":
        return (weights_int8(model) if wanted == "int8" else weights_int4(model)), {}
    if wanted == "int4":
        # Convolutions have few weights and many activations: four bits save nothing there.
        return halved(model), {"precision": "fp16"}
    ranged = pictures[: len(pictures) // 2]
    done: Quantized = quantize_tower(
        model, [ranged[at : at + _BATCH] for at in _batch_starts(ranged)]
    )
    return done.model, done.report


def _batch_starts(pictures: NDArray[np.uint8]) -> Sequence[int]:
    # Calibrators stack what they see, so every batch must be as large as the first.
    return range(0, len(pictures) // _BATCH * _BATCH, _BATCH)


def _encode_pictures(path: Path, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Vectors of pictures, and the milliseconds for one."""
    tower = ImageTower(open_session(path, threads=cpu_count()))
    batches = [pictures[at : at + _BATCH] for at in range(0, len(pictures), _BATCH)]
    found = np.concatenate([tower.encode(batch)[0] for batch in batches])
    return found, _milliseconds(lambda: tower.encode(batches[0])) / len(batches[0])


def _encode_sentences(profile: Profile, path: Path) -> tuple[NDArray[np.float32], float]:
    """Vectors of sentences, and the milliseconds for one."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(profile.checked("tokenizer.json")))
    tower = TextTower(open_session(path, threads=cpu_count()), tokenizer)
    return tower.encode(_SENTENCES), _milliseconds(lambda: tower.encode(_SENTENCES[:1]))


def _milliseconds(work: Callable[[], object]) -> float:
    """The median time of several runs."""
    took = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return 1e3 * float(np.median(took))


def _compare_searches(
    before: Profile, made: Profile, videos: Path, allowed: Allowed
) -> dict[str, Any]:
    """The figures of the search with either profile.

    Raises:
        ExportError: more was lost than is allowed.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for each in ("before", "after"):
            (scratch / each).mkdir()
        after = judge(made, videos, scratch / "after")
        first = judge(before, videos, scratch / "before")
    report: dict[str, Any] = {"videos": videos.name}
    for grounder, then in after.items():
        lost = first[grounder].r1 - then.r1
        if lost > allowed.points:
            raise ExportError(
                f"R1@0.7 of {grounder} fell from {first[grounder].r1:.1f} to {then.r1:.1f}, at "
                f"most {allowed.points} points may be lost; nothing was written"
            )
        report[grounder] = {
            "same_answer": then.same_as(first[grounder]),
            "before": first[grounder].to_json(),
            "after": then.to_json(),
        }
    return report


def _manifest(
    profile: Profile, name: str, report: dict[str, Any], pictures: NDArray[np.uint8]
) -> dict[str, Any]:
    """The manifest: what the first profile says of itself, and what became of it."""
    about = json.loads((profile.folder / "profile.json").read_text(encoding="utf-8"))
    about.pop("files")
    about["name"] = name
    about["precision"] = report["precision"]
    about["converted"] = {
        "from": {"name": profile.name, "version": profile.version, "sha256": profile.files},
        "pictures": {
            "count": len(pictures),
            "sha256": hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest(),
        },
        **{key: value for key, value in report.items() if key != "precision"},
    }
    return dict(about)
