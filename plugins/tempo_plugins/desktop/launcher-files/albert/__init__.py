"""Moments in your videos, for Albert's Python interface 5: a thin door to tempo-edge."""

import json
import os
import subprocess
from pathlib import Path

from albert import Action, GeneratorQueryHandler, PluginInstance, StandardItem, makeImageIcon

md_iid = "5.0"
md_version = "1.0"
md_name = "Moments in your videos"
md_description = "Find the second where something happens"
md_license = "Apache-2.0"
md_authors = ["tempo-edge"]

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


def item(row):
    """A line for the launcher."""
    picture, moment = row["icon"] or str(HERE / "icon.png"), row["moment"]
    return StandardItem(
        id=f"{moment['path']} {moment['start_seconds']}",
        text=row["title"],
        subtext=row["subtitle"],
        icon_factory=lambda: makeImageIcon(picture),
        actions=[
            Action("play", "Play", lambda: ask({"play": moment})),
            Action("folder", "Show the folder", lambda: ask({"folder": moment})),
        ],
    )


def failure(text):
    """A line that says what went wrong."""
    return StandardItem(
        id="error",
        text="tempo-edge",
        subtext=text,
        icon_factory=lambda: makeImageIcon(str(HERE / "icon.png")),
    )


class Plugin(PluginInstance, GeneratorQueryHandler):
    def __init__(self):
        PluginInstance.__init__(self)
        GeneratorQueryHandler.__init__(self)

    def defaultTrigger(self):  # noqa: N802 - the interface spells it so
        return "v "

    def synopsis(self, query):
        return "what happens"

    def items(self, context):
        told = ask({"query": context.query})
        if context.isValid:
            yield [failure(told["error"])] if "error" in told else [item(r) for r in told["rows"]]
