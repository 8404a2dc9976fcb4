"""Folding: spellings that a person takes for the same become the same string."""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans(
    {
        "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ŋ": "n",
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": None,
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
        "\u00ad": None, "\u200b": None, "\u200c": None, "\u200d": None, "\u200e": None, "\u200f": None,
        "\u202a": None, "\u202b": None, "\u202c": None, "\u202d": None, "\u202e": None, "\u2066": None,
        "\u2067": None, "\u2068": None, "\u2069": None, "\ufeff": None,
    }
)  # fmt: skip

# Combining marks are accents in these blocks; in Indic and South-East Asian scripts they are vowels and must stay.
_ACCENTS = ((0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670))


def fold(text: str) -> str:
    """Casefold, unify width and presentation forms, drop accents, write every decimal digit in ASCII."""
    if text.isascii():
        return text.casefold()
    composed = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    decomposed = unicodedata.normalize("NFD", composed)
    kept = (_digit(char) for char in decomposed if not _is_accent(char))
    return unicodedata.normalize("NFC", "".join(kept))


def _is_accent(char: str) -> bool:
    code = ord(char)
    return code >= 0x0300 and any(first <= code <= last for first, last in _ACCENTS)


def _digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char
