"""Workbooks: the rows of every sheet with the names of their columns, values as people see them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

from haystack_agent.records import AssetMeta
from ingest.ocr.layout import Line
from ingest.readers.office.blocks import BlockPieces, Heading, Paragraph, table_lines
from ingest.readers.office.number_format import shown
from ingest.readers.pages.meta import aware, sensible_author, sensible_title
from ingest.readers.pages.sections import PieceMaker
from ingest.readers.pages.tables.find import Cell, Table, with_header
from ingest.readers.protocol import Progress, ReadEvent, Source, Warned

MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_SHEETS = 500
MAX_EMPTY = 5000
"""Empty rows after which a sheet is taken to have ended."""
MAX_PAGE_LINES = 1000
"""Lines of a sheet's whole text; its rows are all pieces of their own."""
BATCH = 400
"""Rows read at a time."""


def read_xlsx(source: Source) -> Iterator[ReadEvent]:
    """Yield the pieces of a workbook; its sheets are its pages. Formulas count by the values saved with them."""
    import openpyxl

    with warnings.catch_warnings():
        # openpyxl warns of parts that it does not keep when it writes; nothing is written here.
        warnings.simplefilter("ignore")
        book: Any = openpyxl.load_workbook(source.path, read_only=True, data_only=True, keep_links=False)
        try:
            yield from _sheets(source, book)
        finally:
            book.close()


def _sheets(source: Source, book: Any) -> Iterator[ReadEvent]:
    sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")][:MAX_SHEETS]
    facts = book.properties
    keywords = tuple(word.strip() for word in re.split(r"[,;]", facts.keywords or "") if word.strip())
    meta = AssetMeta(
        "xlsx",
        title=sensible_title(facts.title),
        author=sensible_author(facts.creator),
        created=aware(facts.created),
        keywords=keywords[:30],
        pages=len(sheets),
    )
    maker = PieceMaker(source.asset_id, meta)
    for number, sheet in enumerate(sheets, start=1):
        maker.page = number
        yield from _sheet(maker, sheet)
        yield Progress(number, len(sheets))


def _sheet(maker: PieceMaker, sheet: Any) -> Iterator[ReadEvent]:
    """Runs of rows without an empty one between them are tables; a table's names serve all of its batches."""
    writer = BlockPieces(maker)
    batch: list[list[Cell]] = []
    names: tuple[str, ...] | None = None
    count = empty = 0
    sheet.reset_dimensions()
    page: list[Line] = []
    for row in sheet.iter_rows(max_col=MAX_COLUMNS):
        cells = [_cell(cell) for cell in row]
        filled = any(cell.text for cell in cells)
        empty = 0 if filled else empty + 1
        count += filled
        if batch and (not filled or len(batch) >= BATCH):
            table, names = _table(batch, names)
            yield from _written(writer, table, sheet.title, page)
            yield Progress(maker.page or 1, maker.page or 1)
            batch = []
        if filled:
            batch.append(cells)
        else:
            names = None
        if count >= MAX_ROWS or empty >= MAX_EMPTY:
            break
    if batch:
        yield from _written(writer, _table(batch, names)[0], sheet.title, page)
    if count >= MAX_ROWS:
        yield Warned(f"sheet {maker.page} ({sheet.title[:80]!r}): only its first {MAX_ROWS} rows were read")
    if page:
        yield maker.whole_page(page, sheet.title)


def _table(batch: list[list[Cell]], names: tuple[str, ...] | None) -> tuple[Table, tuple[str, ...]]:
    """The batch as a table of the columns in use, with its own names or those of the batch before."""
    width = max(max(i for i, cell in enumerate(row) if cell.text) for row in batch) + 1
    rows = [[*row[:width], *[Cell()] * (width - len(row))] for row in batch]
    if names is None:
        table = with_header(rows)
        return table, table.header
    fitted = (*names, *[""] * width)[:width] if names else ()
    return Table(tuple(map(tuple, rows)), fitted), names


def _written(writer: BlockPieces, table: Table, title: str, page: list[Line]) -> Iterator[ReadEvent]:
    lines = list(table_lines(table))
    page.extend(lines[: max(0, MAX_PAGE_LINES - len(page))])
    one_column = len(table.rows[0]) == 1 if table.rows else True
    blocks = [Paragraph(line) for line in lines] if one_column else [table]
    yield from writer.pieces([Heading(1, title, shown=False), *blocks])


def _cell(cell: Any) -> Cell:
    if cell.value is None:
        return Cell()
    font = getattr(cell, "font", None)
    text = shown(cell.value, cell.number_format or "General")
    return Cell(" ".join(text.split()), bold=bool(font is not None and font.bold))
