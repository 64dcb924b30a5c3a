"""Sentences made from labels, for training and for questions about labels alone."""

from __future__ import annotations

from tempo_edge.train.data.archives import Record

TEMPLATES = (
    "{}",
    "a photo of a {}",
    "a picture of {}",
    "a close-up of a {}",
    "a {} outdoors",
    "a blurry photo of a {}",
    "a video of a {}",
    "there is a {} in the scene",
)
SPORT_TEMPLATES = (
    "{}",
    "a photo of {}",
    "people doing {}",
    "someone doing {}",
    "a video of {}",
    "a game of {}",
    "an athlete in a {} competition",
)
# Asked at evaluation: the mean of these, so that no single wording decides.
ASKED = ("a photo of a {}", "{}", "a picture of {}")
SPORT_ASKED = ("a photo of {}", "{}", "people doing {}")


def class_prompts(record: Record) -> list[str]:
    """The prompts of an ImageNet class: its label and its next synonym in every template."""
    others = [name for name in record.synonyms if name != record.label]
    names = list(dict.fromkeys([record.label, *others[:1]]))
    return [template.format(name) for name in names for template in TEMPLATES]


def sport_prompts(label: str) -> list[str]:
    """The prompts of a sport."""
    return [template.format(label) for template in SPORT_TEMPLATES]
