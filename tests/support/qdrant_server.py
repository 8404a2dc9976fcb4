"""A Qdrant server of this machine: the client's collection in memory behind the paths and answers of a real server.

The paths, the answers' shapes and the words of refusals are those of a server 1.18.3; what it finds is what the
client's own local mode finds. Switches make it refuse, forget or fall silent.
"""

from __future__ import annotations

import json
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from qdrant_client import QdrantClient, models

Json = dict[str, Any]
_READS = re.compile(r"GET .*|POST .*/(points/(query|query/batch|scroll|count)|points|facet)")
_PATH = re.compile(r"/collections/([^/]+)(/[a-z/]*)?")


class QdrantServer:
    """Collections in memory, reached through `url` between `start` and `stop`."""

    def __init__(self, key: str | None = None) -> None:
        self.key, self.read_only_key = key, None if key is None else f"{key}-read-only"
        self.refuse_deletes: Answer | None = None
        """What deletes of points are answered with."""
        self.requests: list[str] = []
        self.client = QdrantClient(":memory:")
        self._lock = threading.Lock()
        self._port = 0
        self._httpd: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen: at the same port as before."""
        self._httpd = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._port = self._httpd.server_port
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Be down: what is stored stays."""
        if self._httpd is not None and self._thread is not None:
            self._httpd.shutdown()
            self._thread.join()
            self._httpd.server_close()
            self._httpd = None

    def collections(self) -> dict[str, int]:
        """Number of points by collection."""
        with self._lock:
            names = [one.name for one in self.client.get_collections().collections]
            return {name: self.client.count(name).count for name in names}

    def answer(self, method: str, path: str, key: str | None, body: Json) -> Answer:
        """Status and JSON of a request, or plain text where a key is wrong."""
        self.requests.append(f"{method} {path}")
        if (refused := self._refusal(f"{method} {path}", key)) is not None:
            return refused
        found = _PATH.fullmatch(path)
        if found is None:
            return 404, {"status": {"error": "Not found"}}
        collection, rest = found[1], found[2] or ""
        with self._lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if rest == "/exists":
                return _ok({"exists": self.client.collection_exists(collection)})
            if method == "PUT" and not rest:
                return self._create(collection, body)
            if not self.client.collection_exists(collection):
                return 404, {"status": {"error": f"Not found: Collection `{collection}` doesn't exist!"}, "time": 0.0}
            return self._in(collection, f"{method} {rest}", body)

    def _refusal(self, request: str, key: str | None) -> Answer | None:
        if self.key is not None:
            if key is None:
                return 401, "Must provide an API key or an Authorization bearer token"
            if key not in (self.key, self.read_only_key):
                return 401, "Invalid API key or JWT"
            if key == self.read_only_key and not _READS.fullmatch(request):
                return 403, {"status": {"error": "Forbidden: Global manage access is required"}, "time": 0.0}
        return self.refuse_deletes if request.endswith("/points/delete") else None

    def _create(self, collection: str, body: Json) -> Answer:
        if self.client.collection_exists(collection):
            return 409, {"status": {"error": f"Wrong input: Collection `{collection}` already exists!"}, "time": 0.0}
        dense = {name: models.VectorParams(**params) for name, params in body["vectors"].items()}
        sparse = {name: models.SparseVectorParams(**params) for name, params in body["sparse_vectors"].items()}
        self.client.create_collection(collection, dense, sparse_vectors_config=sparse)
        return _ok(True)

    def _in(self, collection: str, request: str, body: Json) -> Answer:  # noqa: PLR0911 - one for each request
        client = self.client
        which = models.Filter(**body["filter"]) if body.get("filter") else None
        match request:
            case "GET ":
                return _ok(client.get_collection(collection).model_dump(mode="json"))
            case "DELETE ":
                return _ok(client.delete_collection(collection))
            case "PUT /index":
                return _ok({"operation_id": 1, "status": "completed"})
            case "PUT /points":
                client.upsert(collection, [models.PointStruct(**point) for point in body["points"]])
                return _ok({"operation_id": 1, "status": "completed"})
            case "POST /points/delete":
                assert which is not None
                client.delete(collection, models.FilterSelector(filter=which))
                return _ok({"operation_id": 1, "status": "completed"})
            case "POST /points/count":
                return _ok({"count": client.count(collection, which, exact=True).count})
            case "POST /points":
                records = client.retrieve(collection, body["ids"], with_payload=_payload(body))
                return _ok([record.model_dump(mode="json") for record in records])
            case "POST /points/query/batch":
                asked = [self._search(collection, "POST /points/query", one, None) for one in body["searches"]]
                return _ok([answer["result"] for _, answer in asked if isinstance(answer, dict)])
        return self._search(collection, request, body, which)

    def _search(self, collection: str, request: str, body: Json, which: models.Filter | None) -> Answer:
        payload, limit = _payload(body), body["limit"]
        match request:
            case "POST /points/scroll":
                vectors, offset = body.get("with_vector", False), body.get("offset")
                records, after = self.client.scroll(
                    collection, which, limit, offset=offset, with_payload=payload, with_vectors=vectors
                )
                return _ok({"points": [one.model_dump(mode="json") for one in records], "next_page_offset": after})
            case "POST /points/query":
                nearest = body["query"]["nearest"]
                query = models.SparseVector(**nearest) if isinstance(nearest, dict) else nearest
                found = self.client.query_points(
                    collection, query, using=body["using"], query_filter=which, limit=limit, with_payload=payload
                )
                return _ok(found.model_dump(mode="json"))
            case "POST /facet":
                hits = self.client.facet(collection, body["key"], limit=limit, exact=True)
                return _ok(hits.model_dump(mode="json"))
        return 404, {"status": {"error": f"Not found: {request}"}}


Answer = tuple[int, Json | str]


def _ok(result: object) -> Answer:
    return 200, {"result": result, "status": "ok", "time": 0.0}


def _payload(body: Json) -> Any:
    asked = body.get("with_payload", True)
    return models.PayloadSelectorExclude(**asked) if isinstance(asked, dict) else asked


def _handler(server: QdrantServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            status, answer = server.answer(self.command, self.path.split("?")[0], self.headers.get("api-key"), body)
            said = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any  # noqa: N815 - names set by the base class

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def serving(key: str | None = None) -> Iterator[QdrantServer]:
    """A server that is up."""
    server = QdrantServer(key)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.client.close()
