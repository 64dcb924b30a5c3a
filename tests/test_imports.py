"""What is imported when: nothing heavy by `import tempo_edge`, no decoder by a search."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys, time
began = time.process_time()
{statement}
spent = time.process_time() - began
print(spent)
print(*sorted(name for name in {names} if name in sys.modules))
"""

HEAVY = (
    *("torch", "numba", "av", "onnxruntime", "faiss", "watchdog", "tokenizers", "rich", "decord"),
    *("psycopg", "pgvector"),  # of libraries on servers alone
)


def run(
    statement: str, environment: dict[str, str], names: tuple[str, ...] = HEAVY
) -> tuple[float, set[str]]:
    """(seconds of processor time, which of the heavy modules are loaded) after a statement."""
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement=statement, names=names)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    *_, spent, loaded = shown.stdout.splitlines()
    return float(spent), set(loaded.split())


def test_the_package_imports_nothing_heavy(environment: dict[str, str]) -> None:
    spent, loaded = run("import tempo_edge", environment)
    assert loaded == set()
    assert spent < 0.25


def test_the_command_line_imports_nothing_heavy(environment: dict[str, str]) -> None:
    _, loaded = run("import tempo_edge.cli", environment, (*HEAVY, "numpy"))
    assert loaded <= {"rich"}, "typer may bring it"


@pytest.mark.parametrize("call", ["api", "command"])
def test_a_search_decodes_and_compiles_nothing(
    environment: dict[str, str], built: Path, call: str
) -> None:
    statements = {
        "api": f"import tempo_edge; list(tempo_edge.find('a beach', library={str(built)!r}))",
        "command": (
            "import tempo_edge.cli as cli; sys.argv = ['tempo-edge', 'find', 'a beach', "
            f"'--min-confidence', '0', '--library', {str(built)!r}]\n"
            "try: cli.main()\nexcept SystemExit: pass"
        ),
    }
    _, loaded = run(statements[call], environment)
    assert {"onnxruntime", "faiss", "tokenizers"} <= loaded
    assert not loaded & {"torch", "numba", "av", "watchdog", "decord", "psycopg", "pgvector"}


@pytest.mark.parametrize("call", ["api", "command"])
def test_a_search_among_words_loads_no_engine(
    environment: dict[str, str], built: Path, call: str
) -> None:
    statements = {
        "api": f"import tempo_edge; tempo_edge.Library.open({str(built)!r}).lines('beach')",
        "command": (
            "import tempo_edge.cli as cli; sys.argv = ['tempo-edge', 'find', '--said', 'beach', "
            f"'--library', {str(built)!r}]\n"
            "try: cli.main()\nexcept SystemExit: pass"
        ),
    }
    heavy = (*HEAVY, "langcodes", "chardetng_py")
    _, loaded = run(statements[call], environment, heavy)
    assert loaded <= ({"rich"} if call == "command" else set()), "typer may bring it"


@pytest.mark.parametrize("call", ["api", "command"])
def test_a_look_at_the_status_loads_no_engine(
    environment: dict[str, str], built: Path, call: str
) -> None:
    statements = {
        "api": f"import tempo_edge; tempo_edge.Library.open({str(built)!r}).files()",
        "command": (
            "import tempo_edge.cli as cli; sys.argv = ['tempo-edge', 'status', "
            f"'--library', {str(built)!r}]\n"
            "try: cli.main()\nexcept SystemExit: pass"
        ),
    }
    _, loaded = run(statements[call], environment)
    assert loaded <= ({"rich"} if call == "command" else set()), "typer may bring it"
