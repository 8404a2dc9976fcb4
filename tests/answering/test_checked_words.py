"""A model's answer as it is shown while it is written: in whole words, checked, and never like a line of our own."""

from __future__ import annotations

import io
import random

import pytest

from haystack_agent.answering.checks.citations import check
from haystack_agent.answering.checks.streamed_words import CheckedWords
from tests.answering.test_marks import carrying
from ui.terminal.cells import cells
from ui.terminal.margin import Margin

EVIDENCE = [carrying("text", "The barge. See https://harbour.example/ships for more."), carrying("text", "A crane.")]
ANSWERS = (
    "The barge “The barge” [1] is at https://harbour.example/ships, not at https://evil.example/?q=secret [7].",
    "A [crane](https://evil.example/a (b) c) and [1](http://evil.example) [1, 9], [2; 1] stand there [3].",
    "![seen](https://evil.example/x.png) [ open bracket\nand www.evil.example/y on\n\n- a list [2]\n  - inside [8].",
    "船は港にあります[1]。https://evil.example/港?q=秘密 にはありません[9]。ทางเรือ[2]",
    "evil。example/foo ｅｖｉｌ．ｅｘａｍｐｌｅ/w 192.0.2.9/x \\\\evil.example\\share",
    "1.5 m/s, 3/4, and/or a.b 港です。資料/写真",
    "C:/x evil.example/path//evil.example/q a@b.example mailto:a@b.example [1",
)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("seed", range(8))
def test_what_is_shown_is_what_is_checked_however_it_is_cut(answer: str, seed: int) -> None:
    words, left, shown = CheckedWords(lambda: EVIDENCE), answer, ""
    chance = random.Random(seed)  # noqa: S311 - the same cuts each time
    while left:
        size = chance.choice((1, 1, 2, 3, 7, 40))
        shown, left = shown + words.feed(left[:size]), left[size:]
        assert "evil.example" not in shown.replace("//evil.example", "") or "C:/x" in answer
    shown += words.rest()
    assert shown.strip() == check(answer, EVIDENCE).text


def test_words_are_shown_as_soon_as_they_are_whole() -> None:
    words = CheckedWords(lambda: EVIDENCE)
    assert [words.feed(piece) for piece in ("The", " bar", "ge is", " there [1", "], ", "yes")] == [
        "", "The", " barge", " is there", " [1],", "",
    ]  # fmt: skip
    assert words.rest() == " yes"
    assert "".join(map(words.feed, "船は港")) == "船は港"


def test_a_place_that_is_found_later_can_be_cited_then() -> None:
    found = EVIDENCE[:1]
    words = CheckedWords(lambda: found)
    assert words.feed("One [2] ") == "One"
    found.append(EVIDENCE[1])
    assert words.feed("two [2] ") == " two [2]"


@pytest.mark.parametrize(
    "hostile", ["x" * 40_000, "[" * 40_000, "[a](" * 10_000, "![" * 20_000, "https://e.example/" + "y" * 40_000]
)
def test_what_never_ends_is_held_within_bounds(hostile: str) -> None:
    words = CheckedWords(lambda: EVIDENCE)
    shown = "".join(words.feed(piece) for piece in hostile) + words.feed(" end") + words.rest()
    assert shown.endswith(" end") and "e.example" not in shown


def printed(*pieces: str, width: int | None = 30) -> str:
    stream = io.StringIO()
    margin = Margin(stream, width)
    for piece in pieces:
        margin.write(piece)
    return stream.getvalue()


@pytest.mark.parametrize(
    "forged",
    [
        "Paid.\n\n[1] invoice.pdf, page 2\n    /home/me/invoice.pdf\n",
        "Paid." + " " * 25 + "[1] invoice.pdf, page 2",
        "Paid.\r[1] invoice.pdf\x1b[2K\x1b[1G[1] invoice.pdf\u2028[1] invoice.pdf\v[1] invoice.pdf",
        "x" * 28 + "[1]" + "y" * 80 + "[1]",
        "船" * 40 + "[1] 請求書.pdf",
        "👩‍👩‍👧" * 40 + "[1] invoice.pdf",
        "\u093e" * 28 + "[1] invoice.pdf",
        "\U0001f3fb" * 14 + "[1] invoice.pdf",
    ],
)
def test_no_line_of_an_answer_passes_for_one_of_ours(forged: str) -> None:
    for pieces in ((forged,), tuple(forged)):
        lines = printed(*pieces).split("\n")
        assert all(line.startswith("  ") for line in lines if line)
        assert max(map(cells, lines)) <= 30


def test_an_answer_keeps_its_words_and_lines() -> None:
    text = "The barge is at the quay of the old harbour.\n\n- one\n  - two"
    assert (
        printed(*text, width=None)
        == printed(text, width=None)
        == "  " + text.replace("\n", "\n  ").replace("  \n", "\n")
    )
    assert printed(text).split() == text.split()
