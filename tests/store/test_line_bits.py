"""A long scan of lines goes on in a thread of its own; what goes wrong there is told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import Films

from tempo_edge.quantization import quantize, unit
from tempo_edge.store.embedded import line_bits
from tempo_edge.store.embedded.line_bits import LineBits
from tempo_edge.words.line import KINDS, Line


@pytest.fixture
def lines(films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LineBits:
    """Twenty lines with vectors, which count as many."""
    monkeypatch.setattr(line_bits, "_LONG", 1)
    films.add("a", 1)
    said = [Line(float(at), at + 1.0, "subtitle", f"line {at}") for at in range(20)]
    films.catalogue.put_lines(1, KINDS, said)
    films.catalogue.begin_line_vectors("m")
    ids = [hit.id for hit in films.catalogue.lines_to_read(100)]
    drawn = np.random.default_rng(0).standard_normal((20, 64)).astype(np.float32)
    films.catalogue.put_line_vectors(ids[-1], ids, quantize(unit(drawn)))
    found = LineBits(tmp_path / "bits", films.catalogue)
    found.refresh()
    return found


QUERY = unit(np.ones(64, np.float32))


def test_a_long_scan_goes_on_beside_other_work(
    lines: LineBits, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, may_scan, by = line_bits._nearest, threading.Event(), []

    def slow(*args: Any) -> Any:
        by.append(threading.current_thread())
        may_scan.wait()
        return scan(*args)

    wanted = lines.search(QUERY, 5)
    monkeypatch.setattr(line_bits, "_nearest", slow)
    begun = lines.begin(QUERY, 5)  # this thread is not kept waiting
    may_scan.set()
    assert begun().ids.tolist() == wanted.ids.tolist()
    assert threading.current_thread() not in by


def test_what_goes_wrong_in_a_scan_is_told(
    lines: LineBits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: Any) -> Any:
        raise MemoryError("too many lines")

    monkeypatch.setattr(line_bits, "_nearest", failing)
    begun = lines.begin(QUERY, 5)
    with pytest.raises(MemoryError, match="too many lines"):
        begun()
