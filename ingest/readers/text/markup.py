"""HTML as blocks: what a person sees of it, without network, scripts or entities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.ocr.layout import Line
from ingest.readers.office.blocks import Block, Heading, Paragraph
from ingest.readers.pages.tables.find import Cell, with_header

MAX_COLUMNS = 200
MAX_CELL = 2000
"""Characters of a cell; a longer one is a part of a page that a table lays out."""
_HIDDEN = frozenset(("script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "canvas"))
_BLOCKS = frozenset(
    ("address", "article", "aside", "blockquote", "body", "button", "caption", "center", "dd", "details", "dialog",
     "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li",
     "main", "nav", "ol", "option", "p", "pre", "section", "select", "summary", "table", "tbody", "td", "textarea",
     "tfoot", "th", "thead", "tr", "ul")
)  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def html_tree(text: str) -> tuple[Any, bool]:
    """The tree of an HTML text, ``None`` where there is nothing in it, and whether its end was left out.

    That is so where it is nested more than 2048 deep.
    """
    from lxml import etree

    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=True, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        root = None
    return root, any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log)


def html_blocks(root: Any) -> Iterator[Block]:
    """Headings, paragraphs and tables of a tree in order."""
    writer = _Writer()
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, leaving = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else ""
        if leaving:
            yield from writer.close(_HEADINGS.get(tag)) if tag in _BLOCKS or tag in _HEADINGS else ()
            writer.write(node.tail)
            continue
        if tag in _HIDDEN or _is_hidden(node):
            writer.write(node.tail)
            continue
        if tag == "br":
            yield from writer.close(None)
            writer.write(node.tail)
            continue
        if tag in _BLOCKS or tag in _HEADINGS:
            yield from writer.close(None)
        if tag == "table" and node.find(".//table") is None and (rows := _rows(node)):
            yield from _caption(node)
            yield with_header(rows)
            writer.write(node.tail)
            continue
        writer.pre = tag == "pre" or (writer.pre and tag not in _BLOCKS)
        writer.write(node.text if tag != "img" else node.get("alt"))
        if tag in {"input", "textarea"} and node.get("type", "text") not in {"hidden", "password"}:
            writer.write(node.get("value"))
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(node))
    yield from writer.close(None)


class _Writer:
    """Collects the text of one block."""

    def __init__(self) -> None:
        self.pre = False
        self._parts: list[str] = []

    def write(self, text: str | None) -> None:
        if text:
            self._parts.append(text)

    def close(self, level: int | None) -> Iterator[Block]:
        text = "".join(self._parts)
        self._parts = []
        if self.pre and level is None:
            lines = [line.rstrip() for line in text.split("\n") if line.strip()]
            yield from (Paragraph(Line(line, starts_block=not place)) for place, line in enumerate(lines))
            return
        line = " ".join(text.split())
        if line and level is not None and len(line) <= 300:
            yield Heading(level, line)
        elif line:
            yield Paragraph(Line(line, starts_block=True))


def _is_hidden(node: Any) -> bool:
    style = node.get("style") or ""
    return node.get("hidden") is not None or re.search(r"display\s*:\s*none", style, re.IGNORECASE) is not None


def _caption(table: Any) -> Iterator[Block]:
    caption = table.find("caption")
    text = " ".join("".join(caption.itertext()).split()) if caption is not None else ""
    if text:
        yield Paragraph(Line(text, starts_block=True))


def _rows(table: Any) -> list[list[Cell]]:
    """Rows of equally many cells, or nothing where the table only lays out the page (one column, or long cells)."""
    rows: list[list[Cell]] = []
    open_cells: dict[int, tuple[int, Cell]] = {}
    for row in table.iter("tr"):
        cells: list[Cell] = []
        for element in (cell for cell in row if cell.tag in {"td", "th"}):
            _fill_down(cells, open_cells)
            if len(cells) >= MAX_COLUMNS:
                break
            cell = _cell(element)
            down = _number(element.get("rowspan"))
            if down > 1:
                open_cells[len(cells)] = (down - 1, cell)
            cells.append(cell)
            cells.extend(Cell() for _ in range(cell.width - 1))
        _fill_down(cells, open_cells)
        if any(cell.text for cell in cells):
            rows.append(cells[:MAX_COLUMNS])
    width = max(map(len, rows), default=0)
    filled = sum(sum(bool(cell.text) for cell in row) >= 2 for row in rows)
    if width < 2 or not filled or any(len(cell.text) > MAX_CELL for row in rows for cell in row):
        return []
    return [row + [Cell()] * (width - len(row)) for row in rows]


def _fill_down(cells: list[Cell], open_cells: dict[int, tuple[int, Cell]]) -> None:
    """Put in the cells of rows above that reach down to this place."""
    while (place := len(cells)) in open_cells:
        left, cell = open_cells.pop(place)
        if left > 1:
            open_cells[place] = (left - 1, cell)
        cells.append(replace(cell, repeated=True))
        cells.extend(Cell() for _ in range(cell.width - 1))


def _cell(element: Any) -> Cell:
    text = _cell_text(element)
    bold = element.tag == "th" or (bool(text) and _wrapped_bold(element))
    return Cell(text, bold=bold, width=max(1, min(_number(element.get("colspan")), 50)))


def _number(value: str | None) -> int:
    return min(int(value), 1000) if value and value.isascii() and value.isdigit() else 1


def _cell_text(cell: Any) -> str:
    parts: list[str] = []
    stack: list[Any] = [cell]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        tag = node.tag if isinstance(node.tag, str) else ""
        parts.append(" " if tag in _BLOCKS or tag == "br" else "")
        if node is not cell and node.tail:
            stack.append(node.tail)
        if tag not in _HIDDEN and not _is_hidden(node):
            stack.extend(reversed(node))
            stack.append(node.get("alt", "") if tag == "img" else node.text or "")
    return " ".join("".join(parts).split())


def _wrapped_bold(cell: Any) -> bool:
    return len(cell) == 1 and cell[0].tag in {"b", "strong"} and not (cell.text or "").strip()
