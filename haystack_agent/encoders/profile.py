"""Profiles: named sets of encoders. An index is made with one, and every question to it is encoded by the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from haystack_agent.encoders.bundle import Encoders
from haystack_agent.encoders.minilm import WEIGHTS_SHA256, MiniLM
from haystack_agent.errors import IndexMismatch, UsageError
from haystack_agent.store.protocol import StoreSchema, VectorName


@dataclass(frozen=True, slots=True)
class Profile:
    """What an index must remember of its encoders: another `fingerprint` means other vectors."""

    name: str
    fingerprint: str
    schema: StoreSchema
    hint: str
    """One line for the user: what this profile can and cannot do."""
    load: Callable[[], Encoders]
    """Load the encoders; raises `ModelUnavailable` where their files are missing or not the expected ones."""
    look: int | None = None
    """Shorter side in pixels at which its CLIP looks at pictures; ``None`` where it has none."""


ENCODING_VERSION = 1
"""Raised whenever `encoders.pieces`, `encoders.bm25` or `text.terms` would encode the same piece differently."""

OFFLINE = Profile(
    name="offline",
    fingerprint=f"minilm-{WEIGHTS_SHA256[:12]}-terms-{ENCODING_VERSION}",
    schema=StoreSchema(dense=((VectorName.TEXT, MiniLM.dimension),)),
    hint="finds pictures and videos by the text in them and their metadata, not by what they show",
    load=lambda: Encoders(MiniLM()),
)

NAMES = ("offline",)


def profile_named(name: str) -> Profile:
    """The profile of that name.

    Raises:
        UsageError: there is none.
        ModelUnavailable: its files are missing or damaged.
    """
    if name == OFFLINE.name:
        return OFFLINE
    raise UsageError(f"there is no profile {name!r}: choose one of {', '.join(NAMES)}")


def profile_of_index(name: str) -> Profile:
    """The profile that an index names.

    Raises:
        IndexMismatch: this version knows no such profile.
        ModelUnavailable: its files are missing or damaged.
    """
    if name not in NAMES:
        raise IndexMismatch(
            f"The index was made with the profile {name!r}; this version knows {', '.join(NAMES)}. "
            "Update haystack-agent, or index again into a new index."
        )
    return profile_named(name)
