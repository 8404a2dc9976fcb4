"""Markdown as blocks: headings, tables and lists are told apart, the text stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.ocr.layout import Line
from ingest.readers.office.blocks import Block, Heading, Paragraph
from ingest.readers.pages.tables.find import Cell, Table

_ATX = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+")
_CELLS = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"(\*\*|__|`)(.+?)\1")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def front_matter(lines: Sequence[str]) -> tuple[dict[str, str], int]:
    """The simple ``key: value`` lines of a YAML header, and the number of lines that it takes."""
    if not lines or lines[0].strip() != "---":
        return {}, 0
    facts: dict[str, str] = {}
    for number, line in enumerate(lines[1:200], start=1):
        if line.strip() in {"---", "..."}:
            return facts, number + 1
        key, colon, value = line.partition(":")
        if colon and not line.startswith((" ", "\t", "-")):
            facts[key.strip().lower()] = value.strip().strip("'\"")
    return {}, 0


def markdown_blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Blocks of a Markdown text in order."""
    fence = ""
    starts, place = True, 0
    while place < len(lines):
        line = lines[place].rstrip()
        after = lines[place + 1] if place + 1 < len(lines) else ""
        place += 1
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence, starts = ("" if fence else mark.group(1)), True
        elif fence:
            yield Paragraph(Line(line, starts_block=starts))
            starts = False
        elif not line.strip():
            starts = True
        elif atx := _ATX.match(line):
            yield Heading(len(atx.group(1)), plain(atx.group(2)))
            starts = True
        elif "|" in line and "-" in after and "|" in after and _RULE.match(after):
            rows, place = _table_rows(lines, place + 1)
            yield _table(_cells(line), rows)
            starts = True
        elif starts and (under := _UNDERLINE.match(after)) and not _ITEM.match(line):
            yield Heading(1 if under.group(1)[0] == "=" else 2, plain(line))
            place += 1
        else:
            yield Paragraph(Line(line.strip(), starts_block=starts or bool(_ITEM.match(line))))
            starts = False


def plain(text: str) -> str:
    """Text without the marks of emphasis and links."""
    return _MARKS.sub(r"\2", _LINK.sub(r"\1", text)).strip()


def _table_rows(lines: Sequence[str], place: int) -> tuple[list[list[str]], int]:
    rows: list[list[str]] = []
    while place < len(lines) and "|" in lines[place] and lines[place].strip():
        rows.append(_cells(lines[place]))
        place += 1
    return rows, place


def _cells(line: str) -> list[str]:
    inner = re.sub(r"^\|", "", line.strip())
    inner = re.sub(r"(?<!\\)\|$", "", inner)
    return [plain(cell.replace("\\|", "|")) for cell in _CELLS.split(inner)][:200]


def _table(names: list[str], rows: list[list[str]]) -> Table:
    width = len(names)
    cells = [[*(Cell(text) for text in row[:width]), *[Cell()] * (width - len(row))] for row in rows]
    return Table(tuple(map(tuple, cells)), tuple(names))
