"""Videos: segments with key frames, the text read in distinct frames, and subtitles, all with exact times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haystack_agent.errors import ReadFailed
from haystack_agent.media import types_of
from haystack_agent.records import AssetMeta, Locator, Modality, Piece, PieceKind, Span
from ingest.ocr.layout import Line, join_lines, split_passages, text_units
from ingest.pixels.colours import colour_shares, dominant
from ingest.readers.looks import look_of, packed, unpacked
from ingest.readers.protocol import Progress, ReadEvent, Seen, Source, Warned
from ingest.video.frame_text import LUMA_SIDE, FrameTextReader
from ingest.video.frames import FrameSource, clip_origin, open_container
from ingest.video.meta import video_meta
from ingest.video.opening import open_frames
from ingest.video.shots import FrameSample, Segment, make_segments, summarise
from ingest.video.subtitles import Cue, Subtitles, embedded_subtitles, read_subtitle_file, subtitle_files
from ingest.video.text_tracks import ShownText, follow, texts_between

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrEngine

MEDIA_TYPES = types_of(Modality.VIDEO)
READER_VERSION = 1

STEP = 0.25
"""Seconds between the frames that are looked at."""
MAX_SECONDS = 12 * 3600.0
_COLOUR_STEP = 1.0
_COLOUR_SIDE = 64
_LOOK_SIDES = 2
"""Longer side kept of a frame, in shorter sides of the look made of it."""
_LOOKS = 4
"""Pictures that stand for a segment, at most."""
_EVERY = 8
"""Samples between two signs of life."""
_MISSING = 2.0
"""Seconds (and a twentieth of the whole) that may lack at the end before a clip is called cut off."""
_TOUCH = 0.05
"""Seconds by which a cue must reach into a segment to belong to it."""
_LONG = 150
"""Size of a segment's text, in `text_units`, from which its passages are pieces of their own too."""


@dataclass(slots=True)
class _Watched:
    """What one pass over the frames gives."""

    samples: list[FrameSample] = field(default_factory=list)
    texts: list[ShownText] = field(default_factory=list)
    colours: list[tuple[float, NDArray[np.float64]]] = field(default_factory=list)
    looks: list[tuple[float, bytes]] = field(default_factory=list)
    """Small pictures, one a second, packed: an hour of them is some ten megabytes."""
    end: float = 0.0


class VideoReader:
    """Reads videos. Memory is bounded: a few frames, and about 1 KB for each second of the clip."""

    def __init__(self, ocr: OcrEngine) -> None:
        self._ocr = ocr

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Yield the segments of a video in order of time; see `Reader.read`.

        Raises:
            UnsupportedFile: there is no moving picture in it.
            EncryptedFile, ReadLimitExceeded, ReadFailed: it cannot be shown, is too large, or no frame decodes.
        """
        frames = open_frames(source.path, source.media_type)
        watched = _Watched()
        try:
            yield from self._watch(frames, watched, source.look)
            info = frames.info
        finally:
            frames.close()
        tracks: list[Subtitles] = []
        yield from _gather_subtitles(source, tracks)
        meta = video_meta(source.media_type, info, max(watched.end, info.duration or 0.0))
        yield from _pieces(source, watched, tracks, meta)

    def _watch(self, frames: FrameSource, watched: _Watched, look: int | None) -> Iterator[ReadEvent]:
        reader = FrameTextReader(self._ocr)
        total = max(1, int(min(MAX_SECONDS, frames.info.duration or 0.0) / STEP))
        for count, frame in enumerate(frames.sample(STEP), 1):
            if frame.time > MAX_SECONDS:
                yield Warned(f"the video is longer than {MAX_SECONDS / 3600:.0f} hours: the rest was not read")
                break
            luma = frame.luma(LUMA_SIDE)
            watched.samples.append(summarise(frame.time, luma))
            if not watched.colours or frame.time - watched.colours[-1][0] >= _COLOUR_STEP:
                watched.colours.append((frame.time, colour_shares(frame.image(_COLOUR_SIDE))))
                if look is not None:
                    watched.looks.append((frame.time, packed(frame.image(_LOOK_SIDES * look))))
            if reader.see(frame, luma) or count % _EVERY == 0:
                yield Progress(count, max(count, total))
        if not watched.samples:
            raise ReadFailed("no frame of this video can be decoded: damaged, or coded in an unknown way")
        watched.end = _end(frames, watched.samples[-1].time)
        watched.texts = follow(reader.finish(watched.end))
        yield Progress(max(len(watched.samples), total), max(len(watched.samples), total))
        yield from _complaints(frames, watched.end)


def _end(frames: FrameSource, last: float) -> float:
    """When the clip is over: the header's word, unless the frames end well before it or go on after it."""
    shown = max(last + 0.04, min(frames.end, MAX_SECONDS))
    length = min(frames.info.duration or 0.0, MAX_SECONDS)
    return length if shown < length <= shown + _MISSING + 0.05 * length else shown


def _complaints(frames: FrameSource, end: float) -> Iterator[Warned]:
    length = min(frames.info.duration or 0.0, MAX_SECONDS)
    if length > end + 0.01:
        yield Warned(f"the video is cut off: {end:.0f} of {length:.0f} seconds could be read")
    if frames.broken:
        yield Warned(f"{frames.broken} damaged places of the video could not be decoded")


def _gather_subtitles(source: Source, tracks: list[Subtitles]) -> Iterator[Warned]:
    for path in subtitle_files(source.path, source.siblings):
        try:
            tracks.append(read_subtitle_file(path, source.path))
        except ReadFailed as error:
            yield Warned(str(error))
    container = open_container(source.path, source.media_type)
    try:
        inside = list(embedded_subtitles(container, clip_origin(container))) if container.streams.subtitles else []
    finally:
        container.close()
    tracks.extend(track for track in inside if track.cues)
    for track in [*tracks, *(track for track in inside if not track.cues)]:
        if track.skipped > 0:
            yield Warned(f"{track.skipped} broken cues of the subtitles {track.name!r} were skipped")
        elif track.skipped < 0:
            yield Warned(f"the subtitles {track.name!r} are pictures, which are not read")


def _pieces(source: Source, watched: _Watched, tracks: Sequence[Subtitles], meta: AssetMeta) -> Iterator[ReadEvent]:
    """One SEGMENT each, and after it, where its text is long, PASSAGE pieces of the same stretch."""
    language = _language(watched.texts, tracks)
    index = 0
    for segment in make_segments(watched.samples, watched.end):
        lines, read = _lines(segment, watched.texts, tracks)
        parts = [lines]
        if sum(text_units(line.text) for line in lines) > _LONG:
            parts += split_passages(lines)
        yield from _seen(segment, watched.looks, source.look)
        before = 0
        for number, part in enumerate(parts):
            text, spans = join_lines(part)
            yield Piece(
                source.asset_id,
                PieceKind.PASSAGE if number else PieceKind.SEGMENT,
                Modality.VIDEO,
                index,
                Locator(start=round(segment.start, 3), end=round(segment.end, 3)),
                text,
                meta,
                language=language if text else None,
                spans=spans,
                ocr=before < read,
                key_frames=segment.key_frames,
                colours=_colours(segment, watched.colours),
            )
            before += len(part) if number else 0
            index += 1


def _seen(segment: Segment, looks: Sequence[tuple[float, bytes]], side: int | None) -> Iterator[Seen]:
    """What a segment looks like: at its key frames or, as near as was kept, beside them."""
    if side is None or not looks:
        return
    inside = [place for place, (time, _) in enumerate(looks) if segment.start <= time < segment.end]
    allowed = inside or [max(0, sum(time < segment.end for time, _ in looks) - 1)]
    nearest = [min(allowed, key=lambda place: abs(looks[place][0] - key)) for key in segment.key_frames]
    chosen = sorted(set(nearest or allowed[:1]))[:_LOOKS]
    yield Seen(tuple(look_of(unpacked(looks[place][1]), side) for place in chosen))


def _colours(segment: Segment, seen: Sequence[tuple[float, NDArray[np.float64]]]) -> tuple[str, ...]:
    """Dominant colours of a segment: of the frames seen in it or, where it is shorter than a step, before it."""
    inside = [shares for time, shares in seen if segment.start <= time < segment.end]
    before = [shares for time, shares in seen if time < segment.end][-1:]
    chosen = inside or before
    return dominant(np.mean(chosen, axis=0)) if chosen else ()


def _lines(segment: Segment, texts: Sequence[ShownText], tracks: Sequence[Subtitles]) -> tuple[list[Line], int]:
    """Lines of OCR, then cues, each in order of time; and how many of them are of OCR."""
    lines = [text.as_line() for text in texts_between(texts, segment.start, segment.end)]
    read = len(lines)
    told: set[str] = set()
    for track in tracks:
        cues = [cue for cue in track.cues if min(cue.end, segment.end) - max(cue.start, segment.start) >= _TOUCH]
        lines.extend(_cue_line(cue) for cue in cues if cue.text not in told)
        told.update(cue.text for cue in cues)
    return lines, read


def _cue_line(cue: Cue) -> Line:
    seconds = (round(cue.start, 3), round(cue.end, 3))
    return Line(cue.text, (Span(0, len(cue.text), seconds=seconds),), starts_block=True)


def _language(texts: Sequence[ShownText], tracks: Sequence[Subtitles]) -> str | None:
    """The language that all of the text is declared to be in."""
    declared = {track.language for track in tracks}
    return declared.pop() if len(declared) == 1 and not texts else None
