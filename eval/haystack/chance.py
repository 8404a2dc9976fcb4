"""Draws what an item is about."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from eval.haystack.values import Group, HaystackTerm, Language
from eval.haystack.words import Words, words_of

_FIRST_DAY = date(2021, 1, 1)
_DAYS = 365 * 6
STEMS = (
    "Kestrel", "Bolero", "Cirrus", "Dynamo", "Esprit", "Falco", "Gavotte", "Helios", "Iberis", "Jubilo", "Karat",
    "Lumen", "Meteor", "Nimbus", "Orbit", "Pavane", "Quartz", "Rondo", "Sirius", "Tarantel", "Umbra", "Vektor",
    "Xenon", "Zephyr",
)  # fmt: skip
"""Names of devices: the same in every language."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A source of names, dates and numbers in one language."""

    random: random.Random
    language: Language

    @property
    def words(self) -> Words:
        """Of the language."""
        return words_of(self.language)

    def person(self) -> str:
        """A full name."""
        words = self.words
        return words.person.format(first=self.random.choice(words.firsts), last=self.random.choice(words.lasts))

    def people(self) -> tuple[str, str]:
        """Two people of different names."""
        one = self.person()
        while (other := self.person()) == one:
            pass
        return one, other

    def company(self) -> str:
        """A shop or firm."""
        return self.random.choice(self.words.companies)

    def place(self) -> str:
        """A town."""
        return self.random.choice(self.words.places)

    def terms(self, group: Group, count: int) -> tuple[HaystackTerm, ...]:
        """Different words of a group, in random order."""
        numbers = self.random.sample(range(len(self.words.terms[group])), count)
        return tuple(HaystackTerm(group, number) for number in numbers)

    def day(self) -> date:
        """A day of six years."""
        return _FIRST_DAY + timedelta(self.random.randrange(_DAYS))

    def clock(self, first: int, last: int) -> str:
        """A time of day between two hours."""
        return f"{self.random.randint(first, last)}:{self.random.choice(range(0, 60, 5)):02}"

    def prices(self, count: int, least: int, most: int) -> tuple[int, ...]:
        """Different amounts in hundredths, drawn between two whole ones; whole where the language has no cents."""
        if self.words.cents:
            return tuple(self.random.sample(range(100 * least, 100 * most), count))
        return tuple(1000 * whole for whole in self.random.sample(range(10 * least, 10 * most), count))

    def model(self) -> str:
        """The name of a device."""
        return f"{self.random.choice(STEMS)} {self.random.randint(100, 999)}"
