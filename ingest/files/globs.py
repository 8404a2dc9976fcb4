"""Patterns of ignore files as regular expressions that no pattern and no name can make slow."""

from __future__ import annotations

import re
from typing import Any

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_SET = r"\[\^?\]?(?:\\.|[^\]\\])*\](?![*+])"
_SETS = re.compile(rf"\\.|({_SET})", re.DOTALL)
_STAR = r"\[\^/\]\*"
_STARS = re.compile(rf"(?:{_STAR}){{2,}}")
_TOKEN = rf"(?:\\.|(?:\(\?!/\))?{_SET}|[^/\\\[(])"
_INNER_STAR = re.compile(rf"{_STAR}({_TOKEN}+)(?={_STAR})")
"""A star, and what stands between it and the next star of the same name."""
_DEEP = r"\(\?:/\.\+\)\?"
_INNER_DEEP = re.compile(rf"{_DEEP}((?:(?!{_DEEP}).)+)(?={_DEEP})", re.DOTALL)
_FIRST_DEEP = re.compile(rf"^\^\(\?:\.\+/\)\?((?:(?!{_DEEP}).)+)(?={_DEEP})", re.DOTALL)
"""A ``**``, and the names between it and the next one."""


class SteadyPattern(GitIgnoreSpecPattern):
    """A pattern that matches what git says, in a time that does not explode with the number of its wildcards.

    The first place where the text between two wildcards fits is as good as any other, since the second wildcard takes
    whatever follows. So no place after it is ever tried: Python's atomic groups say that.
    """

    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: Any) -> tuple[Any, bool | None]:
        """The regular expression of a line, and whether what it names is ignored; see `GitIgnoreSpecPattern`."""
        regex, include = super().pattern_to_regex(pattern)
        return (None if regex is None else _steady(regex)), include


def _steady(regex: str) -> str:
    # A set of characters stands for one of a name: never for the slash, whatever is in it.
    regex = _SETS.sub(lambda match: f"(?!/){match[1]}" if match[1] else match[0], regex)
    regex = _STARS.sub("[^/]*", regex)
    regex = _INNER_STAR.sub(r"(?>[^/]*?\1)", regex)
    regex = _FIRST_DEEP.sub(r"^(?>(?:.+?/)??\1(?=/))", regex)
    return _INNER_DEEP.sub(r"(?>(?:/.+?)??\1(?=/))", regex)
