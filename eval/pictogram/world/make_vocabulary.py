"""Writes the vocabulary that `haystack_agent.uclip.phrases` makes phrases of: names and keywords of things in many
languages, with each language's way to join them into a list.

Sources: CLDR's emoji annotations (Debian's ``unicode-cldr-core``) and its list patterns (from Babel), Unicode License.
Run as ``python -m eval.pictogram.world.make_vocabulary`` where Babel and the Debian package are installed.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Sequence
from pathlib import Path

from babel import Locale, UnknownLocaleError

from eval.pictogram.world.concepts import CLDR, DrawnConcept, read_concepts
from haystack_agent.uclip.phrases import PATH

_LONGEST = 40
_LEAST_TERMS = 1000
_FIRST_IDEOGRAPH = "\u3400"
_UNSPOKEN = re.compile(r"[\d:()<>|]")
"""In names of keys, signs and variants of one emoji (``family: man, boy``), which no caption holds."""


def terms(concepts: Sequence[DrawnConcept], language: str) -> list[str]:
    """Names and keywords of a language, each once, in order."""
    found = {concept.names[language] for concept in concepts if language in concept.names}
    found |= {word for concept in concepts for word in concept.keywords.get(language, ())}
    return sorted(term for term in found if _is_word(term) and len(term) <= _LONGEST and not _UNSPOKEN.search(term))


def _is_word(term: str) -> bool:
    """Not a single letter, such as that of a key; a single Chinese character is a word."""
    return len(term) > 1 or term >= _FIRST_IDEOGRAPH


def patterns(language: str) -> tuple[str, str] | None:
    """How a language lists two and three things, such as ``{0} and {1}``; ``None`` where that is not known."""
    try:
        found = Locale.parse(language).list_patterns["standard"]
    except (UnknownLocaleError, KeyError):
        return None
    return found["2"], found["start"].replace("{1}", found["end"].replace("{1}", "{2}").replace("{0}", "{1}"))


def main() -> None:
    """Write the vocabulary into the package."""
    concepts = read_concepts(CLDR)
    lines = []
    for language in sorted({language for concept in concepts for language in concept.names}):
        words, joined = terms(concepts, language), patterns(language)
        if joined and len(words) >= _LEAST_TERMS:
            entry = {"language": language, "two": joined[0], "three": joined[1], "terms": words}
            lines.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
    Path(PATH).write_bytes(lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main()
