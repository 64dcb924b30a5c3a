"""Paths as they are kept and as a machine has them: each is one of the other, and in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.volumes.placement import Placement
from tempo_edge.volumes.volume import AWAY, Placed, Volume

NAMES = ("nas", "a", "inner", "stick")
FOLDERS = ("/mnt", "/mnt/nas", "/mnt/nas/2024", "/mnt/nas/2024/raw", "/mnt/nas 2", "/a", "/media/x")


def placed(name: str, root: str | None, expected: str | None = None) -> Placed:
    volume = Volume(name, name.encode().hex().ljust(32, "0"), True, "", "/")
    return Placed(volume, root, f"fs-{name}:{root}" if root else f"{name}:{AWAY}/{name}", expected)


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    roots = draw(st.permutations(FOLDERS))
    return Placement(
        [placed(name, draw(st.sampled_from([root, None]))) for name, root in zip(names, roots)]  # noqa: B905
    )


insides = st.sampled_from(
    ["b.mp4", "2024/c.mp4", "2024/raw/d.mp4", "2024 e.mp4", "20240.mp4", "nas/2024/f", "ü/é.mp4"]
)
tops = st.sampled_from([*FOLDERS, AWAY, f"{AWAY}/nas", f"{AWAY}/elsewhere", f"{AWAY}/other", ""])


@st.composite
def kept(draw: st.DrawFn, placement: Placement) -> str:
    names = [each.volume.name for each in placement.placed]
    top = draw(st.one_of(tops, st.sampled_from(names)) if names else tops)
    return f"{top}/{draw(insides)}"


@given(st.data())
def test_each_path_that_is_kept_is_one_of_the_machine(data: st.DataObject) -> None:
    placement = data.draw(placements())
    paths = data.draw(st.lists(kept(placement), unique=True))
    local = [placement.local(path) for path in paths]
    assert [placement.kept(path) for path in local] == paths
    assert all(path.startswith("/") for path in local) and len(set(local)) == len(local)
    for path, here in zip(paths, local, strict=True):
        areas = [area for area in placement.areas if path.startswith(area.kept)]
        (area,) = [area for area in areas if area.keeps(path)]
        assert area.on_this_machine(path) == here
        assert placement.is_here(path) == (not here.startswith(f"{AWAY}/"))


@given(st.data())
def test_ranges_and_folders_hold_what_lies_in_them(data: st.DataObject) -> None:
    placement = data.draw(placements())
    paths = data.draw(st.lists(kept(placement), unique=True))
    local = {placement.local(path): path for path in paths}
    folder = data.draw(st.sampled_from(["/", *FOLDERS, *sorted(local), AWAY, f"{AWAY}/nas"]))
    top = folder.rstrip("/")

    def under(spot: str, path: str) -> bool:
        return spot == path or path.startswith(spot.rstrip("/") + "/")

    found = [
        placement.local(path)
        for spot, area in placement.spots(folder)
        for path in paths
        if path.startswith(area.kept) and area.keeps(path) and under(spot, path)
    ]
    inside = {path for path in local if under(folder, path)}
    other = placement.local(placement.kept(folder))
    inside |= {path for path in local if under(other, path)}
    assert sorted(found) == sorted(inside)

    first, end = f"{top}/", f"{top}0"
    ranged = [
        placement.local(path)
        for area in placement.areas
        if (span := area.span(first, end)) is not None
        for path in paths
        if span[0] <= path < span[1] and area.keeps(path)
    ]
    assert sorted(ranged) == sorted(path for path in local if first <= path < end)


def test_a_volume_is_where_the_machine_has_it() -> None:
    placement = Placement([placed("nas", "/mnt/nas"), placed("old", None)])
    for path, here in {
        "nas/trip/boat.mp4": "/mnt/nas/trip/boat.mp4",
        "old/trip/boat.mp4": "/not-mounted/old/trip/boat.mp4",
        "/home/me/boat.mp4": "/home/me/boat.mp4",
        "/mnt/nas2/boat.mp4": "/mnt/nas2/boat.mp4",
        "/mnt/nas/boat.mp4": "/not-mounted/elsewhere/mnt/nas/boat.mp4",
    }.items():
        assert placement.local(path) == here and placement.kept(here) == path
    assert placement.kept("/not-mounted/nas/b.mp4") == "nas/b.mp4", "written down while it was away"


def test_a_volume_within_a_volume_is_its_own() -> None:
    outer, inner = placed("nas", "/mnt/nas"), placed("year", "/mnt/nas/2024")
    placement = Placement([outer, inner])
    assert placement.kept("/mnt/nas/2024/a.mp4") == "year/a.mp4"
    assert placement.local("nas/2024/a.mp4") == "/not-mounted/nas/2024/a.mp4"
    assert placement.local("nas/20240.mp4") == "/mnt/nas/20240.mp4"


def test_file_systems_are_told_by_whoever_asks() -> None:
    here, there = (Placement([placed("nas", root)]) for root in ("/mnt/nas", "/srv/n"))
    away = Placement([placed("nas", None)])
    for mount, kept_as, elsewhere in (
        ("fs-nas:/mnt/nas", "", "fs-nas:/srv/n"),
        ("9f:/mnt/nas/2024", "9f:2024", "9f:/srv/n/2024"),
        ("9f:/other", "9f:/other", "9f:/other"),
    ):
        kept_mount = here.kept_mount("/mnt/nas/2024/a.mp4", mount)
        assert kept_mount == kept_as
        assert here.local_mount("nas/2024/a.mp4", kept_mount) == mount
        assert there.local_mount("nas/2024/a.mp4", kept_mount) == elsewhere
        assert away.local_mount("nas/2024/a.mp4", kept_mount).endswith(":/not-mounted/nas")
    assert here.kept_mount("/home/a.mp4", "1:/home") == "1:/home"
    assert here.local_mount("/mnt/nas/a.mp4", "1:/").endswith(":/not-mounted/elsewhere")


def test_where_a_volume_was_expected_it_is_found_by_its_name() -> None:
    placement = Placement([placed("nas", None, "/mnt/nas")])
    spots = [(spot, area.local) for spot, area in placement.spots("/mnt/nas/trip")]
    assert spots == [("/mnt/nas/trip", "/"), ("nas/trip", "/not-mounted/nas/")]
