"""Questions in words: which are asked, in which language, and what is accepted as their answer."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from eval.haystack.media.emoji import names
from eval.haystack.plan import EVIDENCE, HaystackPlan, turned
from eval.haystack.values import LANGUAGES, Ask, Emoji, Item, Language, Money, Plain, Value
from eval.haystack.words import other_ways, words_of, written
from haystack_agent.errors import UsageError

_SAME_LANGUAGE = 0.35
"""Share of the questions that are asked in the language of their evidence."""

Line = dict[str, object]
"""A line of the file of questions; see `eval.questions`."""


def question_lines(plan: HaystackPlan, seed: int, items: int, count: int) -> list[Line]:
    """The first `count` questions about the first items.

    Raises:
        UsageError: there are not so many.
    """
    chosen = list(_in_turn(plan.evidence[: min(items, EVIDENCE)]))
    if count > len(chosen):
        raise UsageError(f"--questions {count} is too many: {len(chosen)} can be asked about {items} items.")
    return [_line(plan, seed, number, *one) for number, one in enumerate(chosen[:count], start=1)]


def _in_turn(evidence: Sequence[Item]) -> Iterator[tuple[int, Ask]]:
    """One question about each item, then a second about each, and so on."""
    asks = [turned(item.asks(), index) for index, item in enumerate(evidence)]
    for turn in range(max(map(len, asks), default=0)):
        for index, some in enumerate(asks):
            if turn < len(some):
                yield index, some[turn]


def _line(plan: HaystackPlan, seed: int, number: int, index: int, ask: Ask) -> Line:
    item = plan.evidence[index]
    chance = random.Random(f"{seed}/{index}/{ask.name}")  # noqa: S311 - no secrets
    others = [language for language in LANGUAGES if language != item.language]
    language = item.language if chance.random() < _SAME_LANGUAGE else chance.choice(others)
    answers = _answers(ask.answer, language, item.language)
    locator: Line = {}
    if ask.page is not None:
        locator["page"] = ask.page
    if ask.time is not None:
        locator["time"] = list(ask.time)
    slots = {name: _said(value, language) for name, value in ask.slots.items()}
    return {
        "id": f"haystack-{number:03}",
        "question": words_of(language).asks[ask.name].format(**slots),
        "language": language,
        "answer": answers[0],
        "accepted": answers[1:],
        "modality": item.modality.value,
        "evidence": plan.path(index, item),
        "locator": locator,
        "task": ask.task.value,
        "needs": ask.needs.value,
    }


def _said(value: Value, language: Language) -> str:
    if isinstance(value, Emoji):
        return names()[value.sign][language]
    return written(value, words_of(language))


def _answers(answer: Value, asked: Language, shown: Language) -> list[str]:
    """The answer as the question's language or, where that makes no sense, as the evidence has it; then other ways."""
    if isinstance(answer, Plain):
        said = [answer.text]
    else:
        # Money has the currency of the place where it is paid, whatever the question is asked in.
        spoken: tuple[Language, ...] = (shown,) if isinstance(answer, Money) else (asked, shown, "en")
        said = [_said(answer, language) for language in spoken]
    return list(dict.fromkeys((*said, *other_ways(answer))))
