"""Short letters as plain text, Markdown or HTML: an appointment, and something to bring."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import date
from typing import Self

from eval.haystack.chance import Chance
from eval.haystack.values import Ask, Day, HaystackTerm, Kind, Language, Needs, Plain, Task
from eval.haystack.words import words_of, written
from haystack_agent.records import Modality

_SUFFIXES = ("txt", "md", "html")


@dataclass(frozen=True, slots=True)
class Letter:
    """From one person to another."""

    language: Language
    sender: str
    receiver: str
    place: str
    company: str
    when: date
    clock: str
    good: HaystackTerm
    suffix: str

    kind = Kind.LETTER
    modality = Modality.DOCUMENT

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A letter with random facts."""
        sender, receiver = chance.people()
        return cls(
            chance.language,
            sender,
            receiver,
            chance.place(),
            chance.company(),
            chance.day(),
            chance.clock(8, 20),
            chance.terms("goods", 1)[0],
            chance.random.choice(_SUFFIXES),
        )

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        words = words_of(self.language)
        body = words.label(
            "letter",
            date=words.day(self.when),
            place=self.place,
            time=self.clock,
            company=self.company,
            good=written(self.good, words),
        )
        return [words.label("dear", receiver=self.receiver), body, words.label("regards"), self.sender]

    def asks(self) -> list[Ask]:
        """Questions about the appointment; see `Item.asks`."""
        people = {"sender": Plain(self.sender), "receiver": Plain(self.receiver)}
        return [
            Ask("letter_time", Task.CONTEXT, Needs.TEXT, people, clock_value(self.clock)),
            Ask("letter_good", Task.CONTEXT, Needs.TEXT, people, self.good),
            Ask("letter_date", Task.FACT, Needs.TEXT, people, Day(self.when)),
        ]

    def draw(self) -> bytes:
        """Text in UTF-8."""
        dear, body, regards, sender = self.texts()
        if self.suffix == "html":
            paragraphs = "".join(f"<p>{html.escape(text)}</p>\n" for text in (dear, body, f"{regards} {sender}"))
            head = f'<html lang="{self.language}"><head><meta charset="utf-8"><title>{html.escape(dear)}</title></head>'
            return f"<!DOCTYPE html>\n{head}\n<body>\n{paragraphs}</body></html>\n".encode()
        return f"{dear}\n\n{body}\n\n{regards}\n{sender}\n".encode()


def clock_value(clock: str) -> Plain:
    """A time of day with other ways to write it."""
    hour, minute = clock.split(":")
    others = [f"{hour}.{minute}", f"{hour}h{minute}", f"{hour}時{minute}分", f"{hour}点{minute}分"]
    if int(hour) > 12:
        others += [f"{int(hour) - 12}:{minute} PM", f"{int(hour) - 12}:{minute} p.m."]
    return Plain(clock, tuple(others))
