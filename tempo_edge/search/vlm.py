"""The ``vlm`` grounder: a hub model looks at the frames themselves, decoded from the file.

It is asked as it was trained, each frame after its exact time, and can say no times but those: of
all its tokens only those count with which some answer of the window goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError, ProfileError, QueryError
from tempo_edge.models.vlm import Memory, Vlm
from tempo_edge.search.boundaries import Boundaries
from tempo_edge.search.decoder import Said
from tempo_edge.search.grammar import Grammar
from tempo_edge.search.grounder import CloseUp, Follower
from tempo_edge.search.prompt import Look, Question
from tempo_edge.search.retrieve import Window
from tempo_edge.search.spelling import ALPHABET, Spelling
from tempo_edge.store.interface import Catalogue

__all__ = ["Speaker", "Watcher"]


class Speaker:
    """Answers questions about pictures, word by word, within a grammar."""

    def __init__(self, model: Vlm) -> None:
        """Raises ProfileError if the tokenizer can't spell every answer."""
        self.model = model
        self._spoken = _spoken(model.tokenizer, model.manifest.chat.lead)
        self._marks = [
            token.content for token in model.tokenizer.get_added_tokens_decoder().values()
        ]

    def answer(
        self,
        query: str,
        seconds: Sequence[float | Fraction],
        end_seconds: float | Fraction,
        pictures: NDArray[np.uint8],
        grammar: Grammar,
        *,
        refuse: bool = False,
    ) -> Said:
        """The likeliest answer that names a span, token by token.

        ``present`` is one minus the probability of ``none``, in whichever tokens it is said, among
        the answers that can be.

        Args:
            seconds: the exact time of each picture, since the window began; ``end_seconds``: when
                the window ends.
            pictures: RGB uint8 ``[n, size, size, 3]``.
            refuse: whether it may also be ``none``; a window in which no span can be said is
                always refused.

        Raises:
            QueryError: the query holds one of the tokenizer's marks.
        """
        logits, memory, place = self._read(query, seconds, end_seconds, pictures)
        lead = self.model.manifest.chat.lead
        refusal = self._refusal(Spelling(grammar, lead), logits, memory, place)
        spelling, said = Spelling(grammar, lead, refuse=refuse), ""
        while True:
            token = self._likeliest(spelling, logits)
            if token is None:
                return Said(said[len(lead) :], 1.0 - refusal)
            spelling.take(self._spoken[token])
            said += self._spoken[token]
            if spelling.whole and not any(map(spelling.fits, ALPHABET)):
                return Said(said[len(lead) :], 1.0 - refusal)
            logits, memory = self._go_on(token, place, memory)
            place += 1

    def _read(
        self,
        query: str,
        seconds: Sequence[float | Fraction],
        end_seconds: float | Fraction,
        pictures: NDArray[np.uint8],
    ) -> tuple[NDArray[np.float32], Memory, int]:
        """Logits of an answer's first token, what is remembered, and the first place after."""
        for mark in self._marks:
            if mark in query:
                raise QueryError(f"query {query!r} must not hold {mark!r}")
        model, about = self.model, self.model.manifest
        sights = [about.tokens] * len(pictures)
        text = about.chat.prompt(query, seconds, end_seconds, sights)
        encoded = model.tokenizer.encode(text, add_special_tokens=False).ids
        words = np.asarray(encoded, np.int64)
        embeds, (seen, *deeper) = model.embed(words), model.see(pictures)
        shown = words == about.sight
        embeds[shown] = seen.reshape(-1, embeds.shape[1])
        deep = np.zeros((about.deep, *embeds.shape), np.float32)
        for part in deeper:
            deep[:, shown] = part.reshape(about.deep, -1, embeds.shape[1])
        places = model.places(words)
        logits, memory = model.read(embeds, places, model.nothing(), deep)
        return logits, memory, int(places.max()) + 1

    def _go_on(self, token: int, place: int, memory: Memory) -> tuple[NDArray[np.float32], Memory]:
        model = self.model
        places = np.full((model.manifest.axes, 1), place, np.int64)
        return model.read(model.embed(np.array([token], np.int64)), places, memory)

    def _allowed(self, spelling: Spelling) -> list[int]:
        """The tokens with which an answer goes on, or ends."""
        found = [token for token, text in self._spoken.items() if spelling.fits(text)]
        return [*found, self.model.manifest.end] if spelling.whole else found

    def _likeliest(self, spelling: Spelling, logits: NDArray[np.float32]) -> int | None:
        """None where the answer ends."""
        token = max(self._allowed(spelling), key=lambda token: float(logits[token]))
        return None if token == self.model.manifest.end else token

    def _refusal(
        self, spelling: Spelling, logits: NDArray[np.float32], memory: Memory, place: int
    ) -> float:
        """The probability of ``none`` among the answers that can be said."""
        allowed = self._allowed(spelling)
        scores = logits[allowed].astype(np.float64)
        powers = np.exp(scores - scores.max())
        total = 0.0
        for token, share in zip(allowed, (powers / powers.sum()).tolist(), strict=True):
            after = spelling.fork(self._spoken[token])
            if after.refusing:
                total += share
            elif after.refusing is None:
                # All that was said is what answers begin with: it must be heard further.
                total += share * self._refusal(after, *self._go_on(token, place, memory), place + 1)
        return total


def _spoken(tokenizer: Any, lead: str) -> dict[int, str]:
    """What each token says that an answer may be made of."""
    letters = re.escape("".join(sorted(ALPHABET | set(lead))))
    # How byte-level tokenizers write a space; what they decode to is asked for all the same.
    written = re.compile(f"[{letters}\u0120]+")
    found = {}
    for word, token in tokenizer.get_vocab(with_added_tokens=False).items():
        if written.fullmatch(word):
            text = tokenizer.decode([token], skip_special_tokens=False)
            if text and set(text) <= ALPHABET | set(lead):
                found[token] = text
    missing = (ALPHABET | set(lead)) - set(found.values())
    if missing:
        raise ProfileError(f"the tokenizer must have a token for each letter: {min(missing)!r}")
    return dict(sorted(found.items()))


class Watcher(Follower):
    """Answers one query about the footage of a library, as long as its files are there."""

    def __init__(
        self,
        catalogue: Catalogue,
        speaker: Speaker,
        query: str,
        path_of: Callable[[int], Path | None],
    ) -> None:
        """`path_of` gives a file that holds a video, None if none is there."""
        super().__init__(catalogue)
        self._speaker, self._query, self._path_of = speaker, query, path_of

    def answer(
        self,
        question: Question,
        window: Window,
        part: CloseUp,
        looks: Sequence[Look],
        boundaries: Boundaries,
        *,
        refuse: bool,
    ) -> Said:
        """Look at a close-up's own frames.

        Raises:
            MediaError: no file holds the video any more, or not with pictures at these times.
        """
        from tempo_edge.media.stills import stills

        path = self._path_of(window.video_id)
        if path is None:
            raise MediaError("no file that holds it is there")
        pts = window.pts[part.first : part.last].tolist()
        found = stills(path, pts, self._speaker.model.manifest.size)
        missing = [tick for tick in pts if tick not in found]
        if missing:
            raise MediaError(f"holds no picture at tick {missing[0]} any more")
        return self._speaker.answer(
            self._query,
            [look.seconds for look in looks],
            float(boundaries.edges[-1]),
            np.stack([found[tick] for tick in pts]),
            boundaries.grammar(),
            refuse=refuse,
        )
