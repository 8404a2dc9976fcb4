"""An index on a full disk, on one that may only be read, and in damaged files; and who may read what is left there."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from haystack_agent.errors import HaystackError
from haystack_agent.index_location import IndexLocation
from haystack_agent.system.private_files import make_folder, only_mine, tighten
from ingest.indexing import index
from tests.commands.test_cli import Shell, clean, objects
from tests.support.paths import ROOT
from tests.support.webserver import Client, running

ON_A_SMALL_DISK = """
import json, shutil, subprocess, sys
from pathlib import Path
from tests.commands.test_cli import Shell
disk, files = Path(sys.argv[1]), Path(sys.argv[2])
shell = Shell(files.parent)
def run(label, *arguments):
    done = shell.run(*arguments, HAYSTACK_DATA_DIR=str(disk / "data"), HAYSTACK_VIEWER="true")
    print(json.dumps([label, done.code, done.stdout.decode() + done.stderr.decode()]), flush=True)
def read(label):
    run(label, "search", "walrus")
    run(label, "ask", "How long does the walrus sleep?")
    run(label, "status")
    run(label, "open", "1")
run("made", "index", str(files), "--workers", "1")
run("made", "search", "walrus")
with (disk / "junk").open("wb") as junk:
    try:
        while True: junk.write(bytes(2 ** 16)); junk.flush()
    except OSError: pass
read("full")
run("refused", "forget", str(files))
run("refused", "index", "--workers", "1")
(disk / "junk").unlink()
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
read("read-only")
run("refused", "forget", str(files))
subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
run("made", "forget", str(files))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a small disk of its own")
def test_what_is_there_can_be_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    disk, files = tmp_path / "disk", tmp_path / "files"
    disk.mkdir()
    files.mkdir()
    (files / "walrus.md").write_text("# Note\n\nThe walrus sleeps for nineteen hours.\n")
    mount = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=320m none "$0" && exec "$@"', str(disk))
    if shutil.which("unshare") is None or subprocess.run([*mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    command = [*mount, sys.executable, "-c", ON_A_SMALL_DISK, str(disk), str(files)]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False, timeout=500, text=True)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    for label, code, said in told:
        assert code == (3 if label == "refused" else 0), (label, code, said)
        assert "Traceback" not in said and "unexpected" not in said
    for label in ("full", "read-only"):
        found, answered, status, opened = (said for one, _, said in told if one == label)
        assert "walrus.md" in found and "nineteen" in answered and "1 indexed" in status and "Opened" in opened
    assert "free some space" in next(said for label, _, said in told if label == "refused")
    assert "1 file forgotten" in told[-1][2]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What others may do anything with, the folder itself included."""
    paths = [folder, *folder.rglob("*")]
    return [str(one.relative_to(folder)) for one in paths if stat.S_IMODE(one.lstat().st_mode) & 0o077]


@pytest.mark.skipif(os.name != "posix", reason="permissions as on POSIX systems")
def test_everything_that_is_kept_is_its_users_alone(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "walrus.md").write_text("# Note\n\nThe walrus sleeps for nineteen hours.\n")
    shell = Shell(tmp_path)
    with umask(0o022):
        clean(shell.process("index", str(files), "--workers", "1"), 0)
        clean(shell.process("search", "walrus"), 0)
        clean(shell.process("ask", "How long does the walrus sleep?"), 0)
        clean(shell.process("open", "1", HAYSTACK_VIEWER="true"), 0)
        with running(tmp_path) as address:
            client = Client(address)
            assert client.get("/").status == 200
            client.told({"text": "How long does the walrus sleep?", "index": "default"})
            assert open_to_others(tmp_path / "data") == []
    assert open_to_others(tmp_path / "data") == []
    assert len(list((tmp_path / "data").rglob("*"))) > 20


@pytest.mark.skipif(os.name != "posix", reason="permissions as on POSIX systems")
def test_an_index_of_an_older_version_is_closed_at_the_next_write(tmp_path: Path) -> None:
    (tmp_path / "walrus.md").write_text("# Note\n\nThe walrus sleeps.\n")
    location = IndexLocation(tmp_path / "index")
    index(location, [tmp_path / "walrus.md"])
    for path in [location.path, *location.path.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    index(location, [])
    assert open_to_others(location.path) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions as on POSIX systems")
def test_folders_are_made_for_one_user_and_links_are_let_be(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    (tmp_path / "other").chmod(0o644)
    with umask(0):
        make_folder(tmp_path / "a" / "b" / "c")
        with only_mine():
            (tmp_path / "a" / "file").write_text("")
        (tmp_path / "a" / "loose").write_text("")
    assert open_to_others(tmp_path / "a") == ["loose"]
    (tmp_path / "a" / "link").symlink_to(tmp_path / "other")
    tighten(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a" / "loose").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o644
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "other")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    base = tmp_path_factory.mktemp("made")
    (base / "files").mkdir()
    for number in range(12):
        text = f"# Note {number}\n\nThe walrus {number} sleeps.\n"
        (base / "files" / f"{number}.md").write_text(text)
    shell = Shell(base)
    clean(shell.run("index", str(base / "files"), "--workers", "1"), 0)
    return shell


def flipped(path: Path, seed: int, number: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    content = bytearray(path.read_bytes())
    for _ in range(number):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def removed(path: Path) -> None:
    path.unlink()


WHOLE = (emptied, cut, zeroed, replaced_by_a_folder)
COMMANDS = (("status",), ("search", "walrus"), ("forget", "1.md"), ("index", "--workers", "1"))


def told(shell: Shell, base: Path, command: tuple[str, ...]) -> tuple[int | None, str]:
    """How a command ended and what it said: never what only a programmer understands."""
    arguments = [str(shell.base / "files" / one) if one.endswith(".md") else one for one in command]
    done = shell.run(*arguments, HAYSTACK_DATA_DIR=str(base / "data"))
    said = (done.stdout + done.stderr).decode()
    assert "Traceback" not in said and "unexpected error" not in said, (command, said)
    assert done.code in (0, 1, 2, 3), (command, done.code, said)
    return done.code, said


def copied(shell: Shell, base: Path) -> Path:
    subprocess.run(["cp", "-r", "--sparse=always", str(shell.base / "data"), str(base / "data")], check=True)
    return base / "data" / "indexes" / "default"


needs_cp = pytest.mark.skipif(sys.platform != "linux", reason="copies files with holes by GNU cp")


@needs_cp
@pytest.mark.parametrize("damage", WHOLE)
@pytest.mark.parametrize("name", ["manifest.sqlite", "index.json"])
def test_a_destroyed_file_of_the_index_is_told_in_one_line(
    made: Shell, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(copied(made, tmp_path) / name)
    code, said = told(made, tmp_path, ("status",))
    assert code == 3 and said.count("\n") == 1, said
    assert "index again" in said or "check its path" in said, said
    for command in COMMANDS[1:]:
        told(made, tmp_path, command)


@needs_cp
@pytest.mark.parametrize("damage", [emptied, removed])
def test_no_manifest_is_made_anew_for_pieces_that_are_there(
    made: Shell, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    damage(copied(made, tmp_path) / "manifest.sqlite")
    for command in (("index", "--workers", "1"), ("forget", "1.md"), ("status",)):
        code, said = told(made, tmp_path, command)
        assert code == 3 and "is damaged" in said, (command, said)


@needs_cp
@pytest.mark.parametrize("seed", range(8))
def test_flipped_bytes_are_told_or_harmless(made: Shell, tmp_path: Path, seed: int) -> None:
    place = copied(made, tmp_path)
    flipped(place / ("index.json" if seed % 4 == 3 else "manifest.sqlite"), seed, (1, 20, 200, 3)[seed % 4])
    for command in COMMANDS:
        told(made, tmp_path, command)


@needs_cp
def test_values_of_the_wrong_kind_are_told(made: Shell, tmp_path: Path) -> None:
    import sqlite3

    place = copied(made, tmp_path)
    for change in (
        "UPDATE files SET root = 7",
        "UPDATE assets SET state = 'odd'",
        "UPDATE assets SET pieces = 'many'",
        "UPDATE assets SET warnings = '{'",
        "UPDATE files SET size = 'large'",
        "UPDATE roots SET device = 'x'",
        "UPDATE files SET path = x'2f6100' WHERE path = (SELECT MIN(path) FROM files)",
    ):
        database = sqlite3.connect(place / "manifest.sqlite")
        before = database.serialize()
        database.execute(change)
        database.commit()
        database.close()
        said = told(made, tmp_path, ("index", "--workers", "1"))
        assert said[0] == 3 and "wrong kind" in said[1] and "delete the folder" in said[1], (change, said)
        (place / "manifest.sqlite").write_bytes(before)


@needs_cp
def test_a_panic_of_the_engine_is_not_shown(made: Shell, tmp_path: Path) -> None:
    place = copied(made, tmp_path)
    tracker = next(place.glob("edge/segments/*/payload_index/*-kind-map/tracker.dat"))
    content = bytearray(tracker.read_bytes())
    for at in range(0, 4096):
        content[at] = 0xEE
    tracker.write_bytes(content)
    done = made.process("search", "walrus", HAYSTACK_DATA_DIR=str(tmp_path / "data"))
    said = (done.stdout + done.stderr).decode()
    assert "panicked" not in said and ".rs:" not in said and "Traceback" not in said
    assert done.code == 3 and "is damaged" in said and "delete the folder" in said


def test_without_anything_to_index_nothing_is_made(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert b"no folder is named" in clean(shell.run("index"), 2).stderr
    clean(shell.run("index", str(tmp_path / "nope")), 2)
    with pytest.raises(HaystackError):
        index(IndexLocation(tmp_path / "library"), [tmp_path / "nope"])
    assert not (tmp_path / "data" / "indexes").exists() and not (tmp_path / "library").exists()
    assert b"There is no index" in clean(shell.run("search", "walrus"), 3).stderr


def test_an_index_that_holds_nothing_takes_another_profile(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    clean(shell.run("index", str(tmp_path / "files"), "--workers", "1"), 1)
    (tmp_path / "files" / "walrus.md").write_text("# Note\n\nThe walrus sleeps.\n")
    clean(shell.run("index", str(tmp_path / "files"), "--workers", "1", "--profile", "pictogram"), 1)
    (status,) = objects(clean(shell.run("status", "--json"), 0))
    assert (status["profile"], status["pieces"]) == ("pictogram", 1)
    clean(shell.run("search", "walrus"), 0)
    done = clean(shell.run("index", "--workers", "1", "--profile", "offline"), 3)
    assert b"was made with the profile 'pictogram'" in done.stderr


def test_who_holds_an_index_is_said(tmp_path: Path) -> None:
    from haystack_agent.index_lock import hold

    shell = Shell(tmp_path)
    (tmp_path / "walrus.md").write_text("# Note\n\nThe walrus sleeps.\n")
    clean(shell.run("index", str(tmp_path / "walrus.md"), "--workers", "1"), 0)
    place = tmp_path / "data" / "indexes" / "default"
    for name, commands in (("edge.lock", (("search", "walrus"), ("index",))), ("lock", (("index",),))):
        lock = hold(place / name)
        place.joinpath(name).with_suffix(".pid").write_text(f"{os.getpid()} search\n")
        for command in commands:
            done = clean(shell.run(*command), 3)
            wanted = f"{place} is in use by `haystack-agent search` (process {os.getpid()})"
            assert wanted in done.stderr.decode(), done.stderr
        lock.release()
    clean(shell.run("search", "walrus"), 0)
