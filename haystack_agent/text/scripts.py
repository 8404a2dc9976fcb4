"""Which writing system a character belongs to, as far as splitting text into terms needs it."""

from __future__ import annotations

import re

# Written without spaces between words: terms are overlapping runs of characters.
_BIGRAM = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0003134f"
)
_TRIGRAM = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

RUNS = re.compile(
    rf"(?P<bigram>[{_BIGRAM}]+)"
    rf"|(?P<trigram>[{_TRIGRAM}]+)"
    # Letters, digits and the marks that belong to them; \w leaves out Indic vowel signs.
    rf"|(?P<word>(?:(?![{_BIGRAM}{_TRIGRAM}_])[\w\u0300-\u036f\u0900-\u0dff])+)"
)
"""Runs of characters that belong together; the group's name says how the run is split into terms."""
