"""Glossing: the English names of what the words of a question mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from types import TracebackType
from typing import NamedTuple

from haystack_agent.text.fold import fold
from haystack_agent.text.scripts import RUNS

_LONGEST_PHRASE = 3
_LONGEST_RUN = 6
_SHORTEST_STEM = 4
_MOST_CANDIDATES = 40
_SHORTEST_ELSEWHERE = 5
_CERTAINTY_ELSEWHERE = 0.7


class Gloss(NamedTuple):
    """A stretch of the folded question and what it may mean in English, likeliest first."""

    start: int
    end: int
    words: tuple[str, ...]
    certainty: float
    """1 where the lexicon has the very term, less where only its stem agrees."""


class Lexicon:
    """The lexicon in the package, opened read-only; use as a context manager or `close` it."""

    def __init__(self) -> None:
        with as_file(files("haystack_agent.lexicon").joinpath("lexicon.sqlite")) as path:
            # Immutable: several processes may read it, from a folder that they may not write to.
            self._connection = sqlite3.connect(
                f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )

    def __enter__(self) -> Lexicon:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; calling it twice is harmless."""
        self._connection.close()

    def glosses(self, text: str, language: str | None) -> list[Gloss]:
        """What the words of `text` mean in English, longest phrases first taken; `language` narrows where known."""
        folded = fold(text)
        found: list[Gloss] = []
        words: list[tuple[int, int]] = []
        for match in RUNS.finditer(folded):
            if match.lastgroup == "word":
                words.append(match.span())
            else:
                found.extend(self._in_run(folded, match.start(), match.end(), language))
        found.extend(self._in_words(folded, words, language))
        return sorted(found)

    def _in_words(self, folded: str, words: Sequence[tuple[int, int]], language: str | None) -> Iterator[Gloss]:
        place = 0
        while place < len(words):
            for size in range(min(_LONGEST_PHRASE, len(words) - place), 0, -1):
                start, end = words[place][0], words[place + size - 1][1]
                meanings = self._exact(folded[start:end], language)
                if meanings:
                    yield Gloss(start, end, meanings, 1.0)
                    place += size
                    break
            else:
                start, end = words[place]
                if language is not None:
                    near = list(self._by_stem(folded[start:end], start, language))
                    yield from near or self._elsewhere(folded[start:end], start)
                place += 1

    def _in_run(self, folded: str, start: int, end: int, language: str | None) -> Iterator[Gloss]:
        while start < end:
            for size in range(min(_LONGEST_RUN, end - start), 1, -1):
                meanings = self._exact(folded[start : start + size], language)
                if meanings:
                    yield Gloss(start, start + size, meanings, 1.0)
                    start += size
                    break
            else:
                start += 1

    def _exact(self, term: str, language: str | None) -> tuple[str, ...]:
        condition = "term = ?" if language is None else "term = ? AND language IN ('', ?)"
        values: tuple[str, ...] = (term,) if language is None else (term, language)
        rows = self._connection.execute(f"SELECT glosses FROM lexicon WHERE {condition}", values).fetchall()  # noqa: S608
        return tuple(dict.fromkeys(word for row in rows for word in row[0].split("|")))

    def _elsewhere(self, word: str, start: int) -> Iterator[Gloss]:
        """The meaning in another language: short questions are easily taken for a neighbouring one."""
        meanings = self._exact(word, None) if len(word) >= _SHORTEST_ELSEWHERE else ()
        if meanings:
            yield Gloss(start, start + len(word), meanings, _CERTAINTY_ELSEWHERE)

    def _by_stem(self, word: str, start: int, language: str) -> Iterator[Gloss]:
        """The entry that shares the longest beginning with an inflected word; names of places are not guessed."""
        stem = word[: max(_SHORTEST_STEM, round(len(word) * 0.6))]
        if len(word) < _SHORTEST_STEM or word.isdecimal():
            return
        rows = self._connection.execute(
            "SELECT term, glosses FROM lexicon WHERE term >= ? AND term < ? AND language = ? LIMIT ?",
            (stem, stem + "\uffff", language, _MOST_CANDIDATES),
        ).fetchall()
        near = [(_shared(word, term), -len(term), term, meanings) for term, meanings in rows if " " not in term]
        near = [row for row in near if row[0] >= max(_SHORTEST_STEM, len(row[2]) - 2)]
        if near:
            shared, _, term, meanings = max(near)
            yield Gloss(start, start + len(word), tuple(meanings.split("|")), shared / max(len(word), len(term)))


def _shared(one: str, other: str) -> int:
    """Length of the common beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
