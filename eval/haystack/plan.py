"""Which items a haystack has: first those that questions are about, then those that must not answer any."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from eval.haystack.chance import Chance
from eval.haystack.media.films import Film
from eval.haystack.media.letters import Letter
from eval.haystack.media.papers import DataSheet, Invoice, Report
from eval.haystack.media.prints import Lease, Receipt, Screenshot, Sign
from eval.haystack.media.scenes import Scene
from eval.haystack.values import LANGUAGES, Ask, Item, Kind
from haystack_agent.errors import UsageError
from haystack_agent.records import Modality

VERSION = 1
"""Raised when the same seed makes other files."""
EVIDENCE = 100
"""Items that questions are about: the first ones, whatever the size of the haystack."""
_ATTEMPTS = 1000
_EVIDENCE_KINDS = (
    Kind.LETTER, Kind.SCENE, Kind.INVOICE, Kind.FILM, Kind.SIGN,
    Kind.REPORT, Kind.PHOTO_SCAN, Kind.SHEET, Kind.FILM, Kind.SCENE,
    Kind.RECEIPT, Kind.LETTER, Kind.REPORT, Kind.SCREENSHOT, Kind.FILM,
    Kind.SIGN, Kind.INVOICE, Kind.SCENE, Kind.SCAN, Kind.FILM,
)  # fmt: skip
"""In turn: two fifths documents, two fifths pictures, one fifth videos."""
_PICTURES = {
    Kind.SCENE: 0.3, Kind.SIGN: 0.2, Kind.RECEIPT: 0.15, Kind.SCREENSHOT: 0.15, Kind.PHOTO_SCAN: 0.1, Kind.SCAN: 0.1,
}  # fmt: skip
_PAPERS = {Kind.LETTER: 0.45, Kind.SHEET: 0.2, Kind.INVOICE: 0.2, Kind.REPORT: 0.15}
_SHARD = 1000
_MOST_ITEMS = 50_000
_CODE_BITS = 30
_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
_ODD = (0x2545F491, 0x1B873593)
FOLDERS = {Modality.DOCUMENT: "documents", Modality.IMAGE: "images", Modality.VIDEO: "videos"}


@dataclass(frozen=True, slots=True)
class FileRecipe:
    """What decides the files of a haystack, apart from how many there are."""

    seed: int = 7
    pictures: float = 0.04
    """Share of the later items that are pictures, or scans without text."""
    videos: float = 0.01

    def check(self) -> None:
        """Make sure that the shares are shares.

        Raises:
            UsageError: they are not.
        """
        if self.pictures < 0 or self.videos < 0 or self.pictures + self.videos > 1:
            raise UsageError(
                f"--pictures {self.pictures} and --videos {self.videos} are no shares: give numbers from 0 to 1 that"
                " are together at most 1."
            )

    def card(self) -> dict[str, object]:
        """As it is written beside the files."""
        return {"version": VERSION, **asdict(self)}


class HaystackPlan:
    """The items of a haystack of any size. Making one plans the evidence; an item is drawn by its index alone."""

    def __init__(self, recipe: FileRecipe) -> None:
        """Draw the evidence, each so that it answers no question about another.

        Raises:
            UsageError: the seed gives none.
        """
        self._recipe = recipe
        self._keys: list[tuple[str, ...]] = []
        self.evidence: list[Item] = []
        texts: list[str] = []
        for index in range(EVIDENCE):
            for attempt in range(_ATTEMPTS):
                item = self._drawn(index, _EVIDENCE_KINDS[index % len(_EVIDENCE_KINDS)], attempt)
                text, keys = "\n".join(item.texts()), [ask.keys for ask in item.asks()]
                if not self._answers(text) and not any(_has_all(other, key) for other in texts for key in keys):
                    break
            else:
                raise UsageError(f"Evidence {index} cannot be told from the others: use another --seed.")
            self.evidence.append(item)
            texts.append(text)
            self._keys += keys

    def item(self, index: int) -> Item:
        """The item at a place; one after the evidence never has all that a question names.

        Raises:
            UsageError: none could be drawn that is different enough.
        """
        if index < len(self.evidence):
            return self.evidence[index]
        kind = self._kind(index)
        for attempt in range(_ATTEMPTS):
            item = self._drawn(index, kind, attempt)
            if not self._answers("\n".join(item.texts())):
                return item
        raise UsageError(f"Item {index} cannot be told from the evidence: use another --seed.")

    def path(self, index: int, item: Item) -> str:
        """Where the item's file lies in the folder; nothing in its name tells one from another."""
        code = (index * _ODD[0] + self._recipe.seed) % 2**_CODE_BITS
        code = (code ^ code >> 15) * _ODD[1] % 2**_CODE_BITS  # both steps can be undone: no two items share a code
        name = "".join(_SIGNS[code >> shift & 31] for shift in range(_CODE_BITS - 5, -1, -5))
        shards = max(1, round(_MOST_ITEMS * self._share(item.modality) / _SHARD))
        return f"{FOLDERS[item.modality]}/{(code >> 10) % shards:02}/{name}.{item.suffix}"

    def _share(self, modality: Modality) -> float:
        shares = {Modality.IMAGE: self._recipe.pictures, Modality.VIDEO: self._recipe.videos}
        return shares.get(modality, 1 - sum(shares.values()))

    def _answers(self, text: str) -> bool:
        """Whether there is a question that names nothing but what is in the text."""
        return any(_has_all(text, keys) for keys in self._keys)

    def _random(self, *parts: object) -> random.Random:
        return random.Random("/".join(map(str, (VERSION, self._recipe.seed, *parts))))  # noqa: S311 - no secrets

    def _kind(self, index: int) -> Kind:
        chance = self._random(index, "kind")
        place = chance.random() - self._recipe.videos
        if place < 0:
            return Kind.FILM
        shares = _PICTURES if place < self._recipe.pictures else _PAPERS
        return chance.choices(list(shares), list(shares.values()))[0]

    def _drawn(self, index: int, kind: Kind, attempt: int) -> Item:
        chance = self._random(index, attempt)
        language = LANGUAGES[index % len(LANGUAGES)] if index < EVIDENCE else chance.choice(LANGUAGES)
        return draw(kind, Chance(chance, language))


def draw(kind: Kind, chance: Chance) -> Item:
    """An item of a kind with random facts."""
    match kind:
        case Kind.SCAN | Kind.PHOTO_SCAN:
            return Lease.drawn(chance, "pdf" if kind is Kind.SCAN else "jpg")
        case _:
            return _MAKERS[kind].drawn(chance)


_MAKERS: dict[Kind, type[Invoice | Report | DataSheet | Letter | Receipt | Sign | Screenshot | Scene | Film]] = {
    Kind.INVOICE: Invoice,
    Kind.REPORT: Report,
    Kind.SHEET: DataSheet,
    Kind.LETTER: Letter,
    Kind.RECEIPT: Receipt,
    Kind.SIGN: Sign,
    Kind.SCREENSHOT: Screenshot,
    Kind.SCENE: Scene,
    Kind.FILM: Film,
}


def _has_all(text: str, keys: Sequence[str]) -> bool:
    return all(key in text for key in keys)


def turned(asks: Sequence[Ask], index: int) -> list[Ask]:
    """The questions of an item, beginning with another one for the next item of its kind."""
    start = index // len(_EVIDENCE_KINDS) % len(asks)
    return [*asks[start:], *asks[:start]]
