"""The agreement of a provider with the CPU: looked at on what is really asked, and remembered.

A plug-in is somebody else's program, of any age. What it gives is held against what the CPU gives
the first time that it runs a model; where the two differ by more than half precision explains, the
model runs on the CPU.
"""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge._files import atomic_write
from tempo_edge.models.onnx_runtime import reason

__all__ = ["TOLERANCE", "ComparedSession", "Verdict", "difference"]

#: What vectors may differ by, component by component: that of half precision, rounded up.
TOLERANCE = 5e-3


def difference(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The largest difference of a number from the one wanted, infinite where nothing compares.

    It is that of unit vectors; of outputs with numbers beyond one, a share of the largest.

    Args:
        found, wanted: outputs of the same model, each an array.
    """
    return max(map(_apart, found, wanted), default=0.0)


def _apart(found: Any, wanted: Any) -> float:
    if np.shape(found) != np.shape(wanted):
        return float("inf")
    if np.size(wanted) == 0:
        return 0.0
    ours, theirs = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    far = float(np.abs(ours - theirs).max() / max(1.0, float(np.abs(theirs).max())))
    return far if np.isfinite(far) else float("inf")


@dataclass(frozen=True)
class Verdict:
    """What was found of a provider with a model, in the user's cache until one of them changes.

    Attributes:
        provider, version, device: the plug-in's, with the device's kind and name.
        runtime: ONNX Runtime's version.
        model: the model's file; ``state``: sizes and times of it and of the weights beside it.
    """

    provider: str
    version: str
    device: str
    runtime: str
    model: str
    state: str

    @staticmethod
    def of(provider: str, version: str, device: str, runtime: str, path: Path) -> Verdict:
        """The verdict on a model as its file is now.

        Raises:
            OSError: the file can't be looked at.
        """
        state = []
        for each in (path, path.with_name(f"{path.name}.data")):
            if each == path or each.exists():
                about = each.stat()
                state.append(f"{about.st_size}/{about.st_mtime_ns}")
        return Verdict(provider, version, device, runtime, str(path.resolve()), " ".join(state))

    @property
    def key(self) -> str:
        """32 hexadecimal digits that change with any of it."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:32]

    def read(self) -> float | None:
        """The difference that was found; None if none was looked for yet."""
        about = _kept().get(self.key)
        far = about.get("difference") if isinstance(about, dict) else None
        return float(far) if isinstance(far, (int, float)) else None

    def keep(self, far: float) -> None:
        """Keep the difference that was found, in place of an older one of provider and model."""
        kept = {
            key: about
            for key, about in _kept().items()
            if not isinstance(about, dict)
            or (about.get("provider"), about.get("model")) != (self.provider, self.model)
        }
        kept[self.key] = {**asdict(self), "difference": far}
        path = _path()
        with suppress(OSError):  # looked for again the next time
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as draft:
                draft.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _path() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("tempo-edge") / "providers.json"


def _kept() -> dict[str, Any]:
    try:
        facts = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def disagreement(far: float) -> str:
    """What is said of a provider that differs by so much."""
    return f"its numbers differ from the CPU's by {far:.1e}, and at most {TOLERANCE:.0e} is allowed"


class ComparedSession:
    """A session that is held against the CPU at its first run, and left for it where it fails.

    It has all that an ``onnxruntime.InferenceSession`` has, and any thread may run it.
    """

    def __init__(self, session: Any, open_on_cpu: Callable[[], Any], verdict: Verdict) -> None:
        """Take a session.

        Args:
            session: the one on the provider.
            open_on_cpu: opens the same model on the CPU; called when that is needed.
            verdict: on the provider with this model.
        """
        self._session, self._open_on_cpu, self._verdict = session, open_on_cpu, verdict
        self._lock = threading.RLock()
        known = verdict.read()
        self._is_compared = known is not None and known <= TOLERANCE
        self._is_on_cpu = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, outputs: Any, inputs: Any, options: Any = None) -> Any:
        """The outputs of the model, as ``onnxruntime.InferenceSession.run`` gives them."""
        if not self._is_compared:
            with self._lock:  # others wait: there may be no second time for what is found now
                if not self._is_compared:
                    return self._compare(outputs, inputs, options)
        session = self._session
        try:
            return session.run(outputs, inputs, options)
        except Exception as error:  # a card may go away, or its memory end
            if self._is_on_cpu and session is self._session:
                raise
            self._leave(reason(error))
            return self._session.run(outputs, inputs, options)

    def _compare(self, outputs: Any, inputs: Any, options: Any) -> Any:
        on_cpu = self._open_on_cpu()
        wanted = on_cpu.run(outputs, inputs, options)
        try:
            found = self._session.run(outputs, inputs, options)
        except Exception as error:
            self._leave(reason(error), on_cpu)
            return wanted
        far = difference(found, wanted)
        self._verdict.keep(far)
        if far <= TOLERANCE:
            self._is_compared = True
            return found
        self._leave(disagreement(far), on_cpu)
        return wanted

    def _leave(self, why: str, on_cpu: Any = None) -> None:
        """Go on with the CPU from here on."""
        with self._lock:
            if self._is_on_cpu:
                return
            self._session = on_cpu or self._open_on_cpu()
            self._is_on_cpu = self._is_compared = True
        name = Path(self._verdict.model).name
        warnings.warn(
            f"{name} runs without {self._verdict.provider}: {why}", RuntimeWarning, stacklevel=4
        )
