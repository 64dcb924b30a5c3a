"""A process that reads steps of films for another one, which outlives it whatever happens to it.

It is told what to read on its standard input, a line of JSON a step, and ends with that. It answers
on its standard output, one line a step; lines with ``"alive"`` in them only say that it goes on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from tempo_edge._system.signals import ENDING, end_at_once
from tempo_edge.errors import MediaError, TempoEdgeError

__all__ = ["StepProcess", "alive", "serve"]

# A process that tells nothing for this long, in seconds, won't tell anything any more.
_SILENCE_SECONDS = 900.0

# Between two looks whether to end.
_LOOK_SECONDS = 0.1

# Processes that may die at one step.
_DEATHS = 2

# All that is needed is here, so nothing is asked of a hub; and threads of OpenMP that have nothing
# to do sleep, for others have.
_MANNERS = {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}


class StepProcess:
    """The process as seen by the one that asks it; it is started when it is asked something.

    Args:
        module: what it runs: something that calls :func:`serve`.
        arguments: of its command line.
    """

    def __init__(self, module: str, arguments: Sequence[str] = ()) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._child: subprocess.Popen[bytes] | None = None
        self._lines: SimpleQueue[bytes] = SimpleQueue()

    def close(self) -> None:
        """End it, if it is there."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with child:
                child.wait()

    def ask(self, order: dict[str, Any], checkpoint: Callable[[], None]) -> dict[str, Any]:
        """What it answers to an order. One that dies of it is replaced once.

        Args:
            checkpoint: called often; whatever it raises ends the process.

        Raises:
            MediaError: the file can't be read, or killed it twice; the text says why.
            TempoEdgeError: nothing can be read here.
        """
        for _ in range(_DEATHS):
            answer = self._try(order, checkpoint)
            if answer is None:
                continue
            if "broken" in answer:
                raise TempoEdgeError(answer["broken"])
            if "unusable" in answer:
                raise MediaError(answer["unusable"])
            return answer
        raise MediaError("killed what read it twice: the rest of it is left out")

    def _try(self, order: dict[str, Any], checkpoint: Callable[[], None]) -> dict[str, Any] | None:
        """Its answer, or None where it died without one."""
        answer: dict[str, Any] | None = None
        try:
            self._tell(json.dumps(order).encode() + b"\n")
            while answer is None or "alive" in answer:
                line = self._line(checkpoint)
                if not line:
                    return None
                answer = json.loads(line)
        finally:
            if answer is None or "alive" in answer:
                self.close()
        return answer

    def _tell(self, line: bytes) -> None:
        """Send a line to the process that was asked before, or to a new one."""
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_MANNERS},
            )
            self._lines = SimpleQueue()
            Thread(target=_listen, args=(self._child, self._lines), daemon=True).start()
        assert self._child.stdin is not None
        with suppress(OSError):  # it is dead: that is told where its answer is awaited
            self._child.stdin.write(line)
            self._child.stdin.flush()

    def _line(self, checkpoint: Callable[[], None]) -> bytes:
        """Its next line; nothing where it has ended, or is silent for too long."""
        waited = 0.0
        while waited < _SILENCE_SECONDS:
            began = time.monotonic()
            with suppress(Empty):
                return self._lines.get(timeout=_LOOK_SECONDS)
            waited += time.monotonic() - began
            checkpoint()  # which may take its time: then everything is to wait
        return b""


def _listen(child: subprocess.Popen[bytes], lines: SimpleQueue[bytes]) -> None:
    """Take in what a process tells, and nothing as its last line."""
    assert child.stdout is not None
    with suppress(OSError, ValueError):  # it was closed under our hands
        for line in child.stdout:
            lines.put(line)
    lines.put(b"")


# -- in the process itself -----------------------------------------------------------------------


def serve(make: Callable[[], Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
    """Answer orders until there are no more, and end this process.

    Args:
        make: makes what answers an order, once: it loads what is needed.
    """
    # Whoever ends the one that asks ends this input, and with that this process.
    for name in ENDING:
        signal.signal(name, signal.SIG_IGN)
    orders: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_take_orders, args=(orders,), daemon=True).start()
    try:
        answers = make()
    except TempoEdgeError as error:
        return _say({"broken": str(error)})
    except Exception as error:
        return _say({"broken": f"can't read anything here: {_in_short(error)}"})
    while True:
        order = orders.get()
        try:
            _say(answers(order))
        except MediaError as error:
            _say({"unusable": str(error)})
        except MemoryError:
            _say({"unusable": "takes more memory than a single film may"})
        except Exception as error:  # decoders of damaged files fail in ways nobody foresaw
            _say({"unusable": f"can't be read: {_in_short(error)}"})


def alive() -> None:
    """Tell the one that asks that an answer is on its way."""
    _say({"alive": True})


def _take_orders(orders: SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    end_at_once()


def _in_short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _say(facts: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n")
    sys.stdout.buffer.flush()
