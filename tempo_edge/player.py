"""Moments in mpv: one of them where it begins, or several as if they were one film."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tempo_edge._system.groups import APART
from tempo_edge._system.mpv import find_mpv
from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.moment import Span

__all__ = ["edit_list", "play", "play_all"]


def play(source: Path, start_seconds: float) -> subprocess.Popen[bytes]:
    """Open mpv on a video at a second of it; it does not wait for the player.

    Returns:
        The player's process.

    Raises:
        TempoEdgeError: mpv is not installed.
    """
    start = f"--start={start_seconds:.3f}"
    return _start([start, *_choice([source]), "--", str(source)])


def play_all(moments: Sequence[tuple[Path, Span]]) -> None:
    """Open mpv on a film of these spans alone, a chapter each; it does not wait for the player.

    Args:
        moments: videos, and seconds from the start of their containers.

    Raises:
        TempoEdgeError: mpv is not installed, or there is nothing to play.
    """
    if not moments:
        raise TempoEdgeError("there is no moment to play: none of the files is there")
    # The list comes by a file that has no name: it needs no clearing up, and no length is too much.
    with tempfile.TemporaryFile() as listed:
        listed.write(edit_list(moments))
        listed.seek(0)
        choice = _choice(list(dict.fromkeys(path for path, _ in moments)))
        _start([*choice, "--", "-"], listed.fileno())


def _choice(paths: Sequence[Path]) -> list[str]:
    """The option that makes mpv show the stream that was searched, where it could take another.

    One choice holds for a whole film. If its parts differ, the player is left to its own.
    """
    from tempo_edge.media.pyav import PyAVVideo

    tracks: set[int | None] = set()
    for path in paths:
        try:
            with PyAVVideo(path) as video:
                tracks.add(None if video.is_only_film else video.video_index + 1)
        except MediaError:
            tracks.add(None)  # the player says what it makes of it
    (track,) = tracks if len(tracks) == 1 else (None,)
    return [] if track is None else [f"--vid={track}"]


def _start(arguments: list[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    player = find_mpv()
    if player is None:
        raise TempoEdgeError("mpv is not installed: install it, or leave out --play")
    return subprocess.Popen(
        [player, "--really-quiet", *arguments],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **APART,
    )


def edit_list(moments: Sequence[tuple[Path, Span]]) -> bytes:
    """An edit list of mpv's own (version 0): a span a line, and a chapter for each.

    Names are given with their length in bytes before them (``%3%a,b``), so that none of their
    letters means anything (mpv's ``DOCS/edl-mpv.rst``).
    """
    lines = [b"# mpv EDL v0"]
    for path, span in moments:
        name = os.fsencode(path.absolute())
        title = os.fsencode(path.name)
        lines.append(
            b"%s,start=%.6f,length=%.6f,title=%s"
            % (_quoted(name), span.start_seconds, span.duration_seconds, _quoted(title))
        )
    return b"".join(line + b"\n" for line in lines)


def _quoted(text: bytes) -> bytes:
    return b"%%%d%%%s" % (len(text), text)
