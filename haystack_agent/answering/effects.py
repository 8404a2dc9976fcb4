"""What an answer in the making waits for, said as values, so that one body serves threads and an event loop alike.

A body is a generator: it yields events and, between them, what it wants done, and is sent what came of that; what fails
is raised where it was wanted. Who carries the body out chooses how to wait.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
E = TypeVar("E")

OffLoop = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a call off the event loop."""


class Effect(Generic[T]):
    """Something to wait for."""

    def __init__(self, now: Callable[[], T], later: Callable[[], Awaitable[T]] | None = None) -> None:
        """Take the call, and how an event loop waits for it; where it has no way of its own, off the loop."""
        self._now = now
        self._later = later

    def wait(self) -> T:
        """What comes of it, waited for in this thread."""
        return self._now()

    async def wait_on_loop(self, off_loop: OffLoop) -> T:
        """The same, without blocking the event loop."""
        if self._later is not None:
            return await self._later()
        result: T = await off_loop(self._now)
        return result


Steps = Generator[E | Effect[Any], Any, None]
"""A body whose events are of the kind `E`."""


def result_of(now: Callable[[], T], later: Callable[[], Awaitable[T]] | None = None) -> Generator[Effect[T], Any, T]:
    """Wait for a call in a body: ``found = yield from result_of(search)``."""
    result: T = yield Effect(now, later)
    return result


def pause(seconds: float) -> Generator[Effect[None], Any, None]:
    """Wait so long in a body."""
    yield from result_of(lambda: time.sleep(seconds), lambda: _sleep(seconds))


async def _sleep(seconds: float) -> None:
    import asyncio  # the command line has no loop, and need not load it

    await asyncio.sleep(seconds)


async def _in_a_thread(call: Callable[[], T]) -> T:
    import asyncio

    return await asyncio.to_thread(call)


class Stream(Generic[T]):
    """What comes piece by piece; it is begun when the first piece is wanted."""

    def __init__(self, now: Callable[[], Iterator[T]], later: Callable[[], AsyncIterator[T]]) -> None:
        self._now = now
        self._later = later
        self._sync: Iterator[T] | None = None
        self._async: AsyncIterator[T] | None = None

    def following(self) -> Generator[Effect[T | None], Any, T | None]:
        """Wait for the next piece in a body; ``None`` at the end."""
        return result_of(self._next, self._anext)

    def _next(self) -> T | None:
        if self._sync is None:
            self._sync = self._now()
        return next(self._sync, None)

    async def _anext(self) -> T | None:
        if self._async is None:
            self._async = self._later()
        return await anext(self._async, None)


def carried_out(steps: Steps[E]) -> Generator[E, None, None]:
    """The events of a body, which waits in this thread."""
    running = _Running(steps)
    try:
        while not isinstance(wanted := running.wanted, _End):
            if not isinstance(wanted, Effect):
                yield wanted
                running.go_on(None)
                continue
            try:
                result = wanted.wait()
            except BaseException as error:  # noqa: BLE001 - raised in the body, where it was wanted
                running.fail(error)
            else:
                running.go_on(result)
    finally:
        steps.close()


async def carried_out_on_loop(steps: Steps[E], off_loop: OffLoop = _in_a_thread) -> AsyncGenerator[E]:
    """The events of a body, which waits without blocking the event loop."""
    running = _Running(steps)
    try:
        while not isinstance(wanted := running.wanted, _End):
            if not isinstance(wanted, Effect):
                yield wanted
                running.go_on(None)
                continue
            try:
                result = await wanted.wait_on_loop(off_loop)
            except BaseException as error:  # noqa: BLE001 - as above
                running.fail(error)
            else:
                running.go_on(result)
    finally:
        steps.close()


class _End:
    """A body has come to its end."""


class _Running(Generic[E]):
    """A body, and what it yielded last."""

    def __init__(self, steps: Steps[E]) -> None:
        self._steps = steps
        self.wanted: E | Effect[Any] | _End = _End()
        self.go_on(None)

    def go_on(self, result: object) -> None:
        """Send what came of what it wanted."""
        self._advance(lambda: self._steps.send(result))

    def fail(self, error: BaseException) -> None:
        """Raise what went wrong where it was wanted."""
        self._advance(lambda: self._steps.throw(error))

    def _advance(self, advance: Callable[[], E | Effect[Any]]) -> None:
        try:
            self.wanted = advance()
        except StopIteration:
            self.wanted = _End()
