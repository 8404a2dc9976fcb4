"""Questions to begin with, made of what stands in the user's own files; a question about a table is offered only if it
is answered from that table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import PurePath

from haystack_agent.records import Answer, Modality
from ui import printable
from ui.web.state.catalogue import AssetEntry

_MOST = 4
_LONGEST = 60
_TRIED = 6
_WORDS = re.compile(r"[^\W\d_][\w .,'’&()-]{2,40}")
_NUMBERED = re.compile(r"(?:img|dsc|dscn|pxl|vid|mvi|image|photo|scan|doc|clip)?[\W_]*\d[\d\W_]*", re.IGNORECASE)
Ask = Callable[[str], Answer]


def examples(entries: Sequence[AssetEntry], ask: Ask) -> list[str]:
    """At most four questions, each about a file of another kind."""
    found = [
        next(_about_rows(entries, ask), None),
        next(_named(entries, Modality.DOCUMENT, "What does “{}” say?"), None),
        next(_about_pictures(entries), None),
        next(_named(entries, Modality.VIDEO, "Which clip shows “{}”?"), None),
    ]
    return [question for question in found if question][:_MOST]


def _about_rows(entries: Sequence[AssetEntry], ask: Ask) -> Iterator[str]:
    english_first = sorted(entries, key=lambda one: one.languages != ("en",))
    asked = ((one.asset_id, question) for one in english_first for row in one.rows if (question := _of_row(row, one)))
    for asset_id, question in islice(asked, _TRIED):
        answer = ask(question)
        if not answer.abstained and answer.citations[0].evidence.piece.asset_id == asset_id:
            yield question


def _of_row(row: str, entry: AssetEntry) -> str | None:
    """``What is the price of brake pads?`` for the row ``Item: brake pads; Price: 34``."""
    first, *rest = row.split("; ")
    name = first.rpartition(": ")[2].strip()
    pairs = [part.partition(": ") for part in rest]
    column = next((key.strip() for key, _, value in pairs if any(map(str.isdigit, value))), "")
    if not _WORDS.fullmatch(name) or not _WORDS.fullmatch(column):
        return None
    if entry.languages == ("en",):
        return f"What is the {column.lower()} of {name}?"
    return f"{name}: {column}?"


def _named(entries: Sequence[AssetEntry], modality: Modality, words: str) -> Iterator[str]:
    for entry in entries:
        name = _name(entry)
        if entry.modality is modality and _WORDS.fullmatch(name):
            yield words.format(printable.short(name, _LONGEST))


def _about_pictures(entries: Sequence[AssetEntry]) -> Iterator[str]:
    pictures = [entry for entry in entries if entry.modality is Modality.IMAGE]
    yield from (
        f"Photos from {place}" for entry in pictures if _WORDS.fullmatch(place := entry.place.partition(",")[0])
    )
    yield from (f"Photos from {entry.made.year}" for entry in pictures)


def _name(entry: AssetEntry) -> str:
    if entry.title:
        return entry.title
    stem = PurePath(entry.path).stem
    return "" if _NUMBERED.fullmatch(stem) else re.sub(r"[_\-]+", " ", stem)
