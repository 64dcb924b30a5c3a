"""Films that say when and where they were taken: of a few pictures, and tagged by remuxing."""

from __future__ import annotations

from pathlib import Path

import av
from videos import make_video, motion

__all__ = ["APPLE", "TELEMETRY", "plain", "tagged"]

#: What an iPhone writes.
APPLE = {
    "com.apple.quicktime.creationdate": "2023-07-04T12:00:00+0200",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 12",
    "com.apple.quicktime.location.ISO6709": "+48.8566+002.3522+035.000/",
    "creation_time": "2023-07-04T10:00:00.000000Z",
}

#: What a drone of DJI writes beside a film.
TELEMETRY = """1
00:00:00,000 --> 00:00:00,033
<font size="28">FrameCnt: 1, DiffTime: 33ms
2022-08-09 10:11:12.345
[iso: 100] [shutter: 1/500.0] [fnum: 2.8] [latitude: 38.7139] [longitude: -9.1394] [rel_alt: 1.3]
</font>

2
00:00:00,033 --> 00:00:00,066
<font size="28">FrameCnt: 2, DiffTime: 33ms
2022-08-09 10:11:12.378
[iso: 100] [shutter: 1/500.0] [fnum: 2.8] [latitude: 38.7139] [longitude: -9.1394] [rel_alt: 1.3]
</font>
"""


def plain(path: Path, seed: int = 1) -> Path:
    """A film without a word on when it was taken."""
    make_video(path, shots=[(motion(seed), 1)], size=(64, 48))
    return path


def tagged(film: Path, path: Path, tags: dict[str, str]) -> Path:
    """The pictures of a film in another one with tags."""
    options = {"movflags": "use_metadata_tags"} if any("apple" in tag for tag in tags) else {}
    with av.open(str(film)) as read, av.open(str(path), "w", options=options) as made:
        stream = made.add_stream_from_template(read.streams.video[0])
        made.metadata.update(tags)
        for packet in read.demux(read.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return path
