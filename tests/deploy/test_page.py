"""docs/deploy.md names nothing that isn't there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_lines import check, of_markdown, of_shell

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "deploy.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_command_line_is_one() -> None:
    named = {check(arguments) for arguments in of_markdown(TEXT)}
    assert {"index", "find", "watch", "doctor", "models verify"} <= named
    assert {"models export-bundle", "models import-bundle"} <= named


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("tempo-edge index ~/Videos --fast", "--fast"),
        ("ls && X=1 ~/.local/bin/tempo-edge index", "paths"),
        ("docker run --rm -v a:b tempo-edge:rtx watch a --once", "--once"),
        ("docker exec tempo tempo-edge doctor now", "now"),
        ("tempo-edge bundles | less", "bundles"),
        ("tempo-edge find a --limit", "--limit"),
    ],
)
def test_a_wrong_command_line_is_found(line: str, wrong: str) -> None:
    (arguments,) = of_shell(line)
    with pytest.raises(ValueError, match=wrong):
        check(arguments)


def test_every_file_it_names_exists() -> None:
    named = re.findall(r"\b((?:deploy|docs|kernels)/[\w./-]*\w)", TEXT)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert {"deploy/jetson.Dockerfile", "deploy/tempo-edge-watch.service"} <= set(named) and links
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_the_readme_leads_here() -> None:
    assert "(docs/deploy.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
