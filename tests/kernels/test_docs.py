"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_on_kernels_runs() -> None:
    result = doctest.testfile(str(DOCS / "kernels.md"), module_relative=False)
    assert result.attempted >= 4 and result.failed == 0
