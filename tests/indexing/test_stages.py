"""The stages of indexing: what passes between them, and what is left when one of them fails."""

from __future__ import annotations

import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from haystack_agent.encoders.pieces import NewPiece, encoder_of
from haystack_agent.errors import ModelUnavailable, StorageFull, StoreUnreachable
from haystack_agent.records import AssetMeta, Locator, Modality, Piece, PieceKind
from haystack_agent.store.edge.store import EdgeStore
from haystack_agent.store.values import IndexedPiece
from ingest.pipeline import IndexOptions, IndexParts, index_folders, status
from ingest.record.manifest import AssetState, Manifest
from ingest.record.progress import IndexProgress, Phase
from ingest.stages import local
from ingest.stages.backends import Backend, opener_of
from ingest.stages.protocol import Means, OpenStages, Stages
from ingest.workers.sandbox import Limits, SandboxOptions
from tests.support.indexing import poolstages
from tests.support.indexing.toyindex import ToyEncoder, close_index, contents, open_index
from tests.support.indexing.toyreaders import registry

FAST = IndexOptions(workers=1, limits=lambda _: Limits(silent=1.5, total=20, memory=500 << 20))
Failure = tuple[type, str, int, BaseException, bool]
BACKENDS = [*map(opener_of, Backend), poolstages.open_stages]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[IndexParts]:
    parts = open_index(tmp_path / "index")
    yield parts
    close_index(parts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that fill batches, share one, and fail halfway."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "big.txt").write_text("\n".join(f"big {n}" for n in range(300)))
    for number in range(8):
        (folder / f"{number}.txt").write_text(f"small {number}\nmore {number}")
    (folder / "bad.txt").write_text("half\n" * 70 + "!RAISE no")
    return folder


def encoding_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("haystack-")]


def pieces(number: int) -> list[NewPiece]:
    meta, when = AssetMeta("txt"), datetime(2024, 1, 1, tzinfo=UTC)
    texts = [f"text {n}" for n in range(number)]
    found = [Piece("a", PieceKind.PASSAGE, Modality.DOCUMENT, n, Locator(page=1), t, meta) for n, t in enumerate(texts)]
    return [NewPiece(piece, ("/a.txt",), when) for piece in found]


@pytest.mark.parametrize("open_stages", BACKENDS)
def test_every_backend_keeps_the_order_and_leaves_nothing_behind(open_stages: OpenStages) -> None:
    encoding = open_stages(Means(registry(), ToyEncoder(), SandboxOptions())).encoding
    before = set(threading.enumerate())
    with closing(encoding):
        batches = [pieces(number) for number in range(1, encoding.most_batches + 1)]
        futures = [encoding.submit(batch) for batch in batches]
        for batch, future in zip(batches, futures, strict=True):
            assert [one.piece for one in future.result()] == [new.piece for new in batch]
    encoding.close()
    assert set(threading.enumerate()) <= before and encoding.most_batches >= 1


def test_another_engine_makes_the_same_index(index: IndexParts, folder: Path, tmp_path: Path) -> None:
    index_folders([folder], index, FAST)
    other = open_index(tmp_path / "other")
    report = index_folders([folder], other, replace(FAST, stages=poolstages.open_stages))
    assert report.counts.indexed == 9 and contents(other) == contents(index)
    close_index(other)


def test_the_encoder_of_an_index_can_be_sent_to_another_engine() -> None:
    encoder = encoder_of("offline")
    (mine,), (theirs,) = encoder.encode(pieces(1)), pickle.loads(pickle.dumps(encoder)).encode(pieces(1))  # noqa: S301
    assert mine.bm25 == theirs.bm25 and mine.dense[0][1].tolist() == theirs.dense[0][1].tolist()


def test_small_files_are_marked_while_a_long_one_is_read(index: IndexParts, folder: Path) -> None:
    for path in (folder / "big.txt", folder / "bad.txt"):
        path.unlink()
    (folder / "long.txt").write_text("!NAP 30")

    def die_when_marked(state: IndexProgress) -> None:
        done = [row for row in index.manifest.assets().values() if row.state is AssetState.DONE]
        if state.phase is Phase.READ and len(done) == 8:
            raise SystemExit  # nothing is tidied up: as if killed

    limits = Limits(silent=60, total=60, memory=500 << 20)
    with pytest.raises(SystemExit):
        index_folders([folder], index, IndexOptions(workers=2, limits=lambda _: limits), die_when_marked)
    assert status(index.manifest).counts.indexed == 8 and index.store.count() == 16


class SlowStages:
    """Local stages that count the batches which are with the encoder at once."""

    def __init__(self) -> None:
        self.under_way = self.most = 0

    def __call__(self, means: Means) -> Stages:
        """Open them."""
        self._stages = local.open_stages(means)
        self.most_batches = self._stages.encoding.most_batches
        return replace(self._stages, encoding=self)

    def submit(self, batch: Sequence[NewPiece]) -> Future[list[IndexedPiece]]:
        """See `EncodingStage`."""
        future = self._stages.encoding.submit(batch)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        original = future.result

        def result(timeout: float | None = None) -> list[IndexedPiece]:
            encoded = original(timeout)
            self.under_way -= 1
            return encoded

        future.result = result  # type: ignore[method-assign]
        return future

    def close(self) -> None:
        """See `EncodingStage`."""
        self._stages.encoding.close()


class SlowEncoder(ToyEncoder):
    """Takes its time, so that the queue before it is full."""

    def encode(self, new: Sequence[NewPiece]) -> list[IndexedPiece]:
        """Encode pieces."""
        threading.Event().wait(0.05)
        return super().encode(new)


def test_a_slow_encoder_is_waited_for_with_few_batches(index: IndexParts, folder: Path) -> None:
    (folder / "big.txt").write_text("\n".join(f"big {n}" for n in range(2000)))
    stages = SlowStages()
    report = index_folders([folder], replace(index, encoder=SlowEncoder()), replace(FAST, stages=stages))
    assert report.pieces == 2016 and stages.most == stages.most_batches


class FailingEncoder(ToyEncoder):
    """Fails at its third batch."""

    def encode(self, new: Sequence[NewPiece]) -> list[IndexedPiece]:
        """Encode pieces."""
        if len(self.encoded) >= 128:
            raise ModelUnavailable("the model is gone")
        return super().encode(new)


def test_an_encoder_that_fails_ends_the_run_and_harms_nothing(index: IndexParts, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="the model is gone"):
        index_folders([folder], replace(index, encoder=FailingEncoder()), FAST)
    assert not encoding_threads()
    assert_recovers(index, folder, tmp_path)


def assert_recovers(index: IndexParts, folder: Path, tmp_path: Path) -> None:
    """The next run makes of the index what a run that nobody disturbed makes."""
    marked = {key: row.pieces for key, row in index.manifest.assets().items() if row.state is AssetState.DONE}
    stored = [indexed.piece.asset_id for indexed in index.store.fetch(list(marked))]
    assert {key: stored.count(key) for key in marked} == marked, "what is marked is there"
    index_folders([folder], index, FAST)
    fresh = open_index(tmp_path / "fresh")
    index_folders([folder], fresh, FAST)
    assert contents(index) == contents(fresh)
    assert status(index.manifest).counts == status(fresh.manifest).counts
    close_index(fresh)


FAILURES: list[Failure] = [
    (Manifest, "put_assets", 2, KeyboardInterrupt(), True),
    (EdgeStore, "upsert", 1, KeyboardInterrupt(), False),
    (EdgeStore, "upsert", 4, KeyboardInterrupt(), True),
    (EdgeStore, "flush", 1, KeyboardInterrupt(), True),
    (Manifest, "put_assets", 2, StorageFull("full"), False),
    (EdgeStore, "upsert", 4, StorageFull("full"), False),
    (EdgeStore, "delete_assets", 1, StoreUnreachable("gone"), True),
    (EdgeStore, "upsert", 4, StoreUnreachable("gone"), True),
]
"""Which step fails, when it is done for that many times, how, and whether only after it was done."""


def fails_at(monkeypatch: pytest.MonkeyPatch, at: Failure) -> Callable[[], int]:
    """Let a step fail once; returns how often it failed."""
    kind, name, left, error, after = at
    step: Callable[..., Any] = getattr(kind, name)
    failed = 0

    def failing(*args: Any) -> Any:
        nonlocal left, failed
        left -= 1
        result = step(*args) if left or after else None
        if left == 0:
            failed += 1
            raise error
        return result

    monkeypatch.setattr(kind, name, failing)
    return lambda: failed


@pytest.mark.parametrize("at", FAILURES, ids=lambda at: f"{at[1]}-{at[2]}-{type(at[3]).__name__}")
def test_a_step_that_fails_harms_nothing(
    index: IndexParts, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: Failure
) -> None:
    error = at[3]
    index_folders([folder], replace(index, profile="older"), FAST)
    with monkeypatch.context() as patched:
        failed = fails_at(patched, at)
        if isinstance(error, KeyboardInterrupt):
            assert index_folders([folder], index, FAST).interrupted
        else:
            with pytest.raises(type(error)):
                index_folders([folder], index, FAST)
        assert failed() == 1
    assert not encoding_threads()
    assert_recovers(index, folder, tmp_path)


class InterruptedEncoder(SlowEncoder):
    """Has Ctrl-C pressed while it encodes the last of 316 pieces, and goes on."""

    def encode(self, new: Sequence[NewPiece]) -> list[IndexedPiece]:
        """Encode pieces."""
        if len(self.encoded) + len(new) == 316:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return super().encode(new)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_a_batch_is_encoded_loses_nothing_that_was_read(index: IndexParts, folder: Path) -> None:
    (folder / "bad.txt").unlink()
    report = index_folders([folder], replace(index, encoder=InterruptedEncoder()), FAST)
    assert report.interrupted and not encoding_threads()
    assert report.counts.indexed >= 8, "all but the last, whose end may not have been told yet"
    assert index.store.count() == report.pieces
