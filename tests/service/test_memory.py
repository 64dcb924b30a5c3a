"""A service that answers for days takes no more memory than one that has just begun."""

from __future__ import annotations

import os

import pytest
from door import Service, running
from shown import Footage

# As many answers as it takes for caches and pools to fill.
WARM_UP = 300

# What an answer may leave behind, over what the allocator keeps for itself.
AN_ANSWER, ALLOCATOR = 4 << 10, 2 << 20


def ask(service: Service, answers: int) -> None:
    """Searches of many clients, with some pictures, parts of files and refusals among them."""
    connection = service.connection()
    for number in range(answers):
        kind = number % 10
        target = f"/v1/find?q=a+beach+{number}&retrieval=1&min_confidence=0&client=c{number}"
        if kind == 3:
            target = f"/v1/videos/{1 + number % 8}/frame?t={number % 400 / 100}&width=90"
        elif kind == 5:
            target = f"/v1/videos/{1 + number % 8}/file"
        elif kind == 7:
            target = "/v1/find?q="
        elif kind == 9 and number % 50 == 9:
            target = f"/v1/find?q=a+beach+{number}&grounder=mllm&client=c"
        connection.request("GET", target)
        response = connection.getresponse()
        response.read()
        assert response.status in (200, 400), target
    connection.close()


@pytest.mark.parametrize(
    "answers",
    [
        600,
        pytest.param(
            int(os.environ.get("TEMPO_EDGE_ANSWERS", "4000")), marks=pytest.mark.slow, id="more"
        ),
    ],
)
def test_memory_is_flat(named: Footage, environment: dict[str, str], answers: int) -> None:
    with running(named.library, environment) as service:
        ask(service, WARM_UP)
        before = service.memory()
        ask(service, answers)
        grown = service.memory() - before
        print(f"{answers} answers: {before >> 20} MB and {grown / 2**20:+.1f} MB")
        assert grown < answers * AN_ANSWER + ALLOCATOR
