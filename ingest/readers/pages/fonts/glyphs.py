"""What the glyphs of an embedded font stand for, as far as its own tables tell."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from haystack_agent.text.fold import fold

MAX_PROGRAM = 32 * 1024 * 1024
"""Bytes; a larger font is not looked into."""
MAX_COMPONENTS, MAX_ROUNDS = 32, 8
"""Letters of a ligature, and substitutions after each other, that are followed."""
_SFNT = (b"\x00\x01\x00\x00", b"OTTO", b"true", b"ttcf")

Step = tuple[tuple[str, ...], str]
"""Names of the glyphs that a shaper replaces, and of the glyph that it puts in their place."""


def glyph_texts(program: bytes) -> dict[int, str]:
    """The text of each glyph by its number: by the character map, else its name, else what it is put in place of.

    Glyphs that tell nothing are left out, and so are all of a font that cannot be taken apart.
    """
    if len(program) > MAX_PROGRAM:
        return {}
    logging.getLogger("fontTools").setLevel(logging.CRITICAL)  # what is odd in a stranger's font is no news
    try:
        return _sfnt_texts(program) if program.startswith(_SFNT) else _cff_texts(program)
    except Exception:  # noqa: BLE001 - fontTools raises all kinds on a damaged font, and its page is still read
        return {}


def _sfnt_texts(program: bytes) -> dict[int, str]:
    from fontTools.ttLib import TTFont

    with TTFont(BytesIO(program), fontNumber=0, lazy=True) as font:
        if "CFF " in font and hasattr(font["CFF "].cff[0], "ROS"):
            return {}
        names = font.getGlyphOrder()
        known = _named(names) | (_mapped(font["cmap"].tables) if "cmap" in font else {})
        if "GSUB" in font:
            _follow(known, list(_steps(font["GSUB"].table)))
    return _numbered(names, known)


def _cff_texts(program: bytes) -> dict[int, str]:
    from fontTools.cffLib import CFFFontSet

    fonts = CFFFontSet()
    fonts.decompile(BytesIO(program), None)
    top = fonts[0]
    return {} if hasattr(top, "ROS") else _numbered(top.charset, _named(top.charset))


def _numbered(names: Iterable[str], known: Mapping[str, str | None]) -> dict[int, str]:
    return {number: text for number, name in enumerate(names) if (text := known.get(name))}


def _named(names: Iterable[str]) -> dict[str, str | None]:
    from fontTools.agl import toUnicode

    return {name: text for name in names if (text := _plain(toUnicode(name)))}


def _mapped(tables: Iterable[Any]) -> dict[str, str | None]:
    codes = sorted({(code, name) for table in tables if table.isUnicode() for code, name in table.cmap.items()})
    return {name: text for code, name in reversed(codes) if (text := _plain(chr(code)))}


def _plain(text: str) -> str:
    """Letters instead of presentation forms; nothing where there is a character that nobody can read."""
    if any(unicodedata.category(char) in {"Cc", "Cn", "Co", "Cs"} or char == "\ufffd" for char in text):
        return ""
    return text


def _steps(table: Any) -> Iterator[Step]:
    for lookup in table.LookupList.Lookup if table.LookupList else ():
        for plain_or_extended in lookup.SubTable:
            subtable = getattr(plain_or_extended, "ExtSubTable", plain_or_extended)
            yield from _subtable_steps(subtable)


def _subtable_steps(subtable: Any) -> Iterator[Step]:
    kind = type(subtable).__name__
    if kind == "SingleSubst":
        yield from (((before,), after) for before, after in subtable.mapping.items())
    elif kind == "AlternateSubst":
        yield from (((before,), after) for before, afters in subtable.alternates.items() for after in afters)
    elif kind == "LigatureSubst":
        for first, ligatures in subtable.ligatures.items():
            for ligature in ligatures:
                yield (first, *ligature.Component), ligature.LigGlyph


def _follow(known: dict[str, str | None], steps: Iterable[Step]) -> None:
    """Add what substitutions tell; a glyph that may stand for texts that a search tells apart stands for none."""
    steps = [step for step in steps if len(step[0]) <= MAX_COMPONENTS and step[1] not in known]
    for _ in range(MAX_ROUNDS):
        readings = dict[str, set[str]]()
        for before, after in steps:
            texts = [known.get(name) for name in before]
            if after not in known and all(texts):
                readings.setdefault(after, set()).add("".join(text for text in texts if text))
        if not readings:
            return
        known |= {name: _one_of(texts) for name, texts in readings.items()}


def _one_of(texts: set[str]) -> str | None:
    return min(texts) if len(set(map(fold, texts))) == 1 else None
