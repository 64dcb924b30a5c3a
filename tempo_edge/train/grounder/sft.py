"""Supervised fine-tuning: the grounder learns to say the right answer, refusals included."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tempo_edge import eta
from tempo_edge.search.grounders.prompt import Prompt
from tempo_edge.train.grounder.annotated_windows import AnnotatedVideos
from tempo_edge.train.grounder.examples import Example, ExampleSource
from tempo_edge.train.grounder.model.collate import IGNORED, PromptBatch, collate
from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork
from tempo_edge.train.grounder.prompt_builder import (
    PromptBuilder,
    allowed_tokens,
    frame_labels,
    target_tokens,
)
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.precision import autocast
from tempo_edge.train.progress_log import Say
from tempo_edge.train.schedule import decaying_groups, rate_share

#: A prompt, its target tokens, the frames' labels, the tokens allowed before each target, and
#: whether the window shows what is asked for, IGNORED where that is not to be learned.
SftExample = tuple[Prompt, list[int], NDArray[np.bool_], NDArray[np.bool_], int]

#: The batches that are drawn at once, to read prompts of one length together.
DRAWN_AHEAD = 4


@dataclass(frozen=True)
class SftSettings:
    """The settings of a run: all that it depends on besides its pictures and its profile.

    ``frames`` weighs what every frame must know against what the answer says, ``presence`` whether
    there is anything to say. ``compiled`` has
    PyTorch write the decoder's code for this machine first, which takes a C++ compiler and a minute
    and makes a step a fifth shorter.
    """

    seed: int = 0
    steps: int = 3000
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 100
    frames: float = 0.5
    presence: float = 1.0
    every: int = 240
    bfloat16: bool = True
    compiled: bool = False
    archives: tuple[str, ...] = ("flickr8k", "coco_thumbs")
    shape: DecoderShape = field(default_factory=DecoderShape)
    mix: Mix = field(default_factory=Mix)
    videos: AnnotatedVideos = field(default_factory=AnnotatedVideos)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed {self.seed} must not be negative")
        for name in ("steps", "batch", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 1")
        if self.every % DRAWN_AHEAD:
            raise ValueError(f"every {self.every} must be a multiple of {DRAWN_AHEAD}")


def sft_example(prompt_builder: PromptBuilder, example: Example, refuse: bool) -> SftExample:
    """An example as SFT reads it.

    ``none`` is no choice among words: where nothing is there it is forced, and elsewhere out of
    reach. Unless something absent is asked for, now and then, and it may `refuse`, presence is not
    to be learned: it would always be certain, and what is to be learned of refusals later would
    begin at that.
    """
    tokens, none = target_tokens(example), eta.TOKEN[eta.NONE]
    allowed = allowed_tokens(example.boundaries, tokens[:-1])
    allowed[0] &= (np.arange(len(eta.WORDS)) == none) == (tokens[0] == none)
    present = int(bool(example.spans)) if refuse else IGNORED
    prompt = prompt_builder.prompt(example)
    return prompt, tokens, frame_labels(example), allowed, present


class Sft:
    """The state of a run: decoder, optimizer, and what it draws examples with."""

    def __init__(
        self,
        source: ExampleSource,
        prompt_builder: PromptBuilder,
        settings: SftSettings,
        device: str = "cpu",
        start: GrounderNetwork | None = None,
    ) -> None:
        """Begin with the weights of `start`, or with random ones."""
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.model = (GrounderNetwork(settings.shape) if start is None else start).to(device)
        # Answers, which grow word by word, are read as ever.
        decoder = self.model.llama.model
        self._read = torch.compile(decoder, dynamic=True) if settings.compiled else decoder
        self.step = 0
        self.curves: list[dict[str, float]] = []
        self._source, self._prompt_builder, self._device = source, prompt_builder, device
        self._rng = np.random.default_rng(settings.seed)
        self._ahead: list[PromptBatch] = []
        self._optimizer = torch.optim.AdamW(
            decaying_groups(self.model, settings.learning_rate, settings.weight_decay),
            betas=(0.9, 0.95),
        )

    def _batch(self) -> PromptBatch:
        """The next batch, of examples of about one length: less of it is padding."""
        if not self._ahead:
            size = self.settings.batch
            drawn = [self._source.draw(self._rng) for _ in range(DRAWN_AHEAD * size)]
            refuse = self.settings.mix.absent > 0.0
            examples = [sft_example(self._prompt_builder, each, refuse) for each in drawn]
            examples.sort(key=lambda example: len(example[0]) + len(example[1]))
            for place in self._rng.permutation(DRAWN_AHEAD):
                self._ahead.append(
                    collate(*zip(*examples[place * size : (place + 1) * size], strict=True))
                )
        return self._ahead.pop().to(self._device)

    def train(self, say: Say) -> dict[str, float]:
        """Go on for `every` steps or to the end; returns the mean losses."""
        self.model.train()
        settings, rows = self.settings, list[dict[str, float]]()
        started = time.monotonic()
        upto = min(settings.steps, self.step + settings.every)
        while self.step < upto:
            share = rate_share(self.step, settings.warmup, settings.steps)
            for group in self._optimizer.param_groups:
                group["lr"] = settings.learning_rate * share
            batch = self._batch()
            kind = torch.device(self._device).type
            with autocast(kind, settings.bfloat16):
                losses = self.model.losses(batch, self._read)
                loss = losses["answer"] + settings.frames * (losses["when"] + losses["whether"])
                if "presence" in losses:
                    loss = loss + settings.presence * losses["presence"]
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self._optimizer.step()
            rows.append({name: float(each.detach()) for name, each in losses.items()})
            self.step += 1
        took = (time.monotonic() - started) / max(1, len(rows))
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        told = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        say(f"sft step {self.step}/{settings.steps}: {told}, {took:.2f} s a step")
        return means

    def state(self) -> dict[str, Any]:
        """Everything that a later `restore` needs, as tensors and plain values."""
        return {
            "shape": self.model.config(),
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "rng": self._rng.bit_generator.state,
            "step": self.step,
            "curves": self.curves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned, as if nothing had come between."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch_rng"])
        self._rng.bit_generator.state = state["rng"]
        self.step, self.curves = state["step"], state["curves"]
