"""What an index is made of, as a run over folders uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import IndexedPiece
from ingest.readers.registry import ReaderRegistry
from ingest.record.manifest import Manifest


class EncodesPieces(Protocol):
    """Gives pieces their vectors."""

    def encode(self, pieces: Sequence[NewPiece]) -> list[IndexedPiece]:
        """Encode pieces; order is kept."""

    def refresh(self, indexed: IndexedPiece, paths: tuple[str, ...], modified: datetime) -> IndexedPiece:
        """The same piece found at other paths; dense vectors are kept."""


@dataclass(frozen=True, slots=True)
class IndexParts:
    """What an index is made of; `profile` names its encoders, `look` is `Source.look` for every file."""

    store: Store
    manifest: Manifest
    encoder: EncodesPieces
    profile: str
    registry: ReaderRegistry
    look: int | None = None
