"""Subtitles as cues with times: files beside a video (.srt .vtt .ass .ssa) and text streams inside it."""

from __future__ import annotations

import html
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from haystack_agent.errors import ReadFailed, ReadLimitExceeded
from ingest.video.languages import language_code

SUFFIXES = frozenset({".srt", ".vtt", ".ass", ".ssa"})
MAX_BYTES = 8 << 20
MAX_CUES = 50_000
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,6}))?")
_ARROW = re.compile(r"^\s*(\S+)\s*-+>\s*(\S+)(?:\s.*)?$")
_MARKUP = re.compile(
    r"</?(?:[bius]|font|c|v|lang|ruby|rt|em|strong|span)(?:[.\s][^<>]*)?/?>|<\d[\d:.]*>", re.IGNORECASE
)
_OVERRIDE = re.compile(r"\{[^{}]*\\[^{}]*\}")
_SPACE = re.compile(r"[^\S\n]+")
_DRAWING = re.compile(r"\\p[1-9]")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words shown from `start` to `end`, seconds from the start of the video; lines are joined by a space."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Subtitles:
    """One set of cues in order of time; `skipped` counts those that were broken, of `name`."""

    name: str
    cues: tuple[Cue, ...]
    skipped: int = 0
    language: str | None = None
    """ISO 639-1, where the file's name or the stream declares it."""


def subtitle_files(video: Path, beside: Iterable[Path]) -> tuple[Path, ...]:
    """Those of the files `beside` a video that are its subtitles: its name, perhaps with a language added."""
    stem = video.stem.casefold()
    found = []
    for path in beside:
        base = path.stem.casefold()
        if (
            path.suffix.lower() in SUFFIXES
            and path.parent == video.parent
            and (
                base == stem
                or base.startswith((stem + ".", video.name.casefold() + "."))
                or base == video.name.casefold()
            )
        ):
            found.append(path)
    return tuple(sorted(found))


def read_subtitle_file(path: Path, video: Path) -> Subtitles:
    """The cues of a file beside `video`.

    Raises:
        ReadFailed: it is no regular file, too large, or holds no cue.
    """
    text = _decode(_read_small(path), path.name)
    parse = {".srt": parse_srt, ".vtt": parse_vtt}.get(path.suffix.lower(), parse_ass)
    cues, skipped = parse(text)
    if not cues:
        raise ReadFailed(f"no cue could be read in the subtitles {path.name!r}; check the file's format")
    tag = path.stem.removeprefix(video.name).removeprefix(video.stem).strip(".").split(".")[0]
    return Subtitles(path.name, cues, skipped, language_code(tag))


def parse_srt(text: str) -> tuple[tuple[Cue, ...], int]:
    """Cues of SubRip text, and how many were broken."""
    return _collect(_timed_blocks(text), _plain)


def parse_vtt(text: str) -> tuple[tuple[Cue, ...], int]:
    """Cues of WebVTT text, and how many were broken; notes, styles and regions are left out."""
    blocks = re.split(r"\n[^\S\n]*\n", _lines(text))
    kept = [block for block in blocks if not re.match(r"\s*(?:NOTE|STYLE|REGION)\b", block)]
    return _collect(_timed_blocks("\n\n".join(kept)), _plain)


def parse_ass(text: str) -> tuple[tuple[Cue, ...], int]:
    """Cues of (Advanced) SubStation Alpha text, and how many were broken; drawings and comments are left out."""
    return _collect(_dialogues(_lines(text)), plain_ass)


def embedded_subtitles(container: Any, origin: float) -> Iterator[Subtitles]:
    """The text subtitle streams of an open PyAV container; `origin` is the start of the video on its clock.

    A stream of pictures or of a coding not known comes with no cue and `skipped` = -1.
    """
    import av

    rows: dict[int, list[tuple[float, float, str]]] = {s.index: [] for s in container.streams.subtitles}
    broken = dict.fromkeys(rows, 0)
    for packet in _packets(container):
        if packet.pts is None or not packet.size:
            continue
        start = float(packet.pts * packet.time_base) - origin
        try:
            rows[packet.stream.index].extend(_decoded(packet, start))
        except (av.error.FFmpegError, UnicodeDecodeError):
            broken[packet.stream.index] += 1
    for stream in container.streams.subtitles:
        cues, bad = _collect(rows[stream.index], plain_ass)
        unread = -1 if not cues and _is_picture(stream) else bad + broken[stream.index]
        name = stream.metadata.get("title") or f"subtitle stream {stream.index}"
        yield Subtitles(name, cues, unread, language_code(stream.language or ""))


def plain_ass(text: str) -> str:
    """The words of an ASS text field: override tags (also karaoke) and drawings taken out."""
    if any(_DRAWING.search(tag) for tag in _OVERRIDE.findall(text)):
        return ""
    return _plain(text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " "))


def _plain(text: str) -> str:
    words = html.unescape(_MARKUP.sub("", _OVERRIDE.sub("", text))).replace("\u200e", "").replace("\u200f", "")
    return " ".join(_SPACE.sub(" ", line).strip() for line in words.split("\n") if line.strip())


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").lstrip("\ufeff")


def _collect(
    rows: Iterable[tuple[float, float, str] | None], plain: Callable[[str], str]
) -> tuple[tuple[Cue, ...], int]:
    cues: dict[tuple[float, str], Cue] = {}
    skipped = 0
    for row in rows:
        if row is None or not 0 <= row[0] < row[1] or len(cues) >= MAX_CUES:
            skipped += 1
            continue
        text = plain(row[2])
        if text:
            cue = Cue(row[0], row[1], text)
            cues.setdefault((cue.start, text), cue)  # layers of one line (outline, shadow) repeat its text
    return _joined(sorted(cues.values(), key=lambda cue: (cue.start, cue.end))), skipped


def _joined(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """One cue where the same words go on without a break (roll-up captions, frame-wise effects)."""
    out: list[Cue] = []
    for cue in cues:
        if out and out[-1].text == cue.text and cue.start - out[-1].end < 0.1:
            out[-1] = replace(out[-1], end=max(cue.end, out[-1].end))
        else:
            out.append(cue)
    return tuple(out)


def _timed_blocks(text: str) -> Iterator[tuple[float, float, str] | None]:
    """Blocks `from --> to` and the lines below; None for a block whose times cannot be read."""
    times: tuple[float, float] | None = None
    body: list[str] = []
    open_block = False
    for line in [*_lines(text).split("\n"), "0 --> 0"]:
        arrow = _ARROW.match(line) if "->" in line else None
        if arrow is None:
            body.append(line)
            continue
        if open_block:
            yield (*times, _body(body)) if times else None
        start, end = _seconds(arrow[1]), _seconds(arrow[2])
        times = (start, end) if start is not None and end is not None else None
        body, open_block = [], True


def _body(lines: list[str]) -> str:
    """The text up to the first empty line, without the number of the next block."""
    text: list[str] = []
    for line in lines:
        if not line.strip():
            if text:
                break
            continue
        text.append(line)
    else:
        if len(text) > 1 and text[-1].strip().isdigit():
            text.pop()
    return "\n".join(text)


def _seconds(clock: str) -> float | None:
    match = _CLOCK.fullmatch(clock)
    if match is None:
        return None
    hours, minutes, seconds, part = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{part or 0}")


def _dialogues(text: str) -> Iterator[tuple[float, float, str] | None]:
    columns = ["start", "end", "text"]
    in_events = False
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        if line.startswith("["):
            in_events = line.strip().lower() == "[events]"
        elif in_events and name.strip().lower() == "format":
            columns = [column.strip().lower() for column in value.split(",")]
        elif in_events and name.strip().lower() == "dialogue":
            fields = dict(zip(columns, value.strip().split(",", len(columns) - 1), strict=False))
            start, end = (_seconds(fields.get(key, "").strip()) for key in ("start", "end"))
            complete = start is not None and end is not None and "text" in fields
            yield (start, end, fields["text"]) if complete and start is not None and end is not None else None


def _packets(container: Any) -> Iterator[Any]:
    import av

    try:
        yield from container.demux(*container.streams.subtitles)
    except av.error.FFmpegError:
        return  # the file ends early: what came is used, and the frames' reader says so


def _decoded(packet: Any, start: float) -> Iterator[tuple[float, float, str]]:
    decoded = packet.stream.codec_context.decode2(packet)
    if decoded is None:
        return
    length = float(packet.duration * packet.time_base) if packet.duration else decoded.end_display_time / 1000
    for rect in decoded.rects:
        if rect.type == b"ass":
            yield start, start + length, rect.ass.decode("utf-8", "replace").split(",", 8)[-1]


def _is_picture(stream: Any) -> bool:
    return stream.codec_context is None or stream.codec_context.name in {"dvdsub", "dvbsub", "pgssub", "xsub"}


def _read_small(path: Path) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise ReadFailed(f"the subtitles {path.name!r} cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ReadFailed(f"the subtitles {path.name!r} are not a regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ReadLimitExceeded(f"the subtitles {path.name!r} are larger than {MAX_BYTES >> 20} MB")
    return data


def _decode(data: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    from charset_normalizer import from_bytes

    best = from_bytes(data[: 1 << 18]).best()
    if best is None:
        raise ReadFailed(f"the encoding of the subtitles {name!r} cannot be told; save them as UTF-8")
    return data.decode(best.encoding, "replace")
