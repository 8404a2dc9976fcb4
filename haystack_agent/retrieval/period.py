"""When a question's own words say that something was made: "photos from last summer", "videos since May 2024".

Months with a year are read in every language of CLDR, other times in English; a language model reads the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from haystack_agent.text.fold import fold
from haystack_agent.text.numbers import dates

_EARLIEST = 1826
"""Year of the first photograph."""
_DAY = timedelta(days=1)
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""First month of each, north of the equator."""
_YEAR = re.compile(r"(?<![\w./,-])(?:18|19|20)\d\d(?![\w/-]|[.,]\d)")
_AGO = re.compile(r"\b(?:last|past) (\d{1,3}) (day|week|month|year)s?\b")
_RELATIVE = re.compile(r"\b(last|this) (week|month|year|spring|summer|autumn|fall|winter)\b")
_SEASON = re.compile(r"\b(spring|summer|autumn|fall|winter) (?:of )?((?:18|19|20)\d\d)\b")
_NEAR = re.compile(r"\b(today|yesterday)\b")
_SINCE = re.compile(r"\b(since|after|before|until|till)\s+(?:the\s+)?(?:year\s+)?$")
_BEFORE_YEAR = re.compile(
    r"\b(?:in|from|during|since|after|before|until|till|(?:photo|picture|video|clip|image)s? of|von|aus|van|de|del|di|"
    r"roku|fran|vuonna|vuodelta)\s+(?:the\s+year\s+)?$"
)
"""What a bare year stands behind when it says when; before a noun ("the 2021 report") it says something else."""
_AFTER_YEAR = re.compile(
    r"\s*(?:$|[?!.,;:)]|(?:in|at|on|of|with|where|that|which|by|showing|taken)\b(?!\s*(?:$|wards?)))"
)
_NOT = re.compile(
    r"\b(?:not|except|without|nicht|pas|ne|no|prior|earlier|later|older|newer|end|start)\s+(?:\w+\s+){0,3}$"
)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both included; ``None`` leaves a side open."""

    first: date | None
    last: date | None
    said: str = field(default="", compare=False)
    """The folded words that name it."""


def period_of(question: str, today: date) -> Period | None:
    """The one time that a question names; ``None`` where it names none, or several."""
    folded = fold(question)
    found = list(_outermost(_times(folded, today)))
    if len(found) != 1:
        return None
    start, end, (first, last) = found[0]
    if _NOT.search(folded[:start]):
        return None
    match = _SINCE.search(folded[:start])
    said = folded[match.start() if match else start : end]
    if match is None:
        return Period(first, last, said)
    return {
        "since": Period(first, None, said),
        "after": Period(last + _DAY, None, said),
        "before": Period(None, first - _DAY, said),
    }.get(match[1], Period(None, last, said))


_Days = tuple[date, date]


def _outermost(times: Iterator[tuple[int, int, _Days]]) -> Iterator[tuple[int, int, _Days]]:
    """Each time once: the year within "May 2024" says nothing by itself."""
    end = -1
    for start, stop, days in sorted(times, key=lambda one: (one[0], -one[1])):
        if start >= end:
            yield start, stop, days
            end = stop


def _times(folded: str, today: date) -> Iterator[tuple[int, int, _Days]]:
    for found in dates(folded):
        if len(found.readings) == 1:
            yield found.start, found.end, _written(found.readings[0])
    readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], _Days]], ...] = (
        (_YEAR, lambda match, _: _years(int(match[0]))),
        (_SEASON, lambda match, _: _season(match[1], int(match[2]))),
        (_AGO, lambda match, now: _past(int(match[1]), match[2], now)),
        (_RELATIVE, lambda match, now: _relative(match[1], match[2], now)),
        (_NEAR, lambda match, now: (now, now) if match[1] == "today" else (now - _DAY, now - _DAY)),
    )
    for pattern, read in readers:
        for match in pattern.finditer(folded):
            if pattern is _YEAR and not _says_when(folded, match):
                continue
            days = read(match, today)
            if days[0].year >= _EARLIEST and days[0] <= today:
                yield match.start(), match.end(), days


def _says_when(folded: str, year: re.Match[str]) -> bool:
    before, after = folded[: year.start()], folded[year.end() :]
    return _BEFORE_YEAR.search(before) is not None and _AFTER_YEAR.match(after) is not None


def _written(reading: str) -> _Days:
    """Of ``2026-11-22`` or ``2026-11``."""
    year, month, *day = map(int, reading.split("-"))
    return (date(year, month, day[0]),) * 2 if day else _months(year, month, 1)


def _years(year: int) -> _Days:
    return date(year, 1, 1), date(year, 12, 31)


def _months(year: int, month: int, count: int) -> _Days:
    """So many months from the one named; months beyond December are of the next year."""
    following = year * 12 + month - 1 + count
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1), date(following // 12, following % 12 + 1, 1) - _DAY


def _season(name: str, year: int) -> _Days:
    return _months(year, _SEASONS[name], 3)


def _past(count: int, unit: str, today: date) -> _Days:
    days = {"day": 1, "week": 7, "month": 30, "year": 365}[unit] * count
    return max(date(_EARLIEST, 1, 1), today - timedelta(days=min(days, 365 * (today.year - _EARLIEST)))), today


def _relative(which: str, unit: str, today: date) -> _Days:
    back = int(which == "last")
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return monday, monday + 6 * _DAY
    if unit == "month":
        before = today.year * 12 + today.month - 1 - back
        return _months(before // 12, before % 12 + 1, 1)
    if unit == "year":
        return _years(today.year - back)
    begun = [days for days in (_season(unit, today.year - ago) for ago in range(3)) if days[0] <= today]
    over = [days for days in begun if days[1] < today]
    return over[0] if back else begun[0]
