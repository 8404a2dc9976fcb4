"""What a video's container says about it: title, dates, place, camera."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from haystack_agent.records import AssetMeta
from ingest.video.frames import ClipInfo

_CREATED = ("com.apple.quicktime.creationdate", "creation_time", "date_recorded", "date", "date_digitized", "icrd")
_TITLE = ("title", "com.apple.quicktime.title", "inam")
_AUTHOR = ("artist", "author", "com.apple.quicktime.author", "director", "iart")
_CAPTION = ("description", "synopsis", "com.apple.quicktime.description", "comment", "com.apple.quicktime.comment")
_KEYWORDS = ("keywords", "com.apple.quicktime.keywords", "ikey")
_PLACE = ("location", "location-eng", "com.apple.quicktime.location.iso6709")
_MAKER = ("com.apple.quicktime.make", "make", "com.android.manufacturer")
_MODEL = ("com.apple.quicktime.model", "model", "com.android.model")
_ISO_6709 = re.compile(r"([+-]\d{2,7}(?:\.\d+)?)([+-]\d{3,8}(?:\.\d+)?)")
_LONGEST = 2000
_FIRST_YEAR = 1990
"""Years before are the zero of some clock (1904, 1970), not a date."""


def video_meta(media_type: str, info: ClipInfo, duration: float) -> AssetMeta:
    """The metadata of a clip that lasts `duration` seconds."""
    tags = info.tags
    maker, model = _first(tags, _MAKER), _first(tags, _MODEL)
    keywords = (word.strip() for word in re.split(r"[,;]", _first(tags, _KEYWORDS)))
    return AssetMeta(
        media_type,
        title=_first(tags, _TITLE),
        author=_first(tags, _AUTHOR),
        created=_created(tags),
        place=_place(_first(tags, _PLACE)),
        camera=model if model.startswith(maker) else f"{maker} {model}".strip(),
        caption=_first(tags, _CAPTION),
        keywords=tuple(word for word in keywords if word),
        width=info.width,
        height=info.height,
        duration=round(duration, 3),
    )


def _first(tags: Mapping[str, str], names: tuple[str, ...]) -> str:
    values = (" ".join(tags.get(name, "").split()) for name in names)
    return next((value[:_LONGEST] for value in values if value), "")


def _created(tags: Mapping[str, str]) -> datetime | None:
    for name in _CREATED:
        value = tags.get(name, "").strip()
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            continue
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        if when.year >= _FIRST_YEAR:
            return when
    return None


def _place(location: str) -> str:
    """Name of an ISO 6709 position such as ``+47.8000+013.0300/``; text that is no position is a name already."""
    match = _ISO_6709.match(location)
    if match is None:
        return location
    latitude, longitude = _degrees(match[1], 2), _degrees(match[2], 3)
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return ""
    from ingest.pixels.gazetteer import nearest_place

    return nearest_place(latitude, longitude)


def _degrees(text: str, digits: int) -> float:
    """Degrees from ``+DD.D``, ``+DDMM.M`` or ``+DDMMSS.S``, of which `digits` stand for whole degrees."""
    sign = -1.0 if text[0] == "-" else 1.0
    whole, _, part = text[1:].partition(".")
    if len(whole) <= digits + 1:
        return sign * float(f"{whole}.{part or 0}")
    minutes = float(
        f"{whole[digits : digits + 2]}.{part or 0}" if len(whole) <= digits + 2 else whole[digits : digits + 2]
    )
    seconds = float(f"{whole[digits + 2 :]}.{part or 0}") if len(whole) > digits + 2 else 0.0
    return sign * (float(whole[:digits]) + minutes / 60 + seconds / 3600)
