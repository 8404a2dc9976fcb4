"""Profiles: named sets of encoders. An index is made with one, and every question to it is encoded by the same."""

from __future__ import annotations

from dataclasses import dataclass

from haystack_agent.encoders.minilm import WEIGHTS_SHA256, MiniLM
from haystack_agent.encoders.protocols import TextEncoder
from haystack_agent.errors import IndexMismatch
from haystack_agent.store.protocol import StoreSchema, VectorName


@dataclass(frozen=True, slots=True)
class Profile:
    """What an index must remember of its encoders: another `fingerprint` means other vectors."""

    name: str
    fingerprint: str
    schema: StoreSchema
    hint: str
    """One line for the user: what this profile can and cannot do."""

    def load(self) -> TextEncoder:
        """Load the sentence encoder.

        Raises:
            ModelUnavailable: its files are missing or not the expected ones.
        """
        return MiniLM()


ENCODING_VERSION = 1
"""Raised whenever `encoders.pieces`, `encoders.bm25` or `text.terms` would encode the same piece differently."""

OFFLINE = Profile(
    name="offline",
    fingerprint=f"minilm-{WEIGHTS_SHA256[:12]}-terms-{ENCODING_VERSION}",
    schema=StoreSchema(dense=((VectorName.TEXT, MiniLM.dimension),)),
    hint="finds pictures and videos by the text in them and their metadata, not by what they show",
)

_PROFILES = {OFFLINE.name: OFFLINE}


def profile_named(name: str) -> Profile:
    """The profile of that name.

    Raises:
        IndexMismatch: this version knows no such profile.
    """
    try:
        return _PROFILES[name]
    except KeyError:
        raise IndexMismatch(
            f"The index was made with the profile {name!r}; this version knows {', '.join(_PROFILES)}. "
            "Update haystack-agent, or index again into a new index."
        ) from None
