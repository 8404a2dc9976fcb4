"""What the pictures of folders look like, for memory banks: decoded in worker processes, nothing else is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from haystack_agent.encoders.protocols import Look
from haystack_agent.errors import ReadFailed
from ingest.discover import Found, discover, outermost
from ingest.hashing import FileStat, open_regular
from ingest.looks import seen
from ingest.query_picture import decode_picture
from ingest.readers.protocol import ReadEvent, Seen, Source
from ingest.readers.registry import ReaderEntry, ReaderRegistry
from ingest.sandbox import FileRead, SandboxOptions, read_files
from ingest.sniff import HEAD_BYTES, IMAGE_TYPES, sniff


class LookReader:
    """Decodes pictures; see `ingest.readers.protocol.Reader`."""

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """What the picture looks like.

        Raises:
            ReadFailed: it cannot be decoded.
        """
        yield from seen(source, decode_picture(source.path))


_REGISTRY = ReaderRegistry((ReaderEntry(IMAGE_TYPES, 1, "ingest.looking", "LookReader"),))


def looks_in(folders: Sequence[Path], side: int, workers: int = 1) -> Iterator[Look]:
    """One look, `side` pixels on its shorter side, for each picture that can be decoded, in no order."""
    found = discover(outermost(folders)).found
    files = [file for file in (_picture(one, side) for one in found) if file is not None]
    with closing(read_files(files, _REGISTRY, SandboxOptions(workers))) as events:
        for event in events:
            if isinstance(event, FileRead):
                yield from (look for read in event.events if isinstance(read, Seen) for look in read.looks)


def _picture(found: Found, side: int) -> tuple[Source, FileStat] | None:
    try:
        with open_regular(found.real) as stream:
            media_type = sniff(found.real, stream.read(HEAD_BYTES))
    except (OSError, ReadFailed):  # gone, or not to be read: a bank can do without it
        return None
    if media_type not in IMAGE_TYPES:
        return None
    return Source(found.real, str(found.path), media_type, look=side), found.stat
