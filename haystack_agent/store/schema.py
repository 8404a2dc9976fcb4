"""How a piece is written as a point, and filters as conditions on the point's fields: the same in every store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any, cast

from haystack_agent.errors import IndexDamaged, IndexMismatch
from haystack_agent.records import AssetMeta, Filters, Locator, Modality, Piece, PieceKind, Span
from haystack_agent.store import packing
from haystack_agent.store.packing import escape, unescape
from haystack_agent.store.values import IndexedPiece, StoreSchema

Payload = dict[str, Any]
"""JSON-like fields of a point; no booleans, which cannot be matched in the embedded store."""


class Field(StrEnum):
    """Payload fields that are searched by, each with an index in the store."""

    ASSET = "asset"
    MODALITY = "modality"
    TYPE = "type"
    LANGUAGE = "language"
    KIND = "kind"
    FOLDERS = "folders"
    """Every folder above every path."""
    DAY = "day"
    """Proleptic Gregorian ordinal of the day the content was made or, where not known, the file was changed."""


KEYWORD_FIELDS = (Field.ASSET, Field.MODALITY, Field.TYPE, Field.LANGUAGE, Field.KIND, Field.FOLDERS)
INTEGER_FIELDS = (Field.DAY,)
DERIVED_FIELDS = (Field.FOLDERS, Field.DAY)
"""Fields made for filters only: not needed to read a piece back."""

_META_TEXTS = ("title", "author", "place", "camera", "caption")
_META_COUNTS = ("pages", "width", "height")


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field, or one of its elements, equals one of the values."""

    field: Field
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The field lies within inclusive bounds; ``None`` leaves a side open."""

    field: Field
    low: int | None
    high: int | None


Condition = AnyOf | Between


def check_vectors(place: str, stored: dict[str, int], schema: StoreSchema) -> None:
    """Raise `IndexMismatch` unless the lengths of the dense vectors stored at `place` are those of `schema`."""
    wanted = {name.value: size for name, size in schema.dense}
    if stored != wanted:
        raise IndexMismatch(
            f"The index {place} holds {_say(stored)}, this profile makes {_say(wanted)}: "
            "use the profile it was made with, or index into a new index."
        )


def _say(sizes: dict[str, int]) -> str:
    vectors = ", ".join(f"{name} of length {size}" for name, size in sorted(sizes.items()))
    return f"vectors {vectors}" if vectors else "no dense vectors"


def conditions_of(filters: Filters) -> tuple[Condition, ...]:
    """Say the filters as conditions that must all hold."""
    wanted: tuple[tuple[Field, list[str]], ...] = (
        (Field.MODALITY, [modality.value for modality in filters.modalities]),
        (Field.FOLDERS, [str(PurePath(folder)) for folder in filters.folders]),
        (Field.TYPE, list(filters.types)),
        (Field.LANGUAGE, list(filters.languages)),
        (Field.KIND, [kind.value for kind in filters.kinds]),
    )
    conditions: list[Condition] = [
        AnyOf(field, tuple(sorted(escape(value) for value in values))) for field, values in wanted if values
    ]
    if filters.after is not None or filters.before is not None:
        conditions.append(Between(Field.DAY, _day(filters.after), _day(filters.before)))
    return tuple(conditions)


def to_payload(indexed: IndexedPiece) -> Payload:
    """Everything of a stored piece but its vectors; fields that say nothing are left out."""
    piece, place = indexed.piece, indexed.piece.locator
    payload: Payload = {
        Field.ASSET.value: escape(piece.asset_id),
        Field.KIND.value: piece.kind.value,
        Field.MODALITY.value: piece.modality.value,
        "index": int(piece.index),
        "page": None if place.page is None else int(place.page),
        "start": packing.pack_number(place.start),
        "end": packing.pack_number(place.end),
        "boxes": packing.pack_boxes(place.boxes) if place.boxes else None,
        "text": escape(piece.text),
        "heading": escape(piece.heading),
        "spans": packing.pack_spans(piece.spans) if piece.spans else None,
        "ocr": int(piece.ocr),
        "key_frames": packing.pack_times(piece.key_frames) if piece.key_frames else None,
        "colours": [escape(colour) for colour in piece.colours],
        "paths": [escape(path) for path in indexed.paths],
        "modified": indexed.modified.isoformat(),
        Field.FOLDERS.value: [escape(folder) for folder in _folders(indexed.paths)],
        Field.DAY.value: _day(piece.meta.created or indexed.modified),
    }
    payload.update(_meta_payload(piece.meta))
    payload = {name: value for name, value in payload.items() if value not in (None, "", [])}
    if piece.language is not None:
        payload[Field.LANGUAGE.value] = escape(piece.language)
    return payload


def from_payload(payload: Payload) -> IndexedPiece:
    """Undo `to_payload`, without vectors; `Piece.spans` are unpacked when first looked at.

    Raises:
        IndexDamaged: a field is missing or malformed.
    """
    try:
        return _from_payload(payload)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise IndexDamaged(packing.DAMAGED) from error


def _from_payload(payload: Payload) -> IndexedPiece:
    read = payload.get
    language, boxes, frames, spans = read(Field.LANGUAGE), read("boxes"), read("key_frames"), read("spans")
    piece = Piece(
        asset_id=unescape(payload[Field.ASSET]),
        kind=PieceKind(payload[Field.KIND]),
        modality=Modality(payload[Field.MODALITY]),
        index=payload["index"],
        locator=Locator(
            page=read("page"),
            boxes=packing.unpack_boxes(boxes) if boxes else (),
            start=packing.unpack_number(read("start")),
            end=packing.unpack_number(read("end")),
        ),
        text=unescape(read("text", "")),
        meta=_meta(payload),
        heading=unescape(read("heading", "")),
        language=None if language is None else unescape(language),
        spans=cast("tuple[Span, ...]", packing.PackedSpans(spans)) if spans else (),
        ocr=bool(payload["ocr"]),
        key_frames=packing.unpack_times(frames) if frames else (),
        colours=tuple(unescape(colour) for colour in read("colours", ())),
    )
    paths = tuple(unescape(path) for path in read("paths", ()))
    return IndexedPiece(piece, paths, datetime.fromisoformat(payload["modified"]))


def _meta_payload(meta: AssetMeta) -> Payload:
    payload: Payload = {Field.TYPE.value: escape(meta.media_type)}
    payload.update({name: escape(getattr(meta, name)) for name in _META_TEXTS})
    counts = {name: getattr(meta, name) for name in _META_COUNTS}
    payload.update({name: None if count is None else int(count) for name, count in counts.items()})
    payload["created"] = meta.created.isoformat() if meta.created else None
    payload["keywords"] = [escape(keyword) for keyword in meta.keywords]
    payload["duration"] = packing.pack_number(meta.duration)
    return payload


def _meta(payload: Payload) -> AssetMeta:
    read = payload.get
    created = read("created")
    return AssetMeta(
        media_type=unescape(read(Field.TYPE, "")),
        title=unescape(read("title", "")),
        author=unescape(read("author", "")),
        created=datetime.fromisoformat(created) if created else None,
        place=unescape(read("place", "")),
        camera=unescape(read("camera", "")),
        caption=unescape(read("caption", "")),
        keywords=tuple(unescape(keyword) for keyword in read("keywords", ())),
        pages=read("pages"),
        width=read("width"),
        height=read("height"),
        duration=packing.unpack_number(read("duration")),
    )


def _folders(paths: tuple[str, ...]) -> list[str]:
    folders = (str(folder) for path in paths for folder in PurePath(path).parents)
    return list(dict.fromkeys(folders))


def _day(moment: datetime | None) -> int | None:
    """The calendar day as it is written in the moment's own time zone: what a person would call its date."""
    return None if moment is None else moment.date().toordinal()
