"""Languages are told by the tags that containers have and by what people put into names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.words.languages import language_of, language_tag


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        *(("en", "en"), ("eng", "en"), ("ger", "de"), ("deu", "de"), ("EN", "en"), ("chi", "zh")),
        *(("pt_BR", "pt-BR"), ("zh-Hans", "zh-Hans"), ("es-419", "es-419"), ("yue", "yue")),
        *(("und", ""), ("", ""), ("x", ""), ("xx", ""), ("nonsense", ""), ("e" * 99, "")),
        *(("\u0442\u0440", ""), ("en en", ""), ("--", "")),
    ],
)
def test_tags(name: str, tag: str) -> None:
    assert language_tag(name) == tag


@pytest.mark.parametrize(
    ("parts", "language"),
    [
        ([], ""),
        (["en"], "en"),
        (["forced"], ""),
        (["en", "forced"], "en"),
        (["sdh", "ENG"], "en"),
        (["en", "hi"], "en"),
        (["hi"], "hi"),
        (["pt-BR"], "pt-BR"),
        (["German"], "de"),
        (["fil"], "fil"),
        (["two"], None),
        (["part", "en"], None),
        (["en", "de"], None),
        ([""], None),
    ],
)
def test_names(parts: list[str], language: str | None) -> None:
    assert language_of(parts) == language


@given(st.text(max_size=40))
def test_whatever_it_is_called(name: str) -> None:
    tag = language_tag(name)
    assert tag == "" or language_tag(tag) == tag
