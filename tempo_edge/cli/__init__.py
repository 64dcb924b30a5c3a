"""The command line: a thin door that parses, calls and prints, one module a command.

Results go to stdout, everything else to stderr. Exit status: 0 something matched, 1 nothing did,
2 an error. It never asks a question.
"""

from tempo_edge.cli.entry import app, main

__all__ = ["app", "main"]
