"""How many cells of a terminal text takes at most: terminals differ, and nothing may reach beyond the end of a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import get_character_cell_size

_NARROWEST = 20
_FIRST_PICTOGRAPH = "\U0001f000"


def cells(text: str) -> int:
    """The most that any terminal is known to need."""
    return len(text) if text.isascii() else sum(map(_most, text))


def fitting(text: str, start: int, room: int) -> int:
    """Where the part of a text ends that begins at `start` and takes at most `room` cells; one sign at least."""
    end = start
    while end < len(text) and (room := room - _most(text[end])) >= 0:
        end += 1
    return max(end, min(start + 1, len(text)))


def folded(text: str, width: int, hang: int) -> Iterator[tuple[int, int]]:
    """Where the lines begin and end that one line of text becomes, the second and further ones `hang` cells shorter."""
    start, room = 0, max(_NARROWEST, width - 1)
    while (end := fitting(text, start, room)) < len(text):
        margin = len(text) - len(text[start:].lstrip(" "))
        space = text.rfind(" ", margin, end + 1)
        end = space if space > margin else end
        yield start, end
        start = end + (text[end] == " ")
        room = max(_NARROWEST, width - 1 - hang)
    yield start, len(text)


@lru_cache(maxsize=4096)
def _most(sign: str) -> int:
    if sign >= _FIRST_PICTOGRAPH or unicodedata.east_asian_width(sign) in {"W", "F"}:
        return 2  # modifiers and flags too, which some draw within the sign before and some do not
    drawn_over = unicodedata.category(sign) in {"Mn", "Me"}
    return max(get_character_cell_size(sign), 0 if drawn_over else 1)
