"""What a model is shown of evidence: pages, photos and frames as small JPEGs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from haystack_agent.records import Evidence


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made for a model."""

    jpeg: bytes = field(repr=False)
    label: str
    """What it is, for the model: ``page 2, the passage found is marked`` or ``frame at 0:17``."""


@dataclass(frozen=True, slots=True)
class PictureWanted:
    """A piece of evidence to draw."""

    evidence: Evidence
    side: int
    """Longest side in pixels at most."""
    frames: int = 1
    """Frames of a video at most."""


class Renderer(Protocol):
    """Draws evidence from the files that it was found in."""

    def render(self, wanted: Sequence[PictureWanted]) -> list[tuple[Picture, ...]]:
        """The pictures of each piece of evidence: none of what has no look (plain text) or cannot be drawn any more."""
        ...
