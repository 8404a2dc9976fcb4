"""Hostile text made fit for a terminal: nothing that is printed can move the cursor, recolour, or reorder the line."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from haystack_agent.text.shortened import shortened
from haystack_agent.text.visible import is_hidden

_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates: they let a name or a text show itself in another order than it has."""

_BREAK = re.compile("[\v\f\x85\u2028\u2029]")


def name(text: str | Path) -> str:
    r"""A file name or other identifier on one line: everything invisible is written out, as ``\n`` or ``\u202e``."""
    return "".join(_written_out(character) if _is_hidden(character) else character for character in str(text))


def line(text: str) -> str:
    """Text on one line: line breaks and runs of white space become single spaces, control characters are dropped."""
    return " ".join("".join(" " if _breaks(character) else _visible(character) for character in text).split())


def text(written: str) -> str:
    """Text of several lines: line breaks and tabs stay breaks and spaces, control characters are dropped."""
    broken = _BREAK.sub("\n", written).replace("\t", " ")
    return "".join(character if character == "\n" else _visible(character) for character in broken)


def short(text: str, limit: int) -> str:
    """`line` cut to `limit` characters."""
    return shortened(line(text), limit)


def around(text: str, words: Sequence[str], limit: int) -> str:
    """`line` cut to about `limit` characters, so that the first of the words that stands in it is seen."""
    whole = line(text)
    folded = whole.casefold()
    places = [at for at in (folded.find(word.casefold()) for word in words) if at >= 0]
    start = max(0, min(places, default=0) - limit // 3)
    if start == 0 or len(whole) <= limit:
        return shortened(whole, limit)
    start = whole.find(" ", start) + 1 or start
    return "…" + shortened(whole[start:], limit)


def path_of(text: str) -> Path:
    r"""The file that a printed or stored path means: bytes that are no UTF-8 may be written as ``\xff`` in it."""
    plain = Path(text)
    if "\\x" not in text or os.path.lexists(plain):
        return plain
    try:
        raw = text.encode("utf-8", "surrogateescape")
        parts = raw.split(b"\\x")
        joined = parts[0] + b"".join(bytes.fromhex(part[:2].decode("ascii")) + part[2:] for part in parts[1:])
    except ValueError:
        return plain
    decoded = Path(os.fsdecode(joined))
    return decoded if os.path.lexists(decoded) else plain


def _is_hidden(character: str) -> bool:
    return is_hidden(character) or unicodedata.category(character) in {"Zl", "Zp"}


def _written_out(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _breaks(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Zl", "Zp", "Zs"}


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Cn"} or character in _DIRECTION or "\U000e0000" <= character <= "\U000e0fff":
        return ""
    return "\ufffd" if category == "Cs" else character
