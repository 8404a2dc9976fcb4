"""From the hits of several vectors to ranked evidence, one for each place.

Scores are brought to one scale and added (a convex combination; Bruch, Gai and Ingber, "An analysis of fusion functions
for hybrid retrieval", 2023): a BM25 score as its share of the best one, a cosine from the level of chance to 1. Ranks
alone would let a sentence encoder that does not know the question's language count as much as exact words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from haystack_agent.records import Evidence, Match, Modality, Piece, PieceKind
from haystack_agent.store.protocol import Hit, VectorName

Place = tuple[str, int | None, float | None]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part counts; measured, see the table in the README."""

    bm25: float = 1.0
    text: float = 0.8
    text_foreign: float = 0.4
    """For `text` where the question is in a language that the sentence encoder does not know."""
    neighbours: float = 0.15
    """Share of the second-best pieces of a place that is added to the best."""
    image: float = 0.35
    video: float = 1.0
    """Added where the question's words name this kind of media; "picture" may also mean one in a document."""
    scene: float = 0.5
    """Added to pictures and clips where the question is about something seen."""
    chance: float = 0.15
    """Cosine at which two unrelated texts lie."""
    first: float = 0.05
    """Added to a document's first page: of pages alike, it is the one that is meant."""
    repetition: float = 0.85
    """Factor on each further place of a file already ranked, so that one file does not fill the page."""


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


def place_of(piece: Piece) -> Place:
    """What a person opens: a page, a picture, a segment; pages of text files are their passages."""
    whole = piece.modality is Modality.IMAGE
    start = None if whole else piece.locator.start
    if piece.locator.page is None and start is None and not whole:
        return piece.asset_id, None, float(piece.index)
    return piece.asset_id, piece.locator.page, start


def fuse(sparse: Sequence[Hit], dense: Sequence[Hit], signs: Signs, weights: Weights = Weights()) -> list[Evidence]:
    """Rank the places at which pieces were hit, best first."""
    scores: defaultdict[str, float] = defaultdict(float)
    matches: defaultdict[str, list[Match]] = defaultdict(list)
    pieces: dict[str, Hit] = {}
    dense_weight = weights.text if signs.english else weights.text_foreign
    lists = (
        (VectorName.BM25, sparse, weights.bm25 * signs.matched / (sparse[0].score if sparse else 1.0), 0.0),
        (VectorName.TEXT, dense, dense_weight / (1 - weights.chance), weights.chance),
    )
    for name, hits, factor, floor in lists:
        for rank, hit in enumerate(hits, start=1):
            key = hit.indexed.piece.id
            pieces.setdefault(key, hit)
            scores[key] += factor * max(0.0, hit.score - floor)
            matches[key].append(Match(str(name), rank, hit.score))
    by_place: defaultdict[Place, list[str]] = defaultdict(list)
    for key, hit in pieces.items():
        by_place[place_of(hit.indexed.piece)].append(key)
    ranked = [_evidence(keys, pieces, scores, matches, weights) for keys in by_place.values()]
    ranked = [_favour(evidence, signs, weights) for evidence in ranked]
    ranked.sort(key=lambda evidence: (-evidence.score, evidence.piece.id))
    return _spread(ranked, weights.repetition)


def _evidence(
    keys: list[str],
    pieces: dict[str, Hit],
    scores: dict[str, float],
    matches: dict[str, list[Match]],
    weights: Weights,
) -> Evidence:
    keys.sort(key=lambda key: (-scores[key], key))
    score = scores[keys[0]] + weights.neighbours * sum(scores[key] for key in keys[1:3])
    # A whole page is shown by the passage in it that matches best.
    narrow = [key for key in keys if pieces[key].indexed.piece.kind is not PieceKind.PAGE]
    best = (narrow or keys)[0]
    others = tuple(pieces[key].indexed.piece for key in keys if key != best)
    shown = pieces[best].indexed
    return Evidence(shown.piece, shown.paths, score, tuple(matches[best] or matches[keys[0]]), others)


def _favour(evidence: Evidence, signs: Signs, weights: Weights) -> Evidence:
    modality = evidence.piece.modality
    if modality is Modality.DOCUMENT:
        return replace(evidence, score=evidence.score + weights.first) if evidence.piece.locator.page == 1 else evidence
    silent = signs.wording and not evidence.piece.text.strip()
    bonus = 0.0 if silent else weights.scene * signs.scene
    if modality in signs.modalities:
        bonus += weights.video if modality is Modality.VIDEO else weights.image
    return replace(evidence, score=evidence.score + bonus)


def _spread(ranked: Sequence[Evidence], repetition: float) -> list[Evidence]:
    """Lower every further place of a file by a factor, and sort again."""
    seen: defaultdict[str, int] = defaultdict(int)
    lowered: list[Evidence] = []
    for evidence in ranked:
        asset = evidence.piece.asset_id
        lowered.append(replace(evidence, score=evidence.score * repetition ** seen[asset]))
        seen[asset] += 1
    lowered.sort(key=lambda evidence: (-evidence.score, evidence.piece.id))
    return lowered
