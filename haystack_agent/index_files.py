"""What stands in an index folder, and what an index remembers of itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.errors import HaystackError, IndexDamaged, IndexMismatch, IndexNotFound, IndexUnusable
from haystack_agent.system.full_disk import index_full, is_full
from haystack_agent.system.private_files import make_folder
from haystack_agent.system.whole_files import write_whole

FORMAT = 1
"""Version of the folder's layout; a newer one is refused."""


@dataclass(frozen=True, slots=True)
class IndexFiles:
    """Paths inside an index folder."""

    folder: Path

    @property
    def card(self) -> Path:
        """What the index remembers of itself, as JSON."""
        return self.folder / "index.json"

    @property
    def manifest(self) -> Path:
        """The SQLite file that knows every file."""
        return self.folder / "manifest.sqlite"

    @property
    def shard(self) -> Path:
        """The folder of the embedded store."""
        return self.folder / "edge"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes."""
        return self.folder / "lock"


@dataclass(frozen=True, slots=True)
class VectorsPlace:
    """Where the vectors of an index are: in a collection of a Qdrant server or, without `url`, in its own folder."""

    url: str | None = None
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class IndexCard:
    """What an index was made with, where its vectors are, and what must be there."""

    profile: str
    fingerprint: str
    place: VectorsPlace | None = None
    """``None`` where the version that wrote the card did not say."""
    pieces: int = 0
    """Pieces that the store held at the end of the last run; 0 while one goes on, and after one that was killed."""


def read_card(files: IndexFiles) -> IndexCard:
    """Read what the index remembers.

    Raises:
        IndexNotFound: there is no index in the folder.
        IndexDamaged: its card cannot be read.
        IndexMismatch: a newer version wrote it.
        IndexUnusable: the system does not let it be read.
    """
    try:
        values = json.loads(files.card.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise IndexNotFound(
            f"There is no index at {files.folder}: make one with `haystack-agent index FOLDER`."
        ) from None
    except OSError as error:
        raise _of_system(files, error) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(files, str(error)) from error
    if not isinstance(values, dict) or not {"format", "profile", "fingerprint"} <= values.keys():
        raise _damaged(files, "it is not an index card")
    if type(values["format"]) is not int:
        raise _damaged(files, f"its format is {str(values['format'])[:40]!r}")
    if values["format"] != FORMAT:
        raise IndexMismatch(
            f"The index at {files.folder} has format {values['format']}, this version reads {FORMAT}: "
            "update haystack-agent, or index again into a new index."
        )
    return _card_of(values, files)


def _card_of(values: dict[str, object], files: IndexFiles) -> IndexCard:
    profile, fingerprint, pieces = values["profile"], values["fingerprint"], values.get("pieces", 0)
    texts = [values.get("qdrant_url"), values.get("collection")]
    place = VectorsPlace(*(None if text is None else str(text) for text in texts)) if "qdrant_url" in values else None
    if not isinstance(profile, str) or not isinstance(fingerprint, str) or type(pieces) is not int:
        raise _damaged(files, "a value in it is of the wrong kind")
    if place is not None and (place.url is None) != (place.collection is None):
        raise _damaged(files, "it names a server without a collection, or a collection without a server")
    return IndexCard(profile, fingerprint, place, pieces)


def _damaged(files: IndexFiles, what: str) -> IndexDamaged:
    return IndexDamaged(
        f"{files.card} is damaged ({what}): delete the folder {files.folder} and index again; your files are untouched."
    )


def write_card(files: IndexFiles, card: IndexCard) -> None:
    """Write the card whole or not at all, and make the folder if it is not there.

    Raises:
        StorageFull: no room on the disk.
        IndexUnusable: nothing can be written there.
    """
    values: dict[str, object] = {"format": FORMAT, "profile": card.profile, "fingerprint": card.fingerprint}
    if card.place is not None:
        values |= {"qdrant_url": card.place.url, "collection": card.place.collection}
    values["pieces"] = card.pieces
    try:
        make_folder(files.folder)
        write_whole(files.card, json.dumps(values, indent=2) + "\n")
    except OSError as error:
        raise _of_system(files, error) from error


def _of_system(files: IndexFiles, error: OSError) -> HaystackError:
    if is_full(error):
        return index_full(files.folder)
    reason = (error.strerror or type(error).__name__).lower()
    return IndexUnusable(
        f"The index {files.folder} cannot be used ({reason}): check its path, permissions and disk, "
        "or name another one with --index."
    )
