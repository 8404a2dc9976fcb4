"""What stands in an index folder, and what an index remembers of itself."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.errors import HaystackError, IndexDamaged, IndexMismatch, IndexNotFound, IndexUnusable, StorageFull

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
class IndexCard:
    """The profile an index was made with."""

    profile: str
    fingerprint: str


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
        raise IndexDamaged(
            f"The index at {files.folder} cannot be read ({error}): remove it and index again."
        ) from error
    if not isinstance(values, dict) or not {"format", "profile", "fingerprint"} <= values.keys():
        raise IndexDamaged(f"{files.card} is not an index card: remove the index and index again.")
    if values["format"] != FORMAT:
        raise IndexMismatch(
            f"The index at {files.folder} has format {values['format']}, this version reads {FORMAT}: "
            "update haystack-agent, or index again into a new index."
        )
    return IndexCard(str(values["profile"]), str(values["fingerprint"]))


def write_card(files: IndexFiles, card: IndexCard) -> None:
    """Write the card whole or not at all, and make the folder if it is not there.

    Raises:
        StorageFull: no room on the disk.
        IndexUnusable: nothing can be written there.
    """
    values = {"format": FORMAT, "profile": card.profile, "fingerprint": card.fingerprint}
    draft = files.card.with_suffix(".tmp")
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(values, indent=2) + "\n", "utf-8")
        draft.replace(files.card)
    except OSError as error:
        raise _of_system(files, error) from error


def _of_system(files: IndexFiles, error: OSError) -> HaystackError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(f"The disk that holds the index {files.folder} is full: free some space, then try again.")
    reason = (error.strerror or type(error).__name__).lower()
    return IndexUnusable(
        f"The index {files.folder} cannot be used ({reason}): check its path, permissions and disk, "
        "or name another one with --index."
    )
