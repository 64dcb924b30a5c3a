"""The house as its imports tell it: rooms, floors and the arrows between them.

``python -m benchmarks.architecture`` prints the counts; with ``--draw FILE`` it draws the rooms of
``tempo_edge`` and the packages around it, each above all that it imports.

A room is one of the packages of the project, or one module or package directly in ``tempo_edge``.
An arrow leads from a room to one that it imports, wherever in a module the import stands, but for
those that are for type checkers only.
"""

from __future__ import annotations

import argparse
import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

__all__ = ["PACKAGES", "House", "Import", "main", "packages_of"]

ROOT = Path(__file__).parents[1]

#: The packages that are installed together, and where they lie.
PACKAGES = {
    "tempo_edge": "tempo_edge",
    "tempo_kernels": "kernels/tempo_kernels",
    "tempo_export": "export/tempo_export",
    "tempo_plugins": "plugins/tempo_plugins",
}

# Programs of other launchers, which run in a Python of their own.
_ELSEWHERE = "launcher-files"


@dataclass(frozen=True)
class Import:
    """One import: who imports, the module that is meant, and the name that is taken from it."""

    importer: str
    module: str
    name: str


@dataclass(frozen=True)
class House:
    """Modules and imports of the project.

    Attributes:
        modules: lines of each module, by its full name.
        imports: between modules of the project.
    """

    modules: Mapping[str, int]
    imports: tuple[Import, ...]

    @staticmethod
    def of(root: Path = ROOT) -> House:
        """The house of a checkout."""
        files = dict(_modules(root))
        imports = [
            each
            for name, path in files.items()
            for each in _imports(name, path, frozenset(files))
            if each.module != name
        ]
        lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in files.items()}
        return House(lines, tuple(imports))

    def arrows(self) -> dict[str, set[str]]:
        """The rooms that each room imports."""
        found: dict[str, set[str]] = {room_of(name): set() for name in self.modules}
        for each in self.imports:
            here, there = room_of(each.importer), room_of(each.module)
            if here != there:
                found[here].add(there)
        return found

    def floors(self) -> list[list[str]]:
        """Rooms by floor, the lowest first: each stands right above the highest that it imports.

        Raises:
            CycleError: arrows lead in a circle.
        """
        arrows = self.arrows()
        height: dict[str, int] = {}
        for room in TopologicalSorter(arrows).static_order():
            height[room] = 1 + max((height[below] for below in arrows[room]), default=-1)
        floors = defaultdict(list)
        for room, floor in height.items():
            floors[floor].append(room)
        return [sorted(floors[floor]) for floor in sorted(floors)]

    def circle_within(self, room: str) -> list[str]:
        """Parts of a room that import one another in a circle; none in a room that is in order.

        A part is a module or package directly in it.
        """
        arrows: dict[str, set[str]] = defaultdict(set)
        for each in self.imports:
            here, there = _part(each.importer, room), _part(each.module, room)
            if here and there and here != there:
                arrows[here].add(there)
        try:
            TopologicalSorter(arrows).prepare()
        except CycleError as error:
            return list(error.args[1])
        return []

    def crossings(self) -> list[Import]:
        """Imports of what another room keeps to itself, which a leading underscore says.

        What lies directly in ``tempo_edge`` is no room's own: all four packages share it.
        """
        return [
            each
            for each in self.imports
            if room_of(each.importer) != room_of(each.module)
            and any(part.startswith("_") for part in f"{each.module}.{each.name}".split(".")[2:])
            and not each.name.startswith("__")
        ]


def packages_of(root: Path = ROOT) -> set[str]:
    """The packages of a checkout, at any depth, found without a look into a module."""
    return {name.rpartition(".")[0] for name, _ in _modules(root) if "." in name}


def room_of(module: str) -> str:
    """The room that a module is in."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "tempo_edge" else parts[0]


def _part(module: str, room: str) -> str:
    """What of a room a module is in; nothing where it is elsewhere."""
    return module.removeprefix(f"{room}.").split(".")[0] if module.startswith(f"{room}.") else ""


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for package, folder in PACKAGES.items():
        for path in sorted((root / folder).rglob("*.py")):
            inside = path.relative_to(root / folder)
            if _ELSEWHERE not in inside.parts:
                yield (
                    ".".join([package, *inside.with_suffix("").parts]).removesuffix(".__init__"),
                    path,
                )


def _imports(importer: str, path: Path, modules: frozenset[str]) -> Iterator[Import]:
    for node in _run(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                whole = f"{node.module}.{each.name}"
                if whole in modules:
                    yield Import(importer, whole, "")
                elif node.module in modules:
                    yield Import(importer, node.module, each.name)
        elif isinstance(node, ast.Import):
            for each in node.names:
                if each.name in modules:
                    yield Import(importer, each.name, "")


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """A tree without what only type checkers see."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for otherwise in child.orelse:
                yield from _run(otherwise)
        else:
            yield from _run(child)


def _draw(house: House, path: Path) -> None:
    """Draw the rooms on their floors; arrows that others imply are left out."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    from tempo_edge.evaluation import plots

    arrows, floors = house.arrows(), house.floors()
    widest = max(map(len, floors))
    place = {}
    for height, rooms in enumerate(floors):
        for number, room in enumerate(rooms):
            place[room] = ((number + 0.5) * widest / len(rooms), float(height))
    figure, axes = pyplot.subplots(figsize=(1.55 * widest, 0.95 * len(floors)))
    figure.subplots_adjust(0, 0, 1, 1)
    for room, below in arrows.items():
        implied = {deep for each in below for deep in _below(arrows, each)}
        for each in below - implied:
            axes.annotate(
                "",
                xy=(place[each][0], place[each][1] + 0.17),
                xytext=(place[room][0], place[room][1] - 0.17),
                arrowprops={"arrowstyle": "->", "color": "#8a94a6", "lw": 0.8},
            )
    for room, (x, y) in place.items():
        lines = sum(n for name, n in house.modules.items() if room_of(name) == room)
        text = f"{room.removeprefix('tempo_edge.')}\n{lines}"
        box = {"boxstyle": "round,pad=0.35", "fc": "#eef3fb", "ec": "#3b5b92"}
        axes.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box)
    axes.set_xlim(0, widest)
    axes.set_ylim(-0.6, len(floors) - 0.4)
    axes.axis("off")
    plots.save(figure, path)


def _below(arrows: Mapping[str, set[str]], room: str) -> set[str]:
    """All that a room reaches."""
    reached: set[str] = set()
    waiting = [room]
    while waiting:
        for each in arrows[waiting.pop()] - reached:
            reached.add(each)
            waiting.append(each)
    return reached


def main() -> None:
    """Print the counts, and draw the house if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draw", type=Path, metavar="FILE", help="a picture of the rooms")
    options = parser.parse_args()
    house = House.of()
    arrows = house.arrows()
    print(f"{len(house.modules)} modules, {sum(house.modules.values())} lines")
    print(f"{len(arrows)} rooms, {sum(map(len, arrows.values()))} arrows between them")
    try:
        floors = house.floors()
    except CycleError as error:
        print(f"in a circle: {' -> '.join(error.args[1])}")
    else:
        print(f"{len(floors)} floors:")
        for rooms in reversed(floors):
            print(f"  {', '.join(rooms)}")
        if options.draw:
            _draw(house, options.draw)
    for each in house.crossings():
        print(f"{each.importer} reaches into {each.module} {each.name}")


if __name__ == "__main__":
    main()
