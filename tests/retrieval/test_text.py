"""Folding, numbers, dates and terms: what must match across spellings, and what must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haystack_agent.text.fold import fold
from haystack_agent.text.language import detect_language
from haystack_agent.text.numbers import dates, numbers
from haystack_agent.text.terms import terms, weighted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Žluťoučký KŮŇ", "zlutoucky kun"),
        ("STRASSE", "straße"),
        ("ﬁnal", "final"),
        ("Ｎｏ．１２", "no.12"),
        ("٢٠١٥", "2015"),
        ("२००१", "2001"),
        ("إدارة", "اداره"),
        ("it’s", "it's"),
        ("Łódź", "lodz"),
    ],
)
def test_spellings_that_people_take_for_the_same_fold_together(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_vowel_signs_of_indic_and_thai_are_not_accents() -> None:
    assert fold("चेन्नई") != fold("चन्नई")
    assert fold("กี่") != fold("ก")


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def readings(text: str) -> set[str]:
    return {reading for found in numbers(fold(text)) for reading in found.readings}


@pytest.mark.parametrize("text", ["1,249.50", "1 249,50", "1.249,50", "1'249.50", "1249.5", "1\u202f249,50"])
def test_a_number_is_found_in_every_way_of_writing_it(text: str) -> None:
    assert "1249.5" in readings(f"Total: {text} EUR")


def test_a_group_of_three_digits_can_be_thousands_or_a_fraction() -> None:
    assert readings("79,053") == {"79053", "79.053"}
    assert readings("1.234.567") == {"1234567"}
    assert readings("0.125") >= {"0.125"}


def test_two_numbers_side_by_side_stay_two() -> None:
    assert readings("142/88 201.38") >= {"142", "88", "201.38"}


def days(text: str) -> set[str]:
    return {reading for found in dates(fold(text)) for reading in found.readings}


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "22-Nov-2026",
        "22.11.2026",
        "22. 11. 2026",
        "11/22/2026",
        "Nov 22, 2026",
        "November 22nd, 2026",
        "22 novembre 2026",
        "22. listopadu 2026",
        "22 de noviembre de 2026",
        "22 noiembrie 2026",
        "2026年11月22日",
        "22 ноября 2026",
        "22 نوفمبر 2026",
    ],
)
def test_a_day_is_found_in_every_way_of_writing_it(text: str) -> None:
    assert "2026-11-22" in days(f"Issued {text}.")


def test_the_de_of_december_is_no_word_of_its_own() -> None:
    assert days("24. Dezember 2025") == days("24 December 2025") == days("24 de diciembre de 2025") == {"2025-12-24"}


def test_a_date_that_does_not_exist_is_none() -> None:
    assert days("31.02.2026 and 2026-13-01") == set()


def test_a_month_without_a_day() -> None:
    assert "2015-08" in days("2015年8月") and "2015-08" in days("August 2015")


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("BB5678", "lot BB 5678"),
        ("BB 5678", "lot BB5678"),
        ("35678-9", "report 356789"),
        ("1249.50", "1 249,50 Kč"),
        ("座席利用率", "国際線の座席利用率は"),
        ("愚园路", "西愚园路东"),
        ("ราคา", "ใบเสร็จราคาสินค้า"),
        ("membership", "Memberships"),
        ("00123", "code 00123"),
    ],
)
def test_what_is_asked_shares_a_term_with_what_is_written(asked: str, written: str) -> None:
    assert weighted(asked).keys() & weighted(written).keys()


def test_different_codes_share_nothing_but_their_parts() -> None:
    shared = weighted("BB5678").keys() & weighted("BB9999").keys()
    assert "bb5678" not in shared and "#5678" not in shared


@given(st.text(max_size=200))
def test_terms_lie_inside_the_folded_text(text: str) -> None:
    size = len(fold(text))
    for term in terms(text):
        assert 0 <= term.start < term.end <= size and term.text


def test_a_huge_word_costs_little() -> None:
    assert max(len(term.text) for term in terms("x" * 1_000_000)) <= 64


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Kolik eur ročně stojí zvýhodněné členství v klubu?", "cs"),
        ("Where is the clip in which the pancake is flipped?", "en"),
        ("愚园路的路牌上，东边标的门牌号是多少？", "zh"),
        ("12.5 / 88", None),
    ],
)
def test_languages(text: str, language: str | None) -> None:
    assert detect_language(text, certain=0.5) == language
