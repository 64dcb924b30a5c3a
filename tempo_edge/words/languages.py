"""Languages by their tags, as containers and the names of subtitle files have them."""

from __future__ import annotations

import langcodes

__all__ = ["language_of", "language_tag"]

# No language, one that is not known, or several.
_NONE = frozenset({"und", "mul", "mis", "zxx", "qaa"})

# Tags are no longer than this; what is was never one.
_MOST_LETTERS = 35

# Languages that are told by three letters because they have no two.
_OF_THREE = frozenset({"fil", "yue", "cmn", "gsw", "nds", "ast", "hsb"})

# What else stands between the name of a film and the suffix of its subtitles.
_FLAGS = frozenset({"forced", "sdh", "cc", "hi", "full", "default", "foreign", "signs", "songs"})

# Languages as people write them out in the names of files.
_WRITTEN_OUT = {
    **{"english": "en", "french": "fr", "german": "de", "spanish": "es", "italian": "it"},
    **{"portuguese": "pt", "brazilian": "pt-BR", "dutch": "nl", "swedish": "sv", "danish": "da"},
    **{"norwegian": "no", "finnish": "fi", "polish": "pl", "czech": "cs", "slovak": "sk"},
    **{"hungarian": "hu", "romanian": "ro", "bulgarian": "bg", "greek": "el", "turkish": "tr"},
    **{"russian": "ru", "ukrainian": "uk", "serbian": "sr", "croatian": "hr", "slovenian": "sl"},
    **{"arabic": "ar", "hebrew": "he", "persian": "fa", "farsi": "fa", "hindi": "hi"},
    **{"chinese": "zh", "japanese": "ja", "korean": "ko", "thai": "th", "vietnamese": "vi"},
    **{"indonesian": "id", "malay": "ms", "catalan": "ca", "icelandic": "is", "estonian": "et"},
}


def language_tag(name: str) -> str:
    """The tag of a language of BCP 47, in its shortest form, or nothing where it is none.

    Args:
        name: a tag, or one of ISO 639's codes of two or three letters: ``ger``, ``pt_BR``.
    """
    if not 2 <= len(name) <= _MOST_LETTERS or not name.isascii():
        return ""
    try:
        tag = langcodes.standardize_tag(name.strip())
        is_one = langcodes.tag_is_valid(tag)
    except ValueError:
        return ""
    return tag if is_one and tag.partition("-")[0] not in _NONE else ""


def language_of(parts: list[str]) -> str | None:
    """The language that the end of a file's name tells, or nothing where it tells none.

    None where one of the parts is neither a language nor says what kind of subtitles these are:
    then they are part of a name.

    Args:
        parts: what stands between points, without the suffix: ``["en", "forced"]``.
    """
    language = ""
    for number, part in enumerate(parts):
        small = part.lower()
        is_flag = small in _FLAGS and (small != "hi" or language or number + 1 < len(parts))
        if is_flag:
            continue
        tag = _WRITTEN_OUT.get(small) or language_tag(part)
        primary = tag.partition("-")[0]
        if not tag or language or (len(primary) > 2 and primary not in _OF_THREE):
            return None
        language = tag
    return language
