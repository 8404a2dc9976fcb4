"""A question as the page sends it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from haystack_agent.answering.modes import AnswerMode
from ui.web.ids import PieceIdText
from ui.web.state.filter_values import FilterValues

LONGEST = 2000
"""Characters."""


class PageQuestion(BaseModel):
    """What was typed and chosen; `conversation` is empty for the first question of a new one."""

    model_config = ConfigDict(extra="forbid")

    index: Annotated[str, StringConstraints(max_length=100)]
    text: Annotated[str, StringConstraints(max_length=LONGEST, strip_whitespace=True)] = ""
    conversation: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""
    mode: AnswerMode = AnswerMode.EXTRACTIVE
    filters: FilterValues = Field(default_factory=FilterValues)
    as_asked: bool = False
    picture: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""
    excluded: list[PieceIdText] = Field(default_factory=list, max_length=100)
    earlier: list[tuple[str, str]] = Field(default_factory=list, exclude=True)
    """Filled in by the server from what it kept; never taken from the page."""
