"""The inspection of a profile: all that indexing and searching will read of it, read at once.

A profile from elsewhere may be whole, file by file, and still be of no use. What would be refused
at first use is refused here, by the same readers, while nothing depends on it yet.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models import Profile
from tempo_edge.models.sessions import load_onnxruntime, open_on_cpu
from tempo_edge.models.tokenizer import read_tokenizer
from tempo_edge.search.boundaries import Boundaries
from tempo_edge.search.curve import CurveSettings
from tempo_edge.search.decoder import Decoder
from tempo_edge.search.fitted import calibration_of, grounders_of, preferred
from tempo_edge.search.prompt import Look, Question, build

__all__ = ["inspect"]

_SENTENCE = "a dog jumps"


def inspect(profile: Profile) -> None:
    """Read every part of a profile, and run its models once, on the CPU.

    Where a provider can't run a model the CPU does; and none keeps anything of this. A profile
    that was not calibrated yet may pass: it can be indexed with. Without ONNX Runtime models are
    not opened, with a ``RuntimeWarning``.

    Raises:
        ProfileError: a part of it can't be used; the text names it.
    """
    profile = replace(profile, opener=open_on_cpu)
    shape = CurveSettings()
    if "calibration.json" in profile.files:
        shape = CurveSettings.of(profile)
        preferred(profile)
        for grounder in grounders_of(profile):
            calibration_of(profile, grounder)
    read_tokenizer(profile.checked("tokenizer.json"))
    _ = profile.background
    try:
        load_onnxruntime()
    except MissingExtraError as error:
        text = f"the models of {profile.name} can't be tried: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        return
    _run(profile, shape)


def _run(profile: Profile, shape: CurveSettings) -> None:
    """Run every model of a profile; a hub model is opened only.

    Raises:
        ProfileError: one can't be run, or gives what it should not.
    """
    vector, states = profile.text_tower.read(_SENTENCE)
    question = Question.of(vector, states, profile.background)
    picture = np.zeros((1, profile.image_size, profile.image_size, 3), np.uint8)
    vectors, tokens = replace(profile).image_tower.encode(picture)
    if profile.has_grounder:
        _ask(replace(profile), question, vectors[0], tokens[0], shape)
    if profile.has_vlm:
        from tempo_edge.search.vlm import Speaker

        Speaker(replace(profile).vlm)


def _ask(
    profile: Profile,
    question: Question,
    vector: NDArray[np.float32],
    tokens: NDArray[np.float32],
    shape: CurveSettings,
) -> None:
    """Ask a profile's decoder about a second of one picture.

    Raises:
        ProfileError: it can't be asked.
    """
    cells = np.arange(len(tokens), dtype=np.uint8)
    looks = [Look(0.0, False, vector, cells, tokens)]
    boundaries = Boundaries.of(looks, np.array([0.0, 1.0]))
    decoder = Decoder(profile.grounder_session, profile.folder / "grounder.onnx")
    try:
        prompt = build(question, looks, 1.0, shape)
    except ValueError as error:
        raise ProfileError(f"profile {profile.name!r} can't have grounder.onnx: {error}") from error
    decoder.answer(prompt, boundaries.grammar())
