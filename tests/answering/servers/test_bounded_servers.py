"""A model's server that sends bytes without end, in one line, drop by drop or compressed: little of it is taken."""

from __future__ import annotations

import asyncio
import gzip
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from langchain_core.language_models import BaseChatModel

from haystack_agent.answering.direct import DirectReader
from haystack_agent.answering.effects import carried_out
from haystack_agent.answering.events import Done
from haystack_agent.answering.model.choice import ModelChoice, open_model
from haystack_agent.answering.model.http_clients import LONGEST_LINE, MOST_BYTES
from haystack_agent.answering.model.retries import Patience
from haystack_agent.errors import ModelFailed
from tests.answering.servers.test_endless_models import NoPictures
from tests.answering.test_marks import carrying

_CHUNK = b"a" * (1 << 20)
_KEEP_ALIVE = b": waiting\n\n" * 4096
Bytes = Callable[[], Iterator[bytes]]


def long_line() -> Iterator[bytes]:
    yield b"data: "
    for _ in range(4096):
        yield _CHUNK


def lines() -> Iterator[bytes]:
    for _ in range(1 << 20):
        yield _KEEP_ALIVE


def drops() -> Iterator[bytes]:
    for _ in range(600):
        yield b"a"
        time.sleep(0.05)


def bomb() -> Iterator[bytes]:
    yield gzip.compress(b"data: " + b"\0" * (64 << 20))


@contextmanager
def sending(what: Bytes, **headers: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            for name, value in {"Content-Type": "text/event-stream", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            try:
                for data in what():
                    self.wfile.write(data)
            except OSError:
                pass  # it was hung up on

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def model_at(url: str, timeout: float = 20.0) -> BaseChatModel:
    return open_model(ModelChoice("m", url, timeout=timeout))


def asked(model: BaseChatModel) -> object:
    reader = DirectReader(model, "m", NoPictures(), patience=Patience(1, 0.01))
    *_, last = carried_out(reader.steps("What is it?", [carrying("text", "A barge.")]))
    assert isinstance(last, Done)
    return last.answer


@pytest.mark.parametrize("what", [long_line, lines])
def test_bytes_without_end_are_not_kept(what: Bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with sending(what) as url, pytest.raises(ModelFailed, match=rf"more than {MOST_BYTES >> 20} MB.*one line"):
        asked(model_at(url))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * (LONGEST_LINE >> 10)


def test_a_line_that_does_not_end_is_silence() -> None:
    began = time.monotonic()
    with sending(drops) as url, pytest.raises(ModelFailed, match="no whole line for 1 s"):
        asked(model_at(url, timeout=1.0))
    assert time.monotonic() - began < 20


def test_what_is_compressed_is_not_unpacked() -> None:
    with sending(bomb, Content_Encoding="gzip") as url, pytest.raises(ModelFailed, match="compressed form"):
        asked(model_at(url))


def test_the_same_on_a_loop() -> None:
    async def heard(url: str) -> None:
        async for _ in model_at(url).astream("What is it?"):
            pass

    with sending(long_line) as url, pytest.raises(ModelFailed, match="in one line"):
        asyncio.run(heard(url))
