"""Of a line of text its words remain, in one line, and nothing that looks like markup."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.words.line import MOST_LETTERS
from tempo_edge.words.markup import plain


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Good morning.", "Good morning."),
        ("  two \t spaces\r\nand a line ", "two spaces and a line"),
        (r"{\an8}{\i1}Hello{\i0}\Nthere\hyou", "Hello there you"),
        (r"{\k20}ka{\k31}ra{\k9}oke", "karaoke"),
        (r"{\p1}m 0 0 l 100 0 100 100{\p0}a sign", "a sign"),
        (r"before{\bord2\p4}m 0 0 b 1 2 3 4{\p0} after", "before after"),
        (r"{\p1}m 0 0 l 100 0 100 100", ""),
        (r"{\pos(10,20)}here", "here"),
        (r"\{braces\}", "{braces}"),
        ("open { brace", "open { brace"),
        ("<i>so</i> <font color='red'>red</font><br/>", "so red"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<v Bob>Hi</v> <00:01.500>you", "Hi you"),
        ("a < b and c > d", "a < b and c > d"),
        ("I <3 you", "I <3 you"),
        ("Tom &amp; Jerry &lt;b&gt;bold&lt;/b&gt;", "Tom & Jerry bold"),
        ("&amp;lt;", "&lt;"),
        ("<!-- a comment -->seen", "seen"),
        ("bell\x07 and null\0byte", "bell and null byte"),
        ("\u202bשלום\u202c\u200f", "שלום"),
        ("می\u200cروم", "می\u200cروم"),
        ("cafe\u0301", "caf\u00e9"),
        ("\ufeffmark\u00ad", "mark"),
        ("♪ ♫ …", ""),
        ("♪ la la ♪", "♪ la la ♪"),
        ("", ""),
        ("天気がいい", "天気がいい"),
    ],
)
def test_words_remain(written: str, shown: str) -> None:
    assert plain(written) == shown


def test_a_line_that_is_too_long_is_cut_at_a_space() -> None:
    shown = plain("word " * 1000)
    assert len(shown) <= MOST_LETTERS and shown.endswith("word…")
    assert plain("x" * 100_000) == "x" * (MOST_LETTERS - 1) + "…"


@pytest.mark.parametrize(
    "written", ["<" * 200_000, "{" * 200_000, "<!--" * 50_000, "\\p1" * 50_000]
)
def test_mischief_takes_no_time(written: str) -> None:
    assert len(plain(written)) <= MOST_LETTERS


pieces = st.sampled_from(
    ["<", ">", "<i>", "</i>", "{", "}", r"\p1", r"{\p1}", r"\N", "&lt;", "&gt;", "&amp;", "\0", "a"]
)


@given(st.one_of(st.text(), st.lists(pieces).map("".join)))
def test_whatever_was_written(written: str) -> None:
    shown = plain(written)
    assert len(shown) <= MOST_LETTERS
    assert shown == shown.strip() and "  " not in shown
    assert all(unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") for letter in shown)
    assert not shown or any(map(str.isalnum, shown))
    assert not re.search(r"</?[A-Za-z][^<>]*>", shown)
