"""Whether a page's text layer can be trusted."""

from __future__ import annotations

import re
import unicodedata

_CID = re.compile(r"\(cid:\d+\)")
_TOKEN = re.compile(r"\S*[^\W\d_]\S*")
_ODD_INSIDE = re.compile(r"[^\W\d_][~^|\\;!$%`¬¦§¤¢£¥°±¶¿¡†‡•«»<>=*+]+[^\W\d_]")
_MIXED_CASE = re.compile(r"[a-z][A-Z]+[a-z]+[A-Z]|[a-z][A-Z]{2,}[a-z]")
_NO_VOWEL = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}", re.IGNORECASE)
_CONTROL = frozenset(("Cc", "Cn", "Co", "Cs"))


def is_broken(text: str) -> bool:
    """Whether much of the text is replacement characters, private glyphs or controls, or many words have any of them
    or mix alphabets.
    """
    dense = "".join(text.split())
    if not dense:
        return False
    bad = sum(char == "\ufffd" or unicodedata.category(char) in _CONTROL for char in dense)
    if bad > 0.1 * len(dense) or 8 * len(_CID.findall(text)) > 0.2 * len(dense):
        return True
    tokens = _TOKEN.findall(text)
    return len(tokens) >= 4 and (sum(map(_is_marred, tokens)) > 0.2 * len(tokens) or nonsense(text) > 0.5)


def nonsense(text: str) -> float:
    """Share of words that no language would write, as bad recognition of a scan makes them; 0 where there are none."""
    tokens = _TOKEN.findall(text)
    return sum(map(_is_odd, tokens)) / len(tokens) if tokens else 0.0


def _is_odd(token: str) -> bool:
    return bool(_ODD_INSIDE.search(token) or _MIXED_CASE.search(token) or _NO_VOWEL.search(token))


def _is_marred(token: str) -> bool:
    return "\ufffd" in token or _mixes_alphabets(token)


def _mixes_alphabets(token: str) -> bool:
    alphabets = {unicodedata.name(char, "").split(" ")[0] for char in token if char.isalpha()}
    return len(alphabets & {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "THAI"}) > 1
