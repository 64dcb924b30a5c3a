"""``tempo-edge models``: profiles, the published models they are made from, and their ways.

It does not lie in the package of the models: to import anything of that loads NumPy, which takes
longer than all the rest of the command line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from tempo_edge._console.pulse import Pulse
from tempo_edge._console.text import emit, note, printable
from tempo_edge.cli.command import Command
from tempo_edge.cli.options import NoBarsOption, SourceOption
from tempo_edge.cli.sizes import size_of
from tempo_edge.cli.use import read_sentences, use
from tempo_edge.cli.values import place
from tempo_edge.errors import ProfileError
from tempo_edge.preferences import DEFAULT_PROFILE, Preferences

__all__ = ["app"]

app = typer.Typer(
    name="models",
    help="Profiles, published models, and their way to this machine and to others.",
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A profile.")]


app.command(cls=Command)(use)


@app.command("list", cls=Command)
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Also the models that can be pulled.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the profiles that are here, and the models that were pulled."""
    rows, problems = _here()
    if everything:
        rows += _published()
    if as_json:
        emit(json.dumps(rows, indent=1) + "\n")
    else:
        emit("".join(map(_lines, rows)))
    for problem in problems:
        note(f"tempo-edge: error: {problem}")
    if problems:
        raise typer.Exit(2)


@app.command(cls=Command)
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model; see list --all.")],
    source: SourceOption = None,
    quiet: NoBarsOption = False,
) -> None:
    """Fetch a published model, pinned and checked. A pull that was ended goes on."""
    from tempo_edge.models.checkpoint import installed_checkpoints
    from tempo_edge.models.published import find_published
    from tempo_edge.models.pull import pull, pulled_bytes

    model = find_published(name)
    size = f"{model.bytes / 1e9:.1f} GB, {model.licence}"
    note(f"pulling {model.repository} at {model.revision[:12]}: {size}")
    store = installed_checkpoints()

    def at() -> str:
        came = min(pulled_bytes(model.name, store), model.bytes) / 1e9
        return f"pulling {model.name}: {came:.1f} of {model.bytes / 1e9:.1f} GB"

    # Bars are for terminals only: elsewhere they are thousands of lines.
    plain = quiet or not sys.stderr.isatty()
    with Pulse(lambda: "" if quiet else at(), note):
        checkpoint = pull(model, store, source=source, quiet=plain)
    note(f"pulled {checkpoint.name} into {checkpoint.folder}")
    given = "--pictures DIR" if checkpoint.kind == "encoder" else "--beside PROFILE"
    note(f"make a profile of it with: tempo-edge export {checkpoint.name} {given}")


@app.command(cls=Command)
def verify(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A profile or a pulled model; by default each."),
    ] = None,
) -> None:
    """Compare every file with its published checksum."""
    from tempo_edge.models.checkpoint import read_checkpoint
    from tempo_edge.models.registry import load_profile

    profiles, pulled = _names(), _pulled()
    if name is not None:
        # A profile may be called as the model that it was made from: then both are meant.
        pulled = [name] if name in pulled else []
        profiles = [name] if name in profiles or not pulled else []
    for each in profiles:
        profile = load_profile(each)
        for file in profile.files:
            profile.checked(file)
        emit(f"{profile.name} {profile.version}: {len(profile.files)} files as published\n")
    for each in pulled:
        checkpoint = read_checkpoint(each)
        checkpoint.verify()
        emit(f"{checkpoint.name}: {len(checkpoint.files)} files as pulled\n")


@app.command(cls=Command)
def remove(name: NameArgument) -> None:
    """Remove an installed profile or a pulled model. Libraries that it built want it back."""
    from tempo_edge.models.bundle import remove
    from tempo_edge.models.checkpoint import read_checkpoint

    place = read_checkpoint(name).remove() if name in _pulled() else remove(name)
    note(f"removed {place}")
    preferences = Preferences.read()
    if preferences.profile == name and name not in _names():
        preferences.with_profile(DEFAULT_PROFILE).write()
        note(f"new libraries are indexed with {DEFAULT_PROFILE}")


@app.command("export-bundle", cls=Command)
def export_bundle(
    name: NameArgument,
    target: Annotated[Path, typer.Argument(metavar="FILE", parser=place, help="Bundle to write.")],
) -> None:
    """Write a profile into one file, to be carried to another machine."""
    from tempo_edge.models.bundle import write_bundle
    from tempo_edge.models.registry import load_profile
    from tempo_edge.store.outputs import check_output

    check_output(target)
    size = write_bundle(load_profile(name), target)
    note(f"wrote {target}, {size / 1e6:.1f} MB")


@app.command("import-bundle", cls=Command)
def import_bundle(
    bundle: Annotated[
        Path, typer.Argument(metavar="FILE", parser=place, help="Bundle from another machine.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Let it take the place of an installed one.")
    ] = False,
) -> None:
    """Install the profile of a bundle, once all of it has been checked."""
    from tempo_edge.models.bundle import install_bundle
    from tempo_edge.models.registry import BUILT_IN, installed_profiles
    from tempo_edge.search.inspection import inspect

    profile = install_bundle(bundle, installed_profiles(), inspect=inspect, replace=replace)
    note(f"installed {profile.name} {profile.version} in {profile.folder}")
    if (BUILT_IN / profile.name).is_dir():
        note(f"until it is removed it is used in place of the built-in {profile.name}")
    read_sentences(profile)


def _here() -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each profile and pulled model, and what is wrong with those that can't be read."""
    rows, problems = [], []
    for describe, names in ((_profile, _names()), (_checkpoint, _pulled())):
        for name in names:
            try:
                rows.append(describe(name))
            except ProfileError as error:
                problems.append(str(error))
    return rows, problems


def _names() -> list[str]:
    from tempo_edge.models.registry import profile_names

    return profile_names()


def _pulled() -> list[str]:
    from tempo_edge.models.checkpoint import pulled_names

    return pulled_names()


def _profile(name: str) -> dict[str, Any]:
    from tempo_edge.models.registry import BUILT_IN, load_profile
    from tempo_edge.models.speed import milliseconds_a_picture

    profile = load_profile(name)
    size = _bytes(profile.folder, profile.files)
    return {
        "kind": "profile",
        "name": profile.name,
        "version": profile.version,
        "dim": profile.dim,
        "licence": profile.licence,
        "grounder": profile.has_grounder,
        "bytes": size,
        "memory_bytes": size * 6 // 5,
        "milliseconds_a_picture": milliseconds_a_picture(profile),
        "speaks": profile.languages,
        "is_default": Preferences.read().profile == profile.name,
        "built_in": profile.folder.parent == BUILT_IN,
        "folder": str(profile.folder),
    }


def _bytes(folder: Path, files: Iterable[str]) -> int:
    """Size of what is there; that a file is missing is for ``verify`` to say."""
    return sum(path.stat().st_size for file in files if (path := folder / file).is_file())


def _checkpoint(name: str) -> dict[str, Any]:
    from tempo_edge.models.checkpoint import read_checkpoint

    checkpoint = read_checkpoint(name)
    return {
        "kind": "pulled",
        "name": checkpoint.name,
        "repository": checkpoint.repository,
        "revision": checkpoint.revision,
        "licence": checkpoint.licence,
        "grounder": checkpoint.kind == "grounder",
        "bytes": _bytes(checkpoint.folder, checkpoint.files),
        "folder": str(checkpoint.folder),
    }


def _published() -> list[dict[str, Any]]:
    from tempo_edge.models.published import ENCODERS, PUBLISHED

    pulled, profiles = _pulled(), _names()
    encoders = [
        {
            "kind": "encoder",
            "name": each.name,
            "repository": each.repository,
            "revision": each.revision,
            "licence": each.licence,
            "grounder": False,
            "bytes": each.bytes,
            "memory_bytes": each.memory_bytes,
            "speaks": each.languages,
        }
        for each in ENCODERS.values()
        if each.name not in profiles
    ]
    checkpoints = [
        {
            "kind": "published",
            "name": each.name,
            "repository": each.repository,
            "revision": each.revision,
            "licence": each.licence,
            "grounder": each.kind == "grounder",
            "bytes": each.bytes,
            "memory_bytes": each.memory_bytes,
            "speaks": each.speaks,
        }
        for each in PUBLISHED.values()
        if each.name not in pulled
    ]
    return encoders + checkpoints


def _lines(row: dict[str, Any]) -> str:
    """Two lines on a profile or a model."""
    first = f"{row['name']}  "
    facts = f"{size_of(row['bytes'])}, {row['licence']}"
    if row["kind"] == "profile":
        reads = ", with a grounder that reads" if row["grounder"] else ""
        default = ", used for new libraries" if row["is_default"] else ""
        place = "built in" if row["built_in"] else printable(row["folder"])
        spent = row["milliseconds_a_picture"]
        speed = "" if spent is None else f", {spent:.0f} ms a picture here"
        wants = f"{size_of(row['memory_bytes'])} of memory{speed}, reads {row['speaks']}"
        return f"{row['name']} {row['version']}  {facts}{reads}{default}\n  {place}, {wants}\n"
    what = "grounder" if row["grounder"] else "encoder"
    if row["kind"] == "pulled":
        return f"{first}{what}, {facts}, pulled\n  {printable(row['folder'])}\n"
    wants = f"wants {size_of(row['memory_bytes'])} of memory, reads {row['speaks']}"
    where = f"{row['repository']} at {row['revision'][:12]}"
    how = f"models use {row['name']}" if row["kind"] == "encoder" else "can be pulled"
    return f"{first}{what}, {facts}, {how}\n  {where}, {wants}\n"
