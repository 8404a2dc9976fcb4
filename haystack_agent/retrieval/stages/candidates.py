"""What is ranked: the places at which pieces were hit, with what all channels say of these together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from haystack_agent.media import PlaceOf, medium_of
from haystack_agent.records import Evidence, Match, Piece, PieceKind
from haystack_agent.retrieval.channels.protocol import Channel
from haystack_agent.retrieval.query import Query
from haystack_agent.store.hit import Header, Hit

Place = tuple[str, int | None, float | None]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one channel found, best first."""

    channel: Channel
    hits: Sequence[Hit]


@dataclass(slots=True)
class Scored:
    """A hit with what the channels say of it together."""

    hit: Hit
    score: float = 0.0
    found: list[tuple[Channel, Match]] = field(default_factory=list)

    def key(self) -> tuple[float, str]:
        """To sort by, best first; equal ones always in the same order."""
        return -self.score, self.hit.id


@dataclass(slots=True)
class Candidate:
    """A place with its hits, best first; stages change its score."""

    score: float
    hits: list[Scored]

    def key(self) -> tuple[float, str]:
        """See `Scored.key`."""
        return -self.score, self.hits[0].hit.id

    @property
    def shown(self) -> Scored:
        """A whole page is shown by the passage in it that matches best."""
        return next((one for one in self.hits if one.hit.glance.kind is not PieceKind.PAGE), self.hits[0])

    @property
    def glance(self) -> Header:
        """What ranking knows of the piece that is shown."""
        return self.shown.hit.glance


def scored(query: Query, rankings: Iterable[Ranking]) -> list[Scored]:
    """Every hit once, with the sum of its shares over the channels (a convex combination; Bruch, Gai and Ingber, "An
    analysis of fusion functions for hybrid retrieval", 2023).

    Ranks alone would let a sentence encoder that does not know the question's language count as much as exact words;
    scores as they are would bring up texts before every picture, since cosines of two texts are higher.
    """
    found: dict[str, Scored] = {}
    for ranking in rankings:
        shares = ranking.channel.shares(query, ranking.hits)
        for rank, (hit, share) in enumerate(zip(ranking.hits, shares, strict=True), start=1):
            one = found.setdefault(hit.id, Scored(hit))
            one.score += share
            one.found.append((ranking.channel, Match(ranking.channel.name.value, rank, hit.score)))
    return list(found.values())


def grouped(hits: Iterable[Scored], neighbours: float) -> list[Candidate]:
    """Places, in no order: each counts as its best hit and, by the share `neighbours`, as the next two."""
    by_place: defaultdict[Place, list[Scored]] = defaultdict(list)
    for one in hits:
        by_place[_place(one.hit.glance)].append(one)
    return [_candidate(found, neighbours) for found in by_place.values()]


def _place(piece: Header) -> Place:
    """What a person opens: a page, a picture, a segment; pages of text files are their passages."""
    whole = medium_of(piece.modality).place is PlaceOf.REGION
    start = None if whole else piece.start
    if piece.page is None and start is None and not whole:
        return piece.asset_id, None, float(piece.index)
    return piece.asset_id, piece.page, start


def _candidate(hits: list[Scored], neighbours: float) -> Candidate:
    hits.sort(key=Scored.key)
    return Candidate(hits[0].score + neighbours * sum(one.score for one in hits[1:3]), hits)


def evidence_of(candidate: Candidate, query: Query) -> Evidence:
    """What is shown of a place: its best piece, the others, and why it was found."""
    shown = candidate.shown
    others = tuple(one.hit.indexed.piece for one in candidate.hits if one is not shown)
    indexed = shown.hit.indexed
    matches = tuple(_with_words(*one, query, (indexed.piece, *others)) for one in shown.found)
    return Evidence(indexed.piece, indexed.paths, candidate.score, matches, others)


def _with_words(channel: Channel, match: Match, query: Query, pieces: Sequence[Piece]) -> Match:
    return Match(match.vector, match.rank, match.score, channel.words(query, pieces))
