"""What an agent may look at: one index, within the filters that the user set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePath
from typing import Protocol

from haystack_agent.media import PlaceOf, medium_of
from haystack_agent.records import Evidence, Filters, Piece, PieceKind
from haystack_agent.store.values import IndexedPiece

Search = Callable[[str, int, Filters], list[Evidence]]


class Shelf(Protocol):
    """What of a store is looked at."""

    def fetch(self, asset_ids: Collection[str]) -> Sequence[IndexedPiece]:
        """See `Store`."""
        ...

    def asset_ids(self) -> Iterable[str]:
        """See `Store`."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Search in an index, the places beside a place, and names of what there is."""

    store: Shelf
    find: Search
    filters: Filters
    """The user's own: what an agent asks for can only narrow them."""

    def search(self, query: str, top_k: int, wanted: Filters = Filters()) -> list[Evidence]:
        """The best places for a query."""
        both = self.filters.modalities & wanted.modalities if self.filters.modalities else wanted.modalities
        if wanted.modalities and not both:
            return []
        after = max(filter(None, (self.filters.after, wanted.after)), default=None)
        before = min(filter(None, (self.filters.before, wanted.before)), default=None)
        modalities = both or self.filters.modalities
        return self.find(query, top_k, replace(self.filters, modalities=modalities, after=after, before=before))

    def beside(self, evidence: Evidence) -> list[Evidence]:
        """The pages, or the stretches of a clip, before and after a place; none of a picture."""
        piece = evidence.piece
        pieces = [one.piece for one in self.store.fetch([piece.asset_id])]
        medium = medium_of(piece.modality)
        kind = None if medium.place is PlaceOf.REGION else medium.whole
        whole = [one for one in pieces if one.kind is kind] or [one for one in pieces if one.kind is PieceKind.PASSAGE]
        whole.sort(key=_order)
        before = [one for one in whole if _order(one) < _order(piece)]
        after = [one for one in whole if _order(one) > _order(piece)]
        return [Evidence(one, evidence.paths, 0.0) for one in (*before[-1:], *after[:1])]

    def names(self, most: int) -> tuple[list[str], bool]:
        """Paths of some of the files within the filters, in order, and whether there are more."""
        found: set[str] = set()
        ids = iter(self.store.asset_ids())
        while len(found) <= most and (batch := list(islice(ids, most))):
            found.update(path for one in self.store.fetch(batch) for path in _within(one, self.filters)[:1])
        return sorted(found)[:most], len(found) > most


def _within(one: IndexedPiece, filters: Filters) -> list[str]:
    """The paths of a piece that the filters let through."""
    piece = one.piece
    made = piece.meta.created or one.modified
    day = made.date()
    if (
        (filters.modalities and piece.modality not in filters.modalities)
        or (filters.types and piece.meta.media_type not in filters.types)
        or (filters.languages and piece.language not in filters.languages)
        or (filters.after and day < filters.after.date())
        or (filters.before and day > filters.before.date())
    ):
        return []
    folders = [PurePath(folder) for folder in filters.folders]
    return [path for path in one.paths if not folders or any(map(PurePath(path).is_relative_to, folders))]


def _order(piece: Piece) -> tuple[float, float, int]:
    """By page or time, and where there is neither, by place in the file."""
    page, start = piece.locator.page, piece.locator.start
    return (page or 0, start or 0.0, piece.index if page is None and start is None else 0)


class Book:
    """Evidence of one run, numbered from 1 in the order in which it was found."""

    def __init__(self) -> None:
        self._evidence: list[Evidence] = []
        self._numbers: dict[str, int] = {}

    @property
    def evidence(self) -> Sequence[Evidence]:
        """All of it, in the order of the numbers."""
        return tuple(self._evidence)

    def number(self, evidence: Evidence) -> int:
        """The number of a place, the same however often it is found."""
        key = evidence.piece.id
        if key not in self._numbers:
            self._evidence.append(evidence)
            self._numbers[key] = len(self._evidence)
        return self._numbers[key]

    def get(self, number: int) -> Evidence | None:
        """The place of a number."""
        return self._evidence[number - 1] if 1 <= number <= len(self._evidence) else None
