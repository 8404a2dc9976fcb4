"""What the pictures show: emoji with their names and keywords in many languages, from Unicode's CLDR annotations."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.errors import ModelUnavailable
from haystack_agent.text.fold import fold

CLDR = Path("/usr/share/unicode/cldr/common")
"""Where Debian's ``unicode-cldr-core`` lies."""
PIVOT = "en"
PAPER_LANGUAGES = ("cs", "fi", "hr", "hu", "ro")
"""Those of the paper's tables."""
OTHER_LANGUAGES = (
    "ar", "bn", "de", "el", "es", "fr", "he", "hi", "id", "it",
    "ja", "ka", "ko", "pl", "ru", "ta", "th", "tr", "vi", "zh",
)  # fmt: skip
MEASURED = (*PAPER_LANGUAGES, *OTHER_LANGUAGES)

_FOLDERS = ("annotations", "annotationsDerived")
_SCRIPTS = {"zh_Hant", "sr_Latn", "pa_Arab"}
"""Variants of a language that are written in another script; the others differ from it in a few words only."""
_INHERITED = "↑↑↑"
_LEAST_NAMES = 500
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FIRST_EMOJI = 0x203C
_WORD = re.compile(r"[^\W_]+")
_EMPTY_WORDS = {"with", "of", "the", "and", "in", "on", "at", "for", "to", "a", "s"}


@dataclass(frozen=True, slots=True)
class DrawnConcept:
    """One emoji: its name and its keywords by language."""

    emoji: str
    names: dict[str, str]
    keywords: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Split:
    """Concepts by what they are for. Nothing is trained on `validation` and `test`, neither towers nor heads."""

    training: tuple[DrawnConcept, ...]
    validation: tuple[DrawnConcept, ...]
    test: tuple[DrawnConcept, ...]


def read_concepts(folder: Path = CLDR, every_language: bool = True) -> list[DrawnConcept]:
    """All emoji without skin tones that have names and keywords in every language that is measured.

    Raises:
        ModelUnavailable: the annotations are not installed.
    """
    if not (folder / _FOLDERS[0] / f"{PIVOT}.xml").is_file():
        raise ModelUnavailable(f"There are no CLDR annotations in {folder}: install Debian's unicode-cldr-core.")
    names: defaultdict[str, dict[str, str]] = defaultdict(dict)
    keywords: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for language in _languages(folder) if every_language else (PIVOT, *MEASURED):
        entries = list(_entries(folder, language))
        if sum(is_name for _, _, is_name in entries) < _LEAST_NAMES:
            continue
        for emoji, text, is_name in entries:
            if is_name:
                names[emoji][language] = text.strip()
            else:
                words = (word.strip() for word in text.split("|"))
                keywords[emoji][language] = tuple(word for word in words if word)
    complete = (emoji for emoji in names if all(names[emoji].get(one) for one in (PIVOT, *MEASURED)))
    return [DrawnConcept(emoji, names[emoji], keywords[emoji]) for emoji in sorted(complete)]


def _languages(folder: Path) -> list[str]:
    stems = sorted(path.stem for path in (folder / _FOLDERS[0]).glob("*.xml"))
    return [stem for stem in stems if "_" not in stem or stem in _SCRIPTS]


def _entries(folder: Path, language: str) -> Iterator[tuple[str, str, bool]]:
    """Emoji, text, and whether the text is a name: else it is keywords with ``|`` between them."""
    from lxml import etree

    for part in _FOLDERS:
        path = folder / part / f"{language}.xml"
        if not path.is_file():
            continue
        for node in etree.parse(path).iter("annotation"):
            emoji, text = node.get("cp") or "", node.text or ""
            if emoji and text and text != _INHERITED and _is_emoji(emoji):
                yield emoji, text, node.get("type") == "tts"


def _is_emoji(text: str) -> bool:
    return ord(text[0]) >= _FIRST_EMOJI and not any(ord(sign) in _SKIN_TONES for sign in text)


def split(concepts: Sequence[DrawnConcept], validation: float = 0.06, test: float = 0.13) -> Split:
    """Hold out concepts whose English names are made of words that training concepts have in names or keywords.

    So a model can know a held-out concept only from its parts: *woman cook* from *man cook* and *woman*. The order
    of choice is that of a digest of the emoji: the same on every machine.
    """
    spoken = {concept.emoji: _words(_english(concept)) for concept in concepts}
    uses = Counter(word for words in spoken.values() for word in words)
    quota = {"test": round(test * len(concepts)), "validation": round(validation * len(concepts))}
    chosen: dict[str, str] = {}
    part = "test"
    for concept in sorted(concepts, key=lambda one: hashlib.sha256(one.emoji.encode()).digest()):
        if not quota[part]:
            part = "validation"
        own = spoken[concept.emoji]
        if quota[part] and all(uses[word] > 1 for word in own & _words([concept.names[PIVOT]])):
            uses.subtract(own)
            quota[part] -= 1
            chosen[concept.emoji] = part
    parts = {
        name: [one for one in concepts if chosen.get(one.emoji, "training") == name]
        for name in ("training", "validation", "test")
    }
    # Where the last use of a word was held out later than a concept that needs it, that concept serves for nothing.
    known = _words(text for concept in parts["training"] for text in _english(concept))
    parts |= {
        name: [one for one in parts[name] if _words([one.names[PIVOT]]) <= known] for name in ("validation", "test")
    }
    return Split(**{name: tuple(part) for name, part in parts.items()})


def _english(concept: DrawnConcept) -> list[str]:
    return [concept.names[PIVOT], *concept.keywords.get(PIVOT, ())]


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _WORD.findall(fold(text))} - _EMPTY_WORDS
