"""What is compared: our search, its parts alone, the pipeline of the tutorials, and retrievers of others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from haystack_agent import places
from haystack_agent.engine import Engine
from haystack_agent.errors import UsageError
from haystack_agent.records import Evidence
from haystack_agent.store.hit import Hit
from haystack_agent.store.values import VectorName

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

_RRF = 60


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place found: its file relative to the pool, and where in it as far as the retriever says."""

    file: str
    score: float
    page: int | None = None
    start: float | None = None
    end: float | None = None


class Retriever(Protocol):
    """Finds places for a question."""

    def search(self, question: str) -> list[Ranked]:
        """Places in the pool, best first."""
        ...


class Ours:
    """The engine's search, as users have it."""

    def __init__(self, engine: Engine, pool: Path) -> None:
        self._engine = engine
        self._pool = pool

    def search(self, question: str) -> list[Ranked]:
        """See `Retriever.search`."""
        return [ranked(one, self._pool) for one in self._engine.search(question, top_k=places.MOST)]


class OneVector:
    """Plain BM25, or the dense vectors alone, over the same pieces."""

    def __init__(self, engine: Engine, pool: Path, vector: VectorName) -> None:
        self._engine = engine
        self._pool = pool
        self._vector = vector

    def search(self, question: str) -> list[Ranked]:
        """See `Retriever.search`."""
        hits = self._engine.search_by_one(self._vector, question, top_k=places.MOST)
        return [_of_hit(hit, hit.score, self._pool) for hit in hits]


class RankFusion:
    """BM25 and dense text joined by reciprocal ranks (Cormack, Clarke and Büttcher 2009): the usual hybrid."""

    def __init__(self, engine: Engine, pool: Path) -> None:
        self._engine = engine
        self._pool = pool

    def search(self, question: str) -> list[Ranked]:
        """See `Retriever.search`."""
        scores: dict[str, float] = defaultdict(float)
        hits: dict[str, Hit] = {}
        for vector in (VectorName.BM25, VectorName.TEXT):
            for rank, hit in enumerate(self._engine.search_by_one(vector, question, top_k=places.MOST), start=1):
                scores[hit.id] += 1 / (_RRF + rank)
                hits[hit.id] = hit
        best = sorted(scores, key=lambda key: (-scores[key], key))[: places.MOST]
        return [_of_hit(hits[key], scores[key], self._pool) for key in best]


class OfLangChain:
    """Any retriever of LangChain whose documents say where they are from.

    Metadata: ``path`` or ``source`` is the file; ``page`` counts from 0 beside ``source``, as loaders write it, and
    from 1 beside ``path``, as our own retriever does; ``start`` and ``end`` are seconds.
    """

    def __init__(self, retriever: BaseRetriever, pool: Path) -> None:
        self._retriever = retriever
        self._pool = pool

    def search(self, question: str) -> list[Ranked]:
        """See `Retriever.search`."""
        found = self._retriever.invoke(question)
        return [self._ranked(one.metadata, -float(rank)) for rank, one in enumerate(found)]

    def _ranked(self, meta: dict[str, Any], score: float) -> Ranked:
        own = "path" in meta
        if not own and "source" not in meta:
            raise UsageError(f"A document of the retriever says no 'source' in its metadata (it has {sorted(meta)}).")
        page = meta.get("page")
        return Ranked(
            relative([str(meta["path" if own else "source"])], self._pool),
            score,
            None if page is None else int(page) + (0 if own else 1),
            meta.get("start"),
            meta.get("end"),
        )


def ranked(evidence: Evidence, pool: Path) -> Ranked:
    """Our evidence as a place found."""
    place = evidence.piece.locator
    return Ranked(relative(evidence.paths, pool), evidence.score, place.page, place.start, place.end)


def _of_hit(hit: Hit, score: float, pool: Path) -> Ranked:
    place = hit.indexed.piece.locator
    return Ranked(relative(hit.indexed.paths, pool), score, place.page, place.start, place.end)


def relative(paths: Iterable[str], pool: Path) -> str:
    """The first of the paths that lies in the pool, relative to it with ``/``; else the first, whole."""
    whole = list(paths)
    inside = (path for path in map(Path, whole) if path.is_relative_to(pool))
    first = next(inside, None)
    return whole[0] if first is None else first.relative_to(pool).as_posix()


def files_of(places: Sequence[Ranked]) -> list[str]:
    """Files in the order of their best places."""
    return list(dict.fromkeys(place.file for place in places))
