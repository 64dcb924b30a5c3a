"""What Raycast's script commands run: text on stdout, whose last line may be all that is shown.

The format: https://github.com/raycast/script-commands
"""

from __future__ import annotations

import sys

from tempo_edge._console.text import printable
from tempo_edge.answer import Answer
from tempo_edge.errors import TempoEdgeError
from tempo_edge.query import Query
from tempo_plugins.desktop.offers import subtitle, title
from tempo_plugins.desktop.playing import play
from tempo_plugins.desktop.rows import refusal
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["main"]

_LIMIT = 8


def main(arguments: list[str]) -> int:
    """``find SENTENCE`` lists moments, ``play SENTENCE [NUMBER]`` plays one of them.

    Returns:
        The exit status: 1 where there is nothing to play, or something is wrong.
    """
    command, text, number = (*arguments, "", "", "")[:3]
    try:
        with ServiceOrLibrary(name="raycast") as client:
            answer = client.find(Query(text, _LIMIT))
        lines = _played(answer, number) if command == "play" else _listed(answer)
    except (TempoEdgeError, ValueError) as error:
        lines = [printable(str(error))]
        command = "failed"
    print("\n".join(lines))
    return 1 if command == "failed" or (command == "play" and not answer.moments) else 0


def _listed(answer: Answer) -> list[str]:
    """Moments, each with the number that plays it; or that there is none."""
    if not answer.moments:
        return _refused(answer)
    lines = [answer.doubt.capitalize()] if answer.doubt else []
    for number, moment in enumerate(answer.moments, start=1):
        lines += [f"{number}. {title(moment)}", f"   {subtitle(moment)}"]
    return lines


def _played(answer: Answer, number: str) -> list[str]:
    """Play a moment, the best one if no number is named; gives what is playing, or why not.

    Raises:
        ValueError: there is none of that number.
        TempoEdgeError: it can't be played.
    """
    if not answer.moments:
        return _refused(answer)
    numbers = {str(each): each for each in range(1, len(answer.moments) + 1)}
    if (chosen := number.strip() or "1") not in numbers:
        raise ValueError(f"number {chosen!r} must be one of {', '.join(numbers)}")
    moment = answer.moments[numbers[chosen] - 1]
    play(moment)
    return [f"{title(moment)}, {subtitle(moment, answer.is_unsure)}"]


def _refused(answer: Answer) -> list[str]:
    """That nothing matches, in one line."""
    return [". ".join(filter(None, refusal(answer)))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
