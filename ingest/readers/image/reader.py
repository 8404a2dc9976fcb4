"""Pictures to pieces: one for the picture (or each page of it) with all text read in it, and passages of long texts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from haystack_agent.errors import ReadFailed, ReadLimitExceeded
from haystack_agent.records import AssetMeta, Locator, Modality, Piece, PieceKind
from ingest.files.hashing import open_regular
from ingest.ocr.layout import Line, join_lines, line_boxes, split_passages
from ingest.ocr.recognition import OcrEngine, lines_of
from ingest.pixels.colours import colour_shares, dominant
from ingest.pixels.pictures import (
    MEDIA_TYPES,
    check_pixels,
    decoding,
    is_reduced_page,
    open_picture,
    orientation,
    to_rgb,
    turned,
)
from ingest.readers.image.exif import PictureMeta, picture_meta
from ingest.readers.looks import seen
from ingest.readers.protocol import Progress, ReadEvent, Source, Warned

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["MEDIA_TYPES", "READER_VERSION", "ImageReader"]

READER_VERSION = 1
_MAX_PAGES = 1000
_TEXT_SIDE = 32
"""Pixels of the longer side under which no text is looked for."""
_DRAFT_SIDE = 4000
"""Pixels of the longer side that a JPEG is decoded to at least: halves and quarters are decoded much faster."""
_ANIMATED = frozenset(("gif", "webp", "png", "avif"))


@dataclass(frozen=True, slots=True)
class _Page:
    """A decoded page: `number` is `None` where the picture has but one."""

    number: int | None
    picture: Image


class ImageReader:
    """Reads pictures; see `ingest.readers.protocol.Reader`."""

    def __init__(self, ocr: OcrEngine) -> None:
        self._ocr = ocr

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """One IMAGE piece per picture or TIFF page, PASSAGE pieces after it where its text is long.

        Raises:
            ReadFailed: nothing of it can be decoded.
            ReadLimitExceeded: too many pixels.
        """
        with _opened(source) as stream:
            image = open_picture(stream, source.media_type)
            with decoding():
                pages = _page_numbers(image, source.media_type)
                about = picture_meta(image)
            meta = _asset_meta(source.media_type, about, image, len(pages))
            yield Progress(0, len(pages))
            yield from _notes(image, source.media_type, len(pages))
            index = failed = 0
            for done, frame in enumerate(pages, 1):
                try:
                    picture, warning = _decoded(image, frame, stream, source.media_type)
                except ReadFailed as error:
                    if len(pages) == 1 or isinstance(error, ReadLimitExceeded):
                        raise
                    failed += 1
                    yield Warned(f"page {frame + 1}: {error}")
                    continue
                if warning:
                    yield Warned(warning)
                page = _Page(frame + 1 if len(pages) > 1 else None, picture)
                yield from seen(source, picture)
                for piece in self._pieces(page, source.asset_id, meta, index):
                    yield piece
                    index += 1
                yield Progress(done, len(pages))
            if failed == len(pages):
                raise ReadFailed("No page of the picture can be decoded: the file may be damaged")

    def _pieces(self, page: _Page, asset_id: str, meta: AssetMeta, index: int) -> Iterator[Piece]:
        lines = lines_of(self._ocr.read(page.picture)) if max(page.picture.size) >= _TEXT_SIDE else []
        text, spans = join_lines(lines)
        place = Locator(page=page.number)
        colours = dominant(colour_shares(page.picture))
        yield Piece(
            asset_id,
            PieceKind.IMAGE,
            Modality.IMAGE,
            index,
            place,
            text,
            meta,
            spans=spans,
            ocr=bool(text),
            colours=colours,
        )
        passages = split_passages(lines)
        if len(passages) > 1:
            for number, passage in enumerate(passages, index + 1):
                yield _passage(passage, page.number, asset_id, meta, number)


def _passage(lines: list[Line], page: int | None, asset_id: str, meta: AssetMeta, index: int) -> Piece:
    text, spans = join_lines(lines)
    place = Locator(page=page, boxes=line_boxes(lines))
    return Piece(asset_id, PieceKind.PASSAGE, Modality.IMAGE, index, place, text, meta, spans=spans, ocr=True)


def _opened(source: Source) -> BinaryIO:
    try:
        return open_regular(source.path)
    except OSError as error:
        raise ReadFailed(f"The file cannot be opened: {os.strerror(error.errno or 0)}") from error


def _page_numbers(image: ImageFile, media_type: str) -> list[int]:
    """The frames that are pages: those of a TIFF, else the first only."""
    if media_type != "tiff":
        return [0]
    pages = []
    for frame in range(min(_MAX_PAGES, getattr(image, "n_frames", 1))):
        image.seek(frame)
        if frame == 0 or not is_reduced_page(image):
            pages.append(frame)
    image.seek(0)
    return pages


def _asset_meta(media_type: str, about: PictureMeta, image: ImageFile, pages: int) -> AssetMeta:
    swapped = orientation(image) >= 5
    width, height = (image.height, image.width) if swapped else image.size
    return AssetMeta(
        media_type=media_type,
        title=about.title,
        author=about.author,
        created=about.created,
        place=about.place,
        camera=about.camera,
        caption=about.caption,
        keywords=about.keywords,
        pages=pages if pages > 1 else None,
        width=width,
        height=height,
    )


def _notes(image: ImageFile, media_type: str, pages: int) -> Iterator[Warned]:
    frames = getattr(image, "n_frames", 1)
    if media_type in _ANIMATED and frames > 1:
        yield Warned(f"animated: only the first of {frames} frames was read")
    if pages >= _MAX_PAGES and frames > pages:
        yield Warned(f"only the first {pages} of {frames} pages were read")


def _decoded(image: ImageFile, frame: int, stream: BinaryIO, media_type: str) -> tuple[Image, str]:
    """A page as RGB and upright, and a warning where not all of it could be decoded."""
    try:
        return _upright(image, frame), ""
    except ReadLimitExceeded:
        raise
    except ReadFailed:
        stream.seek(0)
        picture = _rescued(stream, frame, media_type)
        if picture is None:
            raise
        return picture, "damaged: only a part of the picture could be read"


def _upright(image: ImageFile, frame: int) -> Image:
    with decoding():
        if frame:
            image.seek(frame)
        check_pixels(image)
        turn = orientation(image)
        if image.format == "JPEG" and min(image.size) > 0:
            image.draft(None, _draft_size(image.size))
        image.load()
        return turned(to_rgb(image), turn)


def _draft_size(size: tuple[int, int]) -> tuple[int, int]:
    """A size in proportion whose longer side is `_DRAFT_SIDE` where the picture is larger."""
    scale = min(1.0, _DRAFT_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _rescued(stream: BinaryIO, frame: int, media_type: str) -> Image | None:
    """What can be decoded of a truncated picture; `None` where that is nothing but one colour."""
    from PIL import ImageFile as PilImageFile

    before = PilImageFile.LOAD_TRUNCATED_IMAGES
    PilImageFile.LOAD_TRUNCATED_IMAGES = True  # Pillow has no argument for it
    try:
        picture = _upright(open_picture(stream, media_type), frame)
    except ReadFailed:
        return None
    finally:
        PilImageFile.LOAD_TRUNCATED_IMAGES = before
    extrema = picture.getextrema()
    return picture if any(low != high for low, high in extrema) else None  # type: ignore[misc]
