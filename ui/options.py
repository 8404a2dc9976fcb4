"""Options that commands share, and what they are turned into."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haystack_agent.errors import UsageError
from haystack_agent.media import TYPES
from haystack_agent.records import Filters, Modality

if TYPE_CHECKING:
    from haystack_agent.index_location import IndexLocation
    from haystack_agent.settings import Settings

Index = Annotated[str | None, typer.Option("--index", metavar="NAME_OR_PATH", help="The index to use.")]
QdrantUrl = Annotated[
    str | None,
    typer.Option(
        "--qdrant-url", metavar="URL", help="Keep the vectors on this Qdrant server (key: HAYSTACK_QDRANT_API_KEY)."
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="A language model: provider:model, or one of the server's."),
]
ModelUrl = Annotated[
    str | None,
    typer.Option("--model-url", metavar="URL", help="A server with the OpenAI chat API (key: HAYSTACK_MODEL_API_KEY)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
TopK = Annotated[int, typer.Option("--top-k", min=1, max=1000, help="How many places to look for.")]
TopKUnlessAgent = Annotated[
    int | None,
    typer.Option("--top-k", min=1, max=1000, help="How many places to look for; not for an agent."),
]
Modalities = Annotated[list[Modality] | None, typer.Option("--modality", help="Only such evidence (repeatable).")]
Folders = Annotated[
    list[str] | None, typer.Option("--folder", metavar="FOLDER", help="Only files in this folder (repeatable).")
]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="Only this kind of file: pdf, jpeg, mp4 (repeatable)."),
]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="CODE", help="Only text in this language: en, cs (repeatable)."),
]
After = Annotated[
    str | None, typer.Option("--after", metavar="DATE", help="Made on this day or later: 2026, 2026-11 or 2026-11-22.")
]
Before = Annotated[str | None, typer.Option("--before", metavar="DATE", help="Made on this day or earlier.")]
AsAsked = Annotated[
    bool, typer.Option("--as-asked", help="Search everything, even where the question says: photos from last summer.")
]
Batch = Annotated[
    str | None,
    typer.Option("--batch", metavar="FILE", help="One question a line in ('-': standard input), one JSON object out."),
]
Explain = Annotated[bool, typer.Option("--explain", help="Show the rank and the score that each way of search gave.")]


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Filter options as they were typed."""

    modalities: Sequence[Modality] | None = None
    folders: Sequence[str] | None = None
    types: Sequence[str] | None = None
    languages: Sequence[str] | None = None
    after: str | None = None
    before: str | None = None


def settings_for(qdrant_url: str | None = None) -> Settings:
    """The settings with what was given on the command line."""
    from haystack_agent.settings import load_settings

    return load_settings({"qdrant_url": qdrant_url})


def location_for(settings: Settings, index: str | None) -> IndexLocation:
    """The index to use."""
    from haystack_agent.index_location import resolve

    return resolve(settings, index)


def make_filters(options: FilterOptions) -> Filters:
    """Filters from the options.

    Raises:
        UsageError: a type, language or date that cannot be.
    """
    after = _period(options.after, "--after")
    before = _period(options.before, "--before")
    if after and before and after[0] > before[1]:
        raise UsageError(f"--after {options.after} is later than --before {options.before}: nothing can match.")
    return Filters(
        modalities=frozenset(options.modalities or ()),
        folders=tuple(map(_folder, options.folders or ())),
        types=frozenset(_types(options.types or ())),
        languages=frozenset(map(_language, options.languages or ())),
        after=after[0] if after else None,
        before=before[1] if before else None,
    )


def _folder(name: str) -> str:
    """A folder as the index names it: absolute, links followed, bytes that are no UTF-8 written out."""
    real = os.path.realpath(Path(name).expanduser())
    return os.fsencode(real).decode("utf-8", "backslashreplace")


_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def _period(text: str | None, option: str) -> tuple[datetime, datetime] | None:
    """First and last moment, local time, of a year, a month or a day."""
    if text is None:
        return None
    match = _DATE.fullmatch(text.strip())
    try:
        year, month, day = (int(part) if part else None for part in match.groups()) if match else (0, None, None)
        first = datetime(year or 0, month or 1, day or 1)
        start, end = first.astimezone(), _following(first, month, day).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {text!r} is no date: write a year, month or day as 2026, 2026-11 or 2026-11-22."
        ) from None
    return start, end - timedelta(microseconds=1)


def _following(start: datetime, month: int | None, day: int | None) -> datetime:
    """The start of the next year, month or day."""
    if day:
        return start + timedelta(days=1)
    if month and month < 12:
        return start.replace(month=month + 1)
    return start.replace(year=start.year + 1, month=1)


_ALIASES = {
    "jpg": "jpeg",
    "tif": "tiff",
    "md": "markdown",
    "htm": "html",
    "text": "txt",
    "heif": "heic",
    "ts": "mpegts",
}


def _types(names: Iterable[str]) -> list[str]:
    types = []
    for name in names:
        plain = name.strip().lower().removeprefix(".")
        media_type = _ALIASES.get(plain, plain)
        if media_type not in TYPES:
            raise UsageError(f"--type {name!r} is not a kind of file that is read: use {', '.join(sorted(TYPES))}.")
        types.append(media_type)
    return types


def _language(code: str) -> str:
    plain = code.strip().lower()
    if not re.fullmatch("[a-z]{2}", plain):
        raise UsageError(f"--language {code!r} is not a code of two letters, such as en, cs or zh.")
    return plain
