"""Whether an answer is right, by rules: normalised match, numbers within a tolerance, ANLS."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rapidfuzz.distance import Levenshtein

from haystack_agent.text.fold import fold
from haystack_agent.text.numbers import dates, numbers

_TOLERANCE = 0.001
_ANLS_LEAST = 0.5
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that do not part words."""
_MINUS = re.compile(r"(?<!\w)[-\u2212]$")
_NEGATIVE = re.compile(r"(?<!\w)[-\u2212](?=\d)")
_ARTICLES = frozenset(("a", "an", "the"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one answer; ``right`` is any of the first three."""

    exact: bool
    """Equal to an accepted answer, without case, accents, punctuation, spaces and articles."""
    contains: bool
    """An accepted answer stands in it as whole words, or as written in scripts without spaces."""
    numeric: bool
    """It has the date or number accepted; one with a fraction may be rounded, by one in a thousand."""
    anls: float
    """Average normalised Levenshtein similarity (Biten et al. 2019): 1 is equal, below 0.5 counts as 0."""

    @property
    def right(self) -> bool:
        """Whether the answer counts as right."""
        return self.exact or self.contains or self.numeric


WRONG = Verdict(exact=False, contains=False, numeric=False, anls=0.0)
"""Of no answer."""


def judge(answer: str, accepted: Sequence[str]) -> Verdict:
    """Compare an answer with those accepted."""
    said = _words(answer)
    wanted = [_words(one) for one in accepted if one.strip()]
    if not said or not wanted:
        return WRONG
    return Verdict(
        exact=any(said == one for one in wanted),
        contains=any(_stands_in(one, said) for one in wanted if one),
        numeric=any(_same_number(answer, one) for one in accepted),
        anls=max(anls(" ".join(said), " ".join(one)) for one in wanted),
    )


def anls(first: str, second: str) -> float:
    """1 minus the edit distance as a share of the longer one; 0 where that is below one half."""
    return Levenshtein.normalized_similarity(first, second, score_cutoff=_ANLS_LEAST)


def _words(text: str) -> list[str]:
    signed = _NEGATIVE.sub("minus", fold(text))  # the sign is part of the word, so that 25 does not stand in -25
    plain = "".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in signed)
    return [word for word in plain.split() if word not in _ARTICLES]


def _stands_in(wanted: Sequence[str], said: Sequence[str]) -> bool:
    if any(said[start : start + len(wanted)] == list(wanted) for start in range(len(said) - len(wanted) + 1)):
        return True
    # OCR and scripts without spaces part words elsewhere.
    joined, whole = "".join(wanted), "".join(said)
    ends = {0, *accumulate(map(len, said))}
    starts = (start for start in range(len(whole) - len(joined) + 1) if whole.startswith(joined, start))
    return any(_is_apart(whole, start, start + len(joined), ends) for start in starts) if joined else False


def _is_apart(whole: str, start: int, end: int, ends: Collection[int]) -> bool:
    """Whether both sides of a stretch end a word or, in scripts without spaces, at least no number."""
    return all(at in ends or _parts(whole[at - 1], whole[at]) for at in (start, end))


def _parts(left: str, right: str) -> bool:
    """Whether words may part between two characters that stand together."""
    unspaced = _UNSPACED.match(left) is not None and _UNSPACED.match(right) is not None
    return unspaced and not (left.isnumeric() and right.isnumeric())


def _same_number(answer: str, accepted: str) -> bool:
    """Whether the accepted answer is one number or date, with at most a unit, and the answer has it."""
    wanted_days, said_days = set(_days(accepted)), set(_days(answer))
    if wanted_days:
        return bool(wanted_days & said_days)
    wanted = list(_values(accepted))
    if len(wanted) != 1 or len(_words(accepted)) > 3:
        return False
    return any(_near(one, other) for one in wanted[0] for said in _values(answer) for other in said)


def _values(text: str) -> Iterator[list[float]]:
    """The numbers in a text, each as what it may mean."""
    folded = fold(text)
    for found in numbers(folded):
        below = _MINUS.search(folded[: found.start]) is not None
        yield [-float(reading) if below else float(reading) for reading in found.readings]


def _near(wanted: float, said: float) -> bool:
    """Whole numbers are years, counts and codes: they must be equal."""
    return wanted == said if wanted.is_integer() else abs(wanted - said) <= _TOLERANCE * abs(wanted)


def _days(text: str) -> Iterator[str]:
    return (reading for found in dates(fold(text)) for reading in found.readings)
