"""HTTP clients for servers of models: what is meant for one server never goes to another, and of what one sends no
more is taken than an answer can need."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from haystack_agent.answering.model.url import host_of, is_here
from haystack_agent.errors import ModelFailed, ModelUnreachable

if TYPE_CHECKING:
    import httpx2

_CONNECT = 10.0
"""Seconds to reach a machine: less than a model may take to answer."""


def client_for(url: str, timeout: float, verify: bool = True) -> httpx2.Client:
    """A client that follows no redirects and speaks to this machine without a proxy."""
    import httpx2

    def bounded(response: httpx2.Response) -> None:
        _require_plain(response)
        response.stream = _bounded(response.stream, timeout)

    return httpx2.Client(
        timeout=timeout_of(timeout), verify=verify, event_hooks={"response": [bounded]}, **_options(url)
    )


def async_client_for(url: str, timeout: float) -> httpx2.AsyncClient:
    """See `client_for`."""
    import httpx2

    async def bounded(response: httpx2.Response) -> None:
        _require_plain(response)
        response.stream = _bounded(response.stream, timeout)

    return httpx2.AsyncClient(timeout=timeout_of(timeout), event_hooks={"response": [bounded]}, **_options(url))


def timeout_of(seconds: float) -> httpx2.Timeout:
    """So many seconds without a sign of life; fewer until a connection stands."""
    import httpx2

    return httpx2.Timeout(seconds, connect=min(seconds, _CONNECT))


def _options(url: str) -> dict[str, Any]:
    import httpx2

    options: dict[str, Any] = {"follow_redirects": False, "headers": {"Accept-Encoding": "identity"}}
    if is_here(host_of(url)):
        # A connection costs nothing here, and one kept while the server is started anew would fail.
        options["limits"] = httpx2.Limits(max_keepalive_connections=0)
        options["mounts"] = {"all://": None, "http://": None, "https://": None}  # whatever HTTP_PROXY says
    return options


MOST_BYTES, LONGEST_LINE = 64 << 20, 8 << 20
"""Of one response, and of one line in it: a token takes less than 2,000 bytes of a stream of events, a list of models
less than a megabyte."""


class Measure:
    """What has come of one response.

    Raises:
        ModelFailed: more than an answer can need.
        ModelUnreachable: a line does not come to its end in time: a server may drip without end.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._bytes = 0
        self._line = 0
        self._began = time.monotonic()

    def take(self, data: bytes) -> bytes:
        """The next bytes, if they are not too many."""
        self._bytes += len(data)
        end = data.rfind(b"\n")
        if end >= 0:
            self._line, self._began = 0, time.monotonic()
        self._line += len(data) - end - 1
        if self._bytes > MOST_BYTES or self._line > LONGEST_LINE:
            raise ModelFailed(
                f"The model's server sent more than {MOST_BYTES >> 20} MB, or {LONGEST_LINE >> 20} MB in one line, "
                "which no answer needs: is --model-url that of a chat server?"
            )
        if self._line and time.monotonic() - self._began > self._timeout:
            raise ModelUnreachable(
                f"The model's server sent no whole line for {self._timeout:.0f} s: is it overloaded? Try again later."
            )
        return data


def _require_plain(response: httpx2.Response) -> None:
    """Refuse what was compressed, which was not asked for: a little of it may become gigabytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise ModelFailed(
            "The model's server answered in a compressed form, which it was not asked for: is --model-url right?"
        )


def _bounded(stream: Any, timeout: float) -> Any:
    import httpx2

    class Bounded(httpx2.SyncByteStream, httpx2.AsyncByteStream):
        """A stream that is measured."""

        measure = Measure(timeout)

        def __iter__(self) -> Iterator[bytes]:
            return map(self.measure.take, stream)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for data in stream:
                yield self.measure.take(data)

        def close(self) -> None:
            stream.close()

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()
