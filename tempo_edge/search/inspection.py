"""The inspection of a profile: all that indexing and searching will read of it, read at once.

A profile from elsewhere may be whole, file by file, and still be of no use. What would be refused
at first use is refused here, by the same readers, while nothing depends on it yet.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from tempo_edge.errors import MissingExtraError
from tempo_edge.models import Profile
from tempo_edge.models.sessions import load_onnxruntime, open_on_cpu
from tempo_edge.models.tokenizer import read_tokenizer
from tempo_edge.search.fitted import calibration_of, grounders_of, preferred
from tempo_edge.search.grounders import GROUNDERS
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.similarity import CurveSettings

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
    if "calibration.json" in profile.files:
        CurveSettings.of(profile)
        preferred(profile)
        for grounder in grounders_of(profile):
            calibration_of(profile, grounder)
    read_tokenizer(profile.checked("tokenizer.json"))
    _ = profile.background
    if "sentences.npy" in profile.files:
        _ = profile.sentences
    try:
        load_onnxruntime()
    except MissingExtraError as error:
        text = f"the models of {profile.name} can't be tried: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        return
    _run(profile)


def _run(profile: Profile) -> None:
    """Run every model of a profile; a hub model is opened only.

    Raises:
        ProfileError: one can't be run, or gives what it should not.
    """
    vector, states = profile.text_tower.read(_SENTENCE)
    picture = np.zeros((1, profile.image_size, profile.image_size, 3), np.uint8)
    vectors, tokens = replace(profile).image_tower.encode(picture)
    if not len(profile.background):
        return  # nor has it anything that would read
    question = Question.of(vector, states, profile.background, _SENTENCE)
    for grounder in GROUNDERS.values():
        if grounder.comes_with(profile):
            grounder.inspect(replace(profile), question, vectors[0], tokens[0])
