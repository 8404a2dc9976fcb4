"""Where an index is: a folder and, for the vectors, optionally a Qdrant server."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.errors import UsageError
from haystack_agent.index_files import IndexFiles

if TYPE_CHECKING:
    from haystack_agent.settings import Settings

_NAME = re.compile(r"[\w][\w .-]{0,63}")


@dataclass(frozen=True, slots=True)
class IndexLocation:
    """The folder of an index; with `qdrant_url` the vectors of a new one are in a collection of that server instead."""

    path: Path
    qdrant_url: str | None = None
    qdrant_api_key: str | None = field(default=None, repr=False)


def resolve(settings: Settings, name_or_path: str | None = None) -> IndexLocation:
    """The location that a name or a path means; without one, the index of the settings.

    Anything with a path separator is a path. A plain name is an index in the data folder; only where there is none of
    that name and a folder here of that name holds an index, it is that folder.

    Raises:
        UsageError: it is neither a path nor fit to be a name.
    """
    chosen = settings.index if name_or_path is None else name_or_path
    key = settings.qdrant_api_key
    return IndexLocation(
        path=_folder(settings.data_dir, chosen),
        qdrant_url=settings.qdrant_url,
        qdrant_api_key=None if key is None else key.get_secret_value(),
    )


def _folder(data_dir: Path, chosen: str) -> Path:
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    if chosen in {".", ".."} or any(separator in chosen for separator in separators):
        return Path(os.path.realpath(Path(chosen).expanduser()))
    if not _NAME.fullmatch(chosen) or chosen.endswith((".", " ")):
        raise UsageError(
            f"{chosen!r} cannot be the name of an index: use letters, digits, '-', '_' and '.', or a path with a "
            f"'{os.sep}' in it."
        )
    named = data_dir / "indexes" / chosen
    here = Path(os.path.realpath(chosen))
    if not named.is_dir() and IndexFiles(here).card.is_file():
        return here
    return named
