"""The mutants of a module: cosmic-ray's operators at the places where a fault would be one."""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.work_item import MutationSpec

__all__ = ["changed_lines", "mutated", "sample"]

# The faults that people make. What no run survives (adding where texts are joined by `%`, ordering
# what is compared by identity) would only flatter the figures.
_REPLACED = {
    "BinaryOperator": {
        "Add": ("Sub",),
        "Sub": ("Add",),
        "Mul": ("Div",),
        "Div": ("Mul", "FloorDiv"),
        "FloorDiv": ("Div", "Mul"),
        "Mod": ("FloorDiv",),
        "Pow": ("Mul",),
        "RShift": ("LShift",),
        "LShift": ("RShift",),
        "BitOr": ("BitAnd",),
        "BitAnd": ("BitOr",),
        "BitXor": ("BitOr",),
    },
    "ComparisonOperator": {
        "Eq": ("NotEq",),
        "NotEq": ("Eq",),
        "Lt": ("LtE", "GtE"),
        "LtE": ("Lt", "Gt"),
        "Gt": ("GtE", "LtE"),
        "GtE": ("Gt", "Lt"),
        "Is": ("IsNot",),
        "IsNot": ("Is",),
    },
    "UnaryOperator": {"USub": ("UAdd",), "Delete": ("Not", "USub", "Invert")},
}
_OTHERS = (
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr"),
    *("ReplaceOrWithAnd", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    *("ExceptionReplacer", "NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop"),
)

_Place = tuple[int, int]
_Span = tuple[_Place, _Place]


def sample(path: str, source: str, most: int, seed: int) -> list[MutationSpec]:
    """Up to ``most`` mutants of the module ``path``, no two of one kind at one place.

    The order hangs on the seed and on the source alone, and a larger sample begins with the
    smaller one.
    """
    rng = random.Random(f"{seed}:{path}")
    kinds: dict[tuple[str, _Place], list[MutationSpec]] = {}
    for mutant in _mutants(path, source):
        kind = mutant.operator_name.split("_")[0]
        kinds.setdefault((kind, mutant.start_pos), []).append(mutant)
    one_each = [rng.choice(kinds[key]) for key in sorted(kinds)]
    rng.shuffle(one_each)
    return one_each[:most]


def mutated(source: str, mutant: MutationSpec) -> str:
    """The source with this fault in it."""
    operator = cosmic_ray.plugins.get_operator(mutant.operator_name)()
    code: str | None = mutate_code(source, operator, mutant.occurrence)
    if code is None:
        raise LookupError(f"{mutant.module_path} has no {mutant.operator_name} any more")
    return code


def changed_lines(source: str, code: str) -> tuple[str, str]:
    """The change of a mutant: the lines before and after, without the blanks around them."""
    old, new = source.splitlines(), code.splitlines()
    first = _alike(old, new)
    last = _alike(old[first:][::-1], new[first:][::-1])
    return _joined(old[first : len(old) - last]), _joined(new[first : len(new) - last])


def _alike(old: list[str], new: list[str]) -> int:
    """The number of lines that both begin with."""
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines).strip()


def _operators() -> Iterator[str]:
    for family, replaced in _REPLACED.items():
        for old, news in replaced.items():
            yield from (f"core/Replace{family}_{old}_{new}" for new in news)
    yield from (f"core/{name}" for name in _OTHERS)


def _mutants(path: str, source: str) -> Iterator[MutationSpec]:
    told = _told(source)
    tree = get_ast(source)
    for name in _operators():
        operator = cosmic_ray.plugins.get_operator(name)()
        occurrence = -1
        for node in ast_nodes(tree):
            for start, end in operator.mutation_positions(node):
                occurrence += 1
                if not any(first <= start < last for first, last in told):
                    yield MutationSpec(
                        module_path=Path(path),
                        operator_name=name,
                        occurrence=occurrence,
                        start_pos=start,
                        end_pos=end,
                    )


def _told(source: str) -> list[_Span]:
    """The spans of what only type checkers and readers read: annotations, dataclasses' options."""
    spans: list[_Span] = []
    for node in ast.walk(ast.parse(source)):
        told: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            told.append(node.returns)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            told.append(node.annotation)
        elif isinstance(node, ast.ClassDef):
            told += [each for each in node.decorator_list if isinstance(each, ast.Call)]
        spans += [
            ((each.lineno, each.col_offset), (each.end_lineno or 0, each.end_col_offset or 0))
            for each in told
            if each is not None
        ]
    return spans
