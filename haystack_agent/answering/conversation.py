"""A conversation: what was said before makes a follow-up question one that can be searched for by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haystack_agent.answering.messages import visible
from haystack_agent.answering.model_errors import told
from haystack_agent.records import Answer

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_TURNS = 6
_ANSWER = 600
_LONGEST = 500
_REWRITE = (
    "Rewrite the last question of this conversation so that it can be understood without the rest: put in what it "
    "refers to, keep its language, add nothing else. Reply with the question alone. If it needs nothing, repeat it."
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as it was asked, and what was answered."""

    question: str
    answer: str


def turn_of(question: str, answer: Answer) -> Turn:
    """What a conversation keeps of an answer."""
    return Turn(question, answer.text)


def standalone(question: str, turns: Sequence[Turn], model: BaseChatModel, name: str) -> str:
    """The question with what it refers to put in; the question itself at the start, or where the model gives nothing.

    Raises:
        ModelFailed: the model does not answer.
    """
    if not turns:
        return question
    from langchain_core.messages import HumanMessage, SystemMessage

    before = "\n".join(f"Question: {turn.question}\nAnswer: {turn.answer[:_ANSWER]}" for turn in turns[-_TURNS:])
    asked = f"{before}\n\nThe last question: {question}"
    try:
        said = str(model.invoke([SystemMessage(_REWRITE), HumanMessage(asked)]).text)
    except Exception as error:  # providers' libraries share no error; `told` sorts them
        raise told(error, name) from error
    rewritten = " ".join(visible(said).split()).strip("\"“”'")
    return rewritten if 0 < len(rewritten) <= _LONGEST else question
