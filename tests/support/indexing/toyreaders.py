"""Readers for tests of the pipeline: lines of text become pieces, and some lines are orders."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from haystack_agent.errors import EncryptedFile, ModelUnavailable, UnsupportedFile
from haystack_agent.records import AssetMeta, Locator, Modality, Piece, PieceKind
from ingest.readers.protocol import Progress, ReadEvent, Source, Warned
from ingest.readers.registry import ReaderEntry, ReaderRegistry

TYPES = frozenset(("txt", "markdown", "mkv", "pdf", "jpeg"))


def obey(order: str, path: Path) -> Iterator[ReadEvent]:
    """Do what hostile files make decoders do."""
    word, _, rest = order.partition(" ")
    if word in _DEEDS:
        _DEEDS[word](rest, path)
    elif word == "EAT":
        yield from _eat()
    elif word == "KEEP":
        _kept.append(bytearray(int(rest) << 20))
        _kept[-1][::4096] = b"x" * (len(_kept[-1]) >> 12)
        for _ in range(6):  # long enough to be looked at
            time.sleep(0.1)
            yield Progress(0, 0)
    elif word == "RIDDLE":
        yield from _riddle()
    elif word == "WARN":
        yield Warned(rest)
    elif word == "NAP":
        time.sleep(float(rest))
        yield Progress(0, 0)
    elif word == "TEMP":
        with tempfile.NamedTemporaryFile(delete=False) as file:
            yield Warned(str(Path(file.name).parent.parent))


_kept: list[bytearray] = []
"""What a leaking decoder never gives back."""


def _eat() -> Iterator[ReadEvent]:
    hoard = []
    while True:
        hoard.append(b"x" * (8 << 20))
        time.sleep(0.01)
        yield Progress(len(hoard), 0)


def _riddle() -> Iterator[ReadEvent]:
    """Round after round, 150 blocks of a megabyte, a little larger than those before, shrunk to a crumb each."""
    crumbs = []
    for step in range(12):
        blocks = [bytearray(b"x" * ((1 << 20) + (step << 16))) for _ in range(150)]
        for block in blocks:
            del block[2048:]
        crumbs.append(blocks)
        time.sleep(0.3)  # as long as a page takes, at least
        yield Progress(step, 12)


def _spin(rest: str, path: Path) -> None:
    while True:
        pass


def _fail(error: Exception) -> None:
    raise error


def _once(path: Path) -> None:
    """Die at the first reading, as on a machine without memory; be read at the second."""
    mark = path.with_suffix(".bin")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _grow(rest: str, path: Path) -> None:
    with path.open("a") as file:
        file.write("more\n")


_DEEDS: dict[str, Callable[[str, Path], object]] = {
    "HANG": lambda rest, path: time.sleep(3600),
    "SPIN": _spin,
    "CRASH": lambda rest, path: ctypes.string_at(0),
    "ABORT": lambda rest, path: os.abort(),
    "EXIT": lambda rest, path: os._exit(int(rest)),
    "RAISE": lambda rest, path: _fail(ValueError(rest)),
    "TRACE": lambda rest, path: _fail(ValueError(f"Traceback (most recent call last):\n  File x, line 1\nE: {rest}")),
    "CRY": lambda rest, path: os.write(int(rest), b"[h264 @ 0x5] Invalid NAL unit size\n"),
    "ONCE": lambda rest, path: _once(path),
    "LOCKED": lambda rest, path: _fail(EncryptedFile("needs a password")),
    "OTHER": lambda rest, path: _fail(UnsupportedFile("holds nothing that is read")),
    "NET": lambda rest, path: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "GROW": _grow,
    "VANISH": lambda rest, path: path.unlink(),
}


class LineReader:
    """Every line is a piece, after the orders it gives."""

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Yield a piece for each line, and one for each file beside the source."""
        texts = source.path.read_text("utf-8", "replace").splitlines()
        for line in texts:
            if line.startswith("!"):
                yield from obey(line[1:], source.path)
        texts += [path.read_text("utf-8") for path in source.siblings]
        meta = AssetMeta(source.media_type)
        for index, text in enumerate(texts):
            place = Locator(page=index // 10 + 1)
            yield Piece(source.asset_id, PieceKind.PASSAGE, Modality.DOCUMENT, index, place, text, meta)


class NoModelReader:
    """Cannot be constructed."""

    def __init__(self) -> None:
        raise ModelUnavailable("the model is missing: install it")

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Never called."""
        yield Progress(0, 0)


class DyingReader:
    """Takes its process down while it is loaded."""

    def __init__(self) -> None:
        os._exit(7)

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Never called."""
        yield Progress(0, 0)


def registry(version: int = 1, name: str = "LineReader", types: frozenset[str] = TYPES) -> ReaderRegistry:
    """Readers of this module, for text and for what tests pass off as a video."""
    return ReaderRegistry((ReaderEntry(types, version, "tests.support.indexing.toyreaders", name),))
