"""Checking what a model wrote: a cited number must exist, quoted words must stand in the evidence that is cited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haystack_agent.answering.extractive.units import narrow
from haystack_agent.records import Citation, Evidence, Locator, Piece
from haystack_agent.text.fold import fold
from haystack_agent.text.visible import visible

_MARK = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_QUOTE = re.compile(r"[“„«\"]([^“”„«»\"]{3,400})[”“»\"]")
_WORD = re.compile(
    "(?:\\w|(?<=\\w)[\xad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff])+"
)
"""A model is given text without what is invisible in it: a word that has such signs in it is one word nevertheless."""
_MARKDOWN = re.compile(r"!?\[([^\]\n]*)\]\((?:[^()\n]|\([^()\n]*\))*\)")
_LATIN = "[A-Za-z0-9\uff21-\uff3a\uff41-\uff5a\uff10-\uff19]"
_OTHER_DOT = "[\u3002\uff0e\uff61]"
"""What browsers take for a dot, too; between other letters it ends a sentence."""
OF_AN_ADDRESS = re.compile(rf"[:/.@\uff0f]|(?<={_LATIN}){_OTHER_DOT}")
"""A sign without which nothing is an address."""
_ADDRESS = re.compile(
    r"\b(?:https?|ftp|data|javascript|file|mailto):\S+"
    r"|(?<![\w:/])//\w[\w-]*(?:\.[\w-]+)+\S*"
    r"|\\\\\w[\w.-]*\\\S+"
    r"|\bwww\.\w[\w-]*\.\S+"
    r"|(?<![\w.-])(?:\w[\w-]*\.)+[^\W\d_]{2,24}(?::\d+)?[/\uff0f]\S+"
    rf"|(?<!{_LATIN})(?:{_LATIN}+(?:\.|{_OTHER_DOT}))+{_LATIN}{{2,24}}(?::\d+)?[/\uff0f]\S+"
    r"|(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?/\S+",
    re.IGNORECASE,
)
LEFT_OUT = "(address left out)"
_NEAR = 200
"""Characters after a quotation within which the number of its place is looked for."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A model's answer after the check."""

    text: str
    """As it was written, without links and without numbers that mean no place; [1] is the best of the evidence."""
    citations: tuple[Citation, ...]
    """One for each place that is cited, in the order in which the text does."""
    invented: tuple[int, ...]
    """Numbers that were cited and mean no place."""
    address_left_out: bool
    """Whether it held an address that stands in no evidence."""


def check_words(text: str, evidence: Sequence[Evidence]) -> str:
    """A part of an answer as `check` would leave it: no mark, link or address may go on beyond its ends."""
    plain = _without_links(visible(text), evidence)
    cited = {number for match in _MARK.finditer(plain) for number in _numbers(match)}
    return _without_numbers(plain, [number for number in cited if not 1 <= number <= len(evidence)])


def check(text: str, evidence: Sequence[Evidence]) -> Checked:
    """Find citations and quotations in an answer, and see whether they hold."""
    plain = _without_links(visible(text), evidence)
    numbers = list(dict.fromkeys(number for match in _MARK.finditer(plain) for number in _numbers(match)))
    real = [number for number in numbers if 1 <= number <= len(evidence)]
    citations = tuple(_citation(number, plain, evidence[number - 1]) for number in real)
    invented = tuple(number for number in numbers if number not in real)
    return Checked(_without_numbers(plain, invented).strip(), citations, invented, LEFT_OUT in plain)


def _numbers(match: re.Match[str]) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", match.group(1))]


def _citation(number: int, text: str, evidence: Evidence) -> Citation:
    """A place with the words quoted from it: those that stand there, rather than those that do not."""
    quotes = [quote for quote, cited in _quotes(text) if number in cited]
    for quote in quotes:
        place = _place_of(quote, evidence)
        if place is not None:
            return Citation(evidence, quote, place)
    if quotes:
        return Citation(evidence, quotes[0], evidence.piece.locator, verified=False)
    return Citation(evidence, "", evidence.piece.locator)


def _quotes(text: str) -> Iterator[tuple[str, list[int]]]:
    """Each quotation with the numbers of the next mark behind it, if there is one near."""
    for match in _QUOTE.finditer(text):
        mark = _MARK.search(text, match.end(), match.end() + _NEAR)
        if mark:
            yield match.group(1).strip(), _numbers(mark)


def _place_of(quote: str, evidence: Evidence) -> Locator | None:
    """Where the words stand in the evidence, however they are spaced and folded; ``None`` where they do not."""
    words = [fold(visible(word)) for word in _WORD.findall(quote)]
    for piece in (evidence.piece, *evidence.neighbours):
        found = _find(words, piece)
        if found is not None:
            return narrow(piece, *found)
    return None


def _find(words: Sequence[str], piece: Piece) -> tuple[int, int] | None:
    spans = [(fold(visible(match.group())), match.start(), match.end()) for match in _WORD.finditer(piece.text)]
    for first in range(len(spans) - len(words) + 1):
        if words and all(spans[first + step][0] == word for step, word in enumerate(words)):
            return spans[first][1], spans[first + len(words) - 1][2]
    return None


def _without_numbers(text: str, invented: Sequence[int]) -> str:
    def mark(match: re.Match[str]) -> str:
        return "".join(f"[{number}]" for number in _numbers(match) if number not in invented)

    return re.sub(r" +(?=[.,;:!?]|$)", "", _MARK.sub(mark, text), flags=re.MULTILINE)


def _without_links(text: str, evidence: Sequence[Evidence]) -> str:
    """Links and pictures of Markdown become their words; addresses that stand in no evidence are left out.

    An answer must not carry what was asked out of the house in an address.
    """

    def address(match: re.Match[str]) -> str:
        plain = match.group().rstrip(".,;:)]\"”'")
        pieces = (piece for one in evidence for piece in (one.piece, *one.neighbours))
        return match.group() if any(plain in visible(piece.text) for piece in pieces) else LEFT_OUT

    return _ADDRESS.sub(address, _MARKDOWN.sub(_words_of_link, text))


def _words_of_link(match: re.Match[str]) -> str:
    """The words; the number of a place stays one where a model made a link of it."""
    return f"[{match[1]}]" if _MARK.fullmatch(f"[{match[1]}]") else match[1]
