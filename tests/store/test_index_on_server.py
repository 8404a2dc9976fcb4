"""An index on a Qdrant server as a person meets it: refused, down, gone, moved, and pointed at the wrong one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from haystack_agent.store.server import errors as server_errors
from haystack_agent.store.server import store as server
from tests.commands.test_cli import Done, Shell, clean, objects
from tests.support.qdrant_server import QdrantServer, serving

FORBIDDEN = (403, {"status": {"error": "Forbidden: Global manage access is required"}, "time": 0.0})


@dataclass(frozen=True)
class Place:
    """A folder of notes, a server, and the program between them."""

    shell: Shell
    server: QdrantServer

    @property
    def files(self) -> Path:
        return self.shell.base / "files"

    @property
    def index(self) -> Path:
        return self.shell.base / "data" / "indexes" / "default"

    def run(self, *arguments: str, **variables: str) -> Done:
        return self.shell.run(*arguments, stdin=b"", **variables)

    def status(self) -> dict[str, object]:
        (status,) = objects(clean(self.run("status", "--json"), 0))
        return dict(status)

    def found(self, question: str = "walrus") -> list[str]:
        done = self.run("search", question, "--json")
        assert done.code in (0, 1), done.stderr
        return [Path(one["path"]).name for one in objects(done)[0]["evidence"]]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_errors, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(server_errors, "_LONGEST_WAIT", 0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "files" / "more").mkdir(parents=True)
    for name, text in (("walrus.md", "The walrus sleeps."), ("more/seal.md", "The seal and the walrus swim.")):
        (tmp_path / "files" / name).write_text(f"# Note\n\n{text}\n", "utf-8")
    with serving() as server:
        made = Place(Shell(tmp_path), server)
        clean(made.run("index", str(made.files), "--workers", "1", "--qdrant-url", server.url), 0)
        yield made


def test_a_refused_forget_is_finished_by_the_next_command(place: Place) -> None:
    place.server.refuse_deletes = FORBIDDEN
    done = clean(place.run("forget", str(place.files / "walrus.md")), 3)
    assert b"HAYSTACK_QDRANT_API_KEY" in done.stderr
    status = place.status()
    assert (status["files"], status["unremoved"]) == ({"indexed": 1, "failed": 0, "skipped": 1}, 1)
    assert b"not done yet" in clean(place.run("status"), 0).stdout
    clean(place.run("forget", str(place.files / "walrus.md")), 3)  # it is still known, and still refused
    place.server.refuse_deletes = None
    assert b"1 file forgotten" in clean(place.run("forget", str(place.files / "walrus.md")), 0).stdout
    assert place.found() == ["seal.md"]
    assert (place.status()["unremoved"], place.status()["pieces"]) == (0, 1)


def test_a_refused_forget_of_a_whole_folder_is_finished_by_index(place: Place) -> None:
    place.server.refuse_deletes = FORBIDDEN
    clean(place.run("forget", str(place.files)), 3)
    place.server.refuse_deletes = None
    done = clean(place.run("index", "--workers", "1"), 2)  # nothing is known any more, and nothing comes back
    assert b"none was indexed before" in done.stderr
    assert list(place.server.collections().values()) == [0]
    assert place.status()["folders"] == []


def test_what_a_refused_index_could_not_remove_is_removed_later(place: Place) -> None:
    (place.files / "walrus.md").unlink()
    place.server.refuse_deletes = FORBIDDEN
    clean(place.run("index", "--workers", "1"), 3)
    assert place.status()["unremoved"] == 1
    place.server.refuse_deletes = None
    clean(place.run("index", "--workers", "1"), 0)
    assert place.found() == ["seal.md"] and place.status()["unremoved"] == 0


def test_a_forget_with_the_server_down_forgets_nothing(place: Place) -> None:
    place.server.stop()
    clean(place.run("forget", str(place.files / "walrus.md")), 3)
    status = place.status()
    assert status["files"] == {"indexed": 2, "failed": 0, "skipped": 0}
    assert "No Qdrant server answers" in str(status["vectors"])
    assert b"No Qdrant server answers" in clean(place.run("status"), 0).stdout
    place.server.start()
    clean(place.run("forget", str(place.files / "walrus.md")), 0)
    assert place.found() == ["seal.md"]


def test_the_server_is_remembered_and_the_key_is_not(place: Place) -> None:
    assert len(place.found()) == 2
    clean(place.run("index", "--workers", "1", HAYSTACK_QDRANT_API_KEY="hush-hush"), 0)
    assert not (place.index / "edge").exists()
    (name,) = place.server.collections()
    assert place.status()["vectors"] == {"server": place.server.url, "collection": name, "pieces": 2, "problem": None}
    assert b"hush-hush" not in b"".join(path.read_bytes() for path in place.index.iterdir() if path.is_file())


def test_a_moved_folder_still_finds_its_collection(place: Place) -> None:
    moved = place.index.rename(place.index.with_name("moved"))
    done = clean(place.run("search", "walrus", "--json", "--index", "moved"), 0)
    assert len(objects(done)[0]["evidence"]) == 2
    clean(place.run("index", "--index", "moved", "--workers", "1"), 0)
    assert list(place.server.collections().values()) == [2] and moved.is_dir()


def test_reading_makes_no_collection_and_says_that_it_is_gone(place: Place) -> None:
    (name,) = place.server.collections()
    place.server.client.delete_collection(name)
    for command in (("search", "walrus"), ("ask", "What sleeps?"), ("forget", str(place.files / "walrus.md"))):
        done = clean(place.run(*command), 3)
        assert b"has no collection" in done.stderr and b"haystack-agent index" in done.stderr
    assert place.server.collections() == {}
    assert "has no collection" in str(place.status()["vectors"])
    clean(place.run("index", "--workers", "1"), 0)
    assert len(place.found()) == 2


def test_a_collection_that_lost_its_pieces_is_told(place: Place) -> None:
    (name,) = place.server.collections()
    points, _ = place.server.client.scroll(name)
    place.server.client.delete(name, [point.id for point in points])
    done = clean(place.run("search", "walrus"), 3)
    assert b"2 of the 2 pieces" in done.stderr and b"haystack-agent index" in done.stderr
    assert "holds 0 pieces, and 2 were written" in str(place.status()["vectors"])
    clean(place.run("index", "--workers", "1"), 0)
    assert len(place.found()) == 2


def test_another_server_is_refused_and_moving_is_said(place: Place) -> None:
    with serving() as other:
        option = ("--qdrant-url", other.url)
        for done in (
            place.run("search", "walrus", *option),
            place.run("search", "walrus", HAYSTACK_QDRANT_URL=other.url),
        ):
            clean(done, 2)
            assert b"leave that out, or move the index there" in done.stderr
        clean(place.run("index", "--workers", "1", HAYSTACK_QDRANT_URL=other.url), 2)
        assert other.collections() == {}
        done = clean(place.run("index", "--workers", "1", "--qdrant-url", other.url), 0)
        assert b"moves from" in done.stderr and place.server.url.encode() in done.stderr
        assert other.collections() == place.server.collections()
        place.server.stop()
        assert len(place.found()) == 2
        place.server.start()


def test_moving_to_a_server_that_is_down_moves_nothing(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        clean(place.run("index", "--qdrant-url", f"http://127.0.0.1:{taken.getsockname()[1]}"), 3)
    assert len(place.found()) == 2


def test_a_card_of_an_older_version_is_looked_for_as_before(place: Place) -> None:
    card = place.index / "index.json"
    old = {name: value for name, value in json.loads(card.read_text()).items() if name in ("format", "profile")}
    old["fingerprint"] = json.loads(card.read_text())["fingerprint"]
    card.write_text(json.dumps(old))
    done = clean(place.run("index", "--workers", "1"), 2)
    assert b"--qdrant-url" in done.stderr and not (place.index / "edge").exists()
    done = clean(place.run("search", "walrus", "--json", HAYSTACK_QDRANT_URL=place.server.url), 0)
    assert len(objects(done)[0]["evidence"]) == 2
    clean(place.run("index", "--workers", "1", "--qdrant-url", place.server.url), 0)
    assert len(place.found()) == 2


def test_a_first_index_on_a_server_that_is_down_makes_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "note.md").write_text("# Note\n\nThe walrus.\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        clean(shell.run("index", str(tmp_path / "note.md"), "--qdrant-url", url), 3)
    assert not (tmp_path / "data" / "indexes" / "default").exists()


def test_keys(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "note.md").write_text("# Note\n\nThe walrus sleeps.\n")
    with serving("secret") as qdrant:
        command = ("index", str(tmp_path / "note.md"), "--workers", "1", "--qdrant-url", qdrant.url)
        assert b"asks for an API key (401): set it in HAYSTACK_QDRANT_API_KEY" in clean(shell.run(*command), 3).stderr
        wrong = clean(shell.run(*command, HAYSTACK_QDRANT_API_KEY="wrong"), 3).stderr
        assert b"refuses the API key in HAYSTACK_QDRANT_API_KEY" in wrong
        clean(shell.run(*command, HAYSTACK_QDRANT_API_KEY="secret"), 0)
        reading = "secret-read-only"
        assert b"note.md" in clean(shell.run("search", "walrus", HAYSTACK_QDRANT_API_KEY=reading), 0).stdout
        refused = clean(shell.run("forget", str(tmp_path / "note.md"), HAYSTACK_QDRANT_API_KEY=reading), 3).stderr
        assert b"may not do this" in refused and b"Global manage access is required" in refused
        clean(shell.run("forget", str(tmp_path / "note.md"), HAYSTACK_QDRANT_API_KEY="secret"), 0)
        assert list(qdrant.collections().values()) == [0]


def test_this_machine_is_never_reached_through_a_proxy(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert len(place.found()) == 2 and place.status()["vectors"] is not None
    assert "'problem': None" in str(place.status()["vectors"])


def test_a_server_that_is_stopped_is_not_waited_for_long(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server._READ_TIMEOUT <= 10
    monkeypatch.setattr(server, "_READ_TIMEOUT", 1)
    place.server.stop()
    port = int(place.server.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        assert b"did not answer in time" in clean(place.run("search", "walrus"), 3).stderr
    place.server.start()
