"""As much of Dockerfiles and .dockerignore as the tests must read."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

__all__ = ["Dockerfile", "Instruction", "is_ignored"]

#: Every instruction there is: https://docs.docker.com/reference/dockerfile/
INSTRUCTIONS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)


@dataclass(frozen=True)
class Instruction:
    """One instruction: its keyword, its ``--flags`` and the rest, on one line."""

    keyword: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """The rest as words, from the JSON form or the plain one."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)


@dataclass(frozen=True)
class Dockerfile:
    """A parsed file.

    Raises:
        ValueError: a line is no instruction.
    """

    path: Path

    @cached_property
    def instructions(self) -> list[Instruction]:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        kept = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
        whole = re.sub(r"\\\n\s*", "", kept)
        return [self._parse(line) for line in whole.splitlines() if line.strip()]

    def _parse(self, line: str) -> Instruction:
        keyword, _, rest = line.partition(" ")
        if keyword not in INSTRUCTIONS or not rest.strip():
            raise ValueError(f"{self.path.name}: {line!r} is no instruction")
        flags = {}
        while found := re.match(r"\s*--([a-z-]+)(?:=(\S+))?\s+", rest):
            flags[found[1]] = found[2] or ""
            rest = rest[found.end() :]
        return Instruction(keyword, flags, rest.strip())

    def all(self, keyword: str) -> list[Instruction]:
        return [each for each in self.instructions if each.keyword == keyword]

    @cached_property
    def stages(self) -> list[list[Instruction]]:
        """The instructions of each stage, which its FROM begins."""
        stages: list[list[Instruction]] = []
        for each in self.instructions:
            if each.keyword == "FROM":
                stages.append([])
            if stages:
                stages[-1].append(each)
        return stages

    def last(self, keyword: str) -> Instruction:
        """What counts in the image: the last one of the last stage."""
        return [each for each in self.stages[-1] if each.keyword == keyword][-1]

    @cached_property
    def environment(self) -> dict[str, str]:
        """ENV of the last stage."""
        pairs = [word for each in self.stages[-1] if each.keyword == "ENV" for word in each.words]
        return dict(pair.split("=", 1) for pair in pairs)

    def sources(self) -> Iterator[str]:
        """What is copied out of the build's context."""
        for each in self.all("COPY"):
            if "from" not in each.flags:
                yield from each.words[:-1]


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether a path does not reach the build: the last pattern that fits decides."""
    places = [path, *map(str, PurePosixPath(path).parents)]
    ignored = False
    for line in patterns:
        pattern = line.strip().removeprefix("!").strip("/")
        if pattern and not line.startswith("#") and any(_fits(place, pattern) for place in places):
            ignored = not line.startswith("!")
    return ignored


def _fits(path: str, pattern: str) -> bool:
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]*\])", pattern)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    regex = "".join(
        wild.get(part, part if part.startswith("[") else re.escape(part)) for part in parts
    )
    return path != "." and re.fullmatch(regex, path) is not None
