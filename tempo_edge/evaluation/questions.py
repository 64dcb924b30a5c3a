"""Questions and requests for what a caption says, as people put them to a search."""

from __future__ import annotations

import re

__all__ = ["as_question"]

_WAYS = ("show me {}", "is there {}?", "find a video of {}", "do I have {}?", "where is {}?")

# What Flickr8k's captions do most.
_VERBS = "run|jump|ride|play|stand|sit|walk|climb|swim|sleep|swing|wait|look"
_DOES = re.compile(rf"(.+?) ({_VERBS})s\b(.*)")


def as_question(text: str, number: int) -> str:
    """A question or request for what a text says; what it is like depends on its number."""
    text = text.rstrip(" .").lower()
    does = _DOES.fullmatch(text)
    if does is not None:
        return f"where does {does[1]} {does[2]}{does[3]}?"
    being = re.fullmatch(r"(.+?) (is|are) (.+)", text)
    if being is not None and number % 2:
        return f"where {being[2]} {being[1]} {being[3]}?"
    return _WAYS[number % len(_WAYS)].format(text)
