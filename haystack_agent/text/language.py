"""Which language a text is in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_SHORTEST = 16
_LONGEST = 2000
# The identifier knows more, but takes short texts for Lombard or Pidgin too readily.
_IDENTIFIED = """
af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko ky
la lo lt lv mk ml mn mr ms mt ne nl nn no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tr uk ur vi zh zu
"""
LANGUAGES = frozenset("nb" if code == "no" else code for code in _IDENTIFIED.split())
"""Codes that a text's language may be given as."""


def detect_language(text: str, certain: float = 0.9) -> str | None:
    """ISO 639-1 code of the language of a text, or ``None`` where it is too short, or less than `certain`, to tell."""
    sample = " ".join(word for word in text[:_LONGEST].split() if not any(char.isdigit() for char in word))
    if len(sample.encode("utf-8", "replace")) < _SHORTEST:
        return None
    language, probability = _identifier().classify(sample)
    if float(probability) < certain:
        return None
    return "nb" if language == "no" else str(language)


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_IDENTIFIED.split())
    return identifier
