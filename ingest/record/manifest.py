"""The manifest: which files there are, which content they hold, and what became of it. One SQLite file.

A file row knows where a content is; an asset row knows what was done with the content. Paths are kept as bytes, since
names of files need not be text. Every write is one transaction that a power cut either keeps or undoes.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from haystack_agent.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexUnusable, StorageFull
from ingest.files.hashing import FileStat

P = ParamSpec("P")
T = TypeVar("T")

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS roots (path BLOB PRIMARY KEY, device TEXT NOT NULL, inode TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS assets (
    asset_id TEXT PRIMARY KEY, media_type TEXT NOT NULL, profile TEXT NOT NULL, reader_version INTEGER NOT NULL,
    state TEXT NOT NULL, pieces INTEGER NOT NULL, placed TEXT NOT NULL, reason TEXT NOT NULL, warnings TEXT NOT NULL,
    cut_short INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path BLOB PRIMARY KEY, root BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode TEXT NOT NULL,
    seen_ns INTEGER NOT NULL, media_type TEXT, content_id TEXT, asset_id TEXT, verdict TEXT, reason TEXT NOT NULL,
    ctime_ns INTEGER NOT NULL DEFAULT -1, device TEXT NOT NULL DEFAULT '-1', sample TEXT, lost BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_asset ON files (asset_id);
CREATE VIEW IF NOT EXISTS outcomes AS
    SELECT files.path, files.asset_id, assets.warnings,
        CASE WHEN verdict IS NOT NULL THEN verdict WHEN assets.state = 'done' THEN 'indexed'
             WHEN assets.state = 'failed' THEN 'failed' ELSE 'skipped' END AS state,
        CASE WHEN verdict IS NOT NULL THEN files.reason WHEN assets.state IN ('done', 'failed', 'skipped')
             THEN assets.reason ELSE 'not read yet: run index again' END AS reason
    FROM files LEFT JOIN assets USING (asset_id);
"""


_FROM_1 = (
    "ALTER TABLE assets ADD COLUMN cut_short INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE files ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE files ADD COLUMN device TEXT NOT NULL DEFAULT '-1'",
    "ALTER TABLE files ADD COLUMN sample TEXT",
    "ALTER TABLE files ADD COLUMN lost BLOB",
    # These were never tried again, though a busy machine may have been at fault.
    "UPDATE assets SET cut_short = 1 WHERE state = 'failed' AND (reason LIKE 'gave no sign of life%' "
    "OR reason LIKE 'waited too long for%' OR reason LIKE 'the decoder was ended%')",
)
"""From layout 1 to 2."""


class AssetState(StrEnum):
    """How far the reading of an asset came; ``started`` is seen only after an interruption."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that was found. `verdict` is ``None`` where the asset's state speaks for it."""

    path: Path
    root: Path
    stat: FileStat
    seen_ns: int
    """When the stat was taken: a file changed at about that time may change again without a trace."""
    media_type: str | None = None
    content_id: str | None = None
    asset_id: str | None = None
    verdict: str | None = None
    reason: str = ""
    sample: str | None = None
    """See `ingest.files.hashing.sample_of`."""
    lost: Path | None = None
    """The folder that lost all its files, this one among them: they are kept all the same."""

    def is_same_as(self, other: FileRow) -> bool:
        """Whether the rows agree in everything that is kept; stats are equal where times of their change differ."""
        return self == other and (self.stat.ctime_ns, self.stat.device) == (other.stat.ctime_ns, other.stat.device)


@dataclass(frozen=True, slots=True)
class AssetRow:
    """What was done with a content."""

    asset_id: str
    media_type: str
    profile: str
    reader_version: int
    state: AssetState
    pieces: int = 0
    placed: str = ""
    """Digest of the paths and times that the stored pieces carry."""
    reason: str = ""
    warnings: tuple[str, ...] = ()
    cut_short: int = 0
    """How many times in a row its reading was ended from outside, which need not be its fault."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A folder that lost all its files, and the number of them that are kept in the index."""

    folder: Path
    files: int


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that was indexed and the identity it had on disk."""

    path: Path
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: ``indexed``, ``failed`` or ``skipped``, with the reason or warnings."""

    path: Path
    state: str
    reason: str
    warnings: tuple[str, ...]


def _checked(read: Callable[Concatenate[Manifest, P], T]) -> Callable[Concatenate[Manifest, P], T]:
    """Say of a value that cannot be one of ours that the file is damaged: SQLite does not notice it."""

    @wraps(read)
    def checked(manifest: Manifest, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(manifest, *args, **kwargs)
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise _damaged(manifest.path, "a value in it is of the wrong kind") from error

    return cast("Callable[Concatenate[Manifest, P], T]", checked)


class Manifest:
    """The manifest in one SQLite file, made if it is not there; used by one thread.

    With `reading`, nothing is made and nothing need be writable.

    Raises (every method): IndexDamaged, IndexBusy, IndexMismatch, IndexUnusable or StorageFull.
    """

    def __init__(self, path: Path, reading: bool = False) -> None:
        self.path = path
        with _told(path):
            self._db = _connected_to_read(path) if reading else sqlite3.connect(path, timeout=10, isolation_level=None)
            try:
                if not reading:
                    self._open()
                self._check_layout()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        # A power cut must not undo a mark that the store already relies on.
        self._db.execute("PRAGMA synchronous = FULL")
        known = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "meta" not in known:
            with self.transaction():
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
                self._set("schema", str(SCHEMA_VERSION))

    def _check_layout(self) -> None:
        if self.get("schema") == "1":
            self._migrate()
        found = self.get("schema")
        if found is None:
            raise _damaged(self.path, "it does not say what layout it has")
        if found != str(SCHEMA_VERSION):
            raise IndexMismatch(f"{self.path} has layout {found}, this version knows {SCHEMA_VERSION}: index anew")

    def _migrate(self) -> None:
        with self.transaction():
            if self.get("schema") == "1":  # another process may have been first
                for statement in _FROM_1:
                    self._db.execute(statement)
                self._set("schema", str(SCHEMA_VERSION))

    def close(self) -> None:
        """Let go of the file; calling it twice is harmless."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept together or not at all; may be nested in itself."""
        with _told(self.path):
            if self._writing():
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._writing():
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _writing(self) -> bool:
        return self._db.in_transaction

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with _told(self.path):
            return self._db.execute(query, values).fetchall()

    def _write(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        with self.transaction():
            self._db.executemany(query, rows)

    def _set(self, key: str, value: str) -> None:
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, value)])

    def get(self, key: str) -> str | None:
        """A value kept for the index as a whole: ``profile``, ``sniff``."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set(self, key: str, value: str) -> None:
        """Keep a value for the index as a whole."""
        if self.get(key) != value:
            self._set(key, value)

    @_checked
    def roots(self) -> list[Root]:
        """The folders that were indexed."""
        rows = self._rows("SELECT path, device, inode FROM roots ORDER BY path")
        return [Root(_path(path), int(str(device)), int(str(inode))) for path, device, inode in rows]

    def put_roots(self, roots: Iterable[Root]) -> None:
        """Add or update roots."""
        values = [(_blob(root.path), str(root.device), str(root.inode)) for root in roots]
        self._write("INSERT OR REPLACE INTO roots VALUES (?, ?, ?)", values)

    def drop_roots(self, paths: Iterable[Path]) -> None:
        """Remove roots; their files are untouched."""
        self._write("DELETE FROM roots WHERE path = ?", [(_blob(path),) for path in paths])

    @_checked
    def files(self) -> list[FileRow]:
        """Every file, in order of path."""
        return [_file_row(row) for row in self._rows("SELECT * FROM files ORDER BY path")]

    def put_files(self, rows: Iterable[FileRow]) -> None:
        """Add or replace files."""
        places = ", ".join("?" * 15)
        self._write(f"INSERT OR REPLACE INTO files VALUES ({places})", map(_file_values, rows))  # noqa: S608

    def drop_files(self, paths: Iterable[Path]) -> None:
        """Remove files; their assets are untouched."""
        self._write("DELETE FROM files WHERE path = ?", [(_blob(path),) for path in paths])

    def fail_asset_files(self, asset_id: str, reason: str) -> None:
        """Say of the files of an asset that they could not be read this time; the next run tries them again."""
        query = "UPDATE files SET verdict = 'failed', reason = ?, asset_id = NULL, mtime_ns = -1 WHERE asset_id = ?"
        self._write(query, [(reason, asset_id)])

    @_checked
    def assets(self) -> dict[str, AssetRow]:
        """Every asset by its id."""
        rows = map(_asset_row, self._rows("SELECT * FROM assets ORDER BY asset_id"))
        return {row.asset_id: row for row in rows}

    def put_assets(self, rows: Iterable[AssetRow]) -> None:
        """Add or replace assets."""
        self._write("INSERT OR REPLACE INTO assets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_asset_values, rows))

    def drop_assets(self, asset_ids: Iterable[str]) -> None:
        """Remove assets."""
        self._write("DELETE FROM assets WHERE asset_id = ?", [(asset_id,) for asset_id in asset_ids])

    @_checked
    def pieces(self) -> int:
        """Number of pieces of all assets that are done."""
        return int(str(self._rows("SELECT COALESCE(SUM(pieces), 0) FROM assets WHERE state = 'done'")[0][0]))

    @_checked
    def forgotten(self) -> tuple[Path, ...]:
        """Files and folders that are to be removed from the index: begun, and perhaps not finished."""
        return tuple(_path(bytes.fromhex(name)) for name in (self.get("forgotten") or "").split())

    def put_forgotten(self, paths: Iterable[Path]) -> None:
        """Replace these."""
        self.set("forgotten", " ".join(_blob(path).hex() for path in paths))

    @_checked
    def unowned(self) -> int:
        """Number of contents that no file has any more, and that are to be removed."""
        query = (
            "SELECT COUNT(*) FROM assets WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.asset_id = assets.asset_id)"
        )
        return int(str(self._rows(query)[0][0]))

    @_checked
    def counts(self) -> dict[str, int]:
        """Number of files by what became of them."""
        return {str(s): int(str(n)) for s, n in self._rows("SELECT state, COUNT(*) FROM outcomes GROUP BY state")}

    @_checked
    def lost(self) -> list[Lost]:
        """The folders that lost all their files, of which files are kept."""
        rows = self._rows("SELECT lost, COUNT(*) FROM files WHERE lost IS NOT NULL GROUP BY lost ORDER BY lost")
        return [Lost(_path(folder), int(str(files))) for folder, files in rows]

    @_checked
    def outcomes(self, noted: bool = False) -> list[Outcome]:
        """What became of every file, in order of path; `noted` leaves out those read without a word."""
        query = "SELECT path, state, reason, warnings FROM outcomes WHERE state != 'indexed' OR warnings != ? "
        rows = self._rows(query + "ORDER BY path", ("[]" if noted else "",))
        return [Outcome(_path(p), str(s), str(r), _warnings(w) if s == "indexed" else ()) for p, s, r, w in rows]


def with_state(row: AssetRow, state: AssetState, reason: str = "") -> AssetRow:
    """The row in another state, without pieces."""
    return replace(row, state=state, reason=reason, pieces=0, placed="", warnings=())


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in the user's words what SQLite says in its own."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise StorageFull(f"no room left on the disk that holds {path}: free some and run index again") from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise IndexBusy(f"{path} is used by another process: wait until it is done") from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise IndexUnusable(f"{path} cannot be opened for writing: check the folder and its permissions") from error
        if code == sqlite3.SQLITE_IOERR:
            raise IndexUnusable(f"{path} cannot be read or written: see that the disk is sound and has room") from error
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, what: str) -> IndexDamaged:
    return IndexDamaged(
        f"{path} is damaged ({what}): delete the folder {path.parent} and index again; your files are untouched"
    )


_UNWRITABLE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
)


def _connected_to_read(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there.

    SQLite reads a file of this kind only where it can make two more beside it. On a full disk and where nothing may be
    written it is told that the file does not change; what a killed process left unfinished is not lost then, since the
    two files stand.

    Raises:
        IndexDamaged: there is no such file.
        sqlite3.Error: it cannot be read.
    """
    if not path.is_file():
        raise _damaged(path, "it is not there" if not path.exists() else "it is not a file")
    uri, left = path.absolute().as_uri(), path.with_name(f"{path.name}-wal")
    try:
        return _answering(f"{uri}?mode=rw")
    except sqlite3.DatabaseError as error:
        unfinished = left.is_file() and left.stat().st_size > 0
        if unfinished or getattr(error, "sqlite_errorcode", 0) & 0xFF not in _UNWRITABLE:
            raise
    return _answering(f"{uri}?mode=ro&immutable=1")


def _answering(uri: str) -> sqlite3.Connection:
    database = sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None)
    try:
        database.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
    except BaseException:
        database.close()
        raise
    return database


def _blob(path: Path) -> bytes:
    return os.fsencode(path)


def _path(value: object) -> Path:
    if not isinstance(value, bytes) or b"\0" in value:
        raise TypeError(f"a path is {type(value).__name__}")
    return Path(os.fsdecode(value))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _warnings(value: object) -> tuple[str, ...]:
    return tuple(map(str, json.loads(str(value)))) if value else ()


def _file_row(row: Sequence[Any]) -> FileRow:
    path, root, size, mtime_ns, inode, seen_ns, media_type, content_id, asset_id, verdict, reason = row[:11]
    ctime_ns, device, sample, lost = row[11:]
    stat = FileStat(int(size), int(mtime_ns), int(inode), int(ctime_ns), int(device))
    texts = (_text(media_type), _text(content_id), _text(asset_id), _text(verdict), str(reason), _text(sample))
    return FileRow(_path(path), _path(root), stat, int(seen_ns), *texts, lost and _path(lost))


def _file_values(row: FileRow) -> tuple[object, ...]:
    stat = row.stat
    places = (_blob(row.path), _blob(row.root), stat.size, stat.mtime_ns, str(stat.inode), row.seen_ns)
    texts = (row.media_type, row.content_id, row.asset_id, row.verdict, row.reason)
    return (*places, *texts, stat.ctime_ns, str(stat.device), row.sample, row.lost and _blob(row.lost))


def _asset_row(row: Sequence[object]) -> AssetRow:
    asset_id, media_type, profile, version, state, pieces, placed, reason, warnings, cut_short = row
    counts = (AssetState(str(state)), int(str(pieces)), str(placed), str(reason), _warnings(warnings))
    return AssetRow(str(asset_id), str(media_type), str(profile), int(str(version)), *counts, int(str(cut_short)))


def _asset_values(row: AssetRow) -> tuple[object, ...]:
    known = (row.asset_id, row.media_type, row.profile, row.reader_version, row.state.value)
    return (*known, row.pieces, row.placed, row.reason, json.dumps(row.warnings), row.cut_short)
