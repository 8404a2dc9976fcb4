"""What an agent's model is shown of the places that its tools found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from haystack_agent.answering.messages import shown_blocks
from haystack_agent.answering.model.errors import told
from haystack_agent.answering.pictures import Picture, PictureWanted, Renderer
from haystack_agent.answering.sources import Book
from haystack_agent.answering.tools import PictureReference
from haystack_agent.errors import ContextTooLong, PicturesRefused

if TYPE_CHECKING:
    from langchain_core.messages.content import ContentBlock

_LOOKS = 4
_FRAMES = 4
_BLIND = "The model does not take pictures: it was given the text alone."
_FULL = "The evidence was too long for the model: it was given the text alone."
_SEES = "(what the tools found looks like this)"


class Looks(AgentMiddleware[Any, Any]):
    """Shows the model what its tools found, in a message of the user: many servers refuse pictures in those of tools.

    The state keeps the references only.
    """

    def __init__(self, book: Book, renderer: Renderer, notes: list[str]) -> None:
        super().__init__()
        self._book = book
        self._renderer = renderer
        self._notes = notes
        self._drawn: dict[PictureReference, tuple[Picture, ...]] = {}
        self._blind = False

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """One turn."""
        try:
            return handler(self._with_pictures(request))
        except Exception as error:  # noqa: BLE001 - raised again unless it is about pictures
            self._note_blindness(error)
            return handler(request)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """One turn."""
        try:
            return await handler(await asyncio.to_thread(self._with_pictures, request))
        except Exception as error:  # noqa: BLE001 - raised again unless it is about pictures
            self._note_blindness(error)
            return await handler(request)

    def _note_blindness(self, error: Exception) -> None:
        """Go on without pictures where the model takes none, or no more; anything else is raised again."""
        failure = told(error, "the model")
        if self._blind or not isinstance(failure, (PicturesRefused, ContextTooLong)):
            raise error
        self._blind = True
        self._notes.append(_BLIND if isinstance(failure, PicturesRefused) else _FULL)

    def _with_pictures(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        looks = [] if self._blind else _latest(request.messages)
        missing = [look for look in looks if look not in self._drawn]
        wanted = [PictureWanted(self._book.evidence[look.number - 1], look.side, _FRAMES) for look in missing]
        if wanted:
            self._drawn |= dict(zip(missing, self._renderer.render(wanted), strict=True))
        blocks: list[ContentBlock] = [
            block for look in looks for picture in self._drawn[look] for block in shown_blocks(look.number, picture)
        ]
        if not blocks:
            return request
        seen = HumanMessage(content_blocks=[{"type": "text", "text": _SEES}, *blocks])
        return request.override(messages=[*request.messages, seen])


def _latest(messages: list[AnyMessage]) -> list[PictureReference]:
    """The references of the latest results of tools, each place once and at its largest."""
    chosen: dict[int, PictureReference] = {}
    for message in reversed(messages):
        for look in message.artifact or () if isinstance(message, ToolMessage) else ():
            if look.number in chosen or len(chosen) < _LOOKS:
                known = chosen.get(look.number)
                chosen[look.number] = look if known is None or look.side > known.side else known
    return sorted(chosen.values(), key=lambda look: look.number)
