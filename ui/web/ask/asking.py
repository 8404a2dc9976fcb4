"""One question of the page, from what was typed to the events that the page draws.

Evidence is shown as soon as it is found; then the answer is read from it or written by the model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator
from typing import Any

from haystack_agent.answering.effects import Effect, Steps, carried_out_on_loop, result_of
from haystack_agent.answering.events import Event, Status, Token
from haystack_agent.answering.modes import AnswerMode
from haystack_agent.answering.sources import Sources
from haystack_agent.asking import Found, Index, PictureAsked, Quoted, Request, Step, Way, answering
from haystack_agent.errors import UsageError
from haystack_agent.records import Answer
from haystack_agent.retrieval.understood import Understood
from ui.filter_check import checked
from ui.web.ask.question import PageQuestion
from ui.web.door.visitors import Visitor
from ui.web.state.index_hub import IndexHub
from ui.web.state.model_desk import ModelDesk
from ui.web.state.workspace import Workspace


def steps(workspace: Workspace, visitor: Visitor, question: PageQuestion) -> AsyncIterator[Step]:
    """What happens to a question, in order; the last step is `Done`.

    Raises:
        HaystackError: there is no answer; the message is for the user.
    """
    request = _request(workspace, visitor, question)
    by_model = question.mode is not AnswerMode.EXTRACTIVE
    way: Way = _ByModel(workspace.models, question.mode) if by_model else Quoted()
    earlier = _Earlier(workspace.models, question.earlier) if by_model and question.earlier else None
    index = _Lent(workspace.hub, question.index)
    return carried_out_on_loop(answering(index, request, way, earlier), workspace.hub.waiting)


def _request(workspace: Workspace, visitor: Visitor, question: PageQuestion) -> Request:
    picture = workspace.pictures.get(visitor, question.picture) if question.picture else None
    return Request(
        question.text,
        filters=question.filters.filters(),
        as_asked=question.as_asked or not question.text,
        picture=PictureAsked(picture) if picture else None,
        excluded=frozenset(question.excluded),
    )


class _Lent:
    """The index of a hub, in its own threads: searches are not made to wait for the slower reading of others."""

    def __init__(self, hub: IndexHub, key: str) -> None:
        self._hub = hub
        self._key = key

    def find(self, request: Request, understood: Understood | None = None) -> Found:
        """See `Index.find`."""
        live = self._hub.opened(self._key).live

        def find() -> Found:
            for told in checked(live.engine, live.location, request.filters):
                raise UsageError(f"{told} Remove that filter.")
            return live.engine.find(request, understood)

        return self._hub.searched(find)

    def read(self, found: Found) -> Answer:
        """See `Index.read`."""
        live = self._hub.opened(self._key).live
        return self._hub.read(lambda: live.engine.read(found))

    def sources(self, found: Found) -> Sources:
        """See `Index.sources`."""
        return self._hub.opened(self._key).live.engine.sources(found)


class _ByModel:
    """The way by the language model of the server, which is opened when the first question needs it."""

    def __init__(self, models: ModelDesk, mode: AnswerMode) -> None:
        self._models = models
        self._mode = mode

    def answer(self, index: Index, found: Found) -> Steps[Event]:
        """See `Way.answer`."""
        readers = yield from result_of(self._models.readers)
        for remark in readers.remarks:
            yield Status(remark)
        way: Way = readers.agent if self._mode is AnswerMode.AGENT else readers.direct
        yield from way.answer(index, found)


class _Earlier:
    """What was said before in a conversation that the server kept, read by its model."""

    def __init__(self, models: ModelDesk, turns: list[tuple[str, str]]) -> None:
        self._models = models
        self._turns = turns

    def understood(self, question: str) -> Generator[Effect[Any], Any, Understood]:
        """See `Earlier.understood` of the engine."""
        readers = yield from result_of(self._models.readers)
        conversation = readers.conversation()
        for asked, said in self._turns:
            conversation.keep(asked, Answer(asked, said, abstained=False))
        return (yield from conversation.understood(question))


async def until_stopped(steps: AsyncIterator[Step], stop: asyncio.Event) -> AsyncIterator[Step]:
    """The steps, until somebody stops them; then whoever makes them is told to end."""
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while True:
            following = asyncio.ensure_future(anext(steps))
            await asyncio.wait((following, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                return
            try:
                yield following.result()
            except StopAsyncIteration:
                return
    finally:
        stopping.cancel()


async def in_breaths(steps: AsyncIterator[Step], pause: float = 0.06) -> AsyncIterator[Step]:
    """The steps with tokens that come close together joined: the page need not be drawn for each."""
    held, told = "", 0.0
    async for step in steps:
        if isinstance(step, Token):
            held += step.text
            if time.monotonic() - told >= pause:
                yield Token(held)
                held, told = "", time.monotonic()
            continue
        if held:
            yield Token(held)
            held = ""
        yield step
    if held:
        yield Token(held)
