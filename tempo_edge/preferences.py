"""What a person chose once, kept from run to run: a small file in the user's settings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tempo_edge._files import atomic_write
from tempo_edge.errors import TempoEdgeError

__all__ = ["DEFAULT_PROFILE", "DEFAULT_SPEECH", "Preferences", "preferences_path"]

# Bytes of the longest file that is read.
_MOST_BYTES = 1 << 16

#: The profile of new libraries where nobody chose one.
DEFAULT_PROFILE = "nano"

#: The model that hears speech where nobody chose one.
DEFAULT_SPEECH = "whisper-base"


def preferences_path() -> Path:
    """Where they are kept; the file need not exist."""
    from platformdirs import user_config_path

    return user_config_path("tempo-edge") / "preferences.json"


@dataclass(frozen=True)
class Preferences:
    """The choices of a person.

    Attributes:
        profile: the model profile of new libraries.
        speech: the model that hears speech.
        told: names of the hints that were given, each of which is given once.
    """

    profile: str = DEFAULT_PROFILE
    told: frozenset[str] = field(default_factory=frozenset)
    speech: str = DEFAULT_SPEECH

    @staticmethod
    def read(path: Path | None = None) -> Preferences:
        """The preferences in a file; what nobody chose is as it is where there is none.

        Raises:
            TempoEdgeError: the file can't be read.
        """
        path = path or preferences_path()
        try:
            with path.open("rb") as file:
                facts: Any = json.loads(file.read(_MOST_BYTES))
            profile, speech = facts.get("profile", DEFAULT_PROFILE), facts.get("speech", "")
            told = facts.get("told", [])
            if not all(isinstance(each, str) for each in (profile, speech, *told)):
                raise ValueError("profile and speech must be names, told a list of names")
            return Preferences(profile, frozenset(told), speech or DEFAULT_SPEECH)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return Preferences()  # a service in a sandbox sees none
        except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
            raise TempoEdgeError(
                f"preferences {path} can't be read: {error}: delete them, and choose again"
            ) from error

    def write(self, path: Path | None = None) -> None:
        """Keep them.

        Raises:
            TempoEdgeError: they can't be written.
        """
        path = path or preferences_path()
        facts = {"profile": self.profile, "speech": self.speech, "told": sorted(self.told)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as draft:
                draft.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise TempoEdgeError(f"preferences {path} can't be written: {error}") from error

    def with_profile(self, name: str) -> Preferences:
        """The preferences with another profile for new libraries."""
        return replace(self, profile=name)

    def with_speech(self, name: str) -> Preferences:
        """The preferences with another model that hears speech."""
        return replace(self, speech=name)

    def with_told(self, hint: str) -> Preferences:
        """The preferences with a hint that was given."""
        return replace(self, told=self.told | {hint})
