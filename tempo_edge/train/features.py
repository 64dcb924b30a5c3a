"""Features of the frozen towers, computed once and kept in a work folder.

A cache file is named by a hash of everything that it depends on, so a rerun finds what is done,
a changed input computes anew, and an interrupted run continues after its last finished view.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tempo_edge.train import backbones
from tempo_edge.train.augment import view
from tempo_edge.train.data import Archive, Record
from tempo_edge.train.graph import Graph

BATCH = 16
SLOTS = 1 + backbones.GRID**2  # the mean of the picture, then the grid
VERSION = 1  # raise it when a view or a tower changes

Features = NDArray[np.float16]
Say = Callable[[str], None]


def session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on the CPU with a fixed number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Waiting threads sleep rather than spin: a training run shares its machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )


def _key(*parts: object) -> str:
    text = json.dumps([VERSION, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _save(path: Path, array: NDArray[np.generic]) -> None:
    partial = path.with_suffix(f".{os.getpid()}.partial.npy")
    np.save(partial, array)
    partial.replace(path)


class Towers:
    """The frozen towers as ONNX sessions, with a cache of what they have computed."""

    def __init__(self, work: Path, *, threads: int = 2, say: Say = print) -> None:
        """Build the towers in `work`; `say` receives one line of progress at a time."""
        self.work = work
        self._say = say
        work.mkdir(parents=True, exist_ok=True)
        self.lite0 = backbones.load_lite0()
        self.minilm, self.tokenizer = backbones.load_minilm()
        self._image = session(self._write_image(), threads)
        self._text = session(self._write_text(), threads)

    def _write_image(self) -> Path:
        # Half-precision weights, as in the shipped file: the heads learn on what they will see.
        graph, path = Graph("lite0", "fp16"), self.work / "lite0.onnx"
        mean, grid = backbones.image_tower(graph, self.lite0)
        graph.output(mean, "mean", ["N", backbones.IMAGE_WIDTH])
        graph.output(grid, "grid", ["N", SLOTS - 1, backbones.IMAGE_WIDTH])
        graph.save(path)
        return path

    def _write_text(self) -> Path:
        graph, path = Graph("minilm", "fp32"), self.work / "minilm.onnx"
        vectors = backbones.text_tower(graph, self.minilm)
        graph.output(vectors, "sentences", ["N", backbones.TEXT_WIDTH])
        graph.save(path)
        return path

    def _run_images(self, pictures: NDArray[np.uint8]) -> Features:
        mean, grid = self._image.run(None, {"images": pictures})
        return np.concatenate([mean[:, None], grid], axis=1).astype(np.float16)

    def images(
        self, archive: Archive, records: Sequence[Record], *, index: int, seed: int
    ) -> Features:
        """Features of view `index` of each record, float16 [len(records), 10, 1280].

        Slot 0 is the mean over the picture, slots 1 to 9 are the 3x3 grid.
        """
        names = [record.file for record in records]
        # The first two views are the same under every seed.
        path = self.work / f"view-{_key(archive.name, names, index, seed if index > 1 else 0)}.npy"
        if path.exists():
            return np.asarray(np.load(path, mmap_mode="r"), np.float16)
        out = np.empty((len(records), SLOTS, backbones.IMAGE_WIDTH), np.float16)
        started = time.monotonic()

        def load(position: int) -> NDArray[np.uint8]:
            picture = archive.picture(records[position])
            return view(picture, (seed, position), index, backbones.IMAGE_SIZE)

        with ThreadPoolExecutor(2) as pool:
            starts = range(0, len(records), BATCH)
            ready = [pool.submit(load, i) for i in range(min(BATCH, len(records)))]
            for start in starts:
                current = np.stack([future.result() for future in ready])
                following = range(start + BATCH, min(start + 2 * BATCH, len(records)))
                ready = [pool.submit(load, i) for i in following]
                out[start : start + len(current)] = self._run_images(current)
        _save(path, out)
        took = time.monotonic() - started
        split = records[0].split
        self._say(f"{archive.name} {split} view {index}: {len(records)} in {took:.0f} s")
        return out

    def texts(self, sentences: Sequence[str], max_tokens: int = 64) -> NDArray[np.float32]:
        """Unit sentence vectors of MiniLM, float32 [len(sentences), 384]."""
        unique = list(dict.fromkeys(sentences))
        place = {sentence: row for row, sentence in enumerate(unique)}
        rows = np.array([place[sentence] for sentence in sentences], np.int64)
        path = self.work / f"text-{_key(unique, max_tokens)}.npy"
        if not path.exists():
            _save(path, self._encode(unique, max_tokens))
        return np.asarray(np.load(path), np.float32)[rows]

    def _encode(self, sentences: list[str], max_tokens: int) -> NDArray[np.float32]:
        from tokenizers import Tokenizer

        started = time.monotonic()
        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.enable_truncation(max_tokens)
        tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
        out = np.empty((len(sentences), backbones.TEXT_WIDTH), np.float32)
        # Neighbours of one length waste no work on padding.
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            encoded = tokenizer.encode_batch([sentences[i] for i in rows])
            feed = {
                "input_ids": np.array([e.ids for e in encoded], np.int64),
                "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
            }
            out[rows] = self._text.run(None, feed)[0]
        self._say(f"{len(sentences)} sentences in {time.monotonic() - started:.0f} s")
        return out
