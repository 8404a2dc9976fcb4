"""Pages with real text, drawn directly: no layout engine, so that a core makes a hundred a second."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from eval.haystack.values import Language

Rgb = tuple[float, float, float]

MARGIN = 60.0
_RIGHT = 535.0
_LINE = 17.0
_ROW = 20.0
_INK: Rgb = (0.1, 0.1, 0.12)
_CJK: dict[str, str] = {"ja": "japan", "zh": "china-s"}
"""Fonts that every viewer brings, so that nothing is embedded."""
_LATIN = "helv"
_WIDE = re.compile("([\u3000-\u9fff\uff00-\uffef]+)")
_EMBEDDED = frozenset({"cs"})
"""Languages with letters that the standard fonts of PDF lack."""


@cache
def _helvetica() -> bytes:
    import pymupdf

    return bytes(pymupdf.Font(_LATIN).buffer)


class Sheet:
    """One page that is filled from the top."""

    def __init__(self, language: Language) -> None:
        import pymupdf

        self._document: Any = pymupdf.open()
        self._page: Any = self._document.new_page()
        self._wide = language in _CJK
        self._font = _CJK.get(language, _LATIN)
        if language in _EMBEDDED:
            self._font = "F0"
            self._page.insert_font(fontname=self._font, fontbuffer=_helvetica())
        self.y = 80.0

    def heading(self, text: str) -> None:
        """A large line, and room below it."""
        self.text(MARGIN, text, 20)
        self.y += 32

    def line(self, text: str) -> None:
        """A line of text."""
        self.text(MARGIN, text, 11)
        self.y += _LINE

    def gap(self, height: float = 12) -> None:
        """Leave room."""
        self.y += height

    def text(self, x: float, text: str, size: float) -> None:
        """Text at `x` on the current line."""
        import pymupdf

        # The viewers' own Japanese and Chinese fonts space Latin letters widely, so these are set in Helvetica.
        for run in filter(None, _WIDE.split(text)) if self._wide else [text]:
            font = self._font if not self._wide or _WIDE.match(run) else _LATIN
            self._page.insert_text((x, self.y), run, fontname=font, fontsize=size, color=_INK)
            if self._wide:
                x += pymupdf.get_text_length(run, font, size)

    def table(self, widths: Sequence[float], rows: Sequence[Sequence[str]]) -> None:
        """A ruled table; the first row is its header."""
        top, height = self.y, _ROW * len(rows)
        shape = self._page.new_shape()
        for number in range(len(rows) + 1):
            shape.draw_line((MARGIN, top + number * _ROW), (MARGIN + sum(widths), top + number * _ROW))
        edges = [MARGIN + sum(widths[:number]) for number in range(len(widths) + 1)]
        for x in edges:
            shape.draw_line((x, top), (x, top + height))
        shape.finish(color=(0.4, 0.4, 0.4), width=0.7)
        shape.commit()
        for row in rows:
            self.y += 14
            for x, cell in zip(edges, row, strict=False):
                self.text(x + 5, cell, 10)
            self.y += _ROW - 14
        self.gap(24)

    def bars(self, names: Sequence[str], values: Sequence[int], colours: Sequence[Rgb]) -> None:
        """A bar chart with the values above the bars."""
        floor, step = self.y + 230, 110.0
        scale = 190 / max(values)
        shape = self._page.new_shape()
        for number, (value, colour) in enumerate(zip(values, colours, strict=True)):
            x = MARGIN + 20 + number * step
            shape.draw_rect((x, floor - value * scale, x + 62, floor))
            shape.finish(color=None, fill=colour)
        shape.draw_line((MARGIN, floor), (_RIGHT - 20, floor))
        shape.finish(color=(0.3, 0.3, 0.3), width=1)
        shape.commit()
        for number, (name, value) in enumerate(zip(names, values, strict=True)):
            x = MARGIN + 38 + number * step
            self.y = floor - value * scale - 6
            self.text(x, str(value), 11)
            self.y = floor + 16
            self.text(x, name, 11)
        self.gap(30)

    def picture(self, jpeg: bytes, size: tuple[float, float]) -> None:
        """Make the page as large as a picture, and nothing but that."""
        self._page.set_mediabox((0, 0, *size))
        self._page.insert_image(self._page.rect, stream=jpeg)

    def content(self, title: str = "", author: str = "", made: date | None = None) -> bytes:
        """The finished file; the page is closed."""
        stamp = f"D:{made:%Y%m%d}090000" if made else ""
        self._document.set_metadata({"title": title, "author": author, "creationDate": stamp, "modDate": stamp})
        content = bytes(self._document.tobytes(deflate=True, no_new_id=True))
        self._document.close()
        return content
