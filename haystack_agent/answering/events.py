"""What an answer in the making tells, in order: statuses, tool calls, evidence and tokens, then the answer."""

from __future__ import annotations

from dataclasses import dataclass

from haystack_agent.records import Answer, Evidence


@dataclass(frozen=True, slots=True)
class Status:
    """What is being done, in a few words."""

    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """The next words of the answer as the model writes it: its quotations are not checked yet."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The agent uses a tool; what it wrote before was a thought, not the answer."""

    name: str
    arguments: str
    """In a few words."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the agent has found so far, in the order of its numbers."""

    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The answer, its citations checked."""

    answer: Answer


Event = Status | Token | ToolCalled | Gathered | Done
