"""The agent mode: a model searches, opens and looks beside until it can answer (LangChain's `create_agent`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langgraph.config import get_stream_writer

from haystack_agent import places
from haystack_agent.answering.checks.citations import check_words
from haystack_agent.answering.checks.finish import finished
from haystack_agent.answering.checks.marks import Mark, MarkFilter
from haystack_agent.answering.checks.streamed_words import CheckedWords
from haystack_agent.answering.direct import DirectReader
from haystack_agent.answering.effects import Steps, Stream, result_of
from haystack_agent.answering.events import Done, Event, Gathered, Status, Token, ToolCalled
from haystack_agent.answering.langchain_looks import Looks
from haystack_agent.answering.messages import DECLINED, RULES
from haystack_agent.answering.model.errors import told
from haystack_agent.answering.model.langchain_length import Length
from haystack_agent.answering.model.length import CUT, TooLong
from haystack_agent.answering.model.retries import Patience, Retrying
from haystack_agent.answering.pictures import Renderer
from haystack_agent.answering.sources import Book, Sources
from haystack_agent.answering.tools import TOOLS, Toolbox
from haystack_agent.errors import ContextTooLong, ModelFailed, ToolsRefused

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from haystack_agent.asking import Found, Index

_GUIDE = f"""{RULES}

You have tools. Search first, with the words that the file itself is likely to have; search again with other words, or \
in the language of the files, before you give up. If the question has several parts, search for each by itself. Open a \
place to read it closely. Write {DECLINED} only after that."""
_WITHOUT_TOOLS = "The model does not use tools: it is given the best places found."
_FULL = "What the tools found is too long for the model: it is given the best places alone."
_STREAMS = ["messages", "updates", "custom"]
_NO_TOOL = "(no such tool)"
_LAST_CALL = "This was the last use of tools: answer now from what was found."


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """How far one run may go."""

    calls: int = 8
    """Of the model; with the last it must answer."""
    tools: int = 8
    """Of tools in one message of the model; the rest is not run."""


class AgentReader:
    """Answers by letting a model use tools."""

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        renderer: Renderer,
        limits: AgentLimits = AgentLimits(),
        patience: Patience = Patience(),
    ) -> None:
        self._model = model
        self._name = name
        self._renderer = renderer
        self._limits = limits
        self._patience = patience

    def answer(self, index: Index, found: Found) -> Steps[Event]:
        """See `asking.Way.answer`."""
        return self.steps(found.asked.understood.question, index.sources(found))

    def steps(self, question: str, sources: Sources) -> Steps[Event]:
        """The answer in the making; the last event is `Done`.

        Raises:
            ModelFailed: the model did not answer.
        """
        run, failure = self._run(sources), None
        yield Status(f"Asking {self._name}")
        try:
            if self._uses_tools:
                heard = run.stream(question)
                while (one := (yield from heard.following())) is not None:
                    yield from run.hear(*one)
        except Exception as error:  # noqa: BLE001 - raised again unless the model can do without
            failure = self._may_go_on(error)
        if run.answered and failure is None:
            yield run.done(question)
            return
        yield from run.gives_up_tools(question, failure)
        evidence = run.book.evidence or (yield from result_of(lambda: sources.search(question, places.GIVEN)))
        yield from self._direct().steps(question, evidence)

    def _direct(self) -> DirectReader:
        return DirectReader(self._model, self._name, self._renderer, patience=self._patience)

    def _run(self, sources: Sources) -> _Run:
        book, notes, mark = Book(), list[str](), Mark.drawn()
        looks = Looks(book, self._renderer, notes)
        turns = _Turns(self._name, self._limits, self._patience, notes)
        graph = create_agent(
            self._model, Toolbox(sources, book, mark).tools(), system_prompt=_guide(mark), middleware=[turns, looks]
        )
        return _Run(graph.with_config(callbacks=[turns.length]), book, notes, mark)

    @property
    def _uses_tools(self) -> bool:
        """Whether to try: some servers drop the tools that a model cannot use, and say nothing."""
        return (self._model.profile or {}).get("tool_calling", True)

    def _may_go_on(self, error: Exception) -> ModelFailed:
        """What went wrong with the tools, where the model may still answer from what is found for it.

        Raises:
            ModelFailed: it may not.
        """
        failure = told(error, self._name)
        if not isinstance(failure, (ToolsRefused, ContextTooLong)):
            raise failure from error
        return failure


def _guide(mark: Mark) -> str:
    return f"{_GUIDE}\n{mark.rule}\nToday is {date.today().isoformat()}."


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
    used_tools: bool = False
    marks: MarkFilter = field(init=False)
    words: CheckedWords = field(init=False)

    def __post_init__(self) -> None:
        self.marks = MarkFilter(self.mark)
        self.words = CheckedWords(lambda: self.book.evidence)

    def stream(self, question: str) -> Stream[tuple[str, Any]]:
        """What the graph tells while it runs: of what kind, and what."""
        asked = {"messages": [HumanMessage(question)]}
        return Stream(
            lambda: self.graph.stream(asked, stream_mode=_STREAMS),
            lambda: self.graph.astream(asked, stream_mode=_STREAMS),
        )

    def hear(self, mode: str, data: Any) -> Iterator[Event]:
        """Events of what the graph streams."""
        if mode == "messages" and isinstance(data[0], AIMessageChunk):
            yield from self._hear_text(self.marks.feed(str(data[0].text)))
        elif mode == "custom":
            yield Status(str(data))
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
            words = self.words.feed(text if self.shown else before + text)
            self.shown = True
            if words:
                yield Token(words)

    def _hear_message(self, message: AIMessage) -> Iterator[Event]:
        yield from self._hear_text(self.marks.rest())
        if words := self.words.rest():
            yield Token(words)
        self.said, self.written, self.shown = self.mark.taken_out(str(message.text)), "", False
        for call in message.tool_calls:
            self.used_tools = True
            arguments = ", ".join(str(value) for value in call["args"].values() if value is not None)
            name = call["name"] if call["name"] in TOOLS else _NO_TOOL
            yield ToolCalled(name, check_words(self.mark.taken_out(arguments), self.book.evidence))

    @property
    def answered(self) -> bool:
        """Whether it said something after it had looked: what it says before that, it cannot know."""
        return self.used_tools and bool(self.said.strip())

    def gives_up_tools(self, question: str, failure: ModelFailed | None) -> Iterator[Event]:
        """What is done instead; what the model wrote before was no answer."""
        yield Status(_FULL if isinstance(failure, ContextTooLong) else _WITHOUT_TOOLS)
        if not self.book.evidence:
            yield ToolCalled("search", question)

    def done(self, question: str) -> Done:
        """The answer, checked."""
        return Done(finished(question, self.said, self.book.evidence, self.notes))


class _Turns(AgentMiddleware[Any, Any]):
    """Counts the model's turns, tries again what may pass, and takes the tools away for the last."""

    def __init__(self, name: str, limits: AgentLimits, patience: Patience, notes: list[str]) -> None:
        super().__init__()
        self.length = Length()
        """Listens to the run."""
        self._notes = notes
        self._name = name
        self._limits = limits
        self._left = limits.calls
        self._patience = patience

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """One turn."""
        request = self._turn(request)
        waiting = Retrying(self._patience)
        while True:
            try:
                return self._fewer(handler(request))
            except TooLong:
                return self._cut()
            except Exception as error:  # noqa: BLE001 - providers' libraries share no error; `told` sorts them
                time.sleep(self._pause(error, waiting))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """One turn."""
        request = self._turn(request)
        waiting = Retrying(self._patience)
        while True:
            try:
                return self._fewer(await handler(request))
            except TooLong:
                return self._cut()
            except Exception as error:  # noqa: BLE001 - as above
                await asyncio.sleep(self._pause(error, waiting))

    def _fewer(self, response: ModelResponse[Any]) -> ModelResponse[Any]:
        """A model may call tools without end in one message: the first ones are run."""
        for message in response.result:
            if isinstance(message, AIMessage):
                message.tool_calls = message.tool_calls[: self._limits.tools]
                message.invalid_tool_calls = []
        return response

    def _turn(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        self._left -= 1
        if self._left > 0:
            return request
        messages: list[AnyMessage] = [*request.messages, HumanMessage(_LAST_CALL)]
        return request.override(messages=messages, tools=[])

    def _cut(self) -> ModelResponse[Any]:
        """What was written until no more was read."""
        self._notes.append(CUT)
        return ModelResponse([AIMessage(self.length.text)])

    def _pause(self, error: Exception, waiting: Retrying) -> float:
        """Seconds to wait before another try, told of.

        Raises:
            ModelFailed: there is no point in one.
        """
        failure = told(error, self._name)
        pause = waiting.pause(failure, error)
        get_stream_writer()(waiting.told(failure, pause))
        return pause
