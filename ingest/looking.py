"""What the pictures of folders look like, for memory banks: decoded in worker processes, nothing else is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from haystack_agent.errors import ReadFailed
from haystack_agent.index_files import IndexFiles, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.media import Preview, types_shown
from haystack_agent.vectors import Pixels
from ingest.files.discover import FileFound, discover, outermost
from ingest.files.hashing import FileStat, open_regular
from ingest.files.sniff import HEAD_BYTES, sniff
from ingest.pixels.query_picture import decode_picture
from ingest.readers.looks import seen
from ingest.readers.protocol import ReadEvent, Seen, Source
from ingest.readers.registry import ReaderEntry, ReaderRegistry
from ingest.record.manifest import AssetState, Manifest
from ingest.workers.sandbox import FileRead, SandboxOptions, read_files


class LookReader:
    """Decodes pictures; see `ingest.readers.protocol.Reader`."""

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """What the picture looks like.

        Raises:
            ReadFailed: it cannot be decoded.
        """
        yield from seen(source, decode_picture(source.path, source.look))


_TYPES = types_shown(Preview.PICTURE)
_REGISTRY = ReaderRegistry((ReaderEntry(_TYPES, 1, "ingest.looking", "LookReader"),))


_Picture = tuple[Source, FileStat]


def pictures_in(folders: Sequence[Path], side: int) -> list[_Picture]:
    """The pictures in folders, to be looked at `side` pixels on the shorter side."""
    found = discover(outermost(folders)).found
    return [file for file in (_picture(one, side) for one in found) if file is not None]


def pictures_of(location: IndexLocation, side: int) -> list[_Picture]:
    """The pictures that an index has read, each content once.

    Raises:
        IndexUnusable: there is no index, or it is damaged.
    """
    files = IndexFiles(location.path)
    read_card(files)
    manifest = Manifest(files.manifest, reading=True)
    try:
        done = {row.asset_id for row in manifest.assets().values() if row.state is AssetState.DONE}
        rows = {row.asset_id: row for row in manifest.files() if row.asset_id in done}
    finally:
        manifest.close()
    pictures = [row for row in rows.values() if row.media_type in _TYPES]
    return [(Source(row.path, str(row.asset_id), str(row.media_type), look=side), row.stat) for row in pictures]


def looks_of(pictures: Sequence[_Picture], workers: int = 1) -> Iterator[Pixels]:
    """One look for each picture that can be decoded, in no order."""
    with closing(read_files(pictures, _REGISTRY, SandboxOptions(workers))) as events:
        for event in events:
            if isinstance(event, FileRead):
                yield from (look for read in event.events if isinstance(read, Seen) for look in read.looks)


def _picture(found: FileFound, side: int) -> _Picture | None:
    try:
        with open_regular(found.real) as stream:
            media_type = sniff(found.real, stream.read(HEAD_BYTES))
    except (OSError, ReadFailed):  # gone, or not to be read: a bank can do without it
        return None
    if media_type not in _TYPES:
        return None
    return Source(found.real, str(found.path), media_type, look=side), found.stat
