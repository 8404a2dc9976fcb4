"""What the stores do alike: batches bounded in points and bytes, and rankings in which ties have one order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np

from haystack_agent.store.hit import Hit
from haystack_agent.store.packing import escape
from haystack_agent.store.schema import AnyOf, Field, Payload, to_payload
from haystack_agent.store.values import IndexedPiece, Sample

EXACT_UP_TO = 50_000
"""Up to this many pieces are compared one by one: an approximate search loses results among small groups."""
_ASSETS_A_REQUEST = 500
_MOST_TIES = 4096
_NUMBER_BYTES = 24
"""Upper bound of the digits of a float32 or term hash, with separator, in JSON."""


class Point(NamedTuple):
    """A piece and its payload, ready to be written; `size` bounds its bytes as JSON from above."""

    indexed: IndexedPiece
    payload: Payload
    size: int


class ScoredPoint(NamedTuple):
    """A point found by a search."""

    score: float
    id: str
    payload: Payload


def batches(pieces: Iterable[IndexedPiece], most_points: int, most_bytes: int) -> Iterator[list[Point]]:
    """Cut pieces into batches within both bounds; a piece too large by itself stands alone."""
    batch: list[Point] = []
    used = 0
    for indexed in pieces:
        point = _point(indexed)
        if batch and (len(batch) == most_points or used + point.size > most_bytes):
            yield batch
            batch, used = [], 0
        batch.append(point)
        used += point.size
    if batch:
        yield batch


def asset_conditions(asset_ids: Iterable[str]) -> Iterator[AnyOf]:
    """Conditions that together cover the assets, each naming so many as one request may hold."""
    ordered = iter(sorted({escape(asset_id) for asset_id in asset_ids}))
    while group := tuple(islice(ordered, _ASSETS_A_REQUEST)):
        yield AnyOf(Field.ASSET, group)


class PointRanking(Protocol):
    """One search, asked of a store as often as needed."""

    def best(self, number: int) -> Sequence[ScoredPoint]:
        """The so many best points with their payloads."""

    def best_ids(self, number: int) -> Sequence[ScoredPoint]:
        """The same with empty payloads: much faster for many."""

    def payloads(self, ids: Sequence[str]) -> dict[str, Payload]:
        """Payloads of points by id."""


def best_hits(ranking: PointRanking, limit: int) -> list[Hit]:
    """The `limit` best points of a search, best first, equal scores in order of the point id.

    Where a tie goes over the end, some thousands of points are looked at; which ones of an even longer tie are among
    them is the store's choice.
    """
    if limit < 1:
        return []
    found = _ordered(ranking.best(limit + 1))
    if len(found) > limit and found[limit - 1].score == found[limit].score:
        tied = _ordered(ranking.best_ids(limit + _MOST_TIES))[:limit]
        payloads = ranking.payloads([point.id for point in tied])
        # A point may be gone since: another client of a server may have removed it.
        found = [point._replace(payload=payloads[point.id]) for point in tied if point.id in payloads]
    return [Hit(point.id, point.score, point.payload) for point in found[:limit]]


def _ordered(found: Sequence[ScoredPoint]) -> list[ScoredPoint]:
    return sorted(found, key=lambda point: (-point.score, point.id))


def in_order(pieces: Iterable[IndexedPiece]) -> list[IndexedPiece]:
    """Pieces in order of asset and index."""
    return sorted(pieces, key=lambda indexed: (indexed.piece.asset_id, indexed.piece.index, indexed.piece.id))


def sample_of(found: Iterable[tuple[str, Sequence[float] | None]], length: int) -> Sample:
    """Points that have the vector."""
    kept = [(identity, vector) for identity, vector in found if vector is not None]
    vectors = np.array([vector for _, vector in kept], dtype=np.float32).reshape(-1, length)
    return Sample(tuple(identity for identity, _ in kept), vectors)


def _point(indexed: IndexedPiece) -> Point:
    payload = to_payload(indexed)
    numbers = sum(len(vector) for _, vector in indexed.dense)
    if indexed.bm25 is not None:
        numbers += 2 * len(indexed.bm25.indices)
    return Point(indexed, payload, len(json.dumps(payload)) + _NUMBER_BYTES * numbers + 256)
