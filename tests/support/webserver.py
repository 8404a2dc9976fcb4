"""The browser interface in a process of its own, and a client that speaks to it as a page does, or as an attacker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_PATIENCE = 400
"""Seconds; what a server loads takes long on a busy machine."""


@contextmanager
def running(base: Path, *options: str, **variables: str) -> Iterator[str]:
    """The address of a server that keeps its data in a folder, with the key to it as it is printed.

    Where there is a key, it is waited for until questions are answered without delay.
    """
    with started(base, *options, **variables) as (address, _):
        yield address


@contextmanager
def started(base: Path, *options: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same, and its process."""
    with starting(base, *options, **variables) as (address, process):
        if "?" in address:
            Client(address).begin({"index": "", "text": ""})
        yield address, process


@contextmanager
def starting(base: Path, *options: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same as soon as the page is served, while the rest is still loaded."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HAYSTACK_")}
    config = base / "config.toml"
    config.touch()
    own |= {"HAYSTACK_DATA_DIR": str(base / "data"), "HAYSTACK_CONFIG_FILE": str(config), **variables}
    command = [sys.executable, "-P", "-m", "ui.cli", "ui", "--port", "0", "--no-browser", *options]
    with (base / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=log)
        assert process.stdout is not None
        try:
            line = process.stdout.readline().decode()
            assert line.startswith("Open http"), (base / "server.log").read_text()
            yield line.split()[1], process
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE)
            process.stdout.close()


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """One browser's worth of requests: it keeps its cookie, and says what a browser says of where it comes from.

    It is let in at once where the address has the key in it.
    """

    address: str
    cookie: str = ""
    sends: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.address, query, key = self.address.partition("?")
        if key and not self.cookie:
            self.get(f"/{query}{key}")

    def ask(self, method: str, path: str, body: object = None, *, raw: bytes | None = None, **headers: Any) -> Reply:
        """Make a request to a path that is sent as it is."""
        place = urlsplit(self.address)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=_PATIENCE)
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        sent = {"Cookie": self.cookie} if self.cookie else {}
        sent |= {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", **self.sends}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, data, {name: value for name, value in sent.items() if value})
            response = connection.getresponse()
            reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()
        if "set-cookie" in reply.headers and not self.cookie:
            self.cookie = reply.headers["set-cookie"].split(";")[0]
        return reply

    def get(self, path: str, **headers: Any) -> Reply:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: Any) -> Reply:
        return self.ask("POST", path, {} if body is None else body, **headers)

    def begin(self, question: Mapping[str, object]) -> str:
        """Ask a question; the id of the answer to listen to."""
        reply = self.post("/gradio/gradio_api/call/ask", {"data": [question]})
        assert reply.status == 200, reply.body
        return str(reply.json()["event_id"])

    def told(self, question: Mapping[str, object]) -> list[dict[str, Any]]:
        """Everything that the page would be told in answer to a question."""
        stream = self.get(f"/gradio/gradio_api/call/ask/{self.begin(question)}").body.decode()
        blocks = [block.split("\n") for block in stream.split("\n\n") if block]
        return [json.loads(block[1].removeprefix("data: "))[0] for block in blocks if block[0] == "event: generating"]
