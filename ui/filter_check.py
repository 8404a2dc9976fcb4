"""Filter values that nothing in an index has: they are told, with what there is instead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from haystack_agent.errors import UsageError
from haystack_agent.media import TYPES
from haystack_agent.records import Filters, Modality
from haystack_agent.text.language import LANGUAGES
from ui import printable

if TYPE_CHECKING:
    from haystack_agent.engine import Engine
    from haystack_agent.index_location import IndexLocation

_ROOTS = 5


def checked(engine: Engine, location: IndexLocation, chosen: Filters) -> list[str]:
    """A sentence for each medium, type and language chosen that nothing in the index has.

    Raises:
        UsageError: nothing in one of the folders chosen is in the index: its name is likely mistaken.
    """
    for folder in chosen.folders:
        if not engine.count(Filters(folders=(folder,))):
            raise UsageError(f"Nothing in the folder {printable.name(folder)} is in this index{_holding(location)}.")
    return list(_absent(engine, chosen))


def _holding(location: IndexLocation) -> str:
    from ingest.indexing import status

    roots = [printable.name(root) for root in status(location).roots]
    more = f" and {len(roots) - _ROOTS} more" if len(roots) > _ROOTS else ""
    return f", which holds {', '.join(roots[:_ROOTS])}{more}" if roots else ", which holds nothing yet"


def _absent(engine: Engine, chosen: Filters) -> Iterator[str]:
    media = {one.value: Filters(modalities=frozenset({one})) for one in Modality}
    yield from _told(engine, "kind", chosen.modalities, media)
    yield from _told(engine, "type", chosen.types, {one: Filters(types=frozenset({one})) for one in TYPES})
    yield from _told(engine, "language", chosen.languages, {one: _in(one) for one in LANGUAGES | chosen.languages})


def _in(language: str) -> Filters:
    return Filters(languages=frozenset({language}))


def _told(engine: Engine, what: str, chosen: Collection[str], known: Mapping[str, Filters]) -> Iterator[str]:
    absent = [value for value in sorted(chosen) if not engine.count(known[value])]
    if absent:
        there = [value for value in sorted(known) if engine.count(known[value])]
        yield f"Nothing of the {what} {', '.join(absent)} is in this index; there is {', '.join(there) or 'nothing'}."
