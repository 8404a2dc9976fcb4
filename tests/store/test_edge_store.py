"""What may happen to the embedded store: kills, a second process, damage, a full disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from haystack_agent.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexNotFound, IndexUnusable
from haystack_agent.records import AssetMeta, Box, Locator, Modality, Piece, PieceKind, Span
from haystack_agent.store.edge.store import EdgeStore
from haystack_agent.store.values import IndexedPiece, StoreSchema, VectorName
from haystack_agent.vectors import SparseVector
from tests.support.paths import ROOT

SCHEMA = StoreSchema(((VectorName.TEXT, 32),))
BATCH = 100


def piece(number: int) -> IndexedPiece:
    """The same piece for the same number in every process."""
    vector = np.random.default_rng(number).normal(size=32).astype(np.float32)
    spans = tuple(Span(8 * i, 8 * i + 7, Box(i / 40, 0.1, (i + 1) / 40, 0.2)) for i in range(40))
    return IndexedPiece(
        Piece(
            asset_id=f"asset {number // 50}",
            kind=PieceKind.PASSAGE,
            modality=Modality.DOCUMENT,
            index=number % 50,
            locator=Locator(page=number % 7 + 1),
            text=f"word{number:04d} " * 40,
            meta=AssetMeta("pdf", title=f"Title {number}"),
            spans=spans,
        ),
        (f"/data/{number // 50}.pdf",),
        datetime(2026, 1, 1, tzinfo=UTC),
        ((VectorName.TEXT, vector / np.float32(np.linalg.norm(vector))),),
        SparseVector((1, 100 + number), (0.5, 1.0)),
    )


def run_child(code: str, *arguments: object, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start another Python that can import this module as `t`."""
    program = f"import sys\nfrom pathlib import Path\nfrom tests.store import test_edge_store as t\n{code}"
    command = [*before, sys.executable, "-c", program]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


WRITER = """
store = t.EdgeStore.open(Path(sys.argv[1]), t.SCHEMA)
for start in range(0, int(sys.argv[2]), t.BATCH):
    store.upsert([t.piece(n) for n in range(start, start + t.BATCH)])
    print(start + t.BATCH, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
@pytest.mark.parametrize("until", [300, 2000])
def test_a_kill_loses_nothing_acknowledged(tmp_path: Path, until: int) -> None:
    acknowledged = 0
    with run_child(WRITER, tmp_path / "edge", 2000) as child:
        assert child.stdout
        while acknowledged < until:
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
    assert child.returncode == -signal.SIGKILL

    store = EdgeStore.open(tmp_path / "edge", SCHEMA, create=False)
    count = store.count()
    assert acknowledged <= count <= 2000
    found = {item.piece.id: item for item in store.fetch(list(store.asset_ids()))}
    assert len(found) == count
    for number in range(acknowledged):
        wanted = piece(number)
        read = found[wanted.piece.id]
        assert (read.piece.text, read.piece.meta, read.bm25) == (wanted.piece.text, wanted.piece.meta, wanted.bm25)
        np.testing.assert_allclose(read.dense[0][1], wanted.dense[0][1], atol=1e-6)
    rarest = store.search_sparse(SparseVector((100 + acknowledged - 1,), (1.0,)), 3)
    assert [hit.indexed.piece.id for hit in rarest] == [piece(acknowledged - 1).piece.id]
    store.upsert([piece(number) for number in range(2000)])
    assert store.count() == 2000
    store.close()


def test_a_second_process_is_told_that_the_index_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "edge"
    store = EdgeStore.open(path, SCHEMA)
    store.upsert([piece(0)])
    child = run_child(
        "try: t.EdgeStore.open(Path(sys.argv[1]), t.SCHEMA)\nexcept t.IndexBusy as error: print(error)", path
    )
    said, _ = child.communicate(timeout=60)
    assert said.startswith(f"The index {path.parent} is in use by process {os.getpid()}: wait until")
    with pytest.raises(IndexBusy, match="wait until that is done"):
        EdgeStore.open(path, SCHEMA)
    assert store.count() == 1
    store.close()
    again = EdgeStore.open(path, SCHEMA)
    assert again.count() == 1
    again.close()


def test_a_closed_store_refuses_and_nothing_else_happens(tmp_path: Path) -> None:
    store = EdgeStore.open(tmp_path / "edge", SCHEMA)
    store.close()
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.count()


def test_other_threads_may_search(tmp_path: Path) -> None:
    store = EdgeStore.open(tmp_path / "edge", SCHEMA)
    store.upsert([piece(number) for number in range(50)])
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(store.count())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [50] * 4
    store.close()


def test_a_missing_index_is_not_made_unless_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "edge"
    with pytest.raises(IndexNotFound, match="haystack-agent index"):
        EdgeStore.open(path, SCHEMA, create=False)
    assert not path.parent.exists()
    path.mkdir(parents=True)
    with pytest.raises(IndexNotFound):
        EdgeStore.open(path, SCHEMA, create=False)
    EdgeStore.open(path, SCHEMA).close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["edge", "edge.lock"]
    EdgeStore.open(path, SCHEMA, create=False).close()


def test_a_file_in_the_place_of_the_index(tmp_path: Path) -> None:
    (tmp_path / "edge").write_text("not an index")
    with pytest.raises(IndexUnusable):
        EdgeStore.open(tmp_path / "edge", SCHEMA)
    with pytest.raises(IndexUnusable):
        EdgeStore.open(tmp_path / "edge" / "deeper", SCHEMA)
    assert (tmp_path / "edge").read_text() == "not an index"


def segment(path: Path) -> Path:
    (only,) = (path / "segments").iterdir()
    return only


def forget_points(path: Path) -> None:
    """Damage of which the engine says nothing: it finds no points."""
    empty = path.parent / "empty"
    EdgeStore.open(empty, SCHEMA).close()
    (segment(path) / "mutable_id_tracker.mappings").write_bytes(b"")
    shutil.rmtree(path / "wal")
    (empty / "wal").rename(path / "wal")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "configuration is rubbish": lambda path: (path / "edge_config.json").write_text("{"),
    "configuration is another JSON": lambda path: (path / "edge_config.json").write_text("[1]"),
    "configuration is gone": lambda path: (path / "edge_config.json").unlink(),
    "log is gone": lambda path: shutil.rmtree(path / "wal"),
    "log is rubbish": lambda path: next((path / "wal").glob("open-*")).write_bytes(os.urandom(5000)),
    "segments are gone": lambda path: shutil.rmtree(path / "segments"),
    "segments folder is empty": lambda path: shutil.rmtree(segment(path)),
    "state is gone": lambda path: (segment(path) / "segment.json").unlink(),
    "state is rubbish": lambda path: (segment(path) / "segment.json").write_bytes(b"\xff" * 10),
    "version is empty": lambda path: (segment(path) / "version.info").write_text(""),
    "ids and log are those of an empty index": forget_points,
    "ids are rubbish": lambda path: (segment(path) / "mutable_id_tracker.mappings").write_bytes(b"\xdc" * 900),
    "payloads are cut": lambda path: os.truncate(segment(path) / "payload_storage" / "tracker.dat", 0),
    "the number of pieces is rubbish": lambda path: (path / "closed.json").write_text("{}"),
}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("closed") / "edge"
    store = EdgeStore.open(path, SCHEMA)
    store.upsert([piece(number) for number in range(200)])
    store.close()
    return path


def copy(source: Path, target: Path) -> Path:
    """Copy a shard with the holes in its files: they are far longer than what they take."""
    subprocess.run(["cp", "-r", "--sparse=always", source, target], check=True)
    return target


@pytest.mark.skipif(sys.platform != "linux", reason="copies files with holes by GNU cp")
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_at_once(closed: Path, tmp_path: Path, damage: str) -> None:
    path = copy(closed, tmp_path / "edge")
    DAMAGES[damage](path)
    with pytest.raises(IndexDamaged, match=r"(?s)^[^\n]*edge[^\n]* is damaged [^\n]*index again[^\n]*$"):
        EdgeStore.open(path, SCHEMA)


@pytest.mark.skipif(sys.platform != "linux", reason="copies files with holes by GNU cp")
def test_lost_ids_are_read_from_the_log(closed: Path, tmp_path: Path) -> None:
    path = copy(closed, tmp_path / "edge")
    (segment(path) / "mutable_id_tracker.mappings").write_bytes(b"")
    store = EdgeStore.open(path, SCHEMA)
    found = {item.piece.id: item for item in store.fetch(list(store.asset_ids()))}
    for wanted in map(piece, range(200)):
        read = found.pop(wanted.piece.id)
        assert (read.piece.text, read.bm25) == (wanted.piece.text, wanted.bm25)
    assert found == {}
    store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="copies files with holes by GNU cp")
def test_damage_found_by_a_search_only(closed: Path, tmp_path: Path) -> None:
    path = copy(closed, tmp_path / "edge")
    (segment(path) / "payload_storage" / "page_0.dat").write_bytes(os.urandom(2**20))
    store = EdgeStore.open(path, SCHEMA)
    with pytest.raises(IndexDamaged):
        store.search_dense(VectorName.TEXT, piece(0).dense[0][1], 5)
    store.close()


def test_a_mismatch_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "edge"
    store = EdgeStore.open(path, SCHEMA)
    store.upsert([piece(number) for number in range(10)])
    store.close()
    with pytest.raises(IndexMismatch, match=r"text of length 32.*text of length 64"):
        EdgeStore.open(path, StoreSchema(((VectorName.TEXT, 64),)))
    again = EdgeStore.open(path, SCHEMA)
    assert again.count() == 10
    again.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_use_after_a_fork_is_refused_instead_of_hanging(tmp_path: Path) -> None:
    store = EdgeStore.open(tmp_path / "edge", SCHEMA)
    child = os.fork()
    if child == 0:
        try:
            store.count()
        except RuntimeError:
            os._exit(7)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    store.close()


FULL_DISK = """
from haystack_agent.errors import StorageFull
import shutil
disk = Path(sys.argv[1])
def fill(left):
    with (disk / "junk").open("ab") as junk:
        junk.write(bytes(max(0, shutil.disk_usage(disk).free - left)))
def refused(action):
    try: action()
    except StorageFull as error: print("refused:", error)
pieces = [t.piece(n) for n in range(300)]
store = t.EdgeStore.open(disk / "edge", t.SCHEMA)
store.upsert(pieces[:100])
fill(40 * 2**20)
refused(lambda: store.upsert(pieces))
refused(lambda: store.delete_assets(["asset 0"]))
print(store.count(), len(store.search_sparse(t.SparseVector((1,), (1.0,)), 200)))
store.close()
refused(lambda: t.EdgeStore.open(disk / "edge", t.SCHEMA))
refused(lambda: t.EdgeStore.open(disk / "other", t.SCHEMA))
(disk / "junk").unlink()
store = t.EdgeStore.open(disk / "edge", t.SCHEMA)
store.upsert(pieces)
print(store.count())
store.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a small disk of its own")
def test_a_full_disk_is_told_before_it_kills(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=320m none "$0" && exec "$@"', str(disk))
    if shutil.which("unshare") is None or subprocess.run([*mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    child = run_child(FULL_DISK, disk, before=mount)
    said, _ = child.communicate(timeout=60)
    lines = said.splitlines()
    assert child.returncode == 0, said
    assert [line.split(" that")[0] for line in lines] == [
        "refused: The disk",
        "refused: The disk",
        "100 100",
        "refused: The disk",
        "refused: The disk",
        "300",
    ]
    assert "free some space" in lines[0]
