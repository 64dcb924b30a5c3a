"""What a query seeks, without the words that only ask for it.

Text towers have read descriptions and no questions: "where does the dog jump?" lies further from
the pictures of it than "the dog jump".
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models import Profile

__all__ = ["Reading", "read", "sought"]

Reading = tuple[NDArray[np.float32], NDArray[np.float32]]
"""(unit vector of a query ``[d]``, states of its tokens ``[l, 384]``)"""

# Only what asks for something: "show jumping", "giving a speech" and "a picture on a wall" stay.
_REQUEST = re.compile(
    r"(?:please )?(?:(?:can|could|will|would) you (?:please )?)?"
    r"(?:(?:show|give|get|find) (?:me|us)|(?:search|look) for|"
    r"find(?= (?:an?|the|all|any|every|some|my|our|where|when|videos?|clips?|footage|moments?) )) "
    r"|(?:is|are|was|were) there |do (?:i|we|you) have "
    r"|(?:where|when)(?:['’]s| (?:is|are|was|were|do|does|did)) ",
    re.IGNORECASE,
)
_FOOTAGE = re.compile(
    r"(?:(?:an?|the|all|any|every|some|my|our) )?(?:videos?|clips?|films?|footage|scenes?|moments?|"
    r"shots?|pictures?)(?: in which| of| where| when| with| showing) ",
    re.IGNORECASE,
)


def read(profile: Profile, query: str) -> Reading:
    """The unit vector ``[dim]`` of what a query seeks, and the states of its tokens ``[l, 384]``.

    Raises:
        QueryError: the query is empty.
        ProfileError: the profile's model can't be run, or gives something else.
    """
    return profile.text_tower.read(sought(query))


def sought(text: str) -> str:
    """What a question or request in English is after; any other text as it is, less its "?".

    >>> sought("Can you show me the moment where the dog barks?")
    'the dog barks'
    """
    asked = text.strip().removesuffix("?").rstrip()
    request = _REQUEST.match(asked)
    if request is None:
        return asked or text
    rest = asked[request.end() :].strip()
    footage = _FOOTAGE.match(rest)
    return (rest[footage.end() :] if footage is not None else rest) or asked
