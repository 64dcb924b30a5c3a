"""Text is read whatever it was encoded in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from subtitled import srt

from tempo_edge.words.encoding import decoded

SAID = {
    "fr": "Où est la bibliothèque ? Peut-être là-bas, à côté de l'école.",
    "de": "Die schöne Müllerin fährt über die Straße, weil sie müde ist.",
    "pl": "Zażółć gęślą jaźń. Źle się czuję, jak się pan miewa?",
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy. Kde jste byli včera večer?",
    "ru": "Где ты был вчера вечером? Я не знаю, что тебе сказать об этом.",
    "el": "Πού ήσουν χθες το βράδυ; Δεν ξέρω τι να σου πω.",
    "tr": "Dün gece neredeydin? Sana ne söyleyeceğimi bilmiyorum, şu işi bırakalım.",
    "he": "איפה היית אתמול בלילה? אני לא יודע מה לומר לך.",
    "ar": "أين كنت الليلة الماضية؟ لا أعرف ماذا أقول لك.",
    "th": "เมื่อคืนคุณอยู่ที่ไหน ฉันไม่รู้จะพูดอะไร",
    "ja": "昨日の夜はどこにいたの？何と言えばいいのかわからない。",
    "zh": "你昨天晚上在哪里？我不知道该对你说什么。",
    "zh-TW": "你昨天晚上在哪裡？我不知道該對你說什麼。",
    "ko": "어젯밤에 어디 있었어요? 무슨 말을 해야 할지 모르겠어요.",
}


def written(language: str) -> str:
    return srt([(n, n + 0.9, SAID[language]) for n in range(1, 6)])


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *(("fr", "cp1252"), ("de", "cp1252"), ("pl", "cp1250"), ("cs", "cp1250"), ("ru", "cp1251")),
        *(("ru", "koi8-r"), ("el", "cp1253"), ("tr", "cp1254"), ("he", "cp1255"), ("ar", "cp1256")),
        *(("th", "cp874"), ("ja", "cp932"), ("ja", "euc-jp"), ("zh", "gb18030"), ("zh-TW", "big5")),
        ("ko", "cp949"),
    ],
)
@pytest.mark.parametrize("is_told", [True, False])
def test_of_one_place_of_the_world(language: str, encoding: str, is_told: bool) -> None:
    if language == "tr" and not is_told:
        pytest.skip("differs from the code of Central Europe in six letters, which it has as well")
    text = written(language)
    assert decoded(text.encode(encoding), language if is_told else "") == text


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_of_all_of_it(language: str, encoding: str) -> None:
    text = written(language)
    assert decoded(text.encode(encoding)) == text
    assert decoded(text.encode("utf-32")) == text


@given(st.binary(max_size=400), st.sampled_from(["", "en", "tr", "zh-TW", "qqq"]))
def test_whatever_the_bytes(raw: bytes, language: str) -> None:
    decoded(raw, language).encode()  # no half of a pair is left


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\0")))
def test_utf_8_is_told_by_itself(text: str) -> None:
    if not text.encode().startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        assert decoded(text.encode()) == text
