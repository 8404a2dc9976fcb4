"""Everything an experiment draws on: concepts in three parts, and a studio that draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval.pictogram.world.concepts import CLDR, DrawnConcept, Split, read_concepts, split
from eval.pictogram.world.pictures import FONT, Studio, Style, render_glyphs

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the concepts, and how to draw them."""

    concepts: tuple[DrawnConcept, ...]
    studio: Studio

    def draw(self, groups: Sequence[Sequence[int]], style: Style, drawn: torch.Generator) -> torch.Tensor:
        """A picture for each group of places in `concepts`, shape (n, 3, 64, 64), values from 0 to 1."""
        return self.studio.draw(groups, style, drawn)

    def shown(self, group: Sequence[int]) -> list[DrawnConcept]:
        """The concepts of a group."""
        return [self.concepts[place] for place in group]


@dataclass(frozen=True, slots=True)
class World:
    """The three parts: only the first is for training."""

    training: Part
    validation: Part
    test: Part
    languages: tuple[str, ...]
    """All that have names, in order."""


def make_world(most: int | None = None, every_language: bool = True, cldr: Path = CLDR, font: Path = FONT) -> World:
    """Read names, render glyphs, hold out; all of it where nothing else is asked for.

    Raises:
        ModelUnavailable: a Debian package is missing.
    """
    concepts = read_concepts(cldr, every_language)
    glyphs = render_glyphs([concept.emoji for concept in concepts], font)
    drawable = [concept for concept in concepts if concept.emoji in glyphs]
    if most is not None:
        drawable = drawable[-most:]  # neighbours, which have words in common
    parts: Split = split(drawable)
    languages = sorted({language for concept in drawable for language in concept.names})

    def part(chosen: tuple[DrawnConcept, ...]) -> Part:
        return Part(chosen, Studio([glyphs[concept.emoji] for concept in chosen]))

    return World(part(parts.training), part(parts.validation), part(parts.test), tuple(languages))
