"""Which lines are headings, and which headings stand above a place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.ocr.layout import text_units
from ingest.readers.pages.lines import PageLine

MAX_UNITS = 18
MAX_TITLE = 200
"""Characters of a heading that takes several lines."""
_OPENING = "\"'“„«‘¿¡([（【「『§#"
_ENDING = (",", ";", ".", "。", "、", "，")
_NUMBERED = re.compile(r"^\s*(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+\S|^\s*(?:[IVX]{1,5}|[A-Z])\.\s+\S|^第.{1,4}[章节節条]")


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A line of the file's own table of contents; `page` from 1."""

    level: int
    title: str
    page: int


@dataclass(slots=True)
class HeadingTrail:
    """The headings above the current place, and what is needed to notice the next one.

    The file's outline decides where there is one; type size, bold type and numbering elsewhere.
    """

    outline: Sequence[OutlineEntry] = ()
    sizes: Counter[float] = field(default_factory=Counter)
    bold: Counter[bool] = field(default_factory=Counter)
    _trail: list[tuple[float, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The headings above the current place, outermost first, joined by `` > ``."""
        return " > ".join(title for _, title in self._trail)

    def enter_page(self, page: int, lines: Iterable[PageLine]) -> None:
        """Take note of the type sizes of a page, and of outline entries of pages without their own heading line."""
        for line in lines:
            if line.size:
                self.sizes[round(line.size * 2) / 2] += len(line.line.text)
            self.bold[line.bold] += len(line.line.text)
        for entry in self.outline:
            if entry.page == page - 1 and not any(title == entry.title for _, title in self._trail):
                self.enter(entry.level, entry.title)

    def goes_on(self, line: PageLine, before: PageLine) -> bool:
        """Whether a line after a heading line is the rest of that heading."""
        same = abs(line.size - before.size) < 0.05 * before.size and line.bold == before.bold and line.cells == 1
        short = text_units(line.line.text) <= MAX_UNITS and len(self._trail[-1][1]) + len(line.line.text) <= MAX_TITLE
        return same and short and not line.line.starts_block

    def rank(self, line: PageLine, page: int, ocr: bool = False) -> float | None:
        """Rank of a heading line (the smaller the higher up), ``None`` for any other line."""
        text = line.line.text.strip()
        if self.outline:
            entry = self._listed(text, page)
            return None if entry is None else float(entry.level)
        if not self._could_be(line, text):
            return None
        body = self.sizes.most_common(1)[0][0] if self.sizes else line.size
        numbered = _NUMBERED.match(text)
        mostly_bold = self.bold[True] > self.bold[False]
        larger = line.size >= (1.5 if ocr else 1.15) * body
        if not larger and not (line.bold and not mostly_bold and line.size >= 0.95 * body and line.line.starts_block):
            return None
        depth = text.split()[0].rstrip(".").count(".") if numbered and numbered.group(1) else 0
        return 1000.0 - line.size * 2 + (0 if larger else 0.5) + depth * 0.1

    def enter(self, rank: float, title: str) -> None:
        """A heading begins: it closes all of its rank and below."""
        while self._trail and self._trail[-1][0] >= rank - 1e-6:
            self._trail.pop()
        self._trail.append((rank, title))

    def extend(self, title: str) -> None:
        """The last heading goes on in the next line."""
        rank, before = self._trail.pop()
        self._trail.append((rank, f"{before} {title}"))

    def _could_be(self, line: PageLine, text: str) -> bool:
        letters = sum(char.isalpha() for char in text)
        short = letters >= 2 and text_units(text) <= MAX_UNITS
        first = next((char for char in text if char.isalpha()), "")
        titled = not first.islower() and (text[0].isalnum() or text[0] in _OPENING)
        if text.endswith((":", "：")) and text_units(text) > 8:
            return False
        return short and titled and line.cells == 1 and letters >= 0.4 * len(text) and not text.endswith(_ENDING)

    def _listed(self, text: str, page: int) -> OutlineEntry | None:
        key = _key(text)
        for entry in self.outline:
            title = _key(entry.title)
            near = min(len(key), len(title)) >= max(2.0, 0.6 * max(len(key), len(title)))
            if entry.page == page and near and (title.endswith(key) or key.endswith(title)):
                return entry
        return None


def _key(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
