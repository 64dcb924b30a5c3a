"""What a release has within: the package whole, its licences, and nothing that is not in git."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tempo_edge import __version__

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[2]

#: Folders of the source by what they are called in a wheel.
PACKAGES = {
    "tempo_edge": "tempo_edge",
    "kernels/tempo_kernels": "tempo_kernels",
    "export/tempo_export": "tempo_export",
    "plugins/tempo_plugins": "tempo_plugins",
    "plugins/mpv": "tempo_plugins/mpv",
    "plugins/vlc": "tempo_plugins/vlc",
}

#: What a registry takes is more; this is what people are asked to download.
MOST_BYTES = 80_000_000


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the archive that are built of this source."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: nothing says what belongs here")
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return folder


def _tracked(folder: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return set(listed.stdout.split("\0")) - {""}


@pytest.mark.slow
def test_a_wheel_has_the_packages_and_their_licences_and_no_more(release: Path) -> None:
    path = release / f"tempo_edge-{__version__}-py3-none-any.whl"
    assert path.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        about = f"tempo_edge-{__version__}.dist-info"
        metadata = Parser().parsestr(wheel.read(f"{about}/METADATA").decode("utf-8"))
    wanted = {
        name + each.removeprefix(source)
        for source, name in PACKAGES.items()
        for each in _tracked(source)
    }
    assert {each for each in names if not each.startswith(about)} == wanted
    assert {f"{about}/licenses/LICENSE", f"{about}/licenses/NOTICE"} <= names
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"


@pytest.mark.slow
def test_an_archive_has_all_that_is_in_git_but_for_the_checks(release: Path) -> None:
    path = release / f"tempo_edge-{__version__}.tar.gz"
    assert path.stat().st_size < MOST_BYTES
    with tarfile.open(path) as archive:
        members = [each for each in archive.getmembers() if not each.isdir()]
    assert all(each.isfile() for each in members), "no links"
    names = {each.name.partition("/")[2] for each in members}
    lacked = {each for each in _tracked(".") - names if not each.startswith(".ci/")}
    assert not lacked and names - _tracked(".") == {"PKG-INFO"}
