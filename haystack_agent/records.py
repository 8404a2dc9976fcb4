"""The values that pass between the rooms of the engine: all frozen, none with behaviour of its own.

Coordinates are fractions of the page, picture or frame as a person sees it (EXIF orientation and page rotation
applied): x grows to the right, y grows downwards, (0, 0) is the top left and (1, 1) the bottom right corner.
Pages count from 1. Times are seconds from the start of the video.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

POINT_NAMESPACE = uuid.UUID("6f0f6c2e-6d0b-5f8e-9a53-0f6a5b0c7d11")


class Modality(StrEnum):
    """What a person would call the source of a piece of evidence."""

    DOCUMENT = "document"
    IMAGE = "image"
    VIDEO = "video"


class PieceKind(StrEnum):
    """The unit of evidence a piece stands for."""

    PASSAGE = "passage"
    """A run of text in reading order: a part of a page, or of a picture with much text."""
    TABLE_ROW = "table_row"
    """One row of a table together with the names of its columns."""
    PAGE = "page"
    """A whole page: its rendered image and all of its text."""
    IMAGE = "image"
    """A whole picture and all of the text read in it."""
    SEGMENT = "segment"
    """A stretch of a video: its key frames, the text seen in them and the subtitles spoken over it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the page, picture or frame; ``0 <= x0 <= x1 <= 1``, likewise for y."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Span:
    """Where the characters ``text[start:end]`` of a piece are seen (box) or shown (seconds from, to)."""

    start: int
    end: int
    box: Box | None = None
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Locator:
    """The place in an asset at which a piece is opened; a field is ``None`` where it does not apply."""

    page: int | None = None
    boxes: tuple[Box, ...] = ()
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class AssetMeta:
    """What is known about a file's content beside its pieces."""

    media_type: str
    """Short name of the format found in the bytes, as people say it: ``pdf``, ``docx``, ``jpeg``, ``mp4``."""
    title: str = ""
    author: str = ""
    created: datetime | None = None
    """When the content was made (EXIF capture time, PDF creation date ...), not the file's own times."""
    place: str = ""
    camera: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()
    pages: int | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """The unit of evidence: one place in one asset, its text, and where each word of that text stands."""

    asset_id: str
    kind: PieceKind
    modality: Modality
    index: int
    """Position among the pieces of the asset, from 0: tells apart pieces with the same locator and kind."""
    locator: Locator
    text: str
    meta: AssetMeta
    heading: str = ""
    """The headings above the piece, outermost first, joined by `` > ``."""
    language: str | None = None
    """ISO 639-1 code of the text's language, ``None`` where it is not known."""
    spans: tuple[Span, ...] = ()
    ocr: bool = False
    """Whether the text was read from pixels."""
    key_frames: tuple[float, ...] = ()
    """Times of a video segment's representative frames, exact to the container's timestamps."""
    colours: tuple[str, ...] = ()
    """English names of the dominant colours of a picture or segment, the largest first."""

    @property
    def id(self) -> str:
        """Point id: UUIDv5 of asset, place and kind, so that writing a piece twice is harmless."""
        place = self.locator
        name = f"{self.asset_id}/{self.kind}/{self.index}/{place.page}/{place.start}/{place.end}"
        return str(uuid.uuid5(POINT_NAMESPACE, name))


@dataclass(frozen=True, slots=True)
class Match:
    """One reason why a piece was found: a vector's name, the rank (from 1) and score it gave, and the words met."""

    vector: str
    rank: int
    score: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place that may answer a question: the best piece there, its score, and why it was found."""

    piece: Piece
    paths: tuple[str, ...]
    """Every path at which the asset is found, first the one to show."""
    score: float
    matches: tuple[Match, ...] = ()
    neighbours: tuple[Piece, ...] = ()
    """Other pieces of the same place that were found too, best first."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Evidence that is cited, the words quoted from it (none, where a model only names it), and where these stand."""

    evidence: Evidence
    quote: str
    locator: Locator
    verified: bool = True
    """Whether the quoted words were found in the evidence; a model may have read them in a picture, or made them up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine says to a question; ``abstained`` when the evidence does not answer it."""

    question: str
    text: str
    abstained: bool
    citations: tuple[Citation, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=())
    notes: tuple[str, ...] = ()
    """What the user should know about how it came about."""
    listed: bool = False
    """Whether it lists what was found, each place a citation without words, as nothing was asked."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions every result must meet; an empty field does not restrict."""

    modalities: frozenset[Modality] = frozenset()
    folders: tuple[str, ...] = ()
    """Absolute folder paths; a result lies in one of them or below."""
    types: frozenset[str] = frozenset()
    """`AssetMeta.media_type` values."""
    languages: frozenset[str] = frozenset()
    kinds: frozenset[PieceKind] = frozenset()
    after: datetime | None = None
    """Inclusive bounds on the day the content was made or, where that is not known, the file was changed."""
    before: datetime | None = None
