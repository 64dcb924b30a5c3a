"""Text of bytes whose encoding nobody says."""

from __future__ import annotations

import codecs

from chardetng_py import EncodingDetector

__all__ = ["decoded"]

# What a file begins with that says how it goes on. The longer ones come first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Bytes by which UTF-16 without a mark is told: digits and line ends have a zero beside them.
_HEAD_BYTES = 4096

# Where a language is at home: the detector asks for the domain that a page comes from.
_HOMES = {
    **{"ja": "jp", "ko": "kr", "zh": "cn", "zh-TW": "tw", "zh-Hant": "tw", "zh-HK": "hk"},
    **{"cs": "cz", "el": "gr", "he": "il", "uk": "ua", "da": "dk", "sv": "se", "sl": "si"},
    **{"sr": "rs", "fa": "ir", "et": "ee", "vi": "vn", "ar": "eg", "be": "by", "sq": "al"},
    **{"bs": "ba", "hy": "am", "ka": "ge", "kk": "kz", "nb": "no", "nn": "no"},
}

# Languages that are called as their countries' domains are.
_AT_HOME = frozenset(
    {"bg", "de", "es", "fi", "fr", "hr", "hu", "is", "it", "lt", "lv", "mk", "nl", "no", "pl"}
    | {"pt", "ro", "ru", "sk", "th", "tr"}
)

# How Python calls those that it calls otherwise than the web does, and those whose web meaning is
# wider: Windows' own pages.
_IN_PYTHON = {
    **{"Shift_JIS": "cp932", "EUC-KR": "cp949", "Big5": "big5hkscs", "GBK": "gb18030"},
    **{"ISO-8859-8-I": "iso8859-8", "windows-874": "cp874", "x-user-defined": "cp1252"},
}


def decoded(raw: bytes, language: str = "") -> str:
    """The text of a file.

    Args:
        raw: all of it.
        language: the tag of its language, where that is known: it helps to tell encodings apart.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, "replace").removeprefix("\ufeff")
    wide = _without_mark(raw)  # in which Cyrillic may be UTF-8 as well, with zeros between
    if wide:
        return raw.decode(wide, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(_detected(raw, language), "replace")


def _without_mark(raw: bytes) -> str:
    """UTF-16 by the zeros in it, or nothing."""
    head = raw[:_HEAD_BYTES]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 8 < len(head) or min(even, odd) * 8 > max(even, odd):
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _detected(raw: bytes, language: str) -> str:
    detector = EncodingDetector()
    detector.feed(raw, last=True)
    primary = language.partition("-")[0]
    home = _HOMES.get(language) or _HOMES.get(primary) or (primary if primary in _AT_HOME else "")
    found: str = detector.guess(tld=home.encode() or None, allow_utf8=False)
    encoding = _IN_PYTHON.get(found, found)
    try:
        codecs.lookup(encoding)
    except LookupError:
        return "cp1252"
    return encoding
