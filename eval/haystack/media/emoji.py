"""Things that are drawn: the glyphs and the names of some emoji."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from eval.pictogram.world import concepts, pictures
from haystack_agent.errors import ModelUnavailable, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

THINGS = tuple(
    "🦊🐘🦁🐼🐧🦉🦋🐢🐙🦀🐌🐝🐬🦒🦓🐫🐿🦔🦇🐓🦆🦢🦩🦚🐊🦈🐖🐄🐑🐎"
    "🌵🌻🌹🍄🌲🌴🍁🍎🍌🍇🍉🍓🍍🍒🥕🌽🥦🍆🥑🍕🍔🥐🧀🥚🍩🎂🍦🥨"
    "🚲🚗🚌🚂🚁🚀⛵🚜🛵🚑🎈🎁🎸🎺🎻🎹🎲🧩🪁⚽🏀🎾🏆🔑✂📷📺📚💡🧲🔭🔬🧹🧦👑👓"
)
"""Emoji of single things that are easy to tell apart."""


FONT = pictures.FONT
CLDR = concepts.CLDR


@cache
def _glyphs() -> dict[str, Image]:
    from PIL import Image as Pictures

    try:
        drawn = pictures.render_glyphs(THINGS, FONT)
    except ModelUnavailable as error:
        raise UsageError(str(error)) from error
    return {sign: Pictures.fromarray(pixels.transpose(1, 2, 0), "RGBA") for sign, pixels in drawn.items()}


def require_glyphs() -> None:
    """Check that everything can be drawn.

    Raises:
        UsageError: the font is missing, or lacks a thing.
    """
    if missing := [sign for sign in THINGS if sign not in _glyphs()]:
        raise UsageError(
            f"The installed emoji font cannot draw {' '.join(missing)}: install a newer fonts-noto-color-emoji."
        )


def paste(picture: Image, sign: str, place: tuple[int, int], side: int) -> None:
    """Draw an emoji with its top left corner at `place`, `side` pixels wide and high."""
    from PIL.Image import Resampling

    glyph = _glyphs()[sign].resize((side, side), Resampling.BICUBIC)
    picture.paste(glyph, place, glyph)


@cache
def names() -> dict[str, dict[str, str]]:
    """What the things are called, by emoji and language.

    Raises:
        UsageError: Unicode's names are not installed.
    """
    try:
        named = concepts.read_concepts(CLDR, every_language=False)
    except ModelUnavailable as error:
        raise UsageError(str(error)) from error
    return {concept.emoji: concept.names for concept in named if concept.emoji in THINGS}
