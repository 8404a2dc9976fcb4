"""What kind of answer a question asks for, as far as its words tell."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from haystack_agent.text.fold import fold
from haystack_agent.text.numbers import dates, numbers


class AnswerKind(StrEnum):
    """Kinds of answers that can be recognised by their form."""

    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DATE = "date"
    TIME = "time"
    CODE = "code"
    NAME = "name"


# Folded words and phrases that ask for each kind, most specific kind first; a comma ends each.
_QUESTION_WORDS = {
    AnswerKind.TIME: """
        what time, at which hour, a quelle heure, um wie viel uhr, v kolik hodin, o ktorej, a che ora,
        a que hora, what time of day, mihin kellonaikaan, kellonaika, heure, uhrzeit, hora, ora, hodin, hodinu,
        何時, 時刻, 几点, 时间,
    """,
    AnswerKind.PERCENT: """
        percent, percentage, prozent, pourcentage, pourcent, porcentaje, por ciento, procent, procento,
        percento, percentuale, posto, postotak, prosentti, prosenttia, szazalek, yuzde, процент, パーセント, 百分,
        نسبة, प्रतिशत,
    """,
    AnswerKind.MONEY: """
        price, cost, costs, amount, total, subtotal, tax, vat, fee, pay, paid, salary, balance,
        importe, precio, iva, montant, prix, tva, ttc, betrag, preis, kosten, kostet, summe, mwst, cena,
        castka, stoji, dph, iznos, cijena, kwota, pret, suma, totalul, hinta, maksaa, osszeg, importo,
        prezzo, preco, valor, сумма, цена, 金額, 价格, 金额, कीमत, राशि, المبلغ,
        payer, paye, paie, pagar, paga, pagado, pagare, pagato, bezahlen, zahlen, bezahlt, zahlt, platit, plati,
        zaplatit, placi, placic, maksettu, maksettava, fizet, plateste, 支払, 支付, 付款, 多少钱, いくら,
        rent, loyer, miete, najem, vuokra, kuukausivuokra, alquiler, affitto, 家賃, 租金,
    """,
    AnswerKind.DATE: """
        when, date, which day, which year, what year, what day, quand, quelle date, wann, datum, cuando, fecha,
        quando, kdy, kedy, kiedy, kada, kdaj, milloin, mikor, cand, wanneer, nar, hvornar, когда,
        дата, πότε, متى, تاريخ, कब, तारीख, いつ, 何日, 什么时候, 日期,
    """,
    AnswerKind.NUMBER: """
        how many, how much, rate, temperature, pressure, weight, height, length, width, size, speed, distance, age,
        depth, degree, count,
        how far, how long, how old, how tall, what score, score, combien, wie viele,
        wie viel, wieviele, wie lange, wie lang, wie hoch, wie weit, wie alt, wie gross, wie schwer,
        jak dlouho, jak dlouha, jak daleko, jak vysoka, jak stary,
        cuantos, cuantas, cuanto, cuanta, quanti, quante, quanto, quantos, quantas,
        hoeveel, hur manga, hur mycket, hvor mange, hvor meget, kolik, kolko, ile, koliko, koliki, kolika,
        cate, cati, kuinka monta, kuinka paljon, montako, paljonko, hany, mennyi, kac, сколько, скільки,
        колко, ποσα, ποσοι, ποσο, كم, כמה, कितने, कितना, कितनी, いくつ, 何人, 何キロ, 何, 多少, 几, กี่, 몇,
    """,
    AnswerKind.CODE: """
        number, id, code, nummer, rechnungsnummer, numero, cislo, broj, szam, numar, numer, reference, lot number,
        номер, رقم, आईडी, 番号, 号码, 编号,
    """,
    AnswerKind.NAME: """
        who, whom, whose, wer, wen, wem, qui, quien, chi, quem, wie is, wie was, wie heeft, vem, hvem, kdo, kto, tko,
        cine, kuka, ki, кто, хто, кой, ποιος, من, מי, कौन, 誰, 谁,
    """,
}
_ORDER = tuple(_QUESTION_WORDS)
_PERCENT = re.compile(r"\d\s?[%٪‰]|\d\s?(?:percent|per cent|prozent|procent|pct)", re.IGNORECASE)
_MONEY = re.compile(
    r"[$€£¥₹₽₩]\s?\d|\d\s?(?:[$€£¥₹₽₩円元]|kc\b|usd|eur|chf|gbp|rm\b|rs\b)|\d[.,]\d{2}(?!\d)", re.IGNORECASE
)
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d{2}(?!\d)|(?<!\d)\d{1,2}\s?[ap]\.?m\b", re.IGNORECASE)
_CODE = re.compile(
    r"(?<![\w/.-])(?=[A-Z-]*\d)(?![\d]{1,4}[/.-]\d{1,2}[/.-])(?:[A-Z]+[-/]?\d[\w/-]{2,}|\d+[A-Z-][\w/-]{3,}|\d{5,})(?![\w/.-])"
)
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[A-ZÀ-ÞА-Я][\w'’-]+\s+(?:[A-ZÀ-ÞА-Я]\.?\s+)?[A-ZÀ-ÞА-Я][\w'’-]+")


def expected_kinds(question: str, meanings: Collection[str]) -> tuple[AnswerKind, ...]:
    """Kinds the question asks for, most specific first; `meanings` are English glosses of its words."""
    text = f" {fold(question)} {' '.join(meanings)} "
    return tuple(kind for kind in _ORDER if _asks(_QUESTION_WORDS[kind], text))


def _asks(words: str, text: str) -> bool:
    for word in filter(None, (fold(part.strip()) for part in words.split(","))):
        spaced = not re.search(r"[\u0900-\u097f\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]", word)
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) if spaced else word in text:
            return True
    return False


def satisfies(kind: AnswerKind, text: str, question: str) -> bool:
    """Whether a text holds something of that kind which the question does not say itself."""
    folded = fold(text)
    if kind in (AnswerKind.NUMBER, AnswerKind.DATE):
        finder = numbers if kind is AnswerKind.NUMBER else dates
        known = {reading for found in finder(fold(question)) for reading in found.readings}
        return any(not known.intersection(found.readings) for found in finder(folded))
    pattern = {
        AnswerKind.PERCENT: _PERCENT,
        AnswerKind.MONEY: _MONEY,
        AnswerKind.TIME: _TIME,
        AnswerKind.CODE: _CODE,
        AnswerKind.NAME: _NAME,
    }[kind]
    found = [fold(match.group()) for match in pattern.finditer(text)]
    if kind is AnswerKind.NAME:
        # "Dear Simon" is no other name than the Simon of the question.
        asked = set(_WORD.findall(fold(question)))
        return any(asked.isdisjoint(_WORD.findall(name)) for name in found)
    return any(value not in fold(question) for value in found)
