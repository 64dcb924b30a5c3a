"""When indexing has to wait: on battery, and while the machine is needed for something else."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

__all__ = ["Throttle"]

# Share of all processors that others may use before indexing waits, and below which it goes on.
_BUSY, _CALM = 0.75, 0.5

# Between two looks at the processors' clocks, in seconds: a page that loads is not a busy machine.
_WINDOW_SECONDS = 10.0


class Throttle:
    """Says whether, and why, background work has to wait.

    How busy others are is read off the processors' clocks, which count the time of niced processes
    apart. Load and pressure count the indexer itself: it would wait for nobody but itself.

    Args:
        power: where Linux tells of batteries and chargers.
        clocks: where Linux tells how the processors spent their time.
    """

    def __init__(
        self,
        power: Path = Path("/sys/class/power_supply"),
        clocks: Path = Path("/proc/stat"),
    ) -> None:
        self._power = power
        self._clocks = clocks
        self._seen: tuple[float, int, int] | None = None
        self._busy = False

    def reason(self, now: float | None = None) -> str | None:
        """Why to wait at present; None to go on. To be asked every few seconds.

        Args:
            now: seconds of a steady clock; by default those of this machine's.
        """
        self._look(time.monotonic() if now is None else now)
        if self._on_battery():
            return "on battery"
        return "the machine is busy" if self._busy else None

    def _look(self, now: float) -> None:
        try:
            line = self._clocks.read_text(encoding="ascii").split("\n", 1)[0]
            # user, nice, system, idle, iowait, irq, softirq, steal: proc(5), in clock ticks.
            user, nice, system, idle, iowait, *rest = map(int, line.split()[1:9])
        except (OSError, ValueError):
            return
        others = user + system + sum(rest)
        total = others + nice + idle + iowait
        if self._seen is None:
            self._seen = (now, others, total)
            return
        since, others_before, total_before = self._seen
        if now - since < _WINDOW_SECONDS or total <= total_before:
            return
        share = (others - others_before) / (total - total_before)
        self._busy = share > (_CALM if self._busy else _BUSY)
        self._seen = (now, others, total)

    def _on_battery(self) -> bool:
        """True if a battery of the machine itself feeds it, and nothing else does."""
        discharging = False
        with suppress(OSError):
            for supply in self._power.iterdir():
                kind = _read(supply / "type")
                if kind == "Battery" and _read(supply / "scope") != "Device":
                    discharging |= _read(supply / "status") == "Discharging"
                elif kind != "Battery" and _read(supply / "online") == "1":
                    return False
        return discharging


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
