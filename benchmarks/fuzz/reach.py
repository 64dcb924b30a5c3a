"""Reach: how many lines of the product a target has run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

__all__ = ["Reach"]

_Line = tuple[str, int]


class Reach:
    """Lines of functions in some modules: all of them, and those that were run while looking.

    Args:
        modules: their full names. What runs only on import counts for nothing.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._files: set[str] = set()
        self.all: set[_Line] = set()
        self.seen: set[_Line] = set()
        for name in modules:
            spec = find_spec(name)
            assert spec is not None and spec.origin is not None, name
            self._files.add(spec.origin)
            code = compile(Path(spec.origin).read_text(encoding="utf-8"), spec.origin, "exec")
            self.all.update(
                (spec.origin, line)
                for each in _functions(code)
                for _, _, line in each.co_lines()
                if line is not None and line != each.co_firstlineno
            )

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Note what is run meanwhile: some ten times slower."""
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(None)

    def __str__(self) -> str:
        return f"{len(self.seen & self.all)} of {len(self.all)}"

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._ran if frame.f_code.co_filename in self._files else None

    def _ran(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._ran


def _functions(code: CodeType) -> Iterator[CodeType]:
    """The functions in a module's code, but not the bodies of modules and classes."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_flags & 0x1:  # CO_OPTIMIZED: its names are local, as a function's are
                yield each
            yield from _functions(each)
