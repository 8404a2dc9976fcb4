"""A hub on this computer: the part of it that a download asks for, with the ways in which it goes wrong."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    range: str
    authorised: bool


@dataclass
class FakeHub:
    """What the hub holds and how it behaves; the files of a repository may change with its commit."""

    repos: dict[str, dict[str, bytes]]
    commits: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Repository to the status and ``X-Error-Code`` it is answered with."""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """File name to after how many bytes each of its next answers is cut."""
    short: set[str] = field(default_factory=set)
    """Names of files that are answered with nothing, as if that were all."""
    damaged: set[str] = field(default_factory=set)
    """Names of files of which the first byte is wrong."""
    ignores_ranges: bool = False
    failures: list[int] = field(default_factory=list)
    """Statuses of the next answers that would have been files."""
    requests: list[Request] = field(default_factory=list)
    address: str = ""
    cdn: str = ""

    def asked_for(self, name: str) -> list[Request]:
        """The requests for bytes of a file: those to the place where it is kept, after redirections."""
        return [one for one in self.requests if one.path.startswith("/cdn/") and one.path.endswith(name)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        authorised = "Authorization" in self.headers
        self.hub.requests.append(Request(self.command, path, self.headers.get("Range", ""), authorised))
        if info := re.fullmatch(r"/api/models/(.+?)(?:/revision/([^/]+))?", path):
            self._info(info[1], info[2] or "main")
        elif file := re.fullmatch(r"/(cdn/)?(.+?)/resolve/([0-9a-f]{40})/(.+)", path):
            self._file(bool(file[1]), file[2], file[3], file[4])
        else:
            self._refuse(404, "")

    def _info(self, repo: str, revision: str) -> None:
        if repo in self.hub.refusals:
            return self._refuse(*self.hub.refusals[repo])
        if repo not in self.hub.repos:
            return self._refuse(404, "RepoNotFound")
        commit = self.hub.commits.get(repo, COMMIT)
        if revision not in {"main", commit}:
            return self._refuse(404, "RevisionNotFound")
        siblings = [described(name, data) for name, data in self.hub.repos[repo].items()]
        body = json.dumps({"id": repo, "modelId": repo, "sha": commit, "siblings": siblings}).encode()
        return self._send(200, {"Content-Type": "application/json"}, body)

    def _file(self, from_cdn: bool, repo: str, commit: str, name: str) -> None:
        data = self.hub.repos.get(repo, {}).get(name)
        if data is None or commit != self.hub.commits.get(repo, COMMIT):
            return self._refuse(404, "EntryNotFound")
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        if not from_cdn:  # as the real one does, on another host
            return self._send(302, headers | {"Location": f"{self.hub.cdn}/cdn{self.path}"}, b"")
        if self.hub.failures:
            return self._refuse(self.hub.failures.pop(0), "")
        if name in self.hub.damaged:
            data = bytes([data[0] ^ 1]) + data[1:]
        if name in self.hub.short:
            return self._send(200, headers, b"", name)
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if begin is None or self.hub.ignores_ranges:
            return self._send(200, headers, data, name)
        headers["Content-Range"] = f"bytes {begin[1]}-{len(data) - 1}/{len(data)}"
        return self._send(206, headers, data[int(begin[1]) :], name)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, name: str = "") -> None:
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(body))}).items():  # type: ignore[operator]
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if cuts := self.hub.cuts.get(name):
            self.wfile.write(body[: cuts.pop(0)])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, {"X-Error-Code": code} if code else {}, b"")


def described(name: str, data: bytes) -> dict[str, object]:
    """A file as /api/models tells of it with ``?blobs=True``: big ones are kept by Git LFS."""
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    told: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": blob}
    if name.endswith((".safetensors", ".bin")):
        told["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
    return told


def files_of(folder: Path) -> dict[str, bytes]:
    """A folder as the files of a repository."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@contextmanager
def running(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve it on a free port of this computer."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    hub.cdn = f"http://localhost:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
