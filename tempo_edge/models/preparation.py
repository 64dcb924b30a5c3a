"""A published encoder becomes a profile: fetched, checked, tried, and described.

The graphs are run as they were published, but that a large one's weights come to lie apart, so that
it opens fast, and that one which has both towers is split. The smallest is fetched first, and
another only where that one doesn't run here or where it is asked for. What is fetched stays until
the profile is whole, so a preparation that was ended, by whatever, goes on from there.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge._cores import cpu_count
from tempo_edge._files import draft_folder, take_place
from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.description import Description
from tempo_edge.models.graph_choice import (
    GraphChoice,
    TriedGraph,
    check_precision,
    runs_on_gpu,
)
from tempo_edge.models.graph_parts import write_part
from tempo_edge.models.profile_manifest import write_manifest
from tempo_edge.models.published import PinnedFile, PublishedEncoder
from tempo_edge.models.published_towers import (
    Layout,
    PublishedImageTower,
    PublishedTextTower,
    Words,
)
from tempo_edge.models.pull import partial_folder
from tempo_edge.models.registry import VOCABULARY, Profile, read_profile
from tempo_edge.models.sessions import Opener, open_session, separate_weights
from tempo_edge.models.transfer import Transfer
from tempo_edge.models.vocabulary import LARGE_BYTES, write_vocabulary

__all__ = ["Preparation"]

# Numbers that stand for the ways to make a picture smaller, in the descriptions of the hub.
_RESAMPLING = {2: "BILINEAR", 3: "BICUBIC"}

# Graphs that take their scales from all the pictures they are given at once.
_EIGHT_BITS = ("_int8", "_uint8")

# A text tower from which on a cold search would wait for its weights to be copied.
_LARGE_TOWER_BYTES = 100_000_000

_SENTENCE = "a dog jumps over a fence"

# Runs of a graph that are timed; the quickest counts, for the machine may have other things to do.
_TIMES = 3


@dataclass(frozen=True)
class _Pictures:
    """What is done to pictures before a tower sees them."""

    size: int
    interpolation: str
    crop: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @staticmethod
    def of(path: Path) -> _Pictures:
        """The contents of a ``preprocessor_config.json``.

        Raises:
            ProfileError: it asks for what can't be done here.
        """
        about = Description.read(path)
        crop = about.optional("do_center_crop", about.truth) or False
        resample = about.optional("resample", lambda name: about.whole(name, 2, 3))
        return _Pictures(
            _edge(about, "crop_size" if crop else "size"),
            _RESAMPLING[3 if resample is None else resample],
            crop,
            tuple(about.numbers("image_mean", 3, 0.0, 1.0)),
            tuple(about.numbers("image_std", 3, 1e-3, 10.0)),
        )


def _edge(about: Description, name: str) -> int:
    """Pixels a side, in either way to write them down.

    Raises:
        ProfileError: it is none, or the sides differ.
    """
    try:
        sides = about.part(name)
    except ProfileError:
        return about.whole(name, 1, 4096)
    lengths = {sides.whole(each, 1, 4096) for each in sides}
    if len(lengths) != 1:
        about.refuse(name, "must be a square")
    return lengths.pop()


class Preparation:
    """Makes a profile of a published encoder, in the folder ``store`` of installed ones.

    Args:
        encoder: what is made into a profile.
        store: where the profile is to lie.
        source: a folder that holds the published files, in place of the hub.
        precision: of the graphs, where they can be had in it; ``"fastest"`` fetches and times all
            that there are. By default the smallest that runs.
        quiet: no progress bars.
        tell: takes a line on what is done, or on which graph was chosen, and why.
        opener: what opens the graphs.

    Raises:
        ProfileError: neither tower can be had in that precision.
        MissingExtraError: ``huggingface_hub`` is not installed, and there is no ``source``.
    """

    def __init__(
        self,
        encoder: PublishedEncoder,
        store: Path,
        *,
        source: Path | None = None,
        precision: str | None = None,
        quiet: bool = False,
        tell: Callable[[str], None] = lambda line: None,
        opener: Opener = open_session,
    ) -> None:
        check_precision(encoder, precision)
        self._encoder, self._store, self._precision = encoder, store, precision
        self._is_copy = source is not None
        self._tell, self._opener = tell, opener
        self._fetched = partial_folder(encoder.name, store)
        self._transfer = Transfer(encoder, self._fetched, source=source, quiet=quiet)

    def run(self, inspect: Callable[[Profile], None]) -> Profile:
        """Fetch, try and describe; gives the profile as it lies in its place.

        Args:
            inspect: reads what the profile holds before it is there, and raises ProfileError where
                it could not be used.

        Raises:
            ProfileError: a file can't be had or is not what was pinned, no graph of a tower runs
                here, or what is there can't be used.
        """
        encoder = self._encoder
        try:
            self._fetched.mkdir(parents=True, exist_ok=True)
            for each in encoder.beside:
                self._bring(each)
            pictures = _Pictures.of(self._fetched / "preprocessor_config.json")
            layout = self._layout(pictures)
            words = Words(self._fetched / "tokenizer.json")
            image = self._choice("picture", halves=runs_on_gpu()).choose(
                self._there(encoder.image),
                self._bring,
                lambda path: self._try_image(path, layout, pictures.size),
            )
            # What has both towers is taken whole: not one of eight bits, and another of sixteen.
            both = tuple(each for each in encoder.image if each.name == image.file)
            text = self._choice("sentence").choose(
                both if encoder.image == encoder.text else self._there(encoder.text),
                self._bring,
                lambda path: self._try_text(path, layout, words, pictures.size),
            )
            if image.dim != text.dim:
                raise ProfileError(
                    f"model {encoder.name!r}: {image.file} gives vectors of {image.dim}, "
                    f"{text.file} of {text.dim}: they share no space"
                )
            return self._install(layout, pictures, image, text, inspect)
        except OSError as error:
            raise ProfileError(
                f"model {encoder.name!r} can't be kept in {self._store}: {error}"
            ) from error

    def _layout(self, pictures: _Pictures) -> Layout:
        """What the graphs of the family take and give, but for what depends on the one chosen."""
        clip = self._encoder.family == "clip"
        return Layout(
            image_output="image_embeds" if clip else "pooler_output",
            text_output="text_embeds" if clip else "pooler_output",
            mean=pictures.mean,
            std=pictures.std,
            alone=True,
            lower=not clip,  # a tokenizer of CLIP does so itself
            begin="<|startoftext|>" if clip else "",
            end="<|endoftext|>" if clip else "<eos>",
            most_tokens=77 if clip else 64,
            pad=None if clip else 0,
        )

    def _choice(self, reads: str, *, halves: bool = False) -> GraphChoice:
        return GraphChoice(reads, self._precision, halves, self._is_at_hand, self._tell)

    def _there(self, graphs: tuple[PinnedFile, ...]) -> tuple[PinnedFile, ...]:
        """The graphs that can be had; one that can't, but must be there, is for :meth:`_bring`."""
        known = [
            each
            for each in graphs
            if each.name in self._transfer.files
            or each.precision == self._precision
            or (each.sha256 is not None and not self._is_copy)
        ]
        return tuple(known) or graphs

    def _is_at_hand(self, graph: PinnedFile) -> bool:
        """Whether a graph need not be fetched: it lies in a copy, or came in an earlier run."""
        return self._is_copy or (self._fetched / graph.name).exists()

    def _bring(self, file: PinnedFile) -> Path:
        """Fetch a file, which is as large as can be expected; gives where it lies.

        Raises:
            ProfileError: it can't be had, or is not what was pinned.
        """
        about = self._transfer.files.get(file.name)
        if about is not None and about.size > file.most_bytes:
            raise ProfileError(
                f"model {self._encoder.name!r}: {file.name} has {about.size} bytes, "
                f"at most {file.most_bytes} are expected"
            )
        self._transfer.bring(file.name)
        return self._fetched / file.name

    def _try_image(self, path: Path, layout: Layout, size: int) -> TriedGraph:
        tower = PublishedImageTower(self._opener(path, 1, None), path, layout, size)
        picture = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
        return self._timed(path, lambda: tower.encode(picture)[0])

    def _try_text(self, path: Path, layout: Layout, words: Words, size: int) -> TriedGraph:
        session = self._opener(path, cpu_count(), None)
        tower = PublishedTextTower(session, words, path, layout, size)
        return self._timed(path, lambda: tower.encode([_SENTENCE]))

    def _timed(self, path: Path, encode: Callable[[], Any]) -> TriedGraph:
        dim = encode().shape[-1]  # and what is done once is done
        spent = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            encode()
            spent.append(time.perf_counter() - began)
        return TriedGraph(path.relative_to(self._fetched).as_posix(), dim, 1000 * min(spent))

    def _install(
        self,
        layout: Layout,
        pictures: _Pictures,
        image: TriedGraph,
        text: TriedGraph,
        inspect: Callable[[Profile], None],
    ) -> Profile:
        """Write the profile beside its place, and let it take that when it can be used."""
        place = self._store / self._encoder.name
        with draft_folder(place) as draft:
            files = {"image.onnx": image.file, "text.onnx": text.file, "tokenizer.json": None}
            for name, source in files.items():
                _link(self._fetched / (source or name), draft / name)
            if (draft / "tokenizer.json").stat().st_size >= LARGE_BYTES:
                self._tell("writing down the tokenizer so that it loads fast")
                write_vocabulary(draft / "tokenizer.json", draft / VOCABULARY)
            published = {
                **self._split(layout, image, text, draft),
                **self._separate(text, draft / "text.onnx"),
            }
            alone = Path(image.file).stem.endswith(_EIGHT_BITS)
            facts = self._facts(replace(layout, alone=alone), pictures, image, text)
            write_manifest(draft, {**facts, "published": published} if published else facts)
            inspect(read_profile(draft))
            take_place(draft, place)
        shutil.rmtree(self._fetched, ignore_errors=True)
        return read_profile(place)

    def _split(
        self, layout: Layout, image: TriedGraph, text: TriedGraph, draft: Path
    ) -> dict[str, str]:
        """Make two of a graph that has both towers; gives the SHA-256 that it had, by file, if so.

        A library names its profile by what was published, whatever form that has on a machine.
        """
        if image.file != text.file:
            return {}
        published = self._fetched / image.file
        parts = {
            "image.onnx": (("pixel_values",), layout.image_output),
            "text.onnx": (("input_ids", "attention_mask"), layout.text_output),
        }
        try:
            for name, (inputs, output) in parts.items():
                (draft / name).unlink()  # by this name only: what was fetched stays
                write_part(published, draft / name, inputs, output)
        except MissingExtraError as error:
            for name in parts:
                (draft / name).unlink(missing_ok=True)
                _link(published, draft / name)
            self._tell(f"a sentence opens the picture tower as well, which could be split: {error}")
            return {}
        return dict.fromkeys(parts, sha256_of(published))

    def _separate(self, text: TriedGraph, path: Path) -> dict[str, str]:
        """Lay out a large text tower so that it opens fast; gives the SHA-256 that it had, if so.

        A library names its profile by what was published, whatever form that has on a machine.
        """
        if path.stat().st_size < _LARGE_TOWER_BYTES:
            return {}
        self._tell("laying out the text tower so that it opens fast")
        published = self._fetched / text.file
        whole = path.with_name(f".{path.name}.whole")
        path.rename(whole)
        if separate_weights(whole, path):
            whole.unlink()
            return {path.name: sha256_of(published)}
        whole.rename(path)
        return {}

    def _facts(
        self, layout: Layout, pictures: _Pictures, image: TriedGraph, text: TriedGraph
    ) -> dict[str, Any]:
        """All that ``profile.json`` says, but for the list of files."""
        encoder = self._encoder
        return {
            "name": encoder.name,
            "version": encoder.revision[:12],
            "dim": image.dim,
            "image_size": pictures.size,
            "tokens_per_frame": 1,
            "interpolation": pictures.interpolation,
            "crop": pictures.crop,
            "languages": encoder.languages,
            "layout": layout.describe(),
            "licences": {"weights": encoder.licence},
            "source": {
                "repository": encoder.repository,
                "revision": encoder.revision,
                "image": image.file,
                "text": text.file,
            },
        }


def _link(source: Path, target: Path) -> None:
    """A file under a second name, or a copy of it where the file system knows no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
