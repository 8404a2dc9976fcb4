"""Answers for the MCP server: a quotation, or those of a language model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from haystack_agent.answering.model.choice import chosen_model
from haystack_agent.answering.modes import AnswerMode
from haystack_agent.answering.sources import Sources
from haystack_agent.asking import Found, Request, Way, within
from haystack_agent.errors import UsageError
from haystack_agent.records import Answer
from haystack_agent.retrieval.understood import Understood
from ui import printable
from ui.terminal.model_answers import opened, way_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from langchain_core.language_models import BaseChatModel

    from haystack_agent.settings import Settings
    from haystack_agent.store.values import IndexedPiece
    from ui.mcp.library import Library


class OnLoan:
    """The index of a library, taken anew for each look: it is free for others while a model thinks."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def find(self, request: Request, understood: Understood | None = None) -> Found:
        """See `asking.Index.find`."""
        with self._library.engine() as engine:
            return engine.find(request, understood)

    def read(self, found: Found) -> Answer:
        """See `asking.Index.read`."""
        with self._library.engine() as engine:
            return engine.read(found)

    def sources(self, found: Found) -> Sources:
        """See `asking.Index.sources`."""
        return Sources(self, within(self, found), found.filters)

    def fetch(self, asset_ids: Collection[str]) -> Sequence[IndexedPiece]:
        """See `sources.Shelf.fetch`."""
        with self._library.engine() as engine:
            return engine.pieces(list(asset_ids))

    def asset_ids(self) -> Sequence[str]:
        """See `sources.Shelf.asset_ids`."""
        with self._library.engine() as engine:
            return engine.asset_ids()


class ServerModel:
    """The language model that the server was started with, opened when it is first asked."""

    def __init__(self, settings: Settings, model: str | None, url: str | None) -> None:
        self._settings = settings
        self._model_name, self._url = model, url
        self._lock = threading.Lock()
        self._opened: tuple[BaseChatModel, str] | None = None

    def way(self, mode: AnswerMode) -> Way:
        """The way to an answer by the model.

        Raises:
            UsageError: there is none.
            ModelUnavailable: a local one cannot be loaded.
        """
        return way_of(*self._model(), mode)

    def notes(self) -> list[str]:
        """Who else got the question and the evidence."""
        destination = chosen_model(self._settings, self._model_name, self._url).destination
        if destination is None:
            return []
        return [f"The question and the places found for it were sent to {printable.line(destination)}."]

    def _model(self) -> tuple[BaseChatModel, str]:
        if not (self._model_name or self._settings.model):
            raise UsageError(
                "This server has no language model: ask with mode extractive, or start `haystack-agent mcp` with "
                "--model, or set `model` in config.toml."
            )
        with self._lock:
            if self._opened is None:
                self._opened = opened(self._settings, self._model_name, self._url)
            return self._opened
