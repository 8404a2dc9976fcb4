"""The words of a language, and values written in it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from eval.haystack.values import GROUPS, Day, Emoji, Group, HaystackTerm, Language, Money, Months, Plain, Value


@dataclass(frozen=True, slots=True)
class Words:
    """Names, words and sentences of one language."""

    language: Language
    person: str
    date_form: str
    decimal: str
    group: str
    cents: bool
    """Whether amounts of money have a part behind the decimal sign."""
    money: str
    firsts: tuple[str, ...]
    lasts: tuple[str, ...]
    places: tuple[str, ...]
    companies: tuple[str, ...]
    months: tuple[str, ...]
    terms: dict[Group, tuple[str, ...]]
    labels: dict[str, str]
    asks: dict[str, str]

    def label(self, name: str, **slots: str) -> str:
        """A heading or sentence of an item, with its gaps filled."""
        return self.labels[name].format(**slots)

    def day(self, when: date) -> str:
        """A date written out."""
        return self.date_form.format(day=when.day, month=self.months[when.month - 1], number=when.month, year=when.year)

    def number(self, count: int) -> str:
        """A whole number with its digits in groups."""
        return f"{count:,}".replace(",", self.group)

    def amount(self, cents: int) -> str:
        """An amount of money without the currency."""
        whole = self.number(cents // 100)
        return f"{whole}{self.decimal}{cents % 100:02}" if self.cents else whole


@cache
def words_of(language: Language) -> Words:
    """The words of a language, read once."""
    raw: dict[str, Any] = tomllib.loads(files("eval.haystack").joinpath("words", f"{language}.toml").read_text("utf-8"))
    lists: dict[str, Any] = {name: tuple(raw[name]) for name in ("firsts", "lasts", "places", "companies", "months")}
    forms = {name: raw[name] for name in ("person", "decimal", "group", "cents", "money", "labels", "asks")}
    terms: dict[Group, tuple[str, ...]] = {group: tuple(raw[group]) for group in GROUPS}
    return Words(language=language, date_form=raw["date"], terms=terms, **lists, **forms)


def written(value: Value, words: Words) -> str:
    """The value as an item of this language shows it.

    Raises:
        TypeError: an emoji, which is drawn.
    """
    match value:
        case Plain(text=text):
            return text
        case HaystackTerm(group=group, number=number):
            return words.terms[group][number]
        case Day(when=when):
            return words.day(when)
        case Money(cents=cents):
            return words.money.format(words.amount(cents))
        case Months(count=count):
            return words.label("months", n=str(count))
        case Emoji():
            raise TypeError("emoji are not written")


def other_ways(value: Value) -> list[str]:
    """Ways to write the value that no language's own rules give."""
    match value:
        case Plain(others=others):
            return list(others)
        case Day(when=when):
            return [when.isoformat(), f"{when.day}.{when.month}.{when.year}", f"{when.day}/{when.month}/{when.year}"]
        case Money(cents=cents):
            return _amounts(cents)
        case _:
            return []


def _amounts(cents: int) -> list[str]:
    whole, part = divmod(cents, 100)
    if not part:
        return [f"{whole:,}", f"{whole:,}".replace(",", " "), f"{whole:,}".replace(",", "."), str(whole)]
    english = f"{whole:,}.{part:02}"
    continental = english.translate(str.maketrans(",.", ".,"))
    return [english, continental, continental.replace(".", " "), f"{whole}.{part:02}", f"{whole},{part:02}"]
