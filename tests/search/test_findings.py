"""What is found by several kinds of evidence is one moment, and surer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge.moment import EVIDENCE_KINDS, Span
from tempo_edge.search.findings import Finding, merged


def finding(
    kind: str,
    start: float = 0.0,
    end: float = 5.0,
    confidence: float = 0.8,
    *,
    video: int = 1,
    text: str = "",
) -> Finding:
    return Finding(kind, video, Span(start, end), confidence, confidence >= 0.5, 1.0, text)


def test_a_moment_found_by_two_kinds_is_one_and_surer() -> None:
    seen, said = finding("picture", 10, 20, 0.7), finding("subtitle", 19, 22, 0.9, text="a boat")
    (moment,) = merged([seen, said])
    assert moment.confidence == pytest.approx(1 - 0.3 * 0.1)
    assert (moment.found_by, moment.text) == (("subtitle", "picture"), "a boat")
    assert moment.first is said, "it has the times of the surest"
    assert len(merged([seen, finding("subtitle", 20.9, 22)])) == 1, "they nearly touch"
    assert len(merged([seen, finding("subtitle", 21.5, 22)])) == 2
    assert len(merged([seen, finding("subtitle", 19, 22, video=2)])) == 2


def test_what_is_unsure_lifts_and_is_not_told_of() -> None:
    (moment,) = merged([finding("picture", confidence=0.7), finding("speech", confidence=0.2)])
    assert moment.found_by == ("picture",) and moment.text == ""
    assert moment.confidence == pytest.approx(1 - 0.3 * 0.8)
    (both,) = merged([finding("picture", confidence=0.4), finding("speech", confidence=0.4)])
    assert not both.is_sure, "where nothing is sure by itself, nothing matches"


def test_lines_of_one_kind_are_one_where_they_overlap() -> None:
    english, german = finding("subtitle", 0, 2, 0.9, text="dog"), finding("subtitle", 0.1, 2.1)
    after = finding("subtitle", 2.1, 4, 0.6)
    moments = merged([after, german, english])
    assert [moment.first for moment in moments] == [english, after]
    assert moments[0].text == "dog"
    apart = merged([finding("picture", 0, 4), finding("picture", 3, 7)])
    assert len(apart) == 2, "candidates of pictures were told apart already"


def test_a_name_lifts_what_is_sure_and_stands_alone_behind_it() -> None:
    name = finding("name", 0, 600, 0.5, text="holiday")
    seen, unsure = finding("picture", 10, 20, 0.7), finding("picture", 300, 310, 0.2)
    first, last = merged([name, unsure, seen])
    assert first.first is seen and first.found_by == ("picture", "name")
    assert first.confidence == pytest.approx(1 - 0.3 * 0.5)
    assert last.first is unsure and not last.is_sure
    alone, rejected = merged([name, unsure])
    assert (alone.is_named_only, alone.is_sure, alone.first) == (True, True, name)
    assert not rejected.is_sure
    other = finding("picture", video=2, confidence=0.55)
    assert [each.first for each in merged([name, other])] == [other, name], "however likely"


findings = st.lists(
    st.builds(
        lambda kind, video, start, length, confidence: finding(
            kind, start, start + length, confidence, video=video
        ),
        st.sampled_from(EVIDENCE_KINDS),
        st.integers(1, 3),
        st.floats(0, 50),
        st.floats(0.1, 20),
        st.floats(0, 1),
    ),
    max_size=12,
)


@given(findings)
def test_nothing_is_lost_and_what_is_sure_comes_first(found: list[Finding]) -> None:
    moments = merged(found)
    told = [each for moment in moments for each in moment.findings]
    kept = {id(each) for each in told}
    assert all(id(each) in kept for each in found if each.kind != "name")
    assert [moment.is_sure for moment in moments] == sorted(
        (moment.is_sure for moment in moments), reverse=True
    )
    for moment in moments:
        assert 0 <= moment.confidence <= 1 and moment.found_by
        assert moment.confidence >= max(each.confidence for each in moment.findings) - 1e-9
        assert len({each.video for each in moment.findings}) == 1
