from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.files.discover import DiscoverOptions, Discovery, FileState, discover, outermost


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def found(discovery: Discovery, root: Path) -> set[str]:
    return {entry.path.relative_to(root).as_posix() for entry in discovery.found}


def refused(discovery: Discovery) -> dict[str, tuple[FileState, str]]:
    return {entry.path.name: (entry.state, entry.reason) for entry in discovery.refused}


def test_hidden_files_and_caches_are_passed_over_unless_asked_for(tmp_path: Path) -> None:
    make(
        tmp_path, "a.txt", ".secret", ".config/b.txt", "node_modules/c.txt", "x/@eaDir/d.jpg", "x/Thumbs.db", "~$a.docx"
    )
    make(tmp_path, "env/pyvenv.cfg", "env/e.txt", "x/y/z.txt", "tagged/f.txt")
    (tmp_path / "tagged" / "CACHEDIR.TAG").write_bytes(b"Signature: 8a477f597d28d172789f06886806bc55\n")
    discovery = discover([tmp_path])
    assert found(discovery, tmp_path) == {"a.txt", "x/y/z.txt"}
    assert discovery.passed_over == 8
    assert "env/e.txt" in found(discover([tmp_path], DiscoverOptions(hidden=True)), tmp_path)


def test_ignore_files(tmp_path: Path) -> None:
    make(tmp_path, "a.log", "b.txt", "sub/a.log", "sub/keep.log", "build/x.txt", "sub/build.txt", "sub/c.tmp")
    (tmp_path / ".haystackignore").write_text("*.log\nbuild/\n# no rule\n\n[bad\n!\n")
    (tmp_path / "sub" / ".ignore").write_text("!keep.log\n")
    (tmp_path / "sub" / ".gitignore").write_text("*.tmp\n")
    assert found(discover([tmp_path]), tmp_path) == {"b.txt", "sub/keep.log", "sub/build.txt", "sub/c.tmp"}
    everything = found(discover([tmp_path], DiscoverOptions(ignore_files=False)), tmp_path)
    assert everything == {"a.log", "b.txt", "sub/a.log", "sub/keep.log", "build/x.txt", "sub/build.txt", "sub/c.tmp"}
    (tmp_path / ".git").mkdir()
    assert "sub/c.tmp" not in found(discover([tmp_path]), tmp_path)
    assert "c.tmp" not in found(discover([tmp_path / "sub"]), tmp_path / "sub")


def test_ignore_files_above_the_root_do_not_hold(tmp_path: Path) -> None:
    make(tmp_path, "data/a.txt")
    (tmp_path / ".ignore").write_text("data\n")
    assert found(discover([tmp_path]), tmp_path) == set()
    assert found(discover([tmp_path / "data"]), tmp_path / "data") == {"a.txt"}


def test_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(root, "real/a.txt", ".hidden/b.txt")
    make(tmp_path, "outside/c.txt")
    (root / "circle").symlink_to(root)
    (root / "real" / "up").symlink_to("..")
    (root / "same").symlink_to("real")
    (root / "shown").symlink_to(".hidden")
    (root / "file").symlink_to("real/a.txt")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "dead").symlink_to("nothing")
    (root / "loop").symlink_to("loop")
    discovery = discover([root])
    assert found(discovery, root) == {"real/a.txt", "file", "shown/b.txt"}
    assert {entry.real for entry in discovery.found} == {root / "real/a.txt", root / ".hidden/b.txt"}
    assert {name: state for name, (state, _) in refused(discovery).items()} == dict.fromkeys(
        ("out", "dead", "loop"), FileState.SKIPPED
    )
    assert "outside of the folder" in refused(discovery)["out"][1]


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "sock"))
        discovery = discover([tmp_path])
    assert discovery.found == []
    assert refused(discovery) == {
        "pipe": (FileState.SKIPPED, "is a named pipe, which is never opened"),
        "sock": (FileState.SKIPPED, "is a socket, which is never opened"),
    }
    (device,) = discover([Path("/dev/null")]).refused
    assert device.reason == "is a device, which is never opened"


@pytest.fixture
def as_anybody() -> Iterator[Path]:
    """A folder, and for the time of the test the rights of a user who is not root: root may read everything."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0, 0o200, 0o600])
def test_a_folder_that_cannot_be_listed_is_told_and_unknown(as_anybody: Path, mode: int) -> None:
    saved = os.geteuid()
    if os.getuid() == 0:
        os.seteuid(0)
    make(as_anybody, "closed/a.txt", "b.txt")
    (as_anybody / "closed").chmod(mode)
    os.chown(as_anybody / "closed", saved, -1)
    os.seteuid(saved)
    discovery = discover([as_anybody])
    assert found(discovery, as_anybody) == {"b.txt"}
    assert {(one.path.is_relative_to(as_anybody / "closed"), one.state) for one in discovery.refused} == {
        (True, FileState.FAILED)
    }
    assert all("permission denied" in one.reason for one in discovery.refused)
    # Whatever was indexed from there is kept.
    assert any((as_anybody / "closed" / "a.txt").is_relative_to(path) for path in discovery.unseen)
    assert discover([as_anybody / "closed"]).unseen == [as_anybody / "closed"] or mode == 0o600, "as a root too"


def test_missing_and_nested_roots_and_single_files(tmp_path: Path) -> None:
    make(tmp_path, "a/b/c.txt", "a/d.txt")
    assert outermost([tmp_path / "a" / "b", tmp_path / "a", tmp_path / "a" / "b" / ".."]) == [tmp_path / "a"]
    assert len(discover([tmp_path / "a", tmp_path / "a" / "b"]).found) == 2
    assert found(discover([tmp_path / "a" / "d.txt"]), tmp_path / "a") == {"d.txt"}
    gone = discover([tmp_path / "gone"])
    assert gone.unseen == [tmp_path / "gone"] and gone.refused[0].state is FileState.FAILED


def test_odd_names_and_deep_folders(tmp_path: Path) -> None:
    names = [b"new\nline", "\u202eexe.fdp".encode(), "🙂".encode(), b"\xff\xfe", b"n" * 255]
    for name in names:
        os.close(os.open(os.path.join(os.fsencode(tmp_path), name), os.O_CREAT))  # noqa: PTH118 - bytes
    deep = tmp_path
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    make(deep, "x.txt")
    discovery = discover([tmp_path])
    assert {os.fsencode(entry.path.name) for entry in discovery.found} == {*names, b"x.txt"}


def test_excluded_folder(tmp_path: Path) -> None:
    make(tmp_path, "index/manifest.sqlite", "a.txt")
    options = DiscoverOptions(exclude=frozenset((tmp_path / "index",)))
    assert found(discover([tmp_path], options), tmp_path) == {"a.txt"}
