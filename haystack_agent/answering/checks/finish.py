"""From what a model wrote to the answer that a user gets: citations checked, doubts told, abstentions recognised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haystack_agent.answering.checks.citations import Checked, check
from haystack_agent.answering.extractive.reader import NO_ANSWER
from haystack_agent.answering.messages import DECLINED
from haystack_agent.records import Answer, Evidence


def finished(question: str, text: str, evidence: Sequence[Evidence], notes: Sequence[str]) -> Answer:
    """The checked answer, or the abstention."""
    declined = text.lstrip().startswith(DECLINED)
    checked = check(text.lstrip().removeprefix(DECLINED).lstrip(" .:\n") if declined else text, evidence)
    if declined or not checked.text:
        return Answer(question, checked.text or NO_ANSWER, True, (), tuple(evidence), tuple(notes))
    told_too = (*notes, *_doubts(checked))
    return Answer(question, checked.text, False, checked.citations, tuple(evidence), told_too)


def _doubts(checked: Checked) -> Iterator[str]:
    if checked.invented:
        numbers = ", ".join(f"[{number}]" for number in checked.invented)
        yield f"The model cited {numbers}, which was not among the evidence: not in the checked answer."
    if checked.address_left_out:
        yield "The model wrote an address that stands in no file, and is not in the checked answer: do not open it."
    if not checked.citations:
        yield "The answer cites no place: check it yourself."
