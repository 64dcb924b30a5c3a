r"""A library in a process whose paths are those of Windows: see :mod:`windows_paths`.

What it shows is that ``C:\Films`` is one folder, however it is typed, listed or told of; nothing of
it has been run on Windows.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from videos import make_video

from tempo_edge.errors import LibraryError, TempoEdgeError
from tempo_edge.indexing.exclusion import Exclusion
from tempo_edge.saved.command import words_of
from tempo_edge.store.postgres.name import check_system

PROGRAM = r"""
import json, os, sys
from windows_paths import become_windows

become_windows({"C": sys.argv[1], "D": sys.argv[2]})
from pathlib import Path
from watchdog.events import FileCreatedEvent
import tempo_edge
from tempo_edge._files.beside import films_beside
from tempo_edge.indexing.exclusion import NOTHING, Exclusion
from tempo_edge.indexing.watcher import _Waiting
from tempo_edge.query import Query, places
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.volumes.mounts import is_mounted

told = {}

def note(name, given):
    told[name] = given

def index(*roots, **how):
    report = library.index(roots, **how)
    return [report.indexed + report.reused, report.unchanged, report.dropped]

def found(within):
    try:
        answer = library.find("a red wall", within=within, min_confidence=0)
        return sorted(str(moment.path) for moment in answer.moments)
    except tempo_edge.TempoEdgeError as error:
        return str(error)

with tempo_edge.Library.open("C:\\library.db") as library:
    note("first", index("C:\\Films"))
    note("again", [index(each) for each in ("c:/Films/../Films/", "\\\\?\\C:\\Films", "C:\\")])
    note("paths", [row.path for row in library.files()])
    volumes = {row.volume for row in library.files()}
    elsewhere = [volume.replace("C:", "E:") for volume in volumes]
    mounted = [[is_mounted(each) for each in some] for some in (volumes, elsewhere)]
    note("volumes", [sorted(volumes), *mounted])
    note("drives", [index("D:\\"), index("D:\\", "C:\\Films", "C:\\Films\\a")])
    note("within", [found(each) for each in ("C:\\Films\\a", "c:/Films", "D:\\", "C:\\Fil")])
    note("moment", library.find("a red wall", within="C:\\Films\\a").moments[0].as_dict()["path"])
    note("lines", [str(match.path) for match in library.lines("harbour")])
    note("listed", [each.file.path for each in library.videos("D:\\")])
    note("like", [str(each.path) for each in library.find(like="D:\\c.mp4@0.5").moments])
    saved = SavedQuery(Query("a dog", within=places("C:\\Films\\a")), {})
    note("saved", json.loads(saved.as_text())["query"]["within"])
    note("excluded", index("C:\\Films", exclude=["/b"]))
    note("back", index("C:\\Films"))
    try:
        Exclusion(["C:/Films/b"], [Path("C:\\Films")])
    except tempo_edge.TempoEdgeError as error:
        note("pattern", str(error))
    note("forgotten", [library.forget("c:\\Films\\a"), [row.path for row in library.files("C:\\")]])
    os.unlink("C:\\Films\\b\\dog.mp4")
    note("gone", [index("C:\\Films"), [row.path for row in library.files()]])
    waiting = _Waiting(["C:/Films"], NOTHING)
    waiting.on_any_event(FileCreatedEvent("C:\\Films\\a\\boat.srt"))
    waiting.on_any_event(FileCreatedEvent("C:\\Films\\.hidden\\new.mp4"))
    note("waiting", list(waiting._paths))
    note("beside", films_beside("D:/c.srt"))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, shared_environment: dict[str, str]
) -> dict[str, Any]:
    """What a process told of a library over two drives."""
    if sys.version_info < (3, 11):
        pytest.skip("pathlib can't be told another system")
    drives = [tmp_path_factory.mktemp(letter).resolve() for letter in "cd"]
    for path, colour in {
        drives[0] / "Films/a/boat.mp4": (200, 0, 0),
        drives[0] / "Films/b/dog.mp4": (0, 0, 200),
        drives[1] / "c.mp4": (0, 200, 0),
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        make_video(path, shots=[(colour, 1.0)], size=(64, 48))
    words = "1\n00:00:00,100 --> 00:00:00,900\nOut of the harbour\n"
    (drives[0] / "Films/a/boat.srt").write_text(words)
    here = Path(__file__).parent
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(here)!r})\n{PROGRAM}",
            *drives,
        ],
        env={**shared_environment, "PYTHONWARNINGS": "ignore"},
        cwd=drives[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not [each for each in drives[0].iterdir() if "\\" in each.name]
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_a_folder_is_known_again_however_it_is_typed(told: dict[str, Any]) -> None:
    assert told["first"] == [2, 0, 0]
    assert told["again"] == [[0, 2, 0]] * 3
    assert told["paths"] == ["C:/Films/a/boat.mp4", "C:/Films/b/dog.mp4"]
    assert told["drives"] == [[1, 0, 0], [0, 3, 0]]


def test_a_drive_is_a_volume(told: dict[str, Any]) -> None:
    """One that no drive of this letter holds now is not mounted, and nothing of it is forgotten."""
    (volume,), mounted, elsewhere = told["volumes"]
    assert volume.partition(":")[2] == "C:/"
    assert (mounted, elsewhere) == ([True], [False])


def test_a_search_keeps_to_a_folder(told: dict[str, Any]) -> None:
    boat, dog, other = "C:\\Films\\a\\boat.mp4", "C:\\Films\\b\\dog.mp4", "D:\\c.mp4"
    inside, films, drive, half = told["within"]
    assert (inside, films, drive) == ([boat], [boat, dog], [other])
    assert half.startswith("the library holds no footage at or under C:\\Fil")
    assert told["moment"] == "C:/Films/a/boat.mp4"
    assert told["listed"] == ["D:/c.mp4"]
    assert other not in told["like"]
    assert told["saved"] == ["C:/Films/a"]


def test_words_beside_a_film_are_its_own(told: dict[str, Any]) -> None:
    assert told["lines"] == ["C:\\Films\\a\\boat.mp4"]
    assert told["beside"] == ["D:/c.mp4"]


def test_what_is_left_out_forgotten_and_gone(told: dict[str, Any]) -> None:
    assert told["excluded"] == [0, 1, 1]
    assert told["back"] == [1, 1, 0]
    assert told["pattern"].endswith("begins at the folder that is indexed: write '/b'")
    assert told["forgotten"] == [1, ["C:/Films/b/dog.mp4"]]
    assert told["gone"] == [[1, 0, 1], ["C:/Films/a/boat.mp4", "D:/c.mp4"]]


def test_what_is_told_of_a_watched_folder_is_noticed(told: dict[str, Any]) -> None:
    # Words that came are their film's.
    assert told["waiting"] == ["C:/Films/a/boat.mp4"]


def test_a_pattern_with_backslashes_between_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Exclusion(["raw\\d"]).covers("/v/rawd", "/v", folder=False)  # as git has it
    monkeypatch.setattr("tempo_edge.indexing.exclusion.IS_WINDOWS", True)
    with pytest.raises(TempoEdgeError, match=r"between folders: write 'raw/old/\*\.avi'"):
        Exclusion(["raw\\old\\*.avi"])
    assert Exclusion(["\\#raw"]).covers("C:/v/#raw", "C:/v", folder=False)


def test_a_command_of_windows_has_backslashes() -> None:
    line = 'C:\\Tools\\note.exe "C:\\My films\\{name}" \'a "b"\''
    words = ["C:\\Tools\\note.exe", "C:\\My films\\{name}", 'a "b"']
    assert words_of(line, is_windows=True) == words
    assert words_of(line)[0] == "C:Toolsnote.exe"
    assert words_of("a\\ b '#c' #d") == shlex.split("a\\ b '#c' #d")


def test_a_library_on_a_server_is_for_other_systems() -> None:
    check_system()
    with pytest.raises(LibraryError, match="on Linux and macOS, not on Windows"):
        check_system(is_windows=True)
