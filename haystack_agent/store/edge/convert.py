"""Values of this project to those of Qdrant Edge, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import qdrant_edge

from haystack_agent.store.points import Point
from haystack_agent.store.schema import DERIVED_FIELDS, AnyOf, Condition, from_payload
from haystack_agent.store.values import IndexedPiece, StoreSchema, VectorName
from haystack_agent.vectors import SparseVector

WITHOUT_DERIVED = qdrant_edge.PayloadSelector.Exclude([field.value for field in DERIVED_FIELDS])
"""Selects the fields that a piece is read from."""


def config(schema: StoreSchema) -> qdrant_edge.EdgeConfig:
    """Configuration of a shard with the vectors of `schema`, and with a log of writes."""
    distance = qdrant_edge.Distance.Cosine
    return qdrant_edge.EdgeConfig(
        vectors={name.value: qdrant_edge.EdgeVectorParams(size, distance) for name, size in schema.dense},
        sparse_vectors={VectorName.BM25.value: qdrant_edge.EdgeSparseVectorParams(modifier=qdrant_edge.Modifier.Idf)},
        wal_enabled=True,
    )


def upsert(batch: Sequence[Point]) -> qdrant_edge.UpdateOperation:
    """Write or replace the points."""
    return qdrant_edge.UpdateOperation.upsert_points([_point(point) for point in batch])


def delete(condition: Condition) -> qdrant_edge.UpdateOperation:
    """Remove the points that meet the condition."""
    return qdrant_edge.UpdateOperation.delete_points_by_filter(qdrant_edge.Filter(must=[_condition(condition)]))


def _point(point: Point) -> qdrant_edge.Point:
    indexed = point.indexed
    vectors: dict[str, Any] = {name.value: vector.tolist() for name, vector in indexed.dense}
    if indexed.bm25 is not None:
        vectors[VectorName.BM25.value] = sparse(indexed.bm25)
    return qdrant_edge.Point(indexed.piece.id, vectors, point.payload)


def sparse(vector: SparseVector) -> qdrant_edge.SparseVector:
    """A sparse vector as the engine takes it."""
    return qdrant_edge.SparseVector(list(vector.indices), list(vector.values))


def best_of(term: int) -> qdrant_edge.QueryRequest:
    """Ask for the score of the point in which a term weighs most."""
    query = qdrant_edge.Query.Nearest(sparse(SparseVector((term,), (1.0,))), using=VectorName.BM25.value)
    return qdrant_edge.QueryRequest(limit=1, query=query, with_payload=False)


def filter_of(conditions: Sequence[Condition]) -> qdrant_edge.Filter | None:
    """Conditions that must all hold; ``None`` for none."""
    return qdrant_edge.Filter(must=[_condition(condition) for condition in conditions]) if conditions else None


def page(condition: Condition, offset: qdrant_edge.PointId | None, number: int) -> qdrant_edge.ScrollRequest:
    """Ask for the next points that meet a condition, vectors included."""
    return qdrant_edge.ScrollRequest(
        offset=offset, limit=number, filter=filter_of((condition,)), with_payload=WITHOUT_DERIVED, with_vector=True
    )


def vectors_only(name: VectorName, conditions: Sequence[Condition], number: int) -> qdrant_edge.ScrollRequest:
    """Ask for one vector of each of the first points that meet conditions."""
    return qdrant_edge.ScrollRequest(
        limit=number, filter=filter_of(conditions), with_payload=False, with_vector=[name.value]
    )


def stored_piece(record: qdrant_edge.Record, schema: StoreSchema) -> IndexedPiece:
    """A piece with its vectors."""
    vectors = cast("dict[str, Any]", record.vector or {})
    dense = tuple(
        (name, np.asarray(vectors[name.value], np.float32)) for name, _ in schema.dense if name.value in vectors
    )
    bm25 = vectors.get(VectorName.BM25.value)
    return replace(
        from_payload(record.payload or {}),
        dense=dense,
        bm25=None if bm25 is None else SparseVector(tuple(bm25.indices), tuple(map(float, bm25.values))),
    )


def _condition(condition: Condition) -> qdrant_edge.FieldCondition:
    key = condition.field.value
    if isinstance(condition, AnyOf):
        return qdrant_edge.FieldCondition(key, match=qdrant_edge.MatchAny(list(condition.values)))
    return qdrant_edge.FieldCondition(key, range=qdrant_edge.RangeFloat(gte=condition.low, lte=condition.high))
