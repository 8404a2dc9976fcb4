"""What a question asks to be searched: by itself, in parts, and narrowed by what it says of medium and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from itertools import zip_longest

from haystack_agent.media import MEDIA
from haystack_agent.records import Evidence, Filters, Modality
from haystack_agent.retrieval.period import Period, period_of
from haystack_agent.retrieval.plan import Plan

DATED = frozenset(medium.modality for medium in MEDIA if medium.dated)
"""Media whose time people mean when they ask by time."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A question that can be searched for."""

    question: str
    """As it can be understood without what was said before."""
    parts: tuple[str, ...] = ()
    """What to search for, one after another, where it asks for several things; none: the question itself."""
    filters: Filters = field(default_factory=Filters)
    """What its own words restrict."""

    @property
    def searches(self) -> tuple[str, ...]:
        """What to search for."""
        return self.parts or (self.question,)


def understood_by_rules(plan: Plan, today: date) -> Understood:
    """Photos and clips of a time become filters, and photos and clips where nothing else is said.

    Nothing else does: the time in a question about documents is mostly one that is written in them, and a medium that
    is named may be shown within another.
    """
    if not plan.modalities or not plan.modalities <= DATED:
        return Understood(plan.question)
    period = period_of(plan.question, today)
    if period is None and (plan.asks or plan.other_words):
        return Understood(plan.question)
    return Understood(plan.question, filters=narrowed_to(period, plan.modalities))


def left_over(plan: Plan, today: date) -> tuple[str, ...]:
    """The question's words that name neither a medium nor a time, folded."""
    period = period_of(plan.question, today)
    said = f" {period.said} " if period else ""
    return tuple(word for word in plan.other_words if f" {word} " not in said)


def joined(rankings: Sequence[Sequence[Evidence]], top_k: int) -> list[Evidence]:
    """The best of each ranking in turn, each place once."""
    kept: dict[str, Evidence] = {}
    for rank in zip_longest(*rankings):
        for one in rank:
            if one is not None:
                kept.setdefault(one.piece.id, one)
    return list(kept.values())[:top_k]


def narrowed_to(period: Period | None, modalities: frozenset[Modality]) -> Filters:
    """Filters for media made in a period, in local time."""
    first, last = (period.first, period.last) if period else (None, None)
    return Filters(
        modalities=modalities,
        after=datetime.combine(first, time.min).astimezone() if first else None,
        before=datetime.combine(last, time.max).astimezone() if last else None,
    )


def merged(chosen: Filters, understood: Filters) -> Filters:
    """What the user chose, and of what was understood only that which they left open."""
    dated = chosen.after is not None or chosen.before is not None
    return replace(
        chosen,
        modalities=chosen.modalities or understood.modalities,
        after=chosen.after if dated else understood.after,
        before=chosen.before if dated else understood.before,
    )
