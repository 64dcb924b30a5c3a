"""All help texts, as they are checked in: `python tests/cli/helps.py > docs/cli.txt`."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from tempo_edge import cli

COMMANDS = (
    *(
        "",
        "index",
        "find",
        "watch",
        "worker",
        "serve",
        "status",
        "list",
        "copies",
        "backup",
        "forget",
        "demo",
        "doctor",
        "export",
        "saved",
        "volumes",
        "library",
        "models",
        "train",
        "users",
    ),
    *("saved add", "saved list", "saved remove", "saved run"),
    *("queue", "queue pause", "queue resume"),
    *("volumes list", "volumes add", "volumes map", "volumes forget", "library copy"),
    *("models use", "models list", "models pull", "models verify", "models remove"),
    *("models export-bundle", "models import-bundle"),
    *("train sft", "train pir-grpo", "train hub", "train evaluate", "train export"),
    *("users add", "users list", "users revoke"),
    *("mcp", "plugins", "plugins list", "plugins install", "plugins remove"),
)


def help_texts() -> str:
    """`tempo-edge --help` and that of every command, each below the line that asks for it."""
    os.environ["COLUMNS"] = "80"
    texts = []
    for command in COMMANDS:
        line = ["tempo-edge", *command.split(), "--help"]
        sys.argv = line
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
            cli.main()
        texts.append(f"$ {' '.join(line)}\n{shown.getvalue()}")
    return "\n".join(texts)


if __name__ == "__main__":
    sys.stdout.write(help_texts())
