"""What a search finds: decoded only as far as it is looked at, since most hits are ranked and never shown."""

from __future__ import annotations

from dataclasses import dataclass

from haystack_agent.errors import IndexDamaged
from haystack_agent.records import Modality, PieceKind
from haystack_agent.store import packing
from haystack_agent.store.schema import Field, Payload, from_payload
from haystack_agent.store.values import IndexedPiece


@dataclass(frozen=True, slots=True)
class Header:
    """What ranking needs to know of a stored piece."""

    asset_id: str
    modality: Modality
    kind: PieceKind
    index: int
    page: int | None
    start: float | None
    has_text: bool


class Hit:
    """A stored piece found by one vector; `id` is its `Piece.id`."""

    __slots__ = ("_indexed", "_payload", "glance", "id", "score")

    def __init__(self, identity: str, score: float, payload: Payload) -> None:
        """Take a point's payload as it was written by `to_payload`.

        Raises:
            IndexDamaged: a field is missing or malformed.
        """
        self.id = identity
        self.score = score
        self.glance = _glance(payload)
        self._payload = payload
        self._indexed: IndexedPiece | None = None

    @property
    def indexed(self) -> IndexedPiece:
        """The whole piece, without vectors.

        Raises:
            IndexDamaged: a field is missing or malformed.
        """
        if self._indexed is None:
            self._indexed = from_payload(self._payload)
        return self._indexed


_MODALITIES = {modality.value: modality for modality in Modality}
_KINDS = {kind.value: kind for kind in PieceKind}


def _glance(payload: Payload) -> Header:
    try:
        return Header(
            packing.unescape(payload[Field.ASSET]),
            _MODALITIES[payload[Field.MODALITY]],
            _KINDS[payload[Field.KIND]],
            payload["index"],
            payload.get("page"),
            packing.unpack_number(payload.get("start")),
            bool(payload.get("text", "").strip()),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise IndexDamaged(packing.DAMAGED) from error
