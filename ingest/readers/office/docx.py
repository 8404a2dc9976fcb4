"""Word files: paragraphs, headings by style, lists, tables, notes, text boxes and pictures, in the file's order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from haystack_agent.records import AssetMeta
from ingest.ocr.layout import Line
from ingest.readers.office.blocks import Block, BlockPieces, Heading, Paragraph
from ingest.readers.office.embedded import EmbeddedPictures
from ingest.readers.pages.meta import aware, sensible_author, sensible_title
from ingest.readers.pages.sections import PieceMaker, Section
from ingest.readers.pages.tables.find import Cell, with_header
from ingest.readers.protocol import Progress, ReadEvent, Source

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrEngine

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = frozenset((f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}delText", _MC_FALLBACK))
_NOTES = re.compile(r"/(?:footnotes|endnotes|comments|header\d*|footer\d*)\.xml$")
_HEADING = re.compile(r"heading ?(\d)", re.IGNORECASE)
MAX_DEPTH = 40


def read_docx(source: Source, ocr: OcrEngine) -> Iterator[ReadEvent]:
    """Yield the pieces of a Word file; it has no pages, so neither have they."""
    import docx

    with source.path.open("rb") as file:
        document: Any = docx.Document(file)
    blocks = list(_all_blocks(document))
    yield Progress(1, 2)
    maker = PieceMaker(source.asset_id, _meta(document, blocks))
    writer = BlockPieces(maker)
    yield from writer.pieces(blocks)
    pictures = EmbeddedPictures(ocr)
    for part in document.part.package.iter_parts():
        if part.content_type.startswith("image/"):
            lines = pictures.lines(part.blob)
            yield from maker.passages([Section("", tuple(lines))] if lines else [], ocr=True)
            yield Progress(1, 2)
    yield Progress(2, 2)


def _meta(document: Any, blocks: list[Block]) -> AssetMeta:
    facts = document.core_properties
    first = next((block.text for block in blocks if isinstance(block, Heading)), "")
    keywords = tuple(word.strip() for word in re.split(r"[,;]", facts.keywords or "") if word.strip())
    return AssetMeta(
        "docx",
        title=sensible_title(facts.title) or first,
        author=sensible_author(facts.author),
        created=aware(facts.created),
        keywords=keywords[:30],
    )


def _all_blocks(document: Any) -> Iterator[Block]:
    levels = _heading_levels(document)
    yield from _blocks(document.element.body, levels, 0)
    seen: set[str] = set()
    for part in document.part.package.iter_parts():
        if _NOTES.search(str(part.partname)):
            from lxml import etree

            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            for block in _blocks(etree.fromstring(part.blob, parser), levels, 0):
                if isinstance(block, Paragraph):
                    if block.line.text in seen:
                        continue
                    seen.add(block.line.text)
                yield block


def _heading_levels(document: Any) -> dict[str, int]:
    """Levels of the styles that are headings, by style id: by name, by outline level, or by the style they build on."""
    levels: dict[str, int] = {}
    styles = {style.style_id: style for style in document.styles if style.type == 1}
    for identity, style in styles.items():
        name, step, current = "", 0, style
        while current is not None and step < 8 and identity not in levels:
            name = current.name or ""
            outline = current.element.find(f"{_W}pPr/{_W}outlineLvl")
            found = _HEADING.search(name)
            if name.lower() == "title":
                levels[identity] = 0
            elif found:
                levels[identity] = int(found.group(1))
            elif (
                outline is not None and outline.get(f"{_W}val", "9").isdigit() and int(outline.get(f"{_W}val", "9")) < 9
            ):
                levels[identity] = int(outline.get(f"{_W}val")) + 1
            current, step = current.base_style, step + 1
    return levels


def _blocks(parent: Any, levels: dict[str, int], depth: int) -> Iterator[Block]:
    """Blocks below an element in order; content controls and other wrappers are looked into."""
    for child in parent:
        if child.tag in _SKIPPED or depth > MAX_DEPTH:
            continue
        if child.tag == f"{_W}p":
            yield from _paragraph(child, levels, depth)
        elif child.tag == f"{_W}tbl":
            rows = list(_table_rows(child))
            if rows and len(rows[0]) == 1:
                yield from (Paragraph(Line(row[0].text, starts_block=True)) for row in rows if row[0].text)
            elif rows:
                yield with_header(rows)
        elif isinstance(child.tag, str):
            yield from _blocks(child, levels, depth + 1)


def _paragraph(element: Any, levels: dict[str, int], depth: int) -> Iterator[Block]:
    text = _text(element).strip()
    if text:
        style = element.find(f"{_W}pPr/{_W}pStyle")
        level = levels.get(style.get(f"{_W}val", "")) if style is not None else None
        line = re.sub(r"[ \t\u00a0]*\n[ \t\u00a0]*", "\n", text)
        if level is not None and len(line) <= 300:
            yield Heading(level, " ".join(line.split()))
        else:
            for number, part in enumerate(line.split("\n")):
                yield Paragraph(Line(part, starts_block=number == 0))
    for box in element.iter(f"{_W}txbxContent"):
        if not any(parent.tag == _MC_FALLBACK for parent in box.iterancestors()):
            yield from _blocks(box, levels, depth + 1)


def _text(element: Any) -> str:
    """Text of a paragraph as it reads now: insertions in, deletions, field codes and text boxes out."""
    parts: list[str] = []
    stack = [iter(element)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
        elif child.tag in _SKIPPED or child.tag == f"{_W}txbxContent":
            continue
        elif child.tag == f"{_W}t":
            parts.append(child.text or "")
        elif child.tag in {f"{_W}tab", f"{_W}ptab"}:
            parts.append("" if child.getparent().tag == f"{_W}tabs" else "\t")
        elif child.tag in {f"{_W}br", f"{_W}cr"}:
            parts.append("\n")
        elif child.tag == f"{_W}noBreakHyphen":
            parts.append("-")
        else:
            stack.append(iter(child))
    return "".join(parts)


def _table_rows(table: Any) -> Iterator[list[Cell]]:
    """Rows of equally many cells; a cell over several columns or rows stands in the first of them."""
    rows: list[list[Cell]] = []
    for row in table.iter(f"{_W}tr"):
        if next(row.iterancestors(f"{_W}tbl")) is not table:
            continue
        cells = [Cell() for _ in range(_number(row.find(f"{_W}trPr/{_W}gridBefore")))]
        for element in row.iter(f"{_W}tc"):
            if next(element.iterancestors(f"{_W}tr")) is row:
                above = rows[-1][len(cells)] if rows and len(rows[-1]) > len(cells) else Cell()
                cells.append(_cell(element, above))
                cells.extend(Cell() for _ in range(cells[-1].width - 1))
        rows.append(cells)
    width = max(map(len, rows), default=0)
    yield from (row + [Cell()] * (width - len(row)) for row in rows if any(cell.text for cell in row))


def _cell(element: Any, above: Cell) -> Cell:
    merged = element.find(f"{_W}tcPr/{_W}vMerge")
    width = max(1, _number(element.find(f"{_W}tcPr/{_W}gridSpan")))
    if merged is not None and merged.get(f"{_W}val") != "restart":
        return Cell(above.text, bold=above.bold, width=width, repeated=True)
    text = " ".join(" ".join(_text(paragraph).split()) for paragraph in element.iter(f"{_W}p")).strip()
    return Cell(text, bold=bool(text) and _all_bold(element), width=width)


def _number(element: Any) -> int:
    value = element.get(f"{_W}val", "0") if element is not None else "0"
    return min(int(value), 64) if value.isdigit() else 0


def _all_bold(cell: Any) -> bool:
    runs = [run for run in cell.iter(f"{_W}r") if any((text.text or "").strip() for text in run.iter(f"{_W}t"))]
    return bool(runs) and all(run.find(f"{_W}rPr/{_W}b") is not None for run in runs)
