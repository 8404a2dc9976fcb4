"""What the stores do alike: batches bounded in points and bytes, and rankings in which ties have one order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from haystack_agent.store.packing import escape
from haystack_agent.store.protocol import Hit, IndexedPiece
from haystack_agent.store.schema import AnyOf, Field, Payload, from_payload, to_payload

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


class Scored(NamedTuple):
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


def best_hits(ask: Callable[[int], Sequence[Scored]], limit: int) -> list[Hit]:
    """The `limit` best points of a search, best first, equal scores in order of the point id.

    `ask(n)` gives the n best points. It is asked for more while a tie goes over the end of what it gave, up to some
    thousands: beyond that, which of the equal points are found is the store's choice.
    """
    if limit < 1:
        return []
    asked = limit + 1
    while True:
        found = sorted(ask(asked), key=lambda point: (-point.score, point.id))
        if len(found) < asked or found[limit - 1].score > found[-1].score or asked > limit + _MOST_TIES:
            return [Hit(from_payload(point.payload), point.score) for point in found[:limit]]
        asked = limit + 4 * (asked - limit)


def in_order(pieces: Iterable[IndexedPiece]) -> list[IndexedPiece]:
    """Pieces in order of asset and index."""
    return sorted(pieces, key=lambda indexed: (indexed.piece.asset_id, indexed.piece.index, indexed.piece.id))


def _point(indexed: IndexedPiece) -> Point:
    payload = to_payload(indexed)
    numbers = sum(len(vector) for _, vector in indexed.dense)
    if indexed.bm25 is not None:
        numbers += 2 * len(indexed.bm25.indices)
    return Point(indexed, payload, len(json.dumps(payload)) + _NUMBER_BYTES * numbers + 256)
