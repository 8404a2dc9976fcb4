"""The table of channels: which vectors are asked, in which order."""

from __future__ import annotations

from haystack_agent.encoders.bundle import Encoders
from haystack_agent.retrieval.channels.bm25 import Bm25Channel
from haystack_agent.retrieval.channels.cohort import likeness
from haystack_agent.retrieval.channels.protocol import Channel
from haystack_agent.retrieval.channels.text import TextChannel
from haystack_agent.retrieval.channels.uclip import UclipChannel
from haystack_agent.retrieval.weights import Weights
from haystack_agent.store.protocol import Store


def channels_of(store: Store, encoders: Encoders, weights: Weights) -> tuple[Channel, ...]:
    """The channels of a profile; one may use the question's vectors of those before it."""
    worth = likeness(weights.chance, weights.certain)
    words: tuple[Channel, ...] = (
        Bm25Channel(store, weights.bm25),
        TextChannel(store, encoders.text, weights.text, weights.text_foreign, worth),
    )
    return words if encoders.sight is None else (*words, UclipChannel(store, encoders.sight, weights.uclip, worth))
