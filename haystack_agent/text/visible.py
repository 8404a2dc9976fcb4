"""Text without what a person cannot see in it: invisible signs can tell a model what they hide from people."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef]"
)
"""Letters and marks that are drawn as nothing: fillers, and selectors of other forms of the letter before."""
_SELECTORS = re.compile(
    "([\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
    "|[#*0-9](?=[\ufe0e\ufe0f]+\u20e3))?([\ufe0e\ufe0f]+)"
)
"""With the emoji that they belong to, if there is one."""
_JOINERS = re.compile("([^\x00-\x7f\\s\u200c\u200d])?([\u200c\u200d]+)")
"""With the letter or emoji that they shape, if there is one: no Latin letter has another form."""


def visible(text: str) -> str:
    r"""Text as a person sees it, every line break ``\n``: control, format, private and other invisible signs left out.

    What shapes words and emoji stays, once where it does: joiners (Persian, Indic, emoji) and emoji's selectors.
    """
    unified = _BREAK.sub("\n", text)
    seen = "".join(sign for sign in unified if sign in "\n\t" or not is_hidden(sign))
    if seen.isascii():
        return seen
    return _JOINERS.sub(_first, _SELECTORS.sub(_first, seen))


def one_line(text: str) -> str:
    """`visible` on one line: line breaks and runs of white space become single spaces."""
    return " ".join(visible(text).split())


@lru_cache(maxsize=4096)
def is_hidden(sign: str) -> bool:
    """Whether a sign is invisible; a joiner or an emoji's selector is not, by itself."""
    if sign in "\u200c\u200d":
        return False
    return unicodedata.category(sign)[0] == "C" or _UNSEEN.match(sign) is not None


def _first(match: re.Match[str]) -> str:
    return match[1] + match[2][0] if match[1] else ""
