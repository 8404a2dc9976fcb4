"""The language model of the server: opened when the first question goes to it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haystack_agent.answering.models import chosen_model, open_model
from haystack_agent.errors import UsageError
from ui.downloads import tell_download

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from haystack_agent.answering.conversation import Conversation
    from haystack_agent.answering.direct import DirectReader
    from haystack_agent.answering.langchain_agent import AgentReader
    from haystack_agent.answering.models import ModelChoice
    from haystack_agent.answering.pictures import Renderer
    from haystack_agent.settings import Settings


@dataclass(frozen=True, slots=True)
class Readers:
    """How the model is asked."""

    model: BaseChatModel
    name: str
    direct: DirectReader
    agent: AgentReader

    def conversation(self) -> Conversation:
        """A conversation in which nothing was said yet."""
        from haystack_agent.answering.conversation import Conversation

        return Conversation(self.model, self.name)


class ModelDesk:
    """Knows which model there is, and opens it once."""

    def __init__(self, settings: Settings, name: str | None, url: str | None, renderer: Renderer) -> None:
        self._renderer = renderer
        self._choice: ModelChoice | None = None
        if name or settings.model:
            self._choice = chosen_model(settings, name, url)
        self._readers: Readers | None = None
        self._opening = threading.Lock()

    @property
    def name(self) -> str | None:
        """The model's name, where there is one."""
        return self._choice.name if self._choice else None

    @property
    def destination(self) -> str | None:
        """Who gets what is sent to the model, where it is not this machine."""
        return self._choice.destination if self._choice else None

    def readers(self) -> Readers:
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
            if self._readers is None:
                self._readers = _opened(self._choice, self._renderer)
            return self._readers


def _opened(choice: ModelChoice, renderer: Renderer) -> Readers:
    from haystack_agent.answering.direct import DirectReader
    from haystack_agent.answering.langchain_agent import AgentReader

    model = open_model(choice, tell_download)
    return Readers(
        model, choice.name, DirectReader(model, choice.name, renderer), AgentReader(model, choice.name, renderer)
    )
