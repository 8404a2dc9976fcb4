"""A conversation: a language model reads a question, with what was said before, into what can be searched for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from haystack_agent.answering.checks.marks import Mark
from haystack_agent.answering.effects import Effect, pause, result_of
from haystack_agent.answering.model.errors import told
from haystack_agent.answering.model.retries import Patience, Retrying
from haystack_agent.errors import ContextTooLong, ModelFailed
from haystack_agent.records import Answer, Modality
from haystack_agent.retrieval.period import Period
from haystack_agent.retrieval.understood import DATED, Understood, narrowed_to
from haystack_agent.text.visible import one_line

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

_TURNS = 6
_ANSWER = 600
_LONGEST = 500
_PARTS = 4
_READ = """Today is {today}. Read the last question of a conversation about a person's own files. Reply with one JSON \
object and nothing else:
"question": the last question so that it can be understood without the rest: put in what it refers to, keep its \
language, add nothing else;
"parts": if it asks for several things that may stand in different places, each as a question of its own, else [];
"media": ["image"], ["video"] or both, if it asks for photos, pictures, clips or videos alone, else [];
"after", "before": the first and the last day (2026-11-22) if it says when these were made, else null.
What was said before stands between marks. {rule}"""


class _Reading(BaseModel):
    """What the model replies."""

    question: str = ""
    parts: list[str] = Field(default_factory=list)
    media: list[Modality] = Field(default_factory=list)
    after: date | None = None
    before: date | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as it was understood, and what was answered."""

    question: str
    answer: str


@dataclass(slots=True)
class _Question:
    """How the reading of one question goes."""

    text: str
    turns: list[Turn]
    """As many as the model is told of."""
    waiting: Retrying
    mark: Mark = field(default_factory=Mark.drawn)
    given_up: bool = False

    def pause_after(self, failure: ModelFailed, cause: Exception) -> float:
        """Seconds to wait; where it was too long for the model, less is told of.

        Raises:
            ModelFailed: the model does not answer.
        """
        if not isinstance(failure, ContextTooLong):
            return self.waiting.pause(failure, cause)
        self.given_up = not self.turns
        self.turns = self.turns[(len(self.turns) + 1) // 2 :]
        return 0.0


class Conversation:
    """Questions that may refer to those before."""

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        today: Callable[[], date] = date.today,
        patience: Patience = Patience(),
    ) -> None:
        self._model = model
        self._patience = patience
        self._name = name
        self._today = today
        self._turns: list[Turn] = []

    def understood(self, question: str) -> Generator[Effect[Any], Any, Understood]:
        """What the question asks to be searched; the question itself where the model gives nothing that can be used.

        Raises:
            ModelFailed: the model does not answer.
        """
        reading = _Question(question, self._turns[-_TURNS:], Retrying(self._patience))
        while not reading.given_up:
            messages = self._messages(reading)
            try:
                said = yield from result_of(
                    partial(self._model.invoke, messages), partial(self._model.ainvoke, messages)
                )
                return self._understood(question, reading.mark.taken_out(str(said.text)))
            except Exception as error:  # noqa: BLE001 - providers' libraries share no error; `told` sorts them
                wait = reading.pause_after(told(error, self._name), error)
            yield from pause(wait)
        return Understood(question)

    def keep(self, question: str, answer: Answer) -> None:
        """Remember what was answered to a question as it was understood."""
        self._turns.append(Turn(question, answer.text))

    def _messages(self, reading: _Question) -> list[BaseMessage]:
        from langchain_core.messages import HumanMessage, SystemMessage

        # An answer may quote a file that writes lines as ours: each has one.
        before = "\n".join(
            f"Question: {one_line(one.question)}\nAnswer: {one_line(one.answer)[:_ANSWER]}" for one in reading.turns
        )
        said = f"{reading.mark.around(before)}\n\n" if reading.turns else ""
        rules = _READ.format(today=self._today().isoformat(), rule=reading.mark.rule)
        return [SystemMessage(rules), HumanMessage(f"{said}The last question: {reading.text}")]

    def _understood(self, question: str, said: str) -> Understood:
        try:
            read = _Reading.model_validate_json(said[said.find("{") : said.rfind("}") + 1])
        except ValidationError:
            return Understood(question)
        parts = tuple(part for part in map(_usable, read.parts[:_PARTS]) if part)
        media = frozenset(read.media)
        dated = bool(media) and media <= DATED
        in_order = not (read.after and read.before and read.after > read.before)
        period = Period(read.after, read.before) if dated and in_order else None
        return Understood(
            _usable(read.question) or question,
            parts if len(parts) > 1 else (),
            narrowed_to(period, media if dated else frozenset()),
        )


def _usable(text: str) -> str:
    """One line without quotation marks around it; empty where it is too long for a question."""
    line = one_line(text).strip("\"“”'")
    return line if len(line) <= _LONGEST else ""
