"""How far two texts agree: an extracted one and an authoritative one of the same content.

Tokens. Words broken by a hyphen at the end of a line are joined, as is any hyphen between letters; the text is folded
(`haystack_agent.text.fold`: case, accents, width, ligatures, digits) and cut into words, and into single characters
where a script has no spaces between words. Punctuation and line breaks do not count. Let E be the multiset of tokens
extracted, A the authoritative one, and S what they share:

- precision |S| / |E|, recall |S| / |A|, F1 their harmonic mean;
- LCS, the cosine of the tokens' counts in E and in A. LEMUR's published code has the same cosine over words split at
  spaces, for a whole document: the figures here are of other tokens, and not to be compared with theirs;
- order: the length of the longest common subsequence of both texts by |S|; 1 where what is shared stands in the same
  order.

Two empty texts agree (1), an empty and another do not (0).
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from haystack_agent.text.fold import fold
from haystack_agent.text.scripts import RUNS

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011\u00ad](?:[ \t]*\r?\n[ \t]*)?(?=[^\W\d_])")
_ANCHOR = 3
"""Tokens in a row that stand once on either side tell where a page lies in the whole text."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How an extracted text agrees with an authoritative one; counts are of tokens."""

    extracted: int
    authoritative: int
    shared: int
    in_order: int
    cosine: float
    missing: tuple[str, ...] = ()
    """The most frequent tokens that were not extracted."""
    extra: tuple[str, ...] = ()
    """The most frequent ones that should not be there."""

    @property
    def precision(self) -> float:
        """Share of what was extracted that should be."""
        return _share(self.shared, self.extracted, self.authoritative)

    @property
    def recall(self) -> float:
        """Share of what should be extracted that was."""
        return _share(self.shared, self.authoritative, self.extracted)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _share(2 * self.shared, self.extracted + self.authoritative, 0)

    @property
    def order(self) -> float:
        """Share of what is shared that stands in the same order."""
        return _share(self.in_order, self.shared, self.extracted + self.authoritative)


def _share(part: int, whole: int, other: int) -> float:
    return part / whole if whole else float(not other)


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order; see the module for how they are made."""
    found: list[str] = []
    for run in RUNS.finditer(fold(_HYPHEN.sub("", text))):
        found.extend([run.group()] if run.lastgroup == "word" else run.group())
    return found


def score(extracted: str, authoritative: str) -> Fidelity:
    """Compare two texts."""
    return score_tokens(tokens(extracted), tokens(authoritative))


def score_tokens(extracted: Sequence[str], authoritative: Sequence[str]) -> Fidelity:
    """Compare two texts that are cut into tokens."""
    mine, theirs = Counter[str](extracted), Counter[str](authoritative)
    dot = sum(count * theirs[token] for token, count in mine.items())
    norm = math.sqrt(sum(n * n for n in mine.values()) * sum(n * n for n in theirs.values()))
    return Fidelity(
        extracted=len(extracted),
        authoritative=len(authoritative),
        shared=(mine & theirs).total(),
        in_order=common_subsequence(extracted, authoritative),
        cosine=dot / norm if norm else float(not mine and not theirs),
        missing=tuple(token for token, _ in (theirs - mine).most_common(_SHOWN)),
        extra=tuple(token for token, _ in (mine - theirs).most_common(_SHOWN)),
    )


def common_subsequence(one: Sequence[str], two: Sequence[str]) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyrö, "Bit-parallel LCS-length computation
    revisited", 2004)."""
    places: dict[str, int] = {}
    for place, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << place
    everything = (1 << len(one)) - 1
    open_ends = everything
    for token in two:
        met = open_ends & places.get(token, 0)
        open_ends = ((open_ends + met) | (open_ends - met)) & everything
    return len(one) - open_ends.bit_count()


def cut_like(pages: Sequence[Sequence[str]], text: Sequence[str]) -> list[list[str]]:
    """Cut a text into as many parts as there are pages, where these begin in it.

    Pages of which nothing is found get equal parts of what lies between those beside them.
    """
    bounds: list[int | None] = [None] * (len(pages) + 1)
    ends: dict[int, int] = {}
    reached = 0
    for page, offset, place in _anchors(pages, text):
        if page not in ends:
            bounds[page] = max(reached, place - offset)
        reached = place + _ANCHOR
        ends[page] = max(reached, place - offset + len(pages[page]))
    bounds[0], bounds[-1] = 0, len(text)
    highest = len(text)
    for page in range(len(pages) - 1, 0, -1):
        bound = bounds[page] if bounds[page] is not None else ends.get(page - 1)
        if bound is not None:
            bounds[page] = highest = min(highest, bound)
    return [list(text[first:last]) for first, last in pairwise(_filled(bounds))]


def _filled(bounds: Sequence[int | None]) -> list[int]:
    """The bounds with those that are not known spread evenly between those that are; the outermost are."""
    known = [(number, bound) for number, bound in enumerate(bounds) if bound is not None]
    filled: list[int] = []
    for (first, low), (last, high) in pairwise(known):
        filled += [low + (high - low) * step // (last - first) for step in range(last - first)]
    return [*filled, known[-1][1]]


def _anchors(pages: Sequence[Sequence[str]], text: Sequence[str]) -> list[tuple[int, int, int]]:
    """Where the pages lie: (page, place on the page, place in the text), all of them rising."""
    here, there = _once(pages), _once([text])
    met = sorted((where, there[gram][1]) for gram, where in here.items() if gram in there)
    return [(page, offset, place) for (page, offset), place in _rising(met)]


def _once(parts: Sequence[Sequence[str]]) -> dict[tuple[str, ...], tuple[int, int]]:
    """Runs of `_ANCHOR` tokens that stand in one part, once: in which, and where there."""
    grams = [
        (gram, (number, place))
        for number, part in enumerate(parts)
        for place, gram in enumerate(zip(*(part[shift:] for shift in range(_ANCHOR)), strict=False))
    ]
    counts = Counter(gram for gram, _ in grams)
    return {gram: where for gram, where in grams if counts[gram] == 1}


Where = tuple[tuple[int, int], int]


def _rising(pairs: Sequence[Where]) -> list[Where]:
    """The longest part of pairs, sorted by the first, in which the second rises too (patience sorting)."""
    tails: list[int] = []
    chain: list[Where] = []
    before: list[int] = []
    ends: list[int] = []
    for number, (_, value) in enumerate(pairs):
        place = bisect_left(tails, value)
        before.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [value]
        ends[place : place + 1] = [number]
    last = ends[-1] if ends else -1
    while last >= 0:
        chain.append(pairs[last])
        last = before[last]
    return chain[::-1]
