"""The composition point: open an index, search it, ask it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import islice
from types import TracebackType

from haystack_agent import places
from haystack_agent.answering.extractive.listing import Listing, alike, listed, listing_of, none_of
from haystack_agent.answering.extractive.reader import ExtractiveReader
from haystack_agent.answering.sources import Sources
from haystack_agent.asking import Asked, Found, PictureAsked, Request, within
from haystack_agent.encoders.bundle import Encoders
from haystack_agent.encoders.profile import Profile, profile_of_index
from haystack_agent.errors import IndexMismatch, UsageError
from haystack_agent.index_files import IndexFiles, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.records import Answer, Evidence, Filters, Modality, PieceKind
from haystack_agent.retrieval.query import Weighted
from haystack_agent.retrieval.search import Searcher
from haystack_agent.retrieval.understood import Understood, joined, merged, understood_by_rules
from haystack_agent.store.hit import Hit
from haystack_agent.store.opening import open_to_read
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import IndexedPiece, VectorName


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

    def search(self, question: str, *, top_k: int = places.SHOWN, filters: Filters = Filters()) -> list[Evidence]:
        """The best places for a question, best first."""
        return list(self.find(Request(question, top_k, filters)).evidence)

    def ask(self, question: str, *, top_k: int = places.SHOWN, filters: Filters = Filters()) -> Answer:
        """Answer a question with a quotation, or abstain; `Answer.evidence` has the best places."""
        return self.read(self.find(Request(question, top_k, filters)))

    def understand(self, request: Request, understood: Understood | None = None) -> Asked:
        """A request as its own words or, where given, a conversation has it understood: planned and encoded, once.

        Raises:
            UsageError: it has a picture, and the index was made with a profile that does not see.
        """
        picture = self._weighted(request.picture) if request.picture else None
        query = self._searcher.query(request.question, picture)
        if understood is None:
            understood = Understood(request.question)
            if not request.as_asked:
                understood = understood_by_rules(query.plan, request.today)
        if understood.searches == (request.question,):
            return Asked(request, understood, (query,))
        return Asked(request, understood, tuple(self._searcher.query(one, picture) for one in understood.searches))

    def _weighted(self, picture: PictureAsked) -> Weighted:
        if self.encoders.sight is None:
            raise UsageError(
                "This index was made with a profile that does not see: index into a new index with another --profile."
            )
        return Weighted(self.encoders.sight.of_images([picture.image])[0], picture.weight)

    def find(self, request: Request, understood: Understood | None = None) -> Found:
        """The best places for a request, as its own words or, where given, a conversation has it understood.

        Raises:
            UsageError: it has a picture, and the index was made with a profile that does not see.
        """
        asked = self.understand(request, understood)
        chosen = request.filters
        filters = chosen if request.as_asked else merged(chosen, asked.understood.filters)
        best = self._best(asked, filters)
        if filters != chosen and not best:  # what was understood leaves nothing: it was something else
            filters, best = chosen, self._best(asked, chosen)
        kept = (one for one in best if one.piece.id not in request.excluded)
        return Found(asked, filters, tuple(islice(kept, request.sought)))

    def _best(self, asked: Asked, filters: Filters) -> list[Evidence]:
        wanted = asked.request.sought + len(asked.request.excluded)
        return joined([self._searcher.search(query, wanted, filters) for query in asked.queries], wanted)

    def read(self, found: Found) -> Answer:
        """Answer with a quotation from the best places or, for a request that no sentence answers, list them; else
        abstain."""
        query, shown = found.asked.queries[0], found.evidence
        answer = self._reader.answer(query, found.read, self._searcher.importance(query.plan))
        answer = replace(answer, evidence=shown)
        if found.asked.request.picture and shown and answer.abstained:
            return alike(query.plan.question, shown)
        wanted = listing_of(query.plan, found.asked.request.today)
        if wanted is None or (wanted.words and not answer.abstained):
            return answer
        return self._listed(wanted, found) or answer

    def _listed(self, wanted: Listing, found: Found) -> Answer | None:
        filters, shown = found.filters, found.evidence
        meant = merged(filters, wanted.filters)
        if meant != filters and not self._store.count(meant):
            return none_of(wanted, shown)
        pictures = replace(filters, kinds=frozenset({PieceKind.IMAGE}))  # one of each file
        only = filters.modalities == frozenset({Modality.IMAGE})
        return listed(wanted, shown, filters, self._store.count(pictures) if only else None)

    def sources(self, found: Found) -> Sources:
        """What a language model may look at by itself, within the filters of what was found."""
        return Sources(self._store, within(self, found), found.filters)

    def search_by_one(self, vector: VectorName, question: str, *, top_k: int = 10) -> list[Hit]:
        """The `top_k` best pieces by one vector alone, unfused: what fusion is compared with."""
        return self._searcher.by_one(vector, question, top_k)

    def count(self, filters: Filters = Filters()) -> int:
        """Number of pieces that meet filters, exact."""
        return self._store.count(filters)

    def asset_ids(self) -> list[str]:
        """Ids of all indexed files, in order."""
        return sorted(self._store.asset_ids())

    def pieces(self, asset_ids: Collection[str]) -> list[IndexedPiece]:
        """All pieces of files, in order."""
        return self._store.fetch(asset_ids)


def _profile_of(location: IndexLocation) -> Profile:
    card = read_card(IndexFiles(location.path))
    profile = profile_of_index(card.profile)
    if card.fingerprint != profile.fingerprint:
        raise IndexMismatch(
            f"The index at {location.path} was encoded by {card.fingerprint}, this version encodes by "
            f"{profile.fingerprint}: run `haystack-agent index` on it again to bring it up to date."
        )
    return profile
