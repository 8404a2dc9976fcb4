"""Tables as rows of cells with the names of their columns, whatever they were found in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from haystack_agent.records import Span
from ingest.ocr.layout import text_units
from ingest.readers.pages.geometry import Rect

MAX_ROW_UNITS = 220
"""A longer row is running text in a frame: its words stay in the passages only."""
MAX_HEADER_UNITS = 25


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a cell, word for word, and where its words stand."""

    text: str = ""
    spans: tuple[Span, ...] = ()
    bold: bool = False
    width: int = 1
    """Columns that it reaches over; the others hold empty cells."""
    repeated: bool = False
    """Whether it stands for the part of the cell above that reaches down into this row."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of equally many cells at a place (points of the reading frame); the names of the columns among them."""

    rows: tuple[tuple[Cell, ...], ...]
    rect: Rect


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equally many cells; `header` holds one name for each column, empty where there is none."""

    rows: tuple[tuple[Cell, ...], ...]
    header: tuple[str, ...] = ()
    rect: Rect | None = None
    """Where it stands on its page, in points of the reading frame."""
    title: str = ""
    """What stands in a row of its own above the names."""


def with_header(rows: Sequence[Sequence[Cell]], rect: Rect | None = None) -> Table:
    """A table whose first rows became the names of its columns where they look like names."""
    titles = _title_rows(rows)
    count = header_rows(rows[titles:])
    if not count or not _fits(rows[titles + count - 1], rows[titles + count :]):
        return Table(tuple(map(tuple, rows)), (), rect)
    names = [_spread(row) for row in rows[titles : titles + count]]
    header = tuple(_column_name([row[column] for row in names]) for column in range(len(rows[0])))
    title = " ".join(cell.text for row in rows[:titles] for cell in row if cell.text)
    return Table(tuple(map(tuple, rows[titles + count :])), header, rect, title)


def _title_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """How many rows at the top hold one cell only, in a table of three columns or more: its title."""
    if not rows or len(rows[0]) < 3:
        return 0
    single = (sum(bool(cell.text) for cell in row) <= 1 for row in rows[:3])
    count = next((number for number, alone in enumerate(single) if not alone), 0)
    return count if len(rows) - count >= 2 else 0


def _fits(names: Sequence[Cell], below: Sequence[Sequence[Cell]]) -> bool:
    """Whether most cells below stand in columns that begin with a name; in a form they do not."""
    columns = {column for column, cell in enumerate(names) if cell.text} | {0}
    filled = [column in columns for row in below for column, cell in enumerate(row) if cell.text and not cell.repeated]
    return sum(filled) >= 0.6 * len(filled)


def _spread(row: Sequence[Cell]) -> list[str]:
    """Texts of a row, a cell over several columns in each of them."""
    texts = [cell.text for cell in row]
    for column, cell in enumerate(row):
        for place in range(column + 1, min(column + cell.width, len(row))):
            texts[place] = texts[place] or cell.text
    return texts


def header_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """How many of the first rows (0, 1 or 2) name the columns.

    Names are short, seldom numbers, and differ from what stands below: by bold type, or by numbers in the columns.
    """
    if len(rows) < 2 or len(rows[0]) < 2 or not _are_names(rows[0]):
        return 0
    filled = sum(bool(cell.text) for cell in rows[0])
    if len(rows) > 2 and filled < len(rows[0]) and _are_groups(rows[0], rows[1]):
        return 2
    if filled >= 2 and (len(rows[0]) > 2 or _below_differs(rows[0], rows[1:])):
        return 1
    return 0


def _are_groups(first: Sequence[Cell], second: Sequence[Cell]) -> bool:
    """Whether the first row names groups of the columns that the second one names."""
    corner = second[0].text and not second[0].repeated
    under = sum(bool(cell.text) for cell in second) > 1 and not any(
        is_figure(cell.text) for cell in second if cell.text
    )
    wider = any(cell.width > 1 for cell in first if cell.text)
    return under and _are_names(second) and (not corner or (wider and all(cell.bold for cell in second if cell.text)))


def _are_names(row: Sequence[Cell]) -> bool:
    texts = [cell.text for cell in row if cell.text]
    if not texts or any(text_units(text) > MAX_HEADER_UNITS for text in texts):
        return False
    return sum(is_figure(text) for text in texts) <= 0.34 * len(texts)


def _below_differs(names: Sequence[Cell], below: Sequence[Sequence[Cell]]) -> bool:
    if all(cell.bold for cell in names if cell.text) and not all(cell.bold for cell in below[0] if cell.text):
        return True
    columns = [[is_figure(row[place].text) for row in below[:6] if row[place].text] for place in range(len(names))]
    if len(names) == 2:
        return len(below) >= 2 and any(len(column) >= 2 and all(column) for column in columns)
    values = [figure for column in columns[1:] for figure in column]
    return bool(values) and sum(values) >= 0.4 * len(values)


def is_figure(text: str) -> bool:
    """Whether a cell holds a number, an amount, a date or a mark rather than words (a bare year is a name)."""
    if re.fullmatch(r"(19|20)\d\d", text):
        return False
    letters = sum(char.isalpha() for char in text)
    digits = sum(char.isdigit() for char in text)
    return digits >= letters and (digits > 0 or not letters)


def _column_name(parts: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(part for part in parts if part))


def row_texts(table: Table) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """One text a row, such as ``Name: cell; Name: cell``, with the spans of the cells' words in it.

    A row of two cells without names reads as label and value. Rows without text, and rows so long that they are
    running text, are left out.
    """
    for row in table.rows:
        labelled = not table.header and len([cell for cell in row if cell.text]) == 2
        text, spans = "", list[Span]()
        for column, cell in enumerate(row):
            if not cell.text:
                continue
            name = table.header[column] if table.header else ""
            text += (_separator(text) if labelled else "; ") if text else ""
            text += f"{name}{_colon(name)} " if name else ""
            spans.extend(replace(s, start=s.start + len(text), end=s.end + len(text)) for s in cell.spans)
            text += cell.text
        if sum(bool(cell.text) for cell in row) >= 2 and text_units(text) <= MAX_ROW_UNITS:
            yield text, tuple(spans)


def _separator(label: str) -> str:
    return " " if label.endswith((":", "：", "?", "؟")) else ": "


def _colon(name: str) -> str:
    return "" if name.endswith((":", "：", "?", "؟")) else ":"


def is_table(rows: Sequence[Sequence[Cell]]) -> bool:
    """Whether at least two rows have at least two filled cells, and they hold a good part of the text."""
    full = [row for row in rows if sum(bool(cell.text) for cell in row) >= 2]
    everything = sum(len(cell.text) for row in rows for cell in row)
    return len(full) >= 2 and sum(len(cell.text) for row in full for cell in row) >= 0.4 * everything


def joined_row(row: Sequence[Cell]) -> tuple[str, tuple[Span, ...]]:
    """The cells of a row as one line of text, two spaces between them."""
    text, spans = "", list[Span]()
    for cell in row:
        if cell.text and not cell.repeated:
            text += "  " if text else ""
            spans.extend(replace(s, start=s.start + len(text), end=s.end + len(text)) for s in cell.spans)
            text += cell.text
    return text, tuple(spans)


def continued(table: Table, before: Table | None) -> Table:
    """The table with the names of the one it goes on from (same columns, no names of its own)."""
    if table.header or before is None or not before.header or not table.rows:
        return table
    return replace(table, header=before.header) if len(before.header) == len(table.rows[0]) else table
