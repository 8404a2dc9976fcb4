"""What a reader must offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from haystack_agent.records import Piece
from haystack_agent.vectors import Pixels

DAMAGED = "is damaged, or of a form that is not read"
"""What is said of a file, or a part of one, where a decoder fails in a way that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read: `path` was seen to be a regular file whose first bytes say `media_type`."""

    path: Path
    asset_id: str
    media_type: str
    siblings: tuple[Path, ...] = ()
    """Files beside it that belong to it (subtitles)."""
    look: int | None = None
    """Shorter side in pixels of the pictures wanted of its pages, pictures and segments; ``None`` for none."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life from a reader: `done` of `total` units (pages, frames); the time limit starts anew."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Part of the file could not be read or searched; `message` is one line for the user."""

    message: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the next piece looks like; only where `Source.look` asks for it."""

    looks: tuple[Pixels, ...]


ReadEvent = Piece | Seen | Progress | Warned


class Reader(Protocol):
    """Turns one file into pieces. Runs in a worker process; holds no state between files but its models."""

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Yield the file's pieces in order of `Piece.index`.

        Raises:
            ReadFailed: the file as a whole cannot be read; the message is one line.
        """
