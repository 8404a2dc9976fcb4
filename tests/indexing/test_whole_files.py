"""Files that are written whole or not at all, and errors of full disks."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from haystack_agent.system.full_disk import is_full
from haystack_agent.system.loopback import is_loopback
from haystack_agent.system.private_files import read_private, write_private
from haystack_agent.system.whole_files import replacing, write_whole


def test_what_was_there_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    write_whole(path, "one")
    write_whole(path, "zwei Äpfel\n")
    assert path.read_bytes() == "zwei Äpfel\n".encode()
    write_whole(path, b"\r\n\x00")
    assert path.read_bytes() == b"\r\n\x00"
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_text("old")
    with replacing(path) as draft:
        draft.write_text("half of the n")
        assert path.read_text() == "old"
        assert draft.suffix == ".png", "programs choose the format by it"
        assert draft.name.startswith("."), "a folder that is indexed meanwhile must not take it for a file"
        draft.write_text("new")
    assert path.read_text() == "new"


def test_a_draft_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), replacing(path) as draft:
        draft.write_text("half")
        raise OSError(errno.ENOSPC, "full")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["card.json"]


def test_a_folder_that_is_none_is_told_as_the_system_tells_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        write_whole(tmp_path / "file" / "card.json", "{}")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions as on POSIX systems")
def test_private_files_are_their_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "new" / "token", "hush")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert read_private(tmp_path / "new" / "token") == "hush"
    assert read_private(tmp_path / "none") is None


def test_both_ways_of_having_no_room_are_known() -> None:
    assert is_full(OSError(errno.ENOSPC, ""))
    assert is_full(OSError(errno.EDQUOT, ""))
    assert not is_full(OSError(errno.EACCES, ""))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_addresses_that_are_reached_from_here_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1"])  # noqa: S104
def test_addresses_that_others_reach(host: str) -> None:
    assert not is_loopback(host)
