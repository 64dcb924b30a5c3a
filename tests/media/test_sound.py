"""The sound of a film, stretch by stretch, on the film's own clock."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from videos import make_not_a_video, make_video

from benchmarks.spoken import RATE, film, laid_out
from tempo_edge.errors import MediaError
from tempo_edge.media import open_video
from tempo_edge.media.sound import Sound

ZERO = Fraction(0)


def clicks(*times: float, seconds: float = 12.0) -> NDArray[np.float32]:
    """A tenth of a second of a tone at some times."""
    tone = 0.5 * np.sin(2 * np.pi * 880 * np.arange(RATE // 10) / RATE).astype(np.float32)
    return laid_out([(time, tone) for time in times], seconds)


def heard(samples: NDArray[np.float32], start: float = 0.0) -> list[float]:
    """When the tones in a stretch begin, to a hundredth of a second."""
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE // 4)]
    return [round(start + float(each) / RATE, 2) for each in begins]


TIMES = [0.5, 3.0, 6.25, 10.0]


@pytest.fixture(scope="module", params=["a.mp4", "a.mkv", "a.ts", "a.avi"])
def clicking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / request.param
    return film(path, clicks(*TIMES), codec="mp2" if path.suffix in (".ts", ".avi") else "aac")


def test_it_is_where_it_is_in_the_film(clicking: Path) -> None:
    with open_video(clicking) as video:
        zero = video.info.start_time
    with Sound(clicking, zero) as sound:
        whole = sound.read(0.0, 12.0)
        assert heard(whole) == pytest.approx(TIMES, abs=0.06)
        pieces = [sound.read(at, at + 1.3) for at in np.arange(0, 11.5, 1.3)]
        assert heard(np.concatenate(pieces)) == heard(whole), "in a row"
        assert sound.damaged == 0 and sound.is_there
    for start in (2.5, 5.0, 9.0):
        with Sound(clicking, zero) as sound:  # from somewhere on, as a run that goes on
            assert heard(sound.read(start, 12.0), start) == pytest.approx(
                [time for time in TIMES if time > start], abs=0.06
            )
            assert heard(sound.read(0.0, 2.0)) == heard(whole)[:1], "and back"


def test_a_stretch_may_begin_within_the_one_before(clicking: Path) -> None:
    with Sound(clicking, ZERO) as sound:
        whole = sound.read(0.0, 8.0)
    with Sound(clicking, ZERO) as sound:
        sound.read(0.0, 4.0)
        assert np.array_equal(sound.read(2.0, 6.0), whole[2 * RATE : 6 * RATE])
        assert np.array_equal(sound.read(3.0, 4.0), whole[3 * RATE : 4 * RATE])
        assert np.array_equal(sound.read(6.0, 8.0), whole[6 * RATE :])


def test_where_there_is_none_it_is_silent(tmp_path: Path) -> None:
    mute = make_video(tmp_path / "mute.mp4").path
    with Sound(mute, ZERO) as sound:
        assert not sound.is_there and not sound.read(0.0, 1.0).any()
        assert sound.next_seconds is None
    with Sound(film(tmp_path / "a.mp4", clicks(0.5, seconds=2.0)), ZERO) as sound:
        assert not sound.read(5.0, 9.0).any() and sound.next_seconds is None


def test_it_begins_when_it_begins(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", clicks(0.5, seconds=3.0))
    with Sound(path, Fraction(-2)) as sound:  # the film's clock begins two seconds before
        assert sound.read(0.0, 1.0).any() == np.False_
        assert sound.next_seconds == pytest.approx(2.0, abs=0.1)
        assert heard(sound.read(1.0, 4.0), 1.0) == pytest.approx([2.5], abs=0.06)


def test_damage_is_counted_and_the_rest_is_where_it_was(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", clicks(*TIMES), codec="flac")
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for at in rng.integers(len(data) // 3, len(data) // 2, 60):
        data[at] ^= 0xFF
    path.write_bytes(bytes(data))
    with Sound(path, ZERO) as sound:
        found = heard(sound.read(0.0, 12.0))
    assert found[0] == pytest.approx(0.5, abs=0.06) and found[-1] == pytest.approx(10.0, abs=0.06)
    assert sound.damaged > 0


def test_what_is_begun_anew_is_as_if_nothing_had_been_read(tmp_path: Path) -> None:
    hiss = 0.1 * np.random.default_rng(0).standard_normal(12 * RATE)
    hiss[np.sin(4 * np.pi * np.arange(12 * RATE) / RATE) < 0.5] = 0.0
    path = film(tmp_path / "a.mp4", hiss.astype(np.float32))  # which decoders of AAC draw
    with Sound(path, ZERO) as sound:
        alone = sound.read(6.0, 12.0)
    with Sound(path, ZERO) as sound:
        sound.read(0.0, 7.0)
        in_a_row = sound.read(6.0, 12.0)
        sound.begin_anew()
        assert np.array_equal(sound.read(6.0, 12.0), alone)
    assert not np.array_equal(in_a_row, alone), "it shows nothing where nothing is drawn"


def test_sound_is_found_behind_a_gap(clicking: Path) -> None:
    with open_video(clicking) as video:
        zero = video.info.start_time
    with Sound(clicking, zero - 30) as sound:  # half a minute of nothing before it
        assert heard(sound.read(25.0, 42.0), 25.0) == pytest.approx(
            [30 + time for time in TIMES], abs=0.06
        )


def claiming(path: Path, before: bytes, claimed: bytes) -> Path:
    """A film of raw sound with a field of its track written over: what stands behind some bytes."""
    data = bytearray(film(path, clicks(0.5, seconds=2.0), codec="pcm_s16le").read_bytes())
    at = data.index(before) + len(before)
    data[at : at + len(claimed)] = claimed
    path.write_bytes(bytes(data))
    return path


def test_a_rate_that_no_sound_has_is_damage(tmp_path: Path) -> None:
    rate = struct.pack(">d", 4e6)  # which takes long to convert, and hours where there is more
    with Sound(claiming(tmp_path / "a.mkv", b"\xb5\x88", rate), ZERO) as sound:
        assert not sound.read(0.0, 2.0).any() and sound.damaged > 0


def test_a_track_that_can_not_be_decoded_is_said(tmp_path: Path) -> None:
    path = claiming(tmp_path / "a.mkv", b"\x9f\x81", b"\0")  # no channels
    with pytest.raises(MediaError, match="its sound can't be decoded"):
        Sound(path, ZERO)


@pytest.mark.parametrize("span", [(-1.0, 1.0), (2.0, 1.0), (0.0, 601.0), (float("nan"), 1.0)])
def test_a_stretch_has_to_be_one(clicking: Path, span: tuple[float, float]) -> None:
    with Sound(clicking, ZERO) as sound, pytest.raises(ValueError, match="must be of 0 to 600 s"):
        sound.read(*span)


def test_what_is_no_media_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="its sound can't be read"):
        Sound(make_not_a_video(tmp_path / "a.mp4"), ZERO)
    with pytest.raises(MediaError, match="no such file"):
        Sound(tmp_path / "gone.mp4", ZERO)
