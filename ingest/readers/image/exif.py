"""What a picture file says about itself: EXIF, IPTC, XMP and PNG text. Malformed records are left out, never fatal."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ingest.pixels.gazetteer import nearest_place
from ingest.readers.image.xmp import read_xmp

if TYPE_CHECKING:
    from PIL.Image import Exif
    from PIL.ImageFile import ImageFile

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAX_TEXT = 4000
"""Characters kept of a title or caption: more is no caption."""
_MAX_KEYWORDS = 100
_DATE = re.compile(
    r"(\d{4})[-:/.]?(\d{2})[-:/.]?(\d{2})"
    r"(?:[T\s]+(\d{2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_CAMERA_DEFAULT = re.compile(
    r"([A-Z]+ )?(DIGITAL (STILL )?CAMERA|DSC)|default|untitled|screenshot|"
    r"(created with|compressed by|creator:|file written by|software:|optimi[sz]ed ).*",
    re.IGNORECASE,
)
"""Descriptions that cameras and programs write into every picture."""
_UNREADABLE = (
    AttributeError,
    KeyError,
    ValueError,
    TypeError,
    SyntaxError,
    OSError,
    EOFError,
    IndexError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
)
"""What Pillow raises on metadata that is not as its format demands."""


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


def picture_meta(image: ImageFile) -> PictureMeta:
    """All metadata of an opened picture. People's own words (XMP, IPTC) go before what the camera wrote."""
    exif = _from_exif(image)
    records = [_from_xmp(image), _from_iptc(image), exif, _from_png(image.info)]
    title = next((record.title for record in records if record.title), "")
    caption = next((record.caption for record in records if record.caption not in ("", title)), "")
    named = next((record.place for record in records if record.place and record is not exif), "")
    return PictureMeta(
        title=title,
        caption=caption,
        author=next((record.author for record in records if record.author), ""),
        keywords=_distinct(word for record in records for word in record.keywords),
        created=exif.created or next((record.created for record in records if record.created), None),
        camera=exif.camera or records[0].camera,
        place=exif.place if named in exif.place else ", ".join(filter(None, (named, exif.place))),
    )


def parse_date(text: str, offset: str = "") -> datetime | None:
    """A date as EXIF, IPTC or XMP write it; without an offset it is taken as UTC. `None` if it is none."""
    match = _DATE.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(match.group(7) or offset.strip()))
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if match is None:
        return UTC
    minutes = int(match.group(2)) * 60 + int(match.group(3))
    if minutes >= 24 * 60:
        return UTC
    return timezone(timedelta(minutes=-minutes if match.group(1) == "-" else minutes))


def _from_exif(image: ImageFile) -> PictureMeta:
    try:
        exif = image.getexif()
    except _UNREADABLE:
        return PictureMeta()
    base, detail, gps = dict(_tags(exif)), _ifd(exif, _EXIF_IFD), _ifd(exif, _GPS_IFD)
    description = _clean(base.get(0x010E))
    comment = _clean(_utf16(base.get(0x9C9C))) or _user_comment(detail.get(0x9286))
    title = _clean(_utf16(base.get(0x9C9B)))
    return PictureMeta(
        title=title,
        caption=next((text for text in (description, comment) if text and text != title), ""),
        author=_clean(base.get(0x013B)) or _clean(_utf16(base.get(0x9C9D))),
        keywords=tuple(_clean(_utf16(base.get(0x9C9E))).split(";")),
        created=_exif_date(base, detail),
        camera=_camera(_clean(base.get(0x010F)), _clean(base.get(0x0110))),
        place=_gps_place(gps),
    )


def _tags(exif: Exif) -> Iterable[tuple[int, Any]]:
    for tag in list(exif):
        try:
            yield tag, exif[tag]
        except _UNREADABLE:
            continue


def _ifd(exif: Exif, tag: int) -> Mapping[int, Any]:
    try:
        return dict(exif.get_ifd(tag))
    except _UNREADABLE:
        return {}


def _exif_date(base: Mapping[int, Any], detail: Mapping[int, Any]) -> datetime | None:
    for date, offset in ((detail.get(0x9003), 0x9011), (detail.get(0x9004), 0x9012), (base.get(0x0132), 0x9010)):
        found = parse_date(_clean(date), _clean(detail.get(offset)))
        if found is not None:
            return found
    return None


def _camera(make: str, model: str) -> str:
    """Make and model, the make once: "NIKON CORPORATION" and "NIKON D90" are a "NIKON D90"."""
    if not make or not model:
        return model or make
    return model if make.split(maxsplit=1)[0].casefold() in model.casefold() else f"{make} {model}"


def _gps_place(gps: Mapping[int, Any]) -> str:
    latitude, longitude = _degrees(gps.get(2), gps.get(1), "S"), _degrees(gps.get(4), gps.get(3), "W")
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return ""
    return nearest_place(latitude, longitude)


def _degrees(value: Any, reference: Any, negative: str) -> float | None:
    try:
        parts = [float(part) for part in value]
    except _UNREADABLE:
        return None
    if not parts or not all(map(math.isfinite, parts)):
        return None
    degrees = math.fsum(part / 60.0**power for power, part in enumerate(parts[:3]))
    return -degrees if _clean(reference).upper().startswith(negative) else degrees


def _from_iptc(image: ImageFile) -> PictureMeta:
    from PIL.IptcImagePlugin import getiptcinfo

    try:
        found = getiptcinfo(image) or {}
    except _UNREADABLE:
        return PictureMeta()
    values = {
        key: [_clean(item) for item in (value if isinstance(value, list) else [value])] for key, value in found.items()
    }

    def first(dataset: int) -> str:
        return next(iter(values.get((2, dataset), [])), "")

    return PictureMeta(
        title=first(5) or first(105),
        caption=first(120),
        author=first(80),
        keywords=tuple(values.get((2, 25), [])),
        created=parse_date(f"{first(55)} {first(60)}".strip()),
        place=", ".join(filter(None, (first(92), first(90), first(101)))),
    )


def _from_xmp(image: ImageFile) -> PictureMeta:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if not packet and hasattr(image, "tag_v2"):
        packet = image.tag_v2.get(700, b"")
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    values = read_xmp(packet) if isinstance(packet, bytes) else {}

    def first(*names: str) -> str:
        return next((_clean(values[name][0]) for name in names if values.get(name)), "")

    dates = (parse_date(first(name)) for name in ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate"))
    return PictureMeta(
        title=first("dc:title", "photoshop:Headline"),
        caption=first("dc:description"),
        author=first("dc:creator"),
        keywords=tuple(map(_clean, values.get("dc:subject", []))),
        created=next(filter(None, dates), None),
        camera=_camera(first("tiff:Make"), first("tiff:Model")),
        place=", ".join(filter(None, map(first, ("iptc:Location", "photoshop:City", "photoshop:Country")))),
    )


def _from_png(info: Mapping[Any, Any]) -> PictureMeta:
    """PNG text chunks. The comment of a JPEG or GIF is left out: programs write it, hardly ever people."""
    values = {str(key).casefold(): _clean(value) for key, value in info.items() if isinstance(value, str)}
    return PictureMeta(
        title=values.get("title", ""),
        caption=values.get("description", "") or values.get("comment", ""),
        author=values.get("author", ""),
        keywords=tuple(re.split(r"[,;]", values.get("keywords", ""))),
        created=parse_date(values.get("creation time", "")),
    )


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    stripped = (word.strip() for word in words)
    return tuple(dict.fromkeys(word for word in stripped if word))[:_MAX_KEYWORDS]


def _utf16(value: Any) -> Any:
    """Windows' own tags hold UTF-16 as bytes."""
    if isinstance(value, tuple):
        value = bytes(part & 0xFF for part in value if isinstance(part, int))
    return value.decode("utf-16-le", "replace") if isinstance(value, bytes) else value


def _user_comment(value: Any) -> str:
    if not isinstance(value, bytes) or len(value) <= 8:
        return ""
    kind, body = value[:8].rstrip(b"\x00 "), value[8:]
    if kind == b"UNICODE":
        return _clean(body.decode("utf-16-le" if body[1:2] == b"\x00" else "utf-16-be", "replace"))
    return _clean(body) if kind in (b"ASCII", b"") else ""


def _clean(value: Any) -> str:
    """One line of printable text; "" for anything that is no text or that a camera writes by itself."""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    printable = "".join(char if char.isprintable() else " " for char in value[:_MAX_TEXT].split("\x00")[0])
    text = " ".join(printable.split())
    return "" if _CAMERA_DEFAULT.fullmatch(text) else text
