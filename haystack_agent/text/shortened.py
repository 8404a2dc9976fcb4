"""Text that is cut where there is no more room for it."""

from __future__ import annotations


def shortened(text: str, limit: int) -> str:
    """The text or, where it is longer than `limit` characters, its beginning and an ellipsis, together as long."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
