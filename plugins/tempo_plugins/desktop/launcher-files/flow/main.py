"""Moments in your videos, for Flow Launcher: passes each request on to tempo-edge's own Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOLD = json.loads((HERE / "tempo-edge.json").read_text(encoding="utf-8"))
# What leads the launcher's Python to its modules would lead tempo-edge's astray.
OWN = {name: os.environ[name] for name in os.environ if name not in ("PYTHONHOME", "PYTHONPATH")}

if __name__ == "__main__":
    # On Windows a console would flash up.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    told = subprocess.run(
        [*TOLD["command"], *sys.argv[1:2]],
        env={**OWN, **TOLD["environment"]},
        creationflags=flags,
    )
    sys.exit(told.returncode)
