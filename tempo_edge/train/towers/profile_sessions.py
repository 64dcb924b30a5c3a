"""The two towers of a profile folder in ONNX Runtime, as a search would use them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from tempo_edge.quantization import unit
from tempo_edge.train.data.archives import Archive, DataError, Record, squash
from tempo_edge.train.towers.retrieval import Floats

__all__ = ["ProfileSessions"]

_BATCH = 16


class ProfileSessions:
    """The two towers of a profile folder."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """Open `image.onnx`, `text.onnx` and `tokenizer.json` of `folder`."""
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.log_severity_level = 3
        for name in ("image.onnx", "text.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise DataError(f"profile folder {folder} has no {name}")

        def load(name: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(
                str(folder / name), sess_options=options, providers=["CPUExecutionProvider"]
            )

        self._image, self._text = load("image.onnx"), load("text.onnx")
        self._size = int(self._image.get_inputs()[0].shape[1])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def pictures(self, archive: Archive, records: Sequence[Record]) -> tuple[Floats, float]:
        """Unit vectors [N, 256] of whole pictures and the median milliseconds for one."""
        out: list[Floats] = []
        times: list[float] = []
        for start in range(0, len(records), _BATCH):
            chunk = records[start : start + _BATCH]
            batch = np.stack([squash(archive.picture(r), self._size) for r in chunk])
            started = time.perf_counter()
            out.append(self._image.run(["vectors"], {"images": batch})[0])
            times.append((time.perf_counter() - started) / len(chunk))
        return np.concatenate(out), 1e3 * float(np.median(times))

    def sentences(self, sentences: Sequence[str]) -> tuple[Floats, float]:
        """Unit vectors [N, 256], one sentence at a time, and the median milliseconds for one."""
        out: list[Floats] = []
        times: list[float] = []
        for sentence in sentences:
            started = time.perf_counter()
            encoded = self._tokenizer.encode(sentence)
            feed = {
                "input_ids": np.array([encoded.ids], np.int64),
                "attention_mask": np.array([encoded.attention_mask], np.int64),
            }
            out.append(self._text.run(["vectors"], feed)[0])
            times.append(time.perf_counter() - started)
        return np.concatenate(out), 1e3 * float(np.median(times))

    def names(self, prompts: Sequence[Sequence[str]]) -> Floats:
        """One unit vector a label, float32 [K, 256]: the mean of its prompts."""
        vectors, _ = self.sentences([prompt for each in prompts for prompt in each])
        ends = np.cumsum([len(each) for each in prompts])[:-1]
        means = np.stack([part.mean(axis=0) for part in np.split(vectors, ends)])
        return unit(means)
