"""The direct mode: the best evidence and the question go to a model in one call (MultiHaystack's protocol)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from haystack_agent.answering.checks.finish import finished
from haystack_agent.answering.checks.marks import Mark, MarkFilter
from haystack_agent.answering.checks.streamed_words import CheckedWords
from haystack_agent.answering.effects import Steps, Stream, pause, result_of
from haystack_agent.answering.events import Done, Event, Status, Token
from haystack_agent.answering.messages import DECLINED, Budget, budget_for, make_messages
from haystack_agent.answering.model.errors import said_nothing, said_too_much, told
from haystack_agent.answering.model.length import CUT, TooLong
from haystack_agent.answering.model.retries import Patience, Retrying
from haystack_agent.answering.pictures import Renderer
from haystack_agent.errors import ContextTooLong, ModelFailed, ModelUnreachable, PicturesRefused
from haystack_agent.records import Evidence

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.runnables import RunnableConfig

    from haystack_agent.asking import Found, Index

_CUT_OFF = "The answer was cut off: the model can read and write no more at once."


class DirectReader:
    """Answers from evidence with one call of a model."""

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        renderer: Renderer,
        budget: Budget | None = None,
        patience: Patience = Patience(),
    ) -> None:
        self._model = model
        self._name = name
        self._renderer = renderer
        self._budget = budget or budget_for(model)
        self._patience = patience

    def answer(self, index: Index, found: Found) -> Steps[Event]:
        """See `asking.Way.answer`."""
        del index  # what was found is all that is given
        return self.steps(found.asked.understood.question, found.given, found.evidence)

    def steps(self, question: str, evidence: Sequence[Evidence], shown: Sequence[Evidence] = ()) -> Steps[Event]:
        """The answer in the making from evidence, which is the first of what is shown; the last event is `Done`.

        Raises:
            ModelFailed: the model did not answer; what it wrote before is not whole.
        """
        state = _State(evidence, self._budget, Retrying(self._patience))
        while evidence:
            if not state.messages:
                draft = partial(make_messages, question, evidence, self._renderer, state.mark, state.budget)
                state.messages = yield from result_of(draft)
            yield Status(f"Asking {self._name}")
            try:
                chunks = self._chunks(state.messages)
                while (chunk := (yield from chunks.following())) is not None:
                    yield from state.hear(str(chunk.text))
                    state.note_end(chunk)
                state.require_words(self._name)
                break
            except TooLong:
                state.cut(self._name)
                break
            except Exception as error:  # noqa: BLE001 - providers' libraries share no error; `told` sorts them
                yield Status(state.after(told(error, self._name), error))
            yield from pause(state.pause)
        yield from state.end()
        answer = finished(question, state.heard, state.sent, state.notes)
        yield Done(replace(answer, evidence=tuple(shown)) if len(shown) > len(state.sent) else answer)

    def _chunks(self, messages: list[BaseMessage]) -> Stream[AIMessageChunk]:
        from haystack_agent.answering.model.langchain_length import Length

        config: RunnableConfig = {"callbacks": [Length()]}
        return Stream(lambda: self._model.stream(messages, config), lambda: self._model.astream(messages, config))


@dataclass(slots=True)
class _State:
    """How one answer goes: what was heard, what is left to try."""

    evidence: Sequence[Evidence]
    budget: Budget
    waiting: Retrying
    mark: Mark = field(default_factory=Mark.drawn)
    heard: str = ""
    """Without the marks that the model repeats."""
    shown: int = 0
    """Characters of it that were handed on to `words`."""
    pause: float = 0.0
    notes: list[str] = field(default_factory=list)
    messages: list[BaseMessage] = field(default_factory=list)
    """What was sent; empty before it is made, and where it must be made anew."""
    marks: MarkFilter = field(init=False)
    words: CheckedWords = field(init=False)

    def __post_init__(self) -> None:
        self.marks = MarkFilter(self.mark)
        self.words = CheckedWords(lambda: self.sent)

    @property
    def sent(self) -> Sequence[Evidence]:
        """The places that the model is given."""
        return self.evidence[: self.budget.places]

    def hear(self, text: str) -> Iterator[Token]:
        """Hand on what the model writes, but hold back what may become the words by which it declines."""
        self.heard += self.marks.feed(text)
        start = self.heard.lstrip()[: len(DECLINED)]
        if self.heard.strip() and not DECLINED.startswith(start):
            yield from self._hand_on()

    def end(self) -> Iterator[Token]:
        """Hand on what is left."""
        self.heard += self.marks.rest()
        yield from self._hand_on()
        if words := self.words.rest():
            yield Token(words)

    def _hand_on(self) -> Iterator[Token]:
        rest, self.shown = self.heard[self.shown :], len(self.heard)
        if self.heard.lstrip().startswith(DECLINED):
            return
        if words := self.words.feed(rest):
            yield Token(words)

    def note_end(self, chunk: BaseMessage) -> None:
        """Note where the model was stopped in the middle of what it had to say."""
        if chunk.response_metadata.get("finish_reason") == "length" and self.heard.strip():
            self.notes.append(_CUT_OFF)

    def cut(self, name: str) -> None:
        """Note where no more was read; raise `ModelFailed` where nothing was said."""
        if not self.heard.strip():
            raise said_too_much(name)
        self.notes.append(CUT)

    def require_words(self, name: str) -> None:
        """Raise `ModelFailed` where nothing was said."""
        if not self.heard.strip():
            raise said_nothing(name)

    def after(self, failure: ModelFailed, cause: Exception) -> str:
        """What is done about a failure, in words.

        Raises:
            ModelFailed: nothing can be done.
        """
        if self.heard.strip():
            raise ModelUnreachable(f"The model stopped in the middle of its answer: {failure}") from cause
        self.marks.rest()
        self.pause = 0.0
        smaller = self.budget.smaller()
        if isinstance(failure, ContextTooLong) and smaller is not None:
            self.budget, self.messages = smaller, []
            return self._noted(f"The evidence was too long for the model: the best {smaller.places} places were sent.")
        if isinstance(failure, PicturesRefused) and self.budget.sides:
            self.budget, self.messages = self.budget.without_pictures(), []
            return self._noted("The model does not take pictures: it was given the text alone.")
        self.pause = self.waiting.pause(failure, cause)
        return self.waiting.told(failure, self.pause)

    def _noted(self, text: str) -> str:
        self.notes.append(text)
        return text
