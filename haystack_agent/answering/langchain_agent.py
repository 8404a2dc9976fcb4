"""The agent mode: a model searches, opens and looks beside until it can answer (LangChain's `create_agent`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage

from haystack_agent.answering.direct import LONGEST_PAUSE, DirectReader, Patience, asked_pause
from haystack_agent.answering.events import Done, Event, Gathered, Status, Token, ToolCalled
from haystack_agent.answering.finish import finished
from haystack_agent.answering.langchain_looks import Looks
from haystack_agent.answering.marks import Mark, MarkFilter
from haystack_agent.answering.messages import DECLINED, RULES
from haystack_agent.answering.model_errors import told
from haystack_agent.answering.pictures import Renderer
from haystack_agent.answering.sources import Book, Sources
from haystack_agent.answering.tools import FOUND, Toolbox
from haystack_agent.errors import (
    ModelBusy,
    ModelFailed,
    ModelUnreachable,
    ToolsRefused,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_GUIDE = f"""{RULES}

You have tools. Search first, with the words that the file itself is likely to have; search again with other words, or \
in the language of the files, before you give up. If the question has several parts, search for each by itself. Open a \
place to read it closely. Write {DECLINED} only after that."""
_WITHOUT_TOOLS = "The model does not use tools: it is given the best places found."
_LAST_CALL = "This was the last use of tools: answer now from what was found."


@dataclass(frozen=True, slots=True)
class Limits:
    """How far one run may go."""

    calls: int = 8
    """Of the model; with the last it must answer."""


class AgentReader:
    """Answers by letting a model use tools."""

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        renderer: Renderer,
        limits: Limits = Limits(),
        patience: Patience = Patience(),
    ) -> None:
        self._model = model
        self._name = name
        self._renderer = renderer
        self._limits = limits
        self._patience = patience

    def stream(self, question: str, sources: Sources) -> Iterator[Event]:
        """The answer in the making; the last event is `Done`.

        Raises:
            ModelFailed: the model did not answer.
        """
        run = self._run(sources)
        yield Status(f"Asking {self._name}")
        try:
            for mode, data in run.graph.stream(_asked(question), stream_mode=["messages", "updates"]):
                yield from run.hear(mode, data)
        except Exception as error:
            failure = self._failure(error)
            if not isinstance(failure, ToolsRefused) or run.book.evidence:
                raise failure from error
            yield Status(_WITHOUT_TOOLS)
            yield from self._direct().stream(question, sources.search(question, FOUND))
            return
        yield run.done(question)

    async def astream(self, question: str, sources: Sources) -> AsyncIterator[Event]:
        """See `stream`."""
        run = self._run(sources)
        yield Status(f"Asking {self._name}")
        try:
            async for mode, data in run.graph.astream(_asked(question), stream_mode=["messages", "updates"]):
                for event in run.hear(mode, data):
                    yield event
        except Exception as error:
            failure = self._failure(error)
            if not isinstance(failure, ToolsRefused) or run.book.evidence:
                raise failure from error
            yield Status(_WITHOUT_TOOLS)
            async for event in self._direct().astream(question, sources.search(question, FOUND)):
                yield event
            return
        yield run.done(question)

    def _direct(self) -> DirectReader:
        return DirectReader(self._model, self._name, self._renderer, patience=self._patience)

    def _run(self, sources: Sources) -> _Run:
        book, notes, mark = Book(), list[str](), Mark.drawn()
        looks = Looks(book, self._renderer, notes)
        turns = _Turns(self._name, self._limits, self._patience)
        graph = create_agent(
            self._model, Toolbox(sources, book, mark).tools(), system_prompt=_guide(mark), middleware=[turns, looks]
        )
        return _Run(graph, book, notes, mark)

    def _failure(self, error: Exception) -> ModelFailed:
        return error if isinstance(error, ModelFailed) else told(error, self._name)


def _guide(mark: Mark) -> str:
    return f"{_GUIDE}\n{mark.rule}\nToday is {date.today().isoformat()}."


def _asked(question: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(question)]}


@dataclass(slots=True)
class _Run:
    """What one run has come to."""

    graph: Any
    book: Book
    notes: list[str]
    mark: Mark
    written: str = ""
    said: str = ""
    """The text of the last message of the model."""
    shown: bool = field(default=False)
    gathered: int = 0
    """Places that were told of."""
    marks: MarkFilter = field(init=False)

    def __post_init__(self) -> None:
        self.marks = MarkFilter(self.mark)

    def hear(self, mode: str, data: Any) -> Iterator[Event]:
        """Events of what the graph streams."""
        if mode == "messages" and isinstance(data[0], AIMessageChunk):
            yield from self._hear_text(self.marks.feed(str(data[0].text)))
        elif mode == "updates":
            for update in data.values():
                for message in (update or {}).get("messages", ()):
                    if isinstance(message, AIMessage):
                        yield from self._hear_message(message)
            if len(self.book.evidence) > self.gathered:
                self.gathered = len(self.book.evidence)
                yield Gathered(tuple(self.book.evidence))

    def _hear_text(self, text: str) -> Iterator[Event]:
        before, self.written = self.written, self.written + text
        start = self.written.lstrip()
        if text and start and not DECLINED.startswith(start[: len(DECLINED)]):
            yield Token(text if self.shown else before + text)
            self.shown = True

    def _hear_message(self, message: AIMessage) -> Iterator[Event]:
        yield from self._hear_text(self.marks.rest())
        self.said, self.written, self.shown = self.mark.taken_out(str(message.text)), "", False
        for call in message.tool_calls:
            arguments = ", ".join(str(value) for value in call["args"].values() if value is not None)
            yield ToolCalled(self.mark.taken_out(call["name"]), self.mark.taken_out(arguments))

    def done(self, question: str) -> Done:
        """The answer, checked."""
        return Done(finished(question, self.said, self.book.evidence, self.notes))


class _Turns(AgentMiddleware[Any, Any]):
    """Counts the model's turns, tries again what may pass, and takes the tools away for the last."""

    def __init__(self, name: str, limits: Limits, patience: Patience) -> None:
        super().__init__()
        self._name = name
        self._left = limits.calls
        self._patience = patience

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """One turn."""
        request = self._turn(request)
        tries = 1
        while True:
            try:
                return handler(request)
            except Exception as error:  # noqa: BLE001 - providers' libraries share no error; `told` sorts them
                time.sleep(self._pause(error, tries))
                tries += 1

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """One turn."""
        request = self._turn(request)
        tries = 1
        while True:
            try:
                return await handler(request)
            except Exception as error:  # noqa: BLE001 - as above
                await asyncio.sleep(self._pause(error, tries))
                tries += 1

    def _turn(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        self._left -= 1
        if self._left > 0:
            return request
        messages: list[AnyMessage] = [*request.messages, HumanMessage(_LAST_CALL)]
        return request.override(messages=messages, tools=[])

    def _pause(self, error: Exception, tries: int) -> float:
        """Seconds to wait before another try.

        Raises:
            ModelFailed: there is no point in one.
        """
        failure = error if isinstance(error, ModelFailed) else told(error, self._name)
        if not isinstance(failure, (ModelBusy, ModelUnreachable)) or tries >= self._patience.tries:
            raise failure from error
        return min(LONGEST_PAUSE, asked_pause(error) or self._patience.pause * 2 ** (tries - 1))
