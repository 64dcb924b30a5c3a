"""Paths as a library keeps them, and the same as this machine has them.

A library keeps ``NAME/trip/boat.mp4`` of a file on a named volume, and ``/home/me/boat.mp4`` of
any other. A machine has the first at ``/mnt/nas/trip/boat.mp4``, say, or where it has no such
volume at ``/not-mounted/NAME/trip/boat.mp4``. Every path of either kind is one of the other: what
another machine calls ``/mnt/nas/old.mp4``, and is on no named volume, a machine with a volume at
``/mnt/nas`` calls ``/not-mounted/elsewhere/mnt/nas/old.mp4``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tempo_edge.volumes.volume import AWAY, ELSEWHERE, Placed, split

__all__ = ["Area", "Placement"]


@dataclass(frozen=True)
class Area:
    """Paths that begin alike as they are kept, and alike on this machine.

    Attributes:
        kept: how they begin as they are kept; ``local``: on this machine. Both end in a slash.
        holes: what they go on with where they are of another area; without a slash at the end.
    """

    kept: str
    local: str
    holes: tuple[str, ...] = ()

    def keeps(self, kept: str) -> bool:
        """Whether a path as it is kept, which begins as this does, is of this area."""
        rest = kept[len(self.kept) :]
        return not any(rest == hole or rest.startswith(f"{hole}/") for hole in self.holes)

    def on_this_machine(self, kept: str) -> str:
        """A path as this machine has it."""
        return self.local + kept[len(self.kept) :]

    def span(self, first: str, end: str) -> tuple[str, str] | None:
        """A half-open range of this machine's paths as they are kept, as far as it is of this."""
        beyond = f"{self.local[:-1]}0"
        if first >= beyond or end <= self.local:
            return None
        low = first[len(self.local) :] if first.startswith(self.local) else ""
        is_inside = end.startswith(self.local)
        high = f"{self.kept}{end[len(self.local) :]}" if is_inside else f"{self.kept[:-1]}0"
        return f"{self.kept}{low}", high

    def under(self, path: str) -> str | None:
        """What is kept of all that this area has at or under a path; None where it has nothing."""
        top = path.rstrip("/") + "/"
        if self.local.startswith(top):
            return self.kept[:-1] or "/"
        spot = self.kept + path[len(self.local) :]
        return spot if top.startswith(self.local) and self.keeps(spot) else None


class Placement:
    """Where this machine has the volumes of a library.

    Args:
        placed: all of them; a root has no slash at its end, and is not ``/``.
    """

    def __init__(self, placed: Sequence[Placed] = ()) -> None:
        self.placed = tuple(placed)
        self._by_name = {each.volume.name: each for each in placed}
        here = [(f"{each.root}/", each) for each in placed if each.root is not None]
        # The innermost of several is the first that holds a path.
        self._roots = sorted(here, key=lambda it: -len(it[0]))
        self.areas = tuple(self._each_area())

    def __bool__(self) -> bool:
        return bool(self.placed)

    def volume_at(self, path: str) -> Placed | None:
        """The volume that has a path of this machine; None for one on no named volume."""
        for root, placed in self._roots:
            if f"{path}/".startswith(root):
                return placed
        return None

    def kept(self, path: str) -> str:
        """How a path of this machine is kept."""
        if (placed := self.volume_at(path)) is not None:
            inside = f"{path}/"[len(f"{placed.root}/") : -1]
            return f"{placed.volume.name}/{inside}" if inside else placed.volume.name
        if self.placed and path.startswith(f"{AWAY}/"):
            name, slash, inside = path[len(AWAY) + 1 :].partition("/")
            if name == ELSEWHERE and inside:
                return f"/{inside}"
            if name in self._by_name:
                return f"{name}{slash}{inside}"
        return path

    def local(self, kept: str) -> str:
        """Where this machine has a path that is kept; below :data:`AWAY` where it does not."""
        name, inside = split(kept)
        if not name:
            is_hidden = self.kept(kept) != kept
            return f"{AWAY}/{ELSEWHERE}{kept}" if is_hidden else kept
        placed = self._by_name.get(name)
        if placed is not None and placed.root is not None:
            here = f"{placed.root}/{inside}".rstrip("/")
            if self.volume_at(here) is placed:
                return here
        return f"{AWAY}/{kept}"

    def is_here(self, kept: str) -> bool:
        """Whether this machine can have a file: its volume is mounted, or it is on no named one."""
        return not self.local(kept).startswith(f"{AWAY}/")

    # -- the file systems of rows ------------------------------------------------------------------

    def kept_mount(self, path: str, mount: str) -> str:
        """How the file system of a file of this machine is kept: nothing for its volume's own.

        Args:
            path: the file's, on this machine.
            mount: as :func:`tempo_edge.volumes.mounts.volume_of` tells it.
        """
        placed = self.volume_at(path)
        if placed is None or placed.root is None:
            return mount
        identity, _, point = mount.partition(":")
        if point.startswith(f"{placed.root}/"):
            inside = point[len(placed.root) + 1 :]
            return f"{identity}:{inside}"  # one that is mounted within the volume
        return "" if mount == placed.mount or point == placed.root else mount

    def local_mount(self, kept: str, mount: str) -> str:
        """What :meth:`kept_mount` was given of a file, as this machine would tell it."""
        name, _ = split(kept)
        placed = self._by_name.get(name)
        if placed is None:
            return mount if self.local(kept) == kept else f":{AWAY}/{ELSEWHERE}"
        if not self.is_here(kept):
            return f"{placed.volume.id}:{AWAY}/{name}"
        identity, _, point = mount.partition(":")
        if not mount:
            return placed.mount
        return mount if point.startswith("/") else f"{identity}:{placed.root}/{point}"

    # -- ranges of paths ---------------------------------------------------------------------------

    def spots(self, under: str | None) -> Iterator[tuple[str, Area]]:
        """(what is kept of an area at or under a path of this machine, the area), by area.

        A path may be of a volume in another spelling: where it was mounted when somebody wrote the
        path down, or was not.
        """
        for area in self.areas:
            spot = area.under("/" if under is None else under)
            if spot is not None:
                yield spot, area
        if under is None:
            return
        for spelled in (self.local(self.kept(under)), self._where_expected(under)):
            if spelled not in (None, under):
                yield from self.spots(spelled)

    def _where_expected(self, path: str) -> str | None:
        """What is of a volume that is not mounted, where this machine was told to look for it."""
        for each in self.placed:
            if each.root is None and each.expected and f"{path}/".startswith(f"{each.expected}/"):
                return f"{AWAY}/{each.volume.name}{path[len(each.expected) :]}"
        return None

    def _each_area(self) -> Iterator[Area]:
        away = [f"{AWAY}/{each.volume.name}/" for each in self.placed]
        taken = [*(root for root, _ in self._roots), *away, f"{AWAY}/{ELSEWHERE}/"]
        holes = _outermost([path[1:-1] for path in taken]) if self.placed else ()
        yield Area("/", "/", holes)
        for hole in holes:
            yield Area(f"/{hole}/", f"{AWAY}/{ELSEWHERE}/{hole}/")
        for each in self.placed:
            name = each.volume.name
            if each.root is None:
                yield Area(f"{name}/", f"{AWAY}/{name}/")
                continue
            root = f"{each.root}/"
            others = [other for other, _ in self._roots if other.startswith(root)]
            inner = _outermost([other[len(root) : -1] for other in others if other != root])
            yield Area(f"{name}/", root, inner)
            for hole in inner:
                yield Area(f"{name}/{hole}/", f"{AWAY}/{name}/{hole}/")


def _outermost(folders: Sequence[str]) -> tuple[str, ...]:
    """Those of some folders that lie in none of the others."""
    found: list[str] = []
    for folder in sorted(folders):
        if not any(f"{folder}/".startswith(f"{other}/") for other in found):
            found.append(folder)
    return tuple(found)
