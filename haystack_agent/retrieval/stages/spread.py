"""The stage that spreads places over files, so that one file does not fill the page."""

from __future__ import annotations

from collections import defaultdict

from haystack_agent.retrieval.query import Query
from haystack_agent.retrieval.stages.candidates import Candidate


class Spread:
    """Lowers every further place of a file by a factor, and sorts again."""

    def __init__(self, repetition: float) -> None:
        self._repetition = repetition

    def __call__(self, query: Query, candidates: list[Candidate]) -> list[Candidate]:
        """See `Stage`."""
        del query
        seen: defaultdict[str, int] = defaultdict(int)
        for one in candidates:
            asset = one.hits[0].hit.glance.asset_id
            one.score *= self._repetition ** seen[asset]
            seen[asset] += 1
        return sorted(candidates, key=Candidate.key)
