"""What an item says and what can be asked about it, before any language is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol, get_args

from haystack_agent.records import Modality

Language = Literal["en", "de", "fr", "es", "it", "cs", "fi", "ja", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Group = Literal["goods", "devices", "weekdays", "colours", "settings", "corners"]
GROUPS: tuple[Group, ...] = get_args(Group)
"""Lists of words that correspond to each other in all languages."""


class Kind(StrEnum):
    """What a person would call the item."""

    INVOICE = "invoice"
    REPORT = "report"
    SHEET = "data sheet"
    LETTER = "letter"
    SCAN = "scan"
    PHOTO_SCAN = "scanned picture"
    RECEIPT = "receipt"
    SIGN = "sign"
    SCREENSHOT = "screenshot"
    SCENE = "pictogram scene"
    FILM = "film"


class Task(StrEnum):
    """The task types of MultiHaystack."""

    VISUAL = "visual parsing & positioning"
    CONTEXT = "contextual understanding"
    TEMPORAL = "video temporal reasoning"
    STATISTICS = "statistical reasoning"
    METADATA = "metadata identification"
    FACT = "factual knowledge retrieval"


class Needs(StrEnum):
    """What it takes to answer: the text that is in the evidence, or seeing it."""

    TEXT = "text"
    VISION = "vision"


@dataclass(frozen=True, slots=True)
class Plain:
    """The same in all languages; `others` are other ways to write it."""

    text: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HaystackTerm:
    """A word that every language has."""

    group: Group
    number: int


@dataclass(frozen=True, slots=True)
class Day:
    """A date, written out."""

    when: date


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in hundredths of the currency of the item's language."""

    cents: int


@dataclass(frozen=True, slots=True)
class Months:
    """A number of months."""

    count: int


@dataclass(frozen=True, slots=True)
class Emoji:
    """A thing that is drawn, not written."""

    sign: str


Value = Plain | HaystackTerm | Day | Money | Months | Emoji


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that an item answers: which sentence, and what is put into it."""

    name: str
    """Of the sentence, in the part `asks` of the words."""
    task: Task
    needs: Needs
    slots: Mapping[str, Value]
    answer: Value
    page: int | None = None
    time: tuple[float, float] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """What the question names just as the item does: no other item may have all of it."""
        named = (_key(value) for value in self.slots.values())
        return tuple(key for key in named if key)


def _key(value: Value) -> str:
    match value:
        case Plain(text=text):
            return text
        case Emoji(sign=sign):
            return sign
        case _:
            return ""


class Item(Protocol):
    """One file of a haystack. It is made of a few drawn facts and nothing else, so that it can be made again."""

    @property
    def language(self) -> Language:
        """What its text is written in."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def modality(self) -> Modality:
        """What a reader takes it for."""

    @property
    def suffix(self) -> str:
        """Of its file's name, without the dot."""

    def texts(self) -> list[str]:
        """Everything that can be read in it, and the emoji seen in it."""

    def asks(self) -> list[Ask]:
        """What it answers: three questions or more."""

    def draw(self) -> bytes:
        """The file's content, the same bytes every time."""
