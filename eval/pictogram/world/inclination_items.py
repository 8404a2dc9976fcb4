"""Items for the English inclination test from the pictogram world: held-out emoji, called in two languages."""

from __future__ import annotations

import numpy as np

from eval.inclination import RankedItem
from eval.pictogram.world.captions import caption, distinct_groups
from eval.pictogram.world.concepts import PIVOT, read_concepts, split
from haystack_agent.errors import UsageError

_SEED = 5


def pictogram_items(language: str, count: int) -> list[RankedItem]:
    """Captions in English and in a language of the same emoji, with names and keywords drawn apart.

    Raises:
        UsageError: there are no names in this language.
        ModelUnavailable: CLDR's annotations are not installed.
    """
    concepts = split(read_concepts()).test
    if not all(language in concept.names for concept in concepts):
        raise UsageError(f"CLDR names no emoji in {language!r}: use a code such as cs, fi or ja")
    drawn = np.random.default_rng(_SEED)
    groups = distinct_groups(count, len(concepts), drawn)
    shown = [[concepts[place] for place in group] for group in groups]
    return [RankedItem(caption(one, PIVOT, drawn), caption(one, language, drawn)) for one in shown]
