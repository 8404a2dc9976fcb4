"""Answers for the MCP server: a quotation, or those of a language model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from haystack_agent.answering.model.choice import chosen_model
from haystack_agent.answering.sources import Sources
from haystack_agent.errors import UsageError
from haystack_agent.records import Answer, Evidence, Filters
from ui import printable
from ui.terminal.model_answers import finished, opened

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from langchain_core.language_models import BaseChatModel

    from haystack_agent.settings import Settings
    from haystack_agent.store.values import IndexedPiece
    from ui.mcp.library import Library


class _OnLoan:
    """The index of a library, taken anew for each look."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def fetch(self, asset_ids: Collection[str]) -> Sequence[IndexedPiece]:
        with self._library.engine() as engine:
            return engine.pieces(list(asset_ids))

    def asset_ids(self) -> Sequence[str]:
        with self._library.engine() as engine:
            return engine.asset_ids()

    def search(self, query: str, top_k: int, filters: Filters) -> list[Evidence]:
        with self._library.engine() as engine:
            return engine.search(query, top_k=top_k, filters=filters)


class ModelAnswers:
    """The language model that the server was started with, opened when it is first asked."""

    def __init__(self, settings: Settings, model: str | None, url: str | None) -> None:
        self._settings = settings
        self._model_name, self._url = model, url
        self._lock = threading.Lock()
        self._opened: tuple[BaseChatModel, str] | None = None

    def check(self) -> None:
        """Open the model.

        Raises:
            UsageError: the server was started without one, or it cannot be used.
            ModelUnavailable: a local one cannot be loaded.
        """
        self._model()

    def direct(self, question: str, evidence: Sequence[Evidence]) -> Answer:
        """The answer of the model to a question and places found for it.

        Raises:
            ModelFailed: the model did not answer.
        """
        from haystack_agent.answering.direct import DirectReader
        from ingest.draw.drawing import EvidenceRenderer

        model, name = self._model()
        return finished(DirectReader(model, name, EvidenceRenderer()).stream(question, evidence))

    def agent(self, library: Library, question: str, filters: Filters) -> Answer:
        """The answer of the model after it searched and looked for itself; the index is free while the model thinks.

        Raises:
            ModelFailed: the model did not answer.
        """
        from haystack_agent.answering.langchain_agent import AgentReader
        from ingest.draw.drawing import EvidenceRenderer

        model, name = self._model()
        reader = AgentReader(model, name, EvidenceRenderer())
        loan = _OnLoan(library)
        return finished(reader.stream(question, Sources(loan, loan.search, filters)))

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
