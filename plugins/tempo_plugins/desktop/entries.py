"""The small text files by which desktops learn of programs, each with its own way of quoting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["desktop_exec", "ini", "service_exec"]


def ini(section: str, values: Mapping[str, str]) -> bytes:
    """A file of one section.

    Raises:
        ValueError: a value has more than one line.
    """
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise ValueError(f"{name} {value!r} must be one line")
    lines = [f"[{section}]", *(f"{name}={value}" for name, value in values.items())]
    return "".join(f"{line}\n" for line in lines).encode()


def service_exec(command: Sequence[str]) -> str:
    """A command as ``Exec`` of a D-Bus service file: split as a shell splits words, once the
    backslashes of the file's own format are undone."""
    words = ("'" + each.replace("'", "'\\''") + "'" for each in command)
    return " ".join(words).replace("\\", "\\\\")


def desktop_exec(command: Sequence[str]) -> str:
    """A command as ``Exec`` of a desktop entry.

    Words in double quotes, four characters escaped in them, per cent signs doubled, and all that
    escaped once more as the value of a key:
    https://specifications.freedesktop.org/desktop-entry-spec/latest/exec-variables.html
    """
    words = []
    for each in command:
        word = "".join(f"\\{c}" if c in '"`$\\' else c for c in each.replace("%", "%%"))
        words.append(f'"{word}"')
    return " ".join(words).replace("\\", "\\\\")
