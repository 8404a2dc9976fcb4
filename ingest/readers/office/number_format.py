"""Numbers and dates of spreadsheets as people see them: the common part of Excel's format codes."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[(\$[^\]-]*)?[^\]]*\]')
_DIGITS = re.compile(r"[#0?,.]*[#0?][#0?,.]*")
_DATE_PART = re.compile(r"yyyy|yy|mmmmm|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss(?:\.0+)?|s|am/pm|a/p", re.IGNORECASE)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MAX_DECIMALS = 15


def shown(value: object, code: str) -> str:
    """A cell's value as its format code shows it; plain where the code is one that is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (datetime, date, time)):
        return _shown_date(value, code)
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, (int, float)):
        return _shown_number(value, code)
    return str(value)


def _shown_number(value: float, code: str) -> str:
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)
    section = sections[0]
    if value < 0 and len(sections) > 1 and sections[1].strip():
        section, value = sections[1], -value
    elif value == 0 and len(sections) > 2 and sections[2].strip():
        section = sections[2]
    plain = _LITERAL.sub(_placeholder, section)
    digits = _DIGITS.search(plain)
    if digits is None or "general" in section.lower() or "e+" in plain.lower() or "/" in plain:
        return _plain(value)
    before, after = _literal(plain[: digits.start()]), _literal(plain[digits.end() :])
    scaled = Decimal(repr(value)) * (100 if "%" in plain else 1)
    pattern = digits.group()
    scaled /= 1000 ** (len(pattern) - len(pattern.rstrip(",")))
    decimals = re.sub(r"[^#0?]", "", pattern.partition(".")[2])
    try:
        fixed = scaled.quantize(Decimal(1).scaleb(-min(len(decimals), MAX_DECIMALS)), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return _plain(value)
    text = f"{abs(fixed):,f}" if "," in pattern.partition(".")[0].rstrip(",") else f"{abs(fixed):f}"
    for _ in range(len(decimals) - len(decimals.rstrip("#?"))):
        text = text[:-1] if text.endswith("0") and "." in text else text
    whole, point, rest = text.rstrip(".").partition(".")
    least = pattern.partition(".")[0].count("0")
    sign = "-" if fixed < 0 else ""
    return f"{sign}{before}{whole.zfill(least) if ',' not in whole else whole}{point}{rest}{after}".strip()


def _placeholder(match: re.Match[str]) -> str:
    """Literal text as private characters, so that a digit or a dot in it is not taken for a part of the code."""
    literal = match.group(1) or match.group(2) or (match.group(3) or "")[1:]
    return "".join(chr(0xF0000 + ord(char)) if ord(char) < 0x10000 else char for char in literal)


def _literal(text: str) -> str:
    return "".join(chr(ord(char) - 0xF0000) if 0xF0000 <= ord(char) < 0x100000 else char for char in text)


def _plain(value: float) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _shown_date(value: datetime | date | time, code: str) -> str:
    section = _LITERAL.sub(_placeholder, code.split(";", maxsplit=1)[0])
    if not _DATE_PART.search(section) or "general" in section.lower():
        return _iso(value)
    moment = datetime.combine(date(1900, 1, 1), value) if isinstance(value, time) else value
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    twelve = re.search(r"am/pm|a/p", section, re.IGNORECASE) is not None
    parts: list[str] = []
    at, clock = 0, False
    for match in _DATE_PART.finditer(section):
        parts.append(section[at : match.start()])
        token = match.group().lower()
        at = match.end()
        minutes = token in {"m", "mm"} and (clock or re.match(r"[^a-z]*s", section[at:], re.IGNORECASE) is not None)
        parts.append(_date_part(moment, "minute" if minutes else token, len(token), twelve))
        clock = token in {"h", "hh"} or (clock and minutes)
    return _literal("".join([*parts, section[at:]])).strip()


def _date_part(moment: datetime, token: str, length: int, twelve: bool) -> str:
    hour = (moment.hour - 1) % 12 + 1 if twelve else moment.hour
    named = {
        "yyyy": f"{moment.year:04}", "yy": f"{moment.year % 100:02}",
        "mmmmm": _MONTHS[moment.month - 1][0], "mmmm": _MONTHS[moment.month - 1], "mmm": _MONTHS[moment.month - 1][:3],
        "dddd": _DAYS[moment.weekday()], "ddd": _DAYS[moment.weekday()][:3],
        "am/pm": "AM" if moment.hour < 12 else "PM", "a/p": "A" if moment.hour < 12 else "P",
    }  # fmt: skip
    if token in named:
        return named[token]
    number = {"m": moment.month, "d": moment.day, "h": hour, "s": moment.second}.get(token[0], moment.minute)
    if token == "minute":  # noqa: S105 - a part of a date
        number = moment.minute
    return f"{number:02}" if length >= 2 else str(number)


def _iso(value: datetime | date | time) -> str:
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat()
