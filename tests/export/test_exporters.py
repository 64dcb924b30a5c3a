"""Every target of an export keeps to what its interface says, and a new one is a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said
from tempo_export.exporters import EXPORTERS
from tempo_export.report import Outcome
from tempo_export.request import Progress, Request

from tempo_edge.models import Profile

Tempo = Callable[..., Said]


@pytest.mark.parametrize("target", sorted(EXPORTERS))
def test_what_is_there_is_left_alone_unasked(
    tempo: Tempo, target: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx")
    destination = Request.destination

    def taken(request: Request, name: str) -> Path:
        """The place that an exporter asks for, where there is something already."""
        path = destination(request, name)
        path.mkdir(exist_ok=True)
        (path / "mine.txt").write_text("mine")
        return path

    monkeypatch.setattr(Request, "destination", taken)
    said = tempo("export", "nano", "--to", target, "--pictures", pictures, "--out", tmp_path)
    assert said.status == 2 and said.err.count("\n") == 1, said.err
    there = list(tmp_path.rglob("*"))
    assert {path.name for path in there if path.is_file()} <= {"mine.txt"}
    assert not [path for path in there if path.name.startswith(".")], "no draft is left"


def test_a_new_target_is_one_line_in_the_registry(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def names(profile: Profile, request: Request, progress: Progress) -> Outcome:
        progress(f"listing {profile.name}")
        path = request.destination(f"{request.name}-names.txt")
        path.write_text("\n".join(sorted(profile.files)))
        return Outcome({"file": str(path)}, f"{path}\n")

    monkeypatch.setitem(EXPORTERS, "names", names)
    said = tempo("export", "nano", "--to", "names", "--out", tmp_path)
    assert (said.status, said.out) == (0, f"{tmp_path / 'nano-names.txt'}\n"), said.err
    assert "image.onnx" in (tmp_path / "nano-names.txt").read_text()
    said = tempo("export", "nano", "--to", "coreml")
    assert said.error == f"target 'coreml' must be one of {', '.join(EXPORTERS)}"
