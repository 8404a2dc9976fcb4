"""How many places each step takes: everything that searches or answers keeps to these, unless a user says otherwise."""

from __future__ import annotations

SHOWN = 10
"""Places that are found for a question, and shown."""
READ = 8
"""The best of them, which the extractive reader looks at for an answer."""
GIVEN = 5
"""The best of them, which a language model is given."""
MOST = 50
"""More are not asked for at a time; files are ranked by the best of so many places."""
HITS = 60
"""Hits of each vector: beyond, none was seen to reach the first ten places."""
HITS_A_PLACE = 3
"""Or so many for each place wanted, where that is more."""


def hits_for(places: int) -> int:
    """Hits of each vector that so many places are ranked from."""
    return max(HITS, HITS_A_PLACE * places)
