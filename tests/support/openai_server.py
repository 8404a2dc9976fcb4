"""A server that speaks the OpenAI chat API and does what a script says: answers, streams, fails, hangs."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from PIL import Image

USAGE = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
"""What every answer says it took."""


@dataclass(frozen=True)
class Say:
    """Stream these pieces of text; `pause` seconds before each but the first; `cut` breaks the stream at its end.

    All but the first wait until `then` is set, where it is given: that takes as long as the test needs.
    """

    pieces: tuple[str, ...]
    pause: float = 0.0
    cut: bool = False
    then: threading.Event | None = None


@dataclass(frozen=True)
class Call:
    """Call a tool with arguments, after some text."""

    name: str
    arguments: dict[str, Any]
    text: str = ""


@dataclass(frozen=True)
class Fail:
    """Answer with a status and an error."""

    status: int
    message: str = "no"
    retry_after: float | None = None
    location: str | None = None


@dataclass(frozen=True)
class Hang:
    """Say nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Read:
    """Say what `read` makes of the last picture in the request, as a model that sees would."""

    read: Callable[[Image.Image], str]


@dataclass(frozen=True)
class Reply:
    """Say what `reply` makes of the whole request as text: order does not matter.

    Where it is streamed, pieces have `size` characters; 0: all at once.
    """

    reply: Callable[[str], str]
    size: int = 0

    def said(self, messages: Any) -> Say:
        """The answer to a request."""
        text = self.reply(json.dumps(messages, ensure_ascii=False))
        size = self.size or len(text) or 1
        return Say(tuple(text[start : start + size] for start in range(0, len(text), size)))


Step = Say | Call | Fail | Hang | Read | Reply


@dataclass
class Scripted:
    """A server's address, what it will do next, and what it was sent."""

    url: str = ""
    script: list[Step] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    pages: dict[str, Any] = field(default_factory=dict)
    """What it says of itself, by path; a tuple of a status and headers in place of a value is sent as it is."""
    asked_for: list[tuple[str, str]] = field(default_factory=list)
    """The path of each such request, and the key that came with it."""
    hung_up: list[bool] = field(default_factory=list)
    """For each answer that was streamed, whether the client went away before its end."""

    def texts(self, request: int = -1) -> str:
        """All text of the user's message in a request."""
        return "\n".join(block["text"] for block in self._blocks(request) if block["type"] == "text")

    def pictures(self, request: int = -1) -> list[Image.Image]:
        """All pictures of the user's message in a request."""
        found: list[Image.Image] = []
        for block in self._blocks(request):
            if block["type"] == "image_url":
                head, _, data = block["image_url"]["url"].partition(",")
                assert head in ("data:image/jpeg;base64", "data:image/png;base64")
                found.append(Image.open(BytesIO(base64.b64decode(data))))
        return found

    def _blocks(self, request: int) -> list[dict[str, Any]]:
        *_, user = (one for one in self.received[request]["messages"] if one["role"] == "user")
        content: list[dict[str, Any]] | str = user["content"]
        return [{"type": "text", "text": content}] if isinstance(content, str) else content


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; anything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(*script: Step) -> Iterator[Scripted]:
    """A server that follows the script, one step a request; the last step is repeated."""
    scripted = Scripted(script=list(script))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            scripted.asked_for.append((self.path, self.headers.get("Authorization", "")))
            page = scripted.pages.get(self.path)
            status, headers = page if isinstance(page, tuple) else (404 if page is None else 200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self._rest(json.dumps(page).encode())

        def do_POST(self) -> None:
            if self.path in scripted.pages:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()
                return
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            scripted.received.append(body)
            scripted.keys.append(self.headers.get("Authorization", ""))
            step = scripted.script.pop(0) if len(scripted.script) > 1 else scripted.script[0]
            match step:
                case Hang(seconds):
                    time.sleep(seconds)
                    self.close_connection = True
                case Fail():
                    self._fail(step)
                case Read(read):
                    self._whole(Say((read(scripted.pictures()[-1]),)))
                case Reply():
                    said = step.said(body["messages"])
                    self._stream(said, usage="stream_options" in body) if body.get("stream") else self._whole(said)
                case Call():
                    self._call(step)
                case Say():
                    self._stream(step) if body.get("stream") else self._whole(step)

        def _fail(self, step: Fail) -> None:
            data = json.dumps({"error": {"message": step.message, "code": step.status}}).encode()
            self.send_response(step.status)
            if step.retry_after is not None:
                self.send_header("Retry-After", str(step.retry_after))
            if step.location is not None:
                self.send_header("Location", step.location)
            self._rest(data)

        def _whole(self, step: Say) -> None:
            choice = {"index": 0, "message": {"role": "assistant", "content": "".join(step.pieces)}}
            data = json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "m",
                               "choices": [{**choice, "finish_reason": "stop"}], "usage": USAGE}).encode()  # fmt: skip
            self.send_response(200)
            self._rest(data)

        def _rest(self, data: bytes) -> None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _begin(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()

        def _finish(self, reason: str) -> None:
            self._event({"delta": {}, "finish_reason": reason})
            self._chunk(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _call(self, step: Call) -> None:
            self._begin()
            if step.text:
                self._event({"delta": {"role": "assistant", "content": step.text}, "finish_reason": None})
            function = {"name": step.name, "arguments": json.dumps(step.arguments)}
            call = {"index": 0, "id": f"call_{len(scripted.received)}", "type": "function", "function": function}
            self._event({"delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None})
            self._finish("tool_calls")

        def _stream(self, step: Say, usage: bool = False) -> None:
            self._begin()
            try:
                for number, piece in enumerate(step.pieces):
                    time.sleep(step.pause if number else 0)
                    if number and step.then is not None:
                        step.then.wait()
                    self._event({"delta": {"role": "assistant", "content": piece}, "finish_reason": None})
                if step.cut:
                    scripted.hung_up.append(False)
                    self.close_connection = True
                    return
                if usage:
                    event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": []}
                    self._chunk(b"data: " + json.dumps({**event, "usage": USAGE}).encode() + b"\n\n")
                self._finish("stop")
                scripted.hung_up.append(False)
            except (BrokenPipeError, ConnectionResetError):
                scripted.hung_up.append(True)
                self.close_connection = True

        def _event(self, choice: dict[str, Any]) -> None:
            event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
            self._chunk(b"data: " + json.dumps({**event, "choices": [{"index": 0, **choice}]}).encode() + b"\n\n")

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            """Tests need no log."""

    server = _Server(("127.0.0.1", 0), Handler)
    scripted.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
