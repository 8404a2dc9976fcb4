"""Compact, reversible forms of what a payload cannot hold as it is: odd strings, boxes, spans and exact times."""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from haystack_agent.errors import IndexDamaged
from haystack_agent.records import Box, Span

if TYPE_CHECKING:
    import numpy.typing as npt

FIXED_POINT = 65535
"""Coordinates are stored in steps of 1/65535."""
DAMAGED = "A stored piece cannot be decoded: remove the index and index again."

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ESCAPE = re.compile("\0([0-9a-f]{4})")
_HAS_BOX, _HAS_SECONDS = 1, 2


def escape(text: str) -> str:
    """Make a string valid UTF-8: lone surrogates (undecodable bytes of a path) and NUL become NUL and four digits."""
    return _UNSTORABLE.sub(lambda match: f"\0{ord(match[0]):04x}", text)


def unescape(text: str) -> str:
    """Undo `escape`."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "\0" in text else text


def pack_number(number: float | None) -> str | None:
    """Write a number so that it comes back exact, and an integer as an integer: JSON on its way may round."""
    return None if number is None else str(number)


def unpack_number(text: str | None) -> float | None:
    """Undo `pack_number`."""
    if text is None:
        return None
    return int(text) if text.lstrip("-").isdigit() else float(text)


def pack_times(times: Sequence[float]) -> str:
    """Pack times exactly (as 64-bit floats)."""
    return _encode(np.asarray(times, "<f8").tobytes())


def unpack_times(packed: str) -> tuple[float, ...]:
    """Undo `pack_times`."""
    return tuple(np.frombuffer(_decode(packed), "<f8").tolist())


def pack_boxes(boxes: Iterable[Box]) -> str:
    """Pack boxes in fixed point; coordinates outside of 0..1 are moved to the border."""
    return _encode(_fixed(boxes).tobytes())


def unpack_boxes(packed: str) -> tuple[Box, ...]:
    """Undo `pack_boxes`, but for rounding to the nearest step of 1/65535."""
    raw = _decode(packed)
    # Mostly one box or a few: an array would take longer to make than to read.
    corners = [corner / FIXED_POINT for corner in struct.unpack(f"<{len(raw) // 2}H", raw)]
    return tuple(Box(*corners[first : first + 4]) for first in range(0, len(corners), 4))


def pack_spans(spans: Sequence[Span]) -> str:
    """Pack spans column by column: offsets as uint32, boxes in fixed point, seconds as float32."""
    boxes = [span.box for span in spans if span.box is not None]
    seconds = [span.seconds for span in spans if span.seconds is not None]
    flags = [_HAS_BOX * (span.box is not None) | _HAS_SECONDS * (span.seconds is not None) for span in spans]
    columns = (
        struct.pack("<I", len(spans)),
        np.asarray(flags, "u1").tobytes(),
        np.asarray([span.start for span in spans], "<u4").tobytes(),
        np.asarray([span.end for span in spans], "<u4").tobytes(),
        _fixed(boxes).tobytes(),
        np.asarray(seconds, "<f4").tobytes(),
    )
    return _encode(zlib.compress(b"".join(columns), 1))


def unpack_spans(packed: str) -> tuple[Span, ...]:
    """Undo `pack_spans`.

    Raises:
        IndexDamaged: the string was not made by `pack_spans`.
    """
    try:
        raw = zlib.decompress(_decode(packed))
        (count,) = struct.unpack_from("<I", raw)
        flags = np.frombuffer(raw, np.uint8, count, 4)
        starts, ends = np.frombuffer(raw, "<u4", 2 * count, 4 + count).reshape(2, -1).tolist()
        boxed = int(np.count_nonzero(flags & _HAS_BOX))
        place = 4 + 9 * count
        boxes = _boxes(np.frombuffer(raw, "<u2", 4 * boxed, place))
        times = iter(np.frombuffer(raw, "<f4", -1, place + 8 * boxed).reshape(-1, 2).tolist())
        return tuple(
            Span(start, end, next(boxes) if flag & _HAS_BOX else None, _pair(times) if flag & _HAS_SECONDS else None)
            for start, end, flag in zip(starts, ends, flags.tolist(), strict=True)
        )
    except (ValueError, struct.error, zlib.error, RuntimeError) as error:
        raise IndexDamaged(DAMAGED) from error


class PackedSpans(Sequence[Span]):
    """The spans of a stored piece, unpacked when first looked at: most hits of a search never are.

    Equal to, and pickled as, the tuple of the spans.
    """

    __slots__ = ("_packed", "_spans")

    def __init__(self, packed: str) -> None:
        self._packed = packed
        self._spans: tuple[Span, ...] | None = None

    def _all(self) -> tuple[Span, ...]:
        if self._spans is None:
            self._spans = unpack_spans(self._packed)
        return self._spans

    @overload
    def __getitem__(self, place: int) -> Span: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Span, ...]: ...
    def __getitem__(self, place: int | slice) -> Span | tuple[Span, ...]:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Span]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, PackedSpans) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[type[tuple[Span, ...]], tuple[tuple[Span, ...]]]:
        return tuple, (self._all(),)


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _decode(packed: str) -> bytes:
    return binascii.a2b_base64(packed, strict_mode=True)


def _fixed(boxes: Iterable[Box]) -> npt.NDArray[Any]:
    corners = np.asarray([(box.x0, box.y0, box.x1, box.y1) for box in boxes], np.float64)
    return np.rint(np.clip(corners, 0.0, 1.0) * FIXED_POINT).astype("<u2")


def _boxes(corners: npt.NDArray[Any]) -> Iterator[Box]:
    return (Box(*row) for row in (corners.reshape(-1, 4) / FIXED_POINT).tolist())


def _pair(times: Iterator[list[float]]) -> tuple[float, float]:
    start, end = next(times)
    return start, end
