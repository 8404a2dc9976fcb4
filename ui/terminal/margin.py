"""Text that is printed while it is written, with a margin: nothing in it can pass for a line of the program's own."""

from __future__ import annotations

import re
from typing import TextIO

from ui import printable
from ui.terminal.cells import cells, fitting

_MARGIN = "  "
_NARROWEST = 20
_PARTS = re.compile(r"\n| +|[^ \n]+")


class Margin:
    """Writes words to a stream, each line with a margin; broken at `width` cells, or nowhere where that is None."""

    def __init__(self, stream: TextIO, width: int | None) -> None:
        self._stream = stream
        self._width = None if width is None else max(_NARROWEST, width)
        self._column = 0
        self._space = ""

    def write(self, words: str) -> None:
        """The next words."""
        for part in _PARTS.findall(printable.text(words)):
            if part == "\n":
                self.end_line()
            elif part.startswith(" "):
                self._space += part
            else:
                self._word(part)
        self._stream.flush()

    def end_line(self) -> None:
        """Begin a new line; where nothing was written yet, an empty one."""
        self._stream.write("\n")
        self._column, self._space = 0, ""

    @property
    def begun(self) -> bool:
        """Whether something stands on the line already."""
        return self._column > 0

    def _word(self, word: str) -> None:
        if self._column and not self._fits(self._space + word):
            self.end_line()
        if not self._column:
            self._put(_MARGIN)
        self._put(self._space)
        self._space = ""
        while not self._fits(word):
            end = fitting(word, 0, (self._width or 0) - self._column)
            self._put(word[:end])
            word = word[end:]
            self.end_line()
            self._put(_MARGIN)
        self._put(word)

    def _fits(self, text: str) -> bool:
        return self._width is None or self._column + cells(text) <= self._width

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._column += cells(text)
