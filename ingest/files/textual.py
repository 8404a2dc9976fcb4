"""Whether bytes are text that a person wrote, and which kind."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

_KINDS = {
    **dict.fromkeys(("", "txt", "text", "rst", "org", "adoc", "asciidoc", "tex", "asc", "nfo", "log"), "txt"),
    **dict.fromkeys(("srt", "vtt", "ass", "ssa"), "txt"),
    **dict.fromkeys(("md", "markdown", "mdown", "mkd"), "markdown"),
    **dict.fromkeys(("html", "htm", "xhtml", "xht"), "html"),
    **dict.fromkeys(("csv", "tsv"), "csv"),
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Possessive and atomic throughout: nothing that was passed is tried again, so that no file is slow to look at.
_HTML = re.compile(r"\s*+(?:<\?xml[^>]*+>\s*+)?+(?:(?>(?s:<!--.*?-->))\s*+)*+<(?:!doctype\s++html|html)\b", re.I)
_FB2 = re.compile(r"\s*+(?:<\?xml[^>]*+>[^<]*+(?:(?>(?s:<!--.*?-->))[^<]*+)*+)?+<FictionBook\b")
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f]")


def text_type(path: Path, head: bytes) -> str | None:
    """``txt``, ``markdown``, ``html``, ``csv`` or ``fb2``, or ``None`` for bytes or names of anything else.

    Plain text has no mark of its own: its suffix decides which kind it is, and suffixes of source code and data
    are left out. A page of HTML is known by its beginning under any of these names and under none.
    """
    text = _decode(head)
    if text is None or not text.strip():
        return None
    if _FB2.match(text[:8192]):
        return "fb2"
    kind = _KINDS.get(path.suffix[1:].lower())
    if _HTML.match(text[:8192]) and kind != "markdown":
        return "html"
    return kind


def _decode(head: bytes) -> str | None:
    """The text of the bytes, roughly: good enough to see how it begins; ``None`` if they are not text."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return _printable(head[len(bom) :], name)
    if b"\0" in head:
        encoding = _utf16_without_mark(head)
        return _printable(head, encoding) if encoding else None
    return _printable(head, "utf-8") or _printable(head, "latin-1")


def _printable(data: bytes, encoding: str) -> str | None:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None
    # Logs carry a stray control character now and then; other files are full of them.
    return text if len(_CONTROL.findall(text)) <= len(text) // 1000 else None


def _utf16_without_mark(head: bytes) -> str | None:
    """Windows tools write UTF-16 without a mark: every second byte of Latin text is then zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None
