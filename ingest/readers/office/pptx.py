"""Slides: their text in reading order, tables, speaker notes, chart data and pictures, with boxes of the shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haystack_agent.records import AssetMeta, Box, Span
from ingest.ocr.layout import Line
from ingest.readers.office.blocks import table_lines
from ingest.readers.office.embedded import EmbeddedPictures
from ingest.readers.pages.meta import aware, sensible_author, sensible_title
from ingest.readers.pages.sections import PieceMaker, Section
from ingest.readers.pages.tables.find import Cell, Table, with_header
from ingest.readers.protocol import Progress, ReadEvent, Source

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrEngine

MAX_SLIDES = 5000
MAX_DEPTH = 20
MAX_SERIES, MAX_POINTS = 50, 1000
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def read_pptx(source: Source, ocr: OcrEngine) -> Iterator[ReadEvent]:
    """Yield the pieces of a presentation; its slides are its pages."""
    import pptx

    with source.path.open("rb") as file:
        deck: Any = pptx.Presentation(file)
    slides = list(deck.slides)[:MAX_SLIDES]
    size = (float(deck.slide_width or 1), float(deck.slide_height or 1))
    maker = PieceMaker(source.asset_id, _meta(deck, slides))
    pictures = EmbeddedPictures(ocr)
    for number, slide in enumerate(slides, start=1):
        maker.page = number
        yield from _slide_pieces(maker, slide, size, pictures)
        yield Progress(number, len(slides))


def _meta(deck: Any, slides: list[Any]) -> AssetMeta:
    facts = deck.core_properties
    first = next((title for slide in slides if (title := _title(slide))), "")
    keywords = tuple(word.strip() for word in re.split(r"[,;]", facts.keywords or "") if word.strip())
    return AssetMeta(
        "pptx",
        title=sensible_title(facts.title) or first,
        author=sensible_author(facts.author),
        created=aware(facts.created),
        keywords=keywords[:30],
        pages=len(slides),
    )


def _title(slide: Any) -> str:
    shape = slide.shapes.title
    return " ".join(shape.text_frame.text.split()) if shape is not None and shape.has_text_frame else ""


def _slide_pieces(
    maker: PieceMaker, slide: Any, size: tuple[float, float], pictures: EmbeddedPictures
) -> Iterator[ReadEvent]:
    heading = _title(slide)
    lines: list[Line] = []
    tables: list[Table] = []
    read: list[Line] = []
    for shape in _in_order(_shapes(slide.shapes, 0)):
        box = _box(shape, size)
        if shape.has_text_frame:
            lines.extend(_text_lines(shape.text_frame.text, box))
        elif getattr(shape, "has_table", False):
            tables.append(_table(shape.table, box))
            lines.extend(table_lines(tables[-1]))
        elif getattr(shape, "has_chart", False):
            chart = _chart(shape.chart, box)
            tables.extend([chart] if chart.rows else [])
            lines.extend([*_text_lines(_chart_title(shape.chart), box), *table_lines(chart)])
        elif (blob := _picture(shape)) is not None:
            read.extend(_picture_lines(pictures, blob, box))
            yield Progress(maker.page or 1, maker.page or 1)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        lines.extend(_text_lines(slide.notes_slide.notes_text_frame.text, None))
    yield maker.whole_page([*lines, *read], heading)
    yield from maker.passages([Section(heading, tuple(lines))] if lines else [])
    yield from maker.passages([Section(heading, tuple(read))] if read else [], ocr=True)
    for table in tables:
        yield from maker.rows(table, heading)


def _shapes(shapes: Any, depth: int) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            if depth < MAX_DEPTH:
                yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _in_order(shapes: Iterator[Any]) -> list[Any]:
    """Title first, then the order in the file, which is the order in which a screen reader reads a slide."""
    return sorted(shapes, key=lambda shape: not (shape.is_placeholder and shape.placeholder_format.type in {1, 3}))


def _box(shape: Any, size: tuple[float, float]) -> Box | None:
    if None in (shape.left, shape.top, shape.width, shape.height):
        return None
    width, height = size
    x0, x1 = _fraction(shape.left / width), _fraction((shape.left + shape.width) / width)
    y0, y1 = _fraction(shape.top / height), _fraction((shape.top + shape.height) / height)
    return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _fraction(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)


def _text_lines(text: str, box: Box | None) -> Iterator[Line]:
    for part in re.split(r"[\n\v]", text):
        line = part.strip()
        if line:
            yield Line(line, (Span(0, len(line), box),) if box else (), starts_block=True)


def _cell(text: str, box: Box | None) -> Cell:
    line = " ".join(text.split())
    return Cell(line, (Span(0, len(line), box),) if box and line else ())


def _table(table: Any, box: Box | None) -> Table:
    rows: list[list[Cell]] = []
    for row in table.rows:
        cells: list[Cell] = []
        for place, cell in enumerate(row.cells):
            made = _cell(cell.text_frame.text, box)
            if cell.is_spanned:
                # Below a merged cell its text counts again; to the right of one it does not.
                first = place == 0 or not row.cells[place - 1].is_merge_origin
                made = replace(rows[-1][place], repeated=True) if rows and first and not made.text else Cell()
            width = cell.span_width if cell.is_merge_origin else 1
            cells.append(replace(made, width=width, bold=not rows and bool(table.first_row)))
        rows.append(cells)
    rows = [row for row in rows if any(cell.text for cell in row)]
    return with_header(rows) if rows else Table(())


def _chart(chart: Any, box: Box | None) -> Table:
    """The numbers behind a chart, as saved with it, whatever its kind: a row for each category."""
    series = [
        (one, _points(one, "cat", "xVal"), _points(one, "val", "yVal")) for one in chart._chartSpace.iter(f"{_C}ser")
    ]
    series = [one for one in series if one[2]][:MAX_SERIES]
    if not series:
        return Table(())
    categories: dict[int, str] = {}
    for _, names, _ in series:
        categories = {**names, **categories}
    places = sorted({place for _, _, values in series for place in values})[:MAX_POINTS]
    rows = tuple(
        (_cell(categories.get(at, ""), box), *(_cell(values.get(at, ""), box) for _, _, values in series))
        for at in places
    )
    return Table(rows, ("", *(" ".join(_values(one.find(f"{_C}tx")).values()) for one, _, _ in series)))


def _points(series: Any, *names: str) -> dict[int, str]:
    return next((_values(part) for name in names if (part := series.find(f"{_C}{name}")) is not None), {})


def _values(part: Any) -> dict[int, str]:
    """The values saved with a chart, by their place."""
    if part is None:
        return {}
    points = [(point.get("idx", "0"), point.find(f"{_C}v")) for point in part.iter(f"{_C}pt")]
    return {int(place): value.text or "" for place, value in points if value is not None and place.isdigit()}


def _chart_title(chart: Any) -> str:
    has_text = chart.has_title and chart.chart_title.has_text_frame
    return str(chart.chart_title.text_frame.text) if has_text else ""


def _picture(shape: Any) -> bytes | None:
    """The bytes of a picture that is in the file, ``None`` for any other shape."""
    from pptx.shapes.picture import Picture

    element: Any = getattr(shape, "_element", None)
    if not isinstance(shape, Picture) or element.blip_rId is None:
        return None
    return bytes(shape.image.blob)


def _picture_lines(pictures: EmbeddedPictures, blob: bytes, box: Box | None) -> Iterator[Line]:
    from ingest.ocr.recognition import lines_of

    for line in lines_of(pictures.read(blob)):
        spans = tuple(replace(span, box=_inside(span.box, box)) for span in line.spans if span.box) if box else ()
        yield replace(line, spans=spans)


def _inside(inner: Box | None, outer: Box) -> Box | None:
    if inner is None:
        return None
    width, height = outer.x1 - outer.x0, outer.y1 - outer.y0
    return Box(
        round(outer.x0 + inner.x0 * width, 4), round(outer.y0 + inner.y0 * height, 4),
        round(outer.x0 + inner.x1 * width, 4), round(outer.y0 + inner.y1 * height, 4),
    )  # fmt: skip
