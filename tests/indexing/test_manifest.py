from __future__ import annotations

import os
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from haystack_agent.errors import IndexDamaged, IndexMismatch, IndexUnusable, StorageFull
from ingest.files.hashing import FileStat
from ingest.record.manifest import AssetRow, AssetState, FileRow, Manifest, Root

STAT = FileStat(5, -(10**18), 2**64 - 1, 10**18, 2**64 - 1)
LAYOUT_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots (path BLOB PRIMARY KEY, device TEXT NOT NULL, inode TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE assets (
    asset_id TEXT PRIMARY KEY, media_type TEXT NOT NULL, profile TEXT NOT NULL, reader_version INTEGER NOT NULL,
    state TEXT NOT NULL, pieces INTEGER NOT NULL, placed TEXT NOT NULL, reason TEXT NOT NULL, warnings TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE files (
    path BLOB PRIMARY KEY, root BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode TEXT NOT NULL,
    seen_ns INTEGER NOT NULL, media_type TEXT, content_id TEXT, asset_id TEXT, verdict TEXT, reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_asset ON files (asset_id);
CREATE VIEW outcomes AS
    SELECT files.path, files.asset_id, assets.warnings,
        CASE WHEN verdict IS NOT NULL THEN verdict WHEN assets.state = 'done' THEN 'indexed'
             WHEN assets.state = 'failed' THEN 'failed' ELSE 'skipped' END AS state,
        CASE WHEN verdict IS NOT NULL THEN files.reason WHEN assets.state IN ('done', 'failed', 'skipped')
             THEN assets.reason ELSE 'not read yet: run index again' END AS reason
    FROM files LEFT JOIN assets USING (asset_id);
"""


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    names = [os.fsdecode(name) for name in (b"\xff\xfe", b"new\nline", b"plain", "🙂\u202e".encode())]
    files = [
        FileRow(tmp_path / n, tmp_path, STAT, 7, "txt", f"c{i}", f"a{i}", None, "", "s", tmp_path)
        for i, n in enumerate(sorted(names))
    ]
    assets = [AssetRow("a0", "txt", "p", 3, AssetState.DONE, 4, "d", "", ("one", "two"), 2)]
    manifest = Manifest(tmp_path / "m")
    manifest.put_files(files)
    manifest.put_assets(assets)
    manifest.put_roots([Root(tmp_path, 2**63, 2**64 - 1)])
    manifest.set("profile", "p")
    manifest.close()
    manifest = Manifest(tmp_path / "m")
    found = manifest.files()
    assert found == sorted(files, key=lambda row: os.fsencode(row.path))
    assert all(row.is_same_as(file) for row in found for file in files if row.path == file.path)
    assert manifest.assets() == {"a0": assets[0]}
    assert manifest.roots() == [Root(tmp_path, 2**63, 2**64 - 1)]
    assert manifest.get("profile") == "p" and manifest.pieces() == 4
    assert [row.path for row in manifest.files() if row.asset_id == "a0"] == [files[0].path]
    manifest.close()


def test_outcome_of_a_file_is_its_own_or_that_of_its_content(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "m")
    for state in AssetState:
        manifest.put_assets([AssetRow(state.value, "txt", "p", 1, state, 1, "", f"r-{state}", ("w",))])
        manifest.put_files([FileRow(Path("/") / state.value, Path("/"), STAT, 0, "txt", "c", state.value)])
    manifest.put_files([FileRow(Path("/own"), Path("/"), STAT, 0, "txt", "c", None, "skipped", "own reason")])
    manifest.put_assets([AssetRow("quiet", "txt", "p", 1, AssetState.DONE, 1, "")])
    manifest.put_files([FileRow(Path("/quiet"), Path("/"), STAT, 0, "txt", "c", "quiet")])
    assert [o for o in manifest.outcomes() if o.state != "indexed" or o.warnings] == manifest.outcomes(noted=True)
    assert manifest.counts() == Counter(o.state for o in manifest.outcomes())
    assert {o.path.name: (o.state, o.reason, o.warnings) for o in manifest.outcomes()} == {
        "done": ("indexed", "r-done", ("w",)),
        "failed": ("failed", "r-failed", ()),
        "skipped": ("skipped", "r-skipped", ()),
        "started": ("skipped", "not read yet: run index again", ()),
        "own": ("skipped", "own reason", ()),
        "quiet": ("indexed", "", ()),
    }
    manifest.fail_asset_files("done", "changed")
    (row,) = (row for row in manifest.files() if row.path.name == "done")
    assert (row.verdict, row.reason, row.asset_id, row.stat.mtime_ns) == ("failed", "changed", None, -1)
    manifest.close()


def test_an_index_of_the_first_layout_is_taken_over(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "m")
    database.executescript(LAYOUT_1)
    database.execute("INSERT INTO meta VALUES ('schema', '1')")
    row = (b"/a/b.txt", b"/a", 5, 6, "7", 8, "txt", "c", "c", None, "")
    database.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    for key, reason in (("c", "gave no sign of life for 30 s while it was read"), ("d", "is encrypted")):
        asset = (key, "txt", "p", 1, "failed", 0, "", reason, "[]")
        database.execute("INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", asset)
    database.commit()
    database.close()
    for _ in range(2):
        manifest = Manifest(tmp_path / "m")
        assert manifest.files() == [
            FileRow(Path("/a/b.txt"), Path("/a"), FileStat(5, 6, 7), 8, "txt", "c", "c"),
        ]
        assert {key: row.cut_short for key, row in manifest.assets().items()} == {"c": 1, "d": 0}
        assert manifest.counts() == {"failed": 1} and manifest.lost() == []
        manifest.put_files(manifest.files())
        manifest.close()


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "m")
    with pytest.raises(KeyboardInterrupt), manifest.transaction():
        manifest.put_roots([Root(Path("/a"), 1, 1)])
        raise KeyboardInterrupt
    assert manifest.roots() == []
    with manifest.transaction():
        manifest.put_roots([Root(Path("/a"), 1, 1)])
        manifest.put_roots([Root(Path("/b"), 1, 1)])
    assert len(manifest.roots()) == 2
    manifest.close()


def test_damaged_foreign_and_newer_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"no database at all, surely" * 100)
    with pytest.raises(IndexDamaged, match="is damaged"):
        Manifest(tmp_path / "garbage")
    with pytest.raises(IndexUnusable, match="cannot be opened"):
        Manifest(tmp_path / "nowhere" / "m")
    Manifest(tmp_path / "m").close()
    database = sqlite3.connect(tmp_path / "m")
    database.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    database.commit()
    database.close()
    with pytest.raises(IndexMismatch, match="layout 99"):
        Manifest(tmp_path / "m")


def test_a_full_disk_is_told_and_undoes_the_write(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "m")
    manifest.put_roots([Root(Path("/a"), 1, 1)])
    pages = int(str(manifest._rows("PRAGMA page_count")[0][0]))
    manifest._rows(f"PRAGMA max_page_count = {pages}")
    rows = [FileRow(Path("/" + "x" * 200 + str(n)), Path("/"), STAT, 0) for n in range(500)]
    with pytest.raises(StorageFull, match="no room left"):
        manifest.put_files(rows)
    assert manifest.files() == [] and len(manifest.roots()) == 1
    manifest.close()
