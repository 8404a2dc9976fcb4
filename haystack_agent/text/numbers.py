"""Numbers and dates in the many ways people write them, brought to one form.

``1,249.50``, ``1 249,50``, ``1.249,50`` and ``1'249.50`` are one number; ``2026-11-22``, ``22.11.2026``,
``Nov 22, 2026``, ``22 novembre 2026`` and ``2026年11月22日`` are one day. Where a spelling can be read in two ways
(``1,249``; ``03/04/2026``), both readings are given: a search matches either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

_SPACES = " '\u00a0\u2009\u202f"
_NUMBER = re.compile(
    rf"(?<![\w.,])\d{{1,3}}(?P<sep>[.,{_SPACES}])\d{{3}}(?:(?P=sep)\d{{3}})*(?:[.,]\d+)?(?!\w)|\d+(?:[.,]\d+)?"
)
_DATE_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{1,4})(?!\d)")
_DATE_CJK = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(?:(\d{1,2})\s*[日일号])?")
_DATE_WORDS = re.compile(
    r"(?<!\d)(?:(?P<d1>\d{1,2})(?:st|nd|rd|th|er|o|º|ª|\.)?\s*(?:(?:de|of)\s+|d'|[-/]\s*)?)?"
    r"(?P<month>[^\W\d_]{3,14})[./-]?,?\s*(?:(?:de|del|of)\s+)?"
    r"(?:(?P<d2>\d{1,2})(?:st|nd|rd|th|\.)?,?\s+)?(?P<year>\d{4})(?!\d)"
)


@dataclass(frozen=True, slots=True)
class NumberFound:
    """A number or date met in a text: the characters ``text[start:end]`` and every canonical reading of them."""

    start: int
    end: int
    readings: tuple[str, ...]


def numbers(folded: str) -> Iterator[NumberFound]:
    """Numbers in folded text, each with its readings, such as ``1249.5``."""
    for match in _NUMBER.finditer(folded):
        yield NumberFound(match.start(), match.end(), _number_readings(match.group()))
        if match["sep"] and match["sep"] in _SPACES:
            # Two numbers side by side look like one with its thousands apart: give them by themselves too.
            for part in re.finditer(r"\d+(?:[.,]\d+)?", match.group()):
                start = match.start() + part.start()
                yield NumberFound(start, start + len(part.group()), _number_readings(part.group()))


def dates(folded: str) -> Iterator[NumberFound]:
    """Days (``2026-11-22``) and months (``2026-11``) in folded text."""
    for match in _DATE_NUMERIC.finditer(folded):
        readings = _numeric_readings(match)
        if readings:
            yield NumberFound(match.start(), match.end(), readings)
    for match in _DATE_CJK.finditer(folded):
        year, month, day = (int(part) if part else None for part in match.groups())
        readings = _day(year, month, day)
        if readings:
            yield NumberFound(match.start(), match.end(), readings)
    for match in _DATE_WORDS.finditer(folded):
        day_text = match["d1"] or match["d2"]
        readings = tuple(
            reading
            for month in _months().get(match["month"], ())
            for reading in _day(int(match["year"]), month, int(day_text) if day_text else None)
        )
        if readings:
            yield NumberFound(match.start(), match.end(), readings)


def _number_readings(text: str) -> tuple[str, ...]:
    digits = re.sub(f"[{_SPACES}]", "", text)
    separators = re.findall(r"[.,]", digits)
    if not separators:
        return (_canonical(digits, ""),)
    last = max(digits.rfind("."), digits.rfind(","))
    whole, fraction = re.sub(r"[.,]", "", digits[:last]), digits[last + 1 :]
    as_fraction = _canonical(whole, fraction)
    as_thousands = _canonical(whole + fraction, "")
    repeated = len(separators) > 1 and len(set(separators)) == 1
    if repeated:
        return (as_thousands,)
    if len(fraction) == 3 and len(separators) == 1:
        return (as_thousands, as_fraction)
    return (as_fraction,)


def _canonical(whole: str, fraction: str) -> str:
    whole = whole.lstrip("0") or "0"
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _numeric_readings(match: re.Match[str]) -> tuple[str, ...]:
    first, _, middle, last = match.groups()
    if len(first) == 4:
        return _day(int(first), int(middle), int(last))
    if len(first) > 2 or len(last) not in (2, 4):
        return ()
    year = int(last) if len(last) == 4 else 2000 + int(last)
    return tuple(dict.fromkeys(_day(year, int(middle), int(first)) + _day(year, int(first), int(middle))))


def _day(year: int | None, month: int | None, day: int | None) -> tuple[str, ...]:
    if year is None or month is None:
        return ()
    try:
        full = date(year, month, day or 1)
    except ValueError:
        return ()
    return (full.isoformat() if day else f"{full:%Y-%m}",)


@cache
def _months() -> dict[str, list[int]]:
    """Folded month names of many languages, from CLDR."""
    text = files("haystack_agent.text").joinpath("months.json").read_text("utf-8")
    table: dict[str, list[int]] = json.loads(text)
    return table
