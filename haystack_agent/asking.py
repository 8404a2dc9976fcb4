"""The one road of a question: understood, found, answered.

The command line, the page, the MCP server and the evaluation all go it. `answering` is its one body, which `stream`
walks in a thread and `astream` on an event loop.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from haystack_agent import places
from haystack_agent.answering.effects import Effect, Steps, carried_out, carried_out_on_loop, result_of
from haystack_agent.answering.events import Done, Event, Status
from haystack_agent.records import Answer, Evidence, Filters

if TYPE_CHECKING:
    from PIL.Image import Image

    from haystack_agent.answering.sources import Search, Sources
    from haystack_agent.retrieval.query import Query
    from haystack_agent.retrieval.understood import Understood


@dataclass(frozen=True, slots=True)
class PictureAsked:
    """A picture that is a question, or a part of one."""

    image: Image
    """RGB."""
    weight: float = 0.5
    """Its share, from 0 to 1, where there are words too."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks, and how it is to be searched for."""

    question: str
    top_k: int | None = None
    """Places to show and to answer from; as many as `places` says where that is ``None``."""
    filters: Filters = field(default_factory=Filters)
    """Those that were chosen."""
    as_asked: bool = False
    """Whether to take no filters from the question's words."""
    picture: PictureAsked | None = None
    excluded: frozenset[str] = frozenset()
    """Ids of pieces that are not to be found."""
    today: date = field(default_factory=date.today)

    @property
    def shown(self) -> int:
        """Places that are shown."""
        return self.top_k or places.SHOWN

    @property
    def sought(self) -> int:
        """Places that are looked for: to show, and to read."""
        return max(self.shown, places.READ)

    @property
    def given(self) -> int:
        """Places that a language model is given."""
        return self.top_k or places.GIVEN


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was understood, planned and encoded."""

    request: Request
    understood: Understood
    queries: tuple[Query, ...]
    """What is searched for: the question, or its parts."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a request."""

    asked: Asked
    filters: Filters
    """Those that it was found with: the chosen ones and, where they leave anything to find, those understood."""
    best: tuple[Evidence, ...]
    """The best places, best first: those that are shown, and those that are read where these are more."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The places that are shown, best first."""
        return self.best[: self.asked.request.shown]

    @property
    def read(self) -> tuple[Evidence, ...]:
        """The places that the extractive reader reads."""
        return self.best[: places.READ]

    @property
    def given(self) -> tuple[Evidence, ...]:
        """The places that a language model is given."""
        return self.best[: self.asked.request.given]

    @property
    def narrowed(self) -> bool:
        """Whether filters were taken from the question's words."""
        return self.filters != self.asked.request.filters


class Index(Protocol):
    """What is asked: an `Engine` is one."""

    def find(self, request: Request, understood: Understood | None = None) -> Found:
        """The best places for a request, as its own words or, where given, a conversation has it understood."""

    def read(self, found: Found) -> Answer:
        """A quotation that answers, a list where nothing is asked, or an abstention."""

    def sources(self, found: Found) -> Sources:
        """What a language model may look at by itself, within the filters of what was found."""


Step = Event | Found
"""What is told on the road."""


class Way(Protocol):
    """A way to make an answer of what was found."""

    def answer(self, index: Index, found: Found) -> Steps[Event]:
        """The answer in the making; the last event is `Done`.

        Raises:
            ModelFailed: a language model did not answer.
        """


class Earlier(Protocol):
    """What was said before a question: see `answering.conversation`."""

    def understood(self, question: str) -> Generator[Effect[Any], Any, Understood]:
        """What a question asks to be searched for after that.

        Raises:
            ModelFailed: the language model that reads it did not answer.
        """


class Quoted:
    """The way without a language model: a quotation, word for word."""

    def answer(self, index: Index, found: Found) -> Steps[Event]:
        """See `Way.answer`."""
        yield Status("Reading")
        answer = yield from result_of(lambda: index.read(found))
        yield Done(answer)


def answering(index: Index, request: Request, way: Way, earlier: Earlier | None = None) -> Steps[Step]:
    """What happens to a question, in order: it is searched for, read after what was said before, and answered.

    Evidence is told as soon as it is found; again, where the question turns out to mean something else. The last event
    is `Done`.

    Raises:
        HaystackError: there is no answer; the message is for the user.
    """
    yield Status("Searching")
    found = yield from result_of(lambda: index.find(request))
    yield found
    if earlier is not None:
        yield Status("Reading the conversation")
        understood = yield from earlier.understood(request.question)
        if understood != found.asked.understood:
            found = yield from result_of(lambda: index.find(request, understood))
            yield found
    yield from way.answer(index, found)


def stream(index: Index, request: Request, way: Way, earlier: Earlier | None = None) -> Generator[Step, None, None]:
    """See `answering`; waits in this thread."""
    return carried_out(answering(index, request, way, earlier))


def astream(index: Index, request: Request, way: Way, earlier: Earlier | None = None) -> AsyncGenerator[Step]:
    """See `answering`; waits without blocking the event loop."""
    return carried_out_on_loop(answering(index, request, way, earlier))


def answer_of(steps: Iterator[Step]) -> Answer:
    """The answer alone."""
    return next(step.answer for step in steps if isinstance(step, Done))


def within(index: Index, found: Found) -> Search:
    """A search for a language model's own words, which leaves out what the request excludes."""

    def search(query: str, top_k: int, filters: Filters) -> list[Evidence]:
        excluded = found.asked.request.excluded
        return list(index.find(Request(query, top_k, filters, as_asked=True, excluded=excluded)).evidence)

    return search
