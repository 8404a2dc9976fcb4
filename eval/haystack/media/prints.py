"""Text that is only to be seen: scanned agreements, receipts, signs, screenshots."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Self

from eval.haystack.chance import Chance
from eval.haystack.media import canvas
from eval.haystack.media.letters import clock_value
from eval.haystack.media.sheets import Sheet
from eval.haystack.values import Ask, Day, HaystackTerm, Kind, Language, Money, Months, Needs, Plain, Task
from eval.haystack.words import words_of, written
from haystack_agent.records import Modality

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Lease:
    """A rental agreement as a scan: a PDF of one picture, or the picture itself."""

    language: Language
    landlord: str
    tenant: str
    place: str
    when: date
    rent: int
    months: int
    suffix: str

    @classmethod
    def drawn(cls, chance: Chance, suffix: str) -> Self:
        """An agreement with random facts, as `pdf` or `jpg`."""
        landlord, tenant = chance.people()
        rent = chance.prices(1, 300, 1900)[0]
        months = chance.random.choice((2, 3, 4, 6))
        return cls(chance.language, landlord, tenant, chance.place(), chance.day(), rent, months, suffix)

    @property
    def kind(self) -> Kind:
        """Whether the scanner wrote a document or a picture."""
        return Kind.SCAN if self.suffix == "pdf" else Kind.PHOTO_SCAN

    @property
    def modality(self) -> Modality:
        """That of the file; see `Item.modality`."""
        return Modality.DOCUMENT if self.suffix == "pdf" else Modality.IMAGE

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        words = words_of(self.language)
        return [
            words.label("lease"),
            f"{words.label('landlord')}: {self.landlord}",
            f"{words.label('tenant')}: {self.tenant}",
            f"{words.label('rent')}: {written(Money(self.rent), words)}",
            f"{words.label('notice')}: {written(Months(self.months), words)}",
            f"{self.place}, {words.day(self.when)}",
        ]

    def asks(self) -> list[Ask]:
        """Questions about rent, notice and date; see `Item.asks`."""
        people = {"landlord": Plain(self.landlord), "tenant": Plain(self.tenant)}
        page = 1 if self.suffix == "pdf" else None
        return [
            Ask("lease_rent", Task.FACT, Needs.TEXT, people, Money(self.rent), page),
            Ask("lease_notice", Task.CONTEXT, Needs.TEXT, people, Months(self.months), page),
            Ask("lease_date", Task.METADATA, Needs.TEXT, people, Day(self.when), page),
        ]

    def draw(self) -> bytes:
        """A scan in grey."""
        title, *lines = self.texts()
        picture, pen = canvas.blank((760, 520), (252, 251, 247))
        pen.text((60, 50), title, font=canvas.font(40), fill=canvas.DARK)
        canvas.lines(pen, (60, 140), lines[:4], 26, 58)
        canvas.lines(pen, (60, 420), lines[4:], 26, 58)
        scan = canvas.jpeg(canvas.worn(picture, random.Random(repr(self))), 78)  # noqa: S311 - specks are no secret
        if self.suffix != "pdf":
            return scan
        sheet = Sheet(self.language)
        sheet.picture(scan, (547, 374))
        return sheet.content()


@dataclass(frozen=True, slots=True)
class Receipt:
    """A narrow strip of paper from a shop."""

    language: Language
    company: str
    place: str
    when: date
    clock: str
    goods: tuple[HaystackTerm, ...]
    prices: tuple[int, ...]

    kind = Kind.RECEIPT
    modality = Modality.IMAGE
    suffix = "jpg"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A receipt with random facts."""
        return cls(
            chance.language,
            chance.company(),
            chance.place(),
            chance.day(),
            chance.clock(8, 20),
            chance.terms("goods", 3),
            chance.prices(3, 2, 90),
        )

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        words = words_of(self.language)
        goods = zip(self.goods, self.prices, strict=True)
        return [
            self.company,
            f"{words.label('receipt')} - {self.place}",
            f"{words.day(self.when)}  {self.clock}",
            *(text for good, price in goods for text in (written(good, words), words.amount(price))),
            words.label("total"),
            written(Money(sum(self.prices)), words),
        ]

    def asks(self) -> list[Ask]:
        """Questions about total, goods and time; see `Item.asks`."""
        shop = {"company": Plain(self.company), "place": Plain(self.place)}
        dearest = self.goods[self.prices.index(max(self.prices))]
        return [
            Ask("receipt_total", Task.FACT, Needs.TEXT, shop, Money(sum(self.prices))),
            Ask("receipt_most", Task.STATISTICS, Needs.TEXT, shop, dearest),
            Ask("receipt_time", Task.METADATA, Needs.TEXT, shop, clock_value(self.clock)),
        ]

    def draw(self) -> bytes:
        """A picture as from a phone."""
        texts = self.texts()
        picture, pen = canvas.blank((400, 460), (246, 244, 238))
        pen.text((200, 40), texts[0], font=canvas.fitting(pen, texts[0], 30, 360), fill=canvas.DARK, anchor="mm")
        for number, text in enumerate(texts[1:3]):
            pen.text((200, 90 + 34 * number), text, font=canvas.font(20), fill=canvas.DARK, anchor="mm")
        rows = list(zip(texts[3::2], texts[4::2], strict=True))
        pen.line((24, 160, 376, 160), fill=canvas.DARK, width=2)
        for number, (name, price) in enumerate(rows):
            y = 195 + 52 * number + (24 if number == len(rows) - 1 else 0)
            pen.text((30, y), name, font=canvas.font(24), fill=canvas.DARK, anchor="lm")
            pen.text((370, y), price, font=canvas.font(24), fill=canvas.DARK, anchor="rm")
        pen.line((24, 338, 376, 338), fill=canvas.DARK, width=2)
        return canvas.jpeg(canvas.worn(picture, random.Random(repr(self))), 80)  # noqa: S311 - specks are no secret


@dataclass(frozen=True, slots=True)
class Sign:
    """The sign at a shop's door."""

    language: Language
    company: str
    place: str
    opens: str
    closes: str
    closed: HaystackTerm
    ground: HaystackTerm

    kind = Kind.SIGN
    modality = Modality.IMAGE
    suffix = "png"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A sign with random facts."""
        return cls(
            chance.language,
            chance.company(),
            chance.place(),
            chance.clock(6, 11),
            chance.clock(16, 21),
            chance.terms("weekdays", 1)[0],
            chance.terms("colours", 1)[0],
        )

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        words = words_of(self.language)
        return [
            self.company,
            self.place,
            f"{words.label('open')}: {self.opens} - {self.closes}",
            f"{words.label('closed')}: {written(self.closed, words)}",
        ]

    def asks(self) -> list[Ask]:
        """Questions about hours and colour; see `Item.asks`."""
        shop = {"company": Plain(self.company), "place": Plain(self.place)}
        return [
            Ask("sign_colour", Task.VISUAL, Needs.VISION, shop, self.ground),
            Ask("sign_open", Task.CONTEXT, Needs.TEXT, shop, clock_value(self.opens)),
            Ask("sign_closed", Task.CONTEXT, Needs.TEXT, shop, self.closed),
        ]

    def draw(self) -> bytes:
        """A coloured board on a wall."""
        ground = canvas.COLOURS[self.ground.number]
        picture, pen = canvas.blank((520, 340), (206, 198, 184))
        pen.rounded_rectangle((14, 14, 506, 326), 18, fill=ground, outline=(250, 250, 250), width=4)
        ink = canvas.ink_on(ground)
        for text, size, y in zip(self.texts(), (38, 28, 28, 28), (70, 135, 215, 270), strict=True):
            pen.text((260, y), text, font=canvas.fitting(pen, text, size, 450), fill=ink, anchor="mm")
        return canvas.png(picture)


@dataclass(frozen=True, slots=True)
class Screenshot:
    """The settings of a phone, with a switch each; one is off."""

    language: Language
    person: str
    place: str
    percent: int
    settings: tuple[HaystackTerm, ...]
    off: int

    kind = Kind.SCREENSHOT
    modality = Modality.IMAGE
    suffix = "png"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A screenshot with random facts."""
        percent = chance.random.randint(11, 97)
        settings = chance.terms("settings", 4)
        return cls(chance.language, chance.person(), chance.place(), percent, settings, chance.random.randrange(4))

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        words = words_of(self.language)
        return [
            words.label("settings"),
            f"{words.label('account')}: {self.person}",
            f"{words.label('city')}: {self.place}",
            f"{words.label('storage')}: {self.percent} %",
            *(written(setting, words) for setting in self.settings),
        ]

    def asks(self) -> list[Ask]:
        """Questions about switches, order and storage; see `Item.asks`."""
        account = {"person": Plain(self.person), "place": Plain(self.place)}
        share = Plain(f"{self.percent} %", (f"{self.percent}%",))
        return [
            Ask("screen_off", Task.VISUAL, Needs.VISION, account, self.settings[self.off]),
            Ask("screen_storage", Task.FACT, Needs.TEXT, account, share),
            Ask("screen_last", Task.VISUAL, Needs.TEXT, account, self.settings[-1]),
        ]

    def draw(self) -> bytes:
        """A white screen."""
        title, *lines = self.texts()
        picture, pen = canvas.blank((420, 560), (255, 255, 255))
        pen.rectangle((0, 0, 420, 64), fill=(38, 92, 168))
        pen.text((24, 32), title, font=canvas.font(28), fill=canvas.LIGHT, anchor="lm")
        for number, line in enumerate(lines):
            y = 106 + 58 * number + (20 if number > 2 else 0)
            wide = 372 if number < 3 else 290
            pen.text((24, y), line, font=canvas.fitting(pen, line, 24, wide), fill=canvas.DARK, anchor="lm")
            if number >= 3:
                _switch(picture, (340, y - 14), number - 3 != self.off)
                pen.line((24, y + 29, 396, y + 29), fill=(220, 220, 224))
        return canvas.png(picture)


def _switch(picture: Image, place: tuple[int, int], on: bool) -> None:
    from PIL import ImageDraw

    pen = ImageDraw.Draw(picture)
    x, y = place
    pen.rounded_rectangle((x, y, x + 54, y + 28), 14, fill=(52, 168, 83) if on else (176, 178, 182))
    left = x + 28 if on else x + 2
    pen.ellipse((left, y + 2, left + 24, y + 26), fill=(255, 255, 255))
