"""Files that are not there any more: which are taken for deleted, moved, or in a place that is lost for now."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haystack_agent.errors import UsageError
from ingest.pipeline import IndexOptions, IndexParts, forget, index_folders, status
from ingest.record.progress import IndexReport, KeptFolder
from tests.support.indexing.toyindex import close_index, contents, open_index

FAST = IndexOptions(workers=1)
GONE = replace(FAST, gone=True)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[IndexParts]:
    parts = open_index(tmp_path / "index")
    yield parts
    close_index(parts)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with three files in each of two folders, and one of its own."""
    root = tmp_path / "root"
    for name in ("disk/1", "disk/deep/2", "disk/deep/3", "home/4", "home/5", "home/6", "7"):
        path = root / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text {name}")
    return root


def names(index: IndexParts) -> list[str]:
    return sorted(text.rpartition("/")[2].removeprefix("text ") for _, text, *_ in contents(index))


def kept(report: IndexReport) -> dict[str, int]:
    return {Path(one.path).name: one.files for one in report.kept}


def reasons(index: IndexParts) -> dict[str, str]:
    return {Path(p.path).name: p.reason for p in status(index.manifest).problems}


def test_a_folder_that_is_empty_or_missing_keeps_its_files_and_says_so(index: IndexParts, root: Path) -> None:
    index_folders([root], index, FAST)
    (root / "disk").rename(root.parent / "away")
    report = index_folders([root], index, FAST)
    assert kept(report) == {"disk": 3} and report.removed == 0
    assert names(index) == list("1234567")
    assert (report.counts.indexed, report.counts.failed) == (7, 1)
    assert "3 files of it stay in the index" in reasons(index)["disk"] and "--gone" in reasons(index)["disk"]
    (root / "disk").mkdir()
    for _ in range(2):
        report = index_folders([root], index, FAST)
        assert kept(report) == {"disk": 3} and report.removed == 0
        assert status(index.manifest).kept == (KeptFolder(str(root / "disk"), 3),)
    (root / "disk").rmdir()
    (root.parent / "away").rename(root / "disk")
    report = index_folders([root], index, FAST)
    assert (report.kept, report.read, report.counts.failed) == ((), 0, 0)
    assert status(index.manifest).kept == () and reasons(index) == {}


def test_what_is_kept_stays_kept_when_something_new_is_put_in_its_place(index: IndexParts, root: Path) -> None:
    index_folders([root], index, FAST)
    shutil.rmtree(root / "disk")
    index_folders([root], index, FAST)
    (root / "disk").mkdir()
    (root / "disk" / "other.txt").write_text("text other")
    report = index_folders([root], index, FAST)
    assert kept(report) == {"disk": 3} and len(names(index)) == 8


def test_a_place_that_came_back_may_have_lost_a_file(index: IndexParts, root: Path) -> None:
    index_folders([root], index, FAST)
    (root / "disk").rename(root.parent / "away")
    index_folders([root], index, FAST)
    (root.parent / "away" / "1.txt").unlink()
    (root.parent / "away").rename(root / "disk")
    report = index_folders([root], index, FAST)
    assert (report.kept, report.removed) == ((), 1)


def test_some_files_or_the_only_one_of_a_folder_are_deleted_without_ado(index: IndexParts, root: Path) -> None:
    (root / "lonely").mkdir()
    (root / "lonely" / "8.txt").write_text("text lonely/8")
    index_folders([root], index, FAST)
    for name in ("home/4.txt", "home/5.txt", "disk/1.txt", "lonely/8.txt"):
        (root / name).unlink()
    report = index_folders([root], index, FAST)
    assert (report.removed, report.kept, report.counts.failed) == (4, (), 0)
    assert names(index) == list("2367")


@pytest.mark.parametrize("emptied", [True, False])
def test_all_files_of_a_root_are_kept_until_the_user_says_yes(index: IndexParts, root: Path, emptied: bool) -> None:
    index_folders([root], index, FAST)
    shutil.rmtree(root)
    if emptied:
        root.mkdir()
    report = index_folders([], index, FAST)
    assert kept(report) == {"root": 7} and report.removed == 0 and report.counts.failed == 1
    assert len(names(index)) == 7
    report = index_folders([], index, GONE)
    assert (report.removed, report.kept, report.counts.found) == (7, (), 0)
    assert names(index) == [] and status(index.manifest).problems == ()
    assert [Path(path) for path in status(index.manifest).roots] == ([root] if emptied else [])


def test_forgetting_is_the_other_way(index: IndexParts, root: Path) -> None:
    index_folders([root], index, FAST)
    shutil.rmtree(root / "disk")
    index_folders([root], index, FAST)
    forget(root / "disk", index)
    assert status(index.manifest).kept == () and names(index) == list("4567")
    report = index_folders([root], index, FAST)
    assert (report.kept, report.counts.failed) == ((), 0)


def test_a_folder_that_was_moved_or_renamed_keeps_nothing(index: IndexParts, root: Path, tmp_path: Path) -> None:
    index_folders([root], index, FAST)
    (root / "disk").rename(root / "home" / "renamed")
    report = index_folders([root], index, FAST)
    assert (report.moved, report.read, report.kept, report.counts.failed) == (3, 0, (), 0)
    other = tmp_path / "other"
    other.mkdir()
    (root / "home").rename(other / "home")
    report = index_folders([root, other], index, FAST)
    assert (report.moved, report.read, report.kept, report.counts.failed) == (6, 0, (), 0)
    assert names(index) == list("1234567")


def test_what_is_ignored_now_is_not_kept(index: IndexParts, root: Path) -> None:
    index_folders([root], index, FAST)
    (root / ".ignore").write_text("disk/\n")
    report = index_folders([root], index, FAST)
    assert (report.removed, report.kept) == (3, ())


@pytest.mark.parametrize("outside", [True, False])
def test_a_folder_replaced_by_a_link(index: IndexParts, root: Path, tmp_path: Path, outside: bool) -> None:
    index_folders([root], index, FAST)
    place = (tmp_path if outside else root) / "elsewhere"
    (root / "disk").rename(place)
    (root / "disk").symlink_to(place)
    report = index_folders([root], index, FAST)
    assert kept(report) == ({"disk": 3} if outside else {})
    assert names(index) == list("1234567")


def test_a_root_replaced_by_a_link(index: IndexParts, root: Path, tmp_path: Path) -> None:
    index_folders([root], index, FAST)
    (tmp_path / "empty").mkdir()
    root.rename(tmp_path / "bigger")
    root.symlink_to(tmp_path / "empty")
    report = index_folders([], index, FAST)
    assert kept(report) == {"root": 7} and report.counts.failed == 1
    assert "is a link now" in reasons(index)["root"]
    assert [Path(path) for path in status(index.manifest).roots] == [root]
    root.unlink()
    root.symlink_to(tmp_path / "bigger")
    report = index_folders([root], index, FAST)
    assert (report.kept, report.read, report.moved, report.counts.failed) == ((), 0, 7, 0)
    assert [Path(path) for path in status(index.manifest).roots] == [tmp_path / "bigger"]
    assert len(names(index)) == 7


def test_a_named_folder_that_was_never_there_is_still_wrong_usage(index: IndexParts, root: Path) -> None:
    index_folders([root], index, FAST)
    shutil.rmtree(root / "disk")
    with pytest.raises(UsageError, match="there is no file or folder"):
        index_folders([root / "disk"], index, FAST)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on which another file system is mounted."""
    disk = tmp_path / "root" / "usb"
    disk.mkdir(parents=True)
    if shutil.which("mount") is None or subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=False).returncode:
        pytest.skip("this user cannot mount anything")
    yield disk
    subprocess.run(["umount", disk], check=False, stderr=subprocess.DEVNULL)


def test_a_disk_with_one_file_that_is_not_mounted_any_more(index: IndexParts, root: Path, disk: Path) -> None:
    (disk / "8.txt").write_text("text usb/8")
    index_folders([root], index, FAST)
    subprocess.run(["umount", disk], check=True)
    (disk / "not mounted.txt").write_text("text no disk is here")
    report = index_folders([root], index, FAST)
    assert kept(report) == {"usb": 1} and "8" in names(index)
    assert index_folders([root], index, GONE).removed == 1


def test_a_new_number_of_the_device_alone_is_no_lost_place(index: IndexParts, root: Path) -> None:
    index_folders([root], index, FAST)
    rows = index.manifest.files()
    index.manifest.put_files(replace(row, stat=replace(row.stat, device=row.stat.device + 1)) for row in rows)
    (root / "7.txt").unlink()
    report = index_folders([root], index, FAST)
    assert (report.removed, report.kept) == (1, ())
    assert {row.stat.device for row in index.manifest.files()} == {os.stat(root).st_dev}  # noqa: PTH116
