"""What a store is given and gives: names of vectors, stored pieces, samples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from haystack_agent.records import Piece
from haystack_agent.vectors import FloatArray, SparseVector


class VectorName(StrEnum):
    """Names of the vectors of a point, as written in the collection."""

    TEXT = "text"
    BM25 = "bm25"
    UCLIP = "uclip"


@dataclass(frozen=True, slots=True)
class StoreSchema:
    """The vectors a collection holds: the length of each dense one (``bm25`` is always there)."""

    dense: tuple[tuple[VectorName, int], ...]


@dataclass(frozen=True, slots=True)
class IndexedPiece:
    """A piece as stored: where its asset is found, when that file was changed, and the piece's vectors."""

    piece: Piece
    paths: tuple[str, ...]
    """Absolute paths."""
    modified: datetime
    """Change time of the file, aware; stands in for `AssetMeta.created` in date filters."""
    dense: tuple[tuple[VectorName, FloatArray], ...] = ()
    bm25: SparseVector | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Some points' vectors of one name."""

    ids: tuple[str, ...]
    vectors: FloatArray
    """Shape (len(ids), length of the vector), rows of length 1."""
