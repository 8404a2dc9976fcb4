"""What the engine prints when it panics: words for its makers, written past Python to standard error."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_STANDARD_ERROR = 2


class _Muffler:
    """Standard error of the process, put aside while any thread is in the engine, which stops all other ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._kept: int | None = None

    def put_aside(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                with contextlib.suppress(OSError):  # a process may have no standard error
                    self._kept = os.dup(_STANDARD_ERROR)
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, _STANDARD_ERROR)
                    os.close(nowhere)

    def put_back(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._kept is not None:
                os.dup2(self._kept, _STANDARD_ERROR)
                os.close(self._kept)
                self._kept = None


_MUFFLER = _Muffler()


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Keep what the engine prints from the user, who is told in other words."""
    _MUFFLER.put_aside()
    try:
        yield
    finally:
        _MUFFLER.put_back()
