"""Moments in your videos, for Flow Launcher: passes each request on to tempo-edge's own Python."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = json.loads((HERE / "tempo-edge.json").read_text(encoding="utf-8"))["command"]

if __name__ == "__main__":
    # On Windows a console would flash up.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    sys.exit(subprocess.run([*COMMAND, *sys.argv[1:2]], creationflags=flags).returncode)
