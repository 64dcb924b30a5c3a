"""The answers of a grammar letter by letter, for models whose words are not the language's.

A chat model's tokens cut ``12.4-15.8`` in ways of their own. So what may be said next is not a list
of tokens but a question to each: does some answer of the window go on like this?
"""

from __future__ import annotations

from dataclasses import dataclass

from tempo_edge import eta
from tempo_edge.search.grounders.grammar import Grammar

__all__ = ["ALPHABET", "TokenConstraint"]

#: The letters of answers.
ALPHABET = frozenset("0123456789.-;" + eta.NONE)

_END = "[end]"


@dataclass(frozen=True)
class _State:
    """One way to read what was said: whole words in ``grammar``, and the letters of a word begun.

    ``lead`` is what of an answer's beginning is still to be said.
    """

    grammar: Grammar
    begun: str
    lead: str


class TokenConstraint:
    """Follows an answer by its letters.

    ``lead`` is said before an answer, and no part of it. Without `refuse`, ``none`` is no answer
    where any other is.
    """

    def __init__(self, grammar: Grammar, lead: str = "", *, refuse: bool = True) -> None:
        self._refuse = refuse
        self._states = [_State(grammar.fork(), "", lead)]
        self._ahead: dict[str, list[_State]] = {}

    def fits(self, text: str) -> bool:
        """Whether an answer goes on with ``text``, and has then been said or goes on further."""
        return bool(text) and bool(self._after(text))

    @property
    def whole(self) -> bool:
        """Whether what was said is an answer."""
        # Where an answer may end no word is begun: what may go on is a semicolon, at most.
        return any(not state.lead and _END in state.grammar.options() for state in self._states)

    @property
    def refusing(self) -> bool | None:
        """Whether what was said can only become a refusal; None if that is not yet known."""
        ways = {self._refuses(state) for state in self._states}
        return ways.pop() if len(ways) == 1 else None

    def take(self, text: str) -> None:
        """Go on with ``text``. Raises ValueError if no answer does."""
        if not self.fits(text):
            raise ValueError(f"text {text!r} begins no answer here")
        self._states, self._ahead = self._after(text), {}

    def fork(self, text: str) -> TokenConstraint:
        """A copy of the constraint, gone on with ``text``."""
        other = TokenConstraint.__new__(TokenConstraint)
        other._refuse, other._states, other._ahead = self._refuse, self._states, {}
        other.take(text)
        return other

    @staticmethod
    def _refuses(state: _State) -> bool | None:
        if state.lead or (not state.begun and state.grammar.fresh):
            return None
        return state.grammar.refused or (bool(state.begun) and eta.NONE.startswith(state.begun))

    def _after(self, text: str) -> list[_State]:
        """How what was said can be read after ``text``; tokens share their beginnings."""
        if not text:
            return self._states
        if text not in self._ahead:
            self._ahead[text] = [
                state for before in self._after(text[:-1]) for state in self._step(before, text[-1])
            ]
        return self._ahead[text]

    def _step(self, state: _State, letter: str) -> list[_State]:
        if state.lead:
            kept = state.lead[0] == letter
            return [_State(state.grammar, "", state.lead[1:])] if kept else []
        begun = state.begun + letter
        options = [word for word in state.grammar.options() if word != _END]
        if not self._refuse and len(options) > 1 and eta.NONE in options:
            options.remove(eta.NONE)
        found = []
        if begun in options:
            grammar = state.grammar.fork()
            grammar.take(eta.TOKEN[begun])
            found.append(_State(grammar, "", ""))
        if any(len(word) > len(begun) and word.startswith(begun) for word in options):
            found.append(_State(state.grammar, begun, ""))
        return found
