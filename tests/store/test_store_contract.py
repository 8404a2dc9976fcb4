"""One contract for every store: the embedded shard, the client in memory, and a server where QDRANT_URL names one."""

from __future__ import annotations

import math
import os
import pickle
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from haystack_agent.errors import IndexMismatch
from haystack_agent.records import AssetMeta, Box, Filters, Locator, Modality, Piece, PieceKind, Span
from haystack_agent.store.edge.store import EdgeStore
from haystack_agent.store.protocol import Store
from haystack_agent.store.server.store import ServerStore
from haystack_agent.store.values import IndexedPiece, StoreSchema, VectorName
from haystack_agent.vectors import FloatArray, SparseVector

# The client in memory says that it keeps no indexes and searches exactly anyway: nothing depends on them but speed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - files made under a random name

SCHEMA = StoreSchema(dense=((VectorName.TEXT, 8), (VectorName.UCLIP, 4)))
MODIFIED = datetime(2026, 3, 5, 23, 30, tzinfo=timezone(timedelta(hours=9)))
Opener = Callable[[StoreSchema], Store]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A new folder, in memory where that can be: making a shard syncs some fifty files, slow on a busy disk."""
    if os.access(MEMORY_DISK, os.W_OK) and shutil.disk_usage(MEMORY_DISK).free > 2**30:
        with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as name:
            yield Path(name)
    else:
        yield tmp_path


@pytest.fixture(params=["edge", "memory", "server"])
def opener(request: pytest.FixtureRequest, folder: Path) -> Iterator[Opener]:
    if request.param == "edge":
        yield lambda schema: EdgeStore.open(folder / "index" / "edge", schema)
    elif request.param == "memory":
        client = QdrantClient(":memory:")
        yield lambda schema: ServerStore.over(client, "pieces", schema)
    else:
        url, key = os.environ.get("QDRANT_URL"), os.environ.get("QDRANT_API_KEY")
        if not url:
            pytest.skip("QDRANT_URL names no Qdrant server")
        collection = f"haystack-test-{uuid.uuid4()}"
        yield lambda schema: ServerStore.open(url, key, collection, schema)
        QdrantClient(url=url, api_key=key, check_compatibility=False).delete_collection(collection)


@pytest.fixture
def store(opener: Opener) -> Iterator[Store]:
    opened = opener(SCHEMA)
    yield opened
    opened.close()


def unit(*values: float, size: int = 8) -> FloatArray:
    vector = np.zeros(size, np.float32)
    vector[: len(values)] = values
    return vector / np.float32(np.linalg.norm(vector))


def make(asset: str = "a", index: int = 0, text: str = "some text", **changes: object) -> IndexedPiece:
    """A plain piece of a plain PDF; `changes` may name fields of Piece and of IndexedPiece."""
    own = {name: changes.pop(name) for name in ("paths", "modified", "dense", "bm25") if name in changes}
    piece = Piece(
        asset_id=asset,
        kind=PieceKind.PASSAGE,
        modality=Modality.DOCUMENT,
        index=index,
        locator=Locator(page=1),
        text=text,
        meta=AssetMeta(media_type="pdf"),
    )
    piece = replace(piece, **changes)  # type: ignore[arg-type]
    return replace(IndexedPiece(piece, (f"/data/{asset}.pdf",), MODIFIED), **own)  # type: ignore[arg-type]


def rich() -> IndexedPiece:
    """A piece that uses every field, with values that are easily lost."""
    text = "první řádek\nsecond \0 line \U0001f600 \ud83d lone"
    spans = (
        Span(0, 5, Box(0.0, 0.125, 1 / 3, 1.0)),
        Span(6, 11, None, (7199.25, 7201.5)),
        Span(12, 18, Box(0.1, 0.2, 0.3, 0.4), (0.04, 0.08)),
        Span(19, 19),
    )
    meta = AssetMeta(
        media_type="mp4",
        title="Ti\udce9tle",
        author="Žofie",
        created=datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
        place="Łódź, Poland",
        camera="X100",
        caption="a caption",
        keywords=("alpha", "", "b\0eta"),
        pages=3,
        width=1920,
        height=1080,
        duration=0.1 + 0.2,
    )
    return make(
        kind=PieceKind.SEGMENT,
        modality=Modality.VIDEO,
        locator=Locator(boxes=(Box(0.25, 0.5, 0.75, 1.0), Box(0, 0, 1, 1)), start=1 / 3, end=1e-7),
        text=text,
        meta=meta,
        heading="One > Two",
        language="cs",
        spans=spans,
        ocr=True,
        key_frames=(0.0, 1 / 3, 3599.9999999999995),
        paths=("/data/caf\udce9/clip \udcff.mp4", "/other/0041\0/clip.mp4"),
        dense=((VectorName.TEXT, unit(1, 2, 3)), (VectorName.UCLIP, unit(0.5, -1, size=4))),
        bm25=SparseVector((0, 77, 2**32 - 1), (0.5, 1.25, 3.0)),
    )


def ids(hits: object) -> list[str]:
    return [hit.indexed.piece.id for hit in hits]  # type: ignore[attr-defined]


def assert_same_boxes(found: tuple[Box, ...], wanted: tuple[Box, ...]) -> None:
    for one, other in zip(found, wanted, strict=True):
        for side in ("x0", "y0", "x1", "y1"):
            assert getattr(one, side) == pytest.approx(getattr(other, side), abs=1 / 65535)


def test_everything_of_a_piece_comes_back(store: Store) -> None:
    written = rich()
    store.upsert([written])
    (read,) = store.fetch(["a"])

    bare = Locator()
    assert replace(read.piece, spans=(), locator=bare) == replace(written.piece, spans=(), locator=bare)
    assert read.piece.id == written.piece.id
    assert (read.piece.locator.start, read.piece.locator.end) == (1 / 3, 1e-7)
    assert_same_boxes(read.piece.locator.boxes, written.piece.locator.boxes)
    assert (read.paths, read.modified) == (written.paths, written.modified)
    assert read.modified.utcoffset() == timedelta(hours=9)
    assert len(read.piece.spans) == len(written.piece.spans)
    for one, other in zip(read.piece.spans, written.piece.spans, strict=True):
        assert (one.start, one.end, one.box is None) == (other.start, other.end, other.box is None)
        assert one.seconds == (None if other.seconds is None else pytest.approx(other.seconds, rel=1e-6))
        if one.box and other.box:
            assert_same_boxes((one.box,), (other.box,))


def test_vectors_come_back(store: Store) -> None:
    written = rich()
    store.upsert([written, make("b")])
    first, second = store.fetch(["a", "b"])
    assert [name for name, _ in first.dense] == [VectorName.TEXT, VectorName.UCLIP]
    for (_, one), (_, other) in zip(first.dense, written.dense, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert first.bm25 == written.bm25
    assert (second.dense, second.bm25) == ((), None)


def test_a_fetched_piece_can_be_written_again(store: Store) -> None:
    store.upsert([rich()])
    before = store.fetch(["a"])
    store.upsert(before)
    after = store.fetch(["a"])
    assert [item.piece for item in after] == [item.piece for item in before]
    assert after[0].bm25 == before[0].bm25
    assert store.count() == 1


def test_hits_carry_pieces_that_behave_like_new_ones(store: Store) -> None:
    spans = (Span(0, 4, Box(0.0, 0.0, 1.0, 1.0)), Span(5, 9))
    written = make(spans=spans, dense=((VectorName.TEXT, unit(1)),))
    store.upsert([written])
    (hit,) = store.search_dense(VectorName.TEXT, unit(1), 5)
    assert hit.indexed == replace(written, dense=())
    assert written.piece == hit.indexed.piece
    assert hash(hit.indexed.piece) == hash(written.piece)
    assert pickle.loads(pickle.dumps(hit.indexed.piece)).spans == spans  # noqa: S301 - made here
    assert (hit.indexed.piece.spans[1], hit.indexed.piece.spans[:1], len(hit.indexed.piece.spans)) == (
        spans[1],
        spans[:1],
        2,
    )


def test_upsert_replaces_what_has_the_same_id(store: Store) -> None:
    store.upsert([make(text="old", bm25=SparseVector((1,), (1.0,)))])
    store.upsert([make(text="new", bm25=SparseVector((2,), (1.0,)))])
    assert store.count() == 1
    assert [item.piece.text for item in store.fetch(["a"])] == ["new"]
    assert store.search_sparse(SparseVector((1,), (1.0,)), 5) == []
    assert len(store.search_sparse(SparseVector((2,), (1.0,)), 5)) == 1


def test_fetch_is_in_order_and_whole_over_many_pages(store: Store) -> None:
    pieces = [make(asset, index) for asset in ("b", "a") for index in range(700)]
    store.upsert(pieces)
    found = store.fetch(["b", "unknown", "a"])
    assert [(item.piece.asset_id, item.piece.index) for item in found] == [
        (asset, index) for asset in ("a", "b") for index in range(700)
    ]
    assert store.fetch([]) == []
    assert store.fetch(["unknown"]) == []


def test_delete_assets(store: Store) -> None:
    store.upsert([make("a"), make("b"), make("b", 1), make("c\0d")])
    store.delete_assets(["b", "unknown"])
    assert sorted(store.asset_ids()) == ["a", "c\0d"]
    store.delete_assets(["c\0d"])
    store.delete_assets([])
    assert list(store.asset_ids()) == ["a"]
    assert store.count() == 1


def test_more_assets_than_one_request_names(store: Store) -> None:
    store.upsert([make(f"asset {number}") for number in range(1200)])
    assert sorted(store.asset_ids()) == sorted(f"asset {number}" for number in range(1200))
    assert len(store.fetch([f"asset {number}" for number in range(1200)])) == 1200
    store.delete_assets([f"asset {number}" for number in range(1199)])
    assert list(store.asset_ids()) == ["asset 1199"]


def test_an_empty_store(store: Store) -> None:
    assert store.count() == 0
    assert list(store.asset_ids()) == []
    assert store.search_dense(VectorName.TEXT, unit(1), 5) == []
    assert store.search_sparse(SparseVector((1,), (1.0,)), 5) == []
    store.upsert([])
    store.flush()


def test_dense_search_is_by_cosine(store: Store) -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(300, 8)).astype(np.float32)
    store.upsert([make("a", i, dense=((VectorName.TEXT, v / np.linalg.norm(v)),)) for i, v in enumerate(vectors)])
    query = unit(*rng.normal(size=8))
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1)
    hits = store.search_dense(VectorName.TEXT, query, 20)
    best = np.argsort(-cosines)[:20]
    assert [hit.indexed.piece.index for hit in hits] == best.tolist()
    np.testing.assert_allclose([hit.score for hit in hits], cosines[best], atol=1e-5)
    assert store.search_dense(VectorName.UCLIP, unit(1, size=4), 20) == []


def test_a_sample_has_the_vectors_of_pieces_that_have_one(store: Store) -> None:
    rng = np.random.default_rng(3)
    vectors = {i: unit(*rng.normal(size=4), size=4) for i in range(30)}
    pieces = [
        make("a", i, dense=((VectorName.UCLIP, v),), language="de" if i % 2 else "en") for i, v in vectors.items()
    ]
    store.upsert([*pieces, make("b", 0, dense=((VectorName.TEXT, unit(1)),))])
    wanted = {one.piece.id: dict(one.dense)[VectorName.UCLIP] for one in pieces}
    everything = store.sample(VectorName.UCLIP, 100)
    assert dict.fromkeys(everything.ids).keys() == wanted.keys()
    np.testing.assert_allclose(everything.vectors, [wanted[one] for one in everything.ids], atol=1e-5)
    assert list(everything.ids) == sorted(everything.ids)
    some = store.sample(VectorName.UCLIP, 7, Filters(languages=frozenset({"de"})))
    assert len(some.ids) == 7 and some.vectors.shape == (7, 4)
    assert set(some.ids) <= {one.piece.id for one in pieces if one.piece.language == "de"}
    assert store.sample(VectorName.UCLIP, 7, Filters(languages=frozenset({"fi"}))).vectors.shape == (0, 4)


def test_sparse_search_multiplies_by_inverse_document_frequency(store: Store) -> None:
    rare, common = 5, 2**32 - 5
    store.upsert([make("a", i, bm25=SparseVector((common,), (1.0,))) for i in range(9)])
    store.upsert([make("b", 0, bm25=SparseVector((rare, common), (2.0, 1.0))), make("c")])
    hits = store.search_sparse(SparseVector((rare, common), (1.0, 0.5)), 3)
    assert hits[0].indexed.piece.asset_id == "b"

    def idf(holders: int) -> float:
        return math.log(1 + (10 - holders + 0.5) / (holders + 0.5))

    assert hits[0].score == pytest.approx(2.0 * idf(1) + 0.5 * idf(10), rel=0.05)
    assert hits[1].score == pytest.approx(0.5 * idf(10), rel=0.15)
    assert store.best_scores([rare, 77, common]) == pytest.approx([2.0 * idf(1), 0.0, idf(10)], rel=0.15)
    assert store.best_scores([]) == []
    assert store.search_sparse(SparseVector((77,), (1.0,)), 3) == []
    assert store.search_sparse(SparseVector((), ()), 3) == []
    assert store.search_sparse(SparseVector((rare,), (1.0,)), 0) == []


def test_equal_scores_are_in_order_of_the_id_also_at_the_end(store: Store) -> None:
    tied = [make("a", i, bm25=SparseVector((3,), (1.0,)), dense=((VectorName.TEXT, unit(1)),)) for i in range(400)]
    better = make("b", bm25=SparseVector((3,), (2.0,)), dense=((VectorName.TEXT, unit(1, 0.1)),))
    store.upsert([*tied, better])
    wanted = sorted(item.piece.id for item in tied)
    assert ids(store.search_sparse(SparseVector((3,), (1.0,)), 5)) == [better.piece.id, *wanted[:4]]
    assert ids(store.search_sparse(SparseVector((3,), (1.0,)), 1)) == [better.piece.id]
    assert ids(store.search_dense(VectorName.TEXT, unit(1), 3)) == wanted[:3]
    assert ids(store.search_dense(VectorName.TEXT, unit(1), 1000)) == [*wanted, better.piece.id]


class TestFilters:
    @pytest.fixture
    def filled(self, store: Store) -> Store:
        day = datetime(2025, 6, 1, 0, 0, tzinfo=UTC)
        pdf, png, clip = AssetMeta("pdf"), AssetMeta("png", created=datetime(2020, 1, 1, 23, 59)), AssetMeta("mp4")
        image, video = Modality.IMAGE, Modality.VIDEO
        pieces = [
            make("doc", meta=pdf, language="en", paths=("/d/work/x.pdf", "/e/y.pdf"), modified=day),
            make("pic", meta=png, modality=image, language="cs", paths=("/d/workshop/p.png",), modified=day),
            make("clip", meta=clip, modality=video, paths=("/d/work/deep/caf\udce9/c.mp4",)),
        ]
        dense, bm25 = ((VectorName.TEXT, unit(1)),), SparseVector((1,), (1.0,))
        store.upsert([replace(indexed, dense=dense, bm25=bm25) for indexed in pieces])
        return store

    @pytest.mark.parametrize(
        ("filters", "wanted"),
        [
            (Filters(), {"doc", "pic", "clip"}),
            (Filters(modalities=frozenset({Modality.IMAGE})), {"pic"}),
            (Filters(modalities=frozenset({Modality.IMAGE, Modality.VIDEO})), {"pic", "clip"}),
            (Filters(folders=("/d/work",)), {"doc", "clip"}),
            (Filters(folders=("/d/work/",)), {"doc", "clip"}),
            (Filters(folders=("/d/work/deep/caf\udce9",)), {"clip"}),
            (Filters(folders=("/d/work/deep/caf",)), set()),
            (Filters(folders=("/e", "/d/workshop")), {"doc", "pic"}),
            (Filters(folders=("/",)), {"doc", "pic", "clip"}),
            (Filters(folders=("/d/wor",)), set()),
            (Filters(types=frozenset({"pdf", "mp4"})), {"doc", "clip"}),
            (Filters(types=frozenset({"PDF"})), set()),
            (Filters(languages=frozenset({"cs"})), {"pic"}),
            (Filters(after=datetime(2025, 6, 1, 18, 0)), {"doc", "clip"}),
            (Filters(after=datetime(2025, 6, 2)), {"clip"}),
            (Filters(before=datetime(2020, 1, 1)), {"pic"}),
            (Filters(before=datetime(2019, 12, 31)), set()),
            (Filters(after=datetime(2026, 3, 5), before=datetime(2026, 3, 5)), {"clip"}),
            (Filters(folders=("/d",), languages=frozenset({"en"}), types=frozenset({"pdf"})), {"doc"}),
            (Filters(folders=("/e",), languages=frozenset({"cs"})), set()),
        ],
    )
    def test_every_search_obeys(self, filled: Store, filters: Filters, wanted: set[str]) -> None:
        assert filled.count(filters) == len(wanted)
        dense = filled.search_dense(VectorName.TEXT, unit(1), 10, filters)
        assert {hit.indexed.piece.asset_id for hit in dense} == wanted
        sparse = filled.search_sparse(SparseVector((1,), (1.0,)), 10, filters)
        assert {hit.indexed.piece.asset_id for hit in sparse} == wanted


NAN = float("nan")


BAD_PIECES: list[tuple[IndexedPiece, str]] = [
    (make("bad", dense=((VectorName.TEXT, unit(1, size=7)),)), "shape"),
    (make("bad", dense=((VectorName.TEXT, np.ones((1, 8), np.float32)),)), "shape"),
    (make("bad", dense=((VectorName.TEXT, np.full(8, NAN, np.float32)),)), "NaN"),
    (make("bad", dense=((VectorName.TEXT, np.full(8, 3e38, np.float32)),)), "too long"),
    (make("bad", dense=((VectorName.BM25, unit(1)),)), "no dense vector"),
    (make("bad", dense=((VectorName.TEXT, unit(1)), (VectorName.TEXT, unit(1)))), "twice"),
    (make("bad", bm25=SparseVector((2, 1), (1.0, 1.0))), "ascending"),
    (make("bad", bm25=SparseVector((1, 1), (1.0, 1.0))), "ascending"),
    (make("bad", bm25=SparseVector((2**32,), (1.0,))), "integers"),
    (make("bad", bm25=SparseVector((-1,), (1.0,))), "integers"),
    (make("bad", bm25=SparseVector((2**70,), (1.0,))), "integers"),
    (make("bad", bm25=SparseVector((1,), (NAN,))), "finite"),
    (make("bad", bm25=SparseVector((1,), (1e39,))), "finite"),
    (make("bad", bm25=SparseVector((1,), ())), "weights"),
    (make("bad", spans=(Span(5, 4),)), "span"),
    (make("bad", spans=(Span(0, 4, Box(0, 0, NAN, 1)),)), "finite"),
    (make("bad", key_frames=(NAN,)), "finite"),
    (make("bad", modified=datetime(2026, 1, 1)), "time zone"),
    (make(""), "asset id"),
]


def test_one_bad_piece_is_refused_with_its_whole_batch(store: Store) -> None:
    for bad, said in BAD_PIECES:
        with pytest.raises(ValueError, match=said):
            store.upsert([make("good"), bad])
    assert store.count() == 0


def test_two_pieces_of_one_id_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="two pieces"):
        store.upsert([make(text="one"), make(text="other")])


def test_bad_queries_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="shape"):
        store.search_dense(VectorName.TEXT, unit(1, size=4), 5)
    with pytest.raises(ValueError, match="no dense vector"):
        store.search_dense(VectorName.BM25, unit(1), 5)
    with pytest.raises(ValueError, match="ascending"):
        store.search_sparse(SparseVector((2, 1), (1.0, 1.0)), 5)


def test_other_vectors_are_a_mismatch_that_tells_both_lengths(opener: Opener) -> None:
    first = opener(SCHEMA)
    first.upsert([make()])
    for schema in (StoreSchema(((VectorName.TEXT, 16), (VectorName.UCLIP, 4))), StoreSchema(((VectorName.TEXT, 16),))):
        if isinstance(first, EdgeStore):
            first.close()
        with pytest.raises(IndexMismatch, match=r"text of length 8.*text of length 16"):
            opener(schema)
    again = opener(SCHEMA)
    assert again.count() == 1
    again.close()


def test_large_pieces_are_cut_into_several_requests(store: Store) -> None:
    text = "long text " * 100_000
    store.upsert([make("a", index, text) for index in range(20)])
    assert [item.piece.text == text for item in store.fetch(["a"])] == [True] * 20


def test_close_twice(opener: Opener) -> None:
    store = opener(SCHEMA)
    store.upsert([make()])
    store.close()
    store.close()
