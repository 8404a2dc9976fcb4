"""What a page of a PyMuPDF document holds by itself, without reading pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from haystack_agent.errors import ReadFailed
from ingest.readers.pages.fonts.mending import DocumentFonts
from ingest.readers.pages.geometry import Rect, area, around, intersection
from ingest.readers.pages.tables.rules import Rule, rules
from ingest.readers.pages.text import Fragment, PageFrame, Word, page_fragments, words_in

MAX_PATHS = 12_000
"""A page with more drawn paths is a map or a plan: its rules are not looked for."""
MIN_CURVES, MIN_STROKES = 4, 4
"""Curves in a path, and such paths on a page, from which they may be writing."""
MAX_SIDE = 200_000.0
"""Points; a page beyond it cannot be drawn."""


@dataclass(frozen=True, slots=True)
class NativePage:
    """Text, rules and pictures of one page; `pictures` are in points of the page as a person sees it."""

    frame: PageFrame
    fragments: tuple[Fragment, ...]
    rules: tuple[list[Rule], list[Rule]]
    pictures: tuple[Rect, ...]
    paths: int
    strokes: Rect | None = None
    """Around drawn curves that may be writing: letters as outlines, or by hand."""

    @property
    def text(self) -> str:
        """All of the page's own text, in the order of the file."""
        return "\n".join(fragment.text for fragment in self.fragments)


def read_native(page: Any, fonts: DocumentFonts) -> NativePage:
    """Read a page of the document that the fonts are of.

    Its rotation is taken off meanwhile, since PyMuPDF measures some things with it, some without.

    Raises:
        ReadFailed: the page has no usable size.
        Whatever `library_errors` lists.
    """
    width, height = page.rect.width, page.rect.height
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ReadFailed(f"it measures {width:.0f} x {height:.0f} points")
    rotation = page.rotation if page.parent.is_pdf else 0
    matrix = tuple(page.rotation_matrix) if rotation else (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    frame = PageFrame(matrix, width, height)
    if rotation:
        page.set_rotation(0)
    try:
        return _read(page, frame, fonts)
    finally:
        if rotation:
            page.set_rotation(rotation)


def _read(page: Any, frame: PageFrame, fonts: DocumentFonts) -> NativePage:
    import pymupdf

    flags = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_WHITESPACE
    frame, fragments = page_fragments(fonts.raw_text(page, flags), frame)
    fragments = [fragment for fragment in fragments if _on_page(fragment)]
    fragments.extend(_form_values(page, frame, fragments))
    fragments.extend(_notes(page, frame, fragments))
    paths = sum(kind.endswith("path") for kind, *_ in page.get_bboxlog())
    drawings = page.get_cdrawings() if paths <= MAX_PATHS else []
    found = rules(drawings, frame)
    whole = (0.0, 0.0, frame.width, frame.height)
    placed = (intersection(frame.visible(tuple(info["bbox"])), whole) for info in page.get_image_info())
    pictures = tuple(dict.fromkeys(rect for rect in placed if area(rect) > 0))
    return NativePage(frame, tuple(fragments), found, pictures, paths, _strokes(drawings, frame))


def _strokes(drawings: list[dict[str, Any]], frame: PageFrame) -> Rect | None:
    whole = frame.width * frame.height
    curved = [d for d in drawings if sum(item[0] == "c" for item in d["items"]) >= MIN_CURVES]
    rects = [rect for d in curved if area(rect := frame.visible(tuple(d["rect"]))) < 0.1 * whole]
    if len(rects) < MIN_STROKES:
        return None
    x0, y0, x1, y1 = around(rects)
    return intersection((x0 - 6, y0 - 6, x1 + 6, y1 + 6), (0.0, 0.0, frame.width, frame.height))


def _on_page(fragment: Fragment) -> bool:
    return any(word.box.x1 > word.box.x0 and word.box.y1 > word.box.y0 for word in fragment.words)


def _form_values(page: Any, frame: PageFrame, fragments: list[Fragment]) -> Iterator[Fragment]:
    """What is filled into form fields, where the page's text does not show it already."""
    if not page.parent.is_pdf or not page.parent.is_form_pdf:
        return
    for widget in page.widgets():
        value = widget.field_value
        if isinstance(value, list):
            value = " ".join(map(str, value))
        kind = widget.field_type_string
        if (
            not isinstance(value, str)
            or not value.strip()
            or kind in {"CheckBox", "RadioButton", "Button", "Signature"}
        ):
            continue
        rect = tuple(widget.rect)
        shown = "".join(word.text for word in words_in(fragments, _grown(frame.rect(rect), 2)))
        if "".join(value.split()) not in shown:
            yield _placed(value, rect, frame, len(fragments), aside=False)


def _notes(page: Any, frame: PageFrame, fragments: list[Fragment]) -> Iterator[Fragment]:
    """What people wrote into annotations, where the page's text does not show it already."""
    if not page.parent.is_pdf:
        return
    text = "".join("".join(fragment.text for fragment in fragments).split())
    for annotation in page.annots():
        content = annotation.info.get("content", "")
        if content.strip() and "".join(content.split()) not in text:
            yield _placed(content, tuple(annotation.rect), frame, len(fragments), aside=True)


def _placed(text: str, rect: Rect, frame: PageFrame, order: int, aside: bool) -> Fragment:
    place, box = frame.rect(rect), frame.box(rect)
    words = tuple(Word(word, place, box) for word in text.split())
    return Fragment(words, place, min(12.0, max(1.0, place[3] - place[1])), False, order, aside)


def _grown(rect: Rect, by: float) -> Rect:
    return rect[0] - by, rect[1] - by, rect[2] + by, rect[3] + by
