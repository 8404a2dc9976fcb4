"""Which language a text is in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_SHORTEST = 16
_LONGEST = 2000


def detect_language(text: str, certain: float = 0.9) -> str | None:
    """ISO 639-1 code of the language of a text, or ``None`` where it is too short, or less than `certain`, to tell."""
    sample = " ".join(word for word in text[:_LONGEST].split() if not any(char.isdigit() for char in word))
    if len(sample.encode("utf-8", "replace")) < _SHORTEST:
        return None
    language, probability = _identifier().classify(sample)
    return str(language) if float(probability) >= certain else None


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
