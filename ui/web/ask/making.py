"""Answers in the making: each goes on when nobody listens any more, so that it is there when its page comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from ui.web.state.conversation_store import KeptTurn

Told = dict[str, Any]
AT_ONCE = 32
"""Answers that are made at the same time."""


class Making:
    """One answer in the making; what is told of it waits for whoever listens."""

    def __init__(self, turn: KeptTurn) -> None:
        self.turn = turn
        """The question with what is known of its answer so far."""
        self.stop = asyncio.Event()
        """Set it to end the answer; what was written by then is kept."""
        self._told: asyncio.Queue[Told | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self, telling: AsyncIterator[Told], ended: Callable[[], object]) -> None:
        """Make it, whether or not somebody listens; then call `ended`."""
        self._task = asyncio.create_task(self._make(telling, ended))

    async def listen(self) -> AsyncIterator[Told]:
        """What is told of it, in order, for one listener."""
        while (told := await self._told.get()) is not None:
            yield told

    async def abandon(self) -> None:
        """End it at once: the server ends, and the question stays without an answer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _make(self, telling: AsyncIterator[Told], ended: Callable[[], object]) -> None:
        try:
            async for told in telling:
                self._told.put_nowait(told)
        finally:
            ended()
            self._told.put_nowait(None)
