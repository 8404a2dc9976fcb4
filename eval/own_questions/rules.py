"""Questions without a language model: plain templates, in English, around words of the files.

From a cell of a table (its row and column give the answer), a line that reads ``label: value``, a caption, a heading, a
sentence with one number (left out, as in cloze tests), and the camera or place of a photo. What does not read like
words is left alone: a form's numbers, dot leaders, codes. Nobody would ask in these words; they measure whether the
place is found and read, not how people ask.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from eval.own_questions.words import DIGITS, IDEOGRAPHS, RUN_TOGETHER, clean, is_label, is_name, is_sentence, is_value
from haystack_agent.answering.extractive.units import units
from haystack_agent.records import Modality, Piece, PieceKind
from haystack_agent.store.values import IndexedPiece
from haystack_agent.text.fold import fold


class QuestionKind(StrEnum):
    """What a question was made of."""

    CELL = "table cell"
    LABEL = "labelled value"
    CAPTION = "caption"
    SECTION = "section"
    NUMBER = "number in a sentence"
    PHOTO = "photo data"
    PASSAGE = "passage"
    """By a language model."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that may be asked, if nothing else in the index answers it."""

    source: IndexedPiece
    kind: QuestionKind
    question: str
    answer: str
    keys: tuple[str, ...]
    """What a place must have so that the question could be about it."""
    accepted: tuple[str, ...] = ()
    language: str = "en"
    """Of the question."""
    summary: str = ""


_PAIR = re.compile(r"(?P<name>[^:;]{2,60}): (?P<value>\S.*)")
_LINE = re.compile(r"(?P<name>[^:：;.]{3,40})(?:: +|：)(?P<value>\S[^:：;]*)")
_CAPTION = re.compile(
    r"(?P<name>(?:Figure|Fig\.|Table|Chart|Abbildung|Abb\.|Tabelle|Tableau|Tabla|Figura|Tabella|Рис\.|Таблица|[図图表])"
    r"\s?\d+(?:[.-]\d+)*)\s*[:.：]\s+(?P<value>\S.{10,150})"
)
_SECTION_NUMBER = re.compile(
    r"^(?:(?:chapter|kapitel|section)\s+)?(?:(?:\d{1,2}|[IVX]+)(?:\.\d+)*[.)]?\s+|[一二三四五六七八九十]+[、.])",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,/:-])(?:\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,]\d+)?(?![\w/:-]|[.,]\d)")
_DECIMAL = re.compile(r"\d[.,]\d")
_GAP = "___"
_UNNAMED = {PieceKind.IMAGE: "On a picture", PieceKind.SEGMENT: "In a clip"}
_ROWS = 3
"""Rows with the same names of columns from which a table counts as read rightly."""


def drafts(pieces: Sequence[IndexedPiece]) -> Iterator[Draft]:
    """All drafts of the pieces of one file."""
    seen: set[str] = set()
    tables = Counter(row.columns for one in pieces if (row := _row(one.piece)))
    for one in pieces:
        yield from (*_of_row(one, tables), *_of_lines(one), *_of_heading(one, seen))
        yield from (*_of_sentences(one), *_of_photo(one))


def named(piece: Piece) -> str:
    """What people would call the file: its title or, for a picture or clip, its caption or first line of words."""
    candidates = [piece.meta.title, piece.meta.caption, piece.heading.partition(" > ")[0]]
    if piece.modality is not Modality.DOCUMENT:
        candidates += [line for line in piece.text.splitlines()[:3] if not _LINE.fullmatch(line.strip())]
    return next((clean(name) for name in candidates if is_name(clean(name))), "")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a table with names for its columns; `name` is its first cell."""

    name: str
    columns: tuple[str, ...]
    values: tuple[str, ...]


def _row(piece: Piece) -> _Row | None:
    """A piece as a row, where every cell but the first has a name, and each another."""
    if piece.kind is not PieceKind.TABLE_ROW:
        return None
    first, *rest = piece.text.split("; ")
    cells = [_PAIR.fullmatch(part) for part in rest]
    columns = tuple(cell["name"].strip() for cell in cells if cell)
    values = tuple(cell["value"].strip() for cell in cells if cell)
    head = _PAIR.fullmatch(first)
    names = {fold(name) for name in (*columns, *([head["name"]] if head else []))}
    if not columns or len(columns) < len(rest) or len(names) < len(columns) + bool(head):
        return None
    return _Row((head["value"] if head else first).strip(), columns, values)


def _of_row(one: IndexedPiece, tables: Mapping[tuple[str, ...], int]) -> Iterator[Draft]:
    """A cell, by the names of its row and its column, in a table of several rows."""
    row, name = _row(one.piece), named(one.piece)
    if row is None or not name or tables[row.columns] < _ROWS or not _names_cells(row.name, 60):
        return
    for column, value in zip(row.columns, row.values, strict=True):
        said = fold(value) in fold(f"{row.name} {column} {name}")
        if _names_cells(column, 40) and is_value(value) and not said:
            asked = f'In "{name}", what is the "{column}" of "{row.name}"?'
            yield Draft(one, QuestionKind.CELL, asked, value, (name, column, row.name))


def _names_cells(text: str, longest: int) -> bool:
    """Whether a text can name a row or a column; with a figure in it, it is mostly two cells read as one."""
    return is_label(text, longest) and not _DECIMAL.search(text)


def _of_lines(one: IndexedPiece) -> Iterator[Draft]:
    """Lines that read ``label: value``, and captions."""
    piece, name = one.piece, named(one.piece)
    where = f'In "{name}"' if name else _UNNAMED.get(piece.kind)
    if where is None or piece.kind is PieceKind.PAGE:
        return
    lines = [line.strip() for line in piece.text.splitlines()]
    for line, after in zip_longest(lines, lines[1:], fillvalue=""):
        if match := _CAPTION.fullmatch(line):
            label, value = match["name"], match["value"].strip()
            cut_off = not value.endswith(".") and after[:1].islower()
            if is_name(value.rstrip("."), 150) and not cut_off:
                yield Draft(one, QuestionKind.CAPTION, f'{where}, what does "{label}" show?', value, (name, label))
        elif match := _LINE.fullmatch(line):
            label, value = match["name"].strip(), match["value"].strip()
            fits = is_label(label, 40) and is_value(value) and not after[:1].islower()
            fits = fits and not (piece.ocr and RUN_TOGETHER.match(value))
            if fits and fold(value) not in fold(f"{name} {label}") and fold(label) not in fold(f"{name} {value}"):
                yield Draft(one, QuestionKind.LABEL, f'{where}, what is the "{label}"?', value, (name, label))


def _of_heading(one: IndexedPiece, seen: set[str]) -> Iterator[Draft]:
    """The file of a section, once for each section."""
    piece = one.piece
    title = clean(piece.meta.title)
    section = _SECTION_NUMBER.sub("", clean(piece.heading.split(" > ")[-1]))
    fresh = piece.kind is PieceKind.PASSAGE and fold(section) not in seen
    if " > " not in piece.heading or not fresh or DIGITS.search(section) or not is_name(title) or not is_name(section):
        return
    seen.add(fold(section))
    if fold(section) not in fold(title) and fold(title) not in fold(section):
        yield Draft(one, QuestionKind.SECTION, f'Which document has a section "{section}"?', title, (section,))


def _of_sentences(one: IndexedPiece) -> Iterator[Draft]:
    """A sentence with one number of two digits or more, which is left out."""
    piece = one.piece
    if piece.kind in (PieceKind.TABLE_ROW, PieceKind.PAGE):
        return
    for unit in units(piece):
        sentence = " ".join(unit.text.split())
        found = _NUMBER.findall(sentence)
        if len(found) != 1 or not is_sentence(sentence):
            continue
        before, _, after = sentence.partition(found[0])
        # A number among the first words is mostly that of a heading which was read as part of the sentence.
        inside = len(before.split()) >= 4 or len(IDEOGRAPHS.findall(before)) >= 6
        # What stands in brackets is mostly a reference: [16], (Tepas, 1993), 401(k).
        free = not before.endswith(("[", "(")) and not after.startswith(("(", "[", "]", ")"))
        if inside and free and len(found[0]) > 1 and not DIGITS.search(before + after):
            asked = f'Which number is missing: "{before}{_GAP}{after}"?'
            yield Draft(one, QuestionKind.NUMBER, asked, found[0], (before, after))


def _of_photo(one: IndexedPiece) -> Iterator[Draft]:
    """Where a photo of a day was taken, or with what."""
    piece, meta = one.piece, one.piece.meta
    if piece.kind is not PieceKind.IMAGE or meta.created is None:
        return
    day = f"{meta.created:%Y-%m-%d}"
    if meta.place:
        yield Draft(one, QuestionKind.PHOTO, f"Where was the photo of {day} taken?", meta.place, (day,))
    elif meta.camera:
        yield Draft(one, QuestionKind.PHOTO, f"Which camera took the photo of {day}?", meta.camera, (day,))
