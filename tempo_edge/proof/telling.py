"""A proof as people read it: lines for a terminal, a table for a page."""

from __future__ import annotations

from collections.abc import Sequence

from tempo_edge.proof.part import FAILED, NOT_RUN, PASSED, Figure, Row
from tempo_edge.proof.proving import Proof

__all__ = ["lines", "markdown"]

_MARKS = {PASSED: "passed ", FAILED: "FAILED ", NOT_RUN: "not run"}


def lines(proof: Proof) -> str:
    """A line a row, and the machine and the verdict below."""
    width = max((len(row.part) for row in proof.rows), default=0)
    told = [
        f"{_MARKS[row.result]}  {row.part:<{width}}  {row.what} against {row.against}{_rest(row)}"
        for row in proof.rows
    ]
    count = {result: sum(row.result == result for row in proof.rows) for result in _MARKS}
    counts = ", ".join(f"{count[result]} {result}" for result in _MARKS)
    told += [_machine(proof), f"{counts}, in {proof.seconds:.0f} s"]
    return "".join(f"{line}\n" for line in told)


def markdown(proof: Proof) -> str:
    """GitHub markdown: the machine in a sentence, and a table with a row for each row."""
    head = [
        f"{_machine(proof)}. {proof.seconds:.0f} s in all.",
        "",
        "| part | what | held against | result | figures | took |",
        "|---|---|---|---|---|---:|",
    ]
    rows = [
        f"| {row.part} | {_cell(row.what)} | {_cell(row.against)} | {_cell(_result(row))} | "
        f"{_cell(_figures(row.figures))} | {row.seconds:.1f} s |"
        for row in proof.rows
    ]
    return "\n".join([*head, *rows]) + "\n"


def _machine(proof: Proof) -> str:
    """The machine and the versions, in one line."""
    facts = dict(proof.machine)
    card = facts.pop("gpu")
    head = [facts.pop("date"), facts.pop("cpu"), "no GPU" if card.startswith("none:") else card]
    return ", ".join([*head, *(f"{name} {value}" for name, value in facts.items())])


def _result(row: Row) -> str:
    result = f"**{row.result}**" if row.result == FAILED else row.result
    told = [result + (f": {row.why}" if row.why else "")]
    return "; ".join([*told, f"cut short: {row.cut_short}"] if row.cut_short else told)


def _rest(row: Row) -> str:
    """What follows the two things in a line."""
    told = [row.why, _figures(row.figures), f"cut short: {row.cut_short}" if row.cut_short else ""]
    rest = "; ".join(each for each in told if each)
    return f": {rest}" if rest else ""


def _figures(figures: Sequence[Figure]) -> str:
    return ", ".join(f"{each.name} {_number(each.value)} {each.unit}".rstrip() for each in figures)


def _number(value: float) -> str:
    """Three digits that count, and no exponent for what people read."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value)}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
