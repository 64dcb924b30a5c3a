"""The campaign that puts faults into the program: what it counts, and how it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason='pip install "tempo-edge[mutation]"', exc_type=ImportError)

from benchmarks.mutation.campaign import Campaign, Module, noticed, table
from benchmarks.mutation.copies import Copy
from benchmarks.mutation.equivalents import EQUIVALENTS, Equivalent
from benchmarks.mutation.modules import GUARDS
from benchmarks.mutation.mutants import changed_lines, mutated, sample

CHECKOUT = Path(__file__).resolve().parents[2]

# `halve` is guarded, `double` is called by nobody.
SOURCE = """
def halve(number: int | None) -> int:
    return number // 2


def double(number: int) -> int:
    return number * 2
"""
TEST = """
import os
from pathlib import Path

from numbers_of import halve


def test_halve():
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write("called\\n")
    assert halve(8) == 4
"""
GUARDED = {"numbers_of.py": ("test_numbers_of.py",)}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one module and one test, which notes in `calls` each time it is run."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "numbers_of.py").write_text(SOURCE)
    (folder / "test_numbers_of.py").write_text(TEST)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return folder


def run(project: Path, most: int = 9, **options: object) -> Module:
    kept = project.parent / "kept"
    copy = Copy(project, kept / "copy")
    campaign = Campaign(copy, kept / "sessions", most, seed=0, **options)  # type: ignore[arg-type]
    (module,) = campaign.run(GUARDED)
    return module


def calls(project: Path) -> int:
    return (project.parent / "calls").read_text().count("called")


def outcomes(module: Module) -> set[tuple[str, str, str]]:
    return {(mutant.before, mutant.after, mutant.outcome) for mutant in module.mutants}


def test_a_fault_is_killed_where_a_test_looks_and_survives_where_none_does(project: Path) -> None:
    named = Equivalent("numbers_of.py", "return number * 2", "return number / 2", "made up")
    module = run(project, equivalents=[named])
    before = {mutant.before: set[str]() for mutant in module.mutants}
    for mutant in module.mutants:
        before[mutant.before].add(mutant.outcome)
    assert before == {
        "return number // 2": {"killed"},
        "return number * 2": {"survived", "equivalent"},
    }
    assert len(module.mutants) == 4  # two numbers, two operators: annotations are no code
    assert noticed([module]) == pytest.approx(2 / 3)
    assert "| numbers_of.py | 4 | 2 | 0 | 1 | 1 | 67% |" in table([module])
    assert (project / "numbers_of.py").read_text() == SOURCE


def test_what_is_known_is_not_run_again(project: Path) -> None:
    first = run(project, most=1)
    assert calls(project) == 2  # without a fault, and with one
    whole = run(project)
    assert outcomes(first) < outcomes(whole)  # a larger sample begins with the smaller one
    assert calls(project) == 2 + 4
    assert outcomes(run(project)) == outcomes(whole)
    assert calls(project) == 2 + 4
    run(project, again=True)
    assert calls(project) == 2 + 4 + 3  # the two that survived


def test_a_module_that_was_changed_is_asked_about_anew(project: Path) -> None:
    run(project, most=1)
    (project / "numbers_of.py").write_text(SOURCE + "\n# A remark.\n")
    run(project, most=1)
    assert calls(project) == 2 + 2


def test_tests_that_fail_without_a_fault_say_nothing_about_faults(project: Path) -> None:
    (project / "test_numbers_of.py").write_text("def test_it():\n    assert 'blue' == 'green'\n")
    module = run(project)
    assert module.mutants == [] and "assert 'blue' == 'green'" in module.trouble


def test_tests_that_somebody_else_ends_are_no_kill(project: Path) -> None:
    """Nor is what they would have said: the mutant is run when the campaign goes on."""
    ended = "    import signal\n\n    os.kill(os.getpid(), signal.SIGTERM)\n"
    (project / "test_numbers_of.py").write_text(TEST + ended)
    with pytest.raises(InterruptedError, match="ended from outside: start again to go on"):
        run(project)
    (project / "test_numbers_of.py").write_text(TEST)
    assert {mutant.outcome for mutant in run(project).mutants} == {"killed", "survived"}


def test_a_fault_that_never_ends_is_timed_out(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.mutation.campaign._SPARE_SECONDS", 0.0)
    (project / "numbers_of.py").write_text(
        "def halve(number):\n    while False:\n        pass\n    return int(number / len('ab'))\n"
    )
    mutants = {mutant.after: mutant.outcome for mutant in run(project).mutants}
    assert mutants["while True:"] == mutants["while not False:"] == "timed out"


# The test's third run waits to be killed, and says which process that is.
ASSERT = "    assert halve(8) == 4\n"
HELD = """
    if Path(os.environ["CALLS"]).read_text().count("called") == 3:
        draft = Path(os.environ["HELD"] + ".draft")
        draft.write_text(str(os.getpid()))
        draft.rename(os.environ["HELD"])
        import signal

        signal.pause()
"""


def test_a_killed_campaign_goes_on_and_leaves_no_fault_behind(project: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from benchmarks.mutation.campaign import Campaign\n"
        "from benchmarks.mutation.copies import Copy\n"
        "kept = Path(sys.argv[2])\n"
        "copy = Copy(Path(sys.argv[1]), kept / 'copy')\n"
        f"list(Campaign(copy, kept / 'sessions', 9, 0).run({GUARDED!r}))\n"
    )
    kept = project.parent / "kept"
    (project / "test_numbers_of.py").write_text(TEST.replace(ASSERT, HELD + ASSERT))
    held = project.parent / "held"
    started = subprocess.Popen(
        [sys.executable, "-c", script, str(project), str(kept)],
        cwd=CHECKOUT,
        env={**os.environ, "HELD": str(held)},
        start_new_session=True,
    )
    while not held.exists():
        assert started.poll() is None
        time.sleep(0.01)
    started.kill()
    started.wait()
    os.kill(int(held.read_text()), signal.SIGKILL)
    assert (kept / "copy" / "numbers_of.py").read_text() != SOURCE  # killed with a fault in place
    assert (project / "numbers_of.py").read_text() == SOURCE
    before = calls(project)
    (project / "test_numbers_of.py").write_text(TEST)
    module = run(project)
    assert (kept / "copy" / "numbers_of.py").read_text() == SOURCE
    assert {mutant.outcome for mutant in module.mutants} == {"killed", "survived"}
    # Without a fault once more, and the mutants that were not done: of four, the first was.
    assert calls(project) - before == 4


def test_annotations_and_options_of_dataclasses_are_left_alone() -> None:
    source = (
        "@dataclass(frozen=True)\nclass A:\n    b: int | None = 1\n\n\n"
        "def c(d: int | None = None) -> int | None:\n    return d\n"
    )
    mutants = sample("a.py", source, 9, seed=0)
    changed = {changed_lines(source, mutated(source, each))[0] for each in mutants}
    assert changed == {"b: int | None = 1", "@dataclass(frozen=True)"}
    assert len(mutants) == 2  # the number, and the decorator as a whole


def test_the_table_and_the_list_name_what_is_there() -> None:
    for module, tests in GUARDS.items():
        for path in (module, *tests):
            assert (CHECKOUT / path).is_file(), path
    for each in EQUIVALENTS:
        lines = (CHECKOUT / each.module).read_text().splitlines()
        assert each.before in {line.strip() for line in lines}, each
        assert each.why
