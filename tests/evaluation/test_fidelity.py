"""Scores of extracted text, and the real reader on PDFs whose text is known."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.fidelity.pages import PageFidelity, compare_layers, main, score_pages
from eval.fidelity.scores import common_subsequence, cut_like, score, tokens
from haystack_agent.errors import EncryptedFile, UsageError

PAGES = (
    "The lighthouse keeper wrote the log every evening. Twelve ships passed on the first of May.",
    "Die Wirtschaftsprüfung wurde am 3. Juni abgeschlossen; die Änderungen betreffen §§ 4 und 7.",
    "Le phare fut éteint pendant l'été, et l'équipage rentra au port avec trois blessés.",
)


def write_pdf(path: Path, pages: tuple[str, ...], password: str | None = None) -> Path:
    """Each page's text broken at about 30 letters, words with it: the line's last word is cut by a hyphen."""
    document = pymupdf.open()
    for text in pages:
        page = document.new_page()
        for number, line in enumerate(hyphenated(text)):
            page.insert_text((60, 80 + 18 * number), line, fontsize=12)
    if password:
        document.save(path, encryption=pymupdf.mupdf.PDF_ENCRYPT_AES_256, user_pw=password, owner_pw="o")
    else:
        document.save(path)
    document.close()
    return path


def hyphenated(text: str, width: int = 30) -> list[str]:
    lines = []
    while len(text) > width:
        cut = width
        if text[cut - 1].isalpha() and text[cut].isalpha():
            lines.append(text[:cut] + "-")
        else:
            lines.append(text[:cut].strip())
        text = text[cut:].lstrip() if text[cut] == " " else text[cut:]
    return [*lines, text]


def test_tokens_do_not_see_breaks_hyphens_case_and_forms() -> None:
    assert tokens("Wirt-\n  schaft, well-known vor- und nach") == ["wirtschaft", "wellknown", "vor", "und", "nach"]
    assert tokens("ﬁne Ünder １２ co\u00adoperate") == ["fine", "under", "12", "cooperate"]
    assert tokens("東京 tower") == ["東", "京", "tower"]
    assert tokens("ไทย") == ["ไ", "ท", "ย"]
    assert tokens("3-\n4 pages") == ["3", "4", "pages"]


def test_scores_are_those_of_the_definition() -> None:
    found = score("a b b x", "a b c c a")
    assert (found.shared, found.extracted, found.authoritative) == (2, 4, 5)
    assert (found.precision, found.recall) == (0.5, 0.4)
    assert found.f1 == pytest.approx(4 / 9)
    assert found.cosine == pytest.approx((1 * 2 + 2 * 1) / (6**0.5 * 9**0.5))
    assert found.missing == ("c", "a")
    assert set(found.extra) == {"b", "x"}


def test_order_tells_columns_read_across() -> None:
    left, right = "one two three four", "five six seven eight"
    across = "one five two six three seven four eight"
    found = score(across, f"{left} {right}")
    assert found.f1 == 1
    assert found.cosine == pytest.approx(1)
    assert found.order == 5 / 8, "one two three four eight"


def test_nothing_agrees_with_nothing_only() -> None:
    nothing, lost, invented = score("", " "), score("", "a"), score("a", "")
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.cosine, nothing.order) == (1, 1, 1, 1, 1)
    for one in (lost, invented):
        assert (one.precision, one.recall, one.f1, one.cosine, one.order) == (0, 0, 0, 0, 0)


def by_table(one: list[str], two: list[str]) -> int:
    """The textbook's way to the longest common subsequence."""
    row = [0] * (len(two) + 1)
    for first in one:
        before = 0
        for place, second in enumerate(two, start=1):
            before, row[place] = row[place], before + 1 if first == second else max(row[place], row[place - 1])
    return row[-1]


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abcd")))
def test_the_common_subsequence_is_the_longest(one: list[str], two: list[str]) -> None:
    assert common_subsequence(one, two) == by_table(one, two)


def test_a_text_is_cut_where_the_pages_begin() -> None:
    drawn = random.Random(4)  # noqa: S311 - a test's data
    text = [str(drawn.randrange(300)) for _ in range(2000)]
    bounds = [0, 450, 700, 1400, 2000]
    pages = [text[first:last] for first, last in pairwise(bounds)]
    damaged = [[token if drawn.random() > 0.1 else "?" for token in page] for page in pages]
    assert cut_like(pages, text) == pages
    assert [len(part) for part in cut_like(damaged, text)] == pytest.approx([450, 250, 700, 600], abs=5)


def test_pages_that_are_not_found_share_what_is_left() -> None:
    text = [f"w{number}" for number in range(100)]
    garbage = ["?"] * 20
    assert [len(part) for part in cut_like([text[:40], garbage, garbage, text[80:]], text)] == [40, 20, 20, 20]
    assert cut_like([garbage], text) == [text]
    assert cut_like([], text) == []


def test_a_pdf_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "log.pdf", PAGES)
    for authoritative in (PAGES, " ".join(PAGES)):
        pages, whole = score_pages(path, authoritative)
        assert [one.page for one in pages] == [1, 2, 3]
        assert [one.scores.f1 for one in pages if one.scores] == [1, 1, 1]
        assert (whole.precision, whole.recall, whole.order) == (1, 1, 1)


def test_what_is_lost_and_what_is_added_shows_on_its_page(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "log.pdf", PAGES)
    pages, whole = score_pages(path, (PAGES[0], PAGES[1].replace("abgeschlossen", "beendet"), PAGES[2], "A fourth."))
    [first, second, third, fourth] = [one.scores for one in pages if one.scores]
    assert first.f1 == third.f1 == 1
    assert (second.missing, second.extra) == (("beendet",), ("abgeschlossen",))
    assert (fourth.recall, fourth.extracted) == (0, 0)
    assert whole.f1 < 1


def write_lying_pdf(path: Path) -> Path:
    """The first page shows its text; the second shows a picture of one text and holds another, invisible one."""
    write_pdf(path, (PAGES[0], " "))
    source = pymupdf.open()
    page = source.new_page()
    for number, line in enumerate(hyphenated("The harbour master closed the northern gate at noon.")):
        page.insert_text((60, 80 + 40 * number), line, fontsize=24)
    picture = page.get_pixmap(dpi=120)
    document = pymupdf.open(path)
    document[1].insert_image(pymupdf.Rect(0, 0, 500, 700), pixmap=picture)
    words = "Completely different words stand below this picture, and nobody ever sees any of them."
    for number, line in enumerate(hyphenated(words)):
        document[1].insert_text((60, 80 + 18 * number), line, render_mode=3)
    document.saveIncr()
    document.close()
    return path


def test_a_text_layer_that_is_not_what_one_sees_is_found(tmp_path: Path) -> None:
    first, second = compare_layers(write_lying_pdf(tmp_path / "lying.pdf"))
    assert first.scores is not None
    assert second.scores is not None
    assert first.scores.f1 > 0.9
    assert second.scores.f1 < 0.3
    assert "harbour" in second.scores.missing


def test_a_scan_has_no_layer_to_compare(tmp_path: Path) -> None:
    source = pymupdf.open()
    source.new_page().insert_text((60, 100), "Seen only as pixels", fontsize=24)
    picture = source[0].get_pixmap(dpi=120)
    document = pymupdf.open()
    document.new_page().insert_image(pymupdf.Rect(0, 0, 595, 842), pixmap=picture)
    document.save(tmp_path / "scan.pdf")
    assert compare_layers(tmp_path / "scan.pdf") == [PageFidelity(1, None)]


def test_the_command_prints_a_table_and_the_worst_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_pdf(tmp_path / "log.pdf", PAGES)
    text = tmp_path / "log.txt"
    text.write_text("\f".join((PAGES[0], PAGES[1] + " Ende", PAGES[2])) + "\f", "utf-8")
    assert main([str(path), "--text", str(text)]) == 0
    said = capsys.readouterr().out
    assert "| 1 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |" in said
    assert "| 2 | 1.000 | 0.9" in said
    assert "| all | 1.000 | 0.9" in said
    assert "page 2: missing ende; not there -" in said
    assert "page 1:" not in said


def test_what_cannot_be_scored_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = tmp_path / "note.txt"
    note.write_text("only words")
    with pytest.raises(UsageError, match=r"note.txt is not a document of pages"):
        compare_layers(note)
    with pytest.raises(UsageError, match=r"gone.pdf cannot be opened"):
        compare_layers(tmp_path / "gone.pdf")
    with pytest.raises(EncryptedFile, match=r"locked.pdf: .*password"):
        score_pages(write_pdf(tmp_path / "locked.pdf", PAGES[:1], "secret"), "")
    path = write_pdf(tmp_path / "log.pdf", PAGES[:1])
    assert main([str(path), "--text", str(path)]) == 2
    assert "cannot be read as UTF-8 text" in capsys.readouterr().err
