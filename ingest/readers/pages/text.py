"""The words of a page as they lie on it: their characters in logical order, their places, their type size.

Two coordinate systems meet here. A word's `box` is in fractions of the page as a person sees it; its `rect` is in
points of the *reading frame*: the page turned so that most of its text runs from left to right or right to left.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from haystack_agent.records import Box
from ingest.readers.pages.geometry import Rect, around, centre_inside

COLUMN_GAP = 1.6
"""White space, in type sizes, that parts two pieces of a line into different fragments."""
TALL, ASCENT, DESCENT = 1.3, 0.9, 0.25
"""In type sizes: height from which a character's box is not believed, and what is taken instead."""
WIDE_RUN = 4
"""Characters of an unspaced script that share one box."""

_LETTER_FORMS = re.compile("[\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc]+")
_WIDE = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters without white space; `rect` in points of the reading frame, `box` in page fractions."""

    text: str
    rect: Rect
    box: Box


@dataclass(frozen=True, slots=True)
class Fragment:
    """Words on one base line without a wide gap, in logical order; `order` is their place in the file."""

    words: tuple[Word, ...]
    rect: Rect
    size: float
    bold: bool
    order: int
    aside: bool = False
    """Whether it runs in another direction than the page's text, or stands outside it (a note)."""

    @property
    def text(self) -> str:
        """The words, one space between them."""
        return " ".join(word.text for word in self.words)

    @property
    def rtl(self) -> bool:
        """Whether most letters belong to a script that is written from right to left."""
        text = self.text
        return 2 * len(_RTL.findall(text)) > len(_LETTER.findall(text))


@dataclass(frozen=True, slots=True)
class PageFrame:
    """How points of the file's page become page fractions and points of the reading frame."""

    matrix: tuple[float, float, float, float, float, float]
    width: float
    height: float
    turn: int = 0
    """Quarter turns, clockwise, that bring the text of the visible page upright."""

    def visible(self, rect: Rect) -> Rect:
        """The rectangle in points of the page as a person sees it."""
        a, b, c, d, e, f = self.matrix
        xs = [a * x + c * y + e for x in (rect[0], rect[2]) for y in (rect[1], rect[3])]
        ys = [b * x + d * y + f for x in (rect[0], rect[2]) for y in (rect[1], rect[3])]
        return min(xs), min(ys), max(xs), max(ys)

    def box(self, rect: Rect) -> Box:
        """The rectangle in fractions of the page as a person sees it."""
        x0, y0, x1, y1 = self.visible(rect)
        w, h = self.width, self.height
        return Box(_fraction(x0 / w), _fraction(y0 / h), _fraction(x1 / w), _fraction(y1 / h))

    def rect(self, rect: Rect) -> Rect:
        """The rectangle in the reading frame."""
        x0, y0, x1, y1 = self.visible(rect)
        if self.turn == 1:
            return self.height - y1, x0, self.height - y0, x1
        if self.turn == 2:
            return self.width - x1, self.height - y1, self.width - x0, self.height - y0
        if self.turn == 3:
            return y0, self.width - x1, y1, self.width - x0
        return x0, y0, x1, y1

    def direction(self, vector: tuple[float, float]) -> int:
        """Quarter turns, clockwise, that make writing in this direction of the file upright."""
        a, b, c, d, _, _ = self.matrix
        x, y = a * vector[0] + c * vector[1], b * vector[0] + d * vector[1]
        if abs(x) >= abs(y):
            return 0 if x >= 0 else 2
        return 1 if y < 0 else 3


def _fraction(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)


@dataclass(slots=True)
class _Char:
    text: str
    rect: Rect
    size: float
    bold: bool


def page_fragments(raw: dict[str, Any], frame: PageFrame) -> tuple[PageFrame, list[Fragment]]:
    """Fragments of PyMuPDF's ``rawdict`` of an unrotated page, and the frame turned to the way the text runs."""
    lines = [line for block in raw["blocks"] if block["type"] == 0 for line in block["lines"]]
    turns: Counter[int] = Counter()
    for line in lines:
        turns[frame.direction(line["dir"])] += sum(len(span["chars"]) for span in line["spans"])
    turn = turns.most_common(1)[0][0] if turns else 0
    frame = PageFrame(frame.matrix, frame.width, frame.height, turn)
    fragments: list[Fragment] = []
    for line in lines:
        aside = frame.direction(line["dir"]) != turn
        fragments.extend(_line_fragments(line, frame, len(fragments), aside))
    return frame, _without_shadows(fragments)


def _line_fragments(line: dict[str, Any], frame: PageFrame, order: int, aside: bool) -> Iterator[Fragment]:
    words: list[tuple[Word, float, bool]] = []
    for chars in _split_words(_logical(list(_chars(line)))):
        text = readable("".join(char.text for char in chars))
        if text:
            rect = around([char.rect for char in chars])
            word = Word(text, frame.rect(rect), frame.box(rect))
            words.append((word, max(char.size for char in chars), chars[0].bold))
    group: list[tuple[Word, float, bool]] = []
    for item in words:
        if group and not aside and _gap(group[-1][0].rect, item[0].rect) > COLUMN_GAP * item[1]:
            yield _fragment(group, order, aside)
            group, order = [], order + 1
        group.append(item)
    if group:
        yield _fragment(group, order, aside)


def _fragment(items: list[tuple[Word, float, bool]], order: int, aside: bool) -> Fragment:
    words = tuple(word for word, _, _ in items)
    bold = 2 * sum(is_bold for _, _, is_bold in items) > len(items)
    return Fragment(words, around([word.rect for word in words]), max(size for _, size, _ in items), bold, order, aside)


def _gap(left: Rect, right: Rect) -> float:
    return max(right[0] - left[2], left[0] - right[2])


def _chars(line: dict[str, Any]) -> Iterator[_Char]:
    for span in line["spans"]:
        bold = bool(span["flags"] & 16) or bool(re.search(r"bold|black|heavy|semibd|demi", span["font"], re.IGNORECASE))
        for char in span["chars"]:
            yield _Char(char["c"], _ink(char, line["dir"], span["size"]), span["size"], bold)


def _ink(char: dict[str, Any], direction: tuple[float, float], size: float) -> Rect:
    """The box of a character; one much higher than its type (fonts lie about it) is cut to what letters take up."""
    x0, y0, x1, y1 = char["bbox"]
    x, y = char["origin"]
    dx, dy = direction
    if abs(dx) >= abs(dy):
        if y1 - y0 > TALL * size:
            y0, y1 = (y - ASCENT * size, y + DESCENT * size) if dx >= 0 else (y - DESCENT * size, y + ASCENT * size)
    elif x1 - x0 > TALL * size:
        x0, x1 = (x - DESCENT * size, x + ASCENT * size) if dy > 0 else (x - ASCENT * size, x + DESCENT * size)
    return x0, y0, x1, y1


def _logical(chars: list[_Char]) -> list[_Char]:
    """Undo the turning round of ligatures: one glyph (lam-alef) is stored as letters that share its place.

    The second letter of such a glyph has no width. Where a line was stored as seen and turned round letter by
    letter, it stands before the first one.
    """
    place = 0
    while place < len(chars) - 1:
        start = place
        while place < len(chars) - 1 and _without_width(chars[place]) and _RTL.match(chars[place].text):
            place += 1
        base = chars[place]
        hidden = chars[start:place]
        if hidden and _RTL.match(base.text) and abs(hidden[0].rect[0] - base.rect[2]) < 0.1 * base.size:
            chars[start : place + 1] = [base, *reversed(hidden)]
        place += 1
    return chars


def _without_width(char: _Char) -> bool:
    return char.rect[2] - char.rect[0] < 0.01 * char.size and unicodedata.category(char.text)[0] == "L"


def _split_words(chars: Iterable[_Char]) -> Iterator[list[_Char]]:
    word: list[_Char] = []
    for char in chars:
        if char.text.isspace() or unicodedata.category(char.text) == "Cc":
            if word:
                yield word
            word = []
        elif word and not _RTL.search(word[-1].text + char.text) and _far(word[-1], char):
            yield word
            word = [char]
        else:
            word.append(char)
    if word:
        yield word


def _far(one: _Char, other: _Char) -> bool:
    return _gap(one.rect, other.rect) > COLUMN_GAP * other.size


def readable(text: str) -> str:
    """Letters instead of their presentation forms (Arabic and Hebrew shapes, Latin ligatures)."""
    return _LETTER_FORMS.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text).strip("\u200b\ufeff")


def _without_shadows(fragments: list[Fragment]) -> list[Fragment]:
    """Drop text that is printed twice on the same spot (fake bold, shadows)."""
    seen: dict[str, list[Rect]] = {}
    kept: list[Fragment] = []
    for fragment in fragments:
        near = 0.35 * fragment.size
        rect = fragment.rect
        places = seen.setdefault(fragment.text, [])
        if any(abs(rect[0] - old[0]) < near and abs(rect[1] - old[1]) < near for old in places[-8:]):
            continue
        places.append(rect)
        kept.append(fragment)
    return kept


def words_in(fragments: Iterable[Fragment], rect: Rect) -> list[Word]:
    """Words whose centre lies in `rect` (reading frame)."""
    return [word for fragment in fragments for word in fragment.words if centre_inside(word.rect, rect)]


def is_wide(char: str) -> bool:
    """Whether the character belongs to a script written without spaces between words."""
    return bool(_WIDE.match(char))
