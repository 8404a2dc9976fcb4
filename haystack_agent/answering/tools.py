"""The tools of the agent: search, open, look beside, list. Their results are text and references; `Looks` turns the
references into pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import WithJsonSchema

from haystack_agent import places
from haystack_agent.answering.checks.marks import Mark
from haystack_agent.answering.messages import described
from haystack_agent.answering.sources import Book, Sources
from haystack_agent.records import Evidence, Filters, Modality
from haystack_agent.text.visible import one_line

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

ModalityName = Annotated[Modality, WithJsonSchema({"enum": [one.value for one in Modality], "type": "string"})]
"""As a model is told of it: its values alone, no word of how the program is made."""
TOOLS = ("search", "open", "neighbours", "list_sources")
"""Methods of `Toolbox` that a model can call, by these names."""
_SHOWN = 3
_FOUND_SIDE, _OPENED_SIDE = 768, 1568
_FOUND_CHARACTERS, _OPENED_CHARACTERS = 1500, 8000
_NAMES, _NAME = 100, 200
"""Files listed, and characters of the path of one."""


@dataclass(frozen=True, slots=True)
class PictureReference:
    """A reference to a picture that a tool's result is about: place number and longest side in pixels."""

    number: int
    side: int


class Toolbox:
    """The tools of one run."""

    def __init__(self, sources: Sources, book: Book, mark: Mark) -> None:
        self._sources = sources
        self._book = book
        self._mark = mark

    def tools(self) -> list[BaseTool]:
        """As LangChain takes them."""
        from langchain_core.tools import StructuredTool

        made = [getattr(self, name) for name in TOOLS]
        return [StructuredTool.from_function(one, response_format="content_and_artifact") for one in made]

    def search(
        self,
        query: str,
        modality: ModalityName | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> tuple[str, list[PictureReference]]:
        """Find places in the user's files for a query in any language: words, or what a picture shows.

        Dates (when the content was made) are written 2026-11-22.
        """
        try:
            filters = Filters(
                modalities=frozenset({Modality(modality)} if modality else ()),
                after=_date(after),
                before=_date(before),
            )
        except ValueError:
            return f"{after or ''} {before or ''} is no date: write 2026-11-22.", []
        found = self._sources.search(query, places.GIVEN, filters)
        return self._told(found, _FOUND_CHARACTERS, _FOUND_SIDE, "Nothing was found: try other words.")

    def open(self, number: int) -> tuple[str, list[PictureReference]]:
        """Look at a numbered place closely: its whole text, and its page, photo or frames at full size."""
        evidence = self._book.get(number)
        if evidence is None:
            return self._unknown(number), []
        return self._told([evidence], _OPENED_CHARACTERS, _OPENED_SIDE, "")

    def neighbours(self, number: int) -> tuple[str, list[PictureReference]]:
        """The page before and after a numbered place, or the moments of a clip before and after it."""
        evidence = self._book.get(number)
        if evidence is None:
            return self._unknown(number), []
        beside = self._sources.beside(evidence)
        return self._told(beside, _FOUND_CHARACTERS, _FOUND_SIDE, "There is nothing before or after it.")

    def list_sources(self) -> tuple[str, list[PictureReference]]:
        """Names of the user's files."""
        names, more = self._sources.names(_NAMES)
        rest = "\n(and more: use search)" if more else ""
        return self._mark.around("\n".join(map(_listed, names))) + rest, []

    def _told(
        self, found: Sequence[Evidence], most: int, side: int, nothing: str
    ) -> tuple[str, list[PictureReference]]:
        numbers = [self._book.number(one) for one in found]
        texts = [described(number, one, self._mark, most) for number, one in zip(numbers, found, strict=True)]
        return "\n\n".join(texts) or nothing, [PictureReference(number, side) for number in numbers[:_SHOWN]]

    def _unknown(self, number: int) -> str:
        count = len(self._book.evidence)
        return f"There is no place [{number}]: there are [1] to [{count}]." if count else "Search first."


def _listed(path: str) -> str:
    """A path on one line; of a long one its end, which has the name."""
    line = one_line(path)
    return line if len(line) <= _NAME else f"…{line[1 - _NAME :]}"


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone() if text else None
