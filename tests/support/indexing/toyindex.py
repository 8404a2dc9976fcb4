"""A real index on toy readers and a toy encoder, for tests of the pipeline."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from haystack_agent.encoders.pieces import NewPiece
from haystack_agent.records import Piece
from haystack_agent.store.edge.store import EdgeStore
from haystack_agent.store.values import IndexedPiece, StoreSchema, VectorName
from haystack_agent.vectors import FloatArray, SparseVector
from ingest.pipeline import IndexParts
from ingest.readers.registry import ReaderRegistry
from ingest.record.manifest import Manifest
from tests.support.indexing.toyreaders import registry

SCHEMA = StoreSchema(dense=((VectorName.TEXT, 4),))


class ToyEncoder:
    """Vectors made of hashes; counts what it encodes."""

    def __init__(self) -> None:
        self.encoded: list[Piece] = []

    def encode(self, pieces: Sequence[NewPiece]) -> list[IndexedPiece]:
        """Encode pieces."""
        self.encoded.extend(new.piece for new in pieces)
        return [
            IndexedPiece(
                new.piece,
                new.paths,
                new.modified,
                ((VectorName.TEXT, self.vector(new.piece.text)),),
                sparse(new.piece, new.paths),
            )
            for new in pieces
        ]

    def vector(self, text: str) -> FloatArray:
        """A direction for a text."""
        digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest()
        numbers = np.frombuffer(digest, dtype=np.uint8).astype(np.float32) + 1
        return (numbers / np.linalg.norm(numbers)).astype(np.float32)

    def refresh(self, indexed: IndexedPiece, paths: tuple[str, ...], modified: datetime) -> IndexedPiece:
        """New paths, new words."""
        return replace(indexed, paths=paths, modified=modified, bm25=sparse(indexed.piece, paths))


def sparse(piece: Piece, paths: tuple[str, ...]) -> SparseVector:
    """Two terms: the text, and the names."""
    texts = (piece.text, "/".join(paths))
    terms = {int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big"): 1.0 for text in texts}
    return SparseVector(tuple(sorted(terms)), tuple(1.0 for _ in terms))


def open_index(folder: Path, readers: ReaderRegistry | None = None) -> IndexParts:
    """A real manifest and a real shard in a folder."""
    folder.mkdir(exist_ok=True)
    store = EdgeStore.open(folder / "edge", SCHEMA)
    return IndexParts(store, Manifest(folder / "manifest.sqlite"), ToyEncoder(), "toy", readers or registry())


def close_index(index: IndexParts) -> None:
    """Let go of both."""
    index.store.close()
    index.manifest.close()


def contents(index: IndexParts) -> list[tuple[str, str, tuple[str, ...], str, tuple[float, ...], SparseVector | None]]:
    """Everything that the store holds, in a form that can be compared."""
    stored = index.store.fetch(sorted(index.store.asset_ids()))
    return sorted(
        (
            (s.piece.id, s.piece.text, s.paths, s.modified.isoformat(), tuple(map(float, s.dense[0][1])), s.bm25)
            for s in stored
        ),
        key=lambda entry: entry[:2],
    )


def age(folder: Path) -> None:
    """Make files look as if they had been written long ago, so that their stat can be trusted."""
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if path.is_file() and not path.is_symlink():
            os.utime(path, ns=(10**18 + number, 10**18 + number))
