"""Queries as people type them: a bare name, a few words of a caption, a question.

A short query may be right for many pictures, so it ranks a gallery. Pictures of another name or of
none that are described by all of a name's words may well show it: its ranking leaves them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.questions import as_question
from tempo_edge.search.wording import sought
from tempo_edge.train.data.archives import SOURCES, Record
from tempo_edge.train.data.label_prompts import names
from tempo_edge.train.data.short_queries import content_words, short_query
from tempo_edge.train.towers.gallery import Gallery
from tempo_edge.train.towers.profile_sessions import ProfileSessions
from tempo_edge.train.towers.retrieval import Ranking, Retrieval, ranking, retrieval

__all__ = ["Questions", "drawn_queries", "name_queries", "questions", "short_queries"]

_SEED = 7


class Questions(TypedDict):
    """The retrieval of pictures by questions for their captions: as asked, and as searched for."""

    asked: Retrieval
    stripped: Retrieval


def name_queries(
    profile: ProfileSessions, labelled: Sequence[Gallery], captioned: Gallery
) -> Ranking:
    """Every name of labelled pictures, alone, ranks all pictures together."""
    galleries = [*labelled, captioned]
    records = [record for gallery in galleries for record in gallery.records]
    asked = sorted({label for gallery in labelled for label in gallery.labels})
    called = [_names(record) for record in records]
    said = [_said(record) for record in records]
    right = np.array([[label.lower() in own for own in called] for label in asked])
    holds = np.array([[_holds(own, content_words(label)) for own in said] for label in asked])
    queries, _ = profile.sentences(asked)
    vectors = np.concatenate([gallery.vectors for gallery in galleries])
    return ranking(queries @ vectors.T, right, holds & ~right)


def drawn_queries(records: Sequence[Record]) -> tuple[list[str], NDArray[np.bool_]]:
    """A few words of one caption of each picture, and what they are right for, bool ``[q, n]``.

    A query is right for every picture one of whose captions holds all of its words. Each is asked
    once.
    """
    rng = np.random.default_rng(_SEED)
    drawn = [short_query(record.captions[0], rng) for record in records]
    asked = sorted({query for query in drawn if query})
    said = [_said(record) for record in records]
    return asked, np.array([[_holds(own, content_words(query)) for own in said] for query in asked])


def short_queries(profile: ProfileSessions, gallery: Gallery) -> Ranking:
    """A few words of one caption of each picture rank all pictures that captions tell of."""
    asked, right = drawn_queries(gallery.records)
    queries, _ = profile.sentences(asked)
    return ranking(queries @ gallery.vectors.T, right)


def questions(profile: ProfileSessions, gallery: Gallery) -> Questions:
    """Questions for all captions of a gallery, each for its own picture."""
    asked = [as_question(caption, number) for number, caption in enumerate(gallery.captions)]
    right = gallery.owners

    def found(texts: Sequence[str]) -> Retrieval:
        return retrieval(profile.sentences(texts)[0], gallery.vectors, right)

    return Questions(asked=found(asked), stripped=found([sought(text) for text in asked]))


def _names(record: Record) -> set[str]:
    if not record.label:
        return set()
    return {name.lower() for name in names(record, SOURCES[record.archive].vocabulary)}


def _said(record: Record) -> list[frozenset[str]]:
    return [content_words(sentence) for sentence in record.captions or (record.label,)]


def _holds(said: Sequence[frozenset[str]], words: frozenset[str]) -> bool:
    """One caption holds all of the words."""
    return any(words <= caption for caption in said)
