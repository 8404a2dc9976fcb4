"""What a server, or something that is none, may answer, seen through a real connection to this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from haystack_agent.errors import IndexMismatch, StorageFull, StoreUnreachable, UsageError
from haystack_agent.store import points
from haystack_agent.store.server import convert as server_convert
from haystack_agent.store.server import errors as server_errors
from haystack_agent.store.server import store as server
from haystack_agent.store.server.connection import shown_url
from haystack_agent.store.server.store import ServerStore
from haystack_agent.store.values import StoreSchema, VectorName
from haystack_agent.vectors import SparseVector
from tests.store.test_store_contract import make, unit

SCHEMA = StoreSchema(((VectorName.TEXT, 8),))
Answer = tuple[int, dict[str, str], bytes]


def error(status: int, text: str) -> Answer:
    return status, {}, json.dumps({"status": {"error": text}, "time": 0.0}).encode()


NODE_DOWN = (
    "Service internal error: 1 of 1 read operations failed:\n  Service internal error: Tonic status error: code: "
    "'The service is currently unavailable', message: \"tcp connect error\""
)
COUNT: Answer = (200, {}, b'{"result": {"count": 7}, "status": "ok", "time": 0.0}')


@contextmanager
def answering(*answers: Answer | None) -> Iterator[tuple[str, list[str | None]]]:
    """A server that gives the answers in turn, the last one for ever; ``None`` cuts the connection.

    Yields its URL and the API keys it was sent.
    """
    keys: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = answers[min(len(keys), len(answers) - 1)]
            keys.append(self.headers.get("api-key"))
            if answer is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - names set by the base class

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", keys
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_errors, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(server_errors, "_LONGEST_WAIT", 0.05)


@pytest.mark.parametrize(
    ("answer", "kind", "said", "requests"),
    [
        (error(401, "Invalid API key"), StoreUnreachable, "refuses the API key in HAYSTACK_QDRANT_API_KEY", 1),
        ((403, {}, b"forbidden"), StoreUnreachable, "refuses the API key in HAYSTACK_QDRANT_API_KEY", 1),
        ((200, {}, b"<html>hello</html>"), StoreUnreachable, "not a Qdrant server", 1),
        ((200, {}, b"\xff\xfe"), StoreUnreachable, "not a Qdrant server", 1),
        ((200, {}, b"[1]"), StoreUnreachable, "not a Qdrant server", 1),
        ((200, {}, b'{"name": "another service"}'), StoreUnreachable, "not a Qdrant server", 1),
        ((404, {}, b"<html>no such page</html>"), StoreUnreachable, "not a Qdrant server.*404", 1),
        ((301, {"Location": "https://127.0.0.1"}, b""), StoreUnreachable, "not a Qdrant server.*301", 1),
        (error(500, "Service internal error: No space left on device"), StorageFull, "disk of the Qdrant server", 1),
        (error(400, "Wrong input: something"), StoreUnreachable, "refuses the request.*something", 1),
        (error(500, NODE_DOWN), StoreUnreachable, "node of the Qdrant cluster .* is down", 1),
        (error(503, "loading"), StoreUnreachable, "503", 4),
        ((429, {}, b""), StoreUnreachable, "429", 4),
        ((429, {"Retry-After": "1"}, b"{}"), StoreUnreachable, "overloaded", 4),
        (None, StoreUnreachable, "connection to .* broke", 4),
    ],
)
def test_answers_that_are_none(answer: Answer | None, kind: type[Exception], said: str, requests: int) -> None:
    with answering(answer) as (url, keys):
        with pytest.raises(kind, match=said) as caught:
            ServerStore.open(url, "secret-key", "pieces", SCHEMA)
        assert keys == ["secret-key"] * requests
    assert "secret-key" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_passes_is_tried_again() -> None:
    with answering(error(503, "loading"), None, (429, {"Retry-After": "1"}, b"{}"), COUNT) as (url, keys):
        client = QdrantClient(url=url, check_compatibility=False)
        store = ServerStore(client, server_errors.StoreServer(url, "pieces"), SCHEMA)
        assert store.count() == 7
        assert len(keys) == 4
        store.close()


def test_no_server_at_all() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StoreUnreachable, match=f"No Qdrant server answers at {url}.*start it"):
            ServerStore.open(url, None, "pieces", SCHEMA)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_READ_TIMEOUT", 1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(StoreUnreachable, match="did not answer in time"),
    ):
        ServerStore.open(f"http://127.0.0.1:{silent.getsockname()[1]}", None, "pieces", SCHEMA)


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://qdrant.example.org:6333", "key", "unencrypted"),
        ("http://10.0.0.7", "key", "unencrypted"),
        ("http://localhost.example.org", "key", "unencrypted"),
        ("http://127.0.0.1:1", "bad\nkey", "cannot be sent"),
        ("localhost:6333", None, "not the URL"),
        ("ftp://localhost", None, "not the URL"),
        ("http://", None, "not the URL"),
        ("http://host:port", None, "not a URL"),
        ("http://[::1", None, "not a URL"),
        ("https://user:hunter2@host", None, "its own setting"),
    ],
)
def test_addresses_that_are_refused(url: str, key: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        ServerStore.open(url, key, "pieces", SCHEMA)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a/b", "..", "x" * 256, "caf\udce9", "new\nline"])
def test_names_that_no_collection_can_have(name: str) -> None:
    client = QdrantClient(":memory:")
    with pytest.raises(UsageError, match="another name"):
        ServerStore.over(client, name, SCHEMA)
    client.close()


def test_a_foreign_collection_is_refused() -> None:
    client = QdrantClient(":memory:")
    vectors = {"text": models.VectorParams(size=8, distance=models.Distance.COSINE)}
    client.create_collection("plain", models.VectorParams(size=8, distance=models.Distance.COSINE))
    client.create_collection("no-idf", vectors, sparse_vectors_config={"bm25": models.SparseVectorParams()})
    with pytest.raises(IndexMismatch, match="text of length 8"):
        ServerStore.over(client, "plain", SCHEMA)
    with pytest.raises(IndexMismatch, match="no bm25 vector with IDF"):
        ServerStore.over(client, "no-idf", SCHEMA)
    client.close()


def test_batches_keep_within_the_bytes_they_promise() -> None:
    rng = np.random.default_rng(3)
    pieces = [
        make(
            "a",
            index,
            "Ž\0\udc80\U0001f600 " * int(rng.integers(1, 3000)),
            dense=((VectorName.TEXT, unit(*rng.normal(size=8))),),
            bm25=SparseVector(tuple(range(2**32 - 500, 2**32)), tuple(rng.random(500).astype(np.float32).tolist())),
        )
        for index in range(60)
    ]
    most = 400_000
    cut = list(points.batches(pieces, 25, most))
    assert [point.indexed for batch in cut for point in batch] == pieces
    assert max(len(batch) for batch in cut) <= 25
    assert len(cut) > 4
    for batch in cut:
        request = models.PointsList(points=[server_convert.point(point) for point in batch])
        assert len(request.model_dump_json().encode()) <= most


def test_a_url_without_a_port_is_told_with_the_one_that_is_asked() -> None:
    assert shown_url("https://host/qdrant") == "https://host:6333/qdrant"
    assert shown_url("http://[::1]") == "http://[::1]:6333"
    assert shown_url("http://host:80/x") == "http://host:80/x"
