"""What a connection may take of the server: a time for its request, and a place among a bounded number of others.

Clients that never finish their requests, or never read the answers, make room for others. Whoever waits for an answer
that was asked for wholly, such as a stream of events or a clip, is not hurried.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

BACKLOG = 128
"""Connections that are taken at one go: so many more than the limit may be open for a moment."""
_MOST_FILES = 8192
_TICK = 1.0
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)
_STALLED = 30.0
"""Seconds without reading after which a client makes room if there is no other."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be, and how long a request may take to arrive."""

    overall: int = 512
    per_address: int = 256
    head_seconds: float = 20.0
    """From the first moment, or the answer before, to the end of the headers."""
    body_seconds: float = 30.0
    """For a body, in addition to the time that it takes at the slowest rate."""
    slowest_rate: float = 2048.0
    """Bytes a second."""
    unread_seconds: float = 5.0
    """For the rest of a body that was answered already, so that the client reads the answer."""
    unread_bytes: int = 32 * 2**20
    """Of such a rest."""


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, within limits."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._stage: object = None
        self._since = self.loop.time()
        self._received = self._unread = 0
        self._stalled_at = float("inf")
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A place for it, if need be one that another leaves."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._timer = self.loop.call_later(_TICK, self._watch)
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Its place is free."""
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        super().data_received(data)
        self._note(len(data))

    def on_response_complete(self) -> None:
        """The next request may come: no browser sends it sooner, and many at one go would have the place of one."""
        if self.conn.trailing_data[0]:
            self.transport.close()
        super().on_response_complete()
        self._note(0)

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._stalled_at = self.loop.time()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._stalled_at = float("inf")

    def _note(self, received: int) -> None:
        stage = (self.conn.their_state, self.cycle)
        if stage != self._stage:
            self._stage, self._since = stage, self.loop.time()
            self._received = self._unread = 0
        self._received += received
        if self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete:
            self._unread += received
            if self._unread > self.limits.unread_bytes:
                self.transport.abort()

    def _watch(self) -> None:
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self._since = self.loop.time()  # it is for us to read
        if self.unfinished and self.loop.time() - self._since > self._allowed():
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(_TICK, self._watch)

    def _allowed(self) -> float:
        if self.conn.their_state is h11.IDLE:
            return self.limits.head_seconds
        if self.cycle.response_complete:
            return self.limits.unread_seconds
        return self.limits.body_seconds + self._received / self.limits.slowest_rate

    @property
    def unfinished(self) -> bool:
        """Whether a request, or the rest of one, is still to come."""
        return self.conn.their_state in _UNFINISHED

    def readiness(self) -> tuple[int, int, float] | None:
        """What may make room for another comes first in order; None where it is being served."""
        if self.unfinished and not self.flow.read_paused:
            if self.conn.their_state is h11.SEND_BODY and not self.cycle.response_complete:
                return 1, self._received, self._since  # an upload that gets on goes last
            return 0, 0, self._since
        return (2, 0, self._stalled_at) if self.loop.time() - self._stalled_at > _STALLED else None

    def _make_room(self) -> None:
        crowd = self._crowd()
        if not crowd:
            return
        ready = [(order, one) for one in crowd if one is not self and (order := one.readiness()) is not None]
        leaves = min(ready, key=itemgetter(0))[1] if ready else self
        self.connections.discard(leaves)  # its place is free now, not when the loop comes round
        leaves.transport.abort()

    def _crowd(self) -> list[BoundedProtocol]:
        """The connections among which one is too many."""
        everybody = [one for one in self.connections if isinstance(one, BoundedProtocol)]
        same = [one for one in everybody if one.address == self.address]
        if len(same) > self.limits.per_address:
            return same
        return everybody if len(everybody) > self.limits.overall else []

    @property
    def address(self) -> str:
        """Where it comes from."""
        return self.client[0] if self.client else ""


def bounded(limits: ConnectionLimits) -> type[BoundedProtocol]:
    """The protocol with limits of one's own."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})


def fitting(limits: ConnectionLimits) -> ConnectionLimits:
    """The limits with no more connections than there can be open files, which are made as many as the system allows."""
    overall = min(limits.overall, _most_files() // 3)
    return replace(limits, overall=overall, per_address=min(limits.per_address, overall))


def _most_files() -> int:
    if sys.platform == "win32":
        return _MOST_FILES
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
