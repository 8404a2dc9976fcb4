"""The table of media: a row a medium, with all that differs between documents, pictures and clips.

Whoever treats one of them in a way of its own asks its row for the reason (`Medium.place`, `Medium.has_pixels`,
`Family.opened`), so that a new medium is a new row. How a place is said stands here too, once for all who say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from math import inf

from haystack_agent.records import Locator, Modality, PieceKind

_MEGABYTE, _GIGABYTE = 1 << 20, 1 << 30
_HOUR = 3600.0


class PlaceOf(Enum):
    """What a place in a file is."""

    PAGE = auto()
    """A page, or a part of one."""
    REGION = auto()
    """A part of a picture, which is opened as a whole."""
    SECOND = auto()
    """A stretch of time, from one second to another."""


class Preview(StrEnum):
    """What can be shown of a file beside its text; the page draws each in its way."""

    PAGE = "page"
    PICTURE = "picture"
    VIDEO = "video"
    """A frame, or the clip itself from its second."""
    TEXT = "text"
    """Nothing else."""


class OpenedAs(Enum):
    """How a place is opened on this computer."""

    DRAWN = auto()
    """As a picture of it, the passage marked."""
    PLAYED = auto()
    """From its second."""
    AS_TEXT = auto()
    """As its text, the quote marked."""
    OWN_PROGRAM = auto()
    """By the program that the system has for such files."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A name for one of it and for several."""

    one: str
    many: str

    def of(self, number: int) -> str:
        """The name for so many."""
        return self.one if number == 1 else self.many


PAGES, SLIDES, SHEETS = Noun("page", "pages"), Noun("slide", "slides"), Noun("sheet", "sheets")


@dataclass(frozen=True, slots=True)
class Format:
    """A type of file."""

    name: str
    """As `AssetMeta.media_type` has it."""
    pages: Noun = PAGES
    """What its pages are called."""
    played_as: str = ""
    """The content type under which a browser may be able to play it; empty where none is."""


@dataclass(frozen=True, slots=True)
class Family:
    """Types of one medium that are shown and opened alike."""

    formats: tuple[Format, ...]
    preview: Preview
    opened: OpenedAs
    largest: int
    """Bytes above which such a file is not opened by a decoder."""

    @property
    def types(self) -> frozenset[str]:
        """Names of its types."""
        return frozenset(one.name for one in self.formats)


@dataclass(frozen=True, slots=True)
class ReadingEffort:
    """What reading one file may take, and takes as a rule."""

    silent: float
    """Seconds of work without a sign of life."""
    total: float
    """Seconds altogether."""
    memory: int
    """Bytes in use."""
    start: float
    """Seconds that an ordinary computer takes for the smallest."""
    per_megabyte: float
    """Seconds for each megabyte more."""
    most: float = inf
    """Seconds that its size adds at most."""

    def cost(self, size: int) -> float:
        """Roughly the seconds that a file of so many bytes takes."""
        return self.start + min(self.per_megabyte * size / _MEGABYTE, self.most)


@dataclass(frozen=True, slots=True)
class Medium:
    """A row of the table: all that the program knows of one medium."""

    modality: Modality
    families: tuple[Family, ...]
    place: PlaceOf
    whole: PieceKind
    """The kind of piece that stands for all that is at a place."""
    noun: Noun
    """What a person calls one file of it, in a sentence."""
    filtered: str
    """What several of it are called where others are left out."""
    title: str
    """What the page calls it where kinds of files are chosen."""
    words: str
    """Words of a question that name it, folded, with spaces between them."""
    has_pixels: bool
    """Whether it is looked at rather than read: it has little text, and questions about something seen mean it."""
    dated: bool
    """Whether people mean the time at which it was made when they ask for it by time."""
    reading: ReadingEffort

    @property
    def types(self) -> frozenset[str]:
        """Names of its types."""
        return frozenset().union(*(family.types for family in self.families))


def _formats(*names: str) -> tuple[Format, ...]:
    return tuple(map(Format, names))


MEDIA = (
    Medium(
        Modality.DOCUMENT,
        families=(
            Family(
                _formats("pdf", "epub", "xps", "mobi", "fb2", "cbz"),
                Preview.PAGE,
                OpenedAs.DRAWN,
                largest=2 * _GIGABYTE,
            ),
            Family(
                (Format("docx"), Format("pptx", SLIDES), Format("xlsx", SHEETS)),
                Preview.TEXT,
                OpenedAs.OWN_PROGRAM,
                largest=2 * _GIGABYTE,
            ),
            Family(_formats("txt", "markdown", "html", "csv"), Preview.TEXT, OpenedAs.AS_TEXT, largest=256 * _MEGABYTE),
        ),
        place=PlaceOf.PAGE,
        whole=PieceKind.PAGE,
        noun=Noun("document", "documents"),
        filtered="documents",
        title="Documents",
        words="",
        has_pixels=False,
        dated=False,
        reading=ReadingEffort(silent=30, total=4 * _HOUR, memory=2 * _GIGABYTE, start=1, per_megabyte=2),
    ),
    Medium(
        Modality.IMAGE,
        families=(
            Family(
                _formats("jpeg", "png", "gif", "webp", "tiff", "bmp", "heic", "avif", "jp2", "ppm", "ico", "tga"),
                Preview.PICTURE,
                OpenedAs.DRAWN,
                largest=512 * _MEGABYTE,
            ),
        ),
        place=PlaceOf.REGION,
        whole=PieceKind.IMAGE,
        noun=Noun("picture", "pictures"),
        filtered="pictures",
        title="Photos",
        words="photo photos photograph photographs picture pictures image images screenshot screenshots selfie",
        has_pixels=True,
        dated=True,
        reading=ReadingEffort(silent=30, total=300, memory=2 * _GIGABYTE, start=2, per_megabyte=1, most=3),
    ),
    Medium(
        Modality.VIDEO,
        families=(
            Family(
                (
                    Format("mp4", played_as="video/mp4"),
                    Format("mov", played_as="video/mp4"),
                    Format("3gp", played_as="video/mp4"),
                    Format("webm", played_as="video/webm"),
                    Format("mkv", played_as="video/webm"),
                    Format("ogv", played_as="video/ogg"),
                    *_formats("avi", "mpegts", "mpeg", "flv", "wmv"),
                ),
                Preview.VIDEO,
                OpenedAs.PLAYED,
                largest=50 * _GIGABYTE,
            ),
        ),
        place=PlaceOf.SECOND,
        whole=PieceKind.SEGMENT,
        noun=Noun("clip", "clips"),
        filtered="videos",
        title="Videos",
        words="video videos clip clips footage",
        has_pixels=True,
        dated=True,
        reading=ReadingEffort(silent=60, total=4 * _HOUR, memory=3 * _GIGABYTE, start=5, per_megabyte=1),
    ),
)
"""In the order in which they are named."""

TYPES = frozenset().union(*(medium.types for medium in MEDIA))
"""Every type of file that is read."""

MEDIUM_OF_WORD = {word: medium.modality for medium in MEDIA for word in medium.words.split()}
"""The media that words of a question name."""

_BY_MODALITY = {medium.modality: medium for medium in MEDIA}
_MEDIUM_OF_TYPE = {name: medium for medium in MEDIA for name in medium.types}
_FAMILY_OF_TYPE = {name: family for medium in MEDIA for family in medium.families for name in family.types}
_FORMAT_OF_TYPE = {one.name: one for family in _FAMILY_OF_TYPE.values() for one in family.formats}


def medium_of(modality: Modality) -> Medium:
    """The row of a medium."""
    return _BY_MODALITY[modality]


def medium_of_type(media_type: str) -> Medium:
    """The row to which a type of file belongs, that of documents for a type that is in none."""
    return _MEDIUM_OF_TYPE.get(media_type, _BY_MODALITY[Modality.DOCUMENT])


def format_of(media_type: str) -> Format:
    """What is known of a type of file; of one that is not in the table, only its name."""
    return _FORMAT_OF_TYPE.get(media_type) or Format(media_type)


def preview_of(media_type: str) -> Preview:
    """What can be shown of files of a type."""
    family = _FAMILY_OF_TYPE.get(media_type)
    return family.preview if family else Preview.TEXT


def opening_of(media_type: str) -> OpenedAs:
    """How files of a type are opened; of one that is not in the table, by drawing, which says why it fails."""
    family = _FAMILY_OF_TYPE.get(media_type)
    return family.opened if family else OpenedAs.DRAWN


def largest_of(media_type: str) -> int:
    """Bytes above which a file of a type is not opened by a decoder."""
    return _FAMILY_OF_TYPE.get(media_type, MEDIA[0].families[0]).largest


def types_of(modality: Modality) -> frozenset[str]:
    """The types of files of a medium."""
    return _BY_MODALITY[modality].types


def types_placed(place: PlaceOf) -> frozenset[str]:
    """The types of files whose places are such."""
    return frozenset().union(*(medium.types for medium in MEDIA if medium.place is place))


def types_shown(*previews: Preview) -> frozenset[str]:
    """The types of files of which any of these can be shown."""
    return frozenset(name for name, family in _FAMILY_OF_TYPE.items() if family.preview in previews)


def types_opened(opened: OpenedAs) -> frozenset[str]:
    """The types of files that are opened so."""
    return frozenset(name for name, family in _FAMILY_OF_TYPE.items() if family.opened is opened)


def place_name(locator: Locator, media_type: str, dash: str = "-") -> str:
    """``page 2``, ``slide 2``, ``sheet 2``, ``0:17`` or, with the dash given, ``0:17-0:21``; empty for a whole file."""
    if locator.start is not None:
        start, end = clock(locator.start), clock(locator.start if locator.end is None else locator.end)
        return start if start == end else f"{start}{dash}{end}"
    return f"{format_of(media_type).pages.one} {locator.page}" if locator.page is not None else ""


def extent(media_type: str, pages: int | None, seconds: float | None) -> str:
    """How long a file is: ``12 slides`` or ``1:02:03``; empty for a single page, and where it is not known."""
    if seconds:
        return clock(seconds)
    return f"{pages} {format_of(media_type).pages.many}" if pages and pages > 1 else ""


def clock(seconds: float) -> str:
    """Seconds as ``0:17`` or ``1:02:03``."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
