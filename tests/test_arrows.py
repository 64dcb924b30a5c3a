"""Arrows between the rooms of the house lead down; nobody reaches into another's drawers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.architecture import PACKAGES, House, packages_of


@pytest.fixture(scope="module")
def house() -> House:
    """The house of this checkout."""
    return House.of()


def test_no_arrow_leads_up_from_the_program_to_what_is_built_on_it(house: House) -> None:
    for room, below in house.arrows().items():
        if room.startswith("tempo_edge"):
            assert not below & {"tempo_export", "tempo_plugins"}, room
    assert house.arrows()["tempo_kernels"] == set()


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ("cli", "service"),
        ("service", "library"),
        ("train", "evaluation"),
        ("evaluation", "search"),
        ("library", "search"),
        ("library", "indexing"),
        ("search", "store"),
        ("indexing", "store"),
        ("indexing", "saa"),
        ("store", "models"),
        ("saa", "media"),
        ("timeline", "media"),
        ("store", "words"),
        ("words", "media"),
    ],
)
def test_the_way_of_the_data_leads_down(house: House, upper: str, lower: str) -> None:
    floors = [
        [room.removeprefix("tempo_edge.") for room in rooms] for rooms in house.floors()
    ]  # which raises where arrows lead in a circle
    height = {room: number for number, rooms in enumerate(floors) for room in rooms}
    assert height[upper] > height[lower]


# Of tempo_edge itself there are floors.
@pytest.mark.parametrize("room", sorted(packages_of() - {"tempo_edge"}))
def test_parts_of_a_room_import_one_another_in_one_direction(house: House, room: str) -> None:
    assert house.circle_within(room) == []


def test_towers_and_grounder_are_trained_apart_and_hub_models_after_the_grounder(
    house: House,
) -> None:
    rooms = {"data", "towers", "grounder", "hub"}

    def arrows(room: str) -> set[str]:
        own = f"tempo_edge.train.{room}."
        there = {each.module for each in house.imports if each.importer.startswith(own)}
        return {name.split(".")[2] for name in there if "edge.train." in name} & rooms - {room}

    assert arrows("data") == set()
    assert arrows("towers") == arrows("grounder") == {"data"}
    assert arrows("hub") == {"data", "grounder"}


def test_nobody_reaches_into_what_another_room_keeps_to_itself(house: House) -> None:
    assert [f"{each.importer} takes {each.module} {each.name}" for each in house.crossings()] == []


def made(root: Path, **modules: str) -> House:
    """A house of few modules: its name with two underscores for dots, and its text."""
    for name, text in modules.items():
        package, *inside = name.split("__")
        path = (root / PACKAGES[package]).joinpath(*inside).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return House.of(root)


def test_what_is_wrong_is_seen(tmp_path: Path) -> None:
    house = made(
        tmp_path,
        tempo_edge__store__rows="def f():\n    from tempo_edge.search import _inner\n",
        tempo_edge__search___inner="import tempo_edge.store.rows\n",
        tempo_edge__search__far="from tempo_edge.store.rows import _f\n",
    )
    arrows = house.arrows()
    assert arrows["tempo_edge.store"] == {"tempo_edge.search"}
    assert arrows["tempo_edge.search"] == {"tempo_edge.store"}
    with pytest.raises(ValueError, match="cycle"):
        house.floors()
    assert [(each.importer, each.module, each.name) for each in house.crossings()] == [
        ("tempo_edge.search.far", "tempo_edge.store.rows", "_f"),
        ("tempo_edge.store.rows", "tempo_edge.search._inner", ""),
    ]


def test_a_circle_within_a_room_is_seen(tmp_path: Path) -> None:
    house = made(
        tmp_path,
        tempo_edge__service__http__app="import tempo_edge.service.jobs.pool\n",
        tempo_edge__service__jobs__pool="import tempo_edge.service.http.app\n",
        tempo_edge__service__client="import tempo_edge.service.http.app\n",
    )
    assert set(house.circle_within("tempo_edge.service")) == {"http", "jobs"}
    assert house.circle_within("tempo_edge.service.http") == []


def test_what_only_type_checkers_see_is_no_arrow(tmp_path: Path) -> None:
    house = made(
        tmp_path,
        tempo_edge__low="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from tempo_edge.high import f\nelse:\n    f = None\n",
        tempo_edge__high="from tempo_edge.low import f\n",
    )
    assert house.floors() == [["tempo_edge.low"], ["tempo_edge.high"]]


def test_the_walk_through_the_house_names_what_is_there() -> None:
    root = Path(__file__).parents[1]
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", page)) - {"tempo_edge/"}
    assert len(named) > 60
    roots = (root / "tempo_edge", root / "export", root)
    for name in named:
        assert any((each / name).exists() for each in roots), name


def test_nobody_above_the_store_knows_what_keeps_libraries() -> None:
    root = Path(__file__).parents[1]
    kinds = {path.parent.name for path in (root / "tempo_edge" / "store").glob("*/__init__.py")}
    inside = re.compile(
        rf"tempo_edge\.store\.(?:{'|'.join(kinds)})\b"
        r"|^\s*(?:import|from) (?:sqlite3|faiss|psycopg|pgvector)\b",
        re.MULTILINE,
    )
    knowing = {
        path.relative_to(root).as_posix()
        for package in PACKAGES.values()
        for path in (root / package).rglob("*.py")
        if inside.search(path.read_text("utf-8"))
    }
    keepers = {name for name in knowing if name.split("/")[2] in kinds}
    assert "tempo_edge/store/embedded/database.py" in keepers
    # A tokenizer's pieces are no library, though SQLite looks them up.
    pieces = "tempo_edge/models/vocabulary.py"
    # What is proven of FAISS is proven of the index that libraries have.
    proof = "tempo_edge/proof/neighbours.py"
    assert knowing - keepers == {"tempo_edge/store/opening.py", pieces, proof}
