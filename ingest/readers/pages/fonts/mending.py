"""Fonts of a PDF that do not say which letters their glyphs are, told so in memory.

Shapers put ligatures and contextual forms in place of letters (lam-alef, ffi), and many programs that write PDFs leave
those out of the font's table of characters (ToUnicode). PyMuPDF then takes the number of the glyph for a character.
Once the table is whole, PyMuPDF puts the letters in order as it does with any others.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from ingest.readers.pages.fonts.glyphs import glyph_texts

MIN_AGREEMENT = 0.9
"""Share of what a page does tell that a font must tell alike, to be believed about the rest."""
HAIR = 0.02
"""In type sizes: a width below it is none."""

Place = tuple[float, float]

_DAMAGED = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uefff\ufffd]")
"""Controls, and private characters but those that symbol fonts are written with."""
_SECTION = 100
"""Lines that one section of a table may have."""
_EMPTY = b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapType 2 def\n\
1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\nendcmap\nend\nend\n"


@dataclass(frozen=True, slots=True)
class _Font:
    """An embedded font whose codes are numbers of glyphs; `glyphs` has what its own tables say of each."""

    xref: int
    name: str
    glyphs: Mapping[int, str]

    def agreement(self, told: Iterable[tuple[str, int]]) -> float:
        """Share of glyphs told both by the page and by the font that are told alike; 0 where there is none."""
        both = [(said, self.glyphs[number]) for said, number in told if number in self.glyphs]
        return sum(_plain(said) == _plain(text) for said, text in both) / len(both) if both else 0.0


@dataclass(slots=True)
class DocumentFonts:
    """The fonts of one document; each is taken apart once, when the first page needs it."""

    document: Any
    _known: dict[int, _Font] = field(default_factory=dict)

    def raw_text(self, page: Any, flags: int) -> dict[str, Any]:
        """PyMuPDF's ``rawdict`` of a page, its fonts mended where they need it and can be.

        What nothing tells is U+FFFD; only in simple fonts it is the code, which often is that of the letter.
        """
        import pymupdf

        by_code = flags | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
        raw: dict[str, Any] = page.get_text("rawdict", flags=by_code)
        if not page.parent.is_pdf or not _is_damaged(raw):
            return raw
        numbers_left = self._mend(page)
        raw = page.get_text("rawdict", flags=flags if numbers_left else by_code)
        _widen(raw, _narrow_glyphs(page))
        return raw

    def _mend(self, page: Any) -> bool:
        """Whether glyphs remain whose number is all that is known of them."""
        fonts = [font for font in map(self._font, page.get_fonts(full=True)) if font]
        left = False
        for name, glyphs in _drawn(page).items():
            told = [(said, number) for said, number in glyphs if not _DAMAGED.match(said)]
            unknown = {number for said, number in glyphs if _DAMAGED.match(said)}
            font = _written_in(name, told, fonts) if unknown else None
            texts = {number: font.glyphs[number] for number in unknown if number in font.glyphs} if font else {}
            if font and texts:
                self._tell(font.xref, texts)
            left |= len(texts) < len(unknown)
        return left and bool(fonts)

    def _font(self, row: tuple[Any, ...]) -> _Font | None:
        """The font of PyMuPDF's row about it; None where codes are not the numbers of glyphs."""
        xref, _, kind, name, _, encoding, *_ = row
        if kind != "Type0" or not encoding.startswith("Identity"):
            return None
        if xref not in self._known:
            glyphs = {} if self._renumbers(xref) else glyph_texts(self.document.extract_font(xref)[3])
            self._known[xref] = _Font(xref, _compared(name), glyphs)
        return self._known[xref]

    def _renumbers(self, xref: int) -> bool:
        found = re.search(r"(\d+) 0 R", self.document.xref_get_key(xref, "DescendantFonts")[1])
        return not found or self.document.xref_get_key(int(found[1]), "CIDToGIDMap")[1] not in {"null", "/Identity"}

    def _tell(self, xref: int, texts: Mapping[int, str]) -> None:
        """Add to the font's table of characters, and have PyMuPDF forget how it knew the font."""
        import pymupdf

        kind, place = self.document.xref_get_key(xref, "ToUnicode")
        table = self.document.xref_stream(int(place.split()[0])) if kind == "xref" else _EMPTY
        before, end, after = table.rpartition(b"endcmap")
        whole = before + _lines(texts) + end + after if end else _EMPTY.replace(b"endcmap", _lines(texts) + b"endcmap")
        new = self.document.get_new_xref()
        self.document.update_object(new, "<<>>")
        self.document.update_stream(new, whole)
        self.document.xref_set_key(xref, "ToUnicode", f"{new} 0 R")
        pymupdf.TOOLS.store_shrink(100)


def _lines(texts: Mapping[int, str]) -> bytes:
    lines = [f"<{number:04x}> <{text.encode('utf-16-be').hex()}>" for number, text in sorted(texts.items())]
    starts = range(0, len(lines), _SECTION)
    parts = [lines[start : start + _SECTION] for start in starts]
    return "".join(f"{len(part)} beginbfchar\n{chr(10).join(part)}\nendbfchar\n" for part in parts).encode()


def _is_damaged(raw: Mapping[str, Any]) -> bool:
    import pymupdf

    by_code = pymupdf.mupdf.FZ_STEXT_UNICODE_IS_CID
    return any(
        span["char_flags"] & by_code or _DAMAGED.search("".join([char["c"] for char in span["chars"]]))
        for span in _spans(raw)
    )


def _spans(raw: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for block in raw["blocks"]:
        for line in block["lines"] if block["type"] == 0 else ():
            yield from line["spans"]


def _drawn(page: Any) -> dict[str, set[tuple[str, int]]]:
    """What the page tells of each glyph in each font, and the number of the glyph."""
    drawn: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for span in page.get_texttrace():
        drawn[_compared(span["font"])].update((chr(code), number) for code, number, *_ in span["chars"])
    return drawn


def _narrow_glyphs(page: Any) -> set[Place]:
    """Where glyphs without width are drawn: the second half of a lam-alef that is drawn in two."""
    spans = page.get_texttrace()
    return {
        _place(origin) for span in spans for _, _, origin, box in span["chars"] if box[2] - box[0] < HAIR * span["size"]
    }


def _widen(raw: Mapping[str, Any], places: Set[Place]) -> None:
    """Give such glyphs a hair's width: letters that have none are taken for what a ligature before them hides."""
    for span in _spans(raw) if places else ():
        for char in span["chars"]:
            x0, y0, x1, y1 = char["bbox"]
            if x1 - x0 < HAIR * span["size"] and _place(char["origin"]) in places:
                char["bbox"] = (x0, y0, x0 + HAIR * span["size"], y1)


def _place(origin: Sequence[float]) -> Place:
    return round(origin[0], 1), round(origin[1], 1)


def _written_in(name: str, told: list[tuple[str, int]], fonts: list[_Font]) -> _Font | None:
    """The embedded font that text of this font name is written in, where that is sure."""
    named = [font for font in fonts if font.name.startswith(name)] or fonts
    if not told:
        return named[0] if len(named) == 1 else None
    best = max(named, key=lambda font: font.agreement(told), default=None)
    return best if best and best.agreement(told) >= MIN_AGREEMENT else None


def _compared(name: str) -> str:
    return re.sub(r"[\W_]", "", name.rsplit("+", maxsplit=1)[-1]).casefold()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
