"""Subtitles: word for word, with their times, without markup, in whatever encoding; broken cues are counted."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from haystack_agent.errors import ReadFailed, ReadLimitExceeded
from ingest.video.frames import open_container
from ingest.video.subtitles import (
    MAX_BYTES,
    Cue,
    Subtitles,
    embedded_subtitles,
    parse_ass,
    parse_srt,
    parse_vtt,
    plain_ass,
    read_subtitle_file,
    subtitle_files,
)
from tests.support.paths import SHARED

MEDIA = SHARED / "real_media"
SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Good evening</i>, {\\an8}ladies &amp; gentlemen.
- Who <font color="#ff0000">said</font> that?

2
00:00:03,000 --> 00:00:99,bad
lost

3
00:01:03,250 --> 00:01:04
2 < 3, and a < b
7

"""
ASS = """[Script Info]
Title: x

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,never said
Dialogue: 0,0:00:01.50,0:00:03.00,Default,,0,0,0,,{\\k20}Ka{\\k30}ra{\\kf10}oke, with commas\\Nand a break
Dialogue: 1,0:00:01.50,0:00:03.00,Default,,0,0,0,,Karaoke, with commas\\Nand a break
Dialogue: 0,0:00:04.00,0:00:05.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}
Dialogue: 0,0:00:06.00,0:00:05.00,Default,,0,0,0,,ends before it begins
"""


def test_srt_is_read_word_for_word() -> None:
    cues, skipped = parse_srt(SRT)
    assert cues == (
        Cue(1.0, 2.5, "Good evening, ladies & gentlemen. - Who said that?"),
        Cue(63.25, 64.0, "2 < 3, and a < b 7"),
    )
    assert skipped == 1


def test_srt_without_blank_lines_or_numbers() -> None:
    cues, skipped = parse_srt("00:00:01.0 --> 00:00:02.0\r\none\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\ntwo\r\n")
    assert [(cue.start, cue.text) for cue in cues] == [(1.0, "one"), (2.0, "two")]
    assert skipped == 0


def test_vtt_leaves_notes_and_styles_out() -> None:
    text = (
        "WEBVTT - a title\n\nNOTE this is\nno cue\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start position:0%\n<v Ann>Hello<00:01.500> <c.yellow>there</c></v>\n\n"
        "01:00:00.000 --> 01:00:01.000\nan hour later\n"
    )
    cues, skipped = parse_vtt(text)
    assert cues == (Cue(1.0, 2.0, "Hello there"), Cue(3600.0, 3601.0, "an hour later"))
    assert skipped == 0


def test_ass_strips_karaoke_drawings_and_repeated_layers() -> None:
    cues, skipped = parse_ass(ASS)
    assert cues == (Cue(1.5, 3.0, "Karaoke, with commas and a break"),)
    assert skipped == 1
    assert plain_ass("{\\an8}{note to self}top\\hline") == "{note to self}top line"


def test_rolling_captions_are_told_once() -> None:
    cues, _ = parse_srt("1\n00:00:01,000 --> 00:00:02,000\nsame\n\n2\n00:00:02,000 --> 00:00:03,000\nsame\n")
    assert cues == (Cue(1.0, 3.0, "same"),)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "Příliš žluťoučký kůň úpěl ďábelské ódy"),
        ("utf-8-sig", "Žena"),
        ("utf-16", "Ünïcödé здравствуйте"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl pan Dvořák a zavřel dveře."),
        ("cp1251", "Привет, мир! Сегодня мы говорим о поездах, вокзалах и билетах на завтра."),
        ("shift_jis", "こんにちは、世界。今日は天気がいいですね。電車で行きましょう。"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, words: str) -> None:
    path = tmp_path / "clip.srt"
    path.write_bytes(f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n".encode(encoding))
    assert read_subtitle_file(path, tmp_path / "clip.mp4").cues[0].text == words


def test_files_beside_are_matched_by_name_and_say_their_language(tmp_path: Path) -> None:
    video = tmp_path / "Trip.to.Brno.mp4"
    names = [
        "Trip.to.Brno.srt",
        "Trip.to.Brno.ces.vtt",
        "trip.to.brno.mp4.ass",
        "Trip.to.Brno2.srt",
        "Trip.to.Brno.txt",
    ]
    found = subtitle_files(video, [tmp_path / name for name in names])
    assert {path.name for path in found} == set(names[:3])
    (tmp_path / names[1]).write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nAhoj\n")
    assert read_subtitle_file(tmp_path / names[1], video).language == "cs"


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"
    (tmp_path / "secret").write_text(SRT)
    (tmp_path / "clip.srt").symlink_to(tmp_path / "secret")
    with pytest.raises(ReadFailed, match="cannot be opened"):
        read_subtitle_file(tmp_path / "clip.srt", video)
    os.mkfifo(tmp_path / "clip.vtt")
    with pytest.raises(ReadFailed, match="regular file"):
        read_subtitle_file(tmp_path / "clip.vtt", video)
    (tmp_path / "clip.en.srt").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ReadLimitExceeded, match="8 MB"):
        read_subtitle_file(tmp_path / "clip.en.srt", video)
    (tmp_path / "clip.de.srt").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(ReadFailed):
        read_subtitle_file(tmp_path / "clip.de.srt", video)


def _with_subtitles(path: Path, source: str, suffix: str) -> Path:
    """A short clip with the subtitles of a text muxed into it."""
    beside = path.with_suffix(suffix)
    beside.write_text(source)
    with av.open(str(beside)) as words, av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        track = output.add_stream_from_template(words.streams.subtitles[0])
        track.metadata["language"] = "ger"
        for index in range(60):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index, np.uint8))
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for packet in words.demux():
            if packet.dts is not None:
                packet.stream = track
                output.mux(packet)
    return path


def _embedded(path: Path, media_type: str) -> list[Subtitles]:
    container = open_container(path, media_type)
    try:
        return list(embedded_subtitles(container, 0.0))
    finally:
        container.close()


WORDS = (
    "1\n00:00:01,000 --> 00:00:02,500\nGuten <i>Tag</i>,\nHerr Müller\n\n"
    "2\n00:00:03,500 --> 00:00:05,000\nAuf Wiedersehen\n"
)


@pytest.mark.parametrize(("source", "suffix"), [(WORDS, ".srt"), (ASS, ".ass")])
def test_embedded_subtitles_are_those_of_the_file(tmp_path: Path, source: str, suffix: str) -> None:
    (track,) = _embedded(_with_subtitles(tmp_path / "a.mkv", source, suffix), "mkv")
    expected, _ = parse_srt(source) if suffix == ".srt" else parse_ass(source)
    assert track.cues == expected
    assert track.language == "de"


def test_real_clip_with_subtitle_streams() -> None:
    clip = MEDIA / "videos" / "clip_025.mp4"
    if not clip.exists():
        pytest.skip("shared/real_media is not here")
    tracks = _embedded(clip, "mp4")
    assert len(tracks) == 2
    assert all(track.skipped == 0 for track in tracks)
