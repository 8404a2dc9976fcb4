"""One question of the page, from what was typed to the events that the page draws.

Evidence is shown as soon as it is found; then the answer is read from it or written by the model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

from haystack_agent.answering.events import Done, Event, Status, Token
from haystack_agent.answering.extractive.listing import alike
from haystack_agent.answering.modes import AnswerMode
from haystack_agent.answering.sources import Sources
from haystack_agent.engine import EVIDENCE_READ
from haystack_agent.errors import UsageError
from haystack_agent.records import Answer, Evidence, Filters
from haystack_agent.retrieval.understood import Understood, joined
from ui.filter_check import checked
from ui.web.ask.question import Question
from ui.web.door.visitors import Visitor
from ui.web.state.index_hub import OpenIndex
from ui.web.state.workspace import Workspace

SHOWN = 10
"""Places in the rail."""
GIVEN = 5
"""Places given to a model."""


@dataclass(frozen=True, slots=True)
class Found:
    """How the question was understood, and what was found for it."""

    understood: Understood
    filters: Filters
    evidence: tuple[Evidence, ...]


Step = Event | Found


class Asking:
    """Answers one question."""

    def __init__(self, workspace: Workspace, visitor: Visitor, question: Question) -> None:
        self._workspace = workspace
        self._visitor = visitor
        self._question = question

    async def steps(self) -> AsyncIterator[Step]:
        """What happens, in order; the last step is `Done`.

        Raises:
            HaystackError: there is no answer; the message is for the user.
        """
        yield Status("Searching")
        hub, asked = self._workspace.hub, self._question
        opened = await hub.using(asked.index)
        chosen = asked.filters.filters()
        first = await hub.searching(partial(self._look, opened, chosen, None))
        yield first
        if asked.mode is AnswerMode.EXTRACTIVE:
            yield Status("Reading")
            yield Done(await hub.reading(partial(self._read, opened, first)))
            return
        async for step in self._by_model(opened, chosen, first):
            yield step

    def _read(self, opened: OpenIndex, found: Found) -> Answer:
        asked, read, beside = self._question, found.evidence[:EVIDENCE_READ], found.evidence[EVIDENCE_READ:]
        answer = opened.live.engine.read(asked.text, read, beside=beside, filters=found.filters)
        return alike(asked.text, found.evidence) if asked.picture and found.evidence and answer.abstained else answer

    async def _by_model(self, opened: OpenIndex, chosen: Filters, first: Found) -> AsyncIterator[Step]:
        hub, asked = self._workspace.hub, self._question
        readers = await asyncio.to_thread(self._workspace.models.readers)
        for remark in readers.remarks:
            yield Status(remark)
        found = first
        if asked.earlier:
            yield Status("Reading the conversation")
            conversation = readers.conversation()
            for question, text in asked.earlier:
                conversation.keep(question, Answer(question, text, abstained=False))
            understood = await conversation.aunderstand(asked.text)
            if understood != first.understood:
                found = await hub.searching(partial(self._look, opened, chosen, understood))
                yield found
        question = found.understood.question
        if asked.mode is AnswerMode.AGENT:
            events = readers.agent.astream(question, self._sources(opened, found.filters))
        else:
            events = readers.direct.astream(question, found.evidence[:GIVEN])
        async for event in events:
            yield _with_rest(event, found) if isinstance(event, Done) and asked.mode is AnswerMode.DIRECT else event

    def _look(self, opened: OpenIndex, chosen: Filters, understood: Understood | None) -> Found:
        engine, asked = opened.live.engine, self._question
        for told in checked(engine, opened.live.location, chosen):
            raise UsageError(f"{told} Remove that filter.")
        meant = understood or engine.understand(asked.text)
        filters = chosen if asked.as_asked or not asked.text else engine.narrow(meant, chosen)
        wanted = SHOWN + len(asked.excluded)
        if asked.picture:
            picture = self._workspace.pictures.get(self._visitor, asked.picture)
            evidence = engine.search_by_picture(picture, meant.question, top_k=wanted, filters=filters)
        else:
            evidence = joined([engine.search(one, top_k=wanted, filters=filters) for one in meant.searches], wanted)
        return Found(meant, filters, tuple(_without(evidence, asked.excluded)[:SHOWN]))

    def _sources(self, opened: OpenIndex, filters: Filters) -> Sources:
        excluded = self._question.excluded

        def find(query: str, top_k: int, narrowed: Filters) -> list[Evidence]:
            found = opened.live.engine.search(query, top_k=top_k + len(excluded), filters=narrowed)
            return _without(found, excluded)[:top_k]

        return Sources(opened.live.store, find, filters)


def _with_rest(done: Done, found: Found) -> Done:
    """The answer with all that was found, not only what the model was given: numbers stay as they were."""
    return Done(replace(done.answer, evidence=found.evidence))


def _without(evidence: list[Evidence], excluded: list[str]) -> list[Evidence]:
    return [one for one in evidence if one.piece.id not in excluded]


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
