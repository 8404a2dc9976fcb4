"""Values of this project to those of `qdrant_client`, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qdrant_client import models

from haystack_agent.store.points import Point
from haystack_agent.store.schema import DERIVED_FIELDS, AnyOf, Condition, from_payload
from haystack_agent.store.values import IndexedPiece, StoreSchema, VectorName
from haystack_agent.vectors import SparseVector

_BM25 = VectorName.BM25.value
WITHOUT_DERIVED = models.PayloadSelectorExclude(exclude=[field.value for field in DERIVED_FIELDS])


def configs(schema: StoreSchema) -> tuple[dict[str, models.VectorParams], dict[str, models.SparseVectorParams]]:
    """Configuration of the dense and of the sparse vectors."""
    cosine = models.Distance.COSINE
    dense = {name.value: models.VectorParams(size=size, distance=cosine) for name, size in schema.dense}
    return dense, {_BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)}


def sizes_of(params: models.CollectionParams) -> dict[str, int]:
    """Length of each dense vector of a collection; the one without a name has an empty name."""
    vectors = params.vectors
    if vectors is None:
        return {}
    if isinstance(vectors, models.VectorParams):
        return {"": vectors.size}
    return {name: vector.size for name, vector in vectors.items()}


def point(point: Point) -> models.PointStruct:
    """A point as the client takes it."""
    indexed = point.indexed
    vectors: dict[str, Any] = {name.value: vector.tolist() for name, vector in indexed.dense}
    if indexed.bm25 is not None:
        vectors[_BM25] = sparse(indexed.bm25)
    return models.PointStruct(id=indexed.piece.id, vector=vectors, payload=point.payload)


def sparse(vector: SparseVector) -> models.SparseVector:
    """A sparse vector as the client takes it."""
    return models.SparseVector(indices=list(vector.indices), values=list(vector.values))


def best_of(term: int) -> models.QueryRequest:
    """Ask for the score of the point in which a term weighs most."""
    query = sparse(SparseVector((term,), (1.0,)))
    return models.QueryRequest(query=query, using=_BM25, limit=1, with_payload=False)


def filter_of(conditions: Sequence[Condition]) -> models.Filter:
    """Conditions that must all hold."""
    return models.Filter(must=[_condition(condition) for condition in conditions])


def stored_piece(record: models.Record, schema: StoreSchema) -> IndexedPiece:
    """A piece with its vectors."""
    vectors: dict[str, Any] = record.vector if isinstance(record.vector, dict) else {}
    dense = tuple(
        (name, np.asarray(vectors[name.value], np.float32)) for name, _ in schema.dense if name.value in vectors
    )
    bm25 = vectors.get(_BM25)
    return replace(
        from_payload(record.payload or {}),
        dense=dense,
        bm25=None if bm25 is None else SparseVector(tuple(bm25.indices), tuple(map(float, bm25.values))),
    )


def _condition(condition: Condition) -> models.FieldCondition:
    key = condition.field.value
    if isinstance(condition, AnyOf):
        return models.FieldCondition(key=key, match=models.MatchAny(any=list(condition.values)))
    return models.FieldCondition(key=key, range=models.Range(gte=condition.low, lte=condition.high))
