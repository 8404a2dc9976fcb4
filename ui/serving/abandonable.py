"""Work that imports for seconds, beside a server that must answer meanwhile, and that need not be waited for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TypeVar

_EAGER = 0.0005
"""Seconds after which the work leaves Python to who waits for it; the usual 5 ms would make a page slow."""
_Made = TypeVar("_Made")


class Abandoned(BaseException):
    """Nobody needs the work any more: no ordinary error, so that no import of a module that may be absent hides it."""


class Abandonable(MetaPathFinder):
    """Runs one piece of work at a time, in the thread that calls `run`; once abandoned, it ends at its next import."""

    def __init__(self) -> None:
        self._thread: int | None = None
        self._abandoned = threading.Event()

    def run(self, work: Callable[[], _Made]) -> _Made:
        """What the work makes.

        Raises:
            Abandoned: as said.
        """
        if self._abandoned.is_set():
            raise Abandoned
        interval = sys.getswitchinterval()
        self._thread = threading.get_ident()
        sys.meta_path.insert(0, self)
        sys.setswitchinterval(_EAGER)
        try:
            return work()
        finally:
            sys.setswitchinterval(interval)
            sys.meta_path.remove(self)

    def abandon(self) -> None:
        """Let it end."""
        self._abandoned.set()

    def find_spec(
        self,
        fullname: str,  # noqa: ARG002 - part of the signature
        path: Sequence[str] | None,  # noqa: ARG002 - likewise
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> ModuleSpec | None:
        """Finds nothing; the place where the work can be ended."""
        if self._abandoned.is_set() and threading.get_ident() == self._thread:
            raise Abandoned
        return None
