"""What a picture file says about itself: EXIF, IPTC, XMP and PNG text. Malformed records are left out, never fatal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ingest.gazetteer import nearest_place
from ingest.readers.xmp import read_xmp

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAX_TEXT = 4000
"""Characters kept of a title or caption: more is no caption."""
_MAX_KEYWORDS = 100
_DATE = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?")
_CAMERA_DEFAULT = re.compile(r"(?:[A-Z]+ )?(?:DIGITAL (?:STILL )?CAMERA|DSC)|default|untitled|screenshot", re.IGNORECASE)
"""Descriptions that cameras write into every picture."""


@dataclass(frozen=True, slots=True)
class PictureMeta:
    """Metadata of a picture; empty where the file does not say."""

    title: str = ""
    caption: str = ""
    author: str = ""
    keywords: tuple[str, ...] = ()
    created: datetime | None = None
    camera: str = ""
    place: str = ""


@dataclass(slots=True)
class _Fields:
    """Candidates from one record, in the order of preference in which records are merged."""

    title: str = ""
    caption: str = ""
    author: str = ""
    keywords: list[str] = field(default_factory=list)
    created: datetime | None = None
    camera: str = ""
    place: str = ""


def picture_meta(image: Image) -> PictureMeta:
    """All metadata of an opened picture (it need not be decoded)."""
    records = [_xmp(image), _iptc(image), _exif(image), _png(image.info)]
    merged = _Fields()
    for record in records:
        merged.title = merged.title or record.title
        merged.caption = merged.caption or record.caption
        merged.author = merged.author or record.author
        merged.camera = merged.camera or record.camera
        merged.keywords += record.keywords
    exif = records[2]
    keywords = tuple(dict.fromkeys(merged.keywords))[:_MAX_KEYWORDS]
    created = exif.created or next((record.created for record in records if record.created), None)
    place = _joined_places(exif.place, next((record.place for record in records if record.place), ""))
    caption = "" if merged.caption == merged.title else merged.caption
    meta = PictureMeta(merged.title, caption, merged.author, keywords, created, merged.camera, place)
    return replace(meta, title=meta.title or meta.caption if len(meta.caption) < 80 and not meta.title else meta.title)


def parse_date(text: str, offset: str = "") -> datetime | None:
    """A date as EXIF, IPTC or XMP write it, aware; without an offset it is taken as UTC. `None` if it is none."""
    match = _DATE.match(text.strip())
    if match is None:
        return None
    numbers = [int(part or 0) for part in match.groups()[:6]]
    try:
        return datetime(*numbers, tzinfo=_zone(match.group(7) or offset.strip()))  # type: ignore[arg-type, misc]
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if match is None:
        return UTC
    minutes = int(match.group(2)) * 60 + int(match.group(3))
    return timezone(timedelta(minutes=-minutes if match.group(1) == "-" else minutes)) if minutes < 24 * 60 else UTC
