"""What the routes of one server share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from haystack_agent.settings import Settings
from ui.web.ask.making import Making
from ui.web.state.conversation_store import ConversationStore
from ui.web.state.drawing_lane import DrawingLane
from ui.web.state.index_hub import IndexHub
from ui.web.state.model_desk import ModelDesk
from ui.web.state.picture_desk import PictureDesk


@dataclass(frozen=True, slots=True)
class Workspace:
    """Indexes, conversations, the model, and what draws; closed when the server ends."""

    settings: Settings
    hub: IndexHub
    models: ModelDesk
    conversations: ConversationStore
    thumbnails: DrawingLane
    large: DrawingLane
    pictures: PictureDesk
    making: dict[tuple[str, str], Making] = field(default_factory=dict)
    """The answer that is being made, by visitor and conversation."""

    async def abandon_answers(self) -> None:
        """End all answers that are being made."""
        await asyncio.gather(*(one.abandon() for one in self.making.values()))

    def close(self) -> None:
        """Let go of everything."""
        self.thumbnails.close()
        self.large.close()
        self.hub.close()
