"""What reads like words that people would use, in text that was read from files: names, labels, values, sentences.

All of it is guessed from letters, digits and marks, for any language; what is in doubt is refused, since a folder has
far more of everything than anybody asks.
"""

from __future__ import annotations

import re

from haystack_agent.retrieval.stopwords import STOPWORDS
from haystack_agent.text.fold import fold

DIGITS = re.compile(r"\d+")
IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]")
"""Of scripts in which a word has few signs, and no spaces beside it."""
RUN_TOGETHER = re.compile(r"\S*\d\S* .*[^\W\d_]{3,} .*[^\W\d_]{2,}")
"""A figure and several words: on a picture, mostly what stands beside it."""

_INNER_END = re.compile(r"[.!?]\s|[。！？।]\S")
_FIGURE = re.compile(r"^\S?\d\S*[.,%]")
_MARKS = frozenset('"“”|\\_{}<>=…•')
_OPEN_ENDS = (",", "-", ":", "(", "/", "&")
_CURRENCY = "-+$€£¥(¿¡"
_NAME_LENGTH, _VALUE_LENGTH = 80, 70
_SHORTEST_SENTENCE, _LONGEST_SENTENCE = 45, 220


def clean(text: str) -> str:
    """On one line, without bullets and quotation marks around it."""
    return " ".join(text.split()).strip("\"“”'*•-–·: ")


def is_name(text: str, longest: int = _NAME_LENGTH) -> bool:
    """Whether a text names something: mostly letters, more than one word, no address, no list of abbreviations."""
    if not 4 <= len(text) <= longest or _MARKS & set(text) or text.endswith("."):
        return False
    words = sum(_letters(word) >= 3 for word in text.split())
    enough = words >= 2 or len(IDEOGRAPHS.findall(text)) >= 4
    few_digits = len(DIGITS.findall(text)) <= 1 and not text[0].isdigit()
    return enough and few_digits and text.count(".") <= 1 and _letters(text) + text.count(" ") >= 0.8 * len(text)


def is_label(text: str, longest: int) -> bool:
    """Whether a text names a row, a column or a value: a few different words, mostly letters, nothing cut off."""
    if not 2 <= len(text) <= longest or _MARKS & set(text) or not text[0].isalpha() or "  " in text:
        return False
    words = fold(text).split()
    whole = not text.endswith((*_OPEN_ENDS, ".")) and words[-1] not in STOPWORDS and len(set(words)) == len(words)
    real = any(len(IDEOGRAPHS.findall(word)) >= 2 or _letters(word) >= 3 for word in words)
    closed = all(text.count(one) == text.count(other) for one, other in ("()", "（）", "[]"))
    return whole and closed and real and len(words) <= 8 and _letters(text) >= 0.6 * len(text)


def is_value(text: str) -> bool:
    """Whether a text is one answer: short, not one sign, no sentence, not several figures in a row."""
    if not text or len(text) > _VALUE_LENGTH or _MARKS & set(text) or text.endswith(_OPEN_ENDS) or "  " in text:
        return False
    words = text.split()
    signs = sum(char.isalnum() for char in text)
    sentence = text.endswith("。") or (len(words) > 4 and text.endswith("."))
    figures = sum(bool(_FIGURE.match(word)) for word in words)
    numbers = sum(bool(DIGITS.search(word)) for word in words)
    several = figures > 1 or (figures == 1 and numbers > 1 and not _letters(text))
    cut_off = len(words) > 2 and fold(words[-1]) in STOPWORDS
    starts = text[0].isalnum() or text[0] in _CURRENCY
    return starts and not (sentence or several or cut_off) and signs >= max(2, 0.5 * len(text))


def is_sentence(text: str) -> bool:
    """Whether a text is one whole sentence of running words."""
    if not _SHORTEST_SENTENCE <= len(text) <= _LONGEST_SENTENCE or _INNER_END.search(text) or set(text) & set('":^*|'):
        return False
    words = text.split()
    starts = text[0].isupper() or bool(IDEOGRAPHS.match(text))
    long_enough = len(words) >= 7 or len(IDEOGRAPHS.findall(text)) >= 15
    running = sum(word[0].isupper() for word in words) <= 0.5 * len(words)
    whole = starts and text.endswith((".", "!", "?", "。", "！", "？", "।"))
    return whole and long_enough and running and _letters(text) + text.count(" ") >= 0.8 * len(text)


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)
