"""``tempo-edge models``: the profiles that are here, and their way from machine to machine.

It does not lie in the package of the models: to import anything of that loads NumPy, which takes
longer than all the rest of the command line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tempo_edge._command import Command
from tempo_edge._text import emit, note, printable

__all__ = ["app"]

app = typer.Typer(
    name="models",
    help="The profiles that are here, and their way from machine to machine.",
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A profile.")]


@app.command("list", cls=Command)
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the profiles that are here."""
    rows = [_facts(name) for name in _names()]
    if as_json:
        emit(json.dumps(rows, indent=1) + "\n")
        return
    for row in rows:
        reads = ", with a grounder that reads" if row["grounder"] else ""
        size = f"{row['bytes'] / 1e6:.1f} MB"
        place = "built in" if row["built_in"] else printable(row["folder"])
        emit(f"{row['name']} {row['version']}  {size}, {row['licence']}{reads}\n  {place}\n")


@app.command(cls=Command)
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A profile; by default each.")
    ] = None,
) -> None:
    """Compare every file of a profile with its published checksum."""
    from tempo_edge.models.registry import load_profile

    for each in [name] if name is not None else _names():
        profile = load_profile(each)
        for file in profile.files:
            profile.checked(file)
        emit(f"{profile.name} {profile.version}: {len(profile.files)} files as published\n")


@app.command(cls=Command)
def remove(name: NameArgument) -> None:
    """Remove an installed profile. Libraries that were built with it want it back."""
    from tempo_edge.models import bundle

    note(f"removed {printable(str(bundle.remove(name)))}")


@app.command("export-bundle", cls=Command)
def export_bundle(
    name: NameArgument,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Bundle to write.")],
) -> None:
    """Write a profile into one file, to be carried to another machine."""
    from tempo_edge.models.bundle import pack
    from tempo_edge.models.registry import load_profile

    size = pack(load_profile(name), target)
    note(f"wrote {printable(str(target))}, {size / 1e6:.1f} MB")


@app.command("import-bundle", cls=Command)
def import_bundle(
    bundle: Annotated[Path, typer.Argument(metavar="FILE", help="Bundle from another machine.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Let it take the place of an installed one.")
    ] = False,
) -> None:
    """Install the profile of a bundle, once all of it has been checked."""
    from tempo_edge.models.bundle import unpack
    from tempo_edge.models.registry import installed_profiles

    profile = unpack(bundle, installed_profiles(), replace=replace)
    note(f"installed {profile.name} {profile.version} in {printable(str(profile.folder))}")


def _names() -> list[str]:
    from tempo_edge.models.registry import profile_names

    return profile_names()


def _facts(name: str) -> dict[str, Any]:
    from tempo_edge.models.registry import BUILT_IN, load_profile

    profile = load_profile(name)
    return {
        "name": profile.name,
        "version": profile.version,
        "dim": profile.dim,
        "licence": profile.licence,
        "grounder": profile.has_grounder,
        "bytes": sum((profile.folder / file).stat().st_size for file in profile.files),
        "built_in": profile.folder.parent == BUILT_IN,
        "folder": str(profile.folder),
    }
