"""ONNX Runtime's providers: vectors and spans of the built-in profile on each, against the CPU's.

The CPU's own are held against those of the graphs as they are published, nothing in them optimised.
"""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tempo_edge._extras import pip_command
from tempo_edge._system.nvidia import why_no_nvidia
from tempo_edge.models import Profile, load_profile
from tempo_edge.models.providers import NAMES, load_onnxruntime, plan, standings
from tempo_edge.models.sessions import open_on_cpu, open_with
from tempo_edge.models.shapes import PICTURES, Shapes, joined
from tempo_edge.proof.attempt import attempt
from tempo_edge.proof.part import AbsentError, Budget, Figure, Part, Row, verdict
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.decoder import AnswerDecoder, Reply
from tempo_edge.search.grounders.prompt import FrameTokens, Question, build
from tempo_edge.search.similarity import CurveSettings

__all__ = ["ImageVectors", "engines_here", "nearness", "pictures", "standing_of"]

#: The pictures ``[n, s, s, 3]`` of a batch to the vectors of them.
ImageVectors = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_PROFILE = "nano"

_SENTENCES = (
    *("a dog jumps", "a person opens a door", "waves on a beach", "a red car in the street"),
    *("two people shake hands", "a bird in a tree", "somebody pours water", "a night sky"),
)

# The share of spans that have to be the same, and how far chances may be apart: where two words are
# as likely, a last digit decides.
_SPANS, _CHANCE = 0.9, 0.05

# Why an engine is not built.
_NO_SHAPES = "it is not tried for {}, whose inputs may have any shape"

# Rounds of which the best counts, while there is time.
_ROUNDS = 10


class _Provider(Part):
    """One provider against another way to run the same graphs.

    Attributes:
        least: the cosine that vectors have to have at least to be the same.
    """

    needs = "ONNX Runtime"
    least: ClassVar[float] = 0.999

    @abstractmethod
    def open(self, path: Path, threads: int, shapes: Shapes | None) -> Any:
        """A session on the provider; AbsentError if it isn't here, or can't run the graph."""

    def reference(self, path: Path, threads: int, shapes: Shapes | None) -> Any:
        """A session that gives what is right."""
        return open_on_cpu(path, threads)

    def check(self, scratch: Path) -> None:
        """Raise AbsentError where the provider can't be used."""

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        self.check(scratch)
        profile = load_profile(_PROFILE)
        right = replace(profile, opener=self.reference)
        tried = replace(profile, opener=self.open)
        rows = {
            "image vectors": self._images,
            "text vectors": self._sentences,
            "spans of the decoder": self._spans,
        }
        for named, row in rows.items():
            what = f"{named} by {self.what}"
            yield attempt(what, self.against, partial(row, what, right, tried, budget))

    def _images(self, what: str, right: Profile, tried: Profile, budget: Budget) -> Row:
        batch = pictures(PICTURES, tried.image_size)
        began = time.perf_counter()
        found = tried.image_tower.encode(batch)[0]
        opened = time.perf_counter() - began
        wanted = right.image_tower.encode(batch)[0]
        took = _best(lambda: tried.image_tower.encode(batch), budget, 0.3)
        return self._near(
            what,
            nearness(found, wanted),
            Figure(f"a batch of {PICTURES}", round(took, 2), "ms"),
            Figure("opened in", round(opened, 2), "s"),
        )

    def _sentences(self, what: str, right: Profile, tried: Profile, budget: Budget) -> Row:
        found, wanted = (each.text_tower.encode(_SENTENCES) for each in (tried, right))
        took = _best(lambda: tried.text_tower.encode(_SENTENCES[:1]), budget, 0.5)
        return self._near(what, nearness(found, wanted), Figure("a sentence", round(took, 2), "ms"))

    def _spans(self, what: str, right: Profile, tried: Profile, budget: Budget) -> Row:
        decoder = AnswerDecoder(tried.grounder_session)
        true_decoder = AnswerDecoder(right.grounder_session)
        same, apart, answered, took = 0, 0.0, 0, 0.0
        for ask in _questions(right):
            if answered and budget.is_over():
                break
            wanted = ask(true_decoder)
            began = time.perf_counter()
            found = ask(decoder)
            took += time.perf_counter() - began
            same += found.text == wanted.text
            apart = max(apart, abs(found.present - wanted.present))
            answered += 1
        why = ""
        if same < _SPANS * answered:
            why = f"{same} of {answered} answers are the same, wanted are {_SPANS:.0%}"
        elif apart > _CHANCE:
            why = f"a chance is {apart:.3f} off, {_CHANCE} is allowed"
        is_cut = answered < len(_SENTENCES)
        return verdict(
            what,
            self.against,
            why,
            Figure("answers", answered),
            Figure("the same", same),
            Figure("chances apart", round(apart, 6)),
            Figure("an answer", round(1e3 * took / answered, 1), "ms"),
            cut_short=f"{answered} of {len(_SENTENCES)} questions" if is_cut else "",
        )

    def _near(self, what: str, near: float, *figures: Figure) -> Row:
        """The row of vectors whose lowest cosine to those that are right is ``near``."""
        why = "" if near >= self.least else f"a cosine is {near:.4f}, wanted is {self.least}"
        return verdict(what, self.against, why, Figure("lowest cosine", round(near, 6)), *figures)


class CpuProvider(_Provider):
    """The processor, with all that ONNX Runtime does to a graph, against the graph as it is."""

    name = "provider-cpu"
    what = "ONNX Runtime on the CPU"
    against = "the graphs unoptimised"
    budget_seconds = 20.0

    def open(self, path: Path, threads: int, shapes: Shapes | None) -> Any:
        return open_on_cpu(path, threads)

    def reference(self, path: Path, threads: int, shapes: Shapes | None) -> Any:
        onnxruntime = load_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        providers = ["CPUExecutionProvider"]
        return onnxruntime.InferenceSession(str(path), options, providers=providers)


class _CardProvider(_Provider):
    """A provider that tempo-edge chooses by itself where it can be used."""

    against = "ONNX Runtime on the CPU"
    needs = "an NVIDIA card with its driver, and an ONNX Runtime that is built for it"
    on_card = True
    provider: ClassVar[str]

    def check(self, scratch: Path) -> None:
        standing_of(self.provider)
        engines_here(scratch)

    def open(self, path: Path, threads: int, shapes: Shapes | None) -> Any:
        planned = plan(path, threads, shapes, (self.provider, "cpu"))
        full = NAMES[self.provider]
        if full not in dict(planned.chain):
            raise AbsentError(_NO_SHAPES.format(path.name))
        return _opened(path, threads, planned.chain, full)


class CudaProvider(_CardProvider):
    """ONNX Runtime's CUDA provider."""

    name = "provider-cuda"
    what = "the CUDA provider"
    provider = "cuda"
    budget_seconds = 40.0


class TensorrtProvider(_CardProvider):
    """ONNX Runtime's TensorRT provider, at half precision, with the engines of ``engines``."""

    name = "provider-tensorrt"
    what = "the TensorRT provider"
    provider = "tensorrt"
    budget_seconds = 60.0
    least = 0.99


class TensorrtRtxProvider(_Provider):
    """ONNX Runtime's provider for TensorRT for RTX, which tempo-edge does not choose by itself."""

    name = "provider-tensorrt-rtx"
    what = "the TensorRT-RTX provider"
    against = "ONNX Runtime on the CPU"
    needs = "an NVIDIA card with its driver, and an ONNX Runtime with TensorRT for RTX"
    budget_seconds = 60.0
    on_card = True
    least = 0.99

    _FULL = "NvTensorRTRTXExecutionProvider"

    def check(self, scratch: Path) -> None:
        if self._FULL not in load_onnxruntime().get_available_providers():
            raise AbsentError("this ONNX Runtime is built without TensorRT for RTX")
        if why := why_no_nvidia():
            raise AbsentError(why)

    def open(self, path: Path, threads: int, shapes: Shapes | None) -> Any:
        if not shapes:
            raise AbsentError(_NO_SHAPES.format(path.name))
        options = {}
        for name, which in (("min", "least"), ("opt", "usual"), ("max", "most")):
            sizes = (f"{at}:{joined(getattr(shape, which))}" for at, shape in shapes.items())
            options[f"nv_profile_{name}_shapes"] = ",".join(sizes)
        chain = [(self._FULL, options), ("CPUExecutionProvider", dict[str, Any]())]
        return _opened(path, threads, chain, self._FULL)


def standing_of(provider: str) -> None:
    """Look whether a provider can be used here.

    Raises:
        AbsentError: it can't; the text says why, and what would help.
    """
    if NAMES[provider] not in load_onnxruntime().get_available_providers():
        raise AbsentError(f"this ONNX Runtime is built without {provider}: {pip_command('gpu')}")
    (standing,) = standings((provider,))
    if standing.trouble:
        mend = f": {standing.mend}" if standing.mend else ""
        raise AbsentError(standing.trouble + mend)


def engines_here(scratch: Path) -> None:
    """Have this process keep engines in the scratch folder: the user's stay as they are."""
    os.environ["XDG_CACHE_HOME"] = str(scratch / "cache")


def _opened(path: Path, threads: int, chain: Any, provider: str) -> Any:
    """A session whose first provider is the one wanted."""
    session, notes = open_with(path, threads, chain)
    if session.get_providers()[0] != provider:
        raise RuntimeError(f"{path.name} does not run on it: {dict(notes).get(provider, '?')}")
    return session


def pictures(count: int, size: int) -> NDArray[np.uint8]:
    """Pictures ``[n, s, s, 3]`` of coloured patches of every size, each another one."""
    rng = np.random.default_rng(0)
    drawn = []
    for number in range(count):
        side = (2, 4, 7, 14)[number % 4]
        patches = rng.integers(0, 256, (side, side, 3), np.uint8)
        each = -(-size // side)
        drawn.append(patches.repeat(each, 0).repeat(each, 1)[:size, :size])
    return np.stack(drawn)


def nearness(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    """The lowest cosine of unit vectors ``[n, d]`` and those that they should be."""
    return float((one * two).sum(axis=1).min())


def _questions(profile: Profile) -> Iterator[Callable[[AnswerDecoder], Reply]]:
    """What decoders are asked: each sentence about a quarter of a minute of pictures."""
    vectors, tokens = profile.image_tower.encode(pictures(PICTURES, profile.image_size))
    cells = np.arange(tokens.shape[1], dtype=np.uint8)
    frames = [
        FrameTokens(float(second), second % 4 == 0, vectors[second], cells, tokens[second])
        for second in range(PICTURES)
    ]
    boundaries = Boundaries.of(frames, np.arange(PICTURES + 1, dtype=np.float64))
    settings = CurveSettings.of(profile)
    for sentence in _SENTENCES:
        vector, states = profile.text_tower.read(sentence)
        question = Question.of(vector, states, profile.background, sentence)
        prompt = build(question, frames, float(PICTURES), settings)
        yield lambda decoder, prompt=prompt: decoder.answer(prompt, boundaries.grammar())  # type: ignore[misc]


def _best(work: Callable[[], object], budget: Budget, share: float) -> float:
    """Milliseconds of a piece of work, the best of several rounds while there is time."""
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
        if budget.is_over(share):
            break
    return 1e3 * min(times)
