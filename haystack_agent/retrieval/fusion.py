"""From the hits of several vectors to ranked evidence, one for each place.

Scores are brought to one scale and added (a convex combination; Bruch, Gai and Ingber, "An analysis of fusion functions
for hybrid retrieval", 2023): a BM25 score as its share of the best one, a cosine
by how far it stands out among those of other pieces. Ranks alone would let a sentence encoder that does not
know the question's language count as much as exact words; cosines alone would bring up texts before every picture,
since those of two texts are higher.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haystack_agent.media import PlaceOf, medium_of
from haystack_agent.records import Evidence, Match, Modality, PieceKind
from haystack_agent.retrieval.cohort import Standing
from haystack_agent.store.hit import Glance, Hit
from haystack_agent.store.values import VectorName

_BEND, _STRAIGHT = 2.0, 20.0
"""Of the curve that goes from the floor, where it is nearly flat, to a straight line."""

Place = tuple[str, int | None, float | None]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part counts; measured, see `docs/EVALUATION.md`."""

    bm25: float = 1.0
    text: float = 1.6
    text_foreign: float = 0.4
    """For `text` where the question is in a language that the sentence encoder does not know."""
    neighbours: float = 0.15
    """Share of the second-best pieces of a place that is added to the best."""
    image: float = 0.35
    video: float = 1.0
    """Added where the question's words name this kind of media; "picture" may also mean one in a document."""
    scene: float = 0.5
    """Added to pictures and clips where the question is about something seen."""
    uclip: float = 2.0
    chance: float = 1.0
    """Standard deviations above other pieces at which a likeness begins to count."""
    certain: float = 7.0
    """And those at which it counts fully."""
    first: float = 0.05
    """Added to a document's first page: of pages alike, it is the one that is meant."""
    repetition: float = 0.85
    """Factor on each further place of a file already ranked, so that one file does not fill the page."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What each vector found, best first."""

    bm25: Sequence[Hit] = ()
    text: Sequence[Standing] = ()
    uclip: Sequence[Standing] = ()
    """Pieces found by what they look like."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the question itself tells about where its answer may be."""

    english: bool = True
    """Whether the sentence encoder knows its language."""
    matched: float = 1.0
    """Share of its words that the best BM25 hit has: how much that ranking can be trusted, from 0 to 1."""
    modalities: frozenset[Modality] = frozenset()
    """Kinds of media that it names."""
    scene: float = 0.0
    """How much it is about something seen, from 0 to 1."""
    wording: bool = False
    """Whether it asks for words: what shows none does not answer it."""


def _place(piece: Glance) -> Place:
    """What a person opens: a page, a picture, a segment; pages of text files are their passages."""
    whole = medium_of(piece.modality).place is PlaceOf.REGION
    start = None if whole else piece.start
    if piece.page is None and start is None and not whole:
        return piece.asset_id, None, float(piece.index)
    return piece.asset_id, piece.page, start


def fuse(hits: Hits, signs: Signs, weights: Weights = Weights(), top_k: int | None = None) -> list[Evidence]:
    """Rank the places at which pieces were hit, best first; the best `top_k` of them."""
    scored = _scored(hits, signs, weights)
    by_place: defaultdict[Place, list[_Scored]] = defaultdict(list)
    for one in scored:
        by_place[_place(one.hit.glance)].append(one)
    ranked = [_candidate(found, signs, weights) for found in by_place.values()]
    return [_evidence(candidate) for candidate in _spread(ranked, weights.repetition)[:top_k]]


@dataclass(slots=True)
class _Scored:
    """A hit with what the vectors say of it together."""

    hit: Hit
    score: float
    matches: list[Match]

    def key(self) -> tuple[float, str]:
        return -self.score, self.hit.id


@dataclass(slots=True)
class _Candidate:
    """A place with its hits, best first."""

    score: float
    hits: list[_Scored]

    def key(self) -> tuple[float, str]:
        return -self.score, self.hits[0].hit.id


def _scored(hits: Hits, signs: Signs, weights: Weights) -> Iterable[_Scored]:
    best = hits.bm25[0].score if hits.bm25 else 1.0
    text = weights.text if signs.english else weights.text_foreign
    lists = (
        (VectorName.BM25, [(hit, weights.bm25 * signs.matched * hit.score / best) for hit in hits.bm25]),
        (VectorName.TEXT, [(one.hit, text * _likeness(one, weights)) for one in hits.text]),
        (VectorName.UCLIP, [(one.hit, weights.uclip * _likeness(one, weights)) for one in hits.uclip]),
    )
    found: dict[str, _Scored] = {}
    for name, ranking in lists:
        for rank, (hit, share) in enumerate(ranking, start=1):
            scored = found.setdefault(hit.id, _Scored(hit, 0.0, []))
            scored.score += share
            scored.matches.append(Match(name.value, rank, hit.score))
    return found.values()


def _likeness(one: Standing, weights: Weights) -> float:
    """From nearly 0 below the level of chance over 1 where it is certain; always more for what is more alike."""
    above = math.log1p(math.exp(_BEND * min(one.deviations - weights.chance, _STRAIGHT))) / _BEND
    above += max(0.0, one.deviations - weights.chance - _STRAIGHT)
    return above / (weights.certain - weights.chance)


def _candidate(hits: list[_Scored], signs: Signs, weights: Weights) -> _Candidate:
    hits.sort(key=_Scored.key)
    own = hits[0].score + weights.neighbours * sum(scored.score for scored in hits[1:3])
    return _Candidate(own + _bonus(_shown(hits).hit.glance, signs, weights), hits)


def _shown(hits: list[_Scored]) -> _Scored:
    """A whole page is shown by the passage in it that matches best."""
    return next((scored for scored in hits if scored.hit.glance.kind is not PieceKind.PAGE), hits[0])


def _bonus(piece: Glance, signs: Signs, weights: Weights) -> float:
    medium = medium_of(piece.modality)
    if medium.place is PlaceOf.PAGE:
        return weights.first if piece.page == 1 else 0.0
    silent = not medium.has_pixels or (signs.wording and not piece.has_text)
    bonus = 0.0 if silent else weights.scene * signs.scene
    if piece.modality in signs.modalities:
        bonus += weights.video if medium.place is PlaceOf.SECOND else weights.image
    return bonus


def _spread(ranked: list[_Candidate], repetition: float) -> list[_Candidate]:
    """Sort, lower every further place of a file by a factor, and sort again."""
    seen: defaultdict[str, int] = defaultdict(int)
    for candidate in sorted(ranked, key=_Candidate.key):
        asset = candidate.hits[0].hit.glance.asset_id
        candidate.score *= repetition ** seen[asset]
        seen[asset] += 1
    return sorted(ranked, key=_Candidate.key)


def _evidence(candidate: _Candidate) -> Evidence:
    shown = _shown(candidate.hits)
    others = tuple(scored.hit.indexed.piece for scored in candidate.hits if scored is not shown)
    indexed = shown.hit.indexed
    return Evidence(indexed.piece, indexed.paths, candidate.score, tuple(shown.matches), others)
