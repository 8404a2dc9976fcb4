"""The ways in which an answer can be made."""

from __future__ import annotations

from enum import StrEnum


class AnswerMode(StrEnum):
    """How answers are made."""

    EXTRACTIVE = "extractive"
    """The best sentence or table row, word for word; no language model."""
    DIRECT = "direct"
    """The best places and the question go to a language model, once."""
    AGENT = "agent"
    """A language model searches and looks for itself, step by step."""
