"""Videos: exact times, text on screen for a second, rotation, odd containers, damaged files; clips made by script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from haystack_agent.errors import ReadFailed, ReadLimitExceeded, UnsupportedFile
from haystack_agent.records import Modality, Piece, PieceKind
from ingest.ocr.recognition import OcrEngine
from ingest.readers.protocol import Progress, ReadEvent, Source, Warned
from ingest.readers.video import MEDIA_TYPES, VideoReader
from ingest.video.cells import changed_cells
from ingest.video.decord_frames import DecordFrames, decord_installed
from ingest.video.opening import open_frames, render_frame
from ingest.video.pyav_frames import PyAVFrames
from tests.support.paths import SHARED

MEDIA = SHARED / "real_media"
needs_decord = pytest.mark.skipif(not decord_installed(), reason="decord has no wheel here")
Painter = Callable[[float], Image.Image]
FIXED_RATE = {"mpeg2video", "mpeg4", "flv", "wmv2"}


def card(text: str, size: tuple[int, int] = (640, 360), paper: str = "white") -> Image.Image:
    picture = Image.new("RGB", size, paper)
    font = ImageFont.load_default(size=size[1] // 9)
    ImageDraw.Draw(picture).text((size[0] / 2, size[1] / 2), text, fill="black", font=font, anchor="mm")
    return picture


def corners(_: float = 0.0) -> Image.Image:
    """Red at the top left, green at the top right, blue at the bottom left, white elsewhere."""
    picture = Image.new("RGB", (160, 96), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 79, 47), fill="red")
    draw.rectangle((80, 0, 159, 47), fill=(0, 255, 0))
    draw.rectangle((0, 48, 79, 95), fill="blue")
    return picture


def corner_names(picture: Image.Image) -> list[str]:
    """Colours at top left, top right, bottom left, bottom right."""
    width, height = picture.size
    names = []
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        value = picture.getpixel((int(x * width), int(y * height)))
        assert isinstance(value, tuple)
        names.append("".join(name for name, part in zip("rgb", value, strict=True) if part > 127))
    return names


def every(step: float, end: float) -> list[float]:
    return [round(index * step, 6) for index in range(round(end / step))]


def write_clip(
    path: Path,
    paint: Painter,
    times: Sequence[float],
    codec: str = "libx264",
    *,
    prepare: Callable[[av.VideoStream], object] = lambda _: None,
    tags: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A clip with a frame at each of `times` (seconds, in order), in the container that the suffix names."""
    tick = Fraction(1, 25) if codec in FIXED_RATE else Fraction(1, 1000)
    with av.open(str(path), "w", options=options or {}) as output:
        output.metadata.update(tags or {})
        stream = cast("av.VideoStream", output.add_stream(codec, rate=25))
        stream.width, stream.height = paint(times[0]).size
        stream.pix_fmt, stream.bit_rate = "yuv420p", 3_000_000
        stream.codec_context.time_base = tick
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "g": "25"}
        prepare(stream)
        for time in times:
            frame = av.VideoFrame.from_ndarray(np.asarray(paint(time)))
            frame.pts, frame.time_base = round(time / tick), tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def reader() -> VideoReader:
    return VideoReader(OcrEngine())


def read(reader: VideoReader, path: Path, siblings: tuple[Path, ...] = ()) -> tuple[list[Piece], list[str]]:
    events: list[ReadEvent] = list(reader.read(Source(path, "asset", path.suffix[1:], siblings)))
    assert any(isinstance(event, Progress) for event in events)
    warnings = [event.message for event in events if isinstance(event, Warned)]
    return [event for event in events if isinstance(event, Piece)], warnings


def check_pieces(pieces: list[Piece], end: float) -> None:
    """What holds for the pieces of every clip that lasts `end` seconds."""
    assert [piece.index for piece in pieces] == list(range(len(pieces)))
    segments = [piece for piece in pieces if piece.kind is PieceKind.SEGMENT]
    places = [(piece.locator.start, piece.locator.end) for piece in segments]
    assert places[0][0] == 0.0
    assert places[-1][1] == pytest.approx(end, abs=0.1)
    assert all(one[1] == two[0] for one, two in pairwise(places))
    for piece in pieces:
        assert piece.modality is Modality.VIDEO
        assert piece.locator.start is not None
        assert piece.locator.end is not None
        for span in piece.spans:
            assert piece.text[span.start : span.end].strip()
            assert span.seconds is not None
            assert span.seconds[0] < piece.locator.end
            assert span.seconds[1] > piece.locator.start


def shown(pieces: list[Piece], words: str) -> Iterator[tuple[float, float]]:
    """Seconds of every place at which `words` stand in a segment, from the spans that cover them."""
    for piece in pieces:
        at = piece.text.find(words)
        while at >= 0 and piece.kind is PieceKind.SEGMENT:
            seconds = [s.seconds for s in piece.spans if s.start < at + len(words) and s.end > at and s.seconds]
            yield min(one for one, _ in seconds), max(two for _, two in seconds)
            at = piece.text.find(words, at + 1)


def test_text_shown_for_a_second_is_found_with_its_time(tmp_path: Path, reader: VideoReader) -> None:
    rng = np.random.default_rng(3)
    patches = Image.fromarray(rng.integers(60, 200, (9, 16, 3), dtype=np.uint8))
    ground = patches.resize((640, 360), Image.Resampling.BICUBIC)

    def paint(time: float) -> Image.Image:
        picture = ground.copy()
        draw = ImageDraw.Draw(picture)
        draw.ellipse((time * 60, 20, time * 60 + 60, 80), fill="gray")  # something moves all the time
        if 3.3 <= time < 4.3:
            draw.rectangle((340, 280, 620, 330), fill="white")
            draw.text((350, 290), "PLATFORM KILO 9", fill="black", font=ImageFont.load_default(size=28))
        return picture

    pieces, warnings = read(reader, write_clip(tmp_path / "a.mp4", paint, every(0.1, 7)))
    check_pieces(pieces, 7.0)
    ((start, end),) = shown(pieces, "KILO 9")
    assert start == pytest.approx(3.3, abs=0.3)
    assert end == pytest.approx(4.3, abs=0.3)
    box = next(span.box for piece in pieces for span in piece.spans if span.box)
    assert box.x0 > 0.5
    assert box.y0 > 0.7
    assert warnings == []


def test_cuts_and_texts_fall_together_and_a_lasting_text_is_told_once(tmp_path: Path, reader: VideoReader) -> None:
    def paint(time: float) -> Image.Image:
        if time < 4:
            return card("Chapter Alpha")
        return card("Chapter Bravo", paper="gray") if time < 9 else card("End", paper="teal")

    pieces, _ = read(reader, write_clip(tmp_path / "a.mkv", paint, every(0.04, 12)))
    check_pieces(pieces, 12.0)
    assert [piece.text for piece in pieces] == ["Chapter Alpha", "Chapter Bravo", "End"]
    assert [piece.locator.start for piece in pieces] == [0.0, pytest.approx(4, abs=0.2), pytest.approx(9, abs=0.2)]
    assert next(shown(pieces, "Bravo")) == pytest.approx((4.0, 9.0), abs=0.2)
    assert all(piece.ocr for piece in pieces)


def test_a_running_clock_does_not_flood_the_text(tmp_path: Path, reader: VideoReader) -> None:
    def paint(time: float) -> Image.Image:
        picture = card("Camera East Gate")
        font = ImageFont.load_default(size=30)
        ImageDraw.Draw(picture).text((20, 20), f"2024-03-09 17:20:{int(time):02d}", fill="black", font=font)
        return picture

    pieces, _ = read(reader, write_clip(tmp_path / "a.mp4", paint, every(0.1, 14)))
    (piece,) = pieces
    lines = piece.text.split("\n")
    assert lines.count("Camera East Gate") == 1
    clocks = [line for line in lines if "2024-03-09" in line]
    assert len(clocks) == 2
    assert clocks[0].endswith("17:20:00")
    assert next(shown(pieces, "Camera")) == pytest.approx((0.0, 14.0), abs=0.1)


def test_slow_values_in_one_place_are_all_kept(tmp_path: Path, reader: VideoReader) -> None:
    prices = (120, 345, 678)
    path = write_clip(tmp_path / "a.mp4", lambda time: card(f"Price {prices[int(time // 3)]} EUR"), every(0.1, 9))
    pieces, _ = read(reader, path)
    for number, price in enumerate(prices):
        ((start, end),) = shown(pieces, f"Price {price}")
        assert start == pytest.approx(3 * number, abs=0.3)
        assert end == pytest.approx(3 * number + 3, abs=0.3)


def test_subtitles_beside_are_quoted_in_their_segments(tmp_path: Path, reader: VideoReader) -> None:
    def paint(time: float) -> Image.Image:
        return card("", paper="white" if time < 5 else "black")

    path = write_clip(tmp_path / "talk.mp4", paint, every(0.1, 10))
    words = tmp_path / "talk.en.srt"
    words.write_text(
        "1\n00:00:01,000 --> 00:00:03,000\n<i>Mind</i> the gap.\n\n2\nbroken --> 00:00:04,000\nx\n\n"
        "3\n00:00:04,000 --> 00:00:06,000\nIt spans the cut.\n"
    )
    pieces, warnings = read(reader, path, (words, tmp_path / "other.srt"))
    check_pieces(pieces, 10.0)
    assert [piece.text for piece in pieces] == ["Mind the gap.\nIt spans the cut.", "It spans the cut."]
    assert list(shown(pieces, "Mind the gap.")) == [(1.0, 3.0)]
    assert {piece.language for piece in pieces} == {"en"}
    assert not any(piece.ocr for piece in pieces)
    assert len(warnings) == 1
    assert "1 broken" in warnings[0]


@pytest.mark.parametrize("decoder", [PyAVFrames, pytest.param(DecordFrames, marks=needs_decord)])
@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        (0, ["r", "g", "b", "rgb"]),
        (90, ["g", "rgb", "r", "b"]),
        (180, ["rgb", "b", "g", "r"]),
        (-90, ["b", "r", "rgb", "g"]),
    ],
)
def test_rotation_is_honoured(tmp_path: Path, decoder: type[PyAVFrames], degrees: int, expected: list[str]) -> None:
    def turn(stream: av.VideoStream) -> None:
        stream.set_display_rotation(degrees)

    path = write_clip(tmp_path / "a.mp4", corners, every(0.04, 0.4), prepare=turn)
    source = decoder(path, "mp4")
    try:
        frame = source.frame_at(0.2)
        assert frame is not None
        assert corner_names(frame.image(1000)) == expected
        assert frame.luma(64).shape == ((64, 38) if degrees % 180 else (38, 64))
        assert (source.info.width, source.info.height) == ((96, 160) if degrees % 180 else (160, 96))
    finally:
        source.close()


def test_mirrored_clip(tmp_path: Path) -> None:
    matrix = (-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    path = write_clip(tmp_path / "a.mp4", corners, every(0.04, 0.4), prepare=lambda s: s.set_display_matrix(matrix))
    assert corner_names(render_frame(path, "mp4", 0.1, 160)) == ["g", "r", "rgb", "b"]


def test_pixel_shape_is_honoured(tmp_path: Path) -> None:
    def wide(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)

    path = write_clip(tmp_path / "a.mp4", corners, every(0.04, 0.4), prepare=wide)
    assert render_frame(path, "mp4", 0.0, 4000).size == (320, 96)


@needs_decord
def test_both_decoders_give_the_same_frames_at_the_same_times(tmp_path: Path) -> None:
    times = [0, 0.1, 0.15, 0.9, 1.0, 2.5, 2.6, 2.7, 4.0, 4.4]  # variable rate
    path = write_clip(tmp_path / "a.mp4", lambda time: card(f"{time:.2f}"), times)
    first, second = PyAVFrames(path, "mp4"), DecordFrames(path, "mp4")
    try:
        one = [(frame.time, frame.luma(160)) for frame in first.sample(0.0)]
        two = [(frame.time, frame.luma(160)) for frame in second.sample(0.0)]
    finally:
        first.close()
        second.close()
    assert [time for time, _ in one] == pytest.approx(times, abs=1e-3)
    assert [time for time, _ in two] == pytest.approx(times, abs=1e-3)
    assert all(np.abs(a.astype(int) - b).mean() < 4 for (_, a), (_, b) in zip(one, two, strict=True))


@needs_decord
def test_decord_is_refused_where_its_times_are_not_the_containers(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", lambda time: card(f"{time:.2f}"), [time + 0.5 for time in every(0.04, 2)])
    with pytest.raises(ReadFailed, match="differently from its container"):
        DecordFrames(path, "mkv")
    source = open_frames(path, "mkv")
    assert next(iter(source.sample(1.0))).time == pytest.approx(0.5)
    source.close()


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("avi", "mpeg4"), ("mov", "libx264"), ("webm", "libvpx-vp9"), ("mpegts", "mpeg2video"), ("flv", "flv"),
        ("wmv", "wmv2"), ("mpeg", "mpeg2video"), ("3gp", "mpeg4"),
    ],
)  # fmt: skip
def test_every_container(tmp_path: Path, reader: VideoReader, suffix: str, codec: str) -> None:
    assert suffix in MEDIA_TYPES
    name = {"mpegts": "a.ts", "mpeg": "a.mpg"}.get(suffix, f"a.{suffix}")

    times = every(0.04, 4)
    made = write_clip(tmp_path / name, lambda t: card("Kite" if t < 2 else "Swan", (320, 192)), times, codec)
    path = made.rename(tmp_path / f"clip.{suffix}")
    pieces, warnings = read(reader, path)
    assert warnings == []
    check_pieces(pieces, 4.0)
    ((start, _),) = shown(pieces, "Swan")
    assert start == pytest.approx(2.0, abs=0.3)
    assert "Kite" in pieces[0].text
    assert (pieces[0].meta.width, pieces[0].meta.height) == (320, 192)


def test_no_duration_in_the_header(tmp_path: Path, reader: VideoReader) -> None:
    path = write_clip(tmp_path / "a.mkv", lambda _: card("Live", (320, 192)), every(0.1, 5), options={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None, "the clip must lack what the test is about"
    pieces, _ = read(reader, path)
    check_pieces(pieces, 5.0)
    assert pieces[0].meta.duration == pytest.approx(5.0, abs=0.1)


def test_a_frame_that_stays_for_long(tmp_path: Path, reader: VideoReader) -> None:
    path = write_clip(tmp_path / "a.mkv", lambda t: card("First" if t < 5 else "Second"), [0.0, 0.1, 8.0, 9.0])
    pieces, warnings = read(reader, path)
    assert warnings == []
    ((_, end),) = shown(pieces, "First")
    ((start, _),) = shown(pieces, "Second")
    assert end == pytest.approx(8.0, abs=0.2)
    assert start == pytest.approx(8.0, abs=0.2)


def test_truncated_clip_is_read_as_far_as_it_goes(tmp_path: Path, reader: VideoReader) -> None:
    rng = np.random.default_rng(5)
    noise = [Image.fromarray(rng.integers(0, 255, (96, 160, 3), dtype=np.uint8)) for _ in range(4)]

    def paint(time: float) -> Image.Image:
        picture = noise[int(time * 25) % 4].resize((320, 192))
        picture.paste(card("Opening", (240, 120)), (20, 20))
        return picture

    whole = write_clip(tmp_path / "a.mkv", paint, every(0.04, 12)).read_bytes()
    (tmp_path / "b.mkv").write_bytes(whole[: len(whole) // 2])
    pieces, warnings = read(reader, tmp_path / "b.mkv")
    assert "Opening" in pieces[0].text
    assert 4 < (pieces[-1].locator.end or 0) < 8
    assert any("cut off" in message for message in warnings)
    (tmp_path / "c.mkv").write_bytes(whole[:300])
    with pytest.raises(ReadFailed):
        read(reader, tmp_path / "c.mkv")


def test_sound_only_is_unsupported(tmp_path: Path, reader: VideoReader) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(UnsupportedFile, match="no moving picture"):
        read(reader, path)


def test_oversized_frames_are_refused(tmp_path: Path, reader: VideoReader) -> None:
    big = tmp_path / "b.mkv"
    write_clip(big, lambda _: Image.new("RGB", (8208, 16)), [0.0], "ffv1")
    with pytest.raises(ReadLimitExceeded, match="8208"):
        read(reader, big)


def test_a_playlist_opens_no_other_file(tmp_path: Path, reader: VideoReader) -> None:
    other = write_clip(tmp_path / "secret.ts", corners, every(0.04, 1), "mpeg2video")
    for name, text in {
        "a.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
        "b.avi": f"ffconcat version 1.0\nfile {other}\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(ReadFailed):
            read(reader, tmp_path / name)


def test_metadata(tmp_path: Path, reader: VideoReader) -> None:
    tags = {
        "title": "Harbour at dawn", "artist": "A. Novak", "creation_time": "2023-05-06T07:08:09Z",
        "location": "+47.8000+013.0400/", "comment": "Seen from the pier",
    }  # fmt: skip
    path = write_clip(tmp_path / "a.mov", corners, every(0.1, 1), tags=tags, options={"movflags": "use_metadata_tags"})
    (piece,) = read(reader, path)[0]
    meta = piece.meta
    assert (meta.title, meta.author, meta.caption) == ("Harbour at dawn", "A. Novak", "Seen from the pier")
    assert meta.created is not None
    assert meta.created.isoformat() == "2023-05-06T07:08:09+00:00"
    assert "Salzburg" in meta.place
    assert (meta.media_type, meta.width, meta.height) == ("mov", 160, 96)


def test_render_frame_shows_what_is_on_screen_at_a_time(tmp_path: Path) -> None:
    def paint(time: float) -> Image.Image:
        return Image.new("L", (64, 48), int(time * 20)).convert("RGB")

    path = write_clip(tmp_path / "a.mp4", paint, every(0.04, 10))
    for seconds in (0.0, 0.03, 3.14, 7.0, 9.96, 50.0):
        picture = render_frame(path, "mp4", seconds, 32)
        assert picture.size == (32, 24)
        expected = int(min(seconds, 9.96) / 0.04 + 1e-6) * 0.04 * 20
        assert float(np.asarray(picture).mean()) == pytest.approx(expected, abs=4)


def test_one_changed_word_is_a_change_and_noise_is_none() -> None:
    rng = np.random.default_rng(1)
    page = np.full((144, 256), 230, np.uint8)
    noisy = (page + rng.normal(0, 4, page.shape)).clip(0, 255).astype(np.uint8)
    assert not np.any(changed_cells(page, noisy))
    word = page.copy()
    word[70:74, 100:120:2] = 60
    assert np.any(changed_cells(page, word))


def test_reading_twice_gives_the_same_pieces(tmp_path: Path, reader: VideoReader) -> None:
    path = write_clip(tmp_path / "a.mp4", lambda time: card(f"Step {int(time)}"), every(0.1, 2))
    assert read(reader, path) == read(reader, path)


@pytest.mark.parametrize(
    ("name", "words", "start", "end"),
    [
        ("clip_005.mp4", "Frame", 0.0, 1.0),
        ("clip_033.avi", "02-14-2024", 0.0, 4.92),
    ],
)
def test_real_clips(reader: VideoReader, name: str, words: str, start: float, end: float) -> None:
    path = MEDIA / "videos" / name
    if not path.exists():
        pytest.skip("shared/real_media is not here")
    pieces, warnings = read(reader, path)
    assert warnings == []
    check_pieces(pieces, pieces[0].meta.duration or 0)
    places = list(shown(pieces, words))
    assert min(one for one, _ in places) == pytest.approx(start, abs=0.8)  # distinct frames are 0.75 s apart or more
    assert max(two for _, two in places) == pytest.approx(end, abs=0.5)
