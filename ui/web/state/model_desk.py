"""The language model of the server: opened when the first question goes to it, and anew when its server changes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haystack_agent.answering.model.choice import chosen_model, open_model
from haystack_agent.answering.model.server import Heard, State, hear
from haystack_agent.errors import UsageError
from ui.terminal.downloads import tell_download

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from haystack_agent.answering.conversation import Conversation
    from haystack_agent.answering.direct import DirectReader
    from haystack_agent.answering.langchain_agent import AgentReader
    from haystack_agent.answering.model.choice import ModelChoice
    from haystack_agent.answering.pictures import Renderer
    from haystack_agent.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelReaders:
    """How the model is asked."""

    model: BaseChatModel
    name: str
    direct: DirectReader
    agent: AgentReader
    remarks: tuple[str, ...] = ()
    """What the user should know of the model, a sentence each."""

    def conversation(self) -> Conversation:
        """A conversation in which nothing was said yet."""
        from haystack_agent.answering.conversation import Conversation

        return Conversation(self.model, self.name)


_FRESH = 60.0
"""Seconds that what a server says of its model is taken for true: it may be started anew with another."""


class ModelDesk:
    """Knows which model there is, and opens it."""

    def __init__(self, settings: Settings, name: str | None, url: str | None, renderer: Renderer) -> None:
        self._renderer = renderer
        self._choice: ModelChoice | None = None
        if name or settings.model:
            self._choice = chosen_model(settings, name, url)
        self._readers: ModelReaders | None = None
        self._heard: Heard | None = None
        self._heard_at = 0.0
        self._opening = threading.Lock()

    @property
    def name(self) -> str | None:
        """The model's name, where there is one."""
        return self._choice.name if self._choice else None

    @property
    def destination(self) -> str | None:
        """Who gets what is sent to the model, where it is not this machine."""
        return self._choice.destination if self._choice else None

    def readers(self) -> ModelReaders:
        """The model, opened.

        Raises:
            UsageError: there is none, or it cannot be used.
            ModelUnavailable: a local one cannot be loaded.
        """
        if self._choice is None:
            raise UsageError(
                "No language model is set up: start the server with --model and --model-url, or choose quotations."
            )
        with self._opening:
            if self._readers is None or (self._choice.url and time.monotonic() - self._heard_at > _FRESH):
                self._readers = self._opened(self._choice, self._readers)
            return self._readers

    def _opened(self, choice: ModelChoice, before: ModelReaders | None) -> ModelReaders:
        """The model as its server has it now: the one before, where that says the same."""
        heard = hear(choice)
        self._heard_at = time.monotonic() if heard.state is State.HEARD else 0.0
        if before is not None and heard == self._heard:
            return before
        self._heard = heard
        return _readers(choice.name, heard, self._renderer)


def _readers(known_as: str, heard: Heard, renderer: Renderer) -> ModelReaders:
    from haystack_agent.answering.direct import DirectReader
    from haystack_agent.answering.langchain_agent import AgentReader

    model, name = open_model(heard.choice, tell_download, heard.profile), heard.choice.name
    direct, agent = DirectReader(model, name, renderer), AgentReader(model, name, renderer)
    return ModelReaders(model, known_as, direct, agent, heard.remarks)
