"""From a question to what is asked of each vector."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from haystack_agent.lexicon.lookup import Gloss, Lexicon
from haystack_agent.records import Modality
from haystack_agent.retrieval.stopwords import STOPWORDS
from haystack_agent.text.fold import fold
from haystack_agent.text.language import detect_language
from haystack_agent.text.terms import terms

GLOSS_WEIGHT = 0.5
"""A term that translates a word of the question weighs this much of the word itself."""

_LANGUAGE_CERTAINTY = 0.5
_LEAST_CERTAIN_GLOSS = 0.6
_GLOSSES_USED = 2
_MODALITY_WORDS = {
    Modality.IMAGE: ("photo", "photograph", "picture", "image", "screenshot", "selfie", "snapshot"),
    Modality.VIDEO: ("video", "clip", "film", "movie", "recording", "footage"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A question, ready to be asked."""

    question: str
    language: str | None
    words: tuple[str, ...]
    """The question's words that matter, folded."""
    terms: dict[str, float]
    """Terms for BM25 with their weights, translations included."""
    glosses: tuple[Gloss, ...]
    dense_text: str
    """What the sentence encoder reads: the question, with English glosses where it is in another language."""
    modalities: frozenset[Modality]
    """Kinds of media the question's own words name."""

    @property
    def english(self) -> bool:
        """Whether an English sentence encoder can read the question."""
        return self.language in (None, "en") and self.question.isascii()


def make_plan(question: str, lexicon: Lexicon) -> Plan:
    """Read a question: its words, its language, what they mean in English, which media it names."""
    folded = fold(question)
    language = detect_language(question, _LANGUAGE_CERTAINTY)
    own, words = _own_terms(question, folded)
    foreign = language != "en" and not (language is None and question.isascii())
    glosses = _glosses(question, folded, language, lexicon) if foreign else ()
    weights = dict(own)
    for term, weight in _gloss_terms(glosses).items():
        weights[term] = max(weights.get(term, 0.0), weight)
    meanings = [gloss.words[0] for gloss in glosses]
    return Plan(
        question=question,
        language=language,
        words=words,
        terms=weights,
        glosses=glosses,
        dense_text=" ".join((*_kept_words(folded, words, glosses), *meanings)) if glosses else question,
        modalities=_modalities((*words, *meanings)),
    )


def _own_terms(question: str, folded: str) -> tuple[dict[str, float], tuple[str, ...]]:
    """Term weights (a repeated term counts once) and the words they stand for, without stop words."""
    weights: dict[str, float] = {}
    words: dict[str, None] = {}
    for term in terms(question):
        word = folded[term.start : term.end]
        if word not in STOPWORDS:
            weights[term.text] = max(weights.get(term.text, 0.0), term.weight)
            words[word] = None
    return weights, tuple(words)


def _glosses(question: str, folded: str, language: str | None, lexicon: Lexicon) -> tuple[Gloss, ...]:
    return tuple(
        gloss
        for gloss in lexicon.glosses(question, language)
        if gloss.certainty >= _LEAST_CERTAIN_GLOSS and folded[gloss.start : gloss.end] not in STOPWORDS
    )


def _gloss_terms(glosses: tuple[Gloss, ...]) -> dict[str, float]:
    weights: defaultdict[str, float] = defaultdict(float)
    for gloss in glosses:
        for rank, meaning in enumerate(gloss.words[:_GLOSSES_USED]):
            for term in terms(meaning):
                weight = term.weight * GLOSS_WEIGHT * gloss.certainty / (1 + rank)
                weights[term.text] = max(weights[term.text], weight)
    return dict(weights)


def _kept_words(folded: str, words: tuple[str, ...], glosses: tuple[Gloss, ...]) -> list[str]:
    """Words without a gloss that the encoder can still read: names, codes and numbers in Latin script."""
    glossed = " ".join(folded[gloss.start : gloss.end] for gloss in glosses)
    return [word for word in words if word.isascii() and word not in glossed]


def _modalities(words: tuple[str, ...]) -> frozenset[Modality]:
    named = {part for word in words for part in word.split()}
    return frozenset(
        modality
        for modality, names in _MODALITY_WORDS.items()
        if any(name in named or f"{name}s" in named for name in names)
    )
