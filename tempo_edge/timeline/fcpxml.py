"""Final Cut Pro's XML, which DaVinci Resolve and others read too; every time is a fraction."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from tempo_edge.timeline.cuts import Cut
from tempo_edge.timeline.escaping import address, plain_name, plain_text
from tempo_edge.timeline.source import Source
from tempo_edge.timeline.timecode import can_drop

__all__ = ["write_fcpxml"]

# The newest version in which a file's address is an attribute, as everything that reads it knows.
_VERSION = "1.8"


def write_fcpxml(cuts: Sequence[Cut]) -> bytes:
    """One project for each frame rate, its clips one after another, sound with the pictures.

    A line of words is a marker at the beginning of its clip.

    A sequence has one rate: projects of their own keep every bound on a frame.
    """
    root = Element("fcpxml", version=_VERSION)
    resources = SubElement(root, "resources")
    assets = _add_assets(resources, [cut.source for cut in cuts])
    event = SubElement(root, "event", name="tempo-edge")
    rates = list(dict.fromkeys(cut.source.rate for cut in cuts))
    for rate in rates:
        name = "tempo-edge" if len(rates) == 1 else f"tempo-edge {float(rate):.5g} fps"
        project = SubElement(event, "project", name=name)
        _add_sequence(project, [cut for cut in cuts if cut.source.rate == rate], assets)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{text}\n'.encode()


def _add_assets(resources: Element, sources: Sequence[Source]) -> dict[Source, Element]:
    formats: dict[tuple[Fraction, tuple[int, int], Fraction], str] = {}
    assets: dict[Source, Element] = {}
    for source in dict.fromkeys(sources):
        width, height = source.size
        key = (source.rate, source.size, source.pixel_aspect)
        if key not in formats:
            formats[key] = f"f{len(formats) + 1}"
            described = SubElement(
                resources,
                "format",
                id=formats[key],
                frameDuration=_time(1 / source.rate),
                width=str(width),
                height=str(height),
            )
            if source.pixel_aspect != 1:
                described.set("paspH", str(source.pixel_aspect.numerator))
                described.set("paspV", str(source.pixel_aspect.denominator))
        sound = {}
        if source.audio_channels:
            sound = {"hasAudio": "1", "audioSources": "1"}
            sound["audioChannels"] = str(source.audio_channels)
            sound["audioRate"] = str(source.audio_rate)
        assets[source] = SubElement(
            resources,
            "asset",
            id=f"r{len(assets) + 1}",
            name=plain_name(source.path),
            src=address(source.path),
            start=_time(source.start_frame / source.rate),
            duration=_time(source.frames / source.rate),
            hasVideo="1",
            format=formats[key],
        )
        assets[source].attrib.update(sound)
    return assets


def _add_sequence(project: Element, cuts: Sequence[Cut], assets: dict[Source, Element]) -> None:
    rate = cuts[0].source.rate
    sequence = SubElement(
        project,
        "sequence",
        format=assets[cuts[0].source].attrib["format"],
        duration=_time(sum(cut.length for cut in cuts) / rate),
        tcStart="0s",
        # A project counts at its own rate, of which not each knows dropped labels.
        tcFormat=_counting(cuts[0].source.drop and can_drop(rate)),
    )
    spine = SubElement(sequence, "spine")
    offset = 0
    for cut in cuts:
        asset = assets[cut.source]
        start = _time((cut.source.start_frame + cut.first) / rate)
        clip = SubElement(
            spine,
            "asset-clip",
            ref=asset.attrib["id"],
            name=asset.attrib["name"],
            offset=_time(offset / rate),
            start=start,
            duration=_time(cut.length / rate),
            format=asset.attrib["format"],
            tcFormat=_counting(cut.source.drop),
        )
        if cut.moment.text:
            text = plain_text(cut.moment.text)
            SubElement(clip, "marker", start=start, duration=_time(1 / rate), value=text)
        offset += cut.length


def _counting(drop: bool) -> str:
    return "DF" if drop else "NDF"


def _time(seconds: Fraction) -> str:
    """``"1001/30000s"``, or ``"5s"`` for whole seconds."""
    if seconds.denominator == 1:
        return f"{seconds.numerator}s"
    return f"{seconds.numerator}/{seconds.denominator}s"
