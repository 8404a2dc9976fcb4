"""Documents with a text layer and tables or charts: invoices, sales reports, data sheets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Self

from eval.haystack.chance import Chance
from eval.haystack.media.canvas import COLOURS
from eval.haystack.media.sheets import Sheet
from eval.haystack.values import Ask, Day, HaystackTerm, Kind, Language, Money, Needs, Plain, Task
from eval.haystack.words import Words, words_of, written
from haystack_agent.records import Modality

_QUARTERS = ("Q1", "Q2", "Q3", "Q4")


@dataclass(frozen=True, slots=True)
class Invoice:
    """One page with a table of three goods and their total."""

    language: Language
    company: str
    place: str
    customer: str
    number: str
    when: date
    goods: tuple[HaystackTerm, ...]
    counts: tuple[int, ...]
    prices: tuple[int, ...]
    days: int

    kind = Kind.INVOICE
    modality = Modality.DOCUMENT
    suffix = "pdf"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """An invoice with random facts."""
        when = chance.day()
        return cls(
            chance.language,
            chance.company(),
            chance.place(),
            chance.person(),
            f"{when.year}-{chance.random.randint(10_000, 99_999)}",
            when,
            chance.terms("goods", 3),
            tuple(chance.random.randint(1, 9) for _ in range(3)),
            chance.prices(3, 20, 900),
            chance.random.choice((10, 14, 21, 30)),
        )

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        return [cell for row in (*self._head(), *self._rows()) for cell in row] + [self._pay()]

    def asks(self) -> list[Ask]:
        """Questions about total, goods and date; see `Item.asks`."""
        sides = {"company": Plain(self.company), "customer": Plain(self.customer)}
        dearest = self.goods[self.prices.index(max(self.prices))]
        one = self.when.day % 3
        return [
            Ask("invoice_total", Task.FACT, Needs.TEXT, sides, Money(sum(self.prices)), 1),
            Ask("invoice_most", Task.STATISTICS, Needs.TEXT, sides, dearest, 1),
            Ask("invoice_date", Task.METADATA, Needs.TEXT, {"number": Plain(self.number)}, Day(self.when), 1),
            Ask("invoice_good", Task.FACT, Needs.TEXT, {**sides, "good": self.goods[one]}, Money(self.prices[one]), 1),
        ]

    def draw(self) -> bytes:
        """A PDF."""
        words = words_of(self.language)
        sheet = Sheet(self.language)
        sheet.heading(f"{words.label('invoice')} {self.number}")
        for line in self._head()[1:]:
            sheet.line(": ".join(line) if len(line) == 2 else line[0])
        sheet.gap()
        sheet.table((220, 90, 150), self._rows())
        sheet.line(self._pay())
        return sheet.content(words.label("invoice"), self.company, self.when)

    def _head(self) -> list[tuple[str, ...]]:
        words = words_of(self.language)
        return [
            (words.label("invoice"), self.number),
            (f"{self.company}, {self.place}",),
            (words.label("customer"), self.customer),
            (words.label("date"), words.day(self.when)),
        ]

    def _rows(self) -> list[tuple[str, ...]]:
        words = words_of(self.language)
        goods = zip(self.goods, self.counts, self.prices, strict=True)
        return [
            (words.label("item"), words.label("quantity"), words.label("amount")),
            *((written(good, words), str(count), written(Money(price), words)) for good, count, price in goods),
            (words.label("total"), "", written(Money(sum(self.prices)), words)),
        ]

    def _pay(self) -> str:
        return words_of(self.language).label("pay", n=str(self.days))


@dataclass(frozen=True, slots=True)
class Report:
    """One page with a bar chart of four quarters."""

    language: Language
    company: str
    place: str
    author: str
    when: date
    sold: tuple[int, ...]
    colours: tuple[HaystackTerm, ...]

    kind = Kind.REPORT
    modality = Modality.DOCUMENT
    suffix = "pdf"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A report with random facts."""
        return cls(
            chance.language,
            chance.company(),
            chance.place(),
            chance.person(),
            chance.day(),
            tuple(chance.random.sample(range(40, 480), 4)),
            chance.terms("colours", 4),
        )

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        return [self._title(), *self._lines(), *_QUARTERS, *map(str, self.sold)]

    def asks(self) -> list[Ask]:
        """Questions about the chart and the author; see `Item.asks`."""
        branch = {"company": Plain(self.company), "place": Plain(self.place)}
        dated = {**branch, "year": Plain(str(self.when.year))}
        best = self.sold.index(max(self.sold))
        quarter = Plain(_QUARTERS[best], (f"{best + 1}Q",))
        total = sum(self.sold)
        return [
            Ask("report_best", Task.STATISTICS, Needs.TEXT, dated, quarter, 1),
            Ask("report_colour", Task.VISUAL, Needs.VISION, branch, self.colours[best], 1),
            Ask("report_author", Task.METADATA, Needs.TEXT, branch, Plain(self.author), 1),
            Ask("report_sum", Task.STATISTICS, Needs.TEXT, dated, Plain(str(total), _grouped(total)), 1),
        ]

    def draw(self) -> bytes:
        """A PDF."""
        sheet = Sheet(self.language)
        sheet.heading(self._title())
        for line in self._lines():
            sheet.line(line)
        sheet.gap(24)
        red_green_blue = [COLOURS[colour.number] for colour in self.colours]
        sheet.bars(_QUARTERS, self.sold, [(r / 255, g / 255, b / 255) for r, g, b in red_green_blue])
        return sheet.content(self._title(), self.author, self.when)

    def _title(self) -> str:
        return f"{words_of(self.language).label('report')} {self.when.year}"

    def _lines(self) -> list[str]:
        words = words_of(self.language)
        return [
            f"{self.company}, {words.label('branch')}: {self.place}",
            f"{words.label('author')}: {self.author}, {words.day(self.when)}",
            f"{words.label('sales')} ({words.label('units')})",
        ]


def _grouped(count: int) -> tuple[str, ...]:
    return (f"{count:,}", f"{count:,}".replace(",", "."), f"{count:,}".replace(",", " "))


@dataclass(frozen=True, slots=True)
class DataSheet:
    """One page of properties of a device."""

    language: Language
    model: str
    device: HaystackTerm
    company: str
    contact: str
    when: date
    grams: int
    watts: int
    millimetres: int
    months: int

    kind = Kind.SHEET
    modality = Modality.DOCUMENT
    suffix = "pdf"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A data sheet with random facts."""
        return cls(
            chance.language,
            chance.model(),
            chance.terms("devices", 1)[0],
            chance.company(),
            chance.person(),
            chance.day(),
            100 * chance.random.randint(4, 280),
            5 * chance.random.randint(8, 480),
            chance.random.randint(90, 990),
            chance.random.choice((6, 12, 24, 36, 48, 60)),
        )

    def texts(self) -> list[str]:
        """All of its text; see `Item.texts`."""
        return [self._title(), *self._lines()]

    def asks(self) -> list[Ask]:
        """Questions about properties and contact; see `Item.asks`."""
        model = {"model": Plain(self.model)}
        kilos = f"{self.grams / 1000:.1f}"
        weight = Plain(f"{kilos} kg", (kilos.replace(".", ",") + " kg", f"{self.grams} g"))
        return [
            Ask("sheet_weight", Task.FACT, Needs.TEXT, model, weight, 1),
            Ask("sheet_power", Task.FACT, Needs.TEXT, model, Plain(f"{self.watts} W", (f"{self.watts} watts",)), 1),
            Ask("sheet_contact", Task.CONTEXT, Needs.TEXT, model, Plain(self.contact), 1),
        ]

    def draw(self) -> bytes:
        """A PDF."""
        sheet = Sheet(self.language)
        sheet.heading(self._title())
        for line in self._lines():
            sheet.line(line)
        return sheet.content(self._title(), self.company, self.when)

    def _title(self) -> str:
        words = words_of(self.language)
        return f"{words.label('sheet')}: {written(self.device, words)} {self.model}"

    def _lines(self) -> list[str]:
        words = words_of(self.language)
        return [
            f"{self.company}, {words.day(self.when)}",
            _property(words, "weight", f"{self.grams / 1000:.1f}".replace(".", words.decimal) + " kg"),
            _property(words, "power", f"{self.watts} W"),
            _property(words, "length", f"{self.millimetres} mm"),
            _property(words, "warranty", words.label("months", n=str(self.months))),
            words.label("service", person=self.contact),
        ]


def _property(words: Words, name: str, value: str) -> str:
    return f"{words.label(name)}: {value}"
