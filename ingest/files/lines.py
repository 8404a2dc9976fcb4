"""Hostile names and messages, made fit to be shown and stored."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from haystack_agent.text.shortened import shortened

_MAX_REASON = 300


def one_line(text: str, limit: int = _MAX_REASON) -> str:
    """The text without line breaks and control characters, cut to `limit` characters, valid as UTF-8."""
    shown = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text[: 4 * limit])
    return shortened(" ".join(shown.split()), limit)


def path_text(path: Path) -> str:
    """The path as text that every store and JSON can hold: bytes that are no UTF-8 are written as ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
