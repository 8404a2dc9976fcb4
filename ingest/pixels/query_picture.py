"""A picture that somebody searches with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.errors import ReadFailed, UnsupportedFile, UsageError
from ingest.files.hashing import open_regular
from ingest.files.sniff import HEAD_BYTES, sniff
from ingest.pixels.pictures import MEDIA_TYPES, decoding, open_picture, orientation, to_rgb, turned
from ingest.workers.quiet import quiet

if TYPE_CHECKING:
    from PIL.Image import Image


def load_picture(path: Path) -> Image:
    """The picture as RGB and upright.

    Raises:
        UsageError: it is not there, or not a picture that can be decoded.
    """
    try:
        with quiet():
            return decode_picture(path)
    except OSError as error:
        raise UsageError(f"{path.name!r} cannot be opened: {error.strerror}") from error
    except ReadFailed as error:
        raise UsageError(f"{path.name!r}: {error}") from error


def decode_picture(path: Path, side: int | None = None) -> Image:
    """The same, for readers; where `side` is given, a JPEG may come smaller, at least twice `side` either way.

    Raises:
        ReadFailed: it is not a picture, or cannot be decoded.
        OSError: it cannot be opened.
    """
    with open_regular(path) as stream:
        media_type = sniff(path, stream.read(HEAD_BYTES))
        if media_type not in MEDIA_TYPES:
            raise UnsupportedFile("is not a picture: name a JPEG, PNG, HEIC or other picture file")
        stream.seek(0)
        image = open_picture(stream, media_type)
        with decoding():
            if side is not None:
                image.draft("RGB", (2 * side, 2 * side))  # decodes a part of the frequencies only, several times faster
            image.load()
            return turned(to_rgb(image), orientation(image))
