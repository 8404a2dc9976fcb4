"""Checks before every write and search.

The embedded store refuses some bad points only after it has logged them, and they come back as empty points when it
is opened again; so nothing reaches a store before all of it was checked here. What fails is a mistake of the calling
code, not of the user: every function raises `ValueError`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from haystack_agent.records import Box, Piece
from haystack_agent.store.values import IndexedPiece, StoreSchema, VectorName
from haystack_agent.vectors import FloatArray, SparseVector

_UINT32 = 2**32
_FLOAT32_MAX = float(np.finfo(np.float32).max)


def check_schema(schema: StoreSchema) -> None:
    """Refuse a schema with a vector named twice, a dense ``bm25`` or a length below 1."""
    names = [name for name, _ in schema.dense]
    if len(set(names)) < len(names):
        raise ValueError(f"vectors named twice in {names}")
    for name, size in schema.dense:
        if VectorName(name) is VectorName.BM25:
            raise ValueError("bm25 is sparse: it has no length")
        if size < 1:
            raise ValueError(f"vector {name} has length {size}, not 1 or more")


def check_pieces(pieces: Sequence[IndexedPiece], schema: StoreSchema) -> None:
    """Refuse pieces that share an id, or of which anything cannot be stored and read back."""
    ids: set[str] = set()
    sizes = dict(schema.dense)
    for indexed in pieces:
        identity = indexed.piece.id
        if identity in ids:
            raise ValueError(f"two pieces of one batch have the id {identity} (asset {indexed.piece.asset_id})")
        ids.add(identity)
        try:
            _check_piece(indexed, sizes)
        except ValueError as error:
            raise ValueError(f"piece {indexed.piece.index} of asset {indexed.piece.asset_id}: {error}") from error


def check_dense(name: VectorName, vector: FloatArray, schema: StoreSchema) -> None:
    """Refuse a dense vector of unknown name, of another shape than (length,), or with NaN or infinity."""
    _check_dense(name, vector, dict(schema.dense))


def check_sparse(vector: SparseVector) -> None:
    """Refuse a sparse vector unless indices are ascending distinct uint32 and the weights finite float32."""
    if len(vector.indices) != len(vector.values):
        raise ValueError(f"{len(vector.indices)} sparse indices with {len(vector.values)} weights")
    if not vector.indices:
        return
    indices = np.asarray(vector.indices)
    if indices.dtype.kind not in "iu" or indices.min() < 0 or indices.max() >= _UINT32:
        raise ValueError("sparse indices are not integers from 0 to 2**32 - 1")
    if (np.diff(indices.astype(np.int64)) <= 0).any():
        raise ValueError("sparse indices are not ascending and distinct")
    if not (np.abs(np.asarray(vector.values, np.float64)) <= _FLOAT32_MAX).all():
        raise ValueError("sparse weights are not all finite")


def _check_piece(indexed: IndexedPiece, sizes: dict[VectorName, int]) -> None:
    if not indexed.piece.asset_id:
        raise ValueError("the asset id is empty")
    if indexed.modified.tzinfo is None:
        raise ValueError("the change time has no time zone")
    names = [name for name, _ in indexed.dense]
    if len(set(names)) < len(names):
        raise ValueError(f"vectors named twice in {names}")
    for name, vector in indexed.dense:
        _check_dense(name, vector, sizes)
    if indexed.bm25 is not None:
        check_sparse(indexed.bm25)
    _check_places(indexed.piece)


def _check_dense(name: VectorName, vector: FloatArray, sizes: dict[VectorName, int]) -> None:
    if name not in sizes:
        raise ValueError(f"there is no dense vector named {name} here, only {', '.join(sizes) or 'none'}")
    if vector.shape != (sizes[name],):
        raise ValueError(f"vector {name} has shape {vector.shape}, not ({sizes[name]},)")
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.vdot(vector, vector)
    if not np.isfinite(squared):
        raise ValueError(f"vector {name} holds NaN or infinity, or is too long to be normalised")


def _check_places(piece: Piece) -> None:
    for span in piece.spans:
        if not 0 <= span.start <= span.end < _UINT32:
            raise ValueError(f"span from {span.start} to {span.end}")
        if span.box is not None:
            _check_box(span.box)
        if span.seconds is not None:
            _check_times(span.seconds)
    for box in piece.locator.boxes:
        _check_box(box)
    _check_times([time for time in (piece.locator.start, piece.locator.end, piece.meta.duration) if time is not None])
    _check_times(piece.key_frames)


def _check_box(box: Box) -> None:
    if not math.isfinite(box.x0 + box.y0 + box.x1 + box.y1):
        raise ValueError(f"{box} is not finite")


def _check_times(times: Sequence[float]) -> None:
    if not all(map(math.isfinite, times)):
        raise ValueError(f"times {tuple(times)} are not finite")
