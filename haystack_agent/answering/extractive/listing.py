"""What is answered to requests that no sentence answers, such as "photos from 2026", "taxi", or a picture alone.

A request is told by general signs: nothing in it asks, and it says only a medium and a time, or has few words, or
begins as an order to show. What is said of the places found is counted and holds word for word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from haystack_agent.encoders.pieces import describe, names_of
from haystack_agent.media import MEDIA
from haystack_agent.records import Answer, Citation, Evidence, Filters, Modality
from haystack_agent.retrieval.plan import Plan
from haystack_agent.retrieval.understood import left_over, merged, understood_by_rules
from haystack_agent.text.fold import fold
from haystack_agent.text.terms import weighted

_FEW = 3
_ORDER = re.compile(
    r"\s*(?:please )?(?:show|find|list|search)\b(?: (?:me|for|all|every|any|of|the|my)\b)*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A request to list."""

    question: str
    filters: Filters
    """What its words restrict."""
    media: frozenset[Modality]
    """What it names, even where that restricts nothing."""
    words: tuple[str, ...]
    """Its other words, as they are written there."""


def listing_of(plan: Plan, today: date) -> Listing | None:
    """The request that a question is, ``None`` where it asks."""
    if plan.asks or not plan.words:
        return None
    filters = understood_by_rules(plan, today).filters
    order = _ORDER.match(plan.question)
    ordered = fold(order.group()).split() if order else []
    words = [word for word in left_over(plan, today) if word not in ordered]
    if filters == Filters() and order is None and len(words) > _FEW:
        return None
    return Listing(plan.question, filters, plan.modalities, tuple(_as_written(word, plan.question) for word in words))


def listed(wanted: Listing, evidence: Sequence[Evidence], filters: Filters, matching: int | None) -> Answer | None:
    """What was found for a request, in one sentence and a citation each; ``None`` where nothing is to be said.

    Args:
        wanted: what was asked for.
        evidence: what was found, best first.
        filters: those that it was found with.
        matching: number of files that meet the filters, where it is known.
    """
    media = filters.modalities or wanted.media
    shown = [one for one in evidence if not media or one.piece.modality in media]
    naming = [one for one in shown if _names(one, wanted.words)] if wanted.words else []
    narrowed = wanted.filters != Filters() and merged(filters, wanted.filters) == filters
    if naming:
        return _answer(wanted.question, _named(wanted, naming, shown, _Noun(media, filters)), naming, evidence)
    if shown and narrowed:
        return _answer(wanted.question, _counted(shown, _Noun(media, filters), matching), shown, evidence)
    return None


def none_of(wanted: Listing, evidence: Sequence[Evidence]) -> Answer:
    """Said where nothing meets what the request restricts, and the places found are others."""
    noun = _Noun(wanted.filters.modalities, wanted.filters)
    text = f"No {noun.of(2)}{noun.when} were found."
    return Answer(wanted.question, text, abstained=True, evidence=tuple(evidence))


def alike(question: str, evidence: Sequence[Evidence]) -> Answer:
    """What is like a picture, with a question like both."""
    media = frozenset(one.piece.modality for one in evidence)
    noun = _Noun(media if len(media) == 1 else frozenset(), Filters())
    many = noun.many(evidence)
    words = " and the words" if question else ""
    text = f"The {many} {noun.of(many)} most like the picture{words}." if many != 1 else f"One {noun.of(1)} was found."
    return _answer(question, text, evidence, evidence)


@dataclass(frozen=True, slots=True)
class _Noun:
    """What is counted: files of the media, or else places."""

    media: Collection[Modality]
    filters: Filters

    def of(self, number: int) -> str:
        names = [medium.noun.of(number) for medium in MEDIA if medium.modality in self.media]
        return " and ".join(names) or ("place" if number == 1 else "places")

    def many(self, evidence: Sequence[Evidence]) -> int:
        return len({one.piece.asset_id for one in evidence} if self.media else evidence)

    @property
    def when(self) -> str:
        said = _period(self.filters.after, self.filters.before)
        return f" from {said}" if said else ""


def _named(wanted: Listing, naming: Sequence[Evidence], shown: Sequence[Evidence], noun: _Noun) -> str:
    some, many = noun.many(naming), noun.many(shown)
    what = f"{noun.of(many)}{noun.when} found"
    name = f"name{'s' if some == 1 else ''} {_quoted(wanted.words)}"
    if many == 1:
        return f"The one {what} {name}."
    return f"All {many} {what} {name}." if some == many else f"{some} of the {many} {what} {name}."


def _counted(shown: Sequence[Evidence], noun: _Noun, matching: int | None) -> str:
    many = noun.many(shown)
    if matching is None:
        return f"{many} {noun.of(many)}{noun.when} {_are(many)} shown."
    rest = f"; {many} {_are(many)} shown" if many < matching else ""
    return f"{matching} {noun.of(matching)} {_are(matching)}{noun.when or ' in the index'}{rest}."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _answer(question: str, text: str, cited: Sequence[Evidence], evidence: Sequence[Evidence]) -> Answer:
    citations = tuple(Citation(one, "", one.piece.locator) for one in cited)
    return Answer(question, text, abstained=False, citations=citations, evidence=tuple(evidence), listed=True)


def _names(item: Evidence, words: Sequence[str]) -> bool:
    """Whether all the words, or others with their stems, stand in a place or in what is known of its file."""
    pieces = (item.piece, *item.neighbours)
    texts = (*(f"{piece.heading} {piece.text}" for piece in pieces), describe(item.piece.meta), names_of(item.paths))
    written = weighted("\n".join(texts))
    return all(any(term in written for term in weighted(word)) for word in words)


def _as_written(word: str, question: str) -> str:
    match = re.search(re.escape(word), question, re.IGNORECASE)
    return match.group() if match else word


def _quoted(words: Sequence[str]) -> str:
    *some, last = (f"“{word}”" for word in words)
    return f"{', '.join(some)} and {last}" if some else last


def _period(after: datetime | None, before: datetime | None) -> str:
    """``2026``, ``2026-07``, ``2026-07-14`` or ``2026-06-01 to 2026-08-31``; empty where there is none."""
    if after is None or before is None:
        return f"{after:%Y-%m-%d} on" if after else f"before {before + timedelta(days=1):%Y-%m-%d}" if before else ""
    first, last = after.date(), before.date()
    if first == last:
        return f"{first}"
    following = last + timedelta(days=1)
    if following.day == 1 and first.day == 1 and (first.year, first.month) == (last.year, last.month):
        return f"{first:%Y-%m}"
    if (first.month, first.day, following) == (1, 1, date(first.year + 1, 1, 1)):
        return f"{first:%Y}"
    return f"{first} to {last}"
