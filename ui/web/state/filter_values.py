"""Filters as the page sends and shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from haystack_agent.errors import UsageError
from haystack_agent.records import Filters, Modality
from ui import printable
from ui.options import FilterOptions, make_filters
from ui.web.state.catalogue import AssetEntry

_FACETS = 30
_Word = Annotated[str, StringConstraints(max_length=40)]
_Folder = Annotated[str, StringConstraints(max_length=4096)]


class FilterValues(BaseModel):
    """What a user chose; dates as ``2026``, ``2026-11`` or ``2026-11-22``."""

    modalities: list[Modality] = Field(default_factory=list, max_length=len(Modality))
    folders: list[_Folder] = Field(default_factory=list, max_length=20)
    types: list[_Word] = Field(default_factory=list, max_length=40)
    languages: list[_Word] = Field(default_factory=list, max_length=40)
    after: _Word = ""
    before: _Word = ""

    def filters(self) -> Filters:
        """As the engine takes them.

        Raises:
            UsageError: a type, language or date that cannot be.
        """
        after, before = self.after.strip() or None, self.before.strip() or None
        try:
            made = make_filters(FilterOptions(self.modalities, None, self.types, self.languages, after, before))
        except UsageError as error:
            raise UsageError(str(error).replace("--", "")) from None  # names of options of the command line
        return replace(made, folders=tuple(self.folders))


def values_of(filters: Filters) -> dict[str, object]:
    """As the page takes them."""
    return {
        "modalities": [one.value for one in Modality if one in filters.modalities],
        "folders": list(filters.folders),
        "types": sorted(filters.types),
        "languages": sorted(filters.languages),
        "after": f"{filters.after:%Y-%m-%d}" if filters.after else "",
        "before": f"{filters.before:%Y-%m-%d}" if filters.before else "",
    }


class Facets:
    """What can be chosen, kept until other files are known: counting tens of thousands takes a second."""

    def __init__(self) -> None:
        self._kept: tuple[Sequence[AssetEntry], Sequence[str], dict[str, object]] = ((), (), facets((), ()))

    def of(self, entries: Sequence[AssetEntry], roots: Sequence[str]) -> dict[str, object]:
        """As `facets` says; a list of entries that is given again has not changed."""
        known, below, told = self._kept
        if entries is not known or roots != below:
            told = facets(entries, roots)
            self._kept = (entries, roots, told)  # at once: several threads ask
        return told


def facets(entries: Sequence[AssetEntry], roots: Sequence[str]) -> dict[str, object]:
    """What can be chosen, and how many files have it, the most frequent first."""
    languages = Counter(language for one in entries for language in one.languages)
    days = sorted(one.made.date().isoformat() for one in entries)
    return {
        "modalities": _counted(Counter(one.modality.value for one in entries)),
        "types": _counted(Counter(one.media_type for one in entries)),
        "languages": _counted(languages),
        "folders": _folders(entries, roots),
        "first": days[0] if days else "",
        "last": days[-1] if days else "",
    }


def _counted(counter: Counter[str]) -> list[dict[str, object]]:
    return [
        {"value": value, "label": printable.name(value), "count": count}
        for value, count in counter.most_common(_FACETS)
    ]


def _folders(entries: Sequence[AssetEntry], roots: Sequence[str]) -> list[dict[str, object]]:
    """The folders that were indexed, and those directly in them."""
    counts: Counter[str] = Counter()
    for one in entries:
        folder = PurePath(one.path).parent
        for root in (root for root in map(PurePath, roots) if folder.is_relative_to(root)):
            below = folder.relative_to(root).parts
            counts.update([str(root), *([str(root / below[0])] if below else [])])
    ordered = sorted(counts, key=lambda folder: (-counts[folder], folder))[:_FACETS]
    return [
        {"value": one, "label": printable.name(PurePath(one).name or one), "count": counts[one]}
        for one in sorted(ordered)
    ]
