"""Whether a question has one answer in an index: in its own evidence, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache

from eval.fidelity.scores import tokens
from eval.own_questions.rules import Draft, QuestionKind
from haystack_agent.encoders.pieces import describe
from haystack_agent.engine import Engine
from haystack_agent.records import Piece
from haystack_agent.store.values import VectorName

_LOOKED_AT = 200
"""Pieces looked at for each search: a rival must have the question's own words, so it ranks high."""
_MOSTLY = 2 / 3


class Drop(StrEnum):
    """Why a draft is not asked."""

    NO_ANSWER = "the answer is not in the evidence"
    TELLS = "the question tells the answer"
    POINTS = "the question points at a text that nobody sees"
    ELSEWHERE = "another place may be meant"
    REPEATED = "another draft asks the same"
    MALFORMED = "the model's reply could not be used"
    DECLINED = "the model found nothing to ask"


_POINTING = (
    ("this", "passage"), ("the", "passage"), ("this", "text"), ("the", "text"), ("this", "excerpt"),
    ("the", "excerpt"), ("this", "document"), ("diesem", "text"), ("ce", "texte"), ("este", "texto"),
)  # fmt: skip


class Checker:
    """Checks drafts against an index."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def drop(self, draft: Draft) -> Drop | None:
        """Why a draft cannot be asked; ``None`` where it can."""
        evidence, answer, question = readable(draft.source.piece), tokens(draft.answer), tokens(draft.question)
        if not answer or not contains(evidence, answer):
            return Drop.NO_ANSWER
        if contains(question, answer):
            return Drop.TELLS
        if draft.kind is QuestionKind.PASSAGE and any(contains(question, pointing) for pointing in _POINTING):
            return Drop.POINTS
        return Drop.ELSEWHERE if self._rival(draft) else None

    def _rival(self, draft: Draft) -> bool:
        keys = [tuple(tokens(key)) for key in draft.keys]
        answer = tuple(tokens(draft.answer))
        return any(
            self._may_be_meant(draft, keys, answer, piece)
            for piece in self._near(draft)
            if not _same_place(draft, piece)
        )

    def _may_be_meant(
        self, draft: Draft, keys: Sequence[tuple[str, ...]], answer: tuple[str, ...], piece: Piece
    ) -> bool:
        """Whether somebody could take a piece for the one that is asked about.

        A model's words may be its own, so most of them and the answer must stand there. Those of a template are the
        files' own: where all of them stand elsewhere too, with whatever answer, the question has two.
        """
        there = readable(piece)
        met = sum(contains(there, key) for key in keys)
        if draft.kind is QuestionKind.PASSAGE:
            return met >= _MOSTLY * len(keys) and contains(there, answer)
        return met == len(keys)

    def _near(self, draft: Draft) -> Iterator[Piece]:
        words = " ".join(draft.keys)
        seen: set[str] = set()
        for vector, text in (
            (VectorName.BM25, words),
            (VectorName.BM25, f"{words} {draft.answer}"),
            (VectorName.TEXT, draft.question),
        ):
            for hit in self._engine.search_by_one(vector, text, top_k=_LOOKED_AT):
                if hit.id not in seen:
                    seen.add(hit.id)
                    yield hit.indexed.piece


def _same_place(draft: Draft, other: Piece) -> bool:
    """Whether a piece is of the evidence: the page, picture or stretch asked about; the file, for its sections."""
    mine = draft.source.piece
    if mine.asset_id != other.asset_id:
        return False
    if draft.kind is QuestionKind.SECTION:
        return True
    if mine.locator.page != other.locator.page:
        return False
    if mine.locator.start is None or other.locator.start is None:
        return True
    ends = (mine.locator.end or mine.locator.start, other.locator.end or other.locator.start)
    return mine.locator.start <= ends[1] and other.locator.start <= ends[0]


def readable(piece: Piece) -> tuple[str, ...]:
    """The tokens of everything that is known in words about a piece."""
    return _tokens(f"{piece.text}\n{piece.heading}\n{describe(piece.meta)}")


@lru_cache(maxsize=8192)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(tokens(text))


def contains(text: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether tokens stand in a text, in a row."""
    if not wanted:
        return True
    first, size = wanted[0], len(wanted)
    return any(
        token == first and tuple(text[place : place + size]) == tuple(wanted) for place, token in enumerate(text)
    )


def repeated(drafts: Iterable[Draft]) -> dict[str, bool]:
    """Whether the same question is asked of another place, or has another answer there, for every question."""
    asked: dict[tuple[str, ...], list[Draft]] = {}
    for draft in drafts:
        asked.setdefault(tuple(tokens(draft.question)), []).append(draft)
    return {
        draft.question: not all(_alike(same[0], other) for other in same) for same in asked.values() for draft in same
    }


def _alike(one: Draft, other: Draft) -> bool:
    return tokens(one.answer) == tokens(other.answer) and _same_place(one, other.source.piece)
