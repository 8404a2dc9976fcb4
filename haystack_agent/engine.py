"""The composition point: open an index, search it, ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING

from haystack_agent.answering.events import Event, Status
from haystack_agent.answering.extractive.listing import Request, listed, none_of, request_of
from haystack_agent.answering.extractive.reader import ExtractiveReader
from haystack_agent.answering.sources import Sources
from haystack_agent.encoders.bundle import Encoders
from haystack_agent.encoders.profile import Profile, profile_of_index
from haystack_agent.errors import IndexMismatch, UsageError
from haystack_agent.index_files import IndexFiles, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.records import Answer, Evidence, Filters, Modality, PieceKind
from haystack_agent.retrieval.plan import Plan
from haystack_agent.retrieval.search import Searcher, Weighted
from haystack_agent.retrieval.understood import Understood, joined, merged, understood_by_rules
from haystack_agent.store.hit import Hit
from haystack_agent.store.opening import open_to_read
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import IndexedPiece, VectorName

if TYPE_CHECKING:
    from PIL.Image import Image

    from haystack_agent.answering.direct import DirectReader
    from haystack_agent.answering.langchain_agent import AgentReader

EVIDENCE_READ = 8
"""Places that the reader looks at for an answer."""


class Engine:
    """An open index with its encoders loaded: use as a context manager, or `close` it."""

    def __init__(self, store: Store, encoders: Encoders, lexicon: Lexicon) -> None:
        self._store = store
        self._lexicon = lexicon
        self.encoders = encoders
        self._searcher = Searcher(store, encoders, lexicon)
        self._reader = ExtractiveReader(encoders.text)

    @classmethod
    def open(cls, location: IndexLocation) -> Engine:
        """Open an index that exists.

        Raises:
            IndexUnusable: it is missing, busy, damaged, or of another version or profile.
            StoreUnreachable: its Qdrant server does not answer.
            UsageError: the location names another Qdrant server than the index remembers.
            ModelUnavailable: the profile's models cannot be loaded.
        """
        profile = _profile_of(location)
        store = open_to_read(location, profile.schema)
        try:
            return cls(store, profile.load(), Lexicon())
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index; calling it twice is harmless."""
        self._store.close()
        self._lexicon.close()

    def search(self, question: str, *, top_k: int = 10, filters: Filters = Filters()) -> list[Evidence]:
        """The `top_k` best places for a question, best first."""
        return self._searcher.search(self._searcher.plan(question), top_k, filters)

    def search_by_picture(
        self, picture: Image, question: str = "", *, weight: float = 0.5, top_k: int = 10, filters: Filters = Filters()
    ) -> list[Evidence]:
        """The `top_k` places most like an RGB picture or, with a question, like both; `weight` is the picture's share.

        Raises:
            UsageError: the index was made with a profile that does not see.
        """
        if self.encoders.sight is None:
            raise UsageError(
                "This index was made with a profile that does not see: index into a new index with another --profile."
            )
        vector = self.encoders.sight.of_images([picture])[0]
        if not question:
            return self._searcher.like(vector, top_k, filters)
        return self._searcher.search(self._searcher.plan(question), top_k, filters, Weighted(vector, weight))

    def ask(self, question: str, *, top_k: int = 10, filters: Filters = Filters()) -> Answer:
        """Answer a question with a quotation, or abstain; `Answer.evidence` has the `top_k` best places."""
        plan = self._searcher.plan(question)
        evidence = self._searcher.search(plan, max(top_k, EVIDENCE_READ), filters)
        return self._answer(plan, evidence[:EVIDENCE_READ], evidence[:top_k], filters)

    def read(
        self,
        question: str,
        evidence: Sequence[Evidence],
        *,
        beside: Sequence[Evidence] = (),
        filters: Filters = Filters(),
    ) -> Answer:
        """Answer a question with a quotation from evidence that was found with filters, or abstain.

        What stands `beside` it was found too, is shown, and is not read.
        """
        return self._answer(self._searcher.plan(question), evidence, (*evidence, *beside), filters)

    def _answer(self, plan: Plan, read: Sequence[Evidence], shown: Sequence[Evidence], filters: Filters) -> Answer:
        """A quotation from what is read or, for a request that no sentence answers, what is shown."""
        answer = self._reader.answer(plan, read, self._searcher.importance(plan))
        answer = replace(answer, evidence=tuple(shown))
        request = request_of(plan, date.today())
        if request is None or (request.words and not answer.abstained):
            return answer
        return self._list(request, shown, filters) or answer

    def _list(self, request: Request, shown: Sequence[Evidence], filters: Filters) -> Answer | None:
        meant = merged(filters, request.filters)
        if meant != filters and not self._store.count(meant):
            return none_of(request, shown)
        pictures = replace(filters, kinds=frozenset({PieceKind.IMAGE}))  # one of each file
        only = filters.modalities == frozenset({Modality.IMAGE})
        return listed(request, shown, filters, self._store.count(pictures) if only else None)

    def search_by_one(self, vector: VectorName, question: str, *, top_k: int = 10) -> list[Hit]:
        """The `top_k` best pieces by one vector alone, unfused: what fusion is compared with."""
        return self._searcher.by_one(vector, self._searcher.plan(question), top_k)

    def count(self, filters: Filters = Filters()) -> int:
        """Number of pieces that meet filters, exact."""
        return self._store.count(filters)

    def asset_ids(self) -> list[str]:
        """Ids of all indexed files, in order."""
        return sorted(self._store.asset_ids())

    def pieces(self, asset_ids: Collection[str]) -> list[IndexedPiece]:
        """All pieces of files, in order."""
        return self._store.fetch(asset_ids)

    def understand(self, question: str, today: date | None = None) -> Understood:
        """What the question's own words restrict, read without a model: photos and clips of a time."""
        return understood_by_rules(self._searcher.plan(question), today or date.today())

    def narrow(self, understood: Understood, chosen: Filters = Filters()) -> Filters:
        """The filters to use: those the user chose and, where they leave anything to find, those understood."""
        both = merged(chosen, understood.filters)
        if both != chosen and not any(self.search(one, top_k=1, filters=both) for one in understood.searches):
            return chosen
        return both

    def stream(
        self,
        question: str,
        reader: DirectReader,
        *,
        top_k: int = 5,
        filters: Filters = Filters(),
        parts: Sequence[str] = (),
    ) -> Iterator[Event]:
        """Answer a question from the `top_k` best places with a language model; the last event is `Done`.

        With `parts`, these are searched for in place of the question, and the best places of each are given.

        Raises:
            ModelFailed: the model did not answer.
        """
        yield Status("Searching")
        yield from reader.stream(question, self._gather(parts or (question,), top_k, filters))

    async def astream(
        self,
        question: str,
        reader: DirectReader,
        *,
        top_k: int = 5,
        filters: Filters = Filters(),
        parts: Sequence[str] = (),
    ) -> AsyncIterator[Event]:
        """See `stream`."""
        yield Status("Searching")
        async for event in reader.astream(question, self._gather(parts or (question,), top_k, filters)):
            yield event

    def _gather(self, searches: Sequence[str], top_k: int, filters: Filters) -> list[Evidence]:
        return joined([self.search(one, top_k=top_k, filters=filters) for one in searches], top_k)

    def stream_agent(self, question: str, agent: AgentReader, *, filters: Filters = Filters()) -> Iterator[Event]:
        """Answer a question by letting a language model search and look for itself; the last event is `Done`.

        Raises:
            ModelFailed: the model did not answer.
        """
        return agent.stream(question, self._sources(filters))

    def astream_agent(self, question: str, agent: AgentReader, *, filters: Filters = Filters()) -> AsyncIterator[Event]:
        """See `stream_agent`."""
        return agent.astream(question, self._sources(filters))

    def _sources(self, filters: Filters) -> Sources:
        def find(query: str, top_k: int, narrowed: Filters) -> list[Evidence]:
            return self.search(query, top_k=top_k, filters=narrowed)

        return Sources(self._store, find, filters)


def _profile_of(location: IndexLocation) -> Profile:
    card = read_card(IndexFiles(location.path))
    profile = profile_of_index(card.profile)
    if card.fingerprint != profile.fingerprint:
        raise IndexMismatch(
            f"The index at {location.path} was encoded by {card.fingerprint}, this version encodes by "
            f"{profile.fingerprint}: run `haystack-agent index` on it again to bring it up to date."
        )
    return profile
