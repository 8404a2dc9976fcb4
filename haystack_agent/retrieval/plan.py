"""From a question to what is asked of each vector."""

from __future__ import annotations

import re
from dataclasses import dataclass

from haystack_agent.lexicon.lookup import Gloss, Lexicon
from haystack_agent.media import MEDIUM_OF_WORD
from haystack_agent.records import Modality
from haystack_agent.retrieval.stopwords import (
    ASKED_BEFORE,
    ENGLISH,
    ENGLISH_ONLY,
    FOREIGN_ONLY,
    FUNCTION_CHARACTERS,
    INTERROGATIVES,
    STOPWORDS,
)
from haystack_agent.text.fold import fold
from haystack_agent.text.language import detect_language
from haystack_agent.text.scripts import RUNS
from haystack_agent.text.terms import STEM, Term, terms

GLOSS_WEIGHT = 0.5
"""A term that translates a word of the question weighs this much of the word itself."""

_LANGUAGE_CERTAINTY = 0.35
_LEAST_CERTAIN_GLOSS = 0.6
_GLOSSES_USED = 2
_GLOSS_CREDIT = 0.8
_STEM_CREDIT = 0.6
_FOCUS = 2.0
_FOCUS_DECAY = 0.4
_MODALITY_SHARE = 0.3
_RUN = 3
_WORDING = frozenset(
    ("word", "words", "written", "writes", "text", "texts", "says", "said", "reads", "printed", "inscription", "label")
)
_WORD = re.compile(r"[^\W_]+")
_CLIPPED = re.compile(r"(?<=\w['\u2019])(?:s|t|d|m|ll|re|ve)\b|\b(?:[cdjlmnst]|qu|un)(?=['\u2019]\w)")
"""What an apostrophe leaves of a word: "plumber's", "l'appartement"."""
_ENDS_ASKING = re.compile(r"[?？؟\u037e]\W*$")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing the question speaks of: a word that matters, with everything that may stand for it in a text."""

    word: str
    """As in the question, folded."""
    credits: tuple[tuple[str, float], ...]
    """Terms that may stand for it, and how much of it each is: 1 for the word itself, less for stems and glosses."""
    focus: float
    """1 or more; the nearer to the word that asks, the larger."""
    certain: bool
    """Whether a text about it must show one of the terms: not so for a foreign word that may be put otherwise."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A question, ready to be asked."""

    question: str
    language: str | None
    english: bool
    """Whether an English sentence encoder can read the question."""
    concepts: tuple[Concept, ...]
    terms: dict[str, float]
    """Terms for BM25 with their weights, translations included."""
    glosses: tuple[Gloss, ...]
    dense_text: str
    """What an English sentence encoder reads: the question, or English words for it if it is in another language."""
    modalities: frozenset[Modality]
    """Kinds of media the question's own words name."""
    wording: bool
    """Whether it asks for words that are written somewhere."""
    asks: bool
    """Whether it is put as a question: a word in it asks, or it ends with the mark of one."""

    @property
    def other_words(self) -> tuple[str, ...]:
        """Of these, those that name no medium."""
        return tuple(word for word in self.words if word not in MEDIUM_OF_WORD)

    @property
    def words(self) -> tuple[str, ...]:
        """The question's words that matter, folded."""
        return tuple(concept.word for concept in self.concepts)


def make_plan(question: str, lexicon: Lexicon) -> Plan:
    """Read a question: its words, its language, what they mean in English, which media it names."""
    folded = fold(question)
    language = detect_language(question, _LANGUAGE_CERTAINTY)
    english = _is_english(question, folded, language)
    glosses = () if english else _glosses(question, folded, language, lexicon)
    meanings = [gloss.words[0] for gloss in glosses]
    found = _content_terms(question, folded, english)
    words = tuple(dict.fromkeys(folded[term.start : term.end] for term in found))
    return Plan(
        question=question,
        language=language,
        english=english,
        concepts=_concepts(question, folded, found, glosses, language, english),
        terms=_bm25_terms(found, folded, glosses),
        glosses=glosses,
        dense_text=" ".join((*_kept_words(folded, words, glosses), *meanings)) if glosses else question,
        asks=bool(_askers(folded)) or _ENDS_ASKING.search(question) is not None,
        wording=not _WORDING.isdisjoint(part for text in (*words, *meanings) for part in text.split()),
        modalities=frozenset(
            MEDIUM_OF_WORD[word] for text in (*words, *meanings) for word in text.split() if word in MEDIUM_OF_WORD
        ),
    )


def _is_english(question: str, folded: str, language: str | None) -> bool:
    """Short questions are of no certain language: then their grammar tells, and else they are taken for English."""
    if language is not None:
        return language == "en"
    if not ENGLISH_ONLY.isdisjoint(folded.split()):
        return True
    names = () if question.isupper() else [word for word in question.split() if word.isupper() and len(word) > 1]
    words = set(folded.split()) - {fold(name) for name in names}  # MIT is a name, "mit" is German
    return question.isascii() and FOREIGN_ONLY.isdisjoint(words)


def _content_terms(question: str, folded: str, english: bool) -> list[Term]:
    """Terms of the question that are no stop words of its language, in the order of their places."""
    stop = ENGLISH if english else STOPWORDS
    clipped = {match.span() for match in _CLIPPED.finditer(folded)}
    kept = [
        term
        for term in terms(question)
        if (term.start, term.end) not in clipped and not _is_function_word(folded[term.start : term.end], stop)
    ]
    return sorted(kept, key=lambda term: (term.start, -term.end))


def _is_function_word(word: str, stop: frozenset[str]) -> bool:
    return word in stop or (len(word) <= _RUN and any(char in FUNCTION_CHARACTERS for char in word))


def _glosses(question: str, folded: str, language: str | None, lexicon: Lexicon) -> tuple[Gloss, ...]:
    return tuple(
        gloss
        for gloss in lexicon.glosses(question, language)
        if gloss.certainty >= _LEAST_CERTAIN_GLOSS and folded[gloss.start : gloss.end] not in STOPWORDS
    )


def _concepts(
    question: str, folded: str, found: list[Term], glosses: tuple[Gloss, ...], language: str | None, english: bool
) -> tuple[Concept, ...]:
    """Terms and glosses that lie over one another are one concept."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted({(term.start, term.end) for term in found} | {(g.start, g.end) for g in glosses}):
        if spans and start < spans[-1][1] and folded[start:end].isascii():
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif (start, end) not in spans:
            spans.append((start, end))
    glossed = frozenset(folded[gloss.start : gloss.end] for gloss in glosses)
    focus = _focus(question, folded, spans, language, glossed)
    return tuple(
        Concept(
            folded[start:end],
            tuple(_credits((start, end), found, glosses).items()),
            weight,
            english or any(char.isdigit() for char in folded[start:end]),
        )
        for (start, end), weight in zip(spans, focus, strict=True)
    )


def _credits(span: tuple[int, int], found: list[Term], glosses: tuple[Gloss, ...]) -> dict[str, float]:
    credit: dict[str, float] = {}
    for term in found:
        if span[0] <= term.start and term.end <= span[1]:
            credit[term.text] = max(credit.get(term.text, 0.0), _STEM_CREDIT if term.weight == STEM else 1.0)
    for gloss in glosses:
        if gloss.start < span[1] and span[0] < gloss.end:
            for rank, meaning in enumerate(gloss.words[:_GLOSSES_USED]):
                for term in terms(meaning):
                    share = _STEM_CREDIT if term.weight == STEM else 1.0
                    value = _GLOSS_CREDIT * gloss.certainty * share / (1 + 0.5 * rank)
                    credit[term.text] = max(credit.get(term.text, 0.0), value)
    return credit


def _focus(
    question: str, folded: str, spans: list[tuple[int, int]], language: str | None, glossed: frozenset[str]
) -> list[float]:
    """Weights of the concepts by how many others stand between them and the word that asks."""
    asks = _askers(folded)
    if not asks:
        return [1.0] * len(spans)
    start, end = asks[-1] if language in ASKED_BEFORE else asks[0]
    if language in ASKED_BEFORE:
        near = [span for span in reversed(spans) if span[1] <= start]
    else:
        near = [span for span in spans if span[0] >= end]
    # Names and numbers say of what something is asked, not what.
    names = _names(question) - glossed if language != "de" else frozenset()
    plain = [span for span in near if folded[span[0] : span[1]] not in names and not folded[span[0]].isdigit()]
    nearness: dict[tuple[int, int], float] = {}
    step, last = -1, (-1, -1)
    for span in plain:
        # Overlapping pairs of characters are one phrase.
        step += not (span[0] <= last[1] and last[0] <= span[1])
        nearness[span] = 1 + _FOCUS * _FOCUS_DECAY**step
        last = span
    return [nearness.get(span, 1.0) for span in spans]


def _names(question: str) -> frozenset[str]:
    """Folded words written with a capital letter, but for the first."""
    words = [match.group() for match in _WORD.finditer(question)]
    return frozenset(fold(word) for word in words[1:] if word[0].isupper())


def _askers(folded: str) -> list[tuple[int, int]]:
    """Where the words that ask stand."""
    return [match.span() for match in RUNS.finditer(folded) if _interrogative(match.group())]


def _interrogative(run: str) -> bool:
    if run in INTERROGATIVES:
        return True
    return not run.isascii() and any(word in run for word in INTERROGATIVES if _UNSPACED.match(word))


def _bm25_terms(found: list[Term], folded: str, glosses: tuple[Gloss, ...]) -> dict[str, float]:
    """Weights of the terms to search for; a repeated term counts once, a word that only names the medium little."""
    weights: dict[str, float] = {}
    for term in found:
        share = _MODALITY_SHARE if folded[term.start : term.end] in MEDIUM_OF_WORD else 1.0
        weights[term.text] = max(weights.get(term.text, 0.0), share * term.weight)
    for gloss in glosses:
        for rank, meaning in enumerate(gloss.words[:_GLOSSES_USED]):
            share = _MODALITY_SHARE if meaning in MEDIUM_OF_WORD else 1.0
            for term in terms(meaning):
                weight = share * term.weight * GLOSS_WEIGHT * gloss.certainty / (1 + rank)
                weights[term.text] = max(weights.get(term.text, 0.0), weight)
    return weights


def _kept_words(folded: str, words: tuple[str, ...], glosses: tuple[Gloss, ...]) -> list[str]:
    """Words without a gloss that the encoder can still read: names, codes and numbers in Latin script."""
    glossed = " ".join(folded[gloss.start : gloss.end] for gloss in glosses)
    return [word for word in words if word.isascii() and word not in glossed]
