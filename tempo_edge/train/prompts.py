"""Sentences made from labels, for training and for questions about labels alone."""

from __future__ import annotations

from tempo_edge.train.data import Record

TEMPLATES = (
    "a photo of a {}",
    "{}",
    "a picture of {}",
    "a close-up of a {}",
)
SPORT_TEMPLATES = (
    "a photo of {}",
    "{}",
    "people doing {}",
    "someone doing {}",
    "a video of {}",
)
# Asked at evaluation: the mean of these, so that no single wording decides.
ASKED = ("a photo of a {}", "{}", "a picture of {}")
SPORT_ASKED = ("a photo of {}", "{}", "people doing {}")


def sentences(record: Record) -> list[str]:
    """Every sentence that a record may be trained with, duplicates left out."""
    if record.captions:
        return list(dict.fromkeys(record.captions))
    names = [record.label, *record.synonyms[:2]]
    templates = SPORT_TEMPLATES if record.archive == "sports100" else TEMPLATES
    return list(dict.fromkeys(t.format(n) for t in templates for n in names))


def class_prompts(record: Record) -> list[str]:
    """The prompts of an ImageNet class: its label and its next synonym, six in all."""
    others = [name for name in record.synonyms if name != record.label]
    names = [record.label, (others or [record.label])[0]]
    return [template.format(name) for name in names for template in ASKED]
