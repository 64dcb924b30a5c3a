"""Sentences with one true span each: the annotation files of two data sets.

Both are scored by `score_grounding` with its three thresholds. Charades-STA is a line
``ID start end##sentence`` for each sentence. ActivityNet Captions is a JSON object of videos with
`duration`, and `timestamps` and `sentences` in the same order. A few of their training spans end
before they start, or are empty: those are left out, each with its reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tempo_edge.evaluation.metrics.lines import listed, number, numbers, read_lines
from tempo_edge.evaluation.metrics.spans import Interval, check_true


@dataclass(frozen=True)
class Sentence:
    """A sentence about a span of a video, and the video's length in seconds where it is known."""

    video: str
    text: str
    span: Interval
    duration_seconds: float | None = None


@dataclass(frozen=True)
class Sentences:
    """All that can be used of a file, and one line for each sentence that can't."""

    kept: tuple[Sentence, ...]
    skipped: tuple[str, ...]


def read_charades(path: Path) -> Sentences:
    """Charades-STA, plain or gzipped.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not ``ID start end##sentence``.
    """
    kept, skipped = [], []
    for at, line in read_lines(path):
        head, mark, text = line.partition("##")
        try:
            video, start, end = head.split()
            span = float(start), float(end)
        except ValueError:
            raise ValueError(f"{path}:{at}: {head!r} must be 'ID start end'") from None
        if not mark:
            raise ValueError(f"{path}:{at}: {line[:40]!r} must have a sentence after '##'")
        if reason := _fault(span):
            skipped.append(f"{video}: {reason}")
        else:
            kept.append(Sentence(video, text.strip(), span))
    return Sentences(tuple(kept), tuple(skipped))


def read_activitynet(path: Path) -> Sentences:
    """ActivityNet Captions, plain or gzipped. Spans may pass the duration a little, as given.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not as described, or a video has more spans than sentences.
    """
    text = "\n".join(line for _, line in read_lines(path))
    try:
        videos = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(videos, dict):
        raise ValueError(f"{path}: {text[:40]!r} must be a JSON object of videos")
    kept, skipped = [], []
    for video, facts in videos.items():
        try:
            sentences = _of_video(video, facts)
        except KeyError as error:
            raise ValueError(f"{path}: {video}: field {error} is missing") from error
        except ValueError as error:
            raise ValueError(f"{path}: {video}: {error}") from error
        for sentence in sentences:
            if reason := _fault(sentence.span):
                skipped.append(f"{video}: {reason}")
            else:
                kept.append(sentence)
    return Sentences(tuple(kept), tuple(skipped))


def _of_video(video: str, facts: object) -> list[Sentence]:
    if not isinstance(facts, dict):
        raise ValueError(f"{str(facts)[:40]} must be a JSON object")
    spans, texts = listed(facts, "timestamps"), listed(facts, "sentences")
    if len(spans) != len(texts):
        raise ValueError(f"{len(spans)} timestamps for {len(texts)} sentences")
    duration = number("duration", facts["duration"])
    sentences = []
    for span, text in zip(spans, texts, strict=True):
        start, end = numbers("timestamps", span, 2)
        sentences.append(Sentence(video, str(text).strip(), (start, end), duration))
    return sentences


def _fault(span: Interval) -> str:
    try:
        check_true("span", span)
    except ValueError as error:
        return str(error)
    return ""
