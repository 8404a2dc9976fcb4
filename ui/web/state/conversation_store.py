"""Conversations on disk: one JSON file each, in a folder of its visitor, readable by the user of this computer only."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.system.private_files import write_private
from haystack_agent.text.shortened import shortened
from ui.web.door.visitors import Visitor

_TITLE = 80
_MOST = 500
"""Conversations of one visitor that are listed."""


class NotKept(HaystackError):
    """A conversation cannot be written."""


class KeptTurn(BaseModel):
    """A question and what was answered, as the page shows it; without an answer while there is none."""

    id: str = ""
    """Empty where it was kept by an older version."""
    question: str
    asked: float
    mode: str
    understood: str = ""
    parts: list[str] = Field(default_factory=list)
    picture: bool = False
    filters: dict[str, Any] = Field(default_factory=dict)
    """Those chosen by the user."""
    narrowed: dict[str, Any] | None = None
    """Those that were used, where they are not the ones chosen."""
    steps: list[str] = Field(default_factory=list)
    answer: dict[str, Any] = Field(default_factory=dict)
    cards: list[dict[str, Any]] = Field(default_factory=list)


def unanswered(reason: str = "The server was stopped before this was answered.") -> dict[str, Any]:
    """What stands for an answer that does not come."""
    return {"text": "", "error": reason, "notes": [], "citations": []}


class StoredConversation(BaseModel):
    """A conversation; `index` is the key of the index that it is about."""

    id: str
    title: str
    index: str
    created: float
    updated: float
    turns: list[KeptTurn] = Field(default_factory=list)


class ConversationStore:
    """The conversations of all visitors; each sees only their own."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "web" / "conversations"
        self._changing = threading.Lock()
        """Held from reading a conversation to writing it: two tabs may ask at the same time."""

    def new_id(self) -> str:
        """An id that nobody can guess."""
        return secrets.token_hex(16)

    def listed(self, visitor: Visitor) -> list[StoredConversation]:
        """The visitor's conversations, without their turns, the last used first."""
        folder = self._of(visitor)
        with _telling(self._folder):
            paths = folder.glob("[0-9a-f]*.json") if folder.is_dir() else []
            newest = sorted(paths, key=_changed, reverse=True)[:_MOST]
            found = [one for one in map(_read, newest) if one is not None]
        return [one.model_copy(update={"turns": []}) for one in found]

    def get(self, visitor: Visitor, identity: str) -> StoredConversation:
        """One conversation.

        Raises:
            UsageError: the visitor has none with that id.
            NotKept: it cannot be read.
        """
        with _telling(self._folder):
            found = _read(self._path(visitor, identity))
        if found is None:
            raise UsageError("This conversation is not there any more: start a new one.")
        return found

    def add(self, visitor: Visitor, identity: str, index: str, turn: KeptTurn) -> StoredConversation:
        """Keep a turn, in a new conversation where there is none with that id.

        Raises:
            NotKept: it cannot be written.
        """
        now = time.time()
        new = StoredConversation(id=identity, title=_titled(turn.question), index=index, created=now, updated=now)
        with self._changing, _telling(self._folder):
            known = _read(self._path(visitor, identity)) or new
            kept = known.model_copy(update={"turns": [*known.turns, turn], "updated": now})
            self._write(visitor, kept)
        return kept

    def finish(self, visitor: Visitor, identity: str, turn: KeptTurn) -> None:
        """Keep what a turn that was added has become; a conversation that was removed meanwhile stays removed.

        Raises:
            NotKept: it cannot be written.
        """
        with self._changing, _telling(self._folder):
            known = _read(self._path(visitor, identity))
            if known is not None:
                turns = [turn if one.id == turn.id else one for one in known.turns]
                self._write(visitor, known.model_copy(update={"turns": turns, "updated": time.time()}))

    def rename(self, visitor: Visitor, identity: str, title: str) -> None:
        """Give it another title.

        Raises:
            UsageError: the visitor has none with that id.
            NotKept: it cannot be written.
        """
        with self._changing, _telling(self._folder):
            known = self.get(visitor, identity)
            self._write(visitor, known.model_copy(update={"title": _titled(title)}))

    def delete(self, visitor: Visitor, identity: str) -> None:
        """Remove it; harmless where there is none.

        Raises:
            NotKept: it cannot be removed.
        """
        with self._changing, _telling(self._folder):
            self._path(visitor, identity).unlink(missing_ok=True)

    def _write(self, visitor: Visitor, conversation: StoredConversation) -> None:
        write_private(self._path(visitor, conversation.id), json.dumps(conversation.model_dump()))

    def _of(self, visitor: Visitor) -> Path:
        return self._folder / visitor.id

    def _path(self, visitor: Visitor, identity: str) -> Path:
        if not re.fullmatch("[0-9a-f]{32}", identity):
            raise UsageError("There is no such conversation.")
        return self._of(visitor) / f"{identity}.json"


@contextmanager
def _telling(folder: Path) -> Iterator[None]:
    """Say in words why conversations cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise NotKept(
            f"Conversations cannot be kept in {folder}: {error.strerror}. Make room there, or let it be written to."
        ) from error


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # removed in another tab meanwhile
        return 0.0


def _titled(text: str) -> str:
    return shortened(" ".join(text.split()), _TITLE) or "Untitled"


def _read(path: Path) -> StoredConversation | None:
    try:
        return StoredConversation.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        # A file that was damaged is treated as one that is not there: it cannot be shown.
        return None
