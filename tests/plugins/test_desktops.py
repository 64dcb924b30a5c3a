"""GNOME's and KDE's search over a real session bus, which starts the programs itself."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from doors import AWKWARD, Bus, Notes, Service, moment
from harness import PATIENCE, Said, wait_until
from videos import RED, make_video

from tempo_edge._console.text import printable

pytest.importorskip("dbus_fast")
pytest.importorskip("jeepney")

GNOME = ("org.tempoedge.SearchProvider", "/org/tempoedge/SearchProvider")
GNOME_INTERFACE = (*GNOME, "org.gnome.Shell.SearchProvider2")
KRUNNER = ("org.tempoedge.KRunner", "/org/tempoedge/KRunner")
KRUNNER_INTERFACE = (*KRUNNER, "org.kde.krunner1")
BOTH = pytest.mark.parametrize(
    ("plugin", "place"), [("gnome", GNOME), ("krunner", KRUNNER)], ids=["gnome", "krunner"]
)

Install = Callable[[str], Said]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Four seconds of red."""
    path = tmp_path / "footage" / "red.mp4"
    path.parent.mkdir()
    make_video(path, shots=[(RED, 4)], size=(128, 96))
    return path


@BOTH
def test_introspection(
    bus: Bus, installed: Install, plugin: str, place: tuple[str, str], service: Service
) -> None:
    installed(plugin)
    told = bus.gdbus("introspect", "--xml", "--dest", place[0], "--object-path", place[1])
    assert told.returncode == 0, told.stderr
    published = {
        "gnome": {
            "GetInitialResultSet": ["as", "as"],
            "GetSubsearchResultSet": ["as", "as", "as"],
            "GetResultMetas": ["as", "aa{sv}"],
            "ActivateResult": ["s", "as", "u"],
            "LaunchSearch": ["as", "u"],
        },
        "krunner": {
            "Match": ["s", "a(sssida{sv})"],
            "Actions": ["a(sss)"],
            "Run": ["s", "s"],
            "Config": ["a{sv}"],
            "Teardown": [],
        },
    }
    import xml.etree.ElementTree as ElementTree

    own = GNOME_INTERFACE[2] if plugin == "gnome" else KRUNNER_INTERFACE[2]
    (interface,) = ElementTree.fromstring(told.stdout).iterfind(f"interface[@name='{own}']")
    methods = {
        method.get("name"): [argument.get("type") for argument in method]
        for method in interface.iter("method")
    }
    assert methods == published[plugin]
    above = bus.gdbus("introspect", "--dest", place[0], "--object-path", "/org")
    assert "tempoedge" in above.stdout


def test_gnome_from_words_to_the_player(
    bus: Bus, installed: Install, service: Service, film: Path, notes: Notes
) -> None:
    installed("gnome")
    service.found(moment(film, video=None, found_by=["speech"], text="a red wall"))
    where = ("--dest", GNOME[0], "--object-path", GNOME[1], "--method")
    first = bus.gdbus(
        "call", *where, "org.gnome.Shell.SearchProvider2.GetInitialResultSet", "['a','red','wall']"
    )
    assert first.returncode == 0, first.stderr
    (names,) = ast.literal_eval(first.stdout)
    assert len(names) == 1
    path, asked = next(each for each in service.asked if each[0] == "/v1/find")
    assert path == "/v1/find" and asked["q"] == "a red wall" and asked["retrieval"] == "1"
    wait_until(lambda: len(bus.call(*GNOME_INTERFACE, "GetResultMetas", "as", names)[0]) == 4)
    (meta,) = bus.call(*GNOME_INTERFACE, "GetResultMetas", "as", names)
    assert meta["id"] == ("s", names[0]) and meta["name"] == ("s", "red.mp4")
    assert meta["description"] == ("s", "00:01.2–00:03.5 · 75% · \u2068a red wall\u2069")
    picture = Path(meta["gicon"][1])
    assert picture.read_bytes()[:3] == b"\xff\xd8\xff"
    assert picture.stat().st_mode & 0o077 == 0 and picture.parent.stat().st_mode & 0o077 == 0
    assert bus.call(*GNOME_INTERFACE, "ActivateResult", "sasu", names[0], ["red"], 0) == ()
    arguments = notes.taken("mpv")
    assert arguments[-2:] == ["--", str(film)]
    assert "--start=0.750" in arguments, "words: shortly before"


def test_gnome_searches_anew_with_each_word(bus: Bus, installed: Install, service: Service) -> None:
    installed("gnome")
    service.found(moment("/v/a.mp4"), moment("/v/b.mp4"))
    both = bus.call(*GNOME_INTERFACE, "GetInitialResultSet", "as", ["dog"])
    service.found(moment("/v/b.mp4"), moment("/v/c.mp4"))
    fewer = bus.call(*GNOME_INTERFACE, "GetSubsearchResultSet", "asas", both, ["dog", "jumps"])
    assert len(both) == len(fewer) == 2 and both[1] == fewer[0] and fewer[1] not in both
    assert [q["q"] for target, q in service.asked if target == "/v1/find"][-1] == "dog jumps"
    assert bus.call(*GNOME_INTERFACE, "GetInitialResultSet", "as", ["d"]) == []


@BOTH
def test_a_line_says_that_its_answer_is_unsure(
    bus: Bus, installed: Install, plugin: str, place: tuple[str, str], service: Service
) -> None:
    installed(plugin)
    for rivals, said in ((3, "75% · /v"), (4, "75%, unsure · /v")):
        service.found(moment("/v/a.mp4", video=None), rivals=rivals)
        if plugin == "gnome":
            names = bus.call(*GNOME_INTERFACE, "GetInitialResultSet", "as", ["dog"])
            (meta,) = bus.call(*GNOME_INTERFACE, "GetResultMetas", "as", names)
            line = meta["description"]
        else:
            (row,) = bus.call(*KRUNNER_INTERFACE, "Match", "s", "dog")
            line = row[5]["subtext"]
        assert line == ("s", f"00:01.2–00:03.5 · {said}")


@BOTH
def test_a_line_of_words_is_in_the_place_of_the_folder(
    bus: Bus, installed: Install, plugin: str, place: tuple[str, str], service: Service
) -> None:
    installed(plugin)
    for text, shown in (
        ("I'm so sorry.", "I'm so sorry."),
        ("<b>a</b> &amp;\x1b[2J\u202e b", "<b>a</b> &amp;\\x1b[2J\\u202e b"),
        ("two\nlines", "two lines"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("word " * 100, f"{('word ' * 20).rstrip()}…"),
    ):
        service.found(moment("/v/a.mp4", video=None, found_by=["subtitle"], text=text))
        if plugin == "gnome":
            names = bus.call(*GNOME_INTERFACE, "GetInitialResultSet", "as", ["dog"])
            (meta,) = bus.call(*GNOME_INTERFACE, "GetResultMetas", "as", names)
            line = meta["description"]
        else:
            (row,) = bus.call(*KRUNNER_INTERFACE, "Match", "s", "dog")
            line = row[5]["subtext"]
        assert line == ("s", f"00:01.2–00:03.5 · 75% · \u2068{shown}\u2069")


def test_gnome_shows_all_on_a_page(
    bus: Bus, installed: Install, service: Service, film: Path, notes: Notes
) -> None:
    installed("gnome")
    service.found(moment(film, video=None), rivals=4)
    bus.call(*GNOME_INTERFACE, "LaunchSearch", "asu", ["a", "<wall>"], 0)
    (page,) = notes.taken("xdg-open")
    text = Path(page).read_text(encoding="utf-8")
    assert "<h1>a &lt;wall&gt;</h1>" in text and f"{film.as_uri()}#t=1.25" in text
    assert "data:image/jpeg;base64," in text
    assert "<p>Unsure: 4 other videos have a moment that is nearly as likely.</p>" in text


def test_krunner_from_words_to_the_player(
    bus: Bus, installed: Install, service: Service, film: Path, notes: Notes
) -> None:
    installed("krunner")
    service.found(moment(film, video=None))
    actions = bus.gdbus(
        *("call", "--dest", KRUNNER[0], "--object-path", KRUNNER[1]),
        *("--method", "org.kde.krunner1.Actions"),
    )
    assert ast.literal_eval(actions.stdout) == (
        [("folder", "Show the folder", "document-open-folder")],
    )

    def match() -> tuple[str, str, str, int, float, dict[str, tuple[str, object]]]:
        (row,) = bus.call(*KRUNNER_INTERFACE, "Match", "s", "a red wall")
        return row  # type: ignore[no-any-return]

    wait_until(lambda: "icon-data" in match()[5])
    name, text, icon, kind, relevance, more = match()
    assert (text, icon, kind, relevance) == ("red.mp4", "video-x-generic", 30, 0.75)
    assert more["subtext"] == ("s", f"00:01.2–00:03.5 · 75% · {film.parent}")
    assert more["urls"] == ("as", [film.as_uri()]) and more["actions"] == ("as", ["folder"])
    signature, picture = more["icon-data"]
    assert signature == "(iiibiiay)"
    width, height, stride, alpha, bits, channels, samples = picture  # type: ignore[misc]
    assert (width, height, stride, alpha, bits, channels) == (128, 96, 384, False, 8, 3)
    assert len(samples) == 96 * 384
    red, green, blue = samples[:3]
    assert red > 180 and green < 60 and blue < 60
    bus.call(*KRUNNER_INTERFACE, "Run", "ss", name, "")
    arguments = notes.taken("mpv")
    assert arguments[-2:] == ["--", str(film)] and "--start=1.250" in arguments
    bus.call(*KRUNNER_INTERFACE, "Run", "ss", name, "folder")
    assert notes.taken("xdg-open") == [str(film.parent)]
    assert bus.call(*KRUNNER_INTERFACE, "Match", "s", "re") == []
    assert bus.call(*KRUNNER_INTERFACE, "Config") == {"MinLetterCount": ("i", 3)}
    assert bus.call(*KRUNNER_INTERFACE, "Teardown") == ()


@pytest.mark.parametrize("picture", ["from the service", "no picture at all"])
def test_pictures_come_from_the_service_if_it_has_any(
    bus: Bus, installed: Install, service: Service, film: Path, picture: str, tmp_path: Path
) -> None:
    from tempo_plugins.desktop.pictures import decode

    from tempo_edge.media.jpeg import encode

    installed("krunner")
    gone = tmp_path / "gone.mp4"
    service.found(moment(gone))
    if picture == "from the service":
        service.answers["/v1/videos/7/frame"] = 200, encode(decode(film, 1, 64))
    (row,) = bus.call(*KRUNNER_INTERFACE, "Match", "s", "a red wall")
    if picture == "from the service":
        wait_until(
            lambda: "icon-data" in bus.call(*KRUNNER_INTERFACE, "Match", "s", "red wall")[0][5]
        )
        asked = dict(service.asked)["/v1/videos/7/frame"]
        assert asked == {"t": "2.375", "width": "128"}
    else:
        assert "icon-data" not in row[5] and row[1] == "gone.mp4"


@BOTH
@pytest.mark.parametrize("case", ["unknown", "gone", "no such method", "wrong type", "no object"])
def test_what_can_not_be_done_is_an_error(
    bus: Bus,
    installed: Install,
    service: Service,
    notes: Notes,
    plugin: str,
    place: tuple[str, str],
    case: str,
) -> None:
    from jeepney import DBusErrorResponse

    installed(plugin)
    gnome = plugin == "gnome"
    interface = GNOME_INTERFACE if gnome else KRUNNER_INTERFACE
    service.found(moment("/v/gone.mp4"))
    with pytest.raises(DBusErrorResponse) as raised:
        if case == "no such method":
            bus.call(*interface, "Destroy")
        elif case == "wrong type":
            bus.call(*interface, "GetInitialResultSet" if gnome else "Match", "u", 3)
        elif case == "no object":
            bus.call(place[0], "/elsewhere", interface[2], "Match", "s", "a dog")
        else:
            name = "../../etc/passwd"
            if case == "gone" and gnome:
                (name,) = bus.call(*interface, "GetInitialResultSet", "as", ["dog"])
            elif case == "gone":
                name = bus.call(*interface, "Match", "s", "dog")[0][0]
            if gnome:
                bus.call(*interface, "ActivateResult", "sasu", name, [], 0)
            else:
                bus.call(*interface, "Run", "ss", name, "")
    told = {
        "unknown": ("org.tempoedge.Error", "no moment '../../etc/passwd' was offered"),
        "gone": ("org.tempoedge.Error", "/v/gone.mp4 is offline"),
        "no such method": ("org.freedesktop.DBus.Error.UnknownMethod", "Destroy"),
        "wrong type": ("org.freedesktop.DBus.Error.UnknownMethod", 'signature "u"'),
        "no object": ("org.freedesktop.DBus.Error.UnknownMethod", "Match"),
    }[case]
    assert raised.value.name == told[0] and told[1] in raised.value.data[0]
    assert notes.none("mpv")
    if gnome:
        assert bus.call(*interface, "GetResultMetas", "as", ["unknown"]) == []


@BOTH
@pytest.mark.parametrize("there", ["a library", "nothing"])
def test_without_a_service(
    bus: Bus,
    installed: Install,
    built: Path,
    tmp_path: Path,
    plugin: str,
    place: tuple[str, str],
    there: str,
) -> None:
    installed(plugin)
    if there == "a library":
        kept = tmp_path / "data" / "tempo-edge"
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copy(built, kept / "library.db")
    if plugin == "gnome":
        found = bus.call(*GNOME_INTERFACE, "GetInitialResultSet", "as", ["stripes"])
    else:
        found = bus.call(*KRUNNER_INTERFACE, "Match", "s", "stripes")
    assert bool(found) == (there == "a library")
    assert bus.has(place[0])


@BOTH
def test_names_pass_unharmed(
    bus: Bus,
    installed: Install,
    service: Service,
    notes: Notes,
    tmp_path: Path,
    plugin: str,
    place: tuple[str, str],
) -> None:
    """All in one test: the bus starts one process for them."""
    installed(plugin)
    for name in AWKWARD:
        path = tmp_path / name
        path.write_bytes(b"no video")
        service.found(moment(path))
        if plugin == "gnome":
            (known,) = bus.call(*GNOME_INTERFACE, "GetInitialResultSet", "as", ["dog"])
            (meta,) = bus.call(*GNOME_INTERFACE, "GetResultMetas", "as", [known])
            shown = meta["name"][1]
            bus.call(*GNOME_INTERFACE, "ActivateResult", "sasu", known, [], 0)
        else:
            ((known, shown, *_, more),) = bus.call(*KRUNNER_INTERFACE, "Match", "s", "dog")
            assert more["urls"][1] == [path.as_uri()]
            bus.call(*KRUNNER_INTERFACE, "Run", "ss", known, "")
        assert shown == printable(name)
        assert notes.taken("mpv")[-2:] == ["--", str(path)]
    assert not list(tmp_path.rglob("pwned"))


@BOTH
def test_a_second_process_leaves_the_name_to_the_first(
    bus: Bus, installed: Install, service: Service, plugin: str, place: tuple[str, str]
) -> None:
    import subprocess
    import sys

    installed(plugin)
    bus.call(place[0], place[1], "org.freedesktop.DBus.Peer", "Ping")
    second = [sys.executable, "-m", f"tempo_plugins.desktop.{plugin}"]
    told = subprocess.run(
        second, env=bus.environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert told.returncode == 2
    assert told.stderr == f"tempo-edge: error: another process has the name {place[0]}\n"
    nowhere = {**bus.environment, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
    told = subprocess.run(second, env=nowhere, capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 2 and told.stderr.startswith("tempo-edge: error: there is no session")


def test_an_idle_process_ends_and_the_bus_starts_another(bus: Bus, tmp_path: Path) -> None:
    import subprocess
    import sys

    program = (
        "from tempo_plugins.desktop.bus import *\n"
        "serve(BusObject('org.tempoedge.Test', '/org/tempoedge/Test', 'org.tempoedge.Test',"
        " {'Twice': Method(('s',), 's', lambda text: text * 2)}), idle_seconds=3.0)"
    )
    with subprocess.Popen([sys.executable, "-c", program], env=bus.environment) as running:
        wait_until(lambda: bus.has("org.tempoedge.Test"))
        twice = ("org.tempoedge.Test", "/org/tempoedge/Test", "org.tempoedge.Test", "Twice")
        assert bus.call(*twice, "s", "ab") == "abab"
        assert running.wait(timeout=PATIENCE) == 0
    assert not bus.has("org.tempoedge.Test")


def test_the_process_ends_with_the_session(
    own_home: dict[str, str], installed: Install, service: Service
) -> None:
    import subprocess
    import sys

    from doors import session_bus

    with session_bus(own_home) as bus:
        running = subprocess.Popen(
            [sys.executable, "-m", "tempo_plugins.desktop.gnome"], env=bus.environment
        )
        wait_until(lambda: bus.has(GNOME[0]))
    assert running.wait(timeout=PATIENCE) == 0
