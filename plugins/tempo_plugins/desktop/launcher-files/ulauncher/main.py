"""Moments in your videos, for Ulauncher 6: a thin door to tempo-edge."""

import json
import os
import subprocess
from pathlib import Path

from ulauncher.api import Extension, Result
from ulauncher.api.shared.action.ExtensionCustomAction import ExtensionCustomAction

HERE = Path(__file__).resolve().parent
TOLD = json.loads((HERE / "tempo-edge.json").read_text(encoding="utf-8"))
# What leads the launcher's Python to its modules would lead tempo-edge's astray.
OWN = {name: os.environ[name] for name in os.environ if name not in ("PYTHONHOME", "PYTHONPATH")}


def ask(request):
    """The answer of tempo-edge, or what went wrong, as its ``error``."""
    try:
        told = subprocess.run(
            TOLD["command"],
            env={**OWN, **TOLD["environment"]},
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            timeout=60,
        )
        return json.loads(told.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return {"error": f"tempo-edge can't be asked: {error}"}


class Moments(Extension):
    def on_input(self, query, trigger_id):
        return shown(ask({"query": query}))

    def on_item_enter(self, data):
        told = ask(data)
        return shown(told) if "error" in told else None


def shown(told):
    """Lines for the launcher."""
    if "error" in told:
        return [Result(name="tempo-edge", description=told["error"], icon="images/icon.png")]
    return [
        Result(
            name=row["title"],
            description=row["subtitle"],
            icon=row["icon"] or "images/icon.png",
            on_enter=ExtensionCustomAction({"play": row["moment"]}),
            on_alt_enter=ExtensionCustomAction({"folder": row["moment"]}),
        )
        for row in told["rows"]
    ]


if __name__ == "__main__":
    Moments().run()
