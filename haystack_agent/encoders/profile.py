"""Profiles: named sets of encoders. An index is made with one, and every question to it is encoded by the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.encoders.bundle import Encoders, Sight
from haystack_agent.encoders.towers.minilm import WEIGHTS_SHA256, MiniLM
from haystack_agent.errors import IndexMismatch, UsageError
from haystack_agent.store.values import StoreSchema, VectorName

if TYPE_CHECKING:
    from haystack_agent.encoders.hub import DownloadProgress


@dataclass(frozen=True, slots=True)
class Profile:
    """What an index must remember of its encoders: another `fingerprint` means other vectors."""

    name: str
    """One of `NAMES`, or the path of a profile file."""
    fingerprint: str
    schema: StoreSchema
    hint: str
    """One line for the user: what this profile can and cannot do."""
    load: Callable[[], Encoders]
    """Load the encoders; raises `ModelUnavailable` where their files are missing or not the expected ones."""
    look: int | None = None
    """Shorter side in pixels at which its CLIP looks at pictures; ``None`` where it has none."""


ENCODING_VERSION = 2
"""Raised whenever `encoders.pieces`, `encoders.bm25` or `text.terms` would encode the same piece differently."""

OFFLINE = Profile(
    name="offline",
    fingerprint=f"minilm-{WEIGHTS_SHA256[:12]}-terms-{ENCODING_VERSION}",
    schema=StoreSchema(dense=((VectorName.TEXT, MiniLM.dimension),)),
    hint="finds pictures and videos by the text in them and their metadata, not by what they show",
    load=lambda: Encoders(MiniLM()),
)

NAMES = ("offline", "pictogram")
_PICTOGRAM = Path(__file__).parents[1] / "models" / "pictogram"
_FILE = ".toml"


def profile_named(name: str, tell: Callable[[DownloadProgress], None] | None = None, offline: bool = False) -> Profile:
    """The profile of that name, or of that profile file; `tell` is told of downloads, which `offline` forbids.

    Raises:
        UsageError: there is none, or the file is malformed.
        ModelUnavailable: its models are missing, damaged, or cannot be fetched.
    """
    if name == OFFLINE.name:
        return OFFLINE
    if name == "pictogram":
        return _pictogram(_PICTOGRAM)
    if name.endswith(_FILE):
        return _from_file(Path(name).expanduser().resolve(), tell, offline)
    raise UsageError(
        f"there is no profile {name!r}: choose one of {', '.join(NAMES)}, or name a profile file ({_FILE})"
    )


def profile_of_index(name: str) -> Profile:
    """The profile that an index names; nothing is downloaded.

    Raises:
        IndexMismatch: this version knows no such profile, or its file is gone.
        ModelUnavailable: its models are missing or damaged.
    """
    if name not in NAMES and not (name.endswith(_FILE) and Path(name).is_file()):
        raise IndexMismatch(
            f"The index was made with the profile {name!r}, which is not here; this version knows {', '.join(NAMES)}. "
            "Bring its file back, update haystack-agent, or index again into a new index."
        )
    return profile_named(name, offline=True)


def _pictogram(folder: Path) -> Profile:
    from haystack_agent.encoders.projector import EncoderRef, Projector, read_card
    from haystack_agent.encoders.towers.pictogram import PictogramClip, PictogramText

    path = folder / "projector.safetensors"
    card = read_card(path)

    def load() -> Encoders:
        text, clip = PictogramText(folder / "text"), PictogramClip(folder / "clip")
        refs = (EncoderRef("pictogram", one.fingerprint, one.dimension) for one in (text, clip))
        return Encoders(text, Sight(clip, Projector.load(path, *refs)), multilingual=True)

    return Profile(
        name="pictogram",
        fingerprint=f"pictogram-{card.text.fingerprint}-{card.clip.fingerprint}-terms-{ENCODING_VERSION}",
        schema=StoreSchema(dense=((VectorName.TEXT, card.text.width), (VectorName.UCLIP, card.dimension))),
        hint="knows pictograms only: for trying things out, not for photos",
        load=load,
        look=64,
    )


def _from_file(path: Path, tell: Callable[[DownloadProgress], None] | None, offline: bool) -> Profile:
    from haystack_agent.encoders.profile_file import load_choice, read_choice

    choice = read_choice(path)
    encoders = load_choice(choice, tell, offline)
    assert encoders.sight is not None  # noqa: S101 - a profile file always names a CLIP
    text, sight = encoders.text, encoders.sight
    projector = sight.projector.fingerprint if sight.projector else "own"
    return Profile(
        name=str(path),
        fingerprint=f"{text.fingerprint}-{sight.pictures.fingerprint}-{projector}-terms-{ENCODING_VERSION}",
        schema=StoreSchema(dense=((VectorName.TEXT, text.dimension), (VectorName.UCLIP, sight.dimension))),
        hint=f"{choice.sentence} and {choice.clip}",
        load=lambda: encoders,
        look=sight.pictures.image_size,
    )
