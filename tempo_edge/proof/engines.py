"""TensorRT's engines: built once, found again, and refused where they are another's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tempo_edge.models import Profile, load_profile
from tempo_edge.models.engine_cache import EngineOrigin, engine_folder, engines_path
from tempo_edge.models.providers import NAMES
from tempo_edge.models.sessions import open_on_cpu, open_session
from tempo_edge.models.shapes import PICTURES, Shapes
from tempo_edge.proof.part import Budget, Figure, Part, Row, verdict
from tempo_edge.proof.providers import engines_here, nearness, pictures, standing_of

__all__ = ["Engines"]

# The cosine that vectors at half precision have to have at least.
_LEAST = 0.99


class Engines(Part):
    """The engine of the image tower."""

    name = "engines"
    what = "TensorRT's engine of the image tower"
    against = "ONNX Runtime on the CPU"
    needs = "an NVIDIA card with its driver, TensorRT, and an ONNX Runtime that is built for it"
    budget_seconds = 150.0
    on_card = True

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        standing_of("tensorrt")
        engines_here(scratch)
        profile = load_profile("nano")
        batch = pictures(PICTURES, profile.image_size)
        right = replace(profile, opener=open_on_cpu).image_tower.encode(batch)[0]

        def tried() -> tuple[float, float, str]:
            """Seconds to the first vectors, their lowest cosine, and the provider."""
            providers: list[str] = []

            def opened(path: Path, threads: int, shapes: Shapes | None) -> Any:
                session = open_session(path, threads, shapes, ("tensorrt", "cpu"))
                providers.append(session.get_providers()[0])
                return session

            began = time.perf_counter()
            found = replace(profile, opener=opened).image_tower.encode(batch)[0]
            return time.perf_counter() - began, nearness(found, right), providers[0]

        built, near, provider = tried()
        kept = _engines()
        yield verdict(
            "building an engine",
            self.against,
            _wrong(near) or _elsewhere(provider) or ("" if kept else "no engine was kept"),
            Figure("built and run in", round(built, 1), "s"),
            Figure("engines kept", len(kept)),
            Figure("lowest cosine", round(near, 6)),
        )
        again, near, provider = tried()
        slow = "" if again < 0.5 * built else f"it took {again:.1f} s again"
        yield verdict(
            "an engine that was kept",
            "building it",
            _wrong(near) or _elsewhere(provider) or slow,
            Figure("loaded and run in", round(again, 2), "s"),
            Figure("built and run in", round(built, 1), "s"),
        )
        yield _of_another_card(profile)
        whole = {engine: engine.read_bytes() for engine in kept}
        try:
            for engine, content in whole.items():
                engine.write_bytes(content[: len(content) // 2])
            took, near, provider = tried()
        finally:
            for engine, content in whole.items():  # for the parts that come after
                engine.write_bytes(content)
        yield verdict(
            "engines cut short",
            self.against,
            _wrong(near),
            Figure("vectors after", round(took, 1), "s"),
            Figure("lowest cosine", round(near, 6)),
            Figure("built anew", float(provider == NAMES["tensorrt"])),
        )


def _engines() -> list[Path]:
    return sorted(engines_path().glob("*/*.engine"))


def _wrong(near: float) -> str:
    return "" if near >= _LEAST else f"a cosine is {near:.4f}, wanted is {_LEAST}"


def _elsewhere(provider: str) -> str:
    return "" if provider == NAMES["tensorrt"] else f"it runs on {provider}"


def _of_another_card(profile: Profile) -> Row:
    """Whether a folder for the same model on another card holds none of this card's engines."""
    (about,) = engines_path().glob("*/origin.json")
    facts = json.loads(about.read_text("utf-8"))
    facts.pop("model")
    origin = EngineOrigin(**facts)
    other = engine_folder(replace(origin, gpu="another card"), profile.folder / "image.onnx")
    why = ""
    if other == about.parent or list(other.glob("*.engine")):
        why = "it would be used"
    elif not about.is_file():
        why = "this card's own went with it"
    return verdict("another card's engine", "this card's folder", why)
