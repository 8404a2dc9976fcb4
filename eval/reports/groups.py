"""Groups of questions that a report has a row for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from eval.questions import Question


@dataclass(frozen=True, slots=True)
class Group:
    """Some questions, and what they are called."""

    name: str
    keys: tuple[str, ...]


def groups(questions: Iterable[Question]) -> list[Group]:
    """All; by what they need and, of those that need text, by modality and language; by task."""
    asked = list(questions)
    made = [_group("all", asked)]
    needs = sorted({one.needs for one in asked if one.needs})
    for need in needs:
        some = [one for one in asked if one.needs == need]
        made.append(_group(f"needs {need}", some))
        if need == "text":
            made += _details(some, "needs text, ")
        else:
            made += _split(some, f"needs {need}, ", lambda one: one.modality)
    if not needs:
        made += _details(asked, "")
    made += _split(asked, "task: ", lambda one: one.task)
    return made


def _details(asked: list[Question], prefix: str) -> Iterator[Group]:
    yield from _split(asked, prefix, lambda one: one.modality)
    languages = {one.language for one in asked if one.language}
    if len(languages) > 1:
        if "en" in languages:
            yield _group(f"{prefix}English", [one for one in asked if one.language == "en"])
            yield _group(f"{prefix}not English", [one for one in asked if one.language != "en"])
        yield from _split(asked, prefix, lambda one: f"`{one.language}`" if one.language else "")


def _split(asked: list[Question], prefix: str, name: Callable[[Question], str]) -> Iterator[Group]:
    for value in sorted({name(one) for one in asked} - {""}):
        yield _group(f"{prefix}{value}", [one for one in asked if name(one) == value])


def _group(name: str, questions: list[Question]) -> Group:
    return Group(name, tuple(one.id for one in questions))
