"""Every oracle finds a fault that is planted for it, and the product stands a while of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from benchmarks.fuzz.__main__ import main
from benchmarks.fuzz.findings import Finding, decoded, encoded, read_finding
from benchmarks.fuzz.processes import Outcome, fuzz
from benchmarks.fuzz.target import Refusal, Target, holds
from benchmarks.fuzz.targets import TARGETS
from benchmarks.fuzz.worker import Fuzzing, _peak_megabytes, judge

# A planted fault: the target, where it is put, and what stands there instead.
Plant = tuple[str, str, Callable[..., Any]]


def _off_by_one(frames: int, rate: Any, drop: bool = False) -> str:
    from tempo_edge.timeline.timecode import format_timecode

    return format_timecode(frames + (frames % 10 == 7), rate, drop)


def _outside(bundle: Path, store: Path, **options: Any) -> Any:
    from tempo_edge.models.bundle import install_bundle

    (store.parent / "outside").write_bytes(b"")
    return install_bundle(bundle, store, **options)


def _in_any_order(answer: str) -> list[Any]:
    from tempo_edge.eta import read
    from tempo_edge.moment import Span

    return [*read(answer), Span(0.0, 0.1)]


def _any_numbers(self: Any, name: str, count: int) -> list[float]:
    return [float(each) for each in self._facts[name]]


def _unchecked(path: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def _rounded(seconds: Fraction) -> str:
    return f"{round(1000 * seconds)}/1000s"


def _without_keys(table: Any, context: Any) -> Any:
    return replace(table, keys=table.keys & False)


FAULTS: list[Plant] = [
    ("bundles", "benchmarks.fuzz.bundles.install_bundle", _outside),
    ("packets", "benchmarks.fuzz.packets.stamp_of", lambda packet: packet.dts),
    ("packets", "tempo_edge.media._packets.holes", lambda *facts: ((5, 3),)),
    ("containers", "tempo_edge.media._listing.believe", _without_keys),
    ("subtitles", "tempo_edge.media._streams._zero", lambda container: Fraction(0)),
    ("queries", "tempo_edge.eta.read", _in_any_order),
    (
        "queries",
        "tempo_edge.service.http.parameters.Parameters.whole",
        lambda self, n, low, high: 101,
    ),
    ("calibrations", "tempo_edge.models.description.Description.numbers", _any_numbers),
    ("tokenizers", "benchmarks.fuzz.tokenizers.read_tokenizer", _unchecked),
    ("edl", "tempo_edge.timeline.edl.ascii_name", lambda path: path.name),
    ("edl", "tempo_edge.timeline.edl._check", lambda cuts: None),
    ("fcpxml", "tempo_edge.timeline.fcpxml.plain_name", lambda path: path.name),
    ("fcpxml", "tempo_edge.timeline.fcpxml._time", _rounded),
    ("timecodes", "benchmarks.fuzz.timecodes.format_timecode", _off_by_one),
]


def _fuzzed(target: Target, tmp_path: Path, seconds: float = 0.3) -> Fuzzing:
    fuzzing = Fuzzing(target, time.monotonic() + seconds, tmp_path)
    fuzzing.run(1)
    return fuzzing


def _first_found(target: Target, tmp_path: Path) -> dict[str, Finding]:
    fuzzing = Fuzzing(target, time.monotonic() + 60, tmp_path, most_findings=1)
    fuzzing.run(1)
    return fuzzing.found


@pytest.mark.parametrize("name", TARGETS)
def test_a_while_of_each_target_finds_nothing(name: str, tmp_path: Path) -> None:
    fuzzing = _fuzzed(TARGETS[name], tmp_path)
    assert [each.text for each in fuzzing.found.values()] == []
    assert fuzzing.tried >= 1


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{name} {place}" for name, place, _ in FAULTS])
def test_an_oracle_finds_what_was_planted(
    fault: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, place, instead = fault
    monkeypatch.setattr(place, instead)
    target = TARGETS[name]
    find(
        target.cases,
        lambda case: judge(target, case, tmp_path) is not None,
        settings=settings(
            max_examples=10_000,  # drawn from constants of what happens to be imported
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
        random=Random(1),
    )


def _picky(case: dict[str, Any], folder: Path) -> None:
    (folder / "left").write_bytes(case["bytes"])
    with Refusal(ValueError):
        raise ValueError("one line\nand another" if case["number"] > 999 else "one line")


PICKY = Target(
    "picky",
    ("benchmarks.fuzz.target",),
    st.fixed_dictionaries({"number": st.integers(), "bytes": st.binary()}),
    _picky,
)


def test_a_finding_is_small_and_reproduces_the_fault(tmp_path: Path) -> None:
    (finding,) = _first_found(PICKY, tmp_path).values()
    assert decoded(finding.case) == {"number": 1000, "bytes": b""}
    assert "several lines" in finding.text
    assert isinstance(judge(PICKY, decoded(finding.case), tmp_path), AssertionError)
    assert judge(PICKY, {"number": 999, "bytes": b"x"}, tmp_path) is None


def test_a_seed_tries_the_same_cases(tmp_path: Path) -> None:
    def tried() -> list[str]:
        cases: list[str] = []
        target = Target("any", (), st.binary(), lambda case, folder: None)
        Fuzzing(target, 0.0, tmp_path, cases.append).run(5)
        return cases

    assert tried() == tried()


@pytest.mark.parametrize(
    ("check", "seconds", "said"),
    [
        (lambda case, folder: sum(range(10**7)), 0.01, " s are allowed"),
        (lambda case, folder: b"x" * int(1e6 * (_peak_megabytes() + 50)), 60.0, "10 are allowed"),
    ],
)
def test_time_and_memory_are_bounded(check: Any, seconds: float, said: str, tmp_path: Path) -> None:
    error = judge(Target("bounds", (), st.none(), check, seconds, 10.0), None, tmp_path)
    assert error is not None and said in str(error)


def test_cases_are_written_down_whole() -> None:
    case = {"bytes": b"\0\xff", "text": "\ud800", "list": [1, 1.5, None, True]}
    assert decoded(encoded(case)) == case


def test_findings_end_with_status_1_and_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def found(name: str, seconds: float, seed: int, scratch: Path) -> Outcome:
        return Outcome(name, 1, "", list(_first_found(PICKY, scratch).values()))

    monkeypatch.setitem(TARGETS, "picky", PICKY)
    monkeypatch.setattr("benchmarks.fuzz.__main__.fuzz", found)
    assert main(["picky", "--keep", str(tmp_path)]) == 1
    assert "several lines" in capsys.readouterr().out
    (path,) = tmp_path.glob("picky-*.json")
    assert read_finding(path) == ("picky", {"number": 1000, "bytes": b""})
    with pytest.raises(AssertionError, match="several lines"):
        main(["--again", str(path)])


def test_a_target_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    outcome = fuzz("timecodes", 0.1, 1, tmp_path)
    assert outcome.tried > 0 and outcome.findings == []


@pytest.mark.parametrize("wanted", ["no-such", "--seconds=x"])
def test_what_is_not_there_is_refused(wanted: str) -> None:
    with pytest.raises(SystemExit):
        main([wanted])


def test_holds_says_what_does_not() -> None:
    holds(True, "x")
    with pytest.raises(AssertionError, match="x"):
        holds(False, "x")
