"""Quotable units, their places, expected kinds, and the extractive reader on small evidence."""

from __future__ import annotations

import pytest

from haystack_agent.answering.extractive.expectation import AnswerKind, expected_kinds, satisfies
from haystack_agent.answering.extractive.units import narrow, units
from haystack_agent.records import PieceKind
from tests.support.builders import passage, segment


def test_sentences_that_run_over_lines_are_one_unit() -> None:
    piece = passage("The council met on Monday evening to talk about\nthe new bridge. It costs 40 million euros.")
    texts = [unit.text for unit in units(piece)]
    assert "The council met on Monday evening to talk about the new bridge." in texts
    assert "It costs 40 million euros." in texts


def test_abbreviations_and_decimals_do_not_end_a_sentence() -> None:
    piece = passage("Dr. J. Smith paid 3.50 to No. 7 of the row. He left.")
    assert next(unit.text for unit in units(piece)) == "Dr. J. Smith paid 3.50 to No. 7 of the row."


def test_short_lines_are_units_and_runs_of_them_too() -> None:
    texts = [unit.text for unit in units(passage("TOTAL\n48.20\nCASH\n50.00\nCHANGE\n1.80"))]
    assert "TOTAL" in texts and "TOTAL 48.20" in texts and "CHANGE 1.80" in texts


def test_chinese_sentences() -> None:
    texts = [unit.text for unit in units(passage("股东总数为79,053户。没有其他事项。"))]
    assert "股东总数为79,053户。" in texts


def test_a_table_row_is_one_unit() -> None:
    row = passage("Item: Pipe. Long; Price: 3.50", kind=PieceKind.TABLE_ROW)
    assert [unit.text for unit in units(row)] == [row.text]


def test_every_unit_is_in_the_text_word_for_word() -> None:
    piece = passage("One two. Three four!\nFive\nSix? Seven")
    for unit in units(piece):
        assert unit.text == " ".join(piece.text[unit.start : unit.end].split())


def test_a_unit_is_placed_by_its_own_words() -> None:
    piece = passage("TOTAL 48.20\nCHANGE 1.80")
    locator = narrow(piece, 12, 23)
    (box,) = locator.boxes
    assert box.y0 == pytest.approx(0.14) and box.x0 == 0 and box.x1 == pytest.approx(0.09)


def test_a_unit_of_a_video_is_placed_by_its_own_seconds() -> None:
    locator = narrow(segment("TAXI", "v", 10, 20), 0, 4)
    assert (locator.start, locator.end) == (14.5, 15.5)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many ducks were counted?", AnswerKind.NUMBER),
        ("Kolik stojí vstupenka?", AnswerKind.MONEY),
        ("What time does it start?", AnswerKind.TIME),
        ("Who is the estimator?", AnswerKind.NAME),
        ("¿Qué fecha aparece?", AnswerKind.DATE),
        ("座席利用率は何パーセントでしたか", AnswerKind.PERCENT),
        ("Which lot number is printed?", AnswerKind.CODE),
    ],
)
def test_expected_kinds(question: str, kind: AnswerKind) -> None:
    assert kind in expected_kinds(question, [])


def test_german_how_is_not_dutch_who() -> None:
    assert expected_kinds("Wie lange ist die Kündigungsfrist?", []) == (AnswerKind.NUMBER,)
    assert expected_kinds("Wie is de eigenaar?", []) == (AnswerKind.NAME,)


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        (AnswerKind.NUMBER, "43 homes", "in 2022 homes"),
        (AnswerKind.PERCENT, "82.5%", "82.5"),
        (AnswerKind.TIME, "starts 7:30 a.m.", "starts early"),
        (AnswerKind.MONEY, "total 56,02 €", "total"),
        (AnswerKind.NAME, "by Ellis Turner", "by the estimator"),
        (AnswerKind.CODE, "lot BB5678", "lot number"),
        (AnswerKind.DATE, "on 2024-02-14", "on a day"),
    ],
)
def test_forms_of_answers(kind: AnswerKind, yes: str, no: str) -> None:
    question = "What was it in 2022?"
    assert satisfies(kind, yes, question) and not satisfies(kind, no, question)
