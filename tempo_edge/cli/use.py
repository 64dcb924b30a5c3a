"""``tempo-edge models use``: a model that understands, one command away; and the hint of it."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.pulse import Pulse
from tempo_edge._console.text import note
from tempo_edge.cli.options import NoBarsOption, SourceOption
from tempo_edge.errors import MissingExtraError, TempoEdgeError
from tempo_edge.preferences import DEFAULT_PROFILE, Preferences

if TYPE_CHECKING:
    from tempo_edge.models import Profile
    from tempo_edge.models.published import PublishedEncoder
    from tempo_edge.speech.models import SpeechModel

__all__ = ["hint", "read_sentences", "use"]

# The encoder that is suggested, and what the hint of it is called in the preferences.
_SUGGESTED, _HINT = "siglip2", "larger-model"


def use(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A profile, an encoder that becomes one (siglip2, tinyclip ...), or a model that "
            "hears speech: whisper-base, -small, -medium, -large-v3.",
        ),
    ],
    source: SourceOption = None,
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision",
            metavar="NAME",
            help="int8, uint8, fp16 or fp32, where it can be had; fastest fetches and times all. "
            "By default the smallest that runs here.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Fetch without asking.")] = False,
    quiet: NoBarsOption = False,
) -> None:
    """Make a profile that of new libraries; an encoder is fetched and checked before that.

    A model of speech hears what is heard from then on; films that another one heard
    are heard again.
    """
    from tempo_edge.models.graph_choice import check_precision
    from tempo_edge.models.published import ENCODERS
    from tempo_edge.models.pull import partial_folder
    from tempo_edge.models.registry import installed_profiles, load_profile, profile_names
    from tempo_edge.speech.models import SPEECH_MODELS

    if name in SPEECH_MODELS:
        _use_speech(SPEECH_MODELS[name], source, precision, quiet, ask=not yes and source is None)
        return
    if name in profile_names():
        profile = load_profile(name)
        if precision is not None:
            raise TempoEdgeError(
                f"profile {name!r} is here already, precision {precision!r} is for one that is to "
                f"be fetched: tempo-edge models remove {name}, but libraries that it built want it"
            )
        # What is left where a run was ended after its profile had come into its place.
        shutil.rmtree(partial_folder(name, installed_profiles()), ignore_errors=True)
        read_sentences(profile)
    elif name in ENCODERS:
        encoder = ENCODERS[name]
        check_precision(encoder, precision)
        if not _is_agreed(encoder, precision, ask=not yes and source is None):
            raise typer.Exit(1)
        profile = _made(encoder, source, precision, quiet)
    else:
        known = sorted({*profile_names(), *ENCODERS, *SPEECH_MODELS})
        raise TempoEdgeError(f"profile {name!r} must be one of {known}")
    Preferences.read().with_profile(profile.name).write()
    note(f"new libraries are indexed with {profile.name}")


def _use_speech(
    model: SpeechModel, source: Path | None, precision: str | None, quiet: bool, *, ask: bool
) -> None:
    """Make a model of speech the one that hears, and fetch it before that if need be."""
    from tempo_edge.speech.fetching import fetch
    from tempo_edge.speech.models import check_is_here, checked_folder, speech_folder

    if precision is not None:
        raise TempoEdgeError(
            f"precision {precision!r} is for encoders: {model.name} is run in int8 as it is"
        )
    if model.packages:
        check_is_here(model)
    elif not speech_folder(model).is_dir():
        note(
            f"{model.name}: {model.bytes / 1e6:.0f} MB from {model.repository} "
            f"at {model.revision[:12]}, {model.licence}"
        )
        if not _is_confirmed(ask):
            raise typer.Exit(1)
        plain = quiet or not sys.stderr.isatty()
        with Pulse(lambda: "" if quiet else f"fetching {model.name}", note):
            fetch(model, source=source, quiet=plain)
    folder = checked_folder(model)
    Preferences.read().with_speech(model.name).write()
    note(f"speech is heard with {model.name} from now on, which lies in {folder}")


def _is_confirmed(ask: bool) -> bool:
    """Whether somebody who is at a terminal wants what was just said."""
    if not ask or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return typer.confirm("Fetch it?", default=True, err=True)


def _is_agreed(encoder: PublishedEncoder, precision: str | None, *, ask: bool) -> bool:
    """Say what would be fetched; and ask, where somebody is at a terminal."""
    from tempo_edge.models.graph_choice import fetched_bytes

    size = fetched_bytes(encoder, precision) / 1e6
    note(
        f"{encoder.name}: {size:.0f} MB from {encoder.repository} "
        f"at {encoder.revision[:12]}, {encoder.licence}, reads {encoder.languages}"
    )
    return _is_confirmed(ask)


def _made(
    encoder: PublishedEncoder, source: Path | None, precision: str | None, quiet: bool
) -> Profile:
    """The profile of an encoder, fetched and prepared; which takes a while, and says so."""
    from tempo_edge.models.graph_choice import fetched_bytes
    from tempo_edge.models.preparation import Preparation
    from tempo_edge.models.pull import pulled_bytes
    from tempo_edge.models.registry import installed_profiles
    from tempo_edge.models.speed import milliseconds_a_picture
    from tempo_edge.search.inspection import inspect

    store, size = installed_profiles(), fetched_bytes(encoder, precision)

    def at() -> str:
        came = pulled_bytes(encoder.name, store)
        if not 0 < came < size:
            return f"preparing {encoder.name}"
        return f"fetching {encoder.name}: {came / 1e6:.0f} of {size / 1e6:.0f} MB"

    # Bars are for terminals only: elsewhere they are thousands of lines.
    plain = quiet or not sys.stderr.isatty()
    with Pulse(lambda: "" if quiet else at(), note):
        preparation = Preparation(
            encoder, store, source=source, precision=precision, quiet=plain, tell=note
        )
        profile = preparation.run(inspect)
        spent = milliseconds_a_picture(profile)
    read_sentences(profile)
    speed = "" if spent is None else f", {spent:.0f} ms a picture here"
    note(f"installed {profile.name} {profile.version} in {profile.folder}{speed}")
    return profile


def read_sentences(profile: Profile) -> None:
    """Read the generic sentences with a profile that brings none: its first search would wait.

    Where models can't be run nothing is read.
    """
    from tempo_edge.models.stored_vectors import sentences_path

    if "sentences.npy" in profile.files or sentences_path(profile.fingerprint).exists():
        return
    what = f"reading generic sentences with {profile.name}"
    note(f"{what}, once: what a query is held against")
    with Pulse(lambda: what, note), suppress(MissingExtraError):
        _ = profile.sentences


def hint(profile: str | None) -> None:
    """Say once to whoever searches with the built-in model what would understand more."""
    if profile != DEFAULT_PROFILE or not sys.stderr.isatty():
        return
    from tempo_edge.models.published import ENCODERS

    with suppress(TempoEdgeError):  # preferences that can't be kept are for `models use` to tell of
        preferences = Preferences.read()
        if _HINT in preferences.told:
            return
        preferences.with_told(_HINT).write()
        size = ENCODERS[_SUGGESTED].bytes / 1e6
        note(
            f"{DEFAULT_PROFILE} is small and understands little: {size:.0f} MB that understand "
            f"more come with tempo-edge models use {_SUGGESTED}"
        )
