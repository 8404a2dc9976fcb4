"""Clients that never finish what they ask: others are answered meanwhile, and nothing is left of them."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import psutil
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from tests.web.test_door import environment
from ui.serving.bounded_connections import ConnectionLimits, bounded
from ui.serving.listening import listen

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="open files as on POSIX systems")
CROWD = 1100
_App = Callable[[Scope, Receive, Send], Awaitable[None]]


@pytest.fixture(scope="module", autouse=True)
def many_files() -> None:
    """This process opens a file for each client."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * CROWD:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * CROWD), hard))


@contextmanager
def started(base: Path, command: str, *options: str) -> Iterator[tuple[psutil.Process, int]]:
    """A server in a process that may open no more files than is usual; its port."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    program = f"ulimit -n 1024; exec '{sys.executable}' -m ui.cli {command} --port {port} {' '.join(options)}"
    with (base / "log").open("wb") as log:
        process = subprocess.Popen(["sh", "-c", program], stdout=log, stderr=log, env=environment(base))
        try:
            deadline = time.monotonic() + 200
            while b"http://127.0.0.1" not in (base / "log").read_bytes():
                assert process.poll() is None and time.monotonic() < deadline, (base / "log").read_text("utf-8")
                time.sleep(0.1)
            yield psutil.Process(process.pid), port
        finally:
            process.terminate()
            process.wait(timeout=200)


def answers(port: int, path: str) -> str:
    """The first line of what a client that waits is told."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        return client.makefile("rb").readline().decode().strip()


HALVES = {
    "nothing": "",
    "head": "GET /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Long: ",
    "form": "POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\npassword=",
    "upload": "POST /api/picture HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Content-Length: 1000000\r\n\r\n" + "x" * 10000,
}


def crowd(stack: ExitStack, port: int, half: str) -> None:
    """Many clients that send a half and wait."""
    for _ in range(CROWD):
        client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        try:
            client.sendall(half.format(port=port).encode())
        except OSError:  # it had to leave already
            continue


@pytest.mark.parametrize(
    ("command", "path", "status"), [("ui --no-browser", "/login", "401"), ("mcp --http", "/mcp", "401")]
)
def test_a_crowd_of_slow_clients_keeps_nobody_out(tmp_path: Path, command: str, path: str, status: str) -> None:
    with started(tmp_path, command) as (process, port):
        assert answers(port, path).split()[1] == "401"
        before = process.num_fds()
        for half in HALVES.values():
            with ExitStack() as stack:
                crowd(stack, port, half)
                assert answers(port, path).split()[1] == "401"
                assert process.num_fds() < before + 700
        deadline = time.monotonic() + 60
        while process.num_fds() > before + 20:
            assert time.monotonic() < deadline, "every connection is closed"
            time.sleep(0.1)
        assert answers(port, path).split()[1] == "401"
    log = (tmp_path / "log").read_text("utf-8")
    logged = "".join(one.read_text("utf-8") for one in tmp_path.rglob("server.log"))
    assert "Traceback" not in log + logged and "Exception" not in log + logged and "out of system" not in log + logged


@contextmanager
def serving(app: _App, limits: ConnectionLimits) -> Iterator[int]:
    """The port of a server in this process, with limits that can be waited for."""
    config = uvicorn.Config(app, log_level="error", ws="none", http=bounded(limits), lifespan="off")
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        thread = Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
    """Counts the body, then answers for four seconds."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(4):
        await asyncio.sleep(1)
        await send({"type": "http.response.body", "body": b".", "more_body": True})
    await send({"type": "http.response.body", "body": json.dumps(size).encode()})


SHORT = ConnectionLimits(overall=6, per_address=4, head_seconds=1, body_seconds=1, slowest_rate=1000, unread_seconds=1)


def received(client: socket.socket) -> bytes:
    """Everything until the server ends the connection."""
    data = b""
    try:
        while part := client.recv(65536):
            data += part
    except ConnectionError:
        pass
    return data


def test_who_waits_for_an_answer_and_who_sends_steadily_is_not_hurried() -> None:
    with serving(slowly, SHORT) as port, socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(10):
            time.sleep(0.3)
            client.sendall(b"x" * 10000)
        assert received(client).rstrip().endswith(b"100000\r\n0")


@pytest.mark.parametrize(
    "sent", ["", "GET / HTTP/1.1\r\nHost: x", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]
)
def test_who_sends_nothing_more_is_left(sent: str) -> None:
    with serving(slowly, SHORT) as port, socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(sent.encode())
        assert received(client) == b""


def test_a_letter_at_a_time_is_too_slow() -> None:
    with serving(slowly, SHORT) as port, socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        with pytest.raises(OSError):
            for _ in range(600):
                client.sendall(b"x")
                time.sleep(0.1)


def test_many_requests_at_one_go_are_not_served_in_the_place_of_one() -> None:
    with serving(slowly, SHORT) as port, socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        assert received(client).count(b"HTTP/1.1 200") == 1


def test_the_oldest_half_request_makes_room_and_answers_in_progress_do_not() -> None:
    limits = ConnectionLimits(overall=6, per_address=4, head_seconds=60)
    with serving(slowly, limits) as port, ExitStack() as stack:

        def client(sent: bytes, source: str = "127.0.0.1") -> socket.socket:
            made = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))
            made.sendall(sent)
            time.sleep(0.1)
            return stack.enter_context(made)

        whole, half = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"
        served = client(whole)
        halves = [client(half) for _ in range(3)]
        later = client(whole)
        assert received(halves[0]) == b"", "it came first"
        others = [client(half, "127.0.0.9") for _ in range(3)]
        assert received(halves[1]) == b"", "all together are too many"
        assert received(served).rstrip().endswith(b"0") and received(later).rstrip().endswith(b"0")
        others[0].sendall(b"Connection: close\r\n\r\n")
        assert received(others[0]).rstrip().endswith(b"0")


def test_where_everybody_is_served_the_next_is_refused() -> None:
    whole = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with serving(slowly, ConnectionLimits(overall=2, per_address=2)) as port, ExitStack() as stack:
        served = []
        for _ in range(2):
            served.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60)))
            served[-1].sendall(whole)
        time.sleep(0.5)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as last:
            assert received(last) == b""
        assert all(received(one).rstrip().endswith(b"0") for one in served)
