"""What the documentation shows can be typed as it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from command_lines import check, of_markdown

from tempo_edge._extras import CPU_OR_GPU, install_line, lacking, pip_command

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [
    path
    for folder in ("tempo_edge", "export", "plugins", "kernels", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".lua", ".js", ".html")
]


def extras() -> dict[str, list[str]]:
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return dict(facts["project"]["optional-dependencies"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_is_one(page: Path) -> None:
    for arguments in of_markdown(page.read_text(encoding="utf-8")):
        check(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_extras_are_installed_from_where_they_are(page: Path) -> None:
    """No registry has the package yet: what is named is the folder, or a wheel that was made."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if "pip install" in line and "tempo-edge" in line:
            assert "tempo-edge[" not in line or "--find-links" in line, line
        for named in re.findall(r'"\.\[([^\]]+)\]"', line):
            assert set(named.split(",")) <= set(extras()), line


def test_one_place_says_how_to_install_something() -> None:
    assert pip_command() == "pip install ."
    assert pip_command("cpu") == 'pip install ".[cpu]"'
    assert install_line("tensorrt") == "pip install tensorrt"
    assert install_line("tensorrt-cu13==11.*") == 'pip install "tensorrt-cu13==11.*"'
    assert CPU_OR_GPU == 'pip install ".[cpu]", or ".[gpu]" with an NVIDIA card'
    for path in SOURCES:
        if path.name != "_extras.py":
            assert "pip install" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("faiss", f"FAISS is not installed: {CPU_OR_GPU}"),
        ("onnx.helper", f"onnx is not installed: {pip_command('onnx')}"),
        ("dbus_fast", f"dbus-fast is not installed: {pip_command('desktop')}"),
        ("antigravity", "antigravity is not installed"),
    ],
)
def test_what_is_lacking_is_named_with_its_command(module: str, line: str) -> None:
    assert lacking(module) == line


def test_every_extra_that_is_named_is_one() -> None:
    from tempo_edge import _extras

    for module, (name, extra) in _extras._EXTRAS.items():
        assert extra in extras(), module
        assert lacking(module).startswith(f"{name} is not installed: pip install")


def test_a_profile_at_another_precision_needs_no_torch() -> None:
    named = {re.split(r"[<>=\[]", each)[0] for each in extras()["onnx"]}
    assert named == {"onnx", "onnx-ir", "onnxruntime", "pillow"}
    assert "tempo-edge[onnx]" in extras()["train"]
